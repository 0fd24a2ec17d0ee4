"""NetworkPolicy: is this connection allowed in one direction, and by which rule (NP).

`policy_verdict` judges both directions for two addresses; `judge` one direction of one pod. Both can be asked
alone, of snapshots that hold nothing but pods with addresses and policies. They look at the first packet of a
connection (NP-07) with the pod's own port as destination (NP-14) and the peer's address as the pod sees it (NP-13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from clusterviz.engine.addresses import canonical, in_cidr
from clusterviz.engine.datapath.place import home
from clusterviz.engine.objects import NetworkPolicy, Node, Pod, PolicyPeer, PolicyPort, PolicyRule
from clusterviz.engine.trace import Considered

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Direction = Literal["Ingress", "Egress"]
# More unmet parts than any rule has: a policy without rules is the farthest miss.
FARTHEST = 1000


class PolicyVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one direction.

    ``selecting`` are the policies that isolate the pod; ``matched`` is (policy, rule index) of the
    first allowing rule; ``considered`` tells of the rules that did not match which part failed, nearest
    miss first (NP-26). ``why`` is a stable code: not_isolated, allowed, own_node, itself, host_network,
    not_a_pod, not_enforced, denied.
    """

    allowed: bool
    why: str
    direction: Direction
    selecting: tuple[NetworkPolicy, ...] = ()
    matched: tuple[NetworkPolicy, int] | None = None
    considered: tuple[Considered, ...] = ()

    @property
    def isolated(self) -> bool:
        """Whether some policy selects the pod in this direction (NP-01)."""
        return bool(self.selecting)

    @property
    def path(self) -> str:
        """YAML path of the allowing rule inside its policy, "" when none allowed it."""
        return f"spec.{self.direction.lower()}[{self.matched[1]}]" if self.matched else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data: policies as ``namespace/name``, the allowing rule with its index and YAML path."""
        policy, index = self.matched or (None, None)
        return {
            "direction": self.direction,
            "allowed": self.allowed,
            "why": self.why,
            "isolated": self.isolated,
            "selecting": [f"{one.namespace}/{one.name}" for one in self.selecting],
            "allowed_by": f"{policy.namespace}/{policy.name}" if policy else "",
            "index": index,
            "path": self.path,
            "considered": msgspec.to_builtins(self.considered),
        }


class ConnectionVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for a connection: it needs the sender's egress and the receiver's ingress (NP-06)."""

    source: str
    destination: str
    port: int | None
    protocol: str
    egress: PolicyVerdict
    ingress: PolicyVerdict

    @property
    def allowed(self) -> bool:
        """Whether both directions allow it."""
        return self.egress.allowed and self.ingress.allowed

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "source": self.source,
            "destination": self.destination,
            "port": self.port,
            "protocol": self.protocol,
            "allowed": self.allowed,
            "egress": self.egress.to_dict(),
            "ingress": self.ingress.to_dict(),
        }


def policy_verdict(
    cluster: Cluster, source_ip: str, destination_ip: str, port: int | None, protocol: str = "TCP"
) -> ConnectionVerdict:
    """Whether NetworkPolicy lets ``source_ip`` open a connection to ``destination_ip``:``port``.

    The addresses are those of the packet where it is judged: the pod behind a Service, not its virtual address
    (NP-13, NP-25). An address that is no pod's is guarded by nothing and matched by ipBlock alone (NP-10, NP-21).
    ``port`` None asks for a protocol without ports. Raises `ValueError` for what is not an address.
    """
    source, destination = _checked(source_ip), _checked(destination_ip)
    sender, receiver = cluster.pod_by_ip.get(source), cluster.pod_by_ip.get(destination)
    return ConnectionVerdict(
        source=source,
        destination=destination,
        port=port,
        protocol=protocol.upper(),
        egress=_alone(cluster, "Egress", sender, destination, protocol.upper(), port),
        ingress=_alone(cluster, "Ingress", receiver, source, protocol.upper(), port),
    )


def _checked(text: str) -> str:
    ip = canonical(text)
    if not ip:
        raise ValueError(f"{text!r} is not an IP address")
    return ip


