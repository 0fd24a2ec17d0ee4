"""`trace`: walk one probe through a snapshot, stage by stage, and then the reply back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import family
from clusterviz.engine.datapath import host, outside, pod
from clusterviz.engine.datapath import node as node_stage
from clusterviz.engine.datapath.draw import source_port
from clusterviz.engine.datapath.place import At, of_family, route_for, source_address
from clusterviz.engine.datapath.resolver import Resolution, uses_cluster_dns
from clusterviz.engine.datapath.unseen import unserved
from clusterviz.engine.ends import Target, choices, find_target
from clusterviz.engine.journey import Journey, Packet
from clusterviz.engine.objects import Pod
from clusterviz.engine.ongoing import Opened, as_sent, felt, flushed, pooled
from clusterviz.engine.origin import Origin, find_origin
from clusterviz.engine.packet import ICMP, IP, L4, Http
from clusterviz.engine.plain import choice_of, plain
from clusterviz.engine.probe import Destination, Probe, Protocol, Source
from clusterviz.engine.symptoms import UNADDRESSED, feels, refused, symptom
from clusterviz.engine.trace import Action, Child, Rule, Snapshot, Trace, Verdict, Walked

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

STAGES: dict[str, Callable[[Journey, At], At | None]] = {
    "pod_out": pod.leave,
    "node": node_stage.pass_through,
    "pod_in": pod.deliver,
    "node_in": host.into_node,
    "wire": outside.wire,
    "outside_in": outside.leave_outside,
    "outside_out": outside.arrive_outside,
}
MOST_STAGES = 64
UDP: Protocol = "UDP"
TCP: Protocol = "TCP"
# Settings that decide before any packet is sent.
DECIDING = {
    Verdict.NO_LB_PROVIDER: ("load_balancer_provider",),
    Verdict.NO_INGRESS_CONTROLLER: ("ingress_class", "ingress_controller"),
    Verdict.NAME_NOT_FOUND: ("cluster_domain", "dns_pod_mode", "ndots"),
}


def trace(
    cluster: Cluster, probe: Probe, *, synced: Mapping[str, Cluster] | None = None, opened: Cluster | None = None
) -> Trace:
    """What happens to a new connection: every hop forward, the reply, the verdict.

    The same snapshot and probe always give the same answer. ``synced`` tells, by the name of a node, the
    cluster as that node's kube-proxy saw it last (PX-18, PX-19); nodes left out are up to date. In the plain case the
    packet is walked when its hops are read (`Trace`). With ``opened``, an earlier snapshot, it is a packet of a
    connection that was opened there with the same probe (PX-17, NP-22). Raises `ProbeError` when the question names
    something that does not exist, or a connection that was never opened.
    """
    if opened is not None:
        return _going_on(cluster, probe, opened)
    decision = None if synced else plain(cluster, probe)
    if decision is None:
        return Trace(probe, Snapshot(cluster), walk(cluster, probe, synced=synced))
    felt = feels(decision.verdict, probe.protocol)
    choice = choice_of(cluster, probe)
    return Trace.decided(probe, Snapshot(cluster), decision, felt, choice, partial(walk, cluster, probe))


def _going_on(cluster: Cluster, probe: Probe, opened: Cluster) -> Trace:
    """The next packet of an open connection; the entries of one that was flushed are decided anew."""
    first = trace(opened, probe)
    probe = as_sent(probe, first)
    told = flushed(first, opened, cluster)
    if told:
        walked = walk(cluster, probe)
        return Trace(probe, Snapshot(cluster), msgspec.structs.replace(walked, assumptions=(told, *walked.assumptions)))
    further = Opened(opened, pooled(first))
    return Trace(probe, Snapshot(cluster, opened=further), walk_on(cluster, probe, further))


def walk_on(cluster: Cluster, probe: Probe, opened: Opened) -> Walked:
    """`walk` of a packet of an open connection, as whoever uses it feels it."""
    walked = walk(cluster, probe, opened=opened)
    found = felt(walked.verdict, probe.protocol, walked.symptom, taken=walked.proxy_hop is not None)
    return msgspec.structs.replace(walked, symptom=found)


def walk(
    cluster: Cluster, probe: Probe, *, synced: Mapping[str, Cluster] | None = None, opened: Opened | None = None
) -> Walked:
    """The way of a packet through the cluster, stage by stage: the first of its connection, or see `trace`."""
    origin = find_origin(cluster, probe.source)
    target = find_target(cluster, origin, probe)
    journey = Journey(cluster, probe, _packet(cluster, origin, probe, target))
    journey.resolution = target.resolution
    journey.synced = synced or {}
    if opened is not None:
        journey.opened, journey.pooled = opened
        journey.packet.change("l4", "", flags="ACK" if probe.protocol == "TCP" else "")
    journey.chose(choices(cluster, target))
    for code, text in target.assumed:
        journey.assume(code, text)
    _look_up(journey, origin, target)
    journey.packet.sent = True  # where the look-up failed, the walk goes on as a ghost for further blockers
    _stages(journey, _first(journey, origin, target))
    return _answer(journey)


def _first(journey: Journey, origin: Origin, target: Target) -> At | None:
    """Where the walk begins; None when nothing is known of the way."""
    if target.failed is Verdict.NO_INGRESS_CONTROLLER and not target.ip:
        return unserved(journey, target.ref)
    return _start(journey, origin) if target.ip or target.failed is None else None


def _stages(journey: Journey, at: At | None) -> None:
    for _ in range(MOST_STAGES):
        if at is None:
            return
        at = STAGES[at.stage](journey, at)
    why = f"no end after {MOST_STAGES} stages"
    journey.block(Verdict.TTL_EXPIRED, ref="wire", rule="goes in circles", why=why)


def _packet(cluster: Cluster, origin: Origin, probe: Probe, target: Target) -> Packet:
    ip = target.ip or "0.0.0.0"  # noqa: S104 - no address was found, and nothing is bound
    version = family(ip)
    if origin.pod is not None:
        source = of_family(origin.pod.ips, ip)
    elif origin.node is not None:
        source = source_address(cluster, origin.node, route_for(cluster, origin.node, ip), ip)
    else:
        unnamed = not probe.source.ip and version == 6 and family(origin.ip) == 4
        source = outside.CLIENT_IP6 if unnamed else origin.ip
    if ip == "::1":
        source = ip
    if ip.startswith("127."):
        source = "127.0.0.1"
    header = IP(source, ip, probe.protocol, 64, version)
    if probe.protocol == "ICMP":
        return Packet(header, ICMP("echo-request"))
    sport = probe.source_port or source_port(probe.seed, source, ip, target.port)
    flags = "SYN" if probe.protocol == "TCP" else ""
    request = probe.request
    payload = Http(request.method, request.host, request.path) if request else None
    return Packet(header, L4(probe.protocol, sport, target.port or 0, flags), payload)


def _start(journey: Journey, origin: Origin) -> At:
    if origin.pod is not None:
        return At("pod_out", None, origin.pod)
    if origin.node is not None:
        node = origin.node
        journey.enter("node", node.ref, node.name, node=node.name, role="sender")
        journey.way(node.ref, "pod")
        journey.step(
            Action.ORIGINATED,
            "originated_node",
            layer=4,
            direction="out",
            hook="socket",
            src=journey.packet.ip.src,
            dst=journey.packet.ip.dst,
            node=node.name,
            rule=Rule(name="host network namespace", ref=node.ref, rules=("NET-10",)),
            command="ip route get " + journey.packet.ip.dst,
        )
        journey.leave("")
        return At("node", node, came="local")
    return At("outside_in")


def _look_up(journey: Journey, origin: Origin, target: Target) -> None:
    """The name look-up before the call; a blocker when the call never happens."""
    found = target.resolution
    if found is not None and origin.asker is not None:
        _ask_dns(journey, origin.asker)
    if target.failed is None:
        return
    place = origin.pod or origin.node
    kind = "pod" if origin.pod else "node" if origin.node else "internet"
    ref = place.ref if place else "internet"
    journey.packet.sent = False
    journey.enter(kind, ref, place.name if place else "client outside", role="sender")
    journey.way(ref, "")
    journey.step(
        Action.REJECTED,
        UNADDRESSED if target.failed is Verdict.POD_NOT_RUNNING else target.failed.value,
        layer=7,
        hook="userspace",
        component="resolver",
        rule=Rule(name="name look-up", ref=target.ref, rules=found.rules if found else ()),
        why=target.why,
        settings=DECIDING.get(target.failed, ()),
        tries=_tries(found),
        rcode=found.rcode if found else "",
        name=journey.probe.destination.name,
    )
    journey.block(target.failed, ref=target.ref, rule="before any packet", why=target.why)


def _tries(found: Resolution | None) -> str:
    return ", ".join(f"{name} {rcode}" for name, rcode in found.tries) if found else ""


def _ask_dns(journey: Journey, pod_: Pod) -> None:
    """Trace the query to the DNS Service; its blockers are the call's when it cannot be asked (DNS-14)."""
    cluster = journey.cluster
    if not uses_cluster_dns(cluster, pod_):
        return
    if not cluster.services_by_ip.get(cluster.settings.dns_ip):
        journey.assume(
            "dns-implied", "No DNS Service is among the objects; the cluster is taken to have one that answers."
        )
        return
    # An answer that does not fit is asked again by TCP, which a policy may allow or not (DNS-14).
    found = journey.resolution
    for protocol in (UDP, TCP) if found is not None and found.truncated else (UDP,):
        child = trace(cluster, _question(cluster, pod_, protocol, journey.probe.seed))
        journey.children.append(Child("dns", child))
        if not child.success:
            _unanswered(journey, pod_, child)
            return


