"""`match_http`: what a gateway does with one HTTP request (GW). Ask it alone, with whatever objects there are."""

from __future__ import annotations

from collections import defaultdict
from heapq import nsmallest
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from clusterviz.engine.errors import ProbeError
from clusterviz.engine.gateway.answer import Backend, Forwarded, GatewayAnswer, Outcome, Redirect
from clusterviz.engine.gateway.attach import Attachment, fault
from clusterviz.engine.gateway.attached import Attached
from clusterviz.engine.gateway.backends import backend, resolve
from clusterviz.engine.gateway.hosts import covers, intersect, plain, specific
from clusterviz.engine.gateway.match import Candidate, best_hostname, candidates, lost, nearness, rank, told
from clusterviz.engine.gateway.objects import Filter, Gateway, HTTPRoute, Listener, Name
from clusterviz.engine.gateway.rewrite import PORTS, forwarded, redirect, response
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Assumption, Considered

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# The nearest misses are told; hundreds of other routes would tell nothing more.
MOST_CONSIDERED = 50
OUTCOMES: dict[int, Outcome] = {404: "not_found", 500: "error", 503: "unavailable"}
# Of several Gateways, the answer that goes furthest is the one meant.
FURTHEST: tuple[Outcome, ...] = ("accepted", "redirect", "unavailable", "error", "not_found", "no_listener")
CHANGES = ("RequestHeaderModifier", "ResponseHeaderModifier", "URLRewrite", "RequestRedirect", "RequestMirror")


# A snapshot never changes, so what was found for it holds as long as it lives.
_IMPLIED: WeakKeyDictionary[Cluster, dict[Name, Attached]] = WeakKeyDictionary()


class _Asked(NamedTuple):
    cluster: Cluster
    gateway: Gateway
    request: Request
    path: str
    attached: Attached
    assumptions: tuple[Assumption, ...]


def match_http(cluster: Cluster, gateway: Name | None, request: Request, *, port: int | None = None) -> GatewayAnswer:
    """What the gateway does with a request.

    ``gateway`` is (namespace, name); None asks every Gateway and gives the answer that goes furthest.
    ``port`` is the listener's; without it the port in ``request.host`` where a listener has it (matching
    ignores it, GW-04), else the scheme's well-known one, else any listener of that scheme. Objects may be
    partial: without any Gateway one is taken to exist that admits every route, a Service in a snapshot without
    pods and slices is taken to be ready, a route without creationTimestamp counts as the newest;
    ``assumptions`` says so. Raises `ProbeError` when the Gateway
    named does not exist.
    """
    if gateway is not None and cluster.gateways and gateway not in cluster.gateways:
        known = ", ".join("/".join(name) for name in sorted(cluster.gateways))
        raise ProbeError(f'gateways "{gateway[1]}" not found in namespace {gateway[0]}', field="to", allowed=known)
    if not cluster.gateways:
        return _implied(cluster, gateway, request, port)
    found = cluster.attached
    names = [gateway] if gateway is not None else _by_fit(cluster, _port_of(request.host))
    answers = [_answer(cluster, cluster.gateways[name], request, port, found, ()) for name in names]
    return min(answers, key=lambda one: FURTHEST.index(one.outcome))


def _by_fit(cluster: Cluster, port: int | None) -> list[Name]:
    """Gateways that listen on the port of the Host header first, then the older ones."""

    def fit(name: Name) -> tuple[bool, bool, str, Name]:
        one = cluster.gateways[name]
        return not any(listener.port == port for listener in one.listeners), not one.created, one.created, name

    return sorted(cluster.gateways, key=fit)


def _port_of(host: str) -> int | None:
    _, colon, port = host.rpartition(":")
    return int(port) if colon and port.isascii() and port.isdecimal() and "]" not in port else None


def _implied(cluster: Cluster, name: Name | None, request: Request, port: int | None) -> GatewayAnswer:
    """No Gateway is among the objects: one is taken to stand where the routes point."""
    parents = {
        (one.namespace, one.name) for route in cluster.routes.values() for one in route.parents if one.kind == "Gateway"
    }
    name = name or min(parents, default=("default", "gateway"))
    protocol = "HTTPS" if request.scheme == "https" else "HTTP"
    listener = Listener(name="", port=port or PORTS[request.scheme], protocol=protocol, namespaces="All")
    made = Gateway(namespace=name[0], name=name[1], listeners=(listener,))
    known = _IMPLIED.setdefault(cluster, {})
    if name not in known:
        known[name] = Attached(
            Attachment(
                route=(route.namespace, route.name), gateway=name, accepted=True, hostnames=route.hostnames or ("",)
            )
            for route in cluster.routes.values()
            if not route.parents or name in [(one.namespace, one.name) for one in route.parents]
        )
    note = Assumption(
        "gateway-implied",
        f"Gateway {name[0]}/{name[1]} is not among the objects; it is taken to admit every route that names it.",
    )
    return _answer(cluster, made, request, port, known[name], (note,))


