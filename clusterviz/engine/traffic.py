"""Connections along the flows: when they are opened, by which pod, and where to.

Each flow has a random number generator of its own, so another flow changes nothing in it. The same
seed, flows and snapshots give the same connections.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from clusterviz.engine.cluster import Cluster
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.objects import Key, Obj, Pod, ref_of
from clusterviz.engine.probe import Destination, Probe, Request, Source, parse_destination

DRAWS = 256
MAX_RATE = 100.0
FLOW = "TrafficFlow"


class Connection(msgspec.Struct, frozen=True):
    """One connection, or ``count`` of them where a flow opens very many."""

    time: float
    flow: Key
    probe: Probe
    count: int = 1


class Flow:
    """A flow as its generator sees it; a question that cannot be asked gives no connections."""

    def __init__(self, key: Key, obj: Obj) -> None:
        spec = obj.get("spec") or {}
        self.key, self.obj = key, obj
        self.ref = ref_of(key)
        self.rps = _rate(spec.get("requestsPerSecond"))
        self.origin: dict[str, Any] = spec.get("from") or {}
        target: dict[str, Any] = spec.get("to") or {}
        self.protocol = str(target.get("protocol") or "TCP")
        self.weight = max(1, math.ceil(self.rps / MAX_RATE))
        self.destination: Destination | None = None
        self.request: Request | None = None
        host, port = str(target.get("host") or ""), target.get("port")
        try:
            self.destination, _ = parse_destination(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except ProbeError:
            return
        if target.get("scheme") in ("http", "https") and self.protocol == "TCP":
            self.request = Request(scheme=str(target["scheme"]), host=host, path=str(target.get("path") or "/"))

    def sources(self, cluster: Cluster) -> list[Source]:
        """Who may open a connection: the workload's ready pods, in a fixed order."""
        kind, name = self.origin.get("kind"), str(self.origin.get("name") or "")
        namespace = str(self.origin.get("namespace") or self.key[1])
        if kind == "External":
            return [Source(kind="external", name=name, ip=str(self.origin.get("ip") or ""))]
        if kind == "Pod":
            pod = cluster.pods.get((namespace, name))
            pods = [pod] if pod else []
        else:
            pods = cluster.pods_of_workload.get((str(kind), namespace, name), [])
        return [
            Source(kind="pod", namespace=pod.namespace, name=pod.name)
            for pod in sorted(pods, key=lambda pod: pod.name)
            if runs(cluster, pod)
        ]

    def probe(self, cluster: Cluster, source: Source, draw: int) -> Probe:
        """The question of one connection; ``draw`` picks the backend and the source port."""
        destination = self.destination
        assert destination is not None
        if source.kind == "external" and destination.kind == "name":
            destination = self._from_outside(cluster, destination)
        return Probe(
            source=source,
            destination=destination,
            protocol=self.protocol,  # type: ignore[arg-type]
            request=self.request,
            seed=draw,
        )

    def _from_outside(self, cluster: Cluster, destination: Destination) -> Destination:
        """Outside, cluster DNS is not asked: whoever names a Service means its outside address."""
        domain = f".svc.{cluster.settings.cluster_domain}"
        name, _, namespace = destination.name.rstrip(".").removesuffix(domain).removesuffix(".svc").partition(".")
        namespace = namespace or self.key[1]
        if (namespace, name) not in cluster.services:
            return destination
        return Destination(kind="service", namespace=namespace, name=name, port=destination.port)


class Traffic:
    """All flows of a cluster: a Poisson process each, merged by time."""

    def __init__(self, seed: str, now: float) -> None:
        self._seed, self._now = seed, now
        self._flows: dict[Key, Flow] = {}
        self._rngs: dict[Key, random.Random] = {}
        self._heap: list[tuple[float, Key, Flow]] = []

    @property
    def flows(self) -> dict[Key, Flow]:
        """The flows by key."""
        return self._flows

    def update(self, cluster: Cluster) -> None:
        """Follow the TrafficFlow objects of the cluster."""
        wanted = {key: obj for key, obj in cluster.objects.items() if key[0] == FLOW}
        for key in [key for key in self._flows if key not in wanted]:
            del self._flows[key]
        for key in sorted(wanted):
            known = self._flows.get(key)
            if known is None or known.obj != wanted[key]:
                flow = self._flows[key] = Flow(key, wanted[key])
                self._plan(flow, self._now)

    def skip(self, until: float) -> None:
        """Let time pass without connections, for times when nobody looks."""
        self._now = until
        self._heap = [entry for entry in self._heap if entry[0] > until and self._flows.get(entry[1]) is entry[2]]
        planned = {key for _, key, _ in self._heap}
        heapq.heapify(self._heap)
        for key in sorted(self._flows.keys() - planned):
            self._plan(self._flows[key], until)

    def run(self, cluster: Cluster, until: float) -> Iterator[Connection]:
        """Connections opened up to ``until``, in order."""
        while self._heap and self._heap[0][0] <= until:
            time, key, flow = heapq.heappop(self._heap)
            if self._flows.get(key) is not flow:
                continue
            rng = self._rng(key)
            sources = flow.sources(cluster) if flow.destination else []
            if sources:
                source = sources[rng.randrange(len(sources))]
                yield Connection(time, key, flow.probe(cluster, source, rng.randrange(DRAWS)), flow.weight)
            self._plan(flow, time)
        self._now = max(self._now, until)

    def _plan(self, flow: Flow, after: float) -> None:
        if flow.rps > 0:
            gap = self._rng(flow.key).expovariate(flow.rps / flow.weight)
            heapq.heappush(self._heap, (after + gap, flow.key, flow))

    def _rng(self, key: Key) -> random.Random:
        if key not in self._rngs:
            self._rngs[key] = random.Random(f"{self._seed}/{'/'.join(key)}")  # noqa: S311 - traffic, not secrets
        return self._rngs[key]


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return max(0.0, float(value))


def runs(cluster: Cluster, pod: Pod) -> bool:
    """Whether a pod opens connections: a dead node's call nobody, long before anybody notices."""
    node = cluster.nodes.get(pod.node)
    return pod.ready and not pod.terminating and node is not None and not node.down
