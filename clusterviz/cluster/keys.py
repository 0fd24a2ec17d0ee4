"""Which row an object belongs to."""

from __future__ import annotations

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.models import MODEL_OF, ObjectRow, OtherObject
from clusterviz.engine import objects
from clusterviz.engine.gateway.objects import KINDS
from clusterviz.engine.objects import CLUSTER_SCOPED, Key

__all__ = ["Key", "describe", "is_foreign", "key_of", "model_of", "presented", "stored_kind"]

# Kinds without a model that the engine or its controllers read all the same.
UNDERSTOOD = frozenset({"IngressClass", "Endpoints", "CronJob", "Job", "PodDisruptionBudget", "PriorityClass", *KINDS})
_OURS = "clusterviz.dev"


def stored_kind(kind: str, group: str) -> str:
    """``Widget.example.com``: the kind of a CustomResourceDefinition's group, since other groups may use its name.

    Kubernetes gives no name twice among its own groups, so kinds of these go by their name alone.
    """
    own = "." not in group or group.endswith(".k8s.io") or group == _OURS
    return kind if own else f"{kind}.{group}"


def is_foreign(obj: Obj) -> bool:
    """Whether another API group merely uses the name of a kind we know (Knative's Service)."""
    kind = str(obj.get("kind"))
    return (kind in MODEL_OF or kind in UNDERSTOOD) and stored_kind(kind, _group(obj.get("apiVersion"))) != kind


def presented(obj: Obj) -> Obj:
    """The object with the kind of its key, so that who goes by kinds alone takes it for no other."""
    kind = str(obj.get("kind"))
    found = stored_kind(kind, _group(obj.get("apiVersion")))
    return obj if found == kind else {**obj, "kind": found}


def key_of(obj: Obj) -> Key:
    """``(kind, namespace, name)``, the kind as `stored_kind` writes it. Raises `ObjectError`."""
    return objects.key_of(presented(obj))


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
