"""FORWARD on a node: NetworkPolicy of the local sender and of the local receiver, as steps."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.datapath.place import At, Route
from clusterviz.engine.datapath.policy import Direction, PolicyVerdict, judge
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.trace import Action, Rule, Verdict


def police(j: Journey, node: Node, at: At, route: Route, seen: str) -> None:
    """Judge egress of a sender and ingress of a receiver on this node (NP-06).

    ``seen`` is the source as the receiver will see it (NP-13).
    """
    packet = j.packet
    if at.came == "pod" and at.pod is not None:
        _judge(j, node, "Egress", at.pod, packet.ip.dst)
    if route.kind == "bridge" and route.pod is not None:
        if seen != packet.ip.src:
            j.assume(
                "policy-after-masquerade",
                "Ingress policy is judged on the source the pod sees, after masquerade; plugins differ (NP-13).",
            )
        _judge(j, node, "Ingress", route.pod, seen)


def _judge(j: Journey, node: Node, direction: Direction, pod: Pod, peer: str) -> None:
    packet = j.packet
    verdict = judge(j.cluster, direction, pod, peer, packet.ip.proto, packet.dport)
    name = f"{pod.namespace}/{pod.name}"
    facts = {
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
            command=f"kubectl get networkpolicy -n {pod.namespace}",
            rule=rule,
            allowed_by=rule.name,
            considered=verdict.considered,
            policies=", ".join(p.name for p in verdict.selecting),
            **facts,
        )
        return
    _deny(j, node, verdict, pod, facts)


def _deny(j: Journey, node: Node, verdict: PolicyVerdict, pod: Pod, facts: dict[str, Any]) -> None:
    direction = verdict.direction
    nearest = verdict.considered[0]
    isolating = next(policy for policy in verdict.selecting if policy.ref == nearest.ref)
    j.step(
        Action.DROPPED,
        "policy_denied",
        hook="forward",
        component="network plugin",
        command=f"kubectl get networkpolicy -n {pod.namespace}",
        rule=Rule(
            name=" + ".join(f"{p.namespace}/{p.name}" for p in verdict.selecting),
            text=f"no {direction.lower()} rule allows it",
            ref=isolating.ref,
            path=f"spec.{direction.lower()}",
            made_by="network plugin",
            rules=("NP-03", "NP-06", "NP-23"),
        ),
        considered=verdict.considered,
        policies=", ".join(p.name for p in verdict.selecting),
        nearest=nearest.why,
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
        why=f"{nearest.rule} does not allow the {direction.lower()} of {facts['pod']}: {nearest.why}",
    )


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
