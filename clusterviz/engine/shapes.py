"""The parts of Pods, Nodes, Services and EndpointSlices the engine reads, and `read`, which takes them out.

A well-formed object is read by msgspec in one go. Anything else (nulls, numbers for strings, wrong types) goes field
by field through `Reader`, which forgives what old files write and names the field of what it cannot.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from clusterviz.engine.objects import ContainerPort, Key, Obj, ref_of
from clusterviz.engine.reader import Reader

IntOrString = int | str


class Shape(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Absent and null mean the default; fields that are not named do not matter."""


class Anything(Shape, frozen=True):
    """An object of which only the type is checked."""


class Owner(Shape, frozen=True):
    """An entry of ownerReferences."""

    kind: str = ""
    name: str = ""


class Meta(Shape, frozen=True):
    """``metadata``; namespace and name are in the key."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    owner_references: tuple[Owner, ...] = ()


class Condition(Shape, frozen=True):
    """An entry of status.conditions."""

    type: str = ""
    status: str = ""


class ContainerShape(Shape, frozen=True):
    """A container."""

    name: str = ""
    image: str = ""
    ports: tuple[ContainerPort, ...] = ()
    restart_policy: str = ""


class DnsOption(Shape, frozen=True):
    """An option of dnsConfig."""

    name: str = ""
    value: str = ""


class DnsConfig(Shape, frozen=True):
    """``spec.dnsConfig``."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[DnsOption, ...] = ()


class PodSpec(Shape, frozen=True):
    """``spec`` of a Pod or of a workload's template."""

    node_name: str = ""
    containers: tuple[ContainerShape, ...] = ()
    init_containers: tuple[ContainerShape, ...] = ()
    host_network: bool = False
    hostname: str = ""
    subdomain: str = ""
    dns_policy: str = "ClusterFirst"
    dns_config: DnsConfig = DnsConfig()
    node_selector: dict[str, str] = {}
    tolerations: tuple[Anything, ...] = ()


class PodIp(Shape, frozen=True):
    """An entry of podIPs."""

    ip: str = ""


class Waiting(Shape, frozen=True):
    """``state.waiting`` of a container."""

    reason: str = ""


class ContainerState(Shape, frozen=True):
    """``state`` of a container: at most one of these is there."""

    waiting: Waiting | None = None
    terminated: Anything | None = None


class ContainerStatus(Shape, frozen=True):
    """An entry of containerStatuses."""

    name: str = ""
    ready: bool = True
    restart_count: int = 0
    state: ContainerState | None = None


class PodStatus(Shape, frozen=True):
    """``status`` of a Pod."""

    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    pod_ips: tuple[PodIp, ...] = msgspec.field(default=(), name="podIPs")
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    reason: str = ""


class PodShape(Shape, frozen=True):
    """A Pod."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ListedMeta(Shape, frozen=True):
    """``metadata`` with its name; what pods of one workload mostly have alike is left as it stands."""

    name: str = ""
    namespace: str = ""
    labels: Any = None
    annotations: Any = None
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    owner_references: Any = None


class ListedPod(Shape, frozen=True):
    """A Pod with its name, so that a large list of them is gone through once."""

    metadata: ListedMeta = ListedMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class NodeAddress(Shape, frozen=True):
    """An entry of status.addresses."""

    type: str = ""
    address: str = ""


class NodeSpec(Shape, frozen=True):
    """``spec`` of a Node."""

    pod_cidr: str = msgspec.field(default="", name="podCIDR")
    pod_cidrs: tuple[str, ...] = msgspec.field(default=(), name="podCIDRs")
    unschedulable: bool = False
    taints: tuple[Anything, ...] = ()


class NodeStatus(Shape, frozen=True):
    """``status`` of a Node."""

    addresses: tuple[NodeAddress, ...] = ()
    conditions: tuple[Condition, ...] = ()


class NodeShape(Shape, frozen=True):
    """A Node."""

    metadata: Meta = Meta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class ServicePortShape(Shape, frozen=True):
    """A port of a Service."""

    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    target_port: IntOrString = ""
    node_port: int = 0
    app_protocol: str = ""


class ClientIp(Shape, frozen=True):
    """``sessionAffinityConfig.clientIP``."""

    timeout_seconds: int = 10800


class AffinityConfig(Shape, frozen=True):
    """``spec.sessionAffinityConfig``."""

    client_ip: ClientIp = msgspec.field(default=ClientIp(), name="clientIP")


class ServiceSpec(Shape, frozen=True):
    """``spec`` of a Service."""

    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] = msgspec.field(default=(), name="clusterIPs")
    ip_families: tuple[str, ...] = ()
    ports: tuple[ServicePortShape, ...] = ()
    selector: dict[str, str] = {}
    external_ips: tuple[str, ...] = msgspec.field(default=(), name="externalIPs")
    external_name: str = ""
    external_traffic_policy: str = "Cluster"
    internal_traffic_policy: str = "Cluster"
    session_affinity: str = ""
    session_affinity_config: AffinityConfig = AffinityConfig()
    load_balancer_source_ranges: tuple[str, ...] = ()
    publish_not_ready_addresses: bool = False
    traffic_distribution: str = ""
    health_check_node_port: int = 0


class BalancerIngress(Shape, frozen=True):
    """An entry of status.loadBalancer.ingress."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str = "VIP"


