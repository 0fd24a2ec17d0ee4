"""Pods, nodes, workloads and policies as the datapath asks for them: built once, then changed with the objects.

For every index a function builds it and a function ``follow_...`` gives the next one after a list of `Delta`, or
None when building anew is simpler. Both must give the same; the tests compare them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from clusterviz.engine.addresses import network, parsed
from clusterviz.engine.objects import ContainerPort, Key, NetworkPolicy, Node, Obj, Pod, Workload
from clusterviz.engine.overlay import GONE, Kept, changed

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Name = tuple[str, str]
# The flag by which a controller of Ingresses names the class it works for.
CLASS_FLAG = "controller-class"
Labels = tuple[tuple[str, str], ...]
# namespace -> labels that occur there -> names of the pods that have them
LabelSets = Mapping[str, Mapping[Labels, Mapping[Name, None]]]


class Delta(msgspec.Struct, frozen=True):
    """One changed record; None where there was or is none."""

    kind: str
    name: Name
    old: Any
    new: Any

    @property
    def sides(self) -> tuple[tuple[Any, bool], ...]:
        """What there was (False) and what there is (True)."""
        if self.old is None:
            return () if self.new is None else ((self.new, True),)
        return ((self.old, False),) if self.new is None else ((self.old, False), (self.new, True))


class Addresses(NamedTuple):
    """Pods by address, and the addresses more than one pod claims."""

    pods: Mapping[str, Pod]
    doubled: frozenset[str]


def own_ips(pod: Pod) -> tuple[str, ...]:
    """Addresses that are the pod's alone: none of a hostNetwork pod or one that has ended (NET-02, IPM-04)."""
    return () if pod.host_network or pod.ended else pod.ips


def addresses(pods: Mapping[Name, Pod]) -> Addresses:
    """Of two pods with the same address the last by name has it."""
    found: dict[str, Pod] = {}
    doubled: set[str] = set()
    for pod in pods.values():
        for ip in own_ips(pod):
            other = found.setdefault(ip, pod)
            if other is not pod:
                doubled.add(ip)
                found[ip] = max(pod, other, key=lambda one: (one.namespace, one.name))
    return Addresses(found, frozenset(doubled))


def follow_addresses(old: Addresses, deltas: Sequence[Delta], _new: Cluster) -> Addresses | None:
    """None when an address is, was or becomes two pods'."""
    over: dict[str, Any] = {}
    for delta in deltas:
        if delta.old is not None and delta.new is not None and (ips := own_ips(delta.new)) == own_ips(delta.old):
            if old.doubled and not old.doubled.isdisjoint(ips):
                return None
            for ip in ips:
                over[ip] = delta.new
            continue
        for pod, present in delta.sides:
            for ip in own_ips(pod):
                holder = over.get(ip, old.pods.get(ip, GONE))
                if ip in old.doubled or (present and holder is not GONE):
                    return None
                over[ip] = pod if present else GONE
    return Addresses(changed(old.pods, over), old.doubled)


def follow_parties(old: Kept[str, Any], deltas: Sequence[Delta], _new: Cluster) -> Kept[str, Any] | None:
    """Those whose pod changed are asked anew, all of them after a change of a node, a policy or a namespace."""
    stale: set[str] = set()
    for delta in deltas:
        if delta.kind != "Pod":
            return None
        for pod, _ in delta.sides:
            stale.update(pod.ips)
    return old.without(stale)


def nodes(found: Mapping[Name, Node]) -> dict[str, Node]:
    """Oldest first."""
    return {node.name: node for node in sorted(found.values(), key=lambda n: (n.created, n.name))}


def _stay(deltas: Sequence[Delta], *fields: str) -> bool:
    """Whether all are updates that leave these fields as they are."""
    return all(
        delta.old is not None
        and delta.new is not None
        and all(getattr(delta.old, field) == getattr(delta.new, field) for field in fields)
        for delta in deltas
    )


def follow_nodes(old: dict[str, Node], deltas: Sequence[Delta], _new: Cluster) -> dict[str, Node] | None:
    """A node that comes or goes changes the order."""
    return old | {delta.new.name: delta.new for delta in deltas} if _stay(deltas, "created") else None


def follow_node_by_ip(old: Mapping[str, Node], deltas: Sequence[Delta], new: Cluster) -> Mapping[str, Node] | None:
    """Addresses that move are rare."""
    if not _stay(deltas, "ips", "pod_cidrs"):
        return None
    over = {
        ip: delta.new
        for delta in deltas
        for ip in (*delta.new.ips, *new.bridge_ips(delta.new), *new.overlay_ips(delta.new))
        if old[ip].name == delta.new.name
    }
    return changed(old, over)


