"""Plain Kubernetes objects -> records of `objects`.

Types are checked as far as the engine relies on them; a wrong one raises `ObjectError` with the
field path. What kube-apiserver would further refuse is `validation`'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clusterviz.engine.addresses import family, network, plain_address
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.gateway import parse as gateway
from clusterviz.engine.objects import (
    CUT_ANNOTATION,
    DOWN_ANNOTATION,
    LISTEN_ANNOTATION,
    WORKLOAD_KINDS,
    ZONE_LABEL,
    Container,
    Endpoint,
    EndpointSlice,
    Key,
    LoadBalancerIngress,
    Namespace,
    Node,
    Obj,
    Pod,
    Record,
    Service,
    ServicePort,
    Workload,
    key_of,
    ref_of,
)
from clusterviz.engine.parse_rules import parse_ingress, parse_ingress_class, parse_policy
from clusterviz.engine.reader import Reader
from clusterviz.engine.selectors import parse_selector
from clusterviz.engine.shapes import (
    Condition,
    ContainerShape,
    ContainerStatus,
    EndpointShape,
    Meta,
    NodeShape,
    PodShape,
    PodSpec,
    PodStatus,
    ServicePortShape,
    ServiceShape,
    SliceShape,
    read,
    read_careful,
)

__all__ = ["Reader", "parse"]

# What many objects have alike, kept once: label maps by their items, containers and owners by themselves. Only
# `Cluster` fills it, one a build.
Interned = dict[tuple[Any, ...], Any]
_NONE: dict[str, str] = {}
_UNOWNED = ("", "")


def parse(obj: Obj, key: Key | None = None, interned: Interned | None = None) -> Record | None:
    """The record of an object, or None for a kind the engine does not know.

    ``key`` is `key_of` the object, when the caller has it; equal label maps are shared through ``interned``.
    """
    key = key or key_of(obj)
    shaped = _SHAPED.get(key[0])
    if shaped is not None:
        return shaped(obj, key, {} if interned is None else interned)
    parser = _PARSERS.get(key[0])
    if parser is None:
        return None
    reader = Reader(obj, ref_of(key))
    meta = reader.child("metadata")
    base: Obj = {
        "namespace": key[1],
        "name": key[2],
        "labels": meta.mapping("labels"),
        "annotations": meta.mapping("annotations"),
        "created": meta.text("creationTimestamp"),
    }
    return parser(reader, base)


def _labels(meta: Meta, interned: Interned) -> dict[str, str]:
    labels: dict[str, str] = interned.setdefault(tuple(meta.labels.items()), meta.labels)
    return labels


def _condition(conditions: tuple[Condition, ...], kind: str) -> str:
    """Status of a condition, "" when absent."""
    for entry in conditions:
        if entry.type == kind:
            return entry.status
    return ""


def _address(value: str, field: str, key: Key) -> str:
    """An IP address as the kernel prints it, "" when absent."""
    found = plain_address(value) if value else ""
    if value and not found:
        raise ObjectError(f"Invalid value: {value!r}: must be a valid IP address", field=field, ref=ref_of(key))
    return found


def _addresses(values: tuple[str, ...], field: str, key: Key) -> tuple[str, ...]:
    """A list of IP addresses; ``None`` stands for itself, as in clusterIPs."""
    return tuple(
        value if value == "None" else _address(value, f"{field}[{index}]", key)
        for index, value in enumerate(values)
        if value
    )


def _cidr(value: str, field: str, key: Key) -> str:
    """The value; an error when it is no CIDR."""
    try:
        network(value)
    except AddressError:
        message = f"Invalid value: {value!r}: must be a valid CIDR value"
        raise ObjectError(message, field=field, ref=ref_of(key)) from None
    return value


def _cidrs(values: tuple[str, ...], field: str, key: Key) -> tuple[str, ...]:
    return tuple([_cidr(value.strip(), f"{field}[{index}]", key) for index, value in enumerate(values)])


def _namespace(_reader: Reader, base: Obj) -> Record:
    base["labels"] = {**base["labels"], "kubernetes.io/metadata.name": base["name"]}
    return Namespace(**base)


def _node(obj: Obj, key: Key, interned: Interned) -> Record:
    shape = read(obj, NodeShape, key)
    meta, spec, status = shape.metadata, shape.spec, shape.status
    one = (_cidr(spec.pod_cidr, "spec.podCIDR", key),) if spec.pod_cidr else ()
    return Node(
        namespace=key[1],
        name=key[2],
        labels=_labels(meta, interned),
        annotations=meta.annotations,
        created=meta.creation_timestamp,
        ips=tuple(
            ip
            for index, entry in enumerate(status.addresses)
            if entry.type == "InternalIP" and (ip := _address(entry.address, f"status.addresses[{index}].address", key))
        ),
        pod_cidrs=_cidrs(spec.pod_cidrs, "spec.podCIDRs", key) or one,
        ready=_condition(status.conditions, "Ready") in ("", "True"),
        schedulable=not spec.unschedulable,
        down=meta.annotations.get(DOWN_ANNOTATION) == "true",
        network_ready=_condition(status.conditions, "NetworkUnavailable") != "True",
        cut=tuple(filter(None, (one.strip() for one in meta.annotations.get(CUT_ANNOTATION, "").split(",")))),
        zone=meta.labels.get(ZONE_LABEL, ""),
    )


def _pod(obj: Obj, key: Key, interned: Interned) -> Record:
    shape = read(obj, PodShape, key)
    meta, spec, status = shape.metadata, shape.spec, shape.status
    annotations, ip, listen = meta.annotations, status.pod_ip, meta.annotations.get(LISTEN_ANNOTATION)
    phase = status.phase or ("Running" if ip else "Pending")
    alone = not status.pod_ips or (len(status.pod_ips) == 1 and status.pod_ips[0].ip == ip)
    ips = (ip,) if ip and alone and plain_address(ip) == ip else _pod_ips(status, key)
    owners, dns, containers = meta.owner_references, spec.dns_config, _containers(spec, status, phase)
    owner = (owners[0].kind, owners[0].name) if owners else _UNOWNED
    return Pod(
        namespace=key[1],
        name=key[2],
        labels=interned.setdefault(tuple(meta.labels.items()), meta.labels),
        annotations=annotations or _NONE,
        created=meta.creation_timestamp,
        node=spec.node_name,
        ips=ips,
        phase=phase,
        ready=phase == "Running" and _condition(status.conditions, "Ready") in ("", "True"),
        terminating=meta.deletion_timestamp != "",
        host_network=spec.host_network,
        containers=interned.setdefault(containers, containers) if containers else (),
        owner=interned.setdefault(owner, owner),
        hostname=spec.hostname,
        subdomain=spec.subdomain,
        dns_policy=spec.dns_policy,
        searches=dns.searches,
        ndots=_ndots(spec) if dns.options else None,
        listen=None if listen is None else tuple([part.strip() for part in listen.split(",") if part.strip()]),
        reason=status.reason or _waiting(status),
        restarts=sum([entry.restart_count for entry in status.container_statuses]),
    )


def _ndots(spec: PodSpec) -> int | None:
    """The option of this name; the value is a string in the API."""
    for option in spec.dns_config.options:
        if option.name == "ndots" and option.value.isdecimal():
            return min(int(option.value), 15)  # what glibc allows
    return None


def _pod_ips(status: PodStatus, key: Key) -> tuple[str, ...]:
    one = _address(status.pod_ip, "status.podIP", key)
    many = [_address(entry.ip, f"status.podIPs[{index}].ip", key) for index, entry in enumerate(status.pod_ips)]
    return tuple([ip for ip in many if ip]) or ((one,) if one else ())


def _waiting(status: PodStatus) -> str:
    """Why the first container that waits does: what kubectl shows as STATUS (LIF-04)."""
    for entry in status.container_statuses:
        if entry.state is not None and entry.state.waiting is not None and entry.state.waiting.reason:
            return entry.state.waiting.reason
    return ""


def _containers(spec: PodSpec, status: PodStatus, phase: str) -> tuple[Container, ...]:
    """Sidecars first; of a running pod a container that waits or has ended does not run (LIF-04)."""
    found = spec.containers
    if spec.init_containers:
        found = (*[one for one in spec.init_containers if one.restart_policy == "Always"], *found)
    known = {entry.name: entry for entry in status.container_statuses}
    return tuple([_container(one, known.get(one.name), phase) for one in found])


def _container(one: ContainerShape, status: ContainerStatus | None, phase: str) -> Container:
    if status is None:
        return Container(one.name, one.image, one.ports)
    state = status.state
    halted = state is not None and (state.waiting is not None or state.terminated is not None)
    return Container(one.name, one.image, one.ports, status.ready, not (halted and phase == "Running"))


def _service(obj: Obj, key: Key, interned: Interned) -> Record:
    shape = read(obj, ServiceShape, key)
    meta, spec, kind = shape.metadata, shape.spec, shape.spec.type
    if kind not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        raise ObjectError(f"Unsupported value: {kind!r}", field="spec.type", ref=ref_of(key))
    ips = _addresses(spec.cluster_ips, "spec.clusterIPs", key)
    if not ips and spec.cluster_ip:
        one = spec.cluster_ip
        ips = (one if one == "None" else _address(one, "spec.clusterIP", key),)
    return Service(
        namespace=key[1],
        name=key[2],
        labels=_labels(meta, interned),
        annotations=meta.annotations,
        created=meta.creation_timestamp,
        type=kind,
        cluster_ips=() if kind == "ExternalName" else tuple([ip for ip in ips if ip != "None"]),
        headless="None" in ips and kind != "ExternalName",
        families=spec.ip_families,
        ports=tuple([_service_port(port) for port in spec.ports]),
        selector=spec.selector or None,
        external_ips=_addresses(spec.external_ips, "spec.externalIPs", key),
        load_balancer=_load_balancer(shape, key) if kind == "LoadBalancer" else (),
        external_name=spec.external_name if kind == "ExternalName" else "",
        external_policy=spec.external_traffic_policy,
        internal_policy=spec.internal_traffic_policy,
        affinity=spec.session_affinity == "ClientIP",
        affinity_timeout=spec.session_affinity_config.client_ip.timeout_seconds,
        source_ranges=_cidrs(spec.load_balancer_source_ranges, "spec.loadBalancerSourceRanges", key),
        publish_not_ready=spec.publish_not_ready_addresses,
        distribution=spec.traffic_distribution,
        health_check_port=spec.health_check_node_port,
    )


def _load_balancer(shape: ServiceShape, key: Key) -> tuple[LoadBalancerIngress, ...]:
    return tuple(
        LoadBalancerIngress(
            _address(entry.ip, f"status.loadBalancer.ingress[{index}].ip", key), entry.hostname.lower(), entry.ip_mode
        )
        for index, entry in enumerate(shape.status.load_balancer.ingress)
    )


def _service_port(port: ServicePortShape) -> ServicePort:
    target = port.target_port
    if isinstance(target, str) and target.isdecimal():
        target = int(target)
    return ServicePort(
        name=port.name,
        protocol=port.protocol,
        port=port.port,
        target=target or port.port,
        node_port=port.node_port,
        app_protocol=port.app_protocol,
    )


def _slice(obj: Obj, key: Key, interned: Interned) -> Record:
    shape = read(obj, SliceShape, key)
    ports = tuple((port.name, port.port, port.protocol) for port in shape.ports)
    usable = shape.endpoints if shape.address_type != "FQDN" else ()  # kube-proxy and DNS leave these alone
    return EndpointSlice(
        namespace=key[1],
        name=key[2],
        labels=_labels(shape.metadata, interned),
        annotations=shape.metadata.annotations,
        created=shape.metadata.creation_timestamp,
        service=shape.metadata.labels.get("kubernetes.io/service-name", ""),
        address_type=shape.address_type,
        endpoints=tuple(
            [entry for index, item in enumerate(usable) for entry in _slice_endpoint(item, index, ports, key)]
        ),
    )


def _slice_endpoint(
    item: EndpointShape, index: int, ports: tuple[tuple[str, int, str], ...], key: Key
) -> list[Endpoint]:
    conditions, target = item.conditions, item.target_ref
    pod = f"pod:{target.namespace or key[1]}/{target.name}" if target.kind == "Pod" else ""
    return [
        Endpoint(
            ip=ip,
            node=item.node_name,
            zone=item.zone,
            pod=pod,
            ready=conditions.ready,
            serving=conditions.serving is not False,  # kube-proxy takes absent for true, whatever ready says
            terminating=conditions.terminating,
            hostname=item.hostname,
            ports=ports,
            zone_hints=tuple([hint.name for hint in item.hints.for_zones]),
            node_hints=tuple([hint.name for hint in item.hints.for_nodes]),
            leading=not place,
        )
        for place, ip in enumerate(_addresses(item.addresses, f"endpoints[{index}].addresses", key))
    ]


def _endpoints(reader: Reader, base: Obj) -> Record:
    """The legacy Endpoints object, mirrored as the control plane does for hand-written ones."""
    found: list[Endpoint] = []
    for subset in reader.children("subsets"):
        ports = tuple(
            (port.text("name"), port.number("port"), port.text("protocol", "TCP")) for port in subset.children("ports")
        )
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            for entry in subset.children(field):
                target = entry.child("targetRef")
                pod = f"pod:{base['namespace']}/{target.text('name')}" if target.text("kind") == "Pod" else ""
                found.append(
                    Endpoint(
                        ip=entry.address("ip"),
                        node=entry.text("nodeName"),
                        pod=pod,
                        ready=ready,
                        serving=ready,
                        hostname=entry.text("hostname"),
                        ports=ports,
                    )
                )
    kind = "IPv6" if found and family(found[0].ip) == 6 else "IPv4"
    return EndpointSlice(**base, service=base["name"], address_type=kind, endpoints=tuple(found))


def _workload(reader: Reader, base: Obj) -> Record:
    spec = reader.child("spec")
    owner = reader.child("metadata").children("ownerReferences")
    template = spec.child("template")
    template.child("metadata").mapping("labels")
    read_careful(template.child("spec"), PodSpec)
    return Workload(
        **base,
        kind=str(reader.data["kind"]),
        replicas=spec.number("replicas", 1),
        selector=parse_selector(spec.data.get("selector"), field="spec.selector", ref=reader.ref),
        owner=(owner[0].text("kind"), owner[0].text("name")) if owner else ("", ""),
    )


_SHAPED: dict[str, Callable[[Obj, Key, Interned], Record]] = {
    "Node": _node,
    "Pod": _pod,
    "Service": _service,
    "EndpointSlice": _slice,
}
_PARSERS: dict[str, Callable[[Reader, Obj], Record | None]] = {
    "Namespace": _namespace,
    "Endpoints": _endpoints,
    "Ingress": parse_ingress,
    "IngressClass": parse_ingress_class,
    "NetworkPolicy": parse_policy,
    **dict.fromkeys(WORKLOAD_KINDS, _workload),
    **gateway.PARSERS,
}
