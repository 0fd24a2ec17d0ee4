"""Plain Kubernetes objects -> records of `objects`.

Types are checked as far as the engine relies on them; a wrong one raises `ObjectError` with the
field path. What kube-apiserver would further refuse is `validation`'s business.
"""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.addresses import family
from clusterviz.engine.objects import (
    DOWN_ANNOTATION,
    LISTEN_ANNOTATION,
    WORKLOAD_KINDS,
    ZONE_LABEL,
    Container,
    ContainerPort,
    Endpoint,
    EndpointSlice,
    IngressClass,
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
from clusterviz.engine.reader import Reader
from clusterviz.engine.selectors import parse_selector

__all__ = ["Reader", "condition", "parse"]


def parse(obj: Obj) -> Record | None:
    """The record of an object, or None for a kind the engine does not know."""
    key = key_of(obj)
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


def condition(status: Reader, kind: str) -> str:
    """Status of a condition, "" when absent."""
    for entry in status.children("conditions"):
        if entry.text("type") == kind:
            return entry.text("status")
    return ""


def _namespace(_reader: Reader, base: Obj) -> Record:
    base["labels"] = {**base["labels"], "kubernetes.io/metadata.name": base["name"]}
    return Namespace(**base)


def _node(reader: Reader, base: Obj) -> Record:
    spec, status = reader.child("spec"), reader.child("status")
    addresses = status.children("addresses")
    spec.children("taints")
    cidrs = spec.cidrs("podCIDRs") or (
        (spec.check_cidr("podCIDR", spec.text("podCIDR")),) if spec.text("podCIDR") else ()
    )
    down = base["annotations"].get(DOWN_ANNOTATION) == "true"
    return Node(
        **base,
        ips=tuple(ip for entry in addresses if entry.text("type") == "InternalIP" and (ip := entry.address("address"))),
        pod_cidrs=cidrs,
        ready=condition(status, "Ready") in ("", "True"),
        schedulable=not spec.flag("unschedulable"),
        down=down,
        zone=base["labels"].get(ZONE_LABEL, ""),
    )


def _pod(reader: Reader, base: Obj) -> Record:
    spec, status = reader.child("spec"), reader.child("status")
    phase = status.text("phase") or ("Running" if status.text("podIP") else "Pending")
    ready = condition(status, "Ready")
    _check_pod_spec(spec)
    listen = base["annotations"].get(LISTEN_ANNOTATION)
    owner = reader.child("metadata").children("ownerReferences")
    return Pod(
        **base,
        node=spec.text("nodeName"),
        ips=_pod_ips(status),
        phase=phase,
        ready=phase == "Running" and ready in ("", "True"),
        terminating=bool(reader.child("metadata").text("deletionTimestamp")),
        host_network=spec.flag("hostNetwork"),
        containers=_containers(spec, status),
        owner=(owner[0].text("kind"), owner[0].text("name")) if owner else ("", ""),
        hostname=spec.text("hostname"),
        subdomain=spec.text("subdomain"),
        dns_policy=spec.text("dnsPolicy", "ClusterFirst"),
        searches=spec.child("dnsConfig").texts("searches"),
        ndots=_ndots(spec.child("dnsConfig")),
        listen=None if listen is None else tuple(part.strip() for part in listen.split(",") if part.strip()),
        reason=status.text("reason"),
        restarts=sum(entry.number("restartCount") for entry in status.children("containerStatuses")),
    )


def _ndots(config: Reader) -> int | None:
    """The option of this name; the value is a string in the API."""
    for option in config.children("options"):
        if option.text("name") == "ndots" and option.text("value").isdecimal():
            return min(int(option.text("value")), 15)  # what glibc allows
    return None


def _check_pod_spec(spec: Reader) -> None:
    """Types of what placement reads."""
    spec.mapping("nodeSelector")
    spec.children("tolerations")
    _containers(spec, Reader({}, spec.ref))


def _pod_ips(status: Reader) -> tuple[str, ...]:
    many = tuple(ip for entry in status.children("podIPs") if (ip := entry.address("ip")))
    one = status.address("podIP")
    return many or ((one,) if one else ())


def _containers(spec: Reader, status: Reader) -> tuple[Container, ...]:
    ready = {entry.text("name"): entry.flag("ready", True) for entry in status.children("containerStatuses")}
    sidecars = [c for c in spec.children("initContainers") if c.text("restartPolicy") == "Always"]
    return tuple(
        Container(
            name=container.text("name"),
            image=container.text("image"),
            ports=tuple(
                ContainerPort(
                    port.text("name"),
                    port.number("containerPort"),
                    port.text("protocol", "TCP"),
                    port.number("hostPort"),
                )
                for port in container.children("ports")
            ),
            ready=ready.get(container.text("name"), True),
        )
        for container in [*sidecars, *spec.children("containers")]
    )


def _service(reader: Reader, base: Obj) -> Record:
    spec = reader.child("spec")
    kind = spec.text("type", "ClusterIP")
    if kind not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        raise spec.error("type", f"Unsupported value: {kind!r}")
    one = spec.text("clusterIP")
    ips = spec.addresses("clusterIPs") or ((one if one == "None" else spec.address("clusterIP"),) if one else ())
    timeout = spec.child("sessionAffinityConfig").child("clientIP").number("timeoutSeconds", 10800)
    return Service(
        **base,
        type=kind,
        cluster_ips=() if kind == "ExternalName" else tuple(ip for ip in ips if ip and ip != "None"),
        headless="None" in ips and kind != "ExternalName",
        families=spec.texts("ipFamilies"),
        ports=tuple(_service_port(port) for port in spec.children("ports")),
        selector=spec.mapping("selector") or None,
        external_ips=spec.addresses("externalIPs"),
        load_balancer=_load_balancer(reader) if kind == "LoadBalancer" else (),
        external_name=spec.text("externalName") if kind == "ExternalName" else "",
        external_policy=spec.text("externalTrafficPolicy", "Cluster"),
        internal_policy=spec.text("internalTrafficPolicy", "Cluster"),
        affinity=spec.text("sessionAffinity") == "ClientIP",
        affinity_timeout=timeout,
        source_ranges=spec.cidrs("loadBalancerSourceRanges"),
        publish_not_ready=spec.flag("publishNotReadyAddresses"),
        distribution=spec.text("trafficDistribution"),
        health_check_port=spec.number("healthCheckNodePort"),
    )


def _load_balancer(reader: Reader) -> tuple[LoadBalancerIngress, ...]:
    entries = reader.child("status").child("loadBalancer").children("ingress")
    return tuple(
        LoadBalancerIngress(entry.address("ip"), entry.text("hostname").lower(), entry.text("ipMode", "VIP"))
        for entry in entries
    )


def _service_port(port: Reader) -> ServicePort:
    number = port.number("port")
    return ServicePort(
        name=port.text("name"),
        protocol=port.text("protocol", "TCP"),
        port=number,
        target=port.port("targetPort") or number,
        node_port=port.number("nodePort"),
        app_protocol=port.text("appProtocol"),
    )


def _slice(reader: Reader, base: Obj) -> Record:
    ports = tuple(
        (port.text("name"), port.number("port"), port.text("protocol", "TCP")) for port in reader.children("ports")
    )
    kind = reader.text("addressType", "IPv4")
    return EndpointSlice(
        **base,
        service=base["labels"].get("kubernetes.io/service-name", ""),
        address_type=kind,
        endpoints=tuple(
            entry
            for item in reader.children("endpoints")
            if kind != "FQDN"  # kube-proxy and DNS leave these alone
            for entry in _slice_endpoint(item, ports, base["namespace"])
        ),
    )


def _slice_endpoint(item: Reader, ports: tuple[tuple[str, int, str], ...], namespace: str) -> list[Endpoint]:
    conditions = item.child("conditions")
    ready = conditions.flag("ready", True)
    target = item.child("targetRef")
    is_pod = target.text("kind") == "Pod"
    pod = f"pod:{target.text('namespace') or namespace}/{target.text('name')}" if is_pod else ""
    hints = item.child("hints")
    return [
        Endpoint(
            ip=ip,
            node=item.text("nodeName"),
            zone=item.text("zone"),
            pod=pod,
            ready=ready,
            serving=conditions.flag("serving", ready),
            terminating=conditions.flag("terminating"),
            hostname=item.text("hostname"),
            ports=ports,
            zone_hints=tuple(hint.text("name") for hint in hints.children("forZones")),
            node_hints=tuple(hint.text("name") for hint in hints.children("forNodes")),
        )
        for ip in item.addresses("addresses")
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


def _ingress_class(reader: Reader, base: Obj) -> Record:
    default = base["annotations"].get("ingressclass.kubernetes.io/is-default-class") == "true"
    return IngressClass(**base, controller=reader.child("spec").text("controller"), default=default)


def _workload(reader: Reader, base: Obj) -> Record:
    spec = reader.child("spec")
    owner = reader.child("metadata").children("ownerReferences")
    template = spec.child("template")
    template.child("metadata").mapping("labels")
    _check_pod_spec(template.child("spec"))
    return Workload(
        **base,
        kind=str(reader.data["kind"]),
        replicas=spec.number("replicas", 1),
        selector=parse_selector(spec.data.get("selector"), field="spec.selector", ref=reader.ref),
        owner=(owner[0].text("kind"), owner[0].text("name")) if owner else ("", ""),
    )


def _register() -> dict[str, Callable[[Reader, Obj], Record | None]]:
    from clusterviz.engine.gateway.parse import PARSERS
    from clusterviz.engine.parse_rules import parse_ingress, parse_policy

    return {
        "Namespace": _namespace,
        "Node": _node,
        "Pod": _pod,
        "Service": _service,
        "EndpointSlice": _slice,
        "Endpoints": _endpoints,
        "Ingress": parse_ingress,
        "IngressClass": _ingress_class,
        "NetworkPolicy": parse_policy,
        **dict.fromkeys(WORKLOAD_KINDS, _workload),
        **PARSERS,
    }


_PARSERS = _register()
