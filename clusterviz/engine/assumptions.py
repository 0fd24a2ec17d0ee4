"""Simplifications every trace of a kind rests on, told with the trace; those of one decision are noted where it falls.

docs/assumptions.md lists both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clusterviz.engine.packet import Ethernet
from clusterviz.engine.trace import Action, Assumption, Trace

SYNCED = frozenset({Action.LOAD_BALANCED, Action.PERMITTED, Action.RESOLVED, Action.DROPPED, Action.REJECTED})


class _Seen(NamedTuple):
    """What the way there of a trace consists of."""

    actions: frozenset[Action]
    places: frozenset[str]
    drawn: bool
    framed: bool
    ipvs: bool
    failed: bool
    behind: bool


def _seen(trace: Trace) -> _Seen:
    steps = [step for hop in trace.forward for step in hop.steps]
    return _Seen(
        frozenset(step.action for step in steps),
        frozenset(hop.place.kind for hop in trace.forward),
        any(len(step.candidates) > 1 and sum(one.probability > 0 for one in step.candidates) > 1 for step in steps),
        any(isinstance(hop.headers_out[0], Ethernet) for hop in trace.forward if hop.headers_out),
        any("IPV-01" in step.rule.rules for step in steps if step.rule),
        bool(trace.blockers),
        any(one.code == "rules-behind" for one in trace.assumptions),
    )


STANDING: tuple[tuple[Assumption, Callable[[_Seen], bool]], ...] = (
    (
        Assumption(
            "objects-in-force",
            "Every node's rules, CoreDNS and the network plugin are taken to know the newest objects; real ones follow "
            "within a second or so (PX-18, PX-19, NP-22).",
        ),
        lambda seen: bool(seen.actions & SYNCED) and not seen.behind,
    ),
    (
        Assumption(
            "first-packet",
            "Only the first packet of a new connection is decided, and its answer; later ones follow conntrack, "
            "even when objects change meanwhile (PX-17, NP-07).",
        ),
        lambda seen: Action.SESSION_MADE in seen.actions,
    ),
    (
        Assumption(
            "ipvs-by-rules",
            "What IPVS does follows its rules as they are written down; no kernel with IPVS was there to compare with, "
            "as the other modes were (IPV-01).",
        ),
        lambda seen: seen.ipvs,
    ),
    (
        Assumption(
            "drawn-from-the-seed",
            "The backend is drawn from the seed, so that the same question gets the same answer; a real node draws "
            "anew for each connection (PX-16).",
        ),
        lambda seen: seen.drawn,
    ),
    (
        Assumption(
            "masquerade-port",
            "The source port after a masquerade is derived from the seed; a kernel picks one that is free (PX-09).",
        ),
        lambda seen: Action.MASQUERADED in seen.actions,
    ),
    (
        Assumption(
            "neighbours-known",
            "Neighbours' card addresses are taken to be known, and are made from IP addresses; "
            "ARP and neighbour discovery are not shown.",
        ),
        lambda seen: seen.framed,
    ),
    (
        Assumption(
            "node-sysctls",
            "Nodes are taken to forward packets, to lead bridged ones through their rules (br_netfilter), "
            "and not to drop by reverse path.",
        ),
        lambda seen: "node" in seen.places,
    ),
    (
        Assumption(
            "wire-is-sound",
            "The network between the nodes is taken to carry whatever they send: no firewall, no loss, no smaller MTU.",
        ),
        lambda seen: "wire" in seen.places,
    ),
    (
        Assumption(
            "no-next-endpoint",
            "A proxy is taken to give up when the endpoint it drew does not answer; ingress-nginx tries another one "
            "after a failed connection or a time-out.",
        ),
        lambda seen: seen.failed and Action.PROXIED in seen.actions,
    ),
    (
        Assumption(
            "balancer-both-ways",
            "The answer is taken to go back through the load balancer; with direct server return it goes past it.",
        ),
        lambda seen: "loadbalancer" in seen.places and not seen.failed,
    ),
    (
        Assumption(
            "no-dns-cache",
            "Nobody between the application and CoreDNS is taken to keep answers; "
            "each name is asked as A and AAAA, shown as one try.",
        ),
        lambda seen: Action.RESOLVED in seen.actions,
    ),
    (
        Assumption(
            "application-answers",
            "The application is taken to answer at once; what it says is not known.",
        ),
        lambda seen: Action.DELIVERED in seen.actions,
    ),
)


def standing(trace: Trace) -> tuple[Assumption, ...]:
    """The standing assumptions this trace rests on."""
    seen = _seen(trace)
    return tuple(assumption for assumption, applies in STANDING if applies(seen))
