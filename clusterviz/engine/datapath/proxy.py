"""A proxy, Ingress controller or gateway, ends the client's connection and opens its own (ING-11, ING-13, GW-13)."""

from __future__ import annotations

from typing import Literal

import msgspec

from clusterviz.engine.addresses import host_port, public_address
from clusterviz.engine.datapath.controllers import (
    is_any_controller,
    is_controller,
    option,
    served_by,
    takes_requests,
)
from clusterviz.engine.datapath.draw import draw, source_port
from clusterviz.engine.datapath.gateways import carried, listener_port
from clusterviz.engine.datapath.hung import hangs
from clusterviz.engine.datapath.ingress import IngressMatch, backed, backend_port, route_request
from clusterviz.engine.datapath.ongoing import still_pooled
from clusterviz.engine.datapath.place import At, of_family, route_for, source_address
from clusterviz.engine.datapath.resolver import resolve
from clusterviz.engine.datapath.routed import COMPONENT as GATEWAY
from clusterviz.engine.datapath.routed import at_gateway
from clusterviz.engine.datapath.service import every
from clusterviz.engine.datapath.standing import Picked, Standing, first_port, ready_or_not, tls_ended, unfit
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.gateway.answer import Forwarded
from clusterviz.engine.gateway.refs import usable
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, Pod, Service, ServicePort
from clusterviz.engine.packet import L4, Http
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Action, Candidate, Considered, Rule, Verdict

CONTROLLER = "Ingress controller"
# What says which Ingresses a controller serves (ING-01).
SERVED_BY = ("ingress_class", "ingress_controller")
MOST_PROXIES = 8
NotProxy = Literal["not a proxy"]


def forward_request(j: Journey, pod: Pod) -> At | NotProxy | None:
    """Route the request if the pod is a proxy; None when it answers the request itself.

    A proxy that hangs reads nothing; the way goes on as a ghost, as the proxy would send it.
    """
    request = asked(j)
    port = j.packet.dport or 0
    if request is None:
        return "not a proxy"
    at = Standing(pod.ref, f"{pod.namespace}/{pod.name}", pod.ips)
    gateways = carried(j.cluster, pod)
    listener = listener_port(j.cluster, pod, port, gateways) if gateways else 0
    if listener:
        _stands(j, pod)
        picked = at_gateway(j, gateways, request, listener, at)
    else:
        ingresses = served_by(j.cluster, pod)
        if not (ingresses or is_any_controller(j.cluster, pod)) or not takes_requests(j.cluster, pod, port):
            return "not a proxy"
        _stands(j, pod)
        own = is_controller(pod, "ingress-nginx")
        match = route_request(j.cluster, request, ingresses, ingress_nginx=own)
        default = option(j.cluster, pod, "default-backend-service") if match.status == 404 else ""
        picked = _at_default(j, at, default, match, request) or at_controller(j, at, match, request)
    if picked is None:
        return None
    if j.proxies >= MOST_PROXIES:
        _circle(j, pod)
        return None
    return _second_connection(j, pod, picked, GATEWAY if listener else CONTROLLER)


def _stands(j: Journey, pod: Pod) -> None:
    """The packet has come to a proxy; the reply begins here unless there is a second connection."""
    if isinstance(j.packet.l4, L4) and hangs(j, pod, j.packet.l4):
        return
    if not j.ghost:
        j.proxy_hop = len(j.hops)


def asked(j: Journey) -> Request | None:
    """The request as this proxy reads it: behind another one it is plain HTTP, maybe rewritten."""
    request = j.probe.request
    if request is None or not j.proxies or not isinstance(j.packet.payload, Http):
        return request
    sent = j.packet.payload
    return msgspec.structs.replace(request, scheme="http", host=sent.host, path=sent.path)


def _at_default(j: Journey, at: Standing, name: str, match: IngressMatch, request: Request) -> Picked | None:
    """The controller's own default backend, ``namespace/name``, takes what no rule fits (ING-08); None without one."""
    space, _, short = name.partition("/")
    service = j.cluster.services.get((space, short))
    port = next((one for one in service.ports if one.protocol == "TCP"), None) if service else None
    if service is None or port is None or not usable(j.cluster, service, port):
        return None
    if match.certificate:
        tls_ended(j, CONTROLLER, at.ref, match.certificate)
    rule = Rule(name="--default-backend-service", text=name, ref=at.ref, made_by=CONTROLLER, rules=("ING-08",))
    return _choose(j, at, service, port, match, request, rule)


