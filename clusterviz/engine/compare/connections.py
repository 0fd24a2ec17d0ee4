"""Who reaches whom: every workload and the Internet to every port and door of every Service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.draws import fates
from clusterviz.engine.errors import EngineError, ProbeError
from clusterviz.engine.objects import Pod
from clusterviz.engine.probe import Probe, Source
from clusterviz.engine.statements.grammar import StatementError
from clusterviz.engine.statements.objects import Way, by_service, faces, find_named, to_pods
from clusterviz.engine.traffic import FLOW, Flow

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

#: Connections tried at most: beyond it people have to say which namespaces they mean.
MOST = 100_000
INTERNET = "internet"


class TooManyError(EngineError):
    """More connections than can be tried at once."""


class Pair(NamedTuple):
    """A connection as people name it: workloads and Services, for pods and addresses come and go."""

    sender: str
    target: str


class Fate(NamedTuple):
    """What becomes of a connection, over all pods of the sender and all backends.

    ``backends`` are the workloads that got it, ``sources`` what they saw (the client, a node, pod of …), ``by`` the
    picture ids of what stopped it. ``probe`` asks for one of them again, a failing one first. ``service`` is whose
    target it is.
    """

    verdicts: frozenset[str]
    backends: frozenset[str]
    sources: frozenset[str]
    by: frozenset[str]
    arrives: bool
    fails: bool
    probe: Probe
    service: str

    @property
    def word(self) -> str:
        """arrives, fails, or arrives in part."""
        return "arrives" if not self.fails else "arrives in part" if self.arrives else "fails"


def survey(cluster: Cluster, namespaces: Iterable[str] = ()) -> dict[Pair, Fate]:
    """The fate of every connection. ``namespaces``: only those with an end in one of them. Raises `TooManyError`."""
    wanted = frozenset(namespaces)
    senders = _senders(cluster)
    targets = [*_targets(cluster)]
    asked = [
        (sender, sources, target, ways, service)
        for sender, (space, sources) in senders.items()
        for target, (service, outside, ways) in targets
        if outside == (sender == INTERNET) and (not wanted or {space, service.partition("/")[0]} & wanted)
    ]
    total = sum(len(sources) * len(ways) for _, sources, _, ways, _ in asked)
    if total > MOST:
        raise TooManyError(f"{total} connections are too many: at most {MOST} at once; name namespaces")
    found = {}
    for sender, sources, target, ways, service in asked:
        fate = _fate(cluster, sources, ways, service)
        if fate is not None:
            found[Pair(sender, target)] = fate
    return found


def _senders(cluster: Cluster) -> dict[str, tuple[str, list[Source]]]:
    """Workloads, pods of nobody and the Internet: namespace and who sends, one pod of those that are alike."""
    found: dict[str, tuple[str, list[Source]]] = {INTERNET: ("", [Source(kind="external")])}
    alike: set[tuple[object, ...]] = set()
    for pod in cluster.pods.values():
        if not pod.ips or pod.ended:
            continue
        name = workload_name(cluster, pod)
        kind = (name, pod.node, pod.host_network, pod.dns_policy, tuple(sorted(pod.labels.items())))
        if kind not in alike:
            alike.add(kind)
            source = Source(kind="pod", namespace=pod.namespace, name=pod.name)
            found.setdefault(name, (pod.namespace, []))[1].append(source)
    return found


def workload_name(cluster: Cluster, pod: Pod) -> str:
    """``namespace/workload`` of a pod, its own name when nobody owns it."""
    owner = cluster.workload_of(pod)
    return f"{pod.namespace}/{owner.name if owner is not None else pod.name}"


def _targets(cluster: Cluster) -> Iterator[tuple[str, tuple[str, bool, list[Way]]]]:
    """Name of each target: its Service, whether it is a way in from outside, and the ways there."""
    for space, name in cluster.services:
        named = find_named(cluster, f"service:{space}/{name}", space)
        if named is None:
            continue
        inside = [*by_service(named, every=False)] or [*to_pods(named)]
        for outside, ways in ((False, inside), (True, [*faces(cluster, named, every=False)])):
            doors: dict[str, list[Way]] = {}
            for way in ways:
                doors.setdefault(way.door or f"endpoints of {space}/{name}", []).append(way)
            yield from ((door, (f"{space}/{name}", outside, some)) for door, some in doors.items())


def calls(cluster: Cluster) -> frozenset[tuple[str, str]]:
    """(sender, Service) of every TrafficFlow: what the application is known to call."""
    found = set()
    for key, obj in cluster.objects.items():
        if key[0] != FLOW:
            continue
        flow = Flow(key, obj)
        host = flow.destination.name if flow.destination else ""
        near = str(flow.origin.get("namespace") or key[1])
        try:
            named = find_named(cluster, host, near) if host else None
        except StatementError:
            named = None
        if named is not None and named.service is not None:
            external = flow.origin.get("kind") == "External"
            found.add((INTERNET if external else f"{near}/{flow.origin.get('name')}", named.name))
    return frozenset(found)


def _fate(cluster: Cluster, sources: list[Source], ways: list[Way], service: str) -> Fate | None:
    """None when the question cannot be asked at all."""
    verdicts, backends, seen, by = set[str](), set[str](), set[str](), set[str]()
    arrives = fails = False
    first: Probe | None = None
    for source in sources:
        for way in ways:
            probe = way.probe(source)
            try:
                decisions = fates(cluster, probe)
            except ProbeError:
                continue
            for one in decisions:
                verdicts.add(one.verdict.value)
                if one.success:
                    arrives = True
                    backends.add(_who(cluster, one.address))
                    seen.add(_source(cluster, probe, one.seen))
                else:
                    if not fails:
                        first = probe
                    fails = True
                    by.add(one.by)
            first = first or probe
    if first is None:
        return None
    sets = (frozenset(verdicts), frozenset(backends), frozenset(seen), frozenset(by - {""}))
    return Fate(*sets, arrives, fails, first, service)


def _who(cluster: Cluster, ip: str) -> str:
    pod, node = cluster.pod_by_ip.get(ip), cluster.node_by_ip.get(ip)
    return workload_name(cluster, pod) if pod else f"node {node.name}" if node else ip


def _source(cluster: Cluster, probe: Probe, seen: str) -> str:
    pod = cluster.pod_by_ip.get(seen)
    if pod is not None:
        own = (pod.namespace, pod.name) == (probe.source.namespace, probe.source.name)
        return "the client" if own else f"pod of {workload_name(cluster, pod)}"
    external = probe.source.kind == "external" and seen == (probe.source.ip or cluster.settings.client_ip)
    return "the client" if external else "a node" if seen in cluster.node_by_ip else seen
