"""What might help against each verdict: candidates for `clusterviz.engine.fixes`, which tries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clusterviz.engine.remedies import network, policy
from clusterviz.engine.remedies.edit import Edit, Situation
from clusterviz.engine.trace import Verdict

Remedy = Callable[[Situation], Iterator[Edit]]

REMEDIES: dict[Verdict, tuple[Remedy, ...]] = {
    Verdict.DENIED_INGRESS: (policy.allow, policy.relabel),
    Verdict.DENIED_EGRESS: (policy.allow, policy.relabel),
    Verdict.HAIRPIN_DROPPED: (network.hairpin,),
    Verdict.REPLY_LOST: (network.egress_nat,),
}


def candidates(situation: Situation) -> Iterator[Edit]:
    """Changes that might take away what stops this trace first, in no order."""
    trace = situation.trace
    if trace.verdict is Verdict.DNS_BLOCKED and trace.children:
        child = trace.children[-1].trace
        yield from candidates(Situation(situation.cluster, child, situation.asked))
        return
    for remedy in REMEDIES.get(trace.verdict, ()):
        yield from remedy(situation)
