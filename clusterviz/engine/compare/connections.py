"""Who reaches whom: every workload and the Internet to every port and door of every Service.

Each class of senders and of backends is asked once (`Alike`); what becomes of one becomes of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.alike import Alike, Class
from clusterviz.engine.draws import Kind, fates
from clusterviz.engine.endpoints import pods_behind
from clusterviz.engine.errors import EngineError, ProbeError
from clusterviz.engine.objects import Pod, Service
from clusterviz.engine.probe import Destination, Probe, Source
from clusterviz.engine.statements.grammar import StatementError
from clusterviz.engine.statements.objects import Named, Way, by_service, faces, find_named, to_pods
from clusterviz.engine.trace import Decision, Verdict
from clusterviz.engine.traffic import FLOW, Flow

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

#: Connections tried at most: beyond it people have to say which namespaces they mean.
MOST = 100_000
INTERNET = "internet"
#: The class of a sender, and what it is towards the Service it calls.
Towards = tuple[Class, Class]


class TooManyError(EngineError):
    """More connections than can be tried at once."""


class Pair(NamedTuple):
    """A connection as people name it: workloads and Services, for pods and addresses come and go."""

    sender: str
    target: str


class Fate(NamedTuple):
    """What becomes of a connection, over all pods of the sender and all backends.

    ``backends`` are the workloads that got it, ``sources`` what they saw (the client, a node, pod of …), ``by`` the
    picture ids of what stopped it, of nodes one of each class. ``probe`` asks for one of them again, a failing one
    first. ``service`` is whose target it is.
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


class Asked(NamedTuple):
    """What a survey is about: connections with an end in ``namespaces``, of these senders, to these Services.

    Senders are ``internet`` and ``namespace/workload``, Services ``namespace/name``; nothing named is everything.
    """

    namespaces: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def wants(self, sender: str, service: str) -> bool:
        """Whether connections of this sender to this Service are asked about."""
        if (self.senders and sender not in self.senders) or (self.services and service not in self.services):
            return False
        return not self.namespaces or not self.namespaces.isdisjoint((_space(sender), _space(service)))


EVERYTHING = Asked()


class Target(NamedTuple):
    """A port or door of a Service: ``outside`` when it is a way in, and the connections that try it."""

    name: str
    service: Service
    outside: bool
    ways: tuple[Way, ...]

    @property
    def of(self) -> str:
        """``namespace/name`` of the Service."""
        return f"{self.service.namespace}/{self.service.name}"


def survey(cluster: Cluster, asked: Asked = EVERYTHING) -> dict[Pair, Fate]:
    """The fate of every connection asked about. Raises `TooManyError`."""
    return _Survey(cluster).fates(asked)


class Group(NamedTuple):
    """Pods of a workload that fare alike but for their nodes: one of each node."""

    kind: Class
    by_node: dict[str, Pod]


class _LookUp(NamedTuple):
    """How a class of senders finds names: what became of look-ups that failed, and whether some succeed."""

    failed: dict[Decision, Probe]
    found: bool


