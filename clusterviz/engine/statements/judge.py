"""Whether a snapshot keeps a statement: every sender, every way, every backend a connection can get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.draws import fates
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.journey import owner_of
from clusterviz.engine.objects import Pod
from clusterviz.engine.origin import find_origin, pods_named
from clusterviz.engine.probe import TARGETS, Source, parse_destination, parse_source
from clusterviz.engine.statements.grammar import Statement, StatementError
from clusterviz.engine.statements.objects import Named, Way, by_service, faces, find_named, to_pods
from clusterviz.engine.trace import Decision
from clusterviz.engine.verdicts import VERDICTS

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

MOST_EVIDENCE = 5


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that speaks for or against: who to what, its verdict, where it ended, the source seen there."""

    source: str
    to: str
    verdict: str
    address: str = ""
    seen: str = ""
    by: str = ""

    def __str__(self) -> str:
        """One line for people."""
        what = VERDICTS[self.verdict]
        where = f" at {self.address}" if self.address and self.verdict == "delivered" else ""
        seen = f", source {self.seen}" if self.seen and self.verdict == "delivered" else ""
        by = f" ({self.by})" if self.by else ""
        return f"{self.source} -> {self.to}: {self.verdict}: {what}{where}{seen}{by}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``holds``, how many connections were tried, and some that show it; ``why`` is one sentence."""

    statement: Statement
    holds: bool
    why: str
    tried: int
    evidence: tuple[Evidence, ...] = ()


class _Tried(NamedTuple):
    source: Source
    way: Way
    decision: Decision


def judge(cluster: Cluster, statement: Statement) -> Finding:
    """Try every connection the statement is about. Raises `StatementError` when it is about what is not there."""
    try:
        senders = _senders(cluster, statement.who)
        return _Judge(cluster, statement, senders).finding()
    except ProbeError as error:
        raise StatementError(str(error), error.allowed) from None


