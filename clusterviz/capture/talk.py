"""What two ends say over one connection: a plausible, minimal conversation for each protocol and outcome.

Nothing here is random: initial sequence numbers and identifiers are drawn from the probe's seed. Times are
microseconds since the first packet.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from clusterviz.capture.sights import Flow, Sight, innermost
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.packet import ICMP, Http, Stack
from clusterviz.engine.trace import Trace, Verdict

RETRIES = {"TCP": (0, 1, 3, 7), "SCTP": (0, 3, 9), "ICMP": (0, 1, 2), "UDP": (0,)}
SEGMENT = 1360
GIVE_UP = 1_000_000
PING = bytes(range(0x10, 0x48))


class Say(msgspec.Struct, frozen=True):
    """The part of a packet the trace leaves open.

    ``flags`` are TCP's, as a trace writes them, or the kind of an SCTP chunk; ``seq`` and ``ack`` are TCP's, SCTP's
    tags, or the number and identifier of a ping; ``ident`` is the IP identification.
    """

    flags: str = ""
    seq: int = 0
    ack: int = 0
    payload: bytes = b""
    ident: int = 0


class Packet(NamedTuple):
    """One frame at one point. ``quoted`` is the stack and content an ICMP error tells about."""

    at: int
    sight: Sight
    say: Say
    quoted: tuple[Stack, Say] | None = None


class _Event(NamedTuple):
    """One end speaks, ``after`` microseconds since the packet before arrived; a retry since the first was sent."""

    flow: int
    answer: bool
    after: int
    say: Say
    retry: bool = False


def conversation(trace: Trace, found: tuple[Flow, ...], start: int) -> tuple[list[Packet], int]:
    """Every packet of a trace's connections at every point it passes, and when the last one arrived."""
    clock, packets = start, list[Packet]()
    spoken: dict[int, Say] = {}
    began: dict[int, int] = {}
    for number, event in enumerate(_events(trace, found, 0)):
        flow = found[event.flow]
        clock = (began[event.flow] if event.retry else clock) + event.after
        began.setdefault(event.flow, clock)
        say = msgspec.structs.replace(event.say, ident=_number(trace, 16, "ident", event.flow) + number & 0xFFFF)
        for step, sight in enumerate(flow.back if event.answer else flow.there):
            clock += sight.pause + int(draw(trace.probe.seed, "pause", number, step) * 10)
            packets.append(
                answered(flow, clock, sight, say, spoken[event.flow]) if event.answer else Packet(clock, sight, say)
            )
        if not event.answer:
            spoken[event.flow] = say
    return packets, clock


def _events(trace: Trace, found: tuple[Flow, ...], index: int) -> Iterator[_Event]:
    """A proxy's own connection takes place while its client waits for the answer."""
    if index == len(found):
        return
    flow, protocol = found[index], trace.probe.protocol
    if not flow.back:
        first = _first(trace, found, index)
        for offset in RETRIES[protocol]:
            say = msgspec.structs.replace(first, seq=first.seq + offset) if protocol == "ICMP" else first
            yield _Event(index, False, offset * 1_000_000, say, retry=offset > 0)
        return
    talk = {"TCP": _tcp, "SCTP": _sctp, "ICMP": _ping, "UDP": _datagram}[protocol]
    yield from talk(trace, found, index)


def _ongoing(trace: Trace, flow: Flow) -> bool:
    """Whether the connection was opened earlier; a proxy may open one for a further request (ING-11)."""
    l4 = innermost(flow.there[0].stack)[1] if flow.there else None
    return trace.made_in.opened is not None and getattr(l4, "flags", "") != "SYN"


def _through_proxies(trace: Trace) -> bool:
    """Whether what goes on is a talk with a proxy, which reads requests."""
    return bool(trace.made_in.opened and trace.made_in.opened.pooled)


