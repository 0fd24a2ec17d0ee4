"""Every name, address and label of a cluster as one text that is searched; made anew when it is a few seconds old."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from clusterviz.engine import Cluster
from clusterviz.engine.objects import ref_of

# Seconds a list of names serves although the cluster has changed; lists that are kept.
STALE, KEPT = 3.0, 4


class Names(NamedTuple):
    """Every name of a moment as one text: a line an object, ``kind namespace/name address key=value ...``."""

    cluster: Cluster
    made: float
    text: str
    starts: list[int]
    refs: list[str]


_lock = threading.Lock()
_names: dict[str, Names] = {}


def names_of(name: str, cluster: Cluster) -> Names:
    """The names of now, or of a few seconds ago, in the cluster called ``name``."""
    now = time.monotonic()
    with _lock:
        known = _names.pop(name, None)
        if known is None or (known.cluster is not cluster and now - known.made > STALE):
            known = _gather(cluster, now)
        _names[name] = known
        while len(_names) > KEPT:
            del _names[next(iter(_names))]
    return known


def _gather(cluster: Cluster, now: float) -> Names:
    texts: dict[int, str] = {}  # equal labels of pods are mostly one object

    def told(labels: Mapping[str, str]) -> str:
        known = texts.get(id(labels))
        if known is None:
            known = texts[id(labels)] = " ".join([f"{key}={value}" for key, value in labels.items()])
        return known

    rows = [
        (f"pod {pod.namespace}/{pod.name} {pod.ips[0] if pod.ips else ''} {told(pod.labels)}\n", pod.ref)
        for pod in cluster.pods.values()
    ]
    rows += [
        (f"service {one.namespace}/{one.name} {one.ip} {told(one.labels)}\n", one.ref)
        for one in cluster.services.values()
    ]
    others = (("ingress", cluster.ingresses), ("gateway", cluster.gateways), ("policy", cluster.policies))
    for kind, records in others:
        rows += [(f"{kind} {one.namespace}/{one.name} {told(one.labels)}\n", one.ref) for one in records.values()]
    rows += [
        (f"workload {one.namespace}/{one.name} {one.kind} {told(one.labels)}\n", one.ref)
        for one in cluster.workloads.values()
        if not one.owner[1]
    ]
    rows += [(f"node /{one.name} {one.ip} {one.zone} {told(one.labels)}\n", one.ref) for one in cluster.nodes.values()]
    rows += [(f"namespace /{name} \n", f"namespace:{name}") for name in sorted(cluster.namespace_names)]
    rows += [(f"flow {key[1]}/{key[2]} \n", ref_of(key)) for key in cluster.objects if key[0] == "TrafficFlow"]
    lines = [line.lower() for line, _ in rows]
    starts = list(accumulate(map(len, lines), initial=0))
    return Names(cluster, now, "".join(lines), starts, [ref for _, ref in rows])
