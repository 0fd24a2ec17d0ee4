"""A gateway takes a request: the route that decides, the backend drawn, or the answer it gives itself (GW)."""

from __future__ import annotations

from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.datapath.standing import Picked, Standing, first_port, ready_or_not, tls_ended, unfit
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.gateway.answer import Backend, GatewayAnswer
from clusterviz.engine.gateway.http import FURTHEST, match_http
from clusterviz.engine.gateway.objects import Gateway
from clusterviz.engine.gateway.refs import service_port, usable
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, Service, ServicePort
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Action, Candidate, Rule, Verdict

COMPONENT = "gateway"
# What says which Gateways are served (GW-13).
SERVED_BY = ("gateway_class", "gateway_controller")


def at_gateway(j: Journey, gateways: list[Gateway], request: Request, port: int, at: Standing) -> Picked | None:
    """Decide for a request that reached a data plane; None when it answers itself.

    The first such answer is the verdict; then the way goes on as a ghost to the backend the answer is about, or to that
    of the rule nearest to the request, for what else would stop it.
    """
    answers = [match_http(j.cluster, (one.namespace, one.name), request, port=port) for one in gateways]
    answer = min(answers, key=lambda one: FURTHEST.index(one.outcome))
    for note in answer.assumptions:
        j.assume(note.code, note.text)
    if request.scheme == "https":
        tls_ended(j, COMPONENT, at.ref, f"of listener {answer.listener}" if answer.listener else "default")
    if answer.outcome != "accepted":
        _own_answer(j, answer, request, at.ref)
    if answer.nearest is not None:
        answer = answer.nearest
        if answer.outcome != "accepted":
            _own_answer(j, answer, request, at.ref)
    return _backend(j, answer, request, at) if any(one.share for one in answer.backends) else None


def _backend(j: Journey, answer: GatewayAnswer, request: Request, at: Standing) -> Picked | None:
    """The backend drawn, and the endpoint of it that is called."""
    backend = _drawn(j, answer)
    candidates, ready = _candidates(j, answer, backend, at)
    if backend.status and answer.outcome == "accepted":
        _own_answer(j, answer, request, at.ref, backend, candidates)
    if not ready:
        if backend.redirect is not None:
            return None
        found = _reached(j, backend)
        if found is None:
            return None
        if backend.status != 503 and not usable(j.cluster, *found):
            _unavailable(j, answer, backend, "no ready endpoint", candidates)
        ready = ready_or_not(j, *found, at)
    return _chosen(j, answer, request, at, backend, candidates, ready) if ready else None


def _reached(j: Journey, backend: Backend) -> tuple[Service, ServicePort] | None:
    """The Service a backend names and its port, else its first: where a ghost goes on past a refusal."""
    service = j.cluster.services.get((backend.namespace, backend.name)) if backend.kind == "Service" else None
    port = (service_port(service, backend.port) or first_port(service)) if service is not None else None
    return (service, port) if service is not None and port is not None else None


def _chosen(
    j: Journey,
    answer: GatewayAnswer,
    request: Request,
    at: Standing,
    backend: Backend,
    candidates: tuple[Candidate, ...],
    ready: list[tuple[Endpoint, int]],
) -> Picked:
    random = draw(j.probe.seed, "proxy", at.ref, backend.ref)
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
        controller=at.name,
    )
    return Picked(endpoint, number, backend.request, ("GW-12", "GW-13"))


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
