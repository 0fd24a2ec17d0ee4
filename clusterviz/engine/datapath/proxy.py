"""A proxy, Ingress controller or gateway, ends the client's connection and opens its own (ING-11, ING-13, GW-13)."""

from __future__ import annotations

from typing import Literal

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.controllers import served_by, takes_requests
from clusterviz.engine.datapath.draw import draw, source_port
from clusterviz.engine.datapath.gateways import carried, listener_port
from clusterviz.engine.datapath.ingress import IngressMatch, backend_port, route_request
from clusterviz.engine.datapath.place import At, of_family, route_for, source_address
from clusterviz.engine.datapath.routed import COMPONENT as GATEWAY
from clusterviz.engine.datapath.routed import Picked, at_gateway, tls_ended
from clusterviz.engine.datapath.service import every
from clusterviz.engine.gateway.answer import Forwarded
from clusterviz.engine.gateway.objects import Gateway
from clusterviz.engine.gateway.refs import endpoint_port, usable
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, Pod, ServicePort
from clusterviz.engine.packet import Http
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Action, Candidate, Considered, Rule, Verdict

CONTROLLER = "Ingress controller"
MOST_PROXIES = 8
NotProxy = Literal["not a proxy"]


def forward_request(j: Journey, pod: Pod) -> At | NotProxy | None:
    """Route the request if the pod is a proxy; None when it answers the request itself."""
    request = asked(j)
    port = j.packet.dport or 0
    if request is None or j.ghost:
        return "not a proxy"
    gateways = carried(j.cluster, pod)
    listener = listener_port(j.cluster, pod, port, gateways) if gateways else 0
    if listener:
        j.proxy_hop = len(j.hops)
        picked = at_gateway(j, gateways, request, listener, pod.ref, f"{pod.namespace}/{pod.name}")
    else:
        ingresses = served_by(j.cluster, pod)
        if not ingresses or not takes_requests(j.cluster, pod, port):
            return "not a proxy"
        j.proxy_hop = len(j.hops)
        picked = _at_controller(j, pod, route_request(j.cluster, request, ingresses), request)
    if picked is None:
        return None
    if j.proxies >= MOST_PROXIES:
        _circle(j, pod)
        return None
    return _second_connection(j, pod, picked, GATEWAY if listener else CONTROLLER)


def at_managed(j: Journey, gateway: Gateway, ip: str) -> At | None:
    """A data plane outside the cluster takes the packet and calls the backend's pod directly."""
    name = f"gateway {gateway.namespace}/{gateway.name}"
    j.enter("proxy", gateway.ref, name, role="transit")
    j.assume(
        "gateway-data-plane",
        f"The data plane of Gateway {gateway.namespace}/{gateway.name} is not among the objects; it is taken to run "
        f"at {ip} outside the cluster and to reach pods without NAT.",
    )
    j.way(gateway.ref, "ingress")
    request = asked(j)
    port = j.packet.dport or 0
    if request is None or not any(one.port == port for one in gateway.listeners):
        ports = ", ".join(f"{one.port}/{one.protocol}" for one in gateway.listeners)
        why = f"{name} listens on {ports}" if request else "only HTTP requests are followed through a Gateway"
        rule = Rule(name="listeners", ref=gateway.ref, path="spec.listeners", rules=("GW-13",))
        j.step(Action.REJECTED, "no_listener", layer=4, component=GATEWAY, rule=rule, why=why, proxy=GATEWAY)
        j.block(
            Verdict.INSUFFICIENT_INFO if request is None else Verdict.NOBODY_LISTENING,
            ref=gateway.ref,
            rule=rule.name,
            why=why,
        )
        return None
    j.proxy_hop = len(j.hops)
    picked = at_gateway(j, [gateway], request, port, gateway.ref, name)
    if picked is None:
        return None
    node = j.cluster.nodes.get(picked.endpoint.node) or next(iter(j.cluster.nodes.values()), None)
    if node is None:
        j.block(Verdict.INSUFFICIENT_INFO, ref=gateway.ref, rule="no node", why="no node leads to the pod")
        return None
    connect(j, picked, ip, gateway.ref, GATEWAY)
    j.leave("")
    return At("node", node, came="outside", iface="eth0")


def asked(j: Journey) -> Request | None:
    """The request as this proxy reads it: behind another one it is plain HTTP, maybe rewritten."""
    request = j.probe.request
    if request is None or not j.proxies or not isinstance(j.packet.payload, Http):
        return request
    sent = j.packet.payload
    return msgspec.structs.replace(request, scheme="http", host=sent.host, path=sent.path)


