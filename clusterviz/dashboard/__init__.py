"""Pages, HTTP views and checks."""
