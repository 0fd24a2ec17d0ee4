"""Which Service and pods carry a Gateway's traffic, and at which address it is reached (GW-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from clusterviz.engine.addresses import canonical, public_address
from clusterviz.engine.datapath.controllers import is_controller, selected
from clusterviz.engine.endpoints import target_port
from clusterviz.engine.gateway.hosts import covers
from clusterviz.engine.gateway.objects import Gateway, Name
from clusterviz.engine.objects import Pod, Service

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# What controllers write on the Service and pods they make for a Gateway: name, then namespace ("" is the same).
LABELS = (
    ("gateway.networking.k8s.io/gateway-name", ""),
    ("gateway.envoyproxy.io/owning-gateway-name", "gateway.envoyproxy.io/owning-gateway-namespace"),
    ("istio.io/gateway-name", ""),
)
# controllerName of a GatewayClass -> app.kubernetes.io/name of the pods all its Gateways share.
SHARED = {
    "traefik.io/gateway-controller": "traefik",
    "konghq.com/kic-gateway-controller": "kong",
    "haproxy-ingress.github.io/controller": "haproxy-ingress",
    "projectcontour.io/gateway-controller": "envoy",
}


def owned(gateway: Gateway, namespace: str, labels: dict[str, str]) -> bool:
    """Whether labels say that an object was made for a Gateway."""
    return any(
        labels.get(name) == gateway.name and (labels.get(space) if space else namespace) == gateway.namespace
        for name, space in LABELS
    )


# A snapshot never changes, so what was found for it holds as long as it lives.
_FRONTS: WeakKeyDictionary[Cluster, dict[Name, Service | None]] = WeakKeyDictionary()


def front(cluster: Cluster, gateway: Gateway) -> Service | None:
    """The Service in front of a Gateway's data plane; one with an outside address is preferred."""
    known = _FRONTS.setdefault(cluster, {})
    name = (gateway.namespace, gateway.name)
    if name not in known:
        known[name] = _front(cluster, gateway)
    return known[name]


def _front(cluster: Cluster, gateway: Gateway) -> Service | None:
    addresses = {canonical(one) or one for one in gateway.addresses}
    made = {f"{gateway.name}-{gateway.gateway_class}", f"cilium-gateway-{gateway.name}"}
    found = [
        service
        for service in cluster.services.values()
        if owned(gateway, service.namespace, service.labels)
        or addresses & {*service.lb_ips, *service.cluster_ips, *service.external_ips}
        or addresses & {one.hostname for one in service.load_balancer if one.hostname}
        or (service.namespace == gateway.namespace and service.name in made)
    ]
    app = SHARED.get(_controller(cluster, gateway))
    if not found and app:
        found = [
            service
            for service in cluster.services.values()
            if service.selector and any(is_controller(pod, app) for pod in selected(cluster, service))
        ]
    rank = {"LoadBalancer": 0, "NodePort": 1, "ClusterIP": 2}
    return min(found, key=lambda one: (rank.get(one.type, 3), one.namespace, one.name), default=None)


def _controller(cluster: Cluster, gateway: Gateway) -> str:
    found = cluster.gateway_classes.get(("", gateway.gateway_class))
    return found.controller if found else ""


def served(cluster: Cluster, gateway: Gateway) -> bool:
    """Whether somebody serves a Gateway: it has an address, or its class has a controller (GW-13)."""
    settings = cluster.settings
    if gateway.addresses or front(cluster, gateway) is not None:
        return True
    if gateway.gateway_class == settings.gateway_class != "":
        return True
    known = ("", gateway.gateway_class) in cluster.gateway_classes
    return known and settings.gateway_controller in ("", _controller(cluster, gateway))


def carried(cluster: Cluster, pod: Pod) -> list[Gateway]:
    """The Gateways whose data plane a pod is, oldest first; empty for an ordinary pod."""
    if not cluster.gateways:
        return []
    selecting = {service.ref for service in cluster.services_selecting(pod)}
    return [
        gateway
        for gateway in by_age(cluster)
        if owned(gateway, pod.namespace, pod.labels)
        or ((service := front(cluster, gateway)) is not None and service.ref in selecting)
    ]


def by_age(cluster: Cluster) -> list[Gateway]:
    """Gateways, oldest first; one that does not say when it was created is the newest."""
    return sorted(cluster.gateways.values(), key=lambda one: (not one.created, one.created, one.namespace, one.name))


def listener_port(cluster: Cluster, pod: Pod, number: int, gateways: list[Gateway]) -> int:
    """The listener port a packet to this port of the pod means: its Service's, or the same; 0 when none."""
    ports = {one.port for gateway in gateways for one in gateway.listeners}
    for gateway in gateways:
        service = front(cluster, gateway)
        for port in service.ports if service is not None else ():
            if port.port in ports and target_port(port, pod) == number:
                return port.port
    return number if number in ports else 0


def address(cluster: Cluster, gateway: Gateway) -> str:
    """The address of a data plane that is not among the objects; "" when it is, or nobody serves the Gateway.

    That of the status, else one asked for in the spec, else one of the documentation range.
    """
    if front(cluster, gateway) is not None or not served(cluster, gateway):
        return ""
    known = (*gateway.addresses, *gateway.wanted)
    numbers = [ip for one in known if (ip := canonical(one))]
    if numbers:
        ip = numbers[0]
        return "" if ip in cluster.pod_by_ip or ip in cluster.node_by_ip or ip in cluster.services_by_ip else ip
    return public_address(known[0].lower() if known else f"{gateway.name}.{gateway.namespace}.gateway")


def managed(cluster: Cluster, ip: str) -> Gateway | None:
    """The Gateway whose data plane outside the cluster has this address."""
    return next((one for one in by_age(cluster) if address(cluster, one) == ip), None)


def named(cluster: Cluster, host: str) -> Gateway | None:
    """The Gateway a public name leads to: one of its listeners or of its routes has that hostname."""
    for gateway in by_age(cluster):
        if any(one.hostname and covers(one.hostname, host) for one in gateway.listeners):
            return gateway
        if cluster.attached.named((gateway.namespace, gateway.name), host):
            return gateway
    return None
