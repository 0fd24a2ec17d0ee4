"""Captures: what tcpdump would have recorded at each place a traced packet passes, both legs, as pcap files.

Frames are made from the header stacks of the trace's hops, so a capture shows what was explained and nothing else. What
a trace leaves open (sequence numbers, payloads, times) is filled in plausibly, and the same way every time. The packet
library is loaded when the first file is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.capture.sights import Point, flows, points
from clusterviz.engine.trace import Trace

if TYPE_CHECKING:
    from clusterviz.capture.talk import Packet

__all__ = ["Point", "UnknownPointError", "captures", "packets", "pcap", "points"]


class UnknownPointError(LookupError):
    """The trace passes no such capture point; ``allowed`` are the ids of those it passes."""

    def __init__(self, point: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"the packet does not pass a capture point {point!r}")
        self.allowed = allowed


def pcap(trace: Trace, point: Point | str) -> bytes:
    """The capture at one point of `points`, as a pcap file. Raises `UnknownPointError`."""
    wanted = point.id if isinstance(point, Point) else point
    found = captures(trace)
    if wanted not in found:
        raise UnknownPointError(wanted, tuple(found))
    return found[wanted]


def captures(trace: Trace) -> dict[str, bytes]:
    """The capture at every point, by its id, in the order the packet passes them."""
    from clusterviz.capture.frames import pcap_file

    frames = packets(trace)
    return {
        point.id: pcap_file(
            (packet for packet in frames if packet.sight.point.id == point.id),
            dont_fragment=trace.probe.dont_fragment,
        )
        for point in points(trace)
    }


def packets(trace: Trace) -> list[Packet]:
    """Every frame everywhere: the look-ups a trace needed first, then its own connections."""
    from clusterviz.capture.names import look_up, questions
    from clusterviz.capture.talk import conversation

    made: list[Packet] = []
    clock = 0
    for child in trace.children:
        found = flows(child.trace)
        asked = questions(trace) if child.cause == "dns" else ()
        if asked and found:
            more, clock = look_up(child.trace, found[0], asked, clock)
        else:
            more, clock = conversation(child.trace, found, clock)
        made += more
        clock += 100
    return made + conversation(trace, flows(trace), clock)[0]