def _at_controller(j: Journey, pod: Pod, match: IngressMatch, request: Request) -> Picked | None:
    """An Ingress controller's choice; None when it answers 404, 308 or 503 itself."""
    for note in match.assumptions:
        j.assume(note.code, note.text)
    if match.certificate:
        tls_ended(j, CONTROLLER, pod.ref, match.certificate)
    if match.backend is None or match.ingress is None:
        _no_rule(j, pod, match, request)
        return None
    if match.status:
        _redirect(j, match, request) if match.location else _unavailable(j, match, match.why)
        return None
    service, port, _ = backend_port(j.cluster, match.ingress, match.backend)
    ready = usable(j.cluster, service, port) if service and port else []
    if service is None or port is None or not ready:
        _unavailable(j, match, "no ready endpoint")
        return None
    random = draw(j.probe.seed, "proxy", pod.ref, service.ref)
    endpoint, number = ready[min(int(random * len(ready)), len(ready) - 1)]
    candidates = _candidates(every(j.cluster, service, port), port, endpoint, len(ready))
    j.chose(candidates)
    j.step(
        Action.LOAD_BALANCED,
        "proxy_chose",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        rule=_rule(match),
        considered=match.considered,
        candidates=candidates,
        host=request.host or "no host",
        path=request.path,
        service=f"{service.namespace}/{service.name}",
        pod=endpoint.pod.removeprefix("pod:") or endpoint.ip,
        count=len(ready),
        command=f"kubectl describe ingress -n {match.ingress.namespace} {match.ingress.name}",
        controller=f"{pod.namespace}/{pod.name}",
    )
    sent = Forwarded(host=request.host, path=match.rewritten or request.path, query=request.query)
    return Picked(endpoint, number, sent, ())


def _circle(j: Journey, pod: Pod) -> None:
    """The backend is a proxy again, and so on: the client gives up first."""
    rule = Rule(name="proxy behind proxy", ref=pod.ref, rules=("ING-11",))
    j.step(Action.DROPPED, "proxy_circle", layer=7, hook="userspace", rule=rule, pod=f"{pod.namespace}/{pod.name}")
    j.block(Verdict.TTL_EXPIRED, ref=pod.ref, rule=rule.name, why="the request goes from proxy to proxy")


def _candidates(every: tuple[Endpoint, ...], port: ServicePort, picked: Endpoint, count: int) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            address=endpoint.ip,
            port=endpoint_port(endpoint, port),
            pod=endpoint.pod,
            node=endpoint.node,
            picked=endpoint is picked,
            probability=0.0 if why else 1 / count,
            why=why,
        )
        for endpoint in every
        for why in [_unfit(endpoint, port)]
    )


def _unfit(endpoint: Endpoint, port: ServicePort) -> str:
    if not endpoint.ready:
        return "terminating" if endpoint.terminating else "not ready"
    return "" if endpoint_port(endpoint, port) else "has no port for this Service port"


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
    diffs = packet.change("ip", why, src=own, dst=ip, ttl=64)
    diffs += packet.change("l4", why, sport=source_port(j.probe.seed, "proxy", own, ip), dport=picked.number)
    if isinstance(packet.payload, Http):
        diffs += packet.change("http", "the rule's rewrite", host=picked.sent.host, path=picked.sent.path)
        diffs += packet.change("http", f"the {component} tells who called", forwarded_for=client)
    eth, packet.eth = packet.eth, None
    j.step(
        Action.PROXIED,
        "proxied",
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


def _no_rule(j: Journey, pod: Pod, match: IngressMatch, request: Request) -> None:
    j.step(
        Action.REJECTED,
        "no_ingress_rule",
        layer=7,
        hook="userspace",
        component=CONTROLLER,
        rule=Rule(name="no rule matches", ref=pod.ref, rules=("ING-08",)),
        considered=match.considered,
        host=request.host or "no host",
        path=request.path,
        status=404,
        proxy=CONTROLLER,
    )
    j.block(
        Verdict.NO_INGRESS_RULE,
        ref=pod.ref,
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
        rule=rule,
        considered=match.considered + extra,
        service=service,
        why=why,
        port=match.backend.port,
        status=503,
        proxy=CONTROLLER,
    )
    j.block(Verdict.PROXY_NO_ENDPOINTS, ref=f"service:{service}", rule=rule.name, why=f"{service}: {why}")
