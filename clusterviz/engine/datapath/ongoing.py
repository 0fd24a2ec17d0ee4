"""A packet of a connection that is open: conntrack knows it, nobody chooses and nobody judges again (PX-17, NP-07)."""

from __future__ import annotations

from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.place import At, Route
from clusterviz.engine.datapath.policy import Direction
from clusterviz.engine.datapath.service import ServiceDecision, port_name
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.packet import L4
from clusterviz.engine.trace import Action, Rule, Verdict


def translate_on(j: Journey, node: Node, at: At, decision: ServiceDecision) -> None:
    """Rewrite the destination as the entry of the first packet says, whatever became of Service and endpoints."""
    packet, service, endpoint, port = j.packet, decision.service, decision.endpoint, decision.port
    assert endpoint is not None
    assert port is not None
    j.way(service.ref, "service", nat="dnat")
    old, new = host_port(packet.ip.dst, packet.dport or 0), host_port(endpoint.ip, decision.target_port)
    diffs = packet.change("ip", "DNAT", dst=endpoint.ip) + packet.change("l4", "DNAT", dport=decision.target_port)
    j.step(
        Action.DNAT,
        "translated_on",
        hook="output" if at.came == "local" else "prerouting",
        component="conntrack",
        diffs=diffs,
        rule=Rule(name="conntrack entry", text=f"{old} -> {new}", ref=service.ref, rules=("PX-17", "PX-10")),
        old=old,
        new=new,
        service=port_name(service, port),
        node=node.name,
        command="conntrack -L -d " + old.rpartition(":")[0],
    )


def spare(j: Journey, node: Node, at: At, route: Route, seen: str) -> None:
    """Policies looked at the first packet; where one would stop a new connection now, the trace tells (NP-22)."""
    if at.came == "pod" and at.pod is not None:
        _spare(j, node, "Egress", at.pod, j.packet.ip.dst)
    if route.kind == "bridge" and route.pod is not None:
        _spare(j, node, "Ingress", route.pod, seen)


def _spare(j: Journey, node: Node, direction: Direction, pod: Pod, peer: str) -> None:
    packet, name = j.packet, f"{pod.namespace}/{pod.name}"
    verdict = j.cluster.classes.judge(j.cluster, direction, pod, peer, packet.ip.proto, packet.dport)
    if not verdict.isolated or verdict.why not in ("allowed", "denied"):
        return
    policies = ", ".join(f"{one.namespace}/{one.name}" for one in verdict.selecting)
    j.step(
        Action.PERMITTED,
        "policy_spares",
        hook="forward",
        component="network plugin",
        rule=Rule(name="established", ref=pod.ref, made_by="network plugin", rules=("NP-07", "NP-22")),
        considered=verdict.considered,
        settings=("enforce_policies", "policies_cut_connections"),
        command=f"conntrack -L -d {packet.ip.dst}",
        pod=name,
        way=direction.lower(),
        policies=policies,
        node=node.name,
    )
    if not verdict.allowed:
        j.assume(
            "open-connections-spared",
            f"NetworkPolicy {policies} would stop a new connection here; this one is open and goes on, since "
            "policies_cut_connections is off. The API leaves that to the network plugin, and some cut it (NP-22).",
        )


def unknown_to(j: Journey, pod: Pod) -> bool:
    """Whether the process at the other end never saw the connection: it was restarted, or the address is another's."""
    assert j.opened is not None
    ip, packet = j.packet.ip.dst, j.packet
    before = j.opened.pod_by_ip.get(ip)
    if before is None or not isinstance(packet.l4, L4) or packet.l4.proto == "UDP":
        return False
    if _who(before) == _who(pod):
        return False
    name = f"{pod.namespace}/{pod.name}"
    other = (before.namespace, before.name, before.created) != (pod.namespace, pod.name, pod.created)
    why = f"{ip} is pod {name} now, which knows nothing of the connection" if other else f"pod {name} was restarted"
    rule = Rule(name="no such connection", text=why, ref=pod.ref, rules=("IPM-04" if other else "LIF-04", "PX-17"))
    j.step(Action.REJECTED, "connection_unknown", layer=4, hook="socket", pod=name, why=why, rule=rule)
    j.block(Verdict.NOBODY_LISTENING, ref=pod.ref, rule=rule.name, why=why)
    return True


def still_pooled(j: Journey, place: str, ip: str, port: int) -> bool:
    """Whether a proxy sends a further request over the connection it opened for the first (ING-11).

    It draws an endpoint for each request, and knows when the process at the other end has closed.
    """
    if j.opened is None or (place, host_port(ip, port)) not in j.pooled:
        return False
    before, now = j.opened.pod_by_ip.get(ip), j.cluster.pod_by_ip.get(ip)
    kept = before is None or (now is not None and _who(before) == _who(now))
    if kept:
        j.assume("proxy-keeps", "A proxy is taken to keep the connection to a backend it called before.")
    return kept


def _who(pod: Pod) -> tuple[str, str, str, int]:
    return pod.namespace, pod.name, pod.created, pod.restarts
