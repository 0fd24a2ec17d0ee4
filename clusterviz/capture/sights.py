"""Where the frames of a trace can be seen: capture points, and what passes each of them in which order.

A hop holds the header stacks that enter and leave it. What an interface shows follows from netfilter's order:
the bridge shows a packet after PREROUTING and before POSTROUTING, because bridge netfilter runs PREROUTING on the
frame before it is passed up (PX-01, PX-02); the overlay device and the node's card show an arriving packet before
PREROUTING and a leaving one after POSTROUTING (PX-09).
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

import msgspec

from clusterviz.engine.datapath.draw import mac
from clusterviz.engine.packet import ICMP, IP, L4, Ethernet, Header, Stack, wrapping
from clusterviz.engine.reply import reply
from clusterviz.engine.trace import Action, Hop, Trace

NOWHERE = "00:00:00:00:00:00"


class Point(msgspec.Struct, frozen=True):
    """A place to capture at: ``id`` is fit for URLs and file names, ``node`` "" outside the cluster.

    ``interface`` is the device's name, "" where no device is modelled (clients, servers, load balancers).
    """

    id: str
    label: str
    node: str = ""
    interface: str = ""


class Sight(NamedTuple):
    """A header stack passing a point, ``pause`` microseconds after the sight before.

    It begins with Ethernet, or with IP at the device of an overlay that carries bare packets.
    """

    point: Point
    stack: Stack
    pause: int


class Flow(NamedTuple):
    """One connection of a trace: what is seen of a packet there and of a packet back.

    ``back`` is () when nothing ever answers; ``refused`` when the answer is a refusal; ``plain`` when the
    payload is not encrypted; ``answerer`` is the place the answer is made at.
    """

    there: tuple[Sight, ...]
    back: tuple[Sight, ...] = ()
    refused: bool = False
    plain: bool = True
    answerer: str = ""


def flows(trace: Trace) -> tuple[Flow, ...]:
    """The connections of a trace, the client's first, then each a proxy on the way opened; without children."""
    forward = tuple(hop for hop in trace.forward if hop.headers_in)
    if not forward:
        return ()
    back, refused = trace.reverse, _refuses(trace.reverse)
    if 0 < len(back) < len(forward):  # a proxy answers in place of what lies behind it
        back, _ = reply(forward, trace.verdict, None)
    proxies = [i for i, hop in enumerate(forward) if _does(hop, Action.PROXIED) and 0 < i < len(forward) - 1]
    https = trace.probe.request is not None and trace.probe.request.scheme == "https"
    found = []
    for start, end in zip([0, *proxies], [*proxies, len(forward) - 1], strict=True):
        answered = len(trace.reverse) > end or len(back) > end
        ended = any(_ends_tls(hop) for hop in forward[: start + 1])
        found.append(
            Flow(
                _there(trace, forward, start, end),
                _back(trace, trace.reverse if len(trace.reverse) > end else back, start, end) if answered else (),
                refused if len(trace.reverse) > end else True,
                plain=not https or ended,
                answerer=forward[end].place.label,
            )
        )
    return tuple(found)


def points(trace: Trace) -> list[Point]:
    """Every place where a frame of the trace can be captured, in the order of passing; then those of its look-ups."""
    found: dict[str, Point] = {}
    for one in (trace, *(child.trace for child in trace.children)):
        for flow in flows(one):
            for sight in (*flow.there, *flow.back):
                found.setdefault(sight.point.id, sight.point)
    return list(found.values())


def _refuses(hops: tuple[Hop, ...]) -> bool:
    return bool(hops) and any(step.reason == "refused_reply" for step in hops[0].steps)


def _does(hop: Hop, action: Action) -> bool:
    return any(step.action is action for step in hop.steps)


def _ends_tls(hop: Hop) -> bool:
    """Whether a proxy that reads requests passed this one on (ING-10)."""
    return any(step.action is Action.PROXIED and step.layer == 7 for step in hop.steps)


def _there(trace: Trace, hops: tuple[Hop, ...], start: int, end: int) -> tuple[Sight, ...]:
    if start == end:
        return _loopback(hops[start], hops[start])
    seen: list[Sight] = []
    for index in range(start, end + 1):
        seen += _entering(trace, hops[index]) if index > start else ()
        seen += _leaving(trace, hops[index], switched=_does(hops[index], Action.SWITCHED)) if index < end else ()
        seen += _loopback(hops[index], hops[index]) if index == end else ()
    return tuple(seen)


def _back(trace: Trace, hops: tuple[Hop, ...], start: int, end: int) -> tuple[Sight, ...]:
    """``hops`` are the reply's: the first belongs to the last of the forward hops they mirror."""
    last = len(hops) - 1
    if start == end:
        return _loopback(trace.forward[start], hops[last - start])
    seen: list[Sight] = []
    for index in range(end, start - 1, -1):
        hop = hops[last - index]
        switched = _does(trace.forward[index], Action.SWITCHED)
        seen += _loopback(trace.forward[index], hop) if index == end else ()
        seen += _entering(trace, hop) if index < end else ()
        seen += _leaving(trace, hop, switched=switched) if index > start else ()
    return tuple(seen)


def _entering(trace: Trace, hop: Hop) -> list[Sight]:
    """What the devices show while a packet comes into a place."""
    if hop.place.kind == "wire" or any(step.reason == "node_down" for step in hop.steps):
        return []
    if hop.place.kind != "node":
        pause = 25 if hop.place.kind == "pod" else 4000
        return [Sight(_point(hop, hop.in_iface), _framed(trace, hop, hop.headers_in, arriving=True), pause)]
    if not hop.in_iface:
        return []
    if hop.in_iface != "eth0":
        return [Sight(_point(hop, "cni0"), _before_postrouting(hop), 15)]
    card = Sight(_point(hop, "eth0"), _framed(trace, hop, hop.headers_in, arriving=True), 140)
    return [card, *_overlay(trace, hop, hop.headers_in)]


