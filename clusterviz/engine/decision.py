"""`decide`: only what becomes of a probe, without the story. For many thousands a second.

The plain case (a pod calls an address over TCP, UDP or SCTP, and nothing is odd on its way) is put together from the
same functions the trace asks: kube-proxy's choice, the routes, the policies, the listener. Whatever is not plain is
traced, so there is one truth; the tests hold both against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.addresses import in_any
from clusterviz.engine.datapath.listen import listener
from clusterviz.engine.datapath.lookup import Lookup, origin_of
from clusterviz.engine.datapath.place import route_for, source_address
from clusterviz.engine.datapath.service import chosen, drawn
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.packet import IP, L4
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import SUCCESSES, Trace, Verdict
from clusterviz.engine.walk import trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

MOST_PAIRS = 200_000


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What became of a probe.

    ``address`` and ``port`` are where the packet was going when it arrived or was stopped, ``seen`` is its source
    there. ``by`` is the picture id of what stopped it, "" when it arrived.
    """

    verdict: Verdict
    address: str = ""
    port: int = 0
    seen: str = ""
    by: str = ""

    @property
    def success(self) -> bool:
        """Whether the client gets an answer from the application it called."""
        return self.verdict in SUCCESSES


def decide(cluster: Cluster, probe: Probe) -> Decision:
    """The outcome of `trace`. Raises `ProbeError` as it does."""
    return _plain(cluster, probe) or outcome(trace(cluster, probe))


def outcome(found: Trace) -> Decision:
    """What a trace comes to."""
    by = found.blockers[0].ref if found.blockers else ""
    stack = found.forward[-1].headers_out if found.forward else ()
    ip = next((header for header in reversed(stack) if isinstance(header, IP)), None)
    l4 = next((header for header in reversed(stack) if isinstance(header, L4)), None)
    if ip is None:
        return Decision(found.verdict, by=by)
    return Decision(found.verdict, ip.dst, l4.dport if l4 else 0, ip.src, by)


class Party:
    """A pod as an end of plain connections: it runs, on a node that is up, and one IPv4 address is its own."""

    __slots__ = ("free", "ip", "listens", "node", "origin", "pod")

    def __init__(self, cluster: Cluster, pod: Pod, node: Node) -> None:
        self.pod, self.node, self.ip = pod, node, pod.ips[0]
        self.origin = origin_of(cluster, node, self.ip, from_node=False)
        policies = cluster.classes.group(cluster, pod).policies
        self.free = {direction: not some for direction, some in policies.items()}
        self.listens: dict[tuple[str, int], bool] = {}


def _party(cluster: Cluster, ip: str) -> Party | None:
    found: Party | None = cluster.parties.get(ip)
    if found is None:
        pod = cluster.pod_by_ip.get(ip)
        node = cluster.nodes.get(pod.node) if pod is not None else None
        if pod is None or node is None or node.down or pod.phase != "Running" or pod.ips != (ip,) or ":" in ip:
            return None
        found = Party(cluster, pod, node)
        cluster.parties.put(ip, found)
    return found


def _plain(cluster: Cluster, probe: Probe) -> Decision | None:
    """The outcome for a pod that calls an IPv4 address; None when something about it needs the whole walk."""
    source, to = probe.source, probe.destination
    pod, ip, port = cluster.pods.get((source.namespace, source.name)), to.ip, to.port
    if pod is None or to.kind != "ip" or type(port) is not int or source.kind == "container" or not pod.ips:
        return None
    sender = _party(cluster, pod.ips[0])
    if sender is None or sender.pod is not pod or probe.request is not None or probe.protocol == "ICMP":
        return None
    if ip == sender.ip or ":" in ip or ip.startswith("127.") or ip in cluster.node_by_ip:
        return None
    services = cluster.services_by_ip.get(ip)
    if services is not None:
        sent = _choice(cluster, sender, probe, services)
        if sent is None:
            return None
        ip, port = sent
    receiver = _party(cluster, ip)
    if receiver is not None:
        return _arrive(cluster, sender, receiver, port, probe)
    return None if services or ip in cluster.pod_by_ip else _leave(cluster, sender, ip, port, probe)


