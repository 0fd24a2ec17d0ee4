"""NetworkPolicies that say something else than their author meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.datapath.policy import Direction, selecting
from clusterviz.engine.decision import decide
from clusterviz.engine.lint.finding import Finding
from clusterviz.engine.objects import Key, NetworkPolicy, Pod, PolicyPeer, PolicyPort, PolicyRule
from clusterviz.engine.probe import Destination, Probe, Source
from clusterviz.engine.trace import Verdict

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class _Rule(NamedTuple):
    """A rule of a policy: ``path`` is its YAML path, ``receivers`` the pods its ports are of."""

    policy: NetworkPolicy
    direction: Direction
    path: str
    rule: PolicyRule
    receivers: list[Pod]

    @property
    def key(self) -> Key:
        return "NetworkPolicy", self.policy.namespace, self.policy.name


def policies(cluster: Cluster) -> Iterator[Finding]:
    """Findings about every NetworkPolicy of a cluster that enforces them."""
    if not cluster.settings.enforce_policies:
        return
    yield from _dns(cluster)
    for policy in cluster.policies.values():
        pods = [pod for pod in _in(cluster, policy.namespace) if policy.selector.matches(pod.labels)]
        for direction, rules in (("Ingress", policy.ingress), ("Egress", policy.egress)):
            if direction not in policy.types:
                continue
            for index, rule in enumerate(rules):
                path = f"spec.{direction.lower()}[{index}]"
                peers = [_matched(cluster, policy, peer) for peer in rule.peers]
                yield from _nobody(policy, direction, path, rule, peers)
                receivers = pods if direction == "Ingress" else [pod for some in peers for pod in some or ()]
                outside = direction == "Egress" and (not rule.peers or any(some is None for some in peers))
                one = _Rule(policy, direction, path, rule, receivers)  # type: ignore[arg-type]
                if receivers and not outside:
                    yield from _ports(cluster, one)
                if not rule.peers and not rule.ports and index + 1 < len(rules):
                    text = f"{path} allows everything, so the rules after it add nothing (NP-08, NP-09)."
                    yield Finding(code="policy-rule-covered", key=one.key, field=path, text=text)


def _in(cluster: Cluster, namespace: str) -> list[Pod]:
    return [pod for pod in cluster.pods.values() if pod.namespace == namespace and not pod.host_network]


def _matched(cluster: Cluster, policy: NetworkPolicy, peer: PolicyPeer) -> list[Pod] | None:
    """Pods a peer selects; None for an ipBlock, which may be anybody."""
    if peer.cidr:
        return None
    if peer.namespaces is None:
        spaces = {policy.namespace}
    else:
        spaces = {name[-1] for name, one in cluster.namespaces.items() if peer.namespaces.matches(one.labels)}
    return [
        pod
        for pod in cluster.pods.values()
        if pod.namespace in spaces and not pod.host_network and (peer.pods is None or peer.pods.matches(pod.labels))
    ]


def _nobody(
    policy: NetworkPolicy, direction: str, path: str, rule: PolicyRule, peers: list[list[Pod] | None]
) -> Iterator[Finding]:
    side = "from" if direction == "Ingress" else "to"
    for index, (peer, pods) in enumerate(zip(rule.peers, peers, strict=True)):
        if pods == []:
            where = f"namespaces {peer.namespaces}" if peer.namespaces is not None else f"namespace {policy.namespace}"
            who = f"podSelector {peer.pods} in {where}" if peer.pods is not None else where
            text = f"{path}.{side}[{index}]: {who} is no pod here (NP-08, NP-10)."
            key: Key = ("NetworkPolicy", policy.namespace, policy.name)
            yield Finding(code="policy-peer-nobody", key=key, field=f"{path}.{side}[{index}]", text=text)


def _ports(cluster: Cluster, one: _Rule) -> Iterator[Finding]:
    for index, port in enumerate(one.rule.ports):
        if port.port is None or port.end is not None:
            continue
        field = f"{one.path}.ports[{index}].port"
        if any(_has(pod, port) for pod in one.receivers):
            continue
        if isinstance(port.port, str):
            text = f"{field}: no receiving pod has a port {port.port!r} of {port.protocol}: nothing matches (NP-16)."
            yield Finding(code="policy-port-unknown", key=one.key, field=field, text=text)
        elif found := _of_service(cluster, one.receivers, port):
            yield Finding(code="policy-service-port", key=one.key, field=field, text=f"{field}: {found} (NP-14).")


def _has(pod: Pod, port: PolicyPort) -> bool:
    return any(port.port in (own.port, own.name) and own.protocol == port.protocol for own in pod.ports)


def _of_service(cluster: Cluster, pods: list[Pod], port: PolicyPort) -> str:
    """Whose Service port a number is, when the pods behind get another one."""
    for pod in pods:
        for service in cluster.services_selecting(pod):
            for own in service.ports:
                if (own.port, own.protocol) == (port.port, port.protocol) and own.target not in (port.port, ""):
                    return f"{port.port} is the port of Service {service.name}; its pods get packets at {own.target}"
    return ""


def _dns(cluster: Cluster) -> Iterator[Finding]:
    """Policies that let their pods call others and not the DNS they need for it: the engine is asked, once a set."""
    judged: set[tuple[str, ...]] = set()
    for pod in cluster.pods.values():
        isolating = selecting(cluster, pod, "Egress") if pod.ips and not pod.host_network and not pod.ended else ()
        names = tuple(policy.ref for policy in isolating)
        if not isolating or names in judged or not any(policy.egress for policy in isolating):
            continue
        judged.add(names)
        to = Destination(kind="name", name=f"kubernetes.default.svc.{cluster.settings.cluster_domain}.", port=443)
        probe = Probe(source=Source(kind="pod", namespace=pod.namespace, name=pod.name), destination=to)
        if decide(cluster, probe).verdict != Verdict.DNS_BLOCKED:
            continue
        others = f" together with {', '.join(policy.name for policy in isolating[1:])}" if isolating[1:] else ""
        text = f"Pods such as {pod.name} may call others but not the cluster's DNS: no name is found{others} (DNS-14)."
        key: Key = ("NetworkPolicy", isolating[0].namespace, isolating[0].name)
        yield Finding(code="policy-cuts-dns", key=key, field="spec.egress", text=text)
