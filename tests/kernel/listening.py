"""Which sockets stand in the lab: what the objects do not say, taken as the engine takes it.

What an application listens on is no fact of the network. The engine states its notion (declared
ports, the annotation, ports a Service aims at), and the lab opens exactly those.
"""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.listen import host_listener, listener
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.proxyrules.portals import node_port_addresses

PROTOCOLS = ("TCP", "UDP")
LOOPBACKS = {4: "127.0.0.1", 6: "::1"}
Socket = tuple[str, str, str, str, int]


def called_ports(cluster: Cluster) -> set[int]:
    """Ports that Services and containers speak of."""
    found = {port.port for pod in cluster.pods.values() for port in pod.ports}
    for service in cluster.services.values():
        found |= {port.port for port in service.ports} | {port.node_port for port in service.ports}
        found |= {number for endpoint in cluster.endpoints(service) for _, number, _ in endpoint.ports}
        found.add(service.health_check_port)
    return found - {0}


def pod_sockets(cluster: Cluster, pods: Iterable[Pod], ports: Iterable[int]) -> list[Socket]:
    """Sockets of pods that run, on their addresses and on loopback."""
    found: list[Socket] = []
    for pod in pods:
        if pod.phase != "Running":
            continue
        versions = sorted({4, *map(family, pod.ips)})
        for port in ports:
            for proto in PROTOCOLS:
                if listener(cluster, pod, proto, port).open:
                    found += [(pod.ref, pod.ref, proto, ip, port) for ip in pod.ips]
                if listener(cluster, pod, proto, port, loopback=True).open:
                    found += [(pod.ref, pod.ref, proto, LOOPBACKS[version], port) for version in versions]
    return found


def host_sockets(cluster: Cluster, nodes: Iterable[Node], ports: Iterable[int]) -> list[Socket]:
    """Sockets of hostNetwork pods, and kube-proxy's own health check ports (NET-02, PX-14).

    Those are bound where node ports are.
    """
    found: list[Socket] = []
    checks = {
        service.health_check_port
        for service in cluster.services.values()
        if service.health_check_port and service.external_policy == "Local"
    }
    for node in nodes:
        own = (*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node), *LOOPBACKS.values())
        for ip in dict.fromkeys(own):
            bound = _bound(cluster, node, family(ip))
            checked = checks if bound is None or ip in bound else set()
            found += [
                (node.ref, node.ref, proto, ip, port)
                for port in ports
                for proto in PROTOCOLS
                if (proto == "TCP" and port in checked) or host_listener(cluster, node, proto, ip, port).open
            ]
    return found


def _bound(cluster: Cluster, node: Node, version: int) -> tuple[str, ...] | None:
    """Where node ports answer: nftables mode begins with the primary address alone (PX-12)."""
    settings = cluster.settings
    if settings.proxy_mode == "nftables" and not settings.nodeport_addresses:
        return tuple([ip for ip in node.ips if family(ip) == version][:1])
    return node_port_addresses(cluster, node, version)


def outside_sockets(outside: Iterable[str], ports: Iterable[int]) -> list[Socket]:
    """Servers outside the cluster are taken to answer on every port."""
    return [("internet", f"external:{ip}", proto, ip, port) for ip in outside for port in ports for proto in PROTOCOLS]
