"""The whole picture of a replica, as the snapshot of docs/protocol.md has it."""

from __future__ import annotations

import gzip
import hashlib
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from clusterviz.live.protocol import PROTOCOL

if TYPE_CHECKING:
    from clusterviz.live.keeper import Replica

EVENTS_SHOWN = 100
# Large pictures that are kept encoded: one a cluster, of so many clusters.
KEPT = 4
LEVEL = 4


class Encoded(NamedTuple):
    """A picture as bytes, the same compressed, and its entity tag."""

    body: bytes
    packed: bytes
    etag: str


def picture(replica: Replica) -> dict[str, Any]:
    """The body of `GET snapshot`, still with records inside."""
    told = {
        "protocol": PROTOCOL,
        "form": "full",
        "cluster": replica.name,
        "epoch": replica.epoch,
        "seq": replica.seq,
        "time": replica.time,
        "settings": replica.cluster.settings,
        "entities": list(replica.scene.values()),
        "routes": replica.routes,
        "events": replica.events[-EVENTS_SHOWN:],
    }
    return told | replica.mass.body() if replica.mass is not None else told


def encoded(replica: Replica) -> bytes:
    """The body of `GET snapshot`."""
    return sent(replica).body if replica.mass is not None else msgspec.json.encode(picture(replica))


def etag_of(body: bytes) -> str:
    """The entity tag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class _Kept(NamedTuple):
    moment: tuple[int, int, str]
    found: Encoded


_lock = threading.Lock()
_kept: dict[str, _Kept] = {}


def sent(replica: Replica) -> Encoded:
    """The picture of a large cluster, encoded once for everybody who asks for the same moment.

    Heat goes on within a moment; the sweep of the traffic frames brings it up to date.
    """
    last = replica.routes[-1].id if replica.routes else ""
    moment = (replica.epoch, replica.seq, last)
    with _lock:
        known = _kept.get(replica.name)
        if known is None or known.moment != moment:
            body = msgspec.json.encode(picture(replica))
            known = _Kept(moment, Encoded(body, gzip.compress(body, LEVEL, mtime=0), etag_of(body)))
            _kept.pop(replica.name, None)
            _kept[replica.name] = known
            while len(_kept) > KEPT:
                del _kept[next(iter(_kept))]
    return known.found
