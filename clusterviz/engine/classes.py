"""Policy verdicts by class: pods that look the same to every policy are judged once.

A class is a namespace, the labels some policy's selector names, and the declared ports where a policy names one.
Pods that come and go change nothing here, so the answers live until a policy or a namespace changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from clusterviz.engine.datapath.policy import Direction, PolicyVerdict, judge, selecting
from clusterviz.engine.objects import NetworkPolicy, Pod, PolicyRule

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# Bounds of what is remembered; what is over is worked out again.
MOST, MOST_VERDICTS = 300_000, 4_096
Key = tuple[Hashable, ...]


class Group:
    """Pods of one class: who isolates them, and the verdicts on connections of theirs."""

    __slots__ = ("by_address", "policies", "verdicts")

    def __init__(self, policies: dict[Direction, tuple[NetworkPolicy, ...]]) -> None:
        self.policies = policies
        self.by_address = {
            direction: any(peer.cidr for policy in some for rule in _rules(policy) for peer in rule.peers)
            for direction, some in policies.items()
        }
        self.verdicts: dict[Key, PolicyVerdict] = {}


class Classes:
    """The classes of a snapshot's pods and the verdicts between them."""

    def __init__(self, cluster: Cluster) -> None:
        selectors = [
            selector
            for policy in cluster.policies.values()
            for selector in (policy.selector, *(peer.pods for rule in _rules(policy) for peer in rule.peers))
            if selector is not None
        ]
        self._labels = sorted(
            {label for one in selectors for label, _ in one.labels}
            | {each.key for one in selectors for each in one.expressions}
        )
        every = [port for policy in cluster.policies.values() for rule in _rules(policy) for port in rule.ports]
        self._named = any(isinstance(port.port, str) for port in every)
        self._of_pod: dict[int, tuple[Pod, Group]] = {}
        self._groups: dict[Key, Group] = {}

    def group(self, cluster: Cluster, pod: Pod) -> Group:
        """The group of a pod of the cluster."""
        known = self._of_pod.get(id(pod))
        if known is not None:
            return known[1]  # the pod is held here, so nobody else can have its id
        ports = tuple((port.name, port.protocol, port.port) for port in pod.ports) if self._named else ()
        key = pod.namespace, pod.host_network, tuple([pod.labels.get(label) for label in self._labels]), ports
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(
                {"Egress": selecting(cluster, pod, "Egress"), "Ingress": selecting(cluster, pod, "Ingress")}
            )
        if len(self._of_pod) > MOST:
            self._of_pod.clear()
            self._groups.clear()  # pods found again get groups of their own, as good as the old ones
        self._of_pod[id(pod)] = pod, group
        return group

    def judge(
        self, cluster: Cluster, direction: Direction, pod: Pod, peer_ip: str, proto: str, port: int | None
    ) -> PolicyVerdict:
        """`policy.judge`, remembered."""
        peer = cluster.pod_by_ip.get(peer_ip)
        if peer is None or pod.host_network or peer_ip in pod.ips:
            return judge(cluster, direction, pod, peer_ip, proto, port)
        group = self.group(cluster, pod)
        other = self.group(cluster, peer) if group.policies[direction] else None
        return self.between(cluster, direction, pod, group, peer_ip, other, proto, port)

    def between(
        self,
        cluster: Cluster,
        direction: Direction,
        pod: Pod,
        group: Group,
        peer_ip: str,
        other: Group | None,
        proto: str,
        port: int | None,
    ) -> PolicyVerdict:
        """`judge` where the groups of both are known: ``other`` may be None when no policy isolates the pod."""
        key = direction, other, peer_ip if group.by_address[direction] else "", proto, port
        found = group.verdicts.get(key)
        if found is None:
            if len(group.verdicts) > MOST_VERDICTS:
                group.verdicts.clear()
            found = group.verdicts[key] = judge(cluster, direction, pod, peer_ip, proto, port)
        return found


def _rules(policy: NetworkPolicy) -> tuple[PolicyRule, ...]:
    return policy.ingress + policy.egress