def _first(trace: Trace, found: tuple[Flow, ...], index: int) -> Say:
    room = trace.probe.length - 40 if trace.verdict is Verdict.MTU_EXCEEDED else 0
    match trace.probe.protocol:
        case "TCP":
            seq = _number(trace, 32, "isn", index, "client")
            if _ongoing(trace, found[index]):
                said = _request(trace, found[index]) if _through_proxies(trace) else b"\n"
                return Say("PSH,ACK", _next(seq, 1), _next(_number(trace, 32, "isn", index, "server"), 1), said)
            return Say("PSH,ACK", seq, 1, bytes(max(room, 1))) if room else Say("SYN", seq)
        case "ICMP":
            return Say(seq=1, ack=_number(trace, 16, "ping"), payload=bytes(room + 12) if room else PING)
        case "SCTP" if trace.made_in.opened:
            return Say(
                "HEARTBEAT", _number(trace, 32, "tag", index, "server"), _number(trace, 32, "tag", index, "client")
            )
        case "SCTP":
            return Say("INIT", 0, _number(trace, 32, "tag", index, "client"))
    return Say(payload=bytes(room + 12) if room else b"")


def _tcp(trace: Trace, found: tuple[Flow, ...], index: int) -> Iterator[_Event]:
    if _ongoing(trace, found[index]):
        yield from _further(trace, found, index)
        return
    flow = found[index]
    mine, yours = _number(trace, 32, "isn", index, "client"), _number(trace, 32, "isn", index, "server")
    yield _Event(index, False, 0, Say("SYN", mine))
    mine = _next(mine, 1)
    if flow.refused:
        yield _Event(index, True, 30, Say("RST,ACK", 0, mine))
        return
    yield _Event(index, True, 30, Say("SYN,ACK", yours, mine))
    yours = _next(yours, 1)
    yield _Event(index, False, 20, Say("ACK", mine, yours))
    for part in _parts(_request(trace, flow)):
        yield _Event(index, False, 60, Say("PSH,ACK", mine, yours, part))
        mine = _next(mine, len(part))
        yield _Event(index, True, 20, Say("ACK", yours, mine))
    yield from _events(trace, found, index + 1)
    yours = yield from _respond(trace, found, index, mine, yours)
    yield _Event(index, False, 80, Say("FIN,ACK", mine, yours))
    yield _Event(index, True, 40, Say("FIN,ACK", yours, _next(mine, 1)))
    yield _Event(index, False, 20, Say("ACK", _next(mine, 1), _next(yours, 1)))


def _respond(trace: Trace, found: tuple[Flow, ...], index: int, mine: int, yours: int) -> Generator[_Event, None, int]:
    """The answer to a request, once whoever is behind the proxy has spoken; gives the number that comes next."""
    waited = GIVE_UP if any(not one.back for one in found[index + 1 :]) else 900
    for part in _parts(_response(trace, found[index], found[-1].answerer)):
        yield _Event(index, True, waited, Say("PSH,ACK", yours, mine, part))
        yours = _next(yours, len(part))
        yield _Event(index, False, 20, Say("ACK", mine, yours))
    return yours


def _further(trace: Trace, found: tuple[Flow, ...], index: int) -> Iterator[_Event]:
    """One packet of a connection whose handshake is long over, and what it is answered with."""
    flow, first = found[index], _first(trace, found, index)
    yield _Event(index, False, 0, first)
    if trace.probe.protocol == "SCTP":
        yield _Event(index, True, 30, Say("ABORT" if flow.refused else "HEARTBEAT,ACK", first.ack, first.seq))
        return
    mine = _next(first.seq, len(first.payload))
    yield _Event(index, True, 30, Say("RST", first.ack) if flow.refused else Say("ACK", first.ack, mine))
    if _through_proxies(trace) and not flow.refused:
        yield from _events(trace, found, index + 1)
        yield from _respond(trace, found, index, mine, first.ack)