class Blocks:
    """Pod CIDRs of the nodes, looked up by address."""

    def __init__(self, found: Mapping[str, Node]) -> None:
        self._by_length: dict[tuple[int, int], dict[int, tuple[int, int, str, str]]] = {}
        for place, node in enumerate(found.values()):
            for index, cidr in enumerate(node.pod_cidrs):
                net = network(cidr)
                shift = net.max_prefixlen - net.prefixlen
                numbers = self._by_length.setdefault((net.version, shift), {})
                numbers.setdefault(int(net.network_address) >> shift, (place, index, node.name, cidr))

    def find(self, ip: str) -> tuple[str, str] | None:
        """Name of the first node that has a block with the address, and the block."""
        address = parsed(ip)
        if address is None:
            return None
        number, version = int(address), address.version
        held = [
            found
            for (kind, shift), numbers in self._by_length.items()
            if kind == version and (found := numbers.get(number >> shift))
        ]
        return min(held)[2:] if held else None


def follow_blocks(old: Blocks, deltas: Sequence[Delta], _new: Cluster) -> Blocks | None:
    """Only names are kept, so a node that stays changes nothing."""
    return old if _stay(deltas, "created", "pod_cidrs") else None


def host_pods(pods: Mapping[Name, Pod]) -> dict[str, list[Pod]]:
    """Running hostNetwork pods by node name (NET-02)."""
    found: dict[str, list[Pod]] = {}
    for pod in pods.values():
        if pod.host_network and not pod.ended:
            found.setdefault(pod.node, []).append(pod)
    for some in found.values():
        some.sort(key=_by_name)
    return found


def _by_name(pod: Pod) -> Name:
    return pod.namespace, pod.name


def _by_age(pod: Pod) -> tuple[str, str]:
    return pod.created, pod.name


def follow_host_pods(
    old: Mapping[str, list[Pod]], deltas: Sequence[Delta], _new: Cluster
) -> Mapping[str, list[Pod]] | None:
    """Lists of the nodes concerned are written anew."""
    over: dict[str, Any] = {}
    for delta in deltas:
        for pod, present in delta.sides:
            if pod.host_network and not pod.ended:
                _move(over, old, pod.node, pod, present=present)
    return changed(old, _lists(over, _by_name)) if over else old


def _move(over: dict[Any, dict[Name, Pod]], old: Mapping[Any, list[Pod]], key: Any, pod: Pod, *, present: bool) -> None:
    """Put a pod among those of its list by name, or take out the one of its name."""
    some = over.get(key)
    if some is None:
        some = over[key] = {_by_name(one): one for one in old.get(key, ())}
    some.pop(_by_name(pod), None)
    if present:
        some[_by_name(pod)] = pod


def _lists(over: dict[Any, dict[Name, Pod]], order: Any) -> dict[Any, Any]:
    return _sorted({key: list(some.values()) for key, some in over.items()}, order)


def _sorted(over: dict[Any, Any], order: Any) -> dict[Any, Any]:
    return {key: sorted(some, key=order) if some else GONE for key, some in over.items()}


def pods_by_host_port(pods: Mapping[Name, Pod]) -> dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]]:
    """(node, protocol, host port) -> pods that have it, the youngest first; host pods need none (NET-02)."""
    found: dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]] = {}
    having = [pod for pod in pods.values() if _host_ports(pod)]
    for pod in sorted(having, key=lambda one: (one.created, one.namespace, one.name), reverse=True):
        for declared in _host_ports(pod):
            found.setdefault((pod.node, declared.protocol, declared.host_port), []).append((pod, declared))
    return found


def _host_ports(pod: Pod) -> list[ContainerPort]:
    if pod.host_network or pod.ended or not pod.ips:
        return []
    return [port for container in pod.containers for port in container.ports if port.host_port]


def follow_pods_by_host_port(
    old: dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]], deltas: Sequence[Delta], _new: Cluster
) -> dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]] | None:
    """Few pods have one, so building anew is rare."""
    for delta in deltas:
        same = delta.old is not None and delta.new is not None and delta.old.containers == delta.new.containers
        for pod in (delta.new,) if same else (delta.old, delta.new):
            if pod is not None and any(port.host_port for one in pod.containers for port in one.ports):
                return None
    return old


def follow_workloads(
    old: Mapping[Key, Workload], deltas: Sequence[Delta], _new: Cluster
) -> Mapping[Key, Workload] | None:
    """By key."""
    return changed(old, {(delta.kind, *delta.name): delta.new or GONE for delta in deltas})


def pods_of_workload(cluster: Cluster) -> dict[Key, list[Pod]]:
    """Pods by the key of the workload on top, oldest first."""
    found: dict[Key, list[Pod]] = {}
    for pod in sorted(cluster.pods.values(), key=_by_age):
        workload = cluster.workload_of(pod)
        if workload is not None:
            found.setdefault((workload.kind, workload.namespace, workload.name), []).append(pod)
    return found


