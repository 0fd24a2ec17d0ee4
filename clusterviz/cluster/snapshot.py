"""Rows -> objects: what the simulator, the traces and the export read."""

from __future__ import annotations

from django.db.models import Max

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import is_foreign, presented
from clusterviz.cluster.models import OBJECT_MODELS, Change, Cluster, EndpointSlice, Namespace, NetworkPolicy, Node, Pod


def load_objects(cluster: Cluster, *, foreign: bool = False) -> list[Obj]:
    """Every object of the cluster, in a fixed number of queries.

    ``foreign`` adds objects of other API groups that only share the name of a kind the engine knows.
    """
    objects = store.load(cluster)
    return objects if foreign else [obj for obj in objects if not is_foreign(obj)]


def load_served(cluster: Cluster) -> list[Obj]:
    """Every object, with the kinds of other groups written as in their keys: nothing takes them for ours."""
    return [presented(obj) for obj in store.load(cluster)]


def load_calling(cluster: Cluster) -> list[Obj]:
    """The objects that say who calls whom: none that a controller makes, and nothing about the network below."""
    aside = (EndpointSlice, Namespace, NetworkPolicy, Node, Pod)
    objects = store.load(cluster, [model for model in OBJECT_MODELS if model not in aside])
    bare = Pod.objects.filter(cluster=cluster, owners__isnull=True).order_by().values_list("pk", flat=True)
    return [obj for obj in (*objects, *store.pods_with(list(bare)).values()) if not is_foreign(obj)]


def load_changes(cluster: Cluster, after: int, limit: int = 1000) -> list[Change]:
    """The next lines of the journal after a sequence number, oldest first."""
    return list(Change.objects.filter(cluster=cluster, sequence__gt=after).order_by("sequence")[:limit])


def head(cluster: Cluster) -> int:
    """Highest sequence number of the journal, 0 when it is empty."""
    return Change.objects.filter(cluster=cluster).aggregate(last=Max("sequence"))["last"] or 0