def _sctp(trace: Trace, found: tuple[Flow, ...], index: int) -> Iterator[_Event]:
    """``seq`` is the tag the receiver asked for, ``ack`` the sender's own (RFC 9260)."""
    if trace.made_in.opened:
        yield from _further(trace, found, index)
        return
    mine, yours = _number(trace, 32, "tag", index, "client"), _number(trace, 32, "tag", index, "server")
    yield _Event(index, False, 0, Say("INIT", 0, mine))
    if found[index].refused:
        yield _Event(index, True, 30, Say("ABORT", mine))
        return
    yield _Event(index, True, 30, Say("INIT,ACK", mine, yours))
    for answer, kind in ((False, "COOKIE,ECHO"), (True, "COOKIE,ACK"), (False, "SHUTDOWN"), (True, "SHUTDOWN,ACK")):
        yield _Event(index, answer, 30, Say(kind, mine if answer else yours, yours if answer else mine))
    yield _Event(index, False, 30, Say("SHUTDOWN,COMPLETE", yours, mine))


def _ping(trace: Trace, found: tuple[Flow, ...], index: int) -> Iterator[_Event]:
    first = _first(trace, found, index)
    yield _Event(index, False, 0, first)
    yield _Event(index, True, 30, first)


def _datagram(trace: Trace, found: tuple[Flow, ...], index: int) -> Iterator[_Event]:
    yield _Event(index, False, 0, _first(trace, found, index))
    yield _Event(index, True, 60, Say())


def _request(trace: Trace, flow: Flow) -> bytes:
    """The request as text, b"" when there is none or nobody on the way could read it."""
    http = next((header for header in flow.there[0].stack if isinstance(header, Http)), None) if flow.there else None
    if http is None or not flow.plain:
        return b""
    host = http.host or innermost(flow.there[0].stack)[0].dst
    lines = [
        f"{http.method or 'GET'} {quote(http.path or '/', safe=SAFE)} HTTP/1.1",
        f"Host: {_authority(host, trace)}",
        "Accept: */*",
        *([f"X-Forwarded-For: {http.forwarded_for}"] if http.forwarded_for else []),
        f"Connection: {_lasting(trace)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii", "replace")


SAFE = "/%:@!$&'()*+,;=~-._?"


def _authority(host: str, trace: Trace) -> str:
    port = trace.probe.destination.port
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if isinstance(port, int) and port not in (80, 443) else name


def _lasting(trace: Trace) -> str:
    """What a header says of the connection: one that is open has lasted past a request before."""
    return "keep-alive" if trace.made_in.opened else "close"


def _response(trace: Trace, flow: Flow, answerer: str) -> bytes:
    http = next((header for header in flow.back[0].stack if isinstance(header, Http)), None) if flow.back else None
    if http is None or not flow.plain:
        return b""
    status = HTTPStatus(http.status or 200)
    body = f"{answerer}\n" if status is HTTPStatus.OK else f"{status.value} {status.phrase}\n"
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {_lasting(trace)}\r\n\r\n"
    )
    return (head + body).encode("ascii", "replace")


def _parts(payload: bytes) -> Iterator[bytes]:
    for start in range(0, len(payload), SEGMENT):
        yield payload[start : start + SEGMENT]


def answered(flow: Flow, at: int, sight: Sight, say: Say, asked: Say) -> Packet:
    """One frame of the way back; an ICMP error (closed UDP port, kube-proxy's REJECT) quotes what was ``asked``."""
    _, inner = innermost(sight.stack)
    error = isinstance(inner, ICMP) and inner.type != "echo-reply"
    return Packet(at, sight, say, (_asked(flow, sight), asked) if error else None)


def _asked(flow: Flow, sight: Sight) -> Stack:
    """The packet an error quotes, as it looked where the error is seen: NAT turns the quotation back as well."""
    answer, _ = innermost(sight.stack)
    here = [one.stack for one in flow.there if one.point == sight.point] or [flow.there[-1].stack]
    return min(here, key=lambda stack: innermost(stack)[0].src != answer.dst)


def _next(number: int, by: int) -> int:
    return (number + by) & 0xFFFFFFFF


def _number(trace: Trace, bits: int, *what: object) -> int:
    """A number drawn from the seed and the client's first packet, never 0."""
    return 1 + int(draw(trace.probe.seed, "capture", trace.snapshot, *what) * ((1 << bits) - 2))