def _answer(
    cluster: Cluster,
    gateway: Gateway,
    request: Request,
    port: int | None,
    attached: Attached,
    notes: tuple[Assumption, ...],
) -> GatewayAnswer:
    name = (gateway.namespace, gateway.name)
    path, mark, query = request.path.partition("#")[0].partition("?")
    request = msgspec.structs.replace(request, query=query) if mark else request
    asked = _Asked(cluster, gateway, request, path or "/", attached, notes)
    open_ = _listening(cluster, gateway, request, port)
    base = GatewayAnswer(outcome="no_listener", gateway=name, attachments=attached.of(name), assumptions=notes)
    if not open_:
        ports = ", ".join(f"{one.port} {one.protocol}" for one in gateway.listeners)
        why = f"no {request.scheme} listener on port {port or PORTS[request.scheme]}; there are {ports or 'none'}"
        return msgspec.structs.replace(base, rules=("GW-13",), why=why)
    host = plain(request.host)
    fitting = [one for one in open_ if covers(one.hostname, host)]
    if not fitting:
        hosts = ", ".join(sorted({one.hostname for one in open_}))
        why = f"{host or 'no host'} lies in no listener's hostname: {hosts}"
        missed = tuple(
            Considered(f"listener {one.name} {one.hostname}", f"{host} is another host", gateway.ref) for one in open_
        )
        return msgspec.structs.replace(
            base, outcome="not_found", status=404, rules=("GW-03", "GW-02", "GW-08"), why=why, considered=missed
        )
    return _routed(asked, base, max(fitting, key=lambda one: specific(one.hostname)), host)


def _listening(cluster: Cluster, gateway: Gateway, request: Request, port: int | None) -> list[Listener]:
    """Listeners that work and take this scheme: on the port asked, else on any when nobody said one (GW-13)."""
    scheme = request.scheme
    usable = [
        one for one in gateway.listeners if one.http and one.scheme == scheme and fault(cluster, gateway, one)[0] == ""
    ]
    wanted = port or PORTS[scheme]
    if port is None and (said := [one for one in usable if one.port == _port_of(request.host)]):
        return said
    on_port = [one for one in usable if one.port == wanted]
    return on_port or ([] if port else usable)


def _routed(asked: _Asked, base: GatewayAnswer, listener: Listener, host: str) -> GatewayAnswer:
    """The best match among the routes attached to the listener that takes the request (GW-03, 05, 06)."""
    request = told(asked.request, asked.path)
    routes, here = asked.cluster.routes, asked.attached.on((asked.gateway.namespace, asked.gateway.name), listener.name)
    tried: list[Candidate] = []
    for name in here.of_host(host):
        hostname = best_hostname(routes[name], _admitted(routes[name], listener), host)
        tried += candidates(routes[name], hostname or "", request)
    order = sorted((one for one in tried if one.takes), key=rank)
    winner = order[0] if order else None
    losers = nsmallest(MOST_CONSIDERED, (one for one in tried if not one.takes), key=lambda one: nearness(one, request))
    near = (lost(winner, one, request) for one in (*order[1:], *losers))
    others = (_of_other_host(routes[name], listener, host) for name in here.others(host))
    elsewhere = (_elsewhere(one, routes[one.route], listener) for one in here.elsewhere)
    considered = tuple(islice(chain(near, others, elsewhere), MOST_CONSIDERED))
    base = msgspec.structs.replace(base, listener=listener.name, considered=considered)
    if winner is None:
        why = f"no rule of an attached route takes {asked.request.method} {host}{asked.path}"
        beside = _act(asked, base, listener, min(tried, key=lambda one: nearness(one, request))) if tried else None
        return msgspec.structs.replace(
            base, outcome="not_found", status=404, rules=("GW-08", "GW-03"), why=why, nearest=beside
        )
    return _act(asked, base, listener, winner)


def _admitted(route: HTTPRoute, listener: Listener) -> tuple[str, ...]:
    """The hostnames of a route that its listener lets in."""
    return tuple(one for one in route.hostnames if intersect(listener.hostname, one) is not None)


def _of_other_host(route: HTTPRoute, listener: Listener, host: str) -> Considered:
    """A route attached here, for other hosts."""
    why = f"{host or 'no host'} is none of {', '.join(_admitted(route, listener))}"
    return Considered(f"{route.namespace}/{route.name}", why, route.ref)


def _elsewhere(one: Attachment, route: HTTPRoute, listener: Listener) -> Considered:
    """A route that is not attached to the listener that takes the request."""
    where = f"listener {one.listener or '(none)'}"
    why = one.why if not one.accepted else f"attached to {where}, and the request is for {listener.name}"
    return Considered(f"{route.namespace}/{route.name} on {where}", why, route.ref)


