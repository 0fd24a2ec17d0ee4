"""What might help against each verdict: candidates for `clusterviz.engine.fixes`, which tries them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clusterviz.engine.remedies import edge, gateway, last, names, network, policy, service
from clusterviz.engine.remedies.edit import Edit, Situation
from clusterviz.engine.trace import Verdict

Remedy = Callable[[Situation], Iterator[Edit]]

REMEDIES: dict[Verdict, tuple[Remedy, ...]] = {
    Verdict.DENIED_INGRESS: (policy.allow, policy.relabel),
    Verdict.DENIED_EGRESS: (policy.allow, policy.relabel),
    Verdict.NO_ENDPOINTS_REJECTED: (service.no_endpoints, last.selected),
    Verdict.NO_LOCAL_ENDPOINT_DROPPED: (service.local_policy, service.no_endpoints),
    Verdict.SOURCE_RANGE_DROPPED: (service.source_range,),
    Verdict.VIP_PORT_UNKNOWN: (service.unknown_port,),
    Verdict.VIP_ICMP_UNANSWERED: (network.ping,),
    Verdict.NOBODY_LISTENING: (service.nobody_listening,),
    Verdict.NO_ANSWER: (network.restart, network.other_pods),
    Verdict.NAME_NOT_FOUND: (names.not_found, last.named_alike),
    Verdict.NO_ROUTE: (names.no_route, network.link, last.other_service),
    Verdict.NODE_DOWN: (network.node_down,),
    Verdict.POD_GONE: (network.gone, last.other_service),
    Verdict.POD_NOT_RUNNING: (network.other_pods,),
    Verdict.NO_LB_PROVIDER: (edge.no_provider,),
    Verdict.NO_LB_BACKEND: (edge.no_backend,),
    Verdict.NO_INGRESS_CONTROLLER: (edge.no_controller, gateway.no_class),
    Verdict.NO_INGRESS_RULE: (edge.no_rule, gateway.no_rule),
    Verdict.PROXY_NO_ENDPOINTS: (edge.no_backend_service,),
    Verdict.PROXY_BACKEND_INVALID: (gateway.invalid_backend,),
    Verdict.REDIRECTED: (gateway.redirected,),
    Verdict.HAIRPIN_DROPPED: (network.hairpin,),
    Verdict.REPLY_LOST: (network.egress_nat,),
    Verdict.MTU_EXCEEDED: (network.mtu,),
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