def _choice(cluster: Cluster, sender: Party, probe: Probe, services: list[Any]) -> tuple[str, int] | None:
    """Where kube-proxy sends a call of a ClusterIP; None when that is not the only thing it does."""
    service, via = services[0]
    if len(services) > 1 or via != "cluster" or service.affinity:
        return None
    port, proto = probe.destination.port, probe.protocol
    for one in service.ports:
        if one.port == port and one.protocol == proto:
            picked = chosen(cluster, sender.node, Lookup(service, one, "cluster"), 4, sender.origin)
            if not picked.choice.endpoints or picked.masquerade:
                return None
            index = drawn(picked, sender.ip, probe.seed)
            ip = picked.choice.endpoints[index].ip
            return None if ip == sender.ip else (ip, picked.numbers[index])
    return None


def _arrive(cluster: Cluster, sender: Party, receiver: Party, port: int, probe: Probe) -> Decision | None:
    """From one pod to another: the way between their nodes, both policies, the socket."""
    ip, source, proto = receiver.ip, sender.ip, probe.protocol
    if ip in cluster.services_by_ip or not _passable(cluster, sender.node, receiver, probe.length):
        return None
    if not sender.free["Egress"]:
        verdict = cluster.classes.judge(cluster, "Egress", sender.pod, ip, proto, port)
        if not verdict.allowed:
            return Decision(Verdict.DENIED_EGRESS, ip, port, source, verdict.considered[0].ref)
    if not receiver.free["Ingress"]:
        verdict = cluster.classes.judge(cluster, "Ingress", receiver.pod, source, proto, port)
        if not verdict.allowed:
            return Decision(Verdict.DENIED_INGRESS, ip, port, source, verdict.considered[0].ref)
    return Decision(Verdict.DELIVERED, ip, port, source) if _listens(cluster, receiver, proto, port) else None


def _listens(cluster: Cluster, receiver: Party, proto: str, port: int) -> bool:
    """Whether the socket is open; remembered where the pod alone says so."""
    known = receiver.listens.get((proto, port))
    if known is None:
        found = listener(cluster, receiver.pod, proto, port)
        known = found.open
        if found.assumed == "declared-port-listens":
            receiver.listens[proto, port] = known
    return known


def _passable(cluster: Cluster, node: Node, receiver: Party, length: int) -> bool:
    """Whether nothing stops a packet of this length between two nodes; only they and the settings count."""
    key = node.name, receiver.node.name
    most = cluster.passable.get(key)
    if most is None:
        if len(cluster.passable) > MOST_PAIRS:
            cluster.passable.clear()
        most = cluster.passable[key] = _longest(cluster, node, receiver)
    return length <= most


def _longest(cluster: Cluster, node: Node, receiver: Party) -> int:
    """The longest packet that surely passes from a node to a pod; -1 when none does."""
    settings, far = cluster.settings, receiver.node
    route = route_for(cluster, node, receiver.ip)
    if node.name in far.cut or far.name in node.cut:
        return -1
    if route.kind not in ("bridge", "overlay", "direct"):
        return -1
    return min(settings.pod_mtu, settings.mtu - settings.overhead(6))


def _leave(cluster: Cluster, sender: Party, ip: str, port: int, probe: Probe) -> Decision | None:
    """Out of the cluster, masqueraded by the node."""
    settings, node = cluster.settings, sender.node
    route = route_for(cluster, node, ip)
    inside = in_any(ip, settings.cluster_cidr) or in_any(ip, settings.service_cidr)
    if route.kind != "default" or inside or not settings.egress_nat or ip in cluster.balancers:
        return None
    seen = source_address(cluster, node, route, ip, masqueraded=True)
    if not seen or ":" in seen:
        return None
    judged = cluster.classes.judge(cluster, "Egress", sender.pod, ip, probe.protocol, port)
    if not judged.allowed:
        return Decision(Verdict.DENIED_EGRESS, ip, port, sender.ip, judged.considered[0].ref)
    return Decision(Verdict.EXITED_CLUSTER, ip, port, seen)
