"""What HTTP views ask about a cluster; answered from the replica, or from the database without one.

Everything returned is plain data, ready for JSON. May be called from any thread that may block.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from clusterviz.engine import Cluster, Probe, ProbeError, Trace, trace
from clusterviz.engine.explain import full_document
from clusterviz.engine.manifests.write import dump, in_order
from clusterviz.live import database, runner, scene
from clusterviz.live.form import MassForm, form_for
from clusterviz.live.keeper import Replica
from clusterviz.live.massview import still
from clusterviz.live.moments import Published
from clusterviz.live.panel import facts_of
from clusterviz.live.picture import Encoded, encoded, etag_of, sent
from clusterviz.live.refs import key_of_ref
from clusterviz.live.relations import entity_of, flows_of, related_to

EVENTS_OF_OBJECT = 30
RELATED_SHOWN = 200
FIXED = {"internet": "Internet", "wire": "The node network"}


class LoadingError(Exception):
    """A large cluster is still on its way from the database; the message says so."""


class UnknownError(LookupError):
    """No such cluster, object or connection; the message says which."""


def replica_of(name: str) -> Replica:
    """The cluster as it lives in this process; without a simulator here, as the database has it."""
    found = runner.replica(name)
    if found is not None:
        return found
    if words := runner.loading(name):
        raise LoadingError(f"{words}: this takes a moment.")
    try:
        stored = database.load(name)
    except database.ClusterGoneError:
        raise UnknownError(f"There is no cluster {name!r}.") from None
    cluster = Cluster.from_objects(stored.objects, settings=stored.settings, expand=False)
    form = form_for(cluster, 0.0)
    return Replica(
        name=name,
        cluster=cluster,
        epoch=0,
        seq=0,
        time=time.time(),
        scene=form.scene,
        events=(),
        routes=(),
        connections={},
        mass=still(cluster, form) if isinstance(form, MassForm) else None,
    )


def moment(name: str, at: float) -> tuple[Published, Cluster]:
    """The engine's snapshot at a moment of the history. Raises `UnknownError` when that is not kept."""
    history = runner.history(name)
    found = history.moment(at) if history is not None else None
    if found is None:
        oldest = history.summary().oldest if history is not None else None
        since = "nothing of it is kept" if oldest is None else f"its history begins at {clock_of(oldest)}"
        raise UnknownError(f"Cluster {name!r} at {clock_of(at)} is forgotten: {since}.")
    return found


def clock_of(at: float) -> str:
    """A moment as people read it, UTC."""
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def cluster_at(name: str, at: float | None) -> Cluster:
    """The cluster at a moment, None is now. Raises `UnknownError` when that is not kept."""
    return replica_of(name).cluster if at is None else moment(name, at)[1]


def replica_at(name: str, at: float | None) -> Replica:
    """The cluster with its picture at a moment, None is now. Raises `UnknownError` when that is not kept."""
    now = replica_of(name)
    if at is None:
        return now
    published, cluster = moment(name, at)
    return Replica(
        name=name,
        cluster=cluster,
        epoch=published.epoch,
        seq=published.seq,
        time=published.time,
        scene={} if now.mass is not None else scene.build(cluster),
        events=tuple(event for event in now.events if event.time <= at),
        routes=(),
        connections={},
        # It remembers the indexes of pods that are gone.
        mass=now.mass,
    )


def snapshot(name: str) -> Encoded:
    """The whole picture, as docs/protocol.md describes it; that of a large cluster comes compressed too."""
    replica = replica_of(name)
    if replica.mass is not None:
        return sent(replica)
    body = encoded(replica)
    return Encoded(body, b"", etag_of(body))


def asked_connection(name: str, connection: str) -> tuple[Cluster, Probe]:
    """A connection that was drawn: the snapshot it was decided in, and its probe."""
    found = replica_of(name).connections.get(connection)
    history = runner.history(name) if found is None else None
    if history is not None:
        found = history.connection(connection)
    if found is None:
        raise UnknownError(f"Connection {connection[:40]!r} is forgotten: only recent ones can be traced.")
    return found


def trace_connection(name: str, connection: str) -> dict[str, Any]:
    """The trace of a connection that was drawn, exactly as it was decided then."""
    cluster, probe = asked_connection(name, connection)
    return full_document(cluster, trace(cluster, probe))


def trace_probe(name: str, probe: Probe, at: float | None = None, opened: float | None = None) -> dict[str, Any]:
    """The trace of a question about the cluster as it is now, or was at a moment; see `asked_probe`."""
    cluster, answer = asked_probe(name, probe, at, opened)
    return full_document(cluster, answer)


def asked_probe(name: str, probe: Probe, at: float | None = None, opened: float | None = None) -> tuple[Cluster, Trace]:
    """The cluster now or at a moment, and its answer; of a connection ``opened`` at an earlier one, its next packet.

    Moments are seconds since 1970. Raises `ProbeError` and `UnknownError`.
    """
    cluster = cluster_at(name, at)
    if opened is None:
        return cluster, trace(cluster, probe)
    if at is not None and opened > at:
        raise ProbeError(
            f"{clock_of(opened)} is later than the moment asked about", field="opened", allowed=f"up to {clock_of(at)}"
        )
    return cluster, trace(cluster, probe, opened=cluster_at(name, opened))


def object_panel(name: str, ref: str, at: float | None = None) -> dict[str, Any]:
    """Everything about one thing in the picture, now or at a moment. Raises `UnknownError`."""
    return panel_of(replica_at(name, at), ref)


def panel_of(replica: Replica, ref: str) -> dict[str, Any]:
    """Everything about one thing in the picture of a cluster that is at hand. Raises `UnknownError`."""
    entity = entity_of(replica, ref) or _fixed(ref)
    if entity is None:
        raise UnknownError(f"There is no {ref[:200]!r} in cluster {replica.name!r}.")
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
            "related": [
                {"label": label, "refs": refs[:RELATED_SHOWN], "more": max(0, len(refs) - RELATED_SHOWN)}
                for label, refs in related_to(replica, entity)
            ],
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
