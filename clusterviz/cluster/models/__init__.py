"""Clusters and their objects as rows; `services` is the only one who writes them."""

from clusterviz.cluster.models.access import ApiAccess
from clusterviz.cluster.models.base import ChildRow, Cluster, NamespacedRow, ObjectRow
from clusterviz.cluster.models.core import Container, Namespace, Node, Pod
from clusterviz.cluster.models.layouts import Layout
from clusterviz.cluster.models.network import (
    EndpointSlice,
    Ingress,
    NetworkPolicy,
    Service,
    ServicePort,
    TrafficFlow,
)
from clusterviz.cluster.models.other import Change, OtherObject
from clusterviz.cluster.models.workloads import DaemonSet, Deployment, ReplicaSet, StatefulSet

# In the order they are written: what others point at comes first.
OBJECT_MODELS: tuple[type[ObjectRow], ...] = (
    Namespace,
    Node,
    OtherObject,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Service,
    EndpointSlice,
    Ingress,
    NetworkPolicy,
    TrafficFlow,
    Pod,
)
MODEL_OF: dict[str, type[ObjectRow]] = {model.KIND: model for model in OBJECT_MODELS if model.KIND}

__all__ = [
    "MODEL_OF",
    "OBJECT_MODELS",
    "ApiAccess",
    "Change",
    "ChildRow",
    "Cluster",
    "Container",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Ingress",
    "Layout",
    "Namespace",
    "NamespacedRow",
    "NetworkPolicy",
    "Node",
    "ObjectRow",
    "OtherObject",
    "Pod",
    "ReplicaSet",
    "Service",
    "ServicePort",
    "StatefulSet",
    "TrafficFlow",
]
