"""Words a sentence needs that are not facts of its step: they are read off the headers of its hop."""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.addresses import is_loopback
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
    l4 = _innermost(hop.headers_out or hop.headers_in, L4)
    if isinstance(l4, L4) and l4.flags == "ACK":  # the handshake is over
        return "sends more over its open connection to"
    return OPENS.get(protocol(hop), "calls")


def _proto(_step: Step, hop: Hop) -> str:
    return protocol(hop)


def _refusal(_step: Step, hop: Hop) -> str:
    """Of a reply what it carries; on the way there what the closed port will answer."""
    return refusal(hop.headers_in) or refusal(hop.headers_out) or REFUSALS.get(protocol(hop), "a refusal")


def _ttl(step: Step, hop: Hop) -> str:
    falls = any(diff.field == "ttl" for diff in step.diffs)
    stays = "it goes no further" if hop.in_iface else "the node itself sends"
    return "TTL falls by one" if falls else f"TTL stays: {stays}"


def _arrival(step: Step, hop: Hop) -> str:
    if refusal(hop.headers_in):
        return "The client learns at once that it is refused."
    found = _innermost(hop.headers_in, Http)
    if isinstance(found, Http) and found.status >= 300:
        return f"The client has its answer, HTTP {found.status}."
    return f"The client has its answer; it comes from {step.facts.get('src', '?')}, the very address it called."


def _answer(_step: Step, hop: Hop) -> str:
    return refusal(hop.headers_in) or "Reply"


def _carries(step: Step, _hop: Hop) -> str:
    """Whose address the sender's packet has: over loopback not the pod's (NET-03)."""
    return "the loopback address" if is_loopback(str(step.facts.get("src"))) else "the pod's own address"


def _state(_step: Step, hop: Hop) -> str:
    """What conntrack takes an answer for: an ICMP error is related to the connection, not part of it (NP-07)."""
    message = _innermost(hop.headers_in, ICMP)
    return "RELATED" if isinstance(message, ICMP) and message.type == "port-unreachable" else "ESTABLISHED"


def _counted(what: str) -> Callable[[Step, Hop], str]:
    """``count`` things, in the singular where there is one."""

    def told(step: Step, _hop: Hop) -> str:
        count = step.facts.get("count")
        return f"{count} {what}{'' if count == 1 else 's'}"

    return told


def _drawn(step: Step, _hop: Hop) -> str:
    """How the node came to the pod."""
    count = step.facts.get("count")
    return "have one pod for it" if count == 1 else f"draw 1 of {count} pods"


def _at_port(step: Step, hop: Hop) -> str:
    """The port that was called, with its protocol unless it is TCP."""
    name = protocol(hop)
    return f"port {step.facts.get('port')}" if name == "TCP" else f"{name} port {step.facts.get('port')}"


def _nodeport(step: Step, _hop: Hop) -> str:
    """Why no rule led a node's port to a Service (PX-12)."""
    shut, address = step.facts.get("shut"), step.facts.get("address")
    return f"node ports, that of Service {shut} among them, do not answer at {address}" if shut else NO_NODE_PORT


NO_NODE_PORT = "no Service has it as node port"
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
    "carries": _carries,
    "state": _state,
    "drawn": _drawn,
    "candidate_s": _counted("candidate"),
    "endpoint_s": _counted("ready endpoint"),
    "local_s": _counted("local ready endpoint"),
    "atport": _at_port,
    "nodeport": _nodeport,
}
