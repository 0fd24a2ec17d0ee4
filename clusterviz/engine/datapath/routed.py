"""A gateway takes a request: the route that decides, the backend drawn, or the answer it gives itself (GW)."""

from __future__ import annotations

from typing import NamedTuple

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.gateway.answer import Backend, Forwarded, GatewayAnswer
from clusterviz.engine.gateway.http import FURTHEST, match_http
from clusterviz.engine.gateway.objects import Gateway
from clusterviz.engine.gateway.refs import service_port, usable
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Action, Candidate, Rule, Verdict

COMPONENT = "gateway"
# What says which Gateways are served (GW-13).
SERVED_BY = ("gateway_class", "gateway_controller")


class Standing(NamedTuple):
    """The proxy that decides: picture id, what to call it, its addresses."""

    ref: str
    name: str
    ips: tuple[str, ...]

    def within_reach(self, endpoints: list[tuple[Endpoint, int]]) -> list[tuple[Endpoint, int]]:
        """Endpoints of a family the proxy has an address of; all when there is none such."""
        own = {family(ip) for ip in self.ips}
        return [one for one in endpoints if family(one[0].ip) in own] or endpoints


class Picked(NamedTuple):
    """The endpoint a proxy calls, its port, and the request it sends."""

    endpoint: Endpoint
    number: int
    sent: Forwarded
    rules: tuple[str, ...]


def at_gateway(j: Journey, gateways: list[Gateway], request: Request, port: int, at: Standing) -> Picked | None:
    """Decide for a request that reached a data plane; None when it answers itself."""
    place, name = at.ref, at.name
    answers = [match_http(j.cluster, (one.namespace, one.name), request, port=port) for one in gateways]
    answer = min(answers, key=lambda one: FURTHEST.index(one.outcome))
    for note in answer.assumptions:
        j.assume(note.code, note.text)
    if request.scheme == "https":
        tls_ended(j, COMPONENT, place, f"of listener {answer.listener}" if answer.listener else "default")
    if answer.outcome != "accepted":
        _own_answer(j, answer, request, place)
        return None
    backend = _drawn(j, answer)
    candidates, ready = _candidates(j, answer, backend, at)
    if backend.status:
        _own_answer(j, answer, request, place, backend, candidates)
        return None
    if not ready:
        _unavailable(j, answer, backend, "no ready endpoint", candidates)
        return None
    random = draw(j.probe.seed, "proxy", place, backend.ref)
    endpoint, number = ready[min(int(random * len(ready)), len(ready) - 1)]
    candidates = tuple(_mark(one, endpoint, number) for one in candidates)
    j.chose(candidates)
    j.step(
        Action.LOAD_BALANCED,
        "gateway_chose",
        layer=7,
        hook="userspace",
        component=COMPONENT,
        settings=SERVED_BY,
        rule=_rule(answer),
        considered=answer.considered,
        candidates=candidates,
        host=request.host or "no host",
        path=request.path,
        route="/".join(answer.route or ()),
        index=answer.rule,
        service=f"{backend.namespace}/{backend.name}",
        share=f"{backend.share:.0%}",
        pod=endpoint.pod.removeprefix("pod:") or endpoint.ip,
        count=len(ready),
        command=_command(answer),
        controller=name,
    )
    return Picked(endpoint, number, backend.request, ("GW-12", "GW-13"))


def tls_ended(j: Journey, component: str, place: str, certificate: str) -> None:
    """TLS ends at the proxy; behind it the request is plain HTTP (ING-10)."""
    j.step(
        Action.RECEIVED,
        "tls_ended",
        layer=7,
        hook="userspace",
        component=component,
        certificate=certificate,
        proxy=component,
        rule=Rule(name="TLS", ref=place, path="spec.tls", rules=("ING-10",)),
        command=f"openssl s_client -connect {host_port(j.packet.ip.dst, j.packet.dport or 443)}",
    )


def _drawn(j: Journey, answer: GatewayAnswer) -> Backend:
    """One backend by its share of the weights (GW-09)."""
    random = draw(j.probe.seed, "weight", "/".join(answer.route or ()), str(answer.rule))
    total = 0.0
    fitting = [one for one in answer.backends if one.share]
    for one in fitting:
        total += one.share
        if random < total:
            return one
    return fitting[-1]


