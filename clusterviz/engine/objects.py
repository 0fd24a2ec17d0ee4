"""Kubernetes objects as frozen records: the fields the network depends on, already defaulted.

`parse` turns one plain object into its record. Absent fields get the API's defaults; fields the
network does not depend on stay only in the plain object.
"""

from __future__ import annotations

from typing import Any

import msgspec

from clusterviz.engine.addresses import public_address
from clusterviz.engine.errors import ObjectError
from clusterviz.engine.selectors import EVERYTHING, Selector

Key = tuple[str, str, str]
Obj = dict[str, Any]

LISTEN_ANNOTATION = "clusterviz.dev/listen"
DOWN_ANNOTATION = "clusterviz.dev/down"
CUT_ANNOTATION = "clusterviz.dev/cut"
HUNG_ANNOTATION = "clusterviz.dev/hung"
ZONE_LABEL = "topology.kubernetes.io/zone"


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every object has. ``created`` is the RFC 3339 text, "" when unknown."""

    namespace: str = ""
    name: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    created: str = ""


class Node(Record, frozen=True, kw_only=True):
    """A node; ``ips`` are its InternalIPs, primary first.

    ``cut`` are nodes it cannot reach although both reach the API server (NOD-08); ``network_ready`` is False
    while its NetworkUnavailable condition is True (NET-14).
    """

    ips: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    ready: bool = True
    schedulable: bool = True
    down: bool = False
    network_ready: bool = True
    cut: tuple[str, ...] = ()
    zone: str = ""

    @property
    def ip(self) -> str:
        """Primary address."""
        return self.ips[0] if self.ips else ""

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"node:{self.name}"


class ContainerPort(msgspec.Struct, frozen=True, gc=False):
    """A declared port; information only, it opens nothing (IMP-04). Read from the object as it stands."""

    name: str = ""
    port: int = msgspec.field(default=0, name="containerPort")
    protocol: str = "TCP"
    host_port: int = msgspec.field(default=0, name="hostPort")
    host_ip: str = msgspec.field(default="", name="hostIP")


class Container(msgspec.Struct, frozen=True, gc=False):
    """A container of a pod; ``running`` False while it waits or after it ended (LIF-04)."""

    name: str
    image: str = ""
    ports: tuple[ContainerPort, ...] = ()
    ready: bool = True
    running: bool = True


class Pod(Record, frozen=True, kw_only=True):
    """A pod; ``listen`` None means: derive from declared ports."""

    node: str = ""
    ips: tuple[str, ...] = ()
    phase: str = "Running"
    ready: bool = True
    terminating: bool = False
    host_network: bool = False
    containers: tuple[Container, ...] = ()
    owner: tuple[str, str] = ("", "")
    hostname: str = ""
    subdomain: str = ""
    dns_policy: str = "ClusterFirst"
    searches: tuple[str, ...] = ()
    ndots: int | None = None
    listen: tuple[str, ...] | None = None
    reason: str = ""
    restarts: int = 0

    @property
    def ip(self) -> str:
        """Primary address, "" before CNI gave one."""
        return self.ips[0] if self.ips else ""

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"pod:{self.namespace}/{self.name}"

    @property
    def hung(self) -> bool:
        """Whether its processes answer nothing any more."""
        return self.annotations.get(HUNG_ANNOTATION) == "true"

    @property
    def ended(self) -> bool:
        """Succeeded or Failed: the address is given back (IPM-04)."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def ports(self) -> tuple[ContainerPort, ...]:
        """Declared ports of all containers: one port space (NET-03)."""
        return tuple(port for container in self.containers for port in container.ports)


class ServicePort(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A port of a Service; ``target`` is a number or a container port's name (SVC-10)."""

    name: str = ""
    protocol: str = "TCP"
    port: int
    target: int | str
    node_port: int = 0
    app_protocol: str = ""


class LoadBalancerIngress(msgspec.Struct, frozen=True):
    """An address a provider wrote; ``mode`` VIP or Proxy (SVC-07)."""

    ip: str = ""
    hostname: str = ""
    mode: str = "VIP"

    @property
    def address(self) -> str:
        """Its IP; for a balancer known by name the one its name is taken to have."""
        return self.ip or (public_address(self.hostname) if self.hostname else "")


class Service(Record, frozen=True, kw_only=True):
    """A Service; ``selector`` None means none was given (SVC-12)."""

    type: str = "ClusterIP"
    cluster_ips: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    headless: bool = False
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] | None = None
    external_ips: tuple[str, ...] = ()
    load_balancer: tuple[LoadBalancerIngress, ...] = ()
    external_name: str = ""
    external_policy: str = "Cluster"
    internal_policy: str = "Cluster"
    affinity: bool = False
    affinity_timeout: int = 10800
    source_ranges: tuple[str, ...] = ()
    publish_not_ready: bool = False
    distribution: str = ""
    health_check_port: int = 0

    @property
    def ip(self) -> str:
        """Primary ClusterIP, "" when it has none."""
        return self.cluster_ips[0] if self.cluster_ips else ""

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"service:{self.namespace}/{self.name}"

    @property
    def lb_ips(self) -> tuple[str, ...]:
        """Load balancer addresses kube-proxy handles itself (SVC-07)."""
        return tuple(entry.ip for entry in self.load_balancer if entry.ip and entry.mode != "Proxy")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One address behind a Service with its conditions (EPS-02); ``ports`` are (name, number, protocol).

    ``leading``: the first address of its entry in the slice, the only one kube-proxy uses (EPS-01).
    """

    ip: str
    node: str = ""
    zone: str = ""
    pod: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    hostname: str = ""
    ports: tuple[tuple[str, int, str], ...] = ()
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()
    leading: bool = True


class EndpointSlice(Record, frozen=True, kw_only=True):
    """A slice of a Service's endpoints."""

    service: str = ""
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] = ()