class _Survey:
    """One snapshot, and what became of each class of senders so far."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.alike = cluster, Alike(cluster)
        self.known: dict[tuple[Towards, str, str], Fate | None] = {}
        self.look_ups: dict[Class, _LookUp] = {}

    def fates(self, asked: Asked) -> dict[Pair, Fate]:
        senders, outside = self._senders(asked), not asked.senders or INTERNET in asked.senders
        work: list[tuple[str, list[tuple[Towards, Pod | None]], Target]] = []
        for target in self._targets(asked):
            if target.outside:
                work += (
                    [(INTERNET, [((None, None), None)], target)] if outside and asked.wants(INTERNET, target.of) else []
                )
                continue
            for name, groups in senders.items():
                if asked.wants(name, target.of):
                    work.append((name, [*self._each(groups, target.service)], target))
        total = sum(len(some) * len(target.ways) for _, some, target in work)
        if total > MOST:
            raise TooManyError(f"{total} connections are too many: at most {MOST} at once; name namespaces")
        fates = ((Pair(name, target.name), self._together(some, target)) for name, some, target in work)
        return {pair: fate for pair, fate in fates if fate is not None}

    def _senders(self, asked: Asked) -> dict[str, list[Group]]:
        """Workloads and pods of nobody with their groups."""
        found: dict[str, dict[Class, Group]] = {}
        for pod in self.cluster.pods.values():
            if not pod.ips or pod.ended:
                continue
            name = workload_name(self.cluster, pod)
            if not asked.senders or name in asked.senders:
                kind = self.alike.sender(pod)
                groups = found.setdefault(name, {})
                group = groups.setdefault((kind, self.alike.called(pod)), Group(kind, {}))
                group.by_node.setdefault(pod.node, pod)
        return {name: [*groups.values()] for name, groups in found.items()}

    def _each(self, groups: list[Group], service: Service) -> Iterator[tuple[Towards, Pod]]:
        """One pod of each class towards a Service."""
        for group in groups:
            classes: dict[Towards, Pod] = {}
            for node in self.alike.nodes_of(service, group.by_node):
                pod = group.by_node[node]
                classes.setdefault((group.kind, self.alike.toward(pod, service)), pod)
            yield from classes.items()

    def _targets(self, asked: Asked) -> Iterator[Target]:
        cluster, inner = self.cluster, asked.senders != {INTERNET}
        outer = not asked.senders or INTERNET in asked.senders
        for (space, name), service in cluster.services.items():
            of = f"{space}/{name}"
            if asked.services and of not in asked.services:
                continue
            named = Named(of, service, tuple(pods_behind(cluster, service)), tuple(cluster.endpoints(service)))
            inside = ([*by_service(named, every=False)] or [*to_pods(named)]) if inner else []
            outside = [*faces(cluster, named, every=False)] if outer else []
            for is_outside, ways in ((False, inside), (True, outside)):
                doors: dict[str, dict[Class, Way]] = {}
                for way in ways:
                    kind = self.alike.door(way.destination.ip, service), way.destination.port, way.protocol, way.request
                    doors.setdefault(way.door or f"endpoints of {of}", {}).setdefault(kind, way)
                yield from (Target(door, service, is_outside, tuple(some.values())) for door, some in doors.items())

    def _together(self, some: list[tuple[Towards, Pod | None]], target: Target) -> Fate | None:
        """The fate of a workload: that of all its classes. None when the question cannot be asked at all."""
        found = [fate for kind, pod in some if (fate := self._fate(kind, pod, target)) is not None]
        if not found:
            return None
        first = next((fate for fate in found if fate.fails), found[0])
        return first._replace(
            verdicts=frozenset().union(*(one.verdicts for one in found)),
            backends=frozenset().union(*(one.backends for one in found)),
            sources=frozenset().union(*(one.sources for one in found)),
            by=frozenset().union(*(one.by for one in found)),
            arrives=any(one.arrives for one in found),
            fails=any(one.fails for one in found),
        )

    def _fate(self, kind: Towards, pod: Pod | None, target: Target) -> Fate | None:
        """Of one class of senders; what became of another pod of it is asked again by this one."""
        if pod is None:
            return self._tried(Source(kind="external"), target, None, self.alike.backends(""))
        source = Source(kind="pod", namespace=pod.namespace, name=pod.name)
        key = kind, target.name, target.of
        if key not in self.known:
            self.known[key] = self._tried(source, target, kind[0], self.alike.backends(pod.node, pod.ips))
        known = self.known[key]
        return known and known._replace(probe=msgspec.structs.replace(known.probe, source=source))

    def _tried(self, source: Source, target: Target, sender: Class, kind: Kind) -> Fate | None:
        verdicts, backends, seen, by = set[str](), set[str](), set[str](), set[str]()
        arrives = fails = False
        first: Probe | None = None
        for way in target.ways:
            probe = way.probe(source)
            entry = self.cluster.node_by_ip.get(way.destination.ip)
            try:
                by_node = self.alike.backends(entry.name) if entry else kind
                decisions = self._decisions(sender, probe, target.service, by_node)
            except ProbeError:
                continue
            for one, drawn in decisions.items():
                verdicts.add(one.verdict.value)
                if one.success:
                    arrives = True
                    backends.add(_who(self.cluster, one.address))
                    seen.add(_source(self.cluster, probe, one.seen))
                else:
                    if not fails:
                        first = msgspec.structs.replace(drawn, destination=way.destination)
                    fails = True
                    by.add(one.by)
            first = first or probe
        if first is None:
            return None
        sets = (frozenset(verdicts), frozenset(backends), frozenset(seen), frozenset(by - {""}))
        return Fate(*sets, arrives, fails, first, target.of)

    def _decisions(self, sender: Class, probe: Probe, service: Service, kind: Kind) -> dict[Decision, Probe]:
        """`fates`; a sender that found one Service's name finds those of others, so that it calls their addresses."""
        plain = probe.destination.kind == "service" and not service.headless and service.type != "ExternalName"
        if sender is None or not plain or len(service.cluster_ips) != 1:
            return fates(self.cluster, probe, kind)
        known = self.look_ups.get(sender)
        if known is None:
            every = fates(self.cluster, probe, kind)
            failed = {one: drawn for one, drawn in every.items() if one.verdict is Verdict.DNS_BLOCKED}
            if not any(one.verdict is Verdict.NAME_NOT_FOUND for one in every):
                self.look_ups[sender] = _LookUp(failed, len(failed) < len(every))
            return every
        if not known.found:
            return known.failed
        to = Destination(kind="ip", ip=service.ip, port=probe.destination.port)
        return known.failed | fates(self.cluster, msgspec.structs.replace(probe, destination=to), kind)


def workload_name(cluster: Cluster, pod: Pod) -> str:
    """``namespace/workload`` of a pod, its own name when nobody owns it."""
    owner = cluster.workload_of(pod)
    return f"{pod.namespace}/{owner.name if owner is not None else pod.name}"


def sender_names(cluster: Cluster) -> set[str]:
    """Who sends: workloads and pods of nobody."""
    return {workload_name(cluster, pod) for pod in cluster.pods.values() if pod.ips and not pod.ended}


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


def _space(name: str) -> str:
    return name.partition("/")[0]


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
