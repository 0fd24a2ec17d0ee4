"""Remedies against a NetworkPolicy: the least rule that lets this connection pass (NP)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clusterviz.engine.addresses import family
from clusterviz.engine.objects import NetworkPolicy, Obj, Pod
from clusterviz.engine.remedies.edit import Edit, Situation, patching
from clusterviz.engine.remedies.look import pod_named, stable_labels

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


def allow(situation: Situation) -> Iterator[Edit]:
    """One more rule in the policy that comes nearest to allowing it (NP-03, NP-08)."""
    cluster, direction = situation.cluster, str(situation.fact("way"))
    pod = pod_named(situation.cluster, str(situation.fact("pod")))
    policy = _policy(situation)
    if pod is None or policy is None or not direction:
        return
    rule = _rule(situation, pod, direction)
    key = ("NetworkPolicy", policy.namespace, policy.name)
    given = (cluster.objects[key].get("spec") or {}).get(direction) or []
    peer, port = situation.fact("peer"), situation.fact("port")
    word = "from" if direction == "ingress" else "to"
    yield patching(
        key,
        {"spec": {direction: [*given, rule]}},
        f"Let NetworkPolicy {policy.namespace}/{policy.name} allow {direction} {word} {_name(situation)}, port {port}.",
        f"The policy selects {pod.namespace}/{pod.name} and no rule of it allows {peer} on port {port}; "
        "rules only add, so one more takes nothing away.",
    )


def _rule(situation: Situation, pod: Pod, direction: str) -> Obj:
    peer = str(situation.fact("peer"))
    rule: Obj = {"from" if direction == "ingress" else "to": [_peer(situation, pod.namespace, peer)]}
    port, protocol = situation.fact("port"), _protocol(situation)
    if situation.trace is not situation.asked and port == 53:
        rule["ports"] = DNS_PORTS  # long answers come over TCP (DNS-14)
    elif isinstance(port, int):
        rule["ports"] = [{"protocol": protocol, "port": port}]
    return rule


def _peer(situation: Situation, namespace: str, ip: str) -> Obj:
    """A peer entry for an address: the pod by its labels, anything else by its address (NP-10, NP-12, NP-20)."""
    pod = situation.cluster.pod_by_ip.get(ip)
    if pod is None:
        return {"ipBlock": {"cidr": f"{ip}/{32 if family(ip) == 4 else 128}"}}
    entry: Obj = {}
    if pod.namespace != namespace:
        entry["namespaceSelector"] = {"matchLabels": {NAMESPACE_LABEL: pod.namespace}}
    labels = stable_labels(pod)
    if labels or not entry:
        entry["podSelector"] = {"matchLabels": labels} if labels else {}
    return entry


def relabel(situation: Situation) -> Iterator[Edit]:
    """Give the other pod the labels some rule asks for: only where nothing but matchLabels is missing (NP-08)."""
    direction, pod = str(situation.fact("way")), pod_named(situation.cluster, str(situation.fact("pod")))
    other = situation.cluster.pod_by_ip.get(str(situation.fact("peer")))
    if pod is None or other is None or other.owner[0]:
        return
    for policy in situation.cluster.policies_by_namespace.get(pod.namespace, ()):
        if direction.capitalize() not in policy.types or not policy.selector.matches(pod.labels):
            continue
        for labels in _wanted(situation, policy, direction, other):
            text = ", ".join(f"{name}={value}" for name, value in labels.items())
            yield patching(
                ("Pod", other.namespace, other.name),
                {"metadata": {"labels": labels}},
                f"Label pod {other.namespace}/{other.name} with {text}.",
                f"NetworkPolicy {policy.namespace}/{policy.name} already allows pods with this label.",
                weight=600 if labels.keys() & other.labels.keys() else 250,
            )


def _wanted(situation: Situation, policy: NetworkPolicy, direction: str, other: Pod) -> Iterator[dict[str, str]]:
    rules = policy.ingress if direction == "ingress" else policy.egress
    for rule in rules:
        for peer in rule.peers:
            if peer.pods is None or peer.cidr:
                continue
            missing = {name: value for name, value in peer.pods.labels if other.labels.get(name) != value}
            labels: Mapping[str, str] = {**other.labels, **missing}
            same = peer.namespaces is None and other.namespace == policy.namespace
            near = peer.namespaces is not None and peer.namespaces.matches(
                situation.cluster.namespace_labels(other.namespace)
            )
            if missing and (same or near) and peer.pods.matches(labels):
                yield missing


def _policy(situation: Situation) -> NetworkPolicy | None:
    namespace, _, name = situation.ref.removeprefix("policy:").partition("/")
    return situation.cluster.policies.get((namespace, name))


def _protocol(situation: Situation) -> str:
    return situation.trace.probe.protocol


def _name(situation: Situation) -> str:
    """The peer as the new rule names it."""
    peer = str(situation.fact("peer"))
    pod = situation.cluster.pod_by_ip.get(peer)
    if pod is None:
        return peer
    said = ",".join(f"{name}={value}" for name, value in stable_labels(pod).items())
    return f"pods {said} of namespace {pod.namespace}" if said else f"all pods of namespace {pod.namespace}"
