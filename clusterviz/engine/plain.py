"""The plain case of a decision: a pod calls an address over TCP, UDP or SCTP, and nothing is odd on its way.

It is put together from the same functions the walk asks: kube-proxy's choice, the routes, the policies, the listener.
What a pod and a port of a Service are for such calls is kept, as long as nothing they depend on changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.addresses import in_any
from clusterviz.engine.datapath.draw import drawn_from
from clusterviz.engine.datapath.listen import listener
from clusterviz.engine.datapath.lookup import Lookup, origin_of
from clusterviz.engine.datapath.place import route_for, source_address
from clusterviz.engine.datapath.public import handed_on
from clusterviz.engine.datapath.service import MOST_CHOICES, Chosen, chosen, drawn, marked
from clusterviz.engine.objects import Node, Pod, Service
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Branch, Candidate, Decision, Verdict

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# Bounds of what is remembered: pairs of nodes, and addresses outside a pod called.
MOST_PAIRS, MOST_EXITS = 200_000, 64
# Ports of ClusterIPs whose backends are the same from every node.
MOST_CALLED = 50_000
# Candidates with one of them picked are kept for each of so many endpoints at most; it is their square.
MOST_MARKED = 64
Marked = tuple[tuple[Candidate, ...], tuple[Branch, ...]]


class Party:
    """A pod as an end of plain connections: it runs, on a node that is up, and one IPv4 address is its own.

    ``exits``: address outside the cluster -> the source it sees, "" when the way out is not plain.
    """

    __slots__ = ("exits", "free_egress", "free_ingress", "group", "ip", "listens", "node", "origin", "pod")

    def __init__(self, cluster: Cluster, pod: Pod, node: Node) -> None:
        self.pod, self.node, self.ip = pod, node, pod.ips[0]
        self.origin = origin_of(cluster, node, self.ip, from_node=False)
        self.group = cluster.classes.group(cluster, pod)
        self.free_egress, self.free_ingress = [not self.group.policies[way] for way in ("Egress", "Ingress")]
        self.listens: dict[tuple[str, int], bool] = {}
        self.exits: dict[str, str] = {}


class Backends:
    """What kube-proxy chooses from for plain calls of one port of a ClusterIP, as long as the endpoints stay.

    ``middle`` is what stands between seed and node in the text that is drawn from, "" where the seed does not draw.
    """

    __slots__ = ("chosen", "ends", "marked", "middle")

    def __init__(self, picked: Chosen) -> None:
        self.chosen = picked
        self.marked: dict[int, Marked] = {}
        self.ends = [(one.ip, picked.numbers[at]) for at, one in enumerate(picked.choice.endpoints)]
        service, port = picked.found.service, picked.found.port
        parts = "endpoint", service.namespace, service.name, port.name, str(port.port)
        self.middle = "\x1f".join(("", *parts, "")) if picked.spread == "random" else ""

    def index(self, node: str, source: str, seed: int) -> int:
        """The place of the endpoint a call of ``source`` from ``node`` is sent to."""
        if not self.middle:
            return drawn(msgspec.structs.replace(self.chosen, node=node), source, seed)
        last = len(self.ends) - 1
        # as in `service.pick`; the quotient may be rounded up to 1
        return min(int(drawn_from(f"{seed}{self.middle}{node}") * (last + 1)), last) if last else 0


# Stands for the backends of a call that more happens to.
NOT_PLAIN: Backends = object.__new__(Backends)


def _party(cluster: Cluster, ip: str) -> Party | None:
    pod = cluster.pod_by_ip.get(ip)
    node = cluster.nodes.get(pod.node) if pod is not None else None
    if pod is None or node is None or node.down or pod.phase != "Running" or pod.ips != (ip,) or ":" in ip:
        return None
    if ip in cluster.node_by_ip or pod.hung:
        return None
    return cluster.parties.put(ip, Party(cluster, pod, node))  # type: ignore[no-any-return]


def plain(cluster: Cluster, probe: Probe) -> Decision | None:
    """The outcome for a pod that calls an IPv4 address; None when something about it needs the whole walk."""
    source, to, proto = probe.source, probe.destination, probe.protocol
    ip, port = to.ip, to.port
    if to.kind != "ip" or type(port) is not int or source.kind == "container" or probe.request is not None:
        return None
    pod = cluster.pods.get((source.namespace, source.name))
    if pod is None or not pod.ips or proto == "ICMP":
        return None
    parties = cluster.parties
    sender: Party | None = parties.get(pod.ips[0]) or _party(cluster, pod.ips[0])
    if sender is None or sender.pod is not pod or ip == sender.ip:
        return None
    called = cluster.called.get((ip, port, proto, sender.origin)) or _called(cluster, sender, probe)
    if called is not None:
        if called is NOT_PLAIN:
            return None
        ip, port = called.ends[called.index(sender.node.name, sender.ip, probe.seed)]
        if ip == sender.ip:
            return None
    receiver: Party | None = parties.get(ip) or _party(cluster, ip)
    if receiver is not None:
        return _arrive(cluster, sender, receiver, port, probe)
    if called is not None or ip in cluster.pod_by_ip or ":" in ip or ip.startswith("127."):
        return None
    return _leave(cluster, sender, ip, port, probe)


def _called(cluster: Cluster, sender: Party, probe: Probe) -> Backends | None:
    """The backends of the ClusterIP that is called, None for no Service's address.

    `NOT_PLAIN` when more happens to the call than a choice among them.
    """
    to = probe.destination
    services = cluster.services_by_ip.get(to.ip)
    if services is None:
        return None
    service, via = services[0]
    if len(services) > 1 or via != "cluster" or to.ip in cluster.node_by_ip:
        return NOT_PLAIN
    found = _kept(cluster, sender, probe, service)
    if found is None:
        return NOT_PLAIN
    choices = cluster.choices.get((service.namespace, service.name))
    if choices is not None and not choices[""] and len(cluster.called) < MOST_CALLED:
        cluster.called[to.ip, to.port, probe.protocol, sender.origin] = found  # the same from every node
    return found


def _kept(cluster: Cluster, sender: Party, probe: Probe, service: Service) -> Backends | None:
    to, node = probe.destination, sender.node.name
    kept = cluster.choices.get((service.namespace, service.name))
    key = "plain", to.ip, to.port, probe.protocol, sender.origin, node if kept is None or kept[""] else ""
    found = None if kept is None else kept.get(key)
    if found is None:
        found = _backends(cluster, sender, service, to.port, probe.protocol)
        if found is not None and kept is not None and len(kept) < MOST_CHOICES:
            kept[key] = found
    return found


def choice_of(cluster: Cluster, probe: Probe) -> Marked:
    """Candidates and branches of kube-proxy's choice in a plain case; none where no Service was called."""
    services = cluster.services_by_ip.get(probe.destination.ip)
    if not services:
        return (), ()
    pod = cluster.pods[probe.source.namespace, probe.source.name]
    sender = cluster.parties.get(pod.ips[0]) or Party(cluster, pod, cluster.nodes[pod.node])
    found = _kept(cluster, sender, probe, services[0][0])
    assert found is not None, "a plain case has a choice"
    index = found.index(sender.node.name, sender.ip, probe.seed)
    known = found.marked.get(index)
    if known is None:
        known = marked(found.chosen, index)
        if len(found.ends) <= MOST_MARKED:
            found.marked[index] = known
    return known