def follow_pods_of_workload(
    old: Mapping[Key, list[Pod]], deltas: Sequence[Delta], new: Cluster
) -> Mapping[Key, list[Pod]] | None:
    """A workload that comes, goes or changes its owner may take pods along."""
    if not _stay([delta for delta in deltas if delta.kind != "Pod"], "owner"):
        return None
    over: dict[Any, Any] = {}
    for delta in deltas:
        for pod, present in delta.sides if delta.kind == "Pod" else ():
            workload = new.workload_of(pod)
            if workload is not None:
                _move(over, old, (workload.kind, workload.namespace, workload.name), pod, present=present)
    return changed(old, _lists(over, _by_age)) if over else old


class Labelled:
    """The label sets of one namespace by each label in them, found when a Service first selects there."""

    __slots__ = ("by_item", "sets")

    def __init__(self, sets: Mapping[Labels, Mapping[Name, None]]) -> None:
        self.sets = sets
        self.by_item: dict[tuple[str, str], list[Labels]] = {}
        for labels in sets:
            for item in labels:
                self.by_item.setdefault(item, []).append(labels)

    def matching(self, selector: Mapping[str, str]) -> Iterable[Labels]:
        """Label sets with all of these, looked for among those with the rarest of them."""
        if not selector:
            return self.sets
        fewest = min([self.by_item.get(item, ()) for item in selector.items()], key=len)
        return [labels for labels in fewest if selector.items() <= dict(labels).items()]


def label_sets(pods: Mapping[Name, Pod]) -> LabelSets:
    """Pods that look the same to every selector, together."""
    found: dict[str, dict[Labels, dict[Name, None]]] = {}
    known: dict[int, Labels] = {}  # equal maps are mostly one object, see `parse`
    for name, pod in pods.items():
        labels = known.get(id(pod.labels))
        if labels is None:
            labels = known[id(pod.labels)] = tuple(pod.labels.items())
        found.setdefault(pod.namespace, {}).setdefault(labels, {})[name] = None
    return found


def follow_label_sets(old: LabelSets, deltas: Sequence[Delta], _new: Cluster) -> LabelSets:
    """A pod that keeps its labels stays where it is."""
    for delta in deltas:
        if delta.old is not None and delta.new is not None and delta.old.labels == delta.new.labels:
            continue
        for pod, present in delta.sides:
            sets = old.get(pod.namespace, {})
            labels = tuple(pod.labels.items())
            names = changed(sets.get(labels, {}), {delta.name: None if present else GONE})
            old = changed(old, {pod.namespace: changed(sets, {labels: names or GONE})})
    return old


def policies_by_namespace(policies: Mapping[Name, NetworkPolicy]) -> dict[str, list[NetworkPolicy]]:
    """By name."""
    found: dict[str, list[NetworkPolicy]] = {}
    for policy in sorted(policies.values(), key=lambda p: p.name):
        found.setdefault(policy.namespace, []).append(policy)
    return found


def follow_policies(
    old: Mapping[str, list[NetworkPolicy]], deltas: Sequence[Delta], _new: Cluster
) -> Mapping[str, list[NetworkPolicy]] | None:
    """The list of each namespace concerned."""
    over: dict[str, Any] = {}
    for delta in deltas:
        space, name = delta.name
        others = [policy for policy in over.get(space, old.get(space, ())) if policy.name != name]
        over[space] = [*others, delta.new] if delta.new is not None else others
    return changed(old, _sorted(over, lambda policy: policy.name))


def flag(pod: Obj, name: str) -> str:
    """The value of a flag (``--name=value`` or ``--name value``) of the processes of a Pod object, "" without it."""
    for container in (pod.get("spec") or {}).get("containers") or ():
        if not (container.get("command") or container.get("args")):
            continue
        words = [str(word) for word in (*(container.get("command") or ()), *(container.get("args") or ()))]
        for word, following in zip(words, (*words[1:], ""), strict=False):
            head, equals, value = word.partition("=")
            if head.lstrip("-") == name and word.startswith("-"):
                return value if equals else following
    return ""


def classed_pods(cluster: Cluster) -> frozenset[Name]:
    """Pods whose processes name the class of Ingresses they work for."""
    objects = cluster.objects
    return frozenset(name for name in cluster.pods if flag(objects["Pod", *name], CLASS_FLAG))


def follow_classed_pods(old: frozenset[Name], deltas: Sequence[Delta], new: Cluster) -> frozenset[Name]:
    """Whether a pod is one says its object."""
    names = {delta.name for delta in deltas}
    there = {name for name in names & new.pods.keys() if flag(new.objects["Pod", *name], CLASS_FLAG)}
    return old if there == old & names else old - names | there