def _alone(
    cluster: Cluster, direction: Direction, pod: Pod | None, peer_ip: str, proto: str, port: int | None
) -> PolicyVerdict:
    if pod is None:
        return PolicyVerdict(allowed=True, why="not_a_pod", direction=direction)
    # a node or a placement nobody told of is ours, not the cluster's: it exempts nobody
    told = bool(pod.node) and not any(note.code == "nodes-assumed" for note in cluster.fill_warnings)
    return judge(cluster, direction, pod, peer_ip, proto, port, own_node=told, every_rule=True)


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
    own_node: bool = True,
    every_rule: bool = False,
) -> PolicyVerdict:
    """Whether ``pod`` may talk with ``peer_ip`` in this direction; ``port`` is the destination's.

    ``destination`` is the pod whose named ports count (NP-15); it is derived when absent. ``own_node`` off judges
    the pod's own node like any address. ``every_rule`` looks at the rules after the first that allows it too.
    """
    policies = selecting(cluster, pod, direction)
    shortcut = _exempt(cluster, pod, peer_ip, own_node=own_node)
    if not policies or shortcut:
        return PolicyVerdict(allowed=True, why=shortcut or "not_isolated", direction=direction, selecting=policies)
    peer = cluster.pod_by_ip.get(peer_ip)
    if destination is None:
        destination = pod if direction == "Ingress" else peer
    missed: list[tuple[int, Considered]] = []
    matched: tuple[NetworkPolicy, int] | None = None
    for policy in policies:
        rules = policy.ingress if direction == "Ingress" else policy.egress
        for index, rule in enumerate(rules):
            failed = _rule(cluster, policy, rule, peer_ip, peer, proto, port, destination)
            if failed:
                missed.append(_miss(policy, direction, index, failed))
            elif matched is None:
                matched = policy, index
        if matched is not None and not every_rule:
            break
        if not rules:
            name = f"{policy.namespace}/{policy.name}"
            missed.append((FARTHEST, Considered(name, f"has no {direction.lower()} rule at all", policy.ref)))
    return PolicyVerdict(
        allowed=matched is not None,
        why="denied" if matched is None else "allowed",
        direction=direction,
        selecting=policies,
        matched=matched,
        considered=tuple(item for _, item in sorted(missed, key=lambda pair: pair[0])),
    )


def _miss(
    policy: NetworkPolicy, direction: Direction, index: int, failed: dict[str, tuple[int, str]]
) -> tuple[int, Considered]:
    """How far a rule is from matching, and what is told of it: a part counts ten, each unmet condition one."""
    place = f"{direction.lower()}[{index}]"
    told = Considered(
        f"{policy.namespace}/{policy.name} {place}",
        "; ".join(f"{part}: {why}" for part, (_, why) in failed.items()),
        policy.ref,
        f"spec.{place}",
        tuple(failed),
    )
    return sum(10 + unmet for unmet, _ in failed.values()), told


def _exempt(cluster: Cluster, pod: Pod, peer_ip: str, *, own_node: bool) -> str:
    if not cluster.settings.enforce_policies:
        return "not_enforced"
    if pod.host_network:
        return "host_network"
    if peer_ip in pod.ips:
        return "itself"
    if not own_node or peer_ip in cluster.pod_by_ip:
        return ""
    node = home(cluster, pod)
    return "own_node" if node is not None and peer_ip in own_addresses(cluster, node) else ""


def own_addresses(cluster: Cluster, node: Node) -> tuple[str, ...]:
    """Every address a node answers to: InternalIPs, bridge, overlay device, ExternalIPs (NP-20)."""
    status = (cluster.objects.get(("Node", "", node.name)) or {}).get("status") or {}
    told = (canonical(str(entry.get("address"))) for entry in status.get("addresses") or ())
    return (*node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node), *filter(None, told))


def _rule(
    cluster: Cluster,
    policy: NetworkPolicy,
    rule: PolicyRule,
    peer_ip: str,
    peer: Pod | None,
    proto: str,
    port: int | None,
    destination: Pod | None,
) -> dict[str, tuple[int, str]]:
    """The parts that do not match, peer or port, with how many conditions are unmet and why (NP-08)."""
    failed: dict[str, tuple[int, str]] = {}
    if rule.peers:
        reasons = [_peer(cluster, policy, one, peer_ip, peer) for one in rule.peers]
        if all(reasons):
            failed["peer"] = min(map(len, reasons)), " / ".join(" and ".join(parts) for parts in reasons)
    if rule.ports and not any(_port(one, proto, port, destination) for one in rule.ports):
        wanted = ", ".join(describe_port(one) for one in rule.ports)
        asked = proto if port is None else f"{proto} {port}"
        failed["port"] = 1, f"{asked} is not among {wanted}"
    return failed


def _peer(cluster: Cluster, policy: NetworkPolicy, peer: PolicyPeer, ip: str, pod: Pod | None) -> list[str]:
    """Why the peer entry does not match, nothing when it does."""
    if peer.cidr:
        if not in_cidr(ip, peer.cidr):
            return [f"{ip} is not in ipBlock {peer.cidr}"]
        return [f"{ip} is in except {cidr} of ipBlock {peer.cidr}" for cidr in peer.excepts if in_cidr(ip, cidr)]
    if pod is None:
        return [f"{ip} is not a pod's address, and selectors match pods only"]
    parts = []
    if peer.namespaces is None:
        if pod.namespace != policy.namespace:
            parts.append(f"the pod is in namespace {pod.namespace}, not in {policy.namespace}")
    else:
        parts += [f"the namespace's {m}" for m in peer.namespaces.missing(cluster.namespace_labels(pod.namespace))]
    if peer.pods is not None:
        parts += [f"the pod's {m}" for m in peer.pods.missing(pod.labels)]
    return parts


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