class BalancerStatus(Shape, frozen=True):
    """``status.loadBalancer``."""

    ingress: tuple[BalancerIngress, ...] = ()


class ServiceStatus(Shape, frozen=True):
    """``status`` of a Service."""

    load_balancer: BalancerStatus = BalancerStatus()


class ServiceShape(Shape, frozen=True):
    """A Service."""

    metadata: Meta = Meta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class SliceConditions(Shape, frozen=True):
    """``conditions`` of an endpoint; None: not said."""

    ready: bool = True
    serving: bool | None = None
    terminating: bool = False


class TargetRef(Shape, frozen=True):
    """``targetRef`` of an endpoint."""

    kind: str = ""
    namespace: str = ""
    name: str = ""


class Hint(Shape, frozen=True):
    """A zone or node an endpoint is meant for."""

    name: str = ""


class Hints(Shape, frozen=True):
    """``hints`` of an endpoint."""

    for_zones: tuple[Hint, ...] = ()
    for_nodes: tuple[Hint, ...] = ()


class EndpointShape(Shape, frozen=True):
    """An endpoint of a slice."""

    addresses: tuple[str, ...] = ()
    conditions: SliceConditions = SliceConditions()
    target_ref: TargetRef = TargetRef()
    node_name: str = ""
    zone: str = ""
    hostname: str = ""
    hints: Hints = Hints()


class SlicePort(Shape, frozen=True):
    """A port of a slice."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class SliceShape(Shape, frozen=True):
    """An EndpointSlice."""

    metadata: Meta = Meta()
    address_type: str = "IPv4"
    endpoints: tuple[EndpointShape, ...] = ()
    ports: tuple[SlicePort, ...] = ()


S = TypeVar("S", bound=msgspec.Struct)


def read(obj: Obj, kind: type[S], key: Key) -> S:
    """The shape of an object. Raises `ObjectError` with the field path."""
    try:
        return msgspec.convert(obj, kind)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter for half a surrogate pair
        return read_careful(Reader(obj, ref_of(key)), kind)


def read_careful(reader: Reader, kind: type[S]) -> S:
    """The same, field by field, forgiving what kubectl forgives."""
    values = {}
    for name, wire, hint, default in _plan(kind):
        values[name] = _field(reader, wire, hint, default)
    return kind(**values)


@cache
def _plan(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Any, Any], ...]:
    return tuple((f.name, f.encode_name, f.type, _default(f)) for f in msgspec.structs.fields(kind))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def _field(reader: Reader, wire: str, hint: Any, default: Any) -> Any:
    if hint is str:
        return reader.text(wire, default)
    if hint is int:
        return reader.number(wire, default)
    if hint is bool:
        return reader.flag(wire, default)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return read_careful(reader.child(wire), hint)
    if isinstance(hint, types.UnionType):
        return _either(reader, wire, get_args(hint)[0], default)
    if get_origin(hint) is dict:
        return reader.mapping(wire)
    item = get_args(hint)[0]
    if item is str:
        return reader.texts(wire)
    return tuple(read_careful(one, item) for one in reader.children(wire))


def _either(reader: Reader, wire: str, kind: Any, default: Any) -> Any:
    """A number or a name; else what may be absent."""
    if kind is int:
        value = reader.port(wire)
        return default if value is None else value
    if kind is bool:
        return reader.get(wire, bool, None)
    return read_careful(reader.child(wire), kind) if reader.data.get(wire) else default


# msgspec works out a type when it is first read, and two threads that do so at once crash the process.
for _shape in (PodShape, ListedPod, Meta, NodeShape, ServiceShape, SliceShape):
    msgspec.convert({}, _shape)
