"""What the client feels: one short sentence for a verdict and a protocol (M22, TRC-03)."""

from __future__ import annotations

from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Action, Hop, Verdict

TIMED_OUT = "no answer: the connection times out"
REFUSED = "connection refused, at once"
HTTP = {
    Verdict.NO_INGRESS_RULE: "HTTP 404 from the Ingress controller",
    Verdict.PROXY_NO_ENDPOINTS: "HTTP 503 from the Ingress controller",
}
WORDS = {
    Verdict.DELIVERED_IN_POD: "an answer, over loopback",
    Verdict.EXITED_CLUSTER: "an answer, if the server outside gives one",
    Verdict.NAME_NOT_FOUND: "name not found (NXDOMAIN), no connection is tried",
    Verdict.DNS_BLOCKED: "the name look-up hangs, then fails: temporary failure in name resolution",
    Verdict.POD_GONE: "no route to host after some seconds",
    Verdict.NO_LB_PROVIDER: "no address to call: EXTERNAL-IP is <pending>",
    Verdict.NO_INGRESS_CONTROLLER: "no address to call: nobody serves the Ingress",
    Verdict.TTL_EXPIRED: "ICMP time exceeded",
    Verdict.MTU_EXCEEDED: "large packets vanish or ICMP says fragmentation needed; small ones pass",
    Verdict.VIP_ICMP_UNANSWERED: "ping gets no answer, while TCP works",
    Verdict.INSUFFICIENT_INFO: "unknown: the objects do not say enough",
}
REFUSALS = frozenset({Verdict.NO_ENDPOINTS_REJECTED, Verdict.NOBODY_LISTENING, Verdict.POD_NOT_RUNNING})


def refused(verdict: Verdict, hops: tuple[Hop, ...]) -> bool:
    """Whether something answers with a refusal rather than silence."""
    if verdict is Verdict.VIP_PORT_UNKNOWN:
        return bool(hops and hops[-1].steps and hops[-1].steps[-1].action is Action.REJECTED)
    return verdict in REFUSALS


def symptom(verdict: Verdict, probe: Probe, hops: tuple[Hop, ...], *, proxied: bool) -> str:
    """The symptom; behind a proxy the client sees the proxy's status instead of the network's."""
    if verdict in HTTP:
        return HTTP[verdict]
    if verdict is Verdict.DELIVERED:
        return _answered(probe)
    if proxied:
        status = "502" if refused(verdict, hops) else "504"
        return f"HTTP {status} from the Ingress controller"
    if verdict in WORDS:
        return WORDS[verdict]
    if refused(verdict, hops):
        return REFUSED if probe.protocol == "TCP" else "ICMP port unreachable, at once"
    return TIMED_OUT if probe.protocol == "TCP" else "no answer"


def _answered(probe: Probe) -> str:
    if probe.request is not None:
        return "an answer from the application (HTTP 200 if it is well)"
    return {"TCP": "connected", "ICMP": "ping answered"}.get(probe.protocol, "an answer from the application")