def _leaving(trace: Trace, hop: Hop, *, switched: bool) -> list[Sight]:
    """What the devices show while a packet goes out of a place."""
    if hop.place.kind == "wire":
        return []
    if hop.place.kind != "node":
        passed_on = hop.place.kind == "loadbalancer" and hop.headers_out == hop.headers_in  # one packet, seen once
        stack = _framed(trace, hop, hop.headers_out, arriving=False)
        return [] if passed_on else [Sight(_point(hop, hop.out_iface), stack, 10)]
    if not hop.out_iface:
        return []
    if hop.out_iface != "eth0":
        return [] if switched else [Sight(_point(hop, "cni0"), hop.headers_out, 15)]
    card = Sight(_point(hop, "eth0"), _framed(trace, hop, hop.headers_out, arriving=False), 20)
    return [*_overlay(trace, hop, hop.headers_out), card]


def _loopback(forward: Hop, hop: Hop) -> tuple[Sight, ...]:
    """A pod's or node's packet for itself never touches a cable: only its loopback device shows it."""
    looped = any(step.component == "lo" or step.reason == "routed_local" for step in forward.steps)
    if not looped or hop.in_iface or hop.out_iface:
        return ()
    return (Sight(_point(hop, "lo"), (Ethernet(NOWHERE, NOWHERE, _kind(hop.headers_out)), *hop.headers_out), 5),)


def _overlay(trace: Trace, hop: Hop, stack: Stack) -> list[Sight]:
    """What the overlay's device shows: a frame, or a bare IP packet where the overlay carries those (NET-12)."""
    outer = wrapping(stack)
    if not outer:
        return []
    wraps = (Action.ENCAPSULATED, Action.DECAPSULATED)
    steps = (step for one in trace.forward for step in one.steps if step.action in wraps)
    return [Sight(_point(hop, next(step.component for step in steps)), stack[len(outer) :], 8)]


def _before_postrouting(hop: Hop) -> Stack:
    """The stack that came in with its destination rewritten and its source not yet."""
    wanted = {
        (diff.layer, diff.field): diff.new
        for step in hop.steps
        if step.action in (Action.DNAT, Action.UN_NAT, Action.SWITCHED)
        for diff in step.diffs
        if (diff.layer, diff.field) in (("ip", "dst"), ("l4", "dport"), ("eth", "dst"))
    }
    return tuple(_changed(header, wanted) for header in hop.headers_in)


def _changed(header: Header, wanted: dict[tuple[str, str], str]) -> Header:
    replace = msgspec.structs.replace
    match header:
        case IP() if ("ip", "dst") in wanted:
            return replace(header, dst=wanted["ip", "dst"])
        case L4() if ("l4", "dport") in wanted:
            return replace(header, dport=int(wanted["l4", "dport"]))
        case Ethernet() if ("eth", "dst") in wanted:
            return replace(header, dst=wanted["eth", "dst"])
    return header


def _point(hop: Hop, interface: str) -> Point:
    kind, name = hop.place.kind, hop.place.label
    ref = hop.place.ref.replace("/", "_").replace(":", "_", 1)
    clean = re.sub(r"[^A-Za-z0-9._]", "-", f"{ref}_{interface}" if interface else ref)
    titles = {
        "pod": f"{interface} of pod {name}",
        "node": f"{interface} of node {name}",
        "loadbalancer": name,
        "internet": f"client {name}",
        "external": f"server {name}",
    }
    return Point(clean, titles.get(kind, name), hop.node, interface)


def _framed(trace: Trace, hop: Hop, stack: Stack, *, arriving: bool) -> Stack:
    """The stack with an Ethernet header: traces leave it out where the cable beyond the cluster is not modelled."""
    if isinstance(stack[0], Ethernet):
        return stack
    own, router = _card(trace, hop), _hashed("router")
    ends = (router, own) if arriving else (own, router)
    return (Ethernet(*ends, _kind(stack)), *stack)


def _card(trace: Trace, hop: Hop) -> str:
    """The MAC of the place's card: as other frames of the trace have it, else from an address of the place."""
    for other in trace.forward:
        if other.place.ref == hop.place.ref:
            sides = ((other.out_iface, other.headers_out, "src"), (other.in_iface, other.headers_in, "dst"))
            for iface, stack, field in sides:
                if iface == "eth0" and stack and isinstance(stack[0], Ethernet):
                    return str(getattr(stack[0], field))
    for other in trace.forward:
        for address, owner in other.owners.items():
            if owner == f"{hop.place.kind} {hop.place.label}" or hop.place.ref.endswith(f":{address}"):
                return mac(address)
    return _hashed(hop.place.ref)


def _hashed(name: str) -> str:
    return "0a:58:" + hashlib.blake2b(name.encode(), digest_size=4).digest().hex(":")


def _kind(stack: Stack) -> str:
    return next(f"IPv{header.version}" if header.version == 6 else "IPv4" for header in stack if isinstance(header, IP))


def innermost(stack: Stack) -> tuple[IP, L4 | ICMP]:
    """The packet's own IP and transport headers, whatever is wrapped around them."""
    ip = next(header for header in reversed(stack) if isinstance(header, IP))
    return ip, next(header for header in reversed(stack) if isinstance(header, L4 | ICMP))
