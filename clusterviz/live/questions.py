"""What HTTP views ask about a cluster; answered from the replica, or from the database without one.

Everything returned is plain data, ready for JSON. May be called from any thread that may block.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from clusterviz.engine import Cluster, Probe, trace
from clusterviz.engine.explain import full_document
from clusterviz.engine.manifests.write import dump, in_order
from clusterviz.live import database, runner, scene
from clusterviz.live.keeper import Replica
from clusterviz.live.panel import facts_of, flows_of, key_of_ref, related_to
from clusterviz.live.protocol import PROTOCOL

EVENTS_SHOWN = 100
EVENTS_OF_OBJECT = 30
FIXED = {"internet": "Internet", "wire": "The node network"}


class UnknownError(LookupError):
    """No such cluster, object or connection; the message says which."""


def replica_of(name: str) -> Replica:
    """The cluster as it lives in this process; without a simulator here, as the database has it."""
    found = runner.replica(name)
    if found is not None:
        return found
    try:
        stored = database.load(name)
    except database.ClusterGoneError:
        raise UnknownError(f"There is no cluster {name!r}.") from None
    cluster = Cluster.from_objects(stored.objects, settings=stored.settings, expand=False)
    return Replica(
        name=name,
        cluster=cluster,
        epoch=0,
        seq=0,
        time=time.time(),
        scene=scene.build(cluster),
        events=(),
        routes=(),
        connections={},
    )


def snapshot(name: str) -> dict[str, Any]:
    """The whole picture, as docs/protocol.md describes it."""
    replica = replica_of(name)
    answer: dict[str, Any] = msgspec.to_builtins(
        {
            "protocol": PROTOCOL,
            "cluster": replica.name,
            "epoch": replica.epoch,
            "seq": replica.seq,
            "time": replica.time,
            "settings": replica.cluster.settings,
            "entities": list(replica.scene.values()),
            "routes": replica.routes,
            "events": replica.events[-EVENTS_SHOWN:],
        }
    )
    return answer


def asked_connection(name: str, connection: str) -> tuple[Cluster, Probe]:
    """A connection that was drawn: the snapshot it was decided in, and its probe."""
    found = replica_of(name).connections.get(connection)
    if found is None:
        raise UnknownError(f"Connection {connection[:40]!r} is forgotten: only recent ones can be traced.")
    return found


def trace_connection(name: str, connection: str) -> dict[str, Any]:
    """The trace of a connection that was drawn, exactly as it was decided then."""
    cluster, probe = asked_connection(name, connection)
    return full_document(cluster, trace(cluster, probe))


def trace_probe(name: str, probe: Probe) -> dict[str, Any]:
    """The trace of a question about the cluster as it is now. May raise `ProbeError`."""
    cluster = replica_of(name).cluster
    return full_document(cluster, trace(cluster, probe))


def object_panel(name: str, ref: str) -> dict[str, Any]:
    """Everything about one thing in the picture."""
    replica = replica_of(name)
    entity = replica.scene.get(ref)
    if entity is None:
        entity = _fixed(ref)
    if entity is None:
        raise UnknownError(f"There is no {ref[:200]!r} in cluster {name!r}.")
    key = key_of_ref(ref)
    obj = replica.cluster.objects.get(key) if key else None
    events = [event for event in reversed(replica.events) if event.ref == ref]
    answer: dict[str, Any] = msgspec.to_builtins(
        {
            "id": ref,
            "kind": entity["kind"],
            "yaml": dump([in_order(obj)]) if obj is not None else "",
            "facts": facts_of(replica, entity),
            "events": events[:EVENTS_OF_OBJECT],
            "related": [{"label": label, "refs": refs} for label, refs in related_to(replica, entity)],
            "flows": flows_of(replica, entity),
        }
    )
    return answer


def _fixed(ref: str) -> dict[str, Any] | None:
    """Parts of the picture that stand for no object of their own."""
    kind, _, rest = ref.partition(":")
    if ref in FIXED:
        return {"id": ref, "kind": "external" if ref == "internet" else ref, "name": FIXED[ref], "labels": {}}
    if kind == "external" and rest:
        return {"id": ref, "kind": kind, "name": rest, "ip": rest, "labels": {}}
    return None
