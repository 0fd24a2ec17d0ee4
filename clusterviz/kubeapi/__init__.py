"""The Kubernetes API of every cluster, for an unmodified kubectl."""
