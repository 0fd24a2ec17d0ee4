"""Kubernetes's published schemas: which fields a kind has, of which type, and how its lists merge."""

from clusterviz.kubeapi.schema.check import type_error, validate
from clusterviz.kubeapi.schema.model import ANY, Walker, crd_walker
from clusterviz.kubeapi.schema.published import Row, openapi_v3
from clusterviz.kubeapi.schema.source import KUBERNETES_VERSION, definitions, schema_for
from clusterviz.kubeapi.schema.strict import duplicate_fields, strict_error, unknown_fields
from clusterviz.kubeapi.schema.swagger import openapi_v2

__all__ = [
    "ANY",
    "KUBERNETES_VERSION",
    "Row",
    "Walker",
    "crd_walker",
    "definitions",
    "duplicate_fields",
    "openapi_v2",
    "openapi_v3",
    "schema_for",
    "strict_error",
    "type_error",
    "unknown_fields",
    "validate",
]
