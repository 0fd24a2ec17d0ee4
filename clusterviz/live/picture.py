"""The whole picture of a replica, as the snapshot of docs/protocol.md has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.live.protocol import PROTOCOL

if TYPE_CHECKING:
    from clusterviz.live.keeper import Replica

EVENTS_SHOWN = 100


def picture(replica: Replica) -> dict[str, Any]:
    """The body of `GET snapshot`, still with records inside."""
    return {
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


def encoded(replica: Replica) -> bytes:
    """The body of `GET snapshot`."""
    return msgspec.json.encode(picture(replica))
