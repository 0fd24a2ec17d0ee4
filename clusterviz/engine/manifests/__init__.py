"""Kubernetes YAML <-> objects, and the calls that manifests give away."""

from clusterviz.engine.manifests.convert import normalize
from clusterviz.engine.manifests.problem import ManifestError, Problem
from clusterviz.engine.manifests.read import Document, Limits, read

__all__ = ["Document", "Limits", "ManifestError", "Problem", "normalize", "read"]
