"""Single connections of a large cluster: who opens one, and what becomes of it, for a few microseconds each."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection
from typing import NamedTuple

from clusterviz.engine import Cluster
from clusterviz.engine.objects import Key, Obj, Pod
from clusterviz.engine.plain import plain
from clusterviz.engine.probe import Destination, Probe, Source
from clusterviz.engine.symptoms import refused
from clusterviz.engine.trace import SUCCESSES, Trace
from clusterviz.engine.traffic import DRAWS, FLOW, Connection, Flow, runs
from clusterviz.live.ends import ends_of
from clusterviz.live.mass import READY, MassTable
from clusterviz.live.routes import effect_of

# Walks a second for what is not plain, how many of a flow stand for the others, and for how long.
WALKS, WALKS_KEPT, WALK_AGE = 15.0, 8, 300.0
# How often a flow is walked again while others wait for their first walk.
AGAIN = 0.05
# A pod is asked for this often before it is taken that none of its workload runs.
TRIES = 4
MANY = 30.0
INTERNET, EXTERNAL = "internet", "external"
Asker = Callable[[Cluster, Connection], Trace | None]


class Result(NamedTuple):
    """What became of a connection: pods it passed, zones it led from and to; equal ``alike`` is an equal way."""

    effect: str
    pods: tuple[int, ...]
    zones: tuple[str, str]
    alike: tuple[object, ...] = ()


class Line:
    """A flow: its generator, its two ends as picture ids, and what became of its newest connections."""

    __slots__ = ("called", "ends", "flow", "key", "name", "origin", "rates", "ref", "rps", "target", "walked")

    def __init__(self, cluster: Cluster, key: Key, obj: Obj) -> None:
        self.key, self.flow = key, Flow(key, obj)
        self.ref = self.flow.ref
        self.rps = self.flow.rps if self.flow.destination is not None else 0.0
        self.origin, self.called = origin, target = ends_of(cluster, key, obj)
        self.ends = frozenset((origin, target, self.ref))
        kind, _, rest = target.partition(":")
        # The Service that is called from inside; from outside there is more on the way.
        inside = kind == "service" and self.flow.origin.get("kind") != "External"
        self.target = (rest.partition("/")[0], rest.partition("/")[2]) if inside else None
        destination = self.flow.destination
        self.name = destination is not None and destination.kind == "name"
        self.walked: list[tuple[float, int, Result]] = []
        self.rates: list[float] = [0.0, 0.0, 0.0, 0.0]

    @property
    def passed(self) -> tuple[str, ...]:
        """Picture ids the newest connection that was walked passed; () when none was."""
        return tuple(str(ref) for ref in self.walked[-1][2].alike[1:-1]) if self.walked else ()

    def source(self, cluster: Cluster, rng: random.Random) -> Source | Pod | None:
        """Who opens the next connection; None when nobody can."""
        origin = self.flow.origin
        kind, name = origin.get("kind"), str(origin.get("name") or "")
        namespace = str(origin.get("namespace") or self.key[1])
        if kind == "External":
            return Source(kind="external", name=name, ip=str(origin.get("ip") or ""))
        if kind == "Pod":
            pod = cluster.pods.get((namespace, name))
            return pod if pod is not None and runs(cluster, pod) else None
        pods = cluster.pods_of_workload.get((str(kind), namespace, name), ())
        for _ in range(TRIES if pods else 0):
            pod = pods[int(rng.random() * len(pods))]
            if runs(cluster, pod):
                return pod
        return None


class Decider:
    """Decides connections; walks are rationed."""

    def __init__(self, table: MassTable, rng: random.Random, ask: Asker) -> None:
        self._table, self._rng, self._ask = table, rng, ask
        self._walks = WALKS
        self._answered: set[tuple[str, str]] = set()
        self._network = 0

    def refill(self, passed: float) -> None:
        """Time has passed: some more walks."""
        self._walks = min(WALKS, self._walks + passed * WALKS)

    def forget(self, keys: Collection[Key], dns_space: str) -> None:
        """Objects with these keys changed: what they might matter to is found out anew."""
        keys = [key for key in keys if key[0] != FLOW]
        if any(key[0] not in _MOVING for key in keys):
            self._network += 1
        if any(key[0] not in _MOVING or key[1] == dns_space for key in keys):
            self._answered.clear()

    def decide(self, cluster: Cluster, line: Line, now: float) -> tuple[Connection, Result | None] | None:
        """One connection and what became of it, None while that is not known; None alone when nobody calls."""
        source = line.source(cluster, self._rng)
        if source is None:
            return None
        draw = int(self._rng.random() * DRAWS)
        if isinstance(source, Source):
            probe = line.flow.probe(cluster, source, draw)
            connection = Connection(now, line.key, probe)
            return connection, self._walk(cluster, line, connection, None)
        caller = Source(kind="pod", namespace=source.namespace, name=source.name)
        connection = Connection(now, line.key, line.flow.probe(cluster, caller, draw))
        return connection, self._plain(cluster, line, source, connection) or self._walk(
            cluster, line, connection, source
        )

    def _plain(self, cluster: Cluster, line: Line, pod: Pod, connection: Connection) -> Result | None:
        probe = connection.probe
        if line.target is not None:
            service = cluster.services.get(line.target)
            if service is None or not service.ip or (line.name and not self._resolves(cluster, pod, probe.source)):
                return None
            to = Destination(kind="ip", ip=service.ip, port=probe.destination.port)
            probe = Probe(source=probe.source, destination=to, protocol=probe.protocol, seed=probe.seed)
        elif probe.destination.kind != "ip":
            return None
        found = plain(cluster, probe)
        if found is None:
            return None
        peer = cluster.pod_by_ip.get(found.address)
        zone, pods = self._zone(cluster, pod), [self._table.indexes.get((pod.namespace, pod.name), -1)]
        if peer is None:
            zones = zone, EXTERNAL
        else:
            zones = zone, self._zone(cluster, peer)
            if found.verdict in SUCCESSES:
                pods.append(self._table.indexes.get((peer.namespace, peer.name), -1))
        effect = "allowed" if found.verdict in SUCCESSES else "refused" if refused(found.verdict, ()) else "dropped"
        alike = (line.key, pod.namespace, pod.name, found.address, found.port, found.verdict)
        return Result(effect, tuple(pods), zones, alike)

    def _resolves(self, cluster: Cluster, pod: Pod, source: Source) -> bool:
        """Whether the pod's question to cluster DNS arrives; otherwise the call is walked, which tells why."""
        name = pod.namespace, pod.name
        if name in self._answered:
            return True
        to = Destination(kind="ip", ip=cluster.settings.dns_ip, port=53)
        found = plain(cluster, Probe(source=source, destination=to, protocol="UDP"))
        if found is None or found.verdict not in SUCCESSES:
            return False
        self._answered.add(name)
        return True

    def _walk(self, cluster: Cluster, line: Line, connection: Connection, pod: Pod | None) -> Result | None:
        """As the engine's walk says, or as it said for another connection of this flow a while ago."""
        fresh = [entry for entry in line.walked if self._holds(entry, connection.time)]
        if fresh and self._rng.random() > AGAIN:
            return fresh[int(self._rng.random() * len(fresh))][2]
        if self._walks < 1:
            return None
        self._walks -= 1
        trace = self._ask(cluster, connection)
        if trace is None:
            return None
        result = self._read(cluster, line, trace, pod)
        line.walked = [*fresh[-WALKS_KEPT + 1 :], (connection.time, self._network, result)]
        return result

    def _holds(self, entry: tuple[float, int, Result], now: float) -> bool:
        """Whether what was walked is new enough, of this network, and led to pods that are still well."""
        time, network, result = entry
        states = self._table.state
        return network == self._network and time > now - WALK_AGE and all(states[at] == READY for at in result.pods)

    def _read(self, cluster: Cluster, line: Line, trace: Trace, pod: Pod | None) -> Result:
        refs = [point.ref for point in trace.waypoints]
        pods = [cluster.pods.get(_name(ref)) for ref in refs if ref.startswith("pod:")]
        first = self._zone(cluster, pod) if pod is not None else INTERNET if refs[:1] == [INTERNET] else EXTERNAL
        zones = [self._zone(cluster, one) for one in pods if one is not None]
        last = EXTERNAL if refs and refs[-1].startswith("external:") and pod is not None else (zones or [first])[-1]
        indexes = (self._table.indexes.get((one.namespace, one.name), -1) for one in pods if one is not None)
        return Result(effect_of(trace), tuple(indexes), (first, last), (line.key, *refs, str(trace.verdict)))

    def _zone(self, cluster: Cluster, pod: Pod) -> str:
        node = cluster.nodes.get(pod.node)
        return node.zone if node is not None else ""


# Kinds that change all the time; what they matter to is looked up each time, but for the pods of DNS.
_MOVING = frozenset({"Pod", "EndpointSlice", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job"})


def _name(ref: str) -> tuple[str, str]:
    namespace, _, name = ref.partition(":")[2].partition("/")
    return namespace, name


def poisson(rng: random.Random, mean: float) -> int:
    """How many happen, when ``mean`` do on average."""
    if mean > MANY:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
