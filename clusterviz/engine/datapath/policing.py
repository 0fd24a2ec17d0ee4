"""FORWARD on a node: NetworkPolicy of the local sender and of the local receiver, as steps."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.datapath.ongoing import spare
from clusterviz.engine.datapath.place import At, Route
from clusterviz.engine.datapath.policy import Direction, PolicyVerdict, judge, selecting
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.packet import L4
from clusterviz.engine.trace import Action, Considered, Rule, Verdict

ICMP_POLICY = (
    "NetworkPolicy speaks of TCP, UDP and SCTP; what it does to a ping is the plugin's choice. "
    "Here a rule without ports allows it and any other does not."
)
LOOPBACK_POLICY = (
    "A pod is taken to reach itself through its Service whatever the policies say; the API leaves that open (NP-19)."
)


def police(j: Journey, node: Node, at: At, route: Route, seen: str) -> None:
    """Judge egress of a sender and ingress of a receiver on this node (NP-06).

    ``seen`` is the source as the receiver will see it (NP-13).
    """
    packet = j.packet
    if j.opened is not None and not j.cluster.settings.policies_cut_connections:
        spare(j, node, at, route, seen)
        return
    if at.came == "pod" and at.pod is not None:
        _judge(j, node, "Egress", at.pod, packet.ip.dst)
    if route.kind == "bridge" and route.pod is not None:
        verdict = _judge(j, node, "Ingress", route.pod, seen)
        if seen != packet.ip.src:
            _before_masquerade(j, route.pod, verdict, packet.ip.src, seen)


def police_anyway(j: Journey, node: Node, at: At) -> None:
    """As a ghost whose receiver nobody knows: a sender that no policy lets out by this protocol is stopped as well."""
    pod, packet = at.pod, j.packet
    if not j.blockers or at.came != "pod" or pod is None:
        return
    rules = [rule for policy in selecting(j.cluster, pod, "Egress") for rule in policy.egress]
    if not any(not rule.ports or any(one.protocol == packet.ip.proto for one in rule.ports) for rule in rules):
        _judge(j, node, "Egress", pod, packet.ip.dst)


def _before_masquerade(j: Journey, pod: Pod, verdict: PolicyVerdict, kept: str, seen: str) -> None:
    """The API leaves open whether a plugin sees the source before or after the rewrite (NP-13).

    On the node that rewrites, plugins that hook in before POSTROUTING's SNAT still see the first sender; the
    address of the node itself would pass in any case (NP-20).
    """
    if not verdict.isolated or verdict.why == "not_enforced":
        return
    other = judge(j.cluster, "Ingress", pod, kept, j.packet.ip.proto, j.packet.dport)
    differs = "would allow it too" if other.allowed else "would deny it too"
    if other.allowed != verdict.allowed:
        differs = "would allow it" if other.allowed else "would deny it"
    j.assume(
        "policy-after-masquerade",
        f"Ingress policy is judged on the source the pod sees, {seen}, after masquerade; a plugin that judges "
        f"before it sees {kept} and {differs} (NP-13).",
    )


def _judge(j: Journey, node: Node, direction: Direction, pod: Pod, peer: str) -> PolicyVerdict:
    packet = j.packet
    verdict = j.cluster.classes.judge(j.cluster, direction, pod, peer, packet.ip.proto, packet.dport)
    name = f"{pod.namespace}/{pod.name}"
    if verdict.isolated and not isinstance(packet.l4, L4) and verdict.why in ("allowed", "denied"):
        j.assume("icmp-policy", ICMP_POLICY)
    if verdict.why == "itself" and direction == "Egress":
        j.assume("loopback-policy", LOOPBACK_POLICY)
    facts: dict[str, Any] = {
        "pod": name,
        "way": direction.lower(),
        "peer": peer,
        "port": packet.dport or packet.ip.proto,
        "node": node.name,
    }
    if verdict.allowed:
        rule = _allowing(verdict)
        j.step(
            Action.PERMITTED,
            f"policy_{verdict.why}",
            hook="forward",
            component="network plugin",
            command=f"kubectl describe networkpolicy -n {pod.namespace}",
            rule=rule,
            allowed_by=rule.name,
            considered=verdict.considered,
            policies=", ".join(f"{p.namespace}/{p.name}" for p in verdict.selecting),
            settings=_enforced(j) if verdict.isolated else (),
            **facts,
        )
    else:
        _deny(j, node, verdict, pod, facts)
    return verdict


def _enforced(j: Journey) -> tuple[str, ...]:
    """The settings that have a packet judged here."""
    return ("enforce_policies", "policies_cut_connections") if j.opened is not None else ("enforce_policies",)


def _deny(j: Journey, node: Node, verdict: PolicyVerdict, pod: Pod, facts: dict[str, Any]) -> None:
    direction = verdict.direction
    nearest = verdict.considered[0]
    isolating = next(policy for policy in verdict.selecting if policy.ref == nearest.ref)
    j.step(
        Action.DROPPED,
        "policy_denied",
        hook="forward",
        component="network plugin",
        command=f"kubectl describe networkpolicy -n {pod.namespace}",
        rule=Rule(
            name=" + ".join(f"{p.namespace}/{p.name}" for p in verdict.selecting),
            text=f"no {direction.lower()} rule allows it",
            ref=isolating.ref,
            path=f"spec.{direction.lower()}",
            made_by="network plugin",
            rules=("NP-03", "NP-06", "NP-23"),
        ),
        considered=verdict.considered,
        policies=", ".join(f"{p.namespace}/{p.name}" for p in verdict.selecting),
        nearest=nearest.why.removeprefix("has "),
        settings=_enforced(j),
        **facts,
    )
    j.assume("denied-is-dropped", "A denied packet is dropped without an answer; some plugins refuse instead (NP-23).")
    if direction == "Ingress":
        j.way(node.ref, "pod")
        j.way(pod.ref, "")
    j.block(
        Verdict.DENIED_INGRESS if direction == "Ingress" else Verdict.DENIED_EGRESS,
        ref=isolating.ref,
        rule=f"{isolating.namespace}/{isolating.name}",
        why=_why(direction, f"{isolating.namespace}/{isolating.name}", facts, nearest),
    )


def _why(direction: Direction, policy: str, facts: dict[str, Any], nearest: Considered) -> str:
    """One sentence: who is kept from whom, and how far the nearest rule is from allowing it."""
    kept = f"{facts['peer']} in to pod" if direction == "Ingress" else f"pod {facts['pod']} out to {facts['peer']}"
    kept = f"{kept} {facts['pod']}" if direction == "Ingress" else kept
    rule = f"it {nearest.why}" if not nearest.path else f"{nearest.path} does not fit, {nearest.why}"
    return f"NetworkPolicy {policy} does not let {kept}: {rule}"


def _allowing(verdict: PolicyVerdict) -> Rule:
    if verdict.matched is None:
        rules = {"own_node": ("NP-20",), "itself": ("NP-19",), "host_network": ("NP-21",), "not_enforced": ("NP-24",)}
        return Rule(name="no policy applies", rules=rules.get(verdict.why, ("NP-01",)))
    policy, index = verdict.matched
    field = verdict.direction.lower()
    return Rule(
        name=f"{policy.namespace}/{policy.name} {field}[{index}]",
        ref=policy.ref,
        path=f"spec.{field}[{index}]",
        index=index,
        made_by="network plugin",
        rules=("NP-03", "NP-08"),
    )
