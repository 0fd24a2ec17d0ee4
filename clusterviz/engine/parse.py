"""Plain Kubernetes objects -> records of `objects`.

Types are checked as far as the engine relies on them; a wrong one raises `ObjectError` with the
field path. What kube-apiserver would further refuse is `validation`'s business.
"""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.addresses import family, masked
from clusterviz.engine.errors import ObjectError
from clusterviz.engine.gateway import parse as gateway
from clusterviz.engine.objects import (
    CUT_ANNOTATION,
    DOWN_ANNOTATION,
    WORKLOAD_KINDS,
    ZONE_LABEL,
    Endpoint,
    EndpointSlice,
    Key,
    LoadBalancerIngress,
    Namespace,
    Node,
    Obj,
    Record,
    Service,
    ServicePort,
    Workload,
    key_of,
    ref_of,
)
from clusterviz.engine.parse_fields import Interned, address, addresses, cidr, cidrs, condition, labels
from clusterviz.engine.parse_pods import parse_pod, read_pod
from clusterviz.engine.parse_rules import parse_ingress, parse_ingress_class, parse_policy
from clusterviz.engine.reader import Reader
from clusterviz.engine.selectors import parse_selector
from clusterviz.engine.shapes import (
    EndpointShape,
    NodeShape,
    PodSpec,
    ServicePortShape,
    ServiceShape,
    SliceShape,
    read,
    read_careful,
)

__all__ = ["Interned", "Reader", "parse"]


def parse(obj: Obj, key: Key | None = None, interned: Interned | None = None) -> Record | None:
    """The record of an object, or None for a kind the engine does not know.

    ``key`` is `key_of` the object, when the caller has it; equal label maps are shared through ``interned``.
    """
    key = key or key_of(obj)
    shaped = _SHAPED.get(key[0])
    if shaped is not None:
        if interned is None:
            return read_pod(obj, key) if shaped is parse_pod else shaped(obj, key, {})
        return shaped(obj, key, interned)
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


def _namespace(_reader: Reader, base: Obj) -> Record:
    base["labels"] = {**base["labels"], "kubernetes.io/metadata.name": base["name"]}
    return Namespace(**base)


def _node(obj: Obj, key: Key, interned: Interned) -> Record:
    shape = read(obj, NodeShape, key)
    meta, spec, status = shape.metadata, shape.spec, shape.status
    one = (cidr(spec.pod_cidr, "spec.podCIDR", key),) if spec.pod_cidr else ()
    cut = meta.annotations.get(CUT_ANNOTATION)
    return Node(
        namespace=key[1],
        name=key[2],
        labels=labels(meta, interned),
        annotations=meta.annotations,
        created=meta.creation_timestamp,
        ips=tuple(
            [
                ip
                for index, entry in enumerate(status.addresses)
                if entry.type == "InternalIP"
                and (ip := address(entry.address, f"status.addresses[{index}].address", key))
            ]
        ),
        # host bits are legal, and whoever sets up routes and addresses masks them
        pod_cidrs=tuple([masked(block) for block in cidrs(spec.pod_cidrs, "spec.podCIDRs", key) or one]),
        ready=condition(status.conditions, "Ready") in ("", "True"),
        schedulable=not spec.unschedulable,
        down=meta.annotations.get(DOWN_ANNOTATION) == "true",
        network_ready=condition(status.conditions, "NetworkUnavailable") != "True",
        cut=tuple([name for one in cut.split(",") if (name := one.strip())]) if cut else (),
        zone=meta.labels.get(ZONE_LABEL, ""),
    )


def _service(obj: Obj, key: Key, interned: Interned) -> Record:
    shape = read(obj, ServiceShape, key)
    meta, spec, kind = shape.metadata, shape.spec, shape.spec.type
    if kind not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        raise ObjectError(f"Unsupported value: {kind!r}", field="spec.type", ref=ref_of(key))
    ips = addresses(spec.cluster_ips, "spec.clusterIPs", key)
    if not ips and spec.cluster_ip:
        one = spec.cluster_ip
        ips = (one if one == "None" else address(one, "spec.clusterIP", key),)
    return Service(
        namespace=key[1],
        name=key[2],
        labels=labels(meta, interned),
        annotations=meta.annotations,
        created=meta.creation_timestamp,
        type=kind,
        cluster_ips=() if kind == "ExternalName" else tuple([ip for ip in ips if ip != "None"]),
        headless="None" in ips and kind != "ExternalName",
        families=spec.ip_families,
        ports=tuple([_service_port(port) for port in spec.ports]),
        selector=spec.selector or None,
        external_ips=addresses(spec.external_ips, "spec.externalIPs", key),
        load_balancer=_load_balancer(shape, key) if kind == "LoadBalancer" else (),
        external_name=spec.external_name if kind == "ExternalName" else "",
        external_policy=spec.external_traffic_policy,
        internal_policy=spec.internal_traffic_policy,
        affinity=spec.session_affinity == "ClientIP",
        affinity_timeout=spec.session_affinity_config.client_ip.timeout_seconds,
        source_ranges=cidrs(spec.load_balancer_source_ranges, "spec.loadBalancerSourceRanges", key),
        publish_not_ready=spec.publish_not_ready_addresses,
        distribution=spec.traffic_distribution,
        health_check_port=spec.health_check_node_port,
    )


def _load_balancer(shape: ServiceShape, key: Key) -> tuple[LoadBalancerIngress, ...]:
    return tuple(
        LoadBalancerIngress(
            address(entry.ip, f"status.loadBalancer.ingress[{index}].ip", key), entry.hostname.lower(), entry.ip_mode
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
        labels=labels(shape.metadata, interned),
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
        for place, ip in enumerate(addresses(item.addresses, f"endpoints[{index}].addresses", key))
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
    "Pod": parse_pod,
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