def _question(cluster: Cluster, pod_: Pod, protocol: Protocol, seed: int) -> Probe:
    return Probe(
        source=Source(kind="pod", namespace=pod_.namespace, name=pod_.name),
        destination=Destination(kind="ip", ip=cluster.settings.dns_ip, port=53),
        protocol=protocol,
        seed=seed,
    )


def _unanswered(journey: Journey, pod_: Pod, child: Trace) -> None:
    """The look-up that fails because its query does."""
    journey.packet.sent = False
    journey.enter("pod", pod_.ref, f"{pod_.namespace}/{pod_.name}", node=pod_.node, role="sender")
    for waypoint in child.waypoints:
        journey.way(waypoint.ref, waypoint.kind, nat=waypoint.nat, encapsulated=waypoint.encapsulated)
    journey.step(
        Action.DROPPED,
        "dns_blocked",
        layer=7,
        hook="userspace",
        component="resolver",
        rule=Rule(name="name look-up", ref=pod_.ref, rules=("DNS-14",)),
        name=journey.probe.destination.name,
        tries=_tries(journey.resolution),
        why=child.blockers[0].why if child.blockers else "no answer",
        refused=refused(child.verdict, child.forward),
    )
    for blocker in child.blockers:
        journey.block(Verdict.DNS_BLOCKED, ref=blocker.ref, rule=blocker.rule, why=blocker.why)


def _answer(journey: Journey) -> Walked:
    verdict = journey.verdict or Verdict.INSUFFICIENT_INFO
    hops = tuple(journey.hops)
    return Walked(
        verdict=verdict,
        symptom=symptom(verdict, journey.probe, hops, proxied=journey.proxied),
        first_failing_step=journey.failing,
        forward=hops,
        sessions=tuple(journey.sessions),
        branches=journey.branches,
        children=tuple(journey.children),
        blockers=tuple(journey.blockers),
        assumptions=journey.assumptions,
        waypoints=tuple(journey.waypoints),
        proxy_hop=journey.proxy_hop,
    )
