"""Words a sentence needs that are not facts of its step: they are read off the headers of its hop."""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.packet import ICMP, IP, L4, Http, Stack
from clusterviz.engine.trace import Hop, Step

OPENS = {
    "TCP": "opens a connection to",
    "UDP": "sends a datagram to",
    "SCTP": "opens an association with",
    "ICMP": "sends a ping to",
}
REFUSALS = {"TCP": "RST", "UDP": "ICMP port unreachable", "SCTP": "ABORT"}


def _innermost(stack: Stack, kind: type) -> object:
    return next((header for header in reversed(stack) if isinstance(header, kind)), None)


def protocol(hop: Hop) -> str:
    """TCP, UDP, SCTP or ICMP: of the packet inside, "" when none was sent."""
    found = _innermost(hop.headers_out or hop.headers_in, IP)
    return found.proto if isinstance(found, IP) else ""


def refusal(stack: Stack) -> str:
    """How a reply says no, "" when it does not."""
    message, port = _innermost(stack, ICMP), _innermost(stack, L4)
    if isinstance(message, ICMP) and message.type == "port-unreachable":
        return "ICMP port unreachable"
    if isinstance(port, L4) and port.flags in ("RST", "RST,ACK", "ABORT"):
        return REFUSALS[port.proto]
    return ""


def _opens(_step: Step, hop: Hop) -> str:
    return OPENS.get(protocol(hop), "calls")


def _proto(_step: Step, hop: Hop) -> str:
    return protocol(hop)


def _refusal(_step: Step, hop: Hop) -> str:
    """Of a reply what it carries; on the way there what the closed port will answer."""
    return refusal(hop.headers_in) or refusal(hop.headers_out) or REFUSALS.get(protocol(hop), "a refusal")


def _ttl(step: Step, _hop: Hop) -> str:
    falls = any(diff.field == "ttl" for diff in step.diffs)
    return "TTL falls by one" if falls else "TTL stays: the node itself sends"


def _arrival(step: Step, hop: Hop) -> str:
    if refusal(hop.headers_in):
        return "The client learns at once that it is refused."
    found = _innermost(hop.headers_in, Http)
    if isinstance(found, Http) and found.status >= 300:
        return f"The client has its answer, HTTP {found.status}."
    return f"The client has its answer; it comes from {step.facts.get('src', '?')}, the very address it called."


def _answer(_step: Step, hop: Hop) -> str:
    return refusal(hop.headers_in) or "Reply"


DOORS = {
    "cluster": "an address no machine has",
    "nodeport": "a port that every node opens for it",
    "lb": "the address of its load balancer",
    "external": "an outside address that somebody routes to the nodes",
}


def _door(step: Step, _hop: Hop) -> str:
    """What kind of address of a Service was called (SVC-01, SVC-05)."""
    return DOORS.get(str(step.facts.get("via")), "an address of it")


def _keeps(step: Step, _hop: Hop) -> str:
    """What session affinity means for the client's next connections (SVC-14)."""
    seconds = step.facts.get("timeout")
    return f" Connections the client opens within {seconds} s go to the same pod." if seconds else ""


WORDS: dict[str, Callable[[Step, Hop], str]] = {
    "opens": _opens,
    "proto": _proto,
    "refusal": _refusal,
    "ttl": _ttl,
    "arrival": _arrival,
    "answer": _answer,
    "door": _door,
    "keeps": _keeps,
}
