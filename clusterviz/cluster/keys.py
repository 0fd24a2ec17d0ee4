"""Which row an object belongs to."""

from __future__ import annotations

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.models import MODEL_OF, ObjectRow, OtherObject
from clusterviz.engine import objects
from clusterviz.engine.objects import CLUSTER_SCOPED, Key

__all__ = ["Key", "describe", "is_foreign", "key_of", "model_of"]


def is_foreign(obj: Obj) -> bool:
    """Whether another API group merely uses the name of a kind we model (Knative's Service)."""
    model = MODEL_OF.get(str(obj.get("kind")))
    return model is not None and _group(obj.get("apiVersion")) != _group(model.API_VERSION)


def key_of(obj: Obj) -> Key:
    """``(kind, namespace, name)``; a foreign kind is written ``Kind.group``. Raises `ObjectError`."""
    kind, namespace, name = objects.key_of(obj)
    if is_foreign(obj):
        return f"{kind}.{_group(obj.get('apiVersion'))}", namespace, name
    return kind, namespace, name


def model_of(kind: str) -> type[ObjectRow]:
    """The model that keeps objects of this kind."""
    return MODEL_OF.get(kind, OtherObject)


def describe(key: Key) -> str:
    """``Service shop/api``, as messages name an object."""
    kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace and kind not in CLUSTER_SCOPED else f"{kind} {name}"


def _group(api_version: object) -> str:
    group, slash, _ = str(api_version).partition("/")
    return group if slash else ""
