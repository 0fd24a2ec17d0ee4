"""What the client feels: one short sentence for a verdict and a protocol (M22, TRC-03).

`feels` is the whole table, docs/verdicts.md shows it; `symptom` finds the row and the cell of a trace.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import SUCCESSES, Action, Hop, Verdict

Kind = Literal["TCP", "UDP", "SCTP", "ICMP", "HTTP", "HTTPS"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Cell of a protocol a verdict cannot have.
NEVER = "-"
# Verdicts whose answer is a status of an HTTP proxy.
HTTP = {
    Verdict.NO_INGRESS_RULE: "HTTP 404 from the Ingress controller",
    Verdict.PROXY_NO_ENDPOINTS: "HTTP 503 from the Ingress controller",
    Verdict.PROXY_BACKEND_INVALID: "HTTP 500 from the gateway",
    Verdict.REDIRECTED: "HTTP redirect from the Ingress controller",
}
REFUSALS = frozenset({Verdict.NO_ENDPOINTS_REJECTED, Verdict.NOBODY_LISTENING, Verdict.POD_NOT_RUNNING})

Row = dict[Kind, str]


def _row(tcp: str, udp: str, sctp: str, icmp: str, http: str = "", https: str = "") -> Row:
    return {"TCP": tcp, "UDP": udp, "SCTP": sctp, "ICMP": icmp, "HTTP": http or tcp, "HTTPS": https or http or tcp}


def _same(text: str) -> Row:
    return _row(text, text, text, text)


ANSWERED = _row(
    "connected",
    "an answer from the application",
    "an association",
    "ping answered",
    "an answer from the application (HTTP 200 if it is well)",
    "a TLS handshake, then an answer from the application (HTTP 200 if it is well)",
)
SILENCE = _row(
    "no answer: the connection times out",
    "no answer: the same as a lost packet",
    "no answer: the association times out",
    "no answer: 100 % packet loss",
)
# The kernel completes a handshake for a process that hangs, and answers pings without it.
HANGING = _row(
    NEVER,
    SILENCE["UDP"],
    NEVER,
    NEVER,
    "connected, then no answer: the request times out",
    "connected, then no answer to the TLS handshake: the request times out",
)
# kube-proxy's REJECT is an ICMP message for every protocol; a socket nobody has answers in the protocol's own way.
REJECTED = _row(
    "connection refused, at once",
    "ICMP port unreachable, at once: connection refused",
    "ICMP port unreachable, at once",
    NEVER,
)
NO_SOCKET = REJECTED | {"SCTP": "the association is aborted, at once"}
UNREACHABLE = _row(
    "no route to host after some seconds",
    "no route to host after some seconds",
    "no route to host after some seconds",
    "destination host unreachable after some seconds",
)
NO_WAY = _same("network is unreachable, at once")
LOOPBACK = _row(
    "an answer, over loopback",
    "an answer, over loopback",
    "an association, over loopback",
    "ping answered, over loopback",
    "an answer, over loopback",
    "a TLS handshake, then an answer, over loopback",
)
OUTSIDE = _same("an answer, if the server outside gives one") | {"ICMP": "ping answered, if the server outside does"}
TOO_LARGE = _same("large packets vanish or ICMP says fragmentation needed; small ones pass")
DNS_REFUSED = "the name look-up fails at once: temporary failure in name resolution"
# What a resolver says where the name is not simply missing (DNS-01, DNS-10).
BY_RCODE = {"SERVFAIL": DNS_REFUSED, "NODATA": "the name has no address (NODATA), no connection is tried"}

TABLE: dict[Verdict, Row] = {
    Verdict.DELIVERED: ANSWERED,
    Verdict.DELIVERED_IN_POD: LOOPBACK,
    Verdict.EXITED_CLUSTER: OUTSIDE,
    Verdict.DENIED_INGRESS: SILENCE,
    Verdict.DENIED_EGRESS: SILENCE,
    Verdict.NO_ENDPOINTS_REJECTED: REJECTED,
    Verdict.NO_LOCAL_ENDPOINT_DROPPED: SILENCE | {"ICMP": NEVER},
    Verdict.SOURCE_RANGE_DROPPED: SILENCE | {"ICMP": NEVER},
    Verdict.VIP_PORT_UNKNOWN: SILENCE | {"ICMP": NEVER},
    Verdict.VIP_ICMP_UNANSWERED: dict.fromkeys(KINDS, NEVER) | {"ICMP": "ping gets no answer, while TCP works"},
    Verdict.NOBODY_LISTENING: NO_SOCKET,
    Verdict.NO_ANSWER: HANGING,
    Verdict.NAME_NOT_FOUND: _same("name not found (NXDOMAIN), no connection is tried"),
    Verdict.DNS_BLOCKED: _same("the name look-up hangs, then fails: temporary failure in name resolution"),
    Verdict.NO_ROUTE: SILENCE,
    Verdict.NODE_DOWN: SILENCE,
    Verdict.POD_GONE: UNREACHABLE,
    Verdict.POD_NOT_RUNNING: NO_SOCKET | {"ICMP": SILENCE["ICMP"]},
    Verdict.NO_LB_PROVIDER: _same("no address to call: EXTERNAL-IP is <pending>"),
    Verdict.NO_LB_BACKEND: SILENCE,
    Verdict.NO_INGRESS_CONTROLLER: _same("no address to call: nobody serves the Ingress or Gateway"),
    **{verdict: dict.fromkeys(KINDS, NEVER) | dict.fromkeys(("HTTP", "HTTPS"), text) for verdict, text in HTTP.items()},
    Verdict.HAIRPIN_DROPPED: SILENCE,
    Verdict.REPLY_LOST: SILENCE,
    Verdict.TTL_EXPIRED: _same("ICMP time exceeded"),
    Verdict.MTU_EXCEEDED: TOO_LARGE,
    Verdict.INSUFFICIENT_INFO: _same("unknown: the objects do not say enough"),
}
# Steps that decide how a verdict is felt, where the verdict alone does not say.
UNADDRESSED = "pod_unaddressed"
BY_REASON: dict[str, Row] = {
    UNADDRESSED: _same("no address to call: the pod has none yet"),
    "no_family": NO_WAY,
    "node_no_family": NO_WAY,
    "vip_icmp_refused": dict.fromkeys(KINDS, NEVER) | {"ICMP": "destination port unreachable, at once"},
}


def feels(verdict: Verdict, kind: Kind) -> str:
    """The cell of the table."""
    return TABLE[verdict][kind]


def kind_of(probe: Probe) -> Kind:
    """Under which protocol the client meets the verdict."""
    if probe.request is None:
        return probe.protocol
    return "HTTPS" if probe.request.scheme == "https" else "HTTP"


def refused(verdict: Verdict, hops: tuple[Hop, ...]) -> bool:
    """Whether something answers with a refusal rather than silence."""
    if verdict in (Verdict.VIP_PORT_UNKNOWN, Verdict.VIP_ICMP_UNANSWERED):
        return bool(hops and hops[-1].steps and hops[-1].steps[-1].action is Action.REJECTED)
    return verdict in REFUSALS and not (hops and hops[-1].steps and hops[-1].steps[-1].reason == UNADDRESSED)


def answered_status(hops: tuple[Hop, ...]) -> int:
    """The HTTP status a proxy answered itself."""
    return int(_fact(hops, "status", 0))


def _proxy(hops: tuple[Hop, ...]) -> str:
    return str(_fact(hops, "proxy", "Ingress controller"))


def _fact(hops: tuple[Hop, ...], name: str, default: object) -> Any:
    """The newest value of a fact along the way."""
    steps = (step for hop in reversed(hops) for step in reversed(hop.steps))
    return next((step.facts[name] for step in steps if step.facts.get(name)), default)


def symptom(verdict: Verdict, probe: Probe, hops: tuple[Hop, ...], *, proxied: bool) -> str:
    """The symptom; behind a proxy the client sees the proxy's status instead of the network's."""
    kind = kind_of(probe)
    if verdict is Verdict.DELIVERED or (proxied and verdict in SUCCESSES):
        return feels(verdict, kind)
    if verdict in HTTP:
        status, location = answered_status(hops), _fact(hops, "location", "")
        return f"HTTP {status} to {location}" if location else f"HTTP {status} from the {_proxy(hops)}"
    if proxied:
        status = 502 if refused(verdict, hops) else 504
        return f"HTTP {status} from the {_proxy(hops)}"
    if verdict is Verdict.VIP_PORT_UNKNOWN and refused(verdict, hops):
        return REJECTED[kind]
    if verdict is Verdict.DNS_BLOCKED and _fact(hops, "refused", False):
        return DNS_REFUSED
    rcode = str(_fact(hops, "rcode", "")) if verdict is Verdict.NAME_NOT_FOUND else ""
    if rcode in BY_RCODE:
        return BY_RCODE[rcode]
    reason = hops[-1].steps[-1].reason if hops and hops[-1].steps else ""
    return BY_REASON.get(reason, TABLE[verdict])[kind]