class _Judge:
    """One statement under way."""

    def __init__(self, cluster: Cluster, statement: Statement, senders: list[Source]) -> None:
        self.cluster, self.statement, self.senders = cluster, statement, senders
        origin = find_origin(cluster, senders[0])
        self.outside = not (origin.pod or origin.node)
        self.near = senders[0].namespace or "default"
        self.named, self.literal = self._target()

    def finding(self) -> Finding:
        kind = {"reach": self._reach, "not_reach": self._not_reach, "seen": self._seen}[self.statement.kind]
        return kind()

    def _target(self) -> tuple[Named | None, Way | None]:
        """The object meant, and the connection as it was typed, when it has a port or is a URL."""
        what, protocol = self.statement.what, self.statement.protocol
        destination, request = parse_destination(what) if "://" in what or ":" in what else (None, None)
        if destination is not None and destination.kind == "service" and ":" not in what.removeprefix("service:"):
            destination = None
        if destination is None or (destination.kind == "pod" and destination.port is None):
            named = find_named(self.cluster, what, self.near)
            if named is None and protocol == "ICMP":
                return None, Way(what, parse_destination(what)[0], "ICMP")
            if named is None:
                raise StatementError(f"nothing is called {what!r}, and it has no port", TARGETS)
            return named, None
        name = destination.name
        if destination.kind in ("pod", "service"):
            name = f"{destination.kind}:{destination.namespace}/{name}"
        named = find_named(self.cluster, name, self.near, destination.port) if name and "://" not in what else None
        if "/" in name and destination.kind == "name" and "://" not in what:
            # NAMESPACE/NAME:PORT is an object, and no name that DNS knows
            if named is None:
                raise StatementError(f"nothing is called {name!r}", TARGETS)
            return named, None
        if named is None and destination.port is None and protocol != "ICMP":
            raise StatementError(f"{what!r} has no port", TARGETS)
        way = Way(what, destination, protocol or ("UDP" if what.startswith("udp://") else "TCP"), request)
        return named, way

    # -- what is tried ---------------------------------------------------------------------------------------------

    def _ways(self, *, every: bool) -> Iterator[Way]:
        """``every``: all a client could try; otherwise how the object is called as it is meant."""
        named, literal = self.named, self.literal
        if literal is not None and not (self.outside and named):
            yield literal
        if named is None:
            return
        if self.outside or every:
            yield from self._right(faces(self.cluster, named, every=every))
        if every or (literal is None and not self.outside):
            inside = [*by_service(named, every=every)]
            yield from self._right(inside)
            if every or not inside:
                yield from self._right(to_pods(named))

    def _right(self, ways: Iterable[Way]) -> Iterator[Way]:
        wanted = self.statement.protocol
        for way in ways:
            if wanted in ("", way.protocol):
                yield way

    def _tries(self, *, every: bool) -> Iterator[_Tried]:
        for way in self._ways(every=every):
            for source in self.senders:
                for decision in fates(self.cluster, way.probe(source)):
                    yield _Tried(source, way, decision)

    def _arrives(self, one: _Tried) -> bool:
        """Whether it ends at what is meant: a proxy may lead elsewhere."""
        return one.decision.success and self._meant(one.decision)

    def _meant(self, decision: Decision) -> bool:
        """Whether it went to a process that is meant; who names no object means whatever answers."""
        named = self.named
        if named is None or not named.behind:
            return True
        return decision.address in named.behind and named.leads_to(decision.port)

    # -- what follows ----------------------------------------------------------------------------------------------

    def _reach(self) -> Finding:
        tried = [*self._tries(every=False)]
        if not tried:
            return self._answer(False, "no way leads there" + self._from(), 0)
        if not self.outside:
            bad = [one for one in tried if not one.decision.success]
            why = f"{len(tried) - len(bad)} of {len(tried)} connections arrive"
            return self._answer(not bad, why, len(tried), bad or tried[:1])
        ways: dict[str, list[_Tried]] = {}
        for one in tried:
            ways.setdefault(one.way.to, []).append(one)
        good = [to for to, some in ways.items() if self._open(some)]
        why = f"{len(good)} of {len(ways)} ways arrive"
        shown = [one for to in good[:1] for one in ways[to]] or [some[0] for some in ways.values()]
        return self._answer(bool(good), why, len(tried), shown[:1] if good else shown)

    def _open(self, some: list[_Tried]) -> bool:
        """Whether a way from outside leads to what is meant, and every backend of it answers."""
        lost = [one for one in some if not one.decision.success and self._meant(one.decision)]
        return not lost and any(self._arrives(one) for one in some)

    def _not_reach(self) -> Finding:
        tried = [*self._tries(every=True)]
        bad = [one for one in tried if self._arrives(one)]
        why = f"{len(bad)} of {len(tried)} connections arrive"
        if not tried:
            why = "no way leads there" + self._from()
        return self._answer(not bad, why, len(tried), bad or tried[:1])

    def _seen(self) -> Finding:
        tried = [one for one in self._tries(every=False) if self._arrives(one)]
        if not tried:
            return self._answer(False, "no connection arrives there" + self._from(), 0)
        bad = [one for one in tried if not self._is_seen(one)]
        why = f"{len(tried) - len(bad)} of {len(tried)} connections show it"
        return self._answer(not bad, why, len(tried), bad or tried[:1])

    def _is_seen(self, one: _Tried) -> bool:
        wanted, seen = self.statement.seen, one.decision.seen
        if wanted == "client":
            return seen in find_origin(self.cluster, one.source).ips
        return seen in self.cluster.node_by_ip if wanted == "node" else seen == wanted

    def _from(self) -> str:
        return f" from {self.statement.who}" if self.outside else ""

    def _answer(self, holds: bool, why: str, tried: int, some: Iterable[_Tried] = ()) -> Finding:
        first: dict[tuple[Source, str, str], _Tried] = {}
        for one in some:
            first.setdefault((one.source, one.way.to, one.decision.verdict.value), one)
        evidence = tuple(self._evidence(one) for one in [*first.values()][:MOST_EVIDENCE])
        return Finding(statement=self.statement, holds=holds, why=why, tried=tried, evidence=evidence)

    def _evidence(self, one: _Tried) -> Evidence:
        source, made = one.source, one.decision
        name = source.ip or self.cluster.settings.client_ip if source.kind == "external" else source.name
        name = f"{source.namespace}/{source.name}" if source.namespace else name
        owner = f" ({owner_of(self.cluster, made.seen)})" if made.seen else ""
        return Evidence(
            source=name + (f"/{source.container}" if source.container else ""),
            to=one.way.to,
            verdict=made.verdict.value,
            address=host_port(made.address, made.port) if made.port else made.address,
            seen=made.seen + owner if made.seen else "",
            by=made.by,
        )


def _senders(cluster: Cluster, who: str) -> list[Source]:
    words = who.split()
    if [word.lower() for word in words[:2]] == ["every", "pod"]:
        if len(words) not in (2, 4) or (len(words) == 4 and words[2].lower() != "of"):
            raise StatementError(f"cannot read {who!r}", "every pod; every pod of NAMESPACE")
        pods = [pod for pod in cluster.pods.values() if len(words) == 2 or pod.namespace == words[3]]
        sending = _sending(pods)
        if not sending:
            raise StatementError(
                f"{who!r} is nobody", ", ".join(sorted({pod.namespace for pod in cluster.pods.values()}))
            )
        return sending
    source = parse_source(who)
    if source.kind == "workload":
        return _sending(pods_named(cluster, source)) or [source]
    return [source]


def _sending(pods: Iterable[Pod]) -> list[Source]:
    return [Source(kind="pod", namespace=pod.namespace, name=pod.name) for pod in pods if pod.ips and not pod.ended]