def _candidates(
    j: Journey, answer: GatewayAnswer, picked: Backend, at: Standing
) -> tuple[tuple[Candidate, ...], list[tuple[Endpoint, int]]]:
    """Every endpoint of every backend with its odds, and the ready ones of the backend drawn."""
    found: list[Candidate] = []
    mine: list[tuple[Endpoint, int]] = []
    for one in answer.backends:
        service = j.cluster.services.get((one.namespace, one.name))
        port = service_port(service, one.port) if service else None
        if one.reason or one.status or service is None or port is None:
            why = f"{one.reason or 'redirect'}: {one.why or 'its own filter answers'}"
            address = f"{one.namespace}/{one.name}"
            found.append(
                Candidate(address=address, port=one.port, probability=one.share, picked=one is picked, why=why)
            )
            continue
        ready = at.within_reach(usable(j.cluster, service, port))
        mine = ready if one is picked else mine
        for endpoint in j.cluster.endpoints(service):
            number = number_of(endpoint, port)
            fits = any((endpoint.ip, number) == (one.ip, other) for one, other in ready)
            found.append(
                Candidate(
                    address=endpoint.ip,
                    port=number,
                    pod=endpoint.pod,
                    node=endpoint.node,
                    probability=one.share / len(ready) if fits else 0.0,
                    why="" if fits else unfit(endpoint, number),
                )
            )
    return tuple(found), mine


def unfit(endpoint: Endpoint, number: int) -> str:
    """Why a proxy does not call an endpoint."""
    if not endpoint.ready:
        return "terminating" if endpoint.terminating else "not ready"
    return "the proxy has no address of its family" if number else "has no port for this Service port"


def _mark(candidate: Candidate, endpoint: Endpoint, number: int) -> Candidate:
    if (candidate.address, candidate.port, candidate.pod) != (endpoint.ip, number, endpoint.pod):
        return candidate
    return Candidate(
        address=candidate.address,
        port=candidate.port,
        pod=candidate.pod,
        node=candidate.node,
        probability=candidate.probability,
        picked=True,
    )


def _rule(answer: GatewayAnswer) -> Rule:
    if answer.route is None:
        space, name = answer.gateway or ("", "")
        return Rule(
            name="no route matches", ref=f"gateway:{space}/{name}", made_by="gateway controller", rules=answer.rules
        )
    route = "/".join(answer.route)
    return Rule(
        name=f"HTTPRoute {route}",
        ref=f"httproute:{route}",
        path=f"spec.rules[{answer.rule}]",
        index=answer.rule,
        made_by="gateway controller",
        rules=answer.rules,
    )


def _command(answer: GatewayAnswer) -> str:
    if answer.route is None:
        space, name = answer.gateway or ("", "")
        return f"kubectl describe gateway -n {space} {name}"
    return f"kubectl describe httproute -n {answer.route[0]} {answer.route[1]}"


def _own_answer(
    j: Journey,
    answer: GatewayAnswer,
    request: Request,
    place: str,
    backend: Backend | None = None,
    candidates: tuple[Candidate, ...] = (),
) -> None:
    """404, 500, 503 or a redirect, of the whole rule or of the backend drawn."""
    status = backend.status if backend else answer.status
    why = (backend.why if backend else "") or answer.why
    to = (backend.redirect if backend else None) or answer.redirect
    if status == 503:
        _unavailable(j, answer, backend or answer.backends[0], why, candidates)
        return
    rule = _rule(answer)
    words = {404: ("no_route_rule", Verdict.NO_INGRESS_RULE), 500: ("backend_invalid", Verdict.PROXY_BACKEND_INVALID)}
    reason, verdict = words.get(status, ("redirected", Verdict.REDIRECTED))
    if answer.outcome == "no_listener":
        reason, verdict = "no_listener", Verdict.NOBODY_LISTENING
    j.step(
        Action.ANSWERED if to else Action.REJECTED,
        reason,
        layer=7,
        hook="userspace",
        component=COMPONENT,
        settings=SERVED_BY,
        rule=rule,
        considered=answer.considered,
        candidates=candidates,
        host=request.host or "no host",
        path=request.path,
        status=status,
        why=why,
        location=to.location if to else "",
        proxy=COMPONENT,
        command=_command(answer),
    )
    target = f"redirect to {to.location}" if to else why
    j.block(verdict, ref=rule.ref if answer.route else place, rule=rule.name, why=target)


def _unavailable(
    j: Journey, answer: GatewayAnswer, backend: Backend, why: str, candidates: tuple[Candidate, ...]
) -> None:
    service = f"{backend.namespace}/{backend.name}"
    rule = _rule(answer)
    j.step(
        Action.REJECTED,
        "proxy_no_endpoints",
        layer=7,
        hook="userspace",
        component=COMPONENT,
        settings=SERVED_BY,
        rule=rule,
        considered=answer.considered,
        candidates=candidates,
        service=service,
        why=why,
        port=backend.port,
        status=503,
        proxy=COMPONENT,
        command=_command(answer),
    )
    j.block(Verdict.PROXY_NO_ENDPOINTS, ref=f"service:{service}", rule=rule.name, why=f"{service}: {why}")