def _backends(cluster: Cluster, sender: Party, service: Service, port: Any, proto: str) -> Backends | None:
    for one in service.ports:
        if one.port == port and one.protocol == proto and not service.affinity:
            picked = chosen(cluster, sender.node, Lookup(service, one, "cluster"), 4, sender.origin)
            return Backends(picked) if picked.choice.endpoints and not picked.masquerade else None
    return None


def _arrive(cluster: Cluster, sender: Party, receiver: Party, port: int, probe: Probe) -> Decision | None:
    """From one pod to another: the way between their nodes, both policies, the socket."""
    ip, source, proto = receiver.ip, sender.ip, probe.protocol
    most = cluster.passable.get((sender.node.name, receiver.node.name))
    if most is None:
        most = _passable(cluster, sender.node, receiver)
    if probe.length > most or ip in cluster.services_by_ip:
        return None
    group, other = sender.group, receiver.group
    if not sender.free_egress:
        verdict = cluster.classes.between(cluster, "Egress", sender.pod, group, ip, other, proto, port)
        if not verdict.allowed:
            return Decision(Verdict.DENIED_EGRESS, ip, port, source, verdict.considered[0].ref)
    if not receiver.free_ingress:
        verdict = cluster.classes.between(cluster, "Ingress", receiver.pod, other, source, group, proto, port)
        if not verdict.allowed:
            return Decision(Verdict.DENIED_INGRESS, ip, port, source, verdict.considered[0].ref)
    listens = receiver.listens.get((proto, port))
    if listens is None:
        listens = _listens(cluster, receiver, proto, port)
    return Decision(Verdict.DELIVERED, ip, port, source) if listens else None


def _listens(cluster: Cluster, receiver: Party, proto: str, port: int) -> bool:
    """Whether the socket is open; remembered where the pod alone says so."""
    found = listener(cluster, receiver.pod, proto, port)
    if found.assumed == "declared-port-listens":
        receiver.listens[proto, port] = found.open
    return found.open


def _passable(cluster: Cluster, node: Node, receiver: Party) -> int:
    """The longest packet that surely passes between two nodes; only they and the settings count."""
    if len(cluster.passable) > MOST_PAIRS:
        cluster.passable.clear()
    most = cluster.passable[node.name, receiver.node.name] = _longest(cluster, node, receiver)
    return most


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
    seen = sender.exits.get(ip)
    if seen is None:
        if len(sender.exits) > MOST_EXITS:
            sender.exits.clear()
        seen = sender.exits[ip] = _seen(cluster, sender.node, ip)
    if not seen or ip in cluster.balancers:
        return None
    if not sender.free_egress:
        judged = cluster.classes.judge(cluster, "Egress", sender.pod, ip, probe.protocol, port)
        if not judged.allowed:
            return Decision(Verdict.DENIED_EGRESS, ip, port, sender.ip, judged.considered[0].ref)
    return Decision(Verdict.EXITED_CLUSTER, ip, port, seen)


def _seen(cluster: Cluster, node: Node, ip: str) -> str:
    """The source an address outside sees of a node's pods, "" when the way there is not the plain one."""
    settings = cluster.settings
    inside = in_any(ip, settings.cluster_cidr) or in_any(ip, settings.service_cidr) or ip in cluster.node_by_ip
    route = route_for(cluster, node, ip)
    if route.kind != "default" or inside or not settings.egress_nat or handed_on(cluster, ip)[1]:
        return ""
    seen = source_address(cluster, node, route, ip, masqueraded=True)
    return "" if ":" in seen else seen
