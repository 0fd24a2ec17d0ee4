"""Kubernetes's published schemas: which fields a kind has, of which type, and how its lists merge."""

from clusterviz.kubeapi.schema.model import ANY, Walker, crd_walker
from clusterviz.kubeapi.schema.source import KUBERNETES_VERSION, definitions, schema_for

__all__ = ["ANY", "KUBERNETES_VERSION", "Walker", "crd_walker", "definitions", "schema_for"]
