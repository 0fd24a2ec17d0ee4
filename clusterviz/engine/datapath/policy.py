"""NetworkPolicy: is this connection allowed in one direction, and by which rule (NP).

`judge` can be asked alone. It looks at the first packet of a connection with the pod's own port as
destination (NP-14) and the peer's address as the pod sees it (NP-13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from clusterviz.engine.addresses import in_cidr
from clusterviz.engine.datapath.place import home
from clusterviz.engine.objects import NetworkPolicy, Node, Pod, PolicyPeer, PolicyPort, PolicyRule
from clusterviz.engine.trace import Considered

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Direction = Literal["Ingress", "Egress"]


class PolicyVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one direction.

    ``selecting`` are the policies that isolate the pod; ``matched`` is (policy, rule index) of the
    first allowing rule; ``considered`` tells of every rule why it did not match (NP-26). ``why`` is a
    stable code: not_isolated, allowed, own_node, itself, host_network, not_enforced, denied.
    """

    allowed: bool
    why: str
    direction: Direction
    selecting: tuple[NetworkPolicy, ...] = ()
    matched: tuple[NetworkPolicy, int] | None = None
    considered: tuple[Considered, ...] = ()


def selecting(cluster: Cluster, pod: Pod, direction: Direction) -> tuple[NetworkPolicy, ...]:
    """Policies of the pod's namespace that isolate it in this direction (NP-02)."""
    return tuple(
        policy
        for policy in cluster.policies_by_namespace.get(pod.namespace, ())
        if direction in policy.types and policy.selector.matches(pod.labels)
    )


def judge(
    cluster: Cluster,
    direction: Direction,
    pod: Pod,
    peer_ip: str,
    proto: str,
    port: int | None,
    *,
    destination: Pod | None = None,
) -> PolicyVerdict:
    """Whether ``pod`` may talk with ``peer_ip`` in this direction; ``port`` is the destination's.

    ``destination`` is the pod whose named ports count (NP-15); it is derived when absent.
    """
    policies = selecting(cluster, pod, direction)
    shortcut = _exempt(cluster, pod, peer_ip)
    if not policies or shortcut:
        return PolicyVerdict(allowed=True, why=shortcut or "not_isolated", direction=direction, selecting=policies)
    peer = cluster.pod_by_ip.get(peer_ip)
    if destination is None:
        destination = pod if direction == "Ingress" else peer
    considered: list[tuple[int, Considered]] = []
    for policy in policies:
        rules = policy.ingress if direction == "Ingress" else policy.egress
        field = "ingress" if direction == "Ingress" else "egress"
        for index, rule in enumerate(rules):
            failed = _rule(cluster, policy, rule, peer_ip, peer, proto, port, destination)
            if not failed:
                return PolicyVerdict(
                    allowed=True,
                    why="allowed",
                    direction=direction,
                    selecting=policies,
                    matched=(policy, index),
                    considered=_nearest(considered),
                )
            name = f"{policy.namespace}/{policy.name} {field}[{index}]"
            considered.append((len(failed), Considered(name, "; ".join(failed), policy.ref)))
        if not rules:
            name = f"{policy.namespace}/{policy.name}"
            considered.append((9, Considered(name, f"has no {field} rule at all", policy.ref)))
    return PolicyVerdict(
        allowed=False,
        why="denied",
        direction=direction,
        selecting=policies,
        considered=_nearest(considered),
    )


def _nearest(considered: list[tuple[int, Considered]]) -> tuple[Considered, ...]:
    return tuple(item for _, item in sorted(considered, key=lambda pair: pair[0]))


def _exempt(cluster: Cluster, pod: Pod, peer_ip: str) -> str:
    if not cluster.settings.enforce_policies:
        return "not_enforced"
    if pod.host_network:
        return "host_network"
    if peer_ip in pod.ips:
        return "itself"
    node = home(cluster, pod)
    if node is not None and peer_ip in own_addresses(cluster, node):
        return "own_node"
    return ""


def own_addresses(cluster: Cluster, node: Node) -> tuple[str, ...]:
    """Every address a node owns: InternalIPs, bridge, overlay device."""
    return (*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node))


def _rule(
    cluster: Cluster,
    policy: NetworkPolicy,
    rule: PolicyRule,
    peer_ip: str,
    peer: Pod | None,
    proto: str,
    port: int | None,
    destination: Pod | None,
) -> list[str]:
    """Why the rule does not match; empty when it does (NP-08)."""
    failed = []
    if rule.peers:
        reasons = [_peer(cluster, policy, one, peer_ip, peer) for one in rule.peers]
        if all(reasons):
            failed.append("peer: " + " / ".join(reasons))
    if rule.ports and not any(_port(one, proto, port, destination) for one in rule.ports):
        wanted = ", ".join(describe_port(one) for one in rule.ports)
        failed.append(f"port: {proto} {port} is not among {wanted}")
    return failed


def _peer(cluster: Cluster, policy: NetworkPolicy, peer: PolicyPeer, ip: str, pod: Pod | None) -> str:
    """Why the peer entry does not match, "" when it does."""
    if peer.cidr:
        if not in_cidr(ip, peer.cidr):
            return f"{ip} is not in ipBlock {peer.cidr}"
        for cidr in peer.excepts:
            if in_cidr(ip, cidr):
                return f"{ip} is in except {cidr} of ipBlock {peer.cidr}"
        return ""
    if pod is None:
        return f"{ip} is not a pod's address, and selectors match pods only"
    parts = []
    if peer.namespaces is None:
        if pod.namespace != policy.namespace:
            parts.append(f"the pod is in namespace {pod.namespace}, not in {policy.namespace}")
    else:
        parts += [f"the namespace's {m}" for m in peer.namespaces.missing(cluster.namespace_labels(pod.namespace))]
    if peer.pods is not None:
        parts += [f"the pod's {m}" for m in peer.pods.missing(pod.labels)]
    return " and ".join(parts)


def _port(entry: PolicyPort, proto: str, port: int | None, destination: Pod | None) -> bool:
    """Protocol and number, range or name must fit (NP-15..17)."""
    if entry.protocol != proto:
        return False
    if entry.port is None:
        return True
    if port is None:
        return False
    if isinstance(entry.port, str):
        return destination is not None and any(
            declared.name == entry.port and declared.protocol == proto and declared.port == port
            for declared in destination.ports
        )
    return entry.port <= port <= (entry.end or entry.port)


def describe_port(entry: PolicyPort) -> str:
    """A port entry in words."""
    if entry.port is None:
        return f"{entry.protocol} any"
    return f"{entry.protocol} {entry.port}" + (f"-{entry.end}" if entry.end else "")