class IngressBackend(msgspec.Struct, frozen=True):
    """A Service port by number or name."""

    service: str
    port: int | str


class IngressPath(msgspec.Struct, frozen=True):
    """One path of a rule; ``index`` is (rule, path) for the YAML path."""

    path: str
    type: str
    backend: IngressBackend
    index: tuple[int, int] = (0, 0)


class IngressRule(msgspec.Struct, frozen=True):
    """The paths of one host; host "" is any."""

    host: str
    paths: tuple[IngressPath, ...]


class IngressTls(msgspec.Struct, frozen=True):
    """Hosts whose certificate lies in a Secret; ``secret`` "" is the controller's default (ING-10)."""

    secret: str
    hosts: tuple[str, ...] = ()


class Ingress(Record, frozen=True, kw_only=True):
    """An Ingress; ``ingress_class`` "" means the default class."""

    ingress_class: str = ""
    rules: tuple[IngressRule, ...] = ()
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTls, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"ingress:{self.namespace}/{self.name}"


class IngressClass(Record, frozen=True, kw_only=True):
    """Which controller serves a class (ING-01)."""

    controller: str = ""
    default: bool = False


class PolicyPeer(msgspec.Struct, frozen=True):
    """One entry of from/to: selectors, ANDed when both are given (NP-08), or an ipBlock (NP-12)."""

    pods: Selector | None = None
    namespaces: Selector | None = None
    cidr: str = ""
    excepts: tuple[str, ...] = ()


class PolicyPort(msgspec.Struct, frozen=True):
    """One port entry; ``port`` None is every port of the protocol (NP-15)."""

    protocol: str = "TCP"
    port: int | str | None = None
    end: int | None = None


class PolicyRule(msgspec.Struct, frozen=True):
    """Peers AND ports; an empty tuple allows any (NP-09)."""

    peers: tuple[PolicyPeer, ...] = ()
    ports: tuple[PolicyPort, ...] = ()


class NetworkPolicy(Record, frozen=True, kw_only=True):
    """A NetworkPolicy with its types resolved (NP-04)."""

    selector: Selector = EVERYTHING
    types: tuple[str, ...] = ("Ingress",)
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"policy:{self.namespace}/{self.name}"


class Namespace(Record, frozen=True, kw_only=True):
    """A namespace; always labelled with its own name (NP-11)."""


class Workload(Record, frozen=True, kw_only=True):
    """Deployment, ReplicaSet, StatefulSet or DaemonSet."""

    kind: str
    replicas: int = 1
    selector: Selector = EVERYTHING
    owner: tuple[str, str] = ("", "")

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"workload:{self.kind}/{self.namespace}/{self.name}"


WORKLOAD_KINDS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
CLUSTER_SCOPED = frozenset(
    {
        "Node",
        "Namespace",
        "IngressClass",
        "GatewayClass",
        "ClusterSettings",
        "StorageClass",
        "PersistentVolume",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "PriorityClass",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "APIService",
        "CSIDriver",
        "RuntimeClass",
    }
)


_ENCODER = msgspec.json.Encoder(order="sorted")


def encoded(obj: Obj) -> bytes:
    """An object as bytes that are the same for equal ones, also where a text holds half a surrogate pair."""
    try:
        return _ENCODER.encode(obj)
    except UnicodeEncodeError:
        return _ENCODER.encode(repr(msgspec.to_builtins(obj, order="sorted")))


def key_of(obj: Obj) -> Key:
    """``(kind, namespace, name)``; namespace "" for cluster-scoped kinds, default otherwise (IMP-03)."""
    kind, meta = obj.get("kind"), obj.get("metadata")
    if type(kind) is str and kind and type(meta) is dict:
        name, namespace = meta.get("name"), meta.get("namespace") or "default"
        if type(name) is str and name and type(namespace) is str:
            return kind, "" if kind in CLUSTER_SCOPED else namespace, name
    return _odd_key(obj)


def _odd_key(obj: Obj) -> Key:
    kind = obj.get("kind") or ""
    meta = obj.get("metadata") or {}
    if not isinstance(meta, dict):
        raise ObjectError("Invalid value: must be an object", field="metadata", ref=str(kind))
    name = meta.get("name") or ""
    if not kind or not isinstance(kind, str):
        raise ObjectError("Required value", field="kind")
    if not name or not isinstance(name, str):
        raise ObjectError("Required value: name is required", field="metadata.name", ref=kind)
    namespace = "" if kind in CLUSTER_SCOPED else str(meta.get("namespace") or "default")
    return kind, namespace, name


def ref_of(key: Key) -> str:
    """Picture id of an object, see docs/architecture.md."""
    kind, namespace, name = key
    if kind in WORKLOAD_KINDS:
        return f"workload:{kind}/{namespace}/{name}"
    prefix = {"NetworkPolicy": "policy", "TrafficFlow": "flow"}.get(kind, kind.lower())
    return f"{prefix}:{namespace}/{name}" if namespace else f"{prefix}:{name}"