def at_controller(j: Journey, at: Standing, match: IngressMatch, request: Request) -> Picked | None:
    """An Ingress controller's choice; None when it answers 404, 308 or 503 itself.

    The first such answer is the verdict; then the way goes on as a ghost to the backend of the rule, or of the nearest
    one, for what else would stop the request.
    """
    for note in match.assumptions:
        j.assume(note.code, note.text)
    if match.certificate:
        tls_ended(j, CONTROLLER, at.ref, match.certificate)
    if match.backend is None or match.ingress is None:
        _no_rule(j, at.ref, match, request)
        if match.nearest is None:
            return None
        ingress, path = match.nearest
        match = msgspec.structs.replace(match, status=0, ingress=ingress, path=path, backend=path.backend)
        match = backed(j.cluster, match)
    elif match.location:
        _redirect(j, match, request)
        match = backed(j.cluster, msgspec.structs.replace(match, status=0, location="", why=""))
    return _at_backend(j, at, match, request)


def _at_backend(j: Journey, at: Standing, match: IngressMatch, request: Request) -> Picked | None:
    """The endpoint of the backend a rule names."""
    assert match.ingress is not None
    assert match.backend is not None
    service, port, _ = backend_port(j.cluster, match.ingress, match.backend)
    if match.status:
        _unavailable(j, match, match.why)
    if service is not None and service.type == "ExternalName":
        return _external(j, at.name, service, port.port, match, request) if port is not None else None
    port = port or (first_port(service) if service is not None else None)
    if service is None or port is None:
        return None
    if not usable(j.cluster, service, port) and not j.ghost:
        _unavailable(j, match, "no ready endpoint")
    return _choose(j, at, service, port, match, request, _rule(match))


def _external(
    j: Journey, name: str, service: Service, port: int, match: IngressMatch, request: Request
) -> Picked | None:
    """The backend is only a name: the controller looks it up and calls what it finds (SVC-09)."""
    space, _, short = name.partition("/")
    found = resolve(j.cluster, j.cluster.pods.get((space, short)), service.external_name)
    ip = next(iter(found.addresses), "") or (public_address(service.external_name) if found.outside else "")
    if not ip:
        _unavailable(j, match, f"{service.external_name} has no address")
        return None
    j.step(
        Action.LOAD_BALANCED,
        "proxy_chose",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        settings=SERVED_BY,
        rule=_rule(match),
        considered=match.considered,
        host=request.host or "no host",
        path=request.path,
        service=f"{service.namespace}/{service.name}",
        pod=service.external_name,
        count=1,
        controller=name,
    )
    sent = Forwarded(host=request.host, path=match.rewritten or request.path, query=request.query)
    return Picked(Endpoint(ip=ip), port, sent, ("SVC-09",))


def _choose(
    j: Journey,
    at: Standing,
    service: Service,
    port: ServicePort,
    match: IngressMatch,
    request: Request,
    rule: Rule,
) -> Picked | None:
    """One of the ready endpoints, all with the same odds (ING-13); None when there is none."""
    ready = ready_or_not(j, service, port, at)
    if not ready:
        return None
    random = draw(j.probe.seed, "proxy", at.ref, service.ref)
    endpoint, number = ready[min(int(random * len(ready)), len(ready) - 1)]
    candidates = _candidates(every(j.cluster, service, port), port, endpoint, ready)
    j.chose(candidates)
    j.step(
        Action.LOAD_BALANCED,
        "proxy_chose",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        settings=SERVED_BY,
        rule=rule,
        considered=match.considered,
        candidates=candidates,
        host=request.host or "no host",
        path=request.path,
        service=f"{service.namespace}/{service.name}",
        pod=endpoint.pod.removeprefix("pod:") or endpoint.ip,
        count=len(ready),
        command=f"kubectl get endpointslices -n {service.namespace} -l kubernetes.io/service-name={service.name}",
        controller=at.name,
    )
    sent = Forwarded(host=request.host, path=match.rewritten or request.path, query=request.query)
    return Picked(endpoint, number, sent, ())


def _circle(j: Journey, pod: Pod) -> None:
    """The backend is a proxy again, and so on: the client gives up first."""
    rule = Rule(name="proxy behind proxy", ref=pod.ref, rules=("ING-11",))
    j.step(Action.DROPPED, "proxy_circle", layer=7, hook="userspace", rule=rule, pod=f"{pod.namespace}/{pod.name}")
    j.block(Verdict.TTL_EXPIRED, ref=pod.ref, rule=rule.name, why="the request goes from proxy to proxy")


def _candidates(
    every: tuple[Endpoint, ...], port: ServicePort, picked: Endpoint, ready: list[tuple[Endpoint, int]]
) -> tuple[Candidate, ...]:
    fitting = {(one.ip, number) for one, number in ready}
    return tuple(
        Candidate(
            address=endpoint.ip,
            port=number,
            pod=endpoint.pod,
            node=endpoint.node,
            picked=(endpoint.ip, number) == (picked.ip, number_of(picked, port)),
            probability=1 / len(ready) if (endpoint.ip, number) in fitting else 0.0,
            why="" if (endpoint.ip, number) in fitting else unfit(endpoint, number),
        )
        for endpoint in every
        for number in [number_of(endpoint, port)]
    )