def _act(asked: _Asked, base: GatewayAnswer, listener: Listener, winner: Candidate) -> GatewayAnswer:
    """What the winning rule does: redirect, or forward to its backends."""
    rule, route, request = winner.rule, winner.route, asked.request
    start = Forwarded(
        host=request.host, path=asked.path, query=request.query, method=request.method, headers=request.headers
    )
    sent = forwarded(start, rule.filters, winner.match)
    base = msgspec.structs.replace(
        base,
        route=(route.namespace, route.name),
        rule=winner.indexes[0],
        match=winner.indexes[1],
        hostname=winner.hostname,
        response=response(rule.filters),
        mirrors=tuple(
            msgspec.structs.replace(backend(asked.cluster, route, one.mirror, sent), share=one.percent / 100)
            for one in rule.filters
            if one.mirror is not None
        ),
        assumptions=asked.assumptions + _unjudged(rule.filters, winner),
        rules=("GW-01", "GW-03", "GW-05", "GW-06", "GW-07"),
    )
    missing = _missing_extension(asked.cluster, route, rule.filters)
    if missing:
        return msgspec.structs.replace(base, outcome="error", status=500, errors={500: 1.0}, why=missing)
    for one in rule.filters:
        if one.type == "RequestRedirect":
            # A path that an earlier rewrite changed cannot occur: the API forbids both in one rule.
            to = redirect(one, winner.match, request, asked.path, listener)
            why = f"redirect to {to.location}"
            return msgspec.structs.replace(
                base, outcome="redirect", status=to.status, redirect=to, rules=(*base.rules, "GW-11"), why=why
            )
    return _forward(asked, msgspec.structs.replace(base, request=sent), listener, winner, sent)


def _forward(
    asked: _Asked, base: GatewayAnswer, listener: Listener, winner: Candidate, sent: Forwarded
) -> GatewayAnswer:
    backends = resolve(asked.cluster, winner.route, winner.rule.backends, winner.match, sent)
    backends = tuple(
        _own_redirect(asked, listener, winner, backend, ref.filters)
        for backend, ref in zip(backends, winner.rule.backends, strict=True)
    )
    shares: dict[int, float] = defaultdict(float)
    for one in backends:
        if one.share:
            shares[one.status] += one.share
    if not shares:
        shares[500] = 1.0
    errors = {status: share for status, share in sorted(shares.items()) if status >= 400}
    cited = [*base.rules, "GW-09"]
    cited += ["GW-08"] if errors else []
    cited += ["GW-12"] if sent.set or sent.added or sent.removed or sent.path != asked.path else []
    cited += ["GW-10"] if any(one.namespace != winner.route.namespace for one in backends) else []
    notes = base.assumptions
    if any(not one.reason and one.ready is None for one in backends):
        text = "The objects tell nothing of endpoints; the Services are taken to have ready ones."
        notes = (*notes, Assumption("endpoints-unknown", text))
    done = msgspec.structs.replace(
        base, outcome="accepted", backends=backends, errors=errors, assumptions=notes, rules=tuple(cited)
    )
    if any(status < 400 for status in shares):
        return done
    status = max(shares, key=lambda one: (shares[one], -one))
    why = "; ".join(one.why for one in backends if one.why) or _nobody(backends)
    return msgspec.structs.replace(done, outcome=OUTCOMES[status], status=status, why=why)


def _nobody(backends: tuple[Backend, ...]) -> str:
    return "every backend has weight 0" if backends else "the rule has no backend"


def _own_redirect(
    asked: _Asked, listener: Listener, winner: Candidate, backend: Backend, filters: tuple[Filter, ...]
) -> Backend:
    """A RequestRedirect among a backend's own filters answers that backend's share."""
    spec = next((one for one in filters if one.type == "RequestRedirect"), None)
    if spec is None:
        return backend
    to: Redirect = redirect(spec, winner.match, asked.request, asked.path, listener)
    return msgspec.structs.replace(backend, redirect=to, status=to.status, reason="", why="")


def _unjudged(filters: tuple[Filter, ...], winner: Candidate) -> tuple[Assumption, ...]:
    """Filters and dialects whose effect is the controller's own."""
    found = [
        Assumption("filter-not-modelled", f"The effect of filter {one.type} on this request is not modelled.")
        for one in filters
        if one.type not in CHANGES
    ]
    if winner.match.path_type == "RegularExpression":
        text = "Dialect and precedence of regular expressions are the controller's: RE2, before prefixes, is taken."
        found.append(Assumption("regex-dialect", text))
    return tuple(dict.fromkeys(found))


def _missing_extension(cluster: Cluster, route: HTTPRoute, filters: tuple[Filter, ...]) -> str:
    """A filter that cannot be found is not skipped: the request fails."""
    for one in filters:
        _, kind, name = one.extension
        if (
            kind
            and any(key[0] == kind for key in cluster.objects)
            and (kind, route.namespace, name) not in cluster.objects
        ):
            return f"filter {kind} {route.namespace}/{name} does not exist"
    return ""
