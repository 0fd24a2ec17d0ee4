"""Questions worth asking a cluster: every kind of caller, every kind of address."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family, network
from clusterviz.engine.objects import Service, ServicePort
from clusterviz.engine.probe import Protocol
from tests.kernel.judge import Question
from tests.kernel.world import CLIENTS, live_pods, on

SERVER = {4: "203.0.113.80", 6: "2001:db8::80"}
CLOSED = 9
Target = tuple[str, int, Protocol]
ASKED: tuple[Protocol, ...] = ("TCP", "UDP")


def callers(cluster: Cluster) -> list[str]:
    """Nodes that live and their pods, and a client outside of each family."""
    nodes = [node for node in cluster.nodes.values() if not node.down]
    pods = [pod for node in nodes for pod in on(cluster, node, live_pods(cluster))]
    return [*(pod.ref for pod in pods), *(node.ref for node in nodes), cluster.settings.client_ip, CLIENTS[1]]


def targets(cluster: Cluster) -> dict[str, list[Target]]:
    """Addresses, ports and protocols by what they are."""
    found: dict[str, list[Target]] = {kind: [] for kind in ("pod", "cluster", "outer", "node", "other")}
    for pod in live_pods(cluster):
        for ip in pod.ips:
            found["pod"] += [(ip, port.port, proto) for port in pod.ports for proto in ASKED] or [(ip, 8080, "TCP")]
            found["other"].append((ip, CLOSED, "TCP"))
    for service in cluster.services.values():
        if service.headless or service.type == "ExternalName":
            continue
        found["cluster"] += [(ip, *port) for ip in service.cluster_ips for port in _ports(service)]
        found["other"] += [(ip, CLOSED, "TCP") for ip in service.cluster_ips]
        proxied = {entry.ip for entry in service.load_balancer if entry.mode == "Proxy"}
        outer = [ip for ip in (*service.lb_ips, *service.external_ips) if ip not in proxied]
        found["outer"] += [(ip, *port) for ip in outer for port in _ports(service)]
        found["other"] += [(ip, CLOSED, "TCP") for ip in outer]
        found["node"] += [target for port in service.ports for target in _node_port(cluster, port)]
        found["other"] += [
            (ip, service.health_check_port, "TCP") for ip in _nodes(cluster) if service.health_check_port
        ]
    found["node"] += list(_host_ports(cluster))
    found["other"] += list(_nobody(cluster))
    return {kind: list(dict.fromkeys(target)) for kind, target in found.items() if target}


def _ports(service: Service) -> list[tuple[int, Protocol]]:
    return [(port.port, proto) for port in service.ports for proto in ASKED if proto == port.protocol]


def _nodes(cluster: Cluster) -> list[str]:
    return [ip for node in cluster.nodes.values() for ip in node.ips]


def _node_port(cluster: Cluster, port: ServicePort) -> Iterator[Target]:
    if not port.node_port:
        return
    for proto in ASKED:
        if proto == port.protocol:
            for node in cluster.nodes.values():
                # an IPv6 address of nought is every router's (RFC 4291): nobody's alone to call
                overlay = (ip for ip in cluster.overlay_ips(node) if family(ip) == 4)
                for ip in (*node.ips, *cluster.bridge_ips(node), *overlay):
                    yield ip, port.node_port, proto
            yield "127.0.0.1", port.node_port, proto


def _host_ports(cluster: Cluster) -> Iterator[Target]:
    for node in cluster.nodes.values():
        for pod in on(cluster, node, live_pods(cluster)):
            for port in pod.ports:
                if port.host_port:
                    addresses = (*node.ips, *cluster.bridge_ips(node), "127.0.0.1")
                    yield from (
                        (ip, port.host_port, proto) for proto in ASKED if proto == port.protocol for ip in addresses
                    )


def _nobody(cluster: Cluster) -> Iterator[Target]:
    """Servers outside, an address of no pod, a Service address of nobody, a closed port of a node."""
    for ip in SERVER.values():
        yield ip, 443, "TCP"
        yield ip, 53, "UDP"
    for node in cluster.nodes.values():
        yield node.ip, CLOSED, "TCP"
        yield from (
            (str(network(cidr)[250]), 80, "TCP") for cidr in node.pod_cidrs if network(cidr).num_addresses > 255
        )


def possible(cluster: Cluster, question: Question) -> bool:
    """Whether the caller has an address of the family, and may use it for this."""
    kind, _, name = question.source.partition(":")
    if kind == "pod":
        namespace, _, short = name.partition("/")
        own = cluster.pods[namespace, short].ips
    elif kind == "node":
        own = cluster.nodes[name].ips
    else:
        far = question.ip in SERVER.values() or question.ip.startswith("127.")
        return family(question.source) == family(question.ip) and not far
    return any(family(ip) == family(question.ip) for ip in own)


def every(cluster: Cluster) -> list[Question]:
    """All questions there are, each caller to each target."""
    made = [
        Question(source, *target)
        for source in callers(cluster)
        for kind in targets(cluster).values()
        for target in kind
    ]
    return [question for question in made if possible(cluster, question)]


def some(cluster: Cluster, count: int, random: Random) -> list[Question]:
    """A sample in which every kind of target has its share."""
    kinds = targets(cluster)
    pools = {
        kind: [
            question
            for source in callers(cluster)
            for target in found
            if possible(cluster, question := Question(source, *target))
        ]
        for kind, found in kinds.items()
    }
    for pool in pools.values():
        random.shuffle(pool)
    chosen: list[Question] = []
    while len(chosen) < count and any(pools.values()):
        for pool in pools.values():
            if pool and len(chosen) < count:
                chosen.append(pool.pop())
    return chosen
