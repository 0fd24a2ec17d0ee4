"""Parts of a cluster that are asked for: full entities of a node, a workload, a namespace; and whatever has a name."""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from clusterviz.engine import Cluster
from clusterviz.engine.objects import WORKLOAD_KINDS, ref_of
from clusterviz.live.keeper import Replica
from clusterviz.live.protocol import MAX_WATCHED, Entity
from clusterviz.live.refs import KINDS, key_of_ref
from clusterviz.live.relations import entity_of

AT_ONCE = 600
HITS = 50
# Seconds a list of names serves although the cluster has changed; lists that are kept; the longest question.
STALE, KEPT, LONGEST = 3.0, 4, 200


class AskedError(ValueError):
    """A question that cannot be answered: the parameter, and what is allowed."""

    def __init__(self, message: str, *, field: str, allowed: str) -> None:
        super().__init__(message)
        self.field, self.allowed = field, allowed


def entities(replica: Replica, query: Mapping[str, str]) -> dict[str, Any]:
    """Entities of one node, workload, namespace and kind, or with certain ids; by id, so many at once.

    Raises `AskedError`.
    """
    refs = sorted(set(_asked(replica.cluster, query)))
    start = bisect_right(refs, query.get("after", "")) if query.get("after") else 0
    found: list[Entity] = []
    for ref in refs[start : start + AT_ONCE]:
        entity = entity_of(replica, ref)
        if entity is not None:
            found.append(entity)
    more = max(0, len(refs) - start - AT_ONCE)
    return {"epoch": replica.epoch, "seq": replica.seq, "entities": found, "more": more}


def _asked(cluster: Cluster, query: Mapping[str, str]) -> Iterable[str]:
    if query.get("ids"):
        refs = query["ids"].split(",")
        if len(refs) > MAX_WATCHED:
            raise AskedError(f"{len(refs)} ids", field="ids", allowed=f"at most {MAX_WATCHED}")
        return refs
    if query.get("node"):
        name = _named(query["node"], "node", "node")
        return [pod.ref for pod in cluster.pods.values() if pod.node == name]
    if query.get("workload"):
        key = key_of_ref(query["workload"])
        if key is None or key[0] not in WORKLOAD_KINDS:
            raise AskedError(
                f"{query['workload'][:100]!r} is no workload", field="workload", allowed="the id of a workload"
            )
        return [pod.ref for pod in cluster.pods_of_workload.get(key, ())]
    if query.get("namespace"):
        return _of_namespace(cluster, query["namespace"].removeprefix("namespace:"), query.get("kind", ""))
    raise AskedError("nothing was asked for", field="node", allowed="node, workload, namespace with kind, or ids")


def _named(ref: str, kind: str, field: str) -> str:
    if not ref.startswith(f"{kind}:"):
        raise AskedError(f"{ref[:100]!r} is no {kind}", field=field, allowed=f"the id of a {kind}")
    return ref.partition(":")[2]


def _of_namespace(cluster: Cluster, space: str, kind: str) -> list[str]:
    kinds = {
        **{one: (name,) for one, name in KINDS.items() if one not in ("node", "namespace")},
        "workload": WORKLOAD_KINDS,
    }
    if kind not in kinds:
        raise AskedError(f"unknown kind {kind[:40]!r}", field="kind", allowed=", ".join(sorted(kinds)))
    if kind == "pod":
        return [pod.ref for pod in cluster.pods.values() if pod.namespace == space]
    return [ref_of(key) for key in cluster.objects if key[1] == space and key[0] in kinds[kind]]


class Names(NamedTuple):
    """Every name of a moment as one text: a line an object, ``kind namespace/name address key=value ...``."""

    cluster: Cluster
    made: float
    text: str
    starts: list[int]
    refs: list[str]


_lock = threading.Lock()
_names: dict[str, Names] = {}
ORDER = ("pod", "service", "ingress", "gateway", "node", "workload", "policy", "flow", "namespace")


def search(replica: Replica, query: str) -> dict[str, Any]:
    """What the words of a question occur in: whole names first, then beginnings of names, then the rest."""
    words = query.lower()[:LONGEST].split()
    if not words:
        return {"hits": [], "more": False}
    names = _names_of(replica)
    refs: dict[str, None] = {}
    first = re.escape(max(words, key=len))
    # A name stands between a slash and a space.
    for pattern in (f"/{first} ", f"/{first}", f" {first}", first):
        for found in re.finditer(pattern, names.text):
            row = bisect_right(names.starts, found.start()) - 1
            line = names.text[names.starts[row] : names.starts[row + 1]]
            if all(word in line for word in words):
                refs[names.refs[row]] = None
                if len(refs) > HITS * 2:
                    break
        if len(refs) > HITS:
            break
    hits = [hit for ref in refs if (hit := _hit(replica, ref)) is not None]
    return {"hits": hits[:HITS], "more": len(hits) > HITS}


def _hit(replica: Replica, ref: str) -> dict[str, Any] | None:
    """One line of the answer; None when the object is gone by now."""
    entity = entity_of(replica, ref)
    if entity is None:
        return None
    ip = entity.get("ip") or entity.get("clusterIP") or entity.get("address") or ""
    hit = {
        "id": ref,
        "kind": entity["kind"],
        "name": entity["name"],
        "namespace": entity.get("namespace", ""),
        "ip": ip,
    }
    return {**hit, "index": entity["index"]} if "index" in entity else hit


def _names_of(replica: Replica) -> Names:
    """The names of now, or of a few seconds ago."""
    now = time.monotonic()
    with _lock:
        known = _names.pop(replica.name, None)
        if known is None or (known.cluster is not replica.cluster and now - known.made > STALE):
            known = _gather(replica.cluster, now)
        _names[replica.name] = known
        while len(_names) > KEPT:
            del _names[next(iter(_names))]
    return known


def _gather(cluster: Cluster, now: float) -> Names:
    rows = [(f"pod {pod.namespace}/{pod.name} {pod.ip}", pod.labels, pod.ref) for pod in cluster.pods.values()]
    rows += [(f"service {one.namespace}/{one.name} {one.ip}", one.labels, one.ref) for one in cluster.services.values()]
    rows += [
        (f"workload {one.namespace}/{one.name} {one.kind}", one.labels, one.ref)
        for one in cluster.workloads.values()
        if not one.owner[1]
    ]
    rows += [(f"node /{one.name} {one.ip} {one.zone}", one.labels, one.ref) for one in cluster.nodes.values()]
    rows += [(f"namespace /{name}", {}, f"namespace:{name}") for name in sorted(cluster.namespace_names)]
    others = (("ingress", cluster.ingresses), ("gateway", cluster.gateways), ("policy", cluster.policies))
    for kind, records in others:
        rows += [(f"{kind} {one.namespace}/{one.name}", one.labels, one.ref) for one in records.values()]
    rows += [(f"flow {key[1]}/{key[2]}", {}, ref_of(key)) for key in cluster.objects if key[0] == "TrafficFlow"]
    lines = [
        f"{text} {' '.join(f'{key}={value}' for key, value in labels.items())}\n".lower() for text, labels, _ in rows
    ]
    starts, at = [0], 0
    for line in lines:
        at += len(line)
        starts.append(at)
    return Names(cluster, now, "".join(lines), starts, [ref for *_, ref in rows])