def _second_connection(j: Journey, pod: Pod, picked: Picked, component: str) -> At:
    ip = picked.endpoint.ip
    node = j.cluster.nodes.get(pod.node) if pod.host_network else None
    own = of_family(pod.ips, ip)
    if node is not None:
        own = source_address(j.cluster, node, route_for(j.cluster, node, ip), ip)
    connect(j, picked, own, pod.ref, component)
    if node is not None:
        j.way(node.ref, "pod")
        j.leave("")
        return At("node", node, came="local")
    return At("pod_out", None, pod, came="proxy")


def connect(j: Journey, picked: Picked, own: str, place: str, component: str) -> None:
    """The proxy's own connection from ``own`` to the endpoint, with the request it sends (ING-11, GW-12)."""
    packet = j.packet
    client, ip = packet.ip.src, picked.endpoint.ip
    why = f"the {component}'s own connection"
    j.proxies += 1
    j.proxied = j.proxied or not j.ghost
    kept, flags = still_pooled(j, place, ip, picked.number), {}
    if j.opened is not None and not kept:
        j.opened, flags = None, {"flags": "SYN"}
    diffs = packet.change("ip", why, src=own, dst=ip, ttl=64)
    diffs += packet.change("l4", why, sport=source_port(j.probe.seed, "proxy", own, ip), dport=picked.number, **flags)
    if isinstance(packet.payload, Http):
        diffs += packet.change("http", "the rule's rewrite", host=picked.sent.host, path=picked.sent.path)
        diffs += packet.change("http", f"the {component} tells who called", forwarded_for=client)
    eth, packet.eth = packet.eth, None
    j.step(
        Action.PROXIED,
        "proxied_on" if kept else "proxied",
        layer=7,
        hook="userspace",
        component=component,
        diffs=diffs,
        pop=(eth,) if eth is not None else (),
        client=client,
        source=own,
        target=host_port(ip, picked.number),
        proxy=component,
        rule=Rule(name="second connection", ref=place, made_by=component, rules=("ING-11", "SRC-6", *picked.rules)),
    )


def _rule(match: IngressMatch) -> Rule:
    ingress = match.ingress
    assert ingress is not None
    name = f"{ingress.namespace}/{ingress.name}"
    if match.path is None:
        return Rule(name=f"{name} default backend", ref=ingress.ref, path="spec.defaultBackend", rules=("ING-08",))
    rule, path = match.path.index
    return Rule(
        name=f"{name} {match.host or '*'}{match.path.path}",
        text=f"{match.path.type} {match.path.path}",
        ref=ingress.ref,
        path=f"spec.rules[{rule}].http.paths[{path}]",
        index=path,
        made_by=CONTROLLER,
        rules=match.rules,
    )


def _redirect(j: Journey, match: IngressMatch, request: Request) -> None:
    """Plain HTTP is sent to HTTPS (ING-10)."""
    rule = _rule(match)
    j.step(
        Action.ANSWERED,
        "redirected",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        settings=SERVED_BY,
        rule=msgspec.structs.replace(rule, rules=(*rule.rules, "ING-10")),
        considered=match.considered,
        host=request.host or "no host",
        path=request.path,
        status=match.status,
        location=match.location,
        proxy=CONTROLLER,
        command=f"curl -i http://{request.host}{request.path}",
    )
    j.block(Verdict.REDIRECTED, ref=rule.ref, rule=rule.name, why=match.why)


def _no_rule(j: Journey, place: str, match: IngressMatch, request: Request) -> None:
    j.step(
        Action.REJECTED,
        "no_ingress_rule",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        settings=SERVED_BY,
        rule=Rule(name="no rule matches", ref=place, rules=("ING-08",)),
        considered=match.considered,
        host=request.host or "no host",
        path=request.path,
        status=404,
        proxy=CONTROLLER,
    )
    j.block(
        Verdict.NO_INGRESS_RULE,
        ref=place,
        rule="no rule matches",
        why=f"no Ingress rule for {request.host or 'no host'}{request.path}",
    )


def _unavailable(j: Journey, match: IngressMatch, why: str) -> None:
    assert match.backend is not None
    assert match.ingress is not None
    rule = _rule(match)
    service = f"{match.ingress.namespace}/{match.backend.service}"
    extra = (Considered(service, why, f"service:{service}"),)
    j.step(
        Action.REJECTED,
        "proxy_no_endpoints",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        settings=SERVED_BY,
        rule=rule,
        considered=match.considered + extra,
        service=service,
        why=why,
        port=match.backend.port,
        status=503,
        proxy=CONTROLLER,
    )
    j.block(Verdict.PROXY_NO_ENDPOINTS, ref=f"service:{service}", rule=rule.name, why=f"{service}: {why}")
