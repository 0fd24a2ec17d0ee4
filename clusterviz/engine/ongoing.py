"""The next packet of a connection that was opened in an earlier snapshot: what a change does to it (PX-17, NP-22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.datapath.established import serves
from clusterviz.engine.datapath.service import port_name
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.packet import IP, L4
from clusterviz.engine.probe import Destination, Probe, Source
from clusterviz.engine.trace import SUCCESSES, Action, Assumption, Trace, Verdict
from clusterviz.engine.verdicts import VERDICTS

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

GOES_ON = "the connection goes on"
RESET = "connection reset by peer, at once"
HANGS = "the connection hangs: TCP sends again for some 15 minutes, then gives up"
LOST = "no answer: the same as a lost packet"
FLUSHED = (
    "kube-proxy has deleted the conntrack entry of {endpoint}, which no longer serves {service}: "
    "this packet is decided anew (PX-17)."
)


class Opened(NamedTuple):
    """The snapshot a connection was opened in; those that proxies on its way keep, as (picture id, ``ip:port``)."""

    cluster: Cluster
    pooled: frozenset[tuple[str, str]]


def as_sent(probe: Probe, first: Trace) -> Probe:
    """The packet on the wire: no name is looked up again, and the sender's port stays.

    ``first`` is the trace of the first packet. Raises `ProbeError` when it opened no connection that conntrack
    could follow from end to end.
    """
    if probe.protocol == "ICMP":
        raise ProbeError("a ping opens no connection", field="protocol", allowed="TCP, UDP, SCTP")
    if not first.success:
        words = VERDICTS[first.verdict]
        raise ProbeError(
            f"no connection was opened: {words[0].lower()}{words[1:]}",
            field="opened",
            allowed="a moment at which the call arrives",
        )
    stack = first.forward[0].headers_out or first.forward[0].headers_in
    ip = next(one for one in reversed(stack) if isinstance(one, IP))
    l4 = next(one for one in reversed(stack) if isinstance(one, L4))
    source = probe.source
    kind, _, name = first.forward[0].place.ref.partition(":")
    if kind == "pod":
        namespace, _, plain = name.partition("/")
        source = Source(kind="pod", namespace=namespace, name=plain)
    return msgspec.structs.replace(
        probe, source=source, destination=Destination(kind="ip", ip=ip.dst, port=l4.dport), source_port=l4.sport
    )


def pooled(first: Trace) -> frozenset[tuple[str, str]]:
    """The connections that proxies opened for the first request, and keep."""
    steps = (step for hop in first.forward for step in hop.steps if step.action is Action.PROXIED)
    return frozenset((step.rule.ref, step.facts["target"]) for step in steps if step.rule is not None)


def flushed(first: Trace, opened: Cluster, now: Cluster) -> Assumption | None:
    """What to say when kube-proxy deleted the entry the first packet made; it does so for UDP only (PX-17)."""
    if first.probe.protocol != "UDP":
        return None
    for step in (step for hop in first.forward for step in hop.steps):
        picked = next((one for one in step.candidates if one.picked), None)
        if step.reason != "load_balanced" or picked is None or step.rule is None:
            continue
        namespace, _, name = step.rule.ref.removeprefix("service:").partition("/")
        service = opened.services[namespace, name]
        port = next(one for one in service.ports if port_name(service, one) == step.facts["service"])
        if (namespace, name) in now.services and not serves(now, (namespace, name), port, picked.address, picked.port):
            told = FLUSHED.format(endpoint=picked.address, service=f"{namespace}/{name}")
            return Assumption("entry-flushed", told)
    return None


def felt(verdict: Verdict, protocol: str, usual: str, *, taken: bool) -> str:
    """What the client notices; ``usual`` is what it would at a first packet.

    ``taken``: a proxy took the request, and answers in any case.
    """
    if verdict in SUCCESSES:
        return GOES_ON
    if taken:
        return usual
    if protocol == "UDP":
        return usual if verdict is Verdict.NOBODY_LISTENING else LOST
    return RESET if verdict in (Verdict.NOBODY_LISTENING, Verdict.POD_NOT_RUNNING) else HANGS
