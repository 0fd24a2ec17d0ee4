"""What the engine costs, in CPU seconds of this process: the best of several rounds, the collector switched off."""

from __future__ import annotations

import copy
import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from clusterviz.engine import Change, Cluster, trace
from clusterviz.engine.decision import decide
from tests.benchmarks.synthetic import SETTINGS, Size, cluster_objects, questions


class Costs(NamedTuple):
    """CPU seconds, and bytes a pod.

    Of one build, the first answer after it, one trace, one trace whose legs are read, one that is read to the end as
    plain data, one decision, one update.
    """

    size: Size
    build: float
    first: float
    trace: float
    legs: float
    document: float
    decision: float
    update: float
    memory: float

    @property
    def build_a_pod(self) -> float:
        """CPU seconds a pod."""
        return self.build / self.size.pods


@contextmanager
def quiet() -> Iterator[None]:
    """Without the collector, which would look at everything alive at moments of its own choice."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The quickest of several rounds."""
    best = float("inf")
    with quiet():
        for _ in range(rounds):
            start = time.process_time()
            work()
            best = min(best, time.process_time() - start)
    return best


def ratio(less: Callable[[], Any], more: Callable[[], Any], bound: float, rounds: int = 6, at_most: int = 60) -> float:
    """How much more the second takes, each at its quickest.

    They take turns, so that a busy machine slows both; when the ratio is above the bound they go on, since what a
    busy moment adds to either goes away with more rounds, and what the work itself takes does not.
    """
    best = [float("inf"), float("inf")]
    with quiet():
        for done in range(1, at_most + 1):
            for which, work in enumerate((less, more)):
                start = time.process_time()
                work()
                best[which] = min(best[which], time.process_time() - start)
            if done >= rounds and best[1] <= bound * best[0]:
                break
    return best[1] / best[0]


def build(objects: list[dict[str, Any]]) -> Cluster:
    """As the dashboard builds it: the objects are complete."""
    return Cluster.from_objects(objects, SETTINGS, expand=False)


def updates(cluster: Cluster, count: int) -> list[Change]:
    """Pods that turn unready, all over the cluster."""
    names = sorted(cluster.pods)
    found = []
    for number in range(count):
        obj = copy.deepcopy(cluster.objects["Pod", *names[number * 7919 % len(names)]])
        obj["status"]["conditions"][0]["status"] = "False"
        found.append(Change("set", obj))
    return found


def warm(cluster: Cluster) -> None:
    """Every index that traffic and the dashboard ask for, so that an update has them all to change."""
    for name in ("fingerprint", "pods_of_workload", "host_pods", "services_by_node_port", "pods_by_host_port"):
        getattr(cluster, name)


def measure(size: Size, rounds: int = 3, count: int = 2_000) -> Costs:
    """All costs of one size. Traces and decisions are asked twice, the first time to warm what is remembered."""
    objects = cluster_objects(size)
    built = seconds(lambda: build(objects), rounds)
    cluster = build(objects)
    probes = questions(cluster, count)
    start = time.process_time()
    answer = trace(cluster, probes[0])
    assert answer.reverse is not None
    first = time.process_time() - start
    legs = seconds(lambda: [trace(cluster, probe).reverse for probe in probes], rounds) / count
    some = probes[: count // 5]
    documents = seconds(lambda: [trace(cluster, probe).to_dict() for probe in some], rounds) / len(some)
    traces = seconds(lambda: [trace(cluster, probe) for probe in probes], rounds + 2) / count
    decisions = seconds(lambda: [decide(cluster, probe) for probe in probes], rounds + 2) / count
    warm(cluster)
    changes = updates(cluster, 200)

    def follow() -> None:
        new = cluster
        for change in changes:
            new = new.apply([change])

    update = seconds(follow, rounds + 1) / len(changes)
    taken = memory(objects) / size.pods
    return Costs(size, built, first, traces, legs, documents, decisions, update, taken)


def memory(objects: list[dict[str, Any]]) -> int:
    """Bytes a snapshot takes beyond the plain objects."""
    gc.collect()
    tracemalloc.start()
    cluster = build(objects)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert cluster.pods
    return size
