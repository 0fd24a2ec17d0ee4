"""An Ingress controller ends the client's connection and opens one of its own (ING-11, ING-13)."""

from __future__ import annotations

from typing import Literal

from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.controllers import served_by, takes_requests
from clusterviz.engine.datapath.draw import draw, source_port
from clusterviz.engine.datapath.ingress import IngressMatch, match_request
from clusterviz.engine.datapath.place import At, of_family, route_for, source_address
from clusterviz.engine.datapath.service import every
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, IngressBackend, Pod, ServicePort
from clusterviz.engine.packet import Http
from clusterviz.engine.trace import Action, Candidate, Considered, Rule, Verdict

MOST_PROXIES = 8
NotProxy = Literal["not a proxy"]


def forward_request(j: Journey, pod: Pod) -> At | NotProxy | None:
    """Route the request if the pod is a controller; None when it answers with an error itself."""
    request = j.probe.request
    if request is None or j.ghost or not takes_requests(j.cluster, pod, j.packet.dport or 0):
        return "not a proxy"
    ingresses = served_by(j.cluster, pod)
    if not ingresses:
        return "not a proxy"
    match = match_request(ingresses, request.host, request.path)
    j.proxy_hop = len(j.hops)
    name = f"{pod.namespace}/{pod.name}"
    if match.backend is None or match.ingress is None:
        _no_rule(j, pod, match)
        return None
    service = j.cluster.services.get((match.ingress.namespace, match.backend.service))
    port = _port(service.ports, match.backend) if service else None
    if service is None or port is None:
        why = "no such Service" if service is None else "the Service has no such port"
        _unavailable(j, match, why)
        return None
    backends = every(j.cluster, service, port)
    usable = [(e, n) for e in backends if e.ready and (n := _number(e, port))]
    if not usable:
        _unavailable(j, match, "no ready endpoint")
        return None
    random = draw(j.probe.seed, "proxy", pod.ref, service.ref)
    endpoint, number = usable[min(int(random * len(usable)), len(usable) - 1)]
    candidates = _candidates(backends, port, endpoint, len(usable))
    j.chose(candidates)
    j.step(
        Action.LOAD_BALANCED,
        "proxy_chose",
        layer=7,
        hook="userspace",
        component="Ingress controller",
        rule=_rule(match),
        considered=match.considered,
        candidates=candidates,
        host=request.host or "no host",
        path=request.path,
        service=f"{service.namespace}/{service.name}",
        pod=endpoint.pod.removeprefix("pod:") or endpoint.ip,
        count=len(usable),
        command=f"kubectl describe ingress -n {match.ingress.namespace} {match.ingress.name}",
        controller=name,
    )
    if j.proxies >= MOST_PROXIES:
        _circle(j, pod, match)
        return None
    return _second_connection(j, pod, endpoint, number)


def _circle(j: Journey, pod: Pod, match: IngressMatch) -> None:
    """The backend is a controller again, and so on: the client gives up first."""
    rule = _rule(match)
    j.step(Action.DROPPED, "proxy_circle", layer=7, hook="userspace", rule=rule, pod=f"{pod.namespace}/{pod.name}")
    j.block(Verdict.TTL_EXPIRED, ref=pod.ref, rule=rule.name, why="the request goes from controller to controller")


def _candidates(every: tuple[Endpoint, ...], port: ServicePort, picked: Endpoint, count: int) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            address=endpoint.ip,
            port=_number(endpoint, port),
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
    return "" if _number(endpoint, port) else "has no port for this Service port"


def _second_connection(j: Journey, pod: Pod, endpoint: Endpoint, number: int) -> At:
    packet = j.packet
    client = packet.ip.src
    node = j.cluster.nodes.get(pod.node) if pod.host_network else None
    own = of_family(pod.ips, endpoint.ip)
    if node is not None:
        own = source_address(j.cluster, node, route_for(j.cluster, node, endpoint.ip), endpoint.ip)
    j.proxies += 1
    diffs = packet.change("ip", "the controller's own connection", src=own, dst=endpoint.ip, ttl=64)
    diffs += packet.change(
        "l4",
        "the controller's own connection",
        sport=source_port(j.probe.seed, "proxy", own, endpoint.ip),
        dport=number,
    )
    if isinstance(packet.payload, Http):
        diffs += packet.change("http", "the controller tells who called", forwarded_for=client)
    eth, packet.eth = packet.eth, None
    j.step(
        Action.PROXIED,
        "proxied",
        layer=7,
        hook="userspace",
        component="Ingress controller",
        diffs=diffs,
        pop=(eth,) if eth is not None else (),
        client=client,
        source=own,
        target=host_port(endpoint.ip, number),
        rule=Rule(name="second connection", ref=pod.ref, made_by="Ingress controller", rules=("ING-11", "SRC-6")),
    )
    if node is not None:
        j.way(node.ref, "pod")
        j.leave("")
        return At("node", node, came="local")
    return At("pod_out", None, pod, came="proxy")


def _port(ports: tuple[ServicePort, ...], backend: IngressBackend) -> ServicePort | None:
    """Backend port by number or name of the Service port (ING-09)."""
    return next((port for port in ports if port.protocol == "TCP" and backend.port in (port.port, port.name)), None)


def _number(endpoint: Endpoint, port: ServicePort) -> int:
    return next((n for name, n, proto in endpoint.ports if name == port.name and proto == port.protocol), 0)


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
        made_by="Ingress controller",
        rules=("ING-02", "ING-05", "ING-07"),
    )


def _no_rule(j: Journey, pod: Pod, match: IngressMatch) -> None:
    request = j.probe.request
    assert request is not None
    j.step(
        Action.REJECTED,
        "no_ingress_rule",
        layer=7,
        hook="userspace",
        component="Ingress controller",
        rule=Rule(name="no rule matches", ref=pod.ref, rules=("ING-08",)),
        considered=match.considered,
        host=request.host or "no host",
        path=request.path,
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
        component="Ingress controller",
        rule=rule,
        considered=match.considered + extra,
        service=service,
        why=why,
        port=match.backend.port,
    )
    j.block(Verdict.PROXY_NO_ENDPOINTS, ref=f"service:{service}", rule=rule.name, why=f"{service}: {why}")
