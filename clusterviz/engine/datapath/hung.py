"""A process that hangs: its kernel still completes handshakes, but nobody reads what comes (EPS-04)."""

from __future__ import annotations

from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import HUNG_ANNOTATION, Pod
from clusterviz.engine.packet import L4, Http
from clusterviz.engine.trace import Action, Rule, Verdict

BACKLOG = (
    "The process hangs, and its kernel still completes the handshake, as long as the listen backlog has room; "
    "whatever is sent then gets no answer."
)


def hangs(j: Journey, pod: Pod, l4: L4) -> bool:
    """Whether the caller waits in vain: a datagram or a request is not read, a bare connection is set up."""
    if not pod.hung:
        return False
    if l4.proto != "UDP" and not isinstance(j.packet.payload, Http):
        j.assume("hung-accepts", BACKLOG)
        return False
    name, path = f"{pod.namespace}/{pod.name}", f"metadata.annotations[{HUNG_ANNOTATION}]"
    j.step(
        Action.DROPPED,
        "hung" if l4.proto == "UDP" else "hung_request",
        layer=4 if l4.proto == "UDP" else 7,
        hook="socket",
        pod=name,
        port=l4.dport,
        rule=Rule(name="the process hangs", ref=pod.ref, path=path, rules=("EPS-04",)),
        command=f"kubectl exec -n {pod.namespace} {pod.name} -- ss -tan sport = :{l4.dport}",
    )
    why = f"the process of {name} hangs and answers nothing"
    j.block(Verdict.NO_ANSWER, ref=pod.ref, rule="the process hangs", why=why)
    return True
