"""Traffic of a large cluster: how warm each pod is, what passes between zones, what fails.

Connections are opened by chance as in `engine.traffic`, but told as sums. When there are more than can be decided in
`SHARE` of a core, some are decided for all of them and count as many (``sampled``). Calls that somebody watches come
out of `Bulk.run` one by one.
"""

from __future__ import annotations

import math
import random
import time
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from clusterviz.engine import Cluster
from clusterviz.engine.objects import Key, Pod
from clusterviz.engine.traffic import FLOW, Connection
from clusterviz.live.bulkflows import Asker, Decider, Line, Result, poisson
from clusterviz.live.heat import Heat
from clusterviz.live.mass import MassTable
from clusterviz.live.meter import OUTCOMES
from clusterviz.live.protocol import FlowTotals, MassTraffic, Totals

# Of a core's time; connections a second that are decided, of all flows and of those that are watched.
SHARE = 0.1
MOST, MOST_WATCHED = 5_000.0, 500.0
WATCHED_LINES = 300
# How often the time is looked at, and how many are decided each time whatever it says.
LOOK, LEAST = 32, 4
# Seconds of the ration that one long step may take along: building an index must not silence the picture for long.
DEBT = 3.0
PERIOD = 1.0
WINDOW = 5.0


class Bulk:
    """All flows of a large cluster. ``stopwatch`` tells the seconds of a core this thread has had."""

    def __init__(
        self,
        seed: str,
        now: float,
        table: MassTable,
        ask: Asker,
        stopwatch: Callable[[], float] = time.thread_time,
    ) -> None:
        self.heat = Heat(table, now)
        self.sampled = 1
        self._rng = random.Random(f"{seed}/bulk")  # noqa: S311 - traffic, not secrets
        self._decider = Decider(table, self._rng, ask)
        self._now, self._table, self._stopwatch = now, table, stopwatch
        self.lines: dict[Key, Line] = {}
        self._pool: list[Line] = []
        self._sums: list[float] = []
        self._watched: frozenset[str] = frozenset()
        self._close: list[Line] = []
        self._spent = 0.0
        self._taken = [0.0, 0.0, 0.0]
        self._rates = [0.0, 0.0, 0.0, now]
        self._opened = self._decided = self._owed = 0
        self._told = now

    def update(self, cluster: Cluster, keys: Iterable[Key]) -> None:
        """Objects with these keys changed."""
        keys = list(keys)
        dns = next((service.namespace for service, _ in cluster.services_by_ip.get(cluster.settings.dns_ip, ())), "")
        self._decider.forget(keys, dns)
        changed = [key for key in keys if key[0] == FLOW]
        for key in changed:
            obj = cluster.objects.get(key)
            if obj is None:
                self.lines.pop(key, None)
            else:
                self.lines[key] = Line(cluster, key, obj)
        if changed:
            self._share(cluster)

    def watch(self, cluster: Cluster, ids: frozenset[str]) -> None:
        """Calls that touch these come out of `run`."""
        if ids != self._watched:
            self._watched = ids
            self._share(cluster)

    def _share(self, cluster: Cluster) -> None:
        """Which flows are watched; the others share the samples by their rate."""
        refs = self._refs(cluster)
        close = [line for line in self.lines.values() if not refs.isdisjoint(line.ends)] if refs else []
        self._close = sorted(close, key=lambda line: (self._watched.isdisjoint(line.ends), -line.rps, line.key))[
            :WATCHED_LINES
        ]
        taken = {line.key for line in self._close}
        self._pool = [line for line in self.lines.values() if line.key not in taken and line.rps > 0]
        self._sums = list(accumulate(line.rps for line in self._pool))

    def _refs(self, cluster: Cluster) -> set[str]:
        """The watched ids, and the workloads and Services of watched pods and nodes."""
        refs = set(self._watched)
        nodes = {ref.removeprefix("node:") for ref in refs if ref.startswith("node:")}
        names = self._table.on(nodes)
        names += [(ref[4:].partition("/")[0], ref.partition("/")[2]) for ref in refs if ref.startswith("pod:")]
        for pod in filter(None, map(cluster.pods.get, names)):
            workload = cluster.workload_of(pod)
            refs |= {pod.ref, *(service.ref for service in cluster.services_selecting(pod))}
            if workload is not None:
                refs.add(workload.ref)
        return refs

    def skip(self, until: float) -> None:
        """Let time pass without connections."""
        self._now = until

    def run(self, cluster: Cluster, until: float) -> Iterator[tuple[Connection, Result]]:
        """Connections up to ``until``; those somebody watches come out."""
        passed = until - self._now
        if passed <= 0:
            return
        self._now = until
        self._decider.refill(passed)
        self._spent = max(0.0, self._spent - SHARE * passed)
        started = self._stopwatch()
        seen = self._run_watched(cluster, passed, until)
        self._run_pool(cluster, passed, until, started)
        self._spent = min(self._spent + self._stopwatch() - started, SHARE * DEBT)
        yield from seen

    def _run_watched(self, cluster: Cluster, passed: float, now: float) -> list[tuple[Connection, Result]]:
        seen, left = [], max(1.0, MOST_WATCHED * passed)
        for line in self._close:
            opened = poisson(self._rng, line.rps * passed)
            decided = min(opened, max(1, int(left)))
            left -= decided
            self._opened += opened
            self._decided += decided
            for _ in range(decided):
                connection, result = self._decider.decide(cluster, line, now) or (None, None)
                if connection is None or result is None:
                    continue
                self._count(line, result, opened / decided, now)
                if self._touches(cluster, line, result):
                    count = max(1, round(opened / decided))
                    seen.append((Connection(now, line.key, connection.probe, count), result))
        return seen

    def _touches(self, cluster: Cluster, line: Line, result: Result) -> bool:
        """Whether a connection is one of those that are watched."""
        if not self._watched.isdisjoint(line.ends):
            return True
        names = (self._table.names[index] for index in result.pods if index >= 0)
        pods: Iterable[Pod | None] = (cluster.pods.get(name) for name in names if name)
        return any(pod and (pod.ref in self._watched or f"node:{pod.node}" in self._watched) for pod in pods)

    def _run_pool(self, cluster: Cluster, passed: float, now: float, started: float) -> None:
        """Decide as many of the other connections as there is time for."""
        if not self._sums:
            return
        self._owed += (opened := poisson(self._rng, self._sums[-1] * passed))
        wanted = min(self._owed, max(1, int(MOST * passed)))
        found: list[tuple[Line, Result | None]] = []
        for turn in range(wanted):
            if turn >= LEAST and turn % LOOK == LEAST and self._spent + self._stopwatch() - started > SHARE * PERIOD:
                break
            line = self._pool[min(bisect(self._sums, self._rng.random() * self._sums[-1]), len(self._pool) - 1)]
            decided = self._decider.decide(cluster, line, now)
            if decided is not None:
                found.append((line, decided[1]))
            else:
                found.append((line, None))
        for line, result in found:
            if result is not None:
                self._count(line, result, self._owed / len(found), now)
        self._opened += opened
        self._decided += len(found)
        if found:
            self._owed = 0

    def _count(self, line: Line, result: Result, count: float, now: float) -> None:
        outcome = OUTCOMES[result.effect]
        self._taken[outcome] += count
        _add(line.rates, outcome, count, now, self.heat.window)
        _add(self._rates, outcome, count, now, WINDOW)
        self.heat.add(result.pods, result.zones, count, now, failed=outcome > 0)

    def take(self, now: float) -> MassTraffic:
        """What is to be told of the pods; once a second, in between nothing."""
        passed = now - self._told
        if passed < PERIOD:
            return MassTraffic(heat=[], sweep=None, trunks=None, sampled=self.sampled)
        self._told = now
        if self._opened:
            self.sampled = max(1, round(self._opened / max(1, self._decided)))
            self.heat.smooth(self.sampled)
        self._opened = self._decided = 0
        heat, sweep = self.heat.take(now, passed)
        return MassTraffic(heat=heat, sweep=sweep, trunks=self.heat.trunks(now), sampled=self.sampled)

    def take_counts(self) -> list[int]:
        """Connections delivered, refused and dropped since the last call."""
        whole = [int(number) for number in self._taken]
        self._taken = [number - part for number, part in zip(self._taken, whole, strict=True)]
        return whole

    def totals(self, now: float) -> Totals:
        """Rates of everything, and of the flows that are watched."""
        flows = {line.ref: rates_of(line.rates, now, self.heat.window) for line in self._close}
        everything = rates_of(self._rates, now, WINDOW)
        return Totals(everything.rps, {ref: found for ref, found in flows.items() if found.rps})


def _add(rates: list[float], outcome: int, count: float, now: float, window: float) -> None:
    left = math.exp((rates[3] - now) / window)
    for number in range(3):
        rates[number] *= left
    rates[outcome] += count / window
    rates[3] = now


def rates_of(rates: list[float], now: float, window: float) -> FlowTotals:
    """Connections a second of a flow by what became of them; ``rates`` as `Line` keeps them."""
    left = math.exp((rates[3] - now) / window)
    ok, refused, dropped = (round(number * left, 2) for number in rates[:3])
    return FlowTotals(rps=round(ok + refused + dropped, 2), ok=ok, refused=refused, dropped=dropped)
