"""Parts of a cluster that are asked for: full entities of a node, a workload, a namespace; and whatever has a name."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.objects import WORKLOAD_KINDS, ref_of
from clusterviz.live.keeper import Replica
from clusterviz.live.names import names_of
from clusterviz.live.protocol import MAX_WATCHED, Entity
from clusterviz.live.refs import KINDS, key_of_ref
from clusterviz.live.relations import entity_of

AT_ONCE = 600
HITS = 50
# Characters of a question that are read.
LONGEST = 200


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


ORDER = ("pod", "service", "ingress", "gateway", "node", "workload", "policy", "flow", "namespace")


def search(replica: Replica, query: str) -> dict[str, Any]:
    """What the words of a question occur in: whole names first, then beginnings of names, then the rest."""
    words = query.lower()[:LONGEST].split()
    if not words:
        return {"hits": [], "more": False}
    names = names_of(replica.name, replica.cluster)
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
