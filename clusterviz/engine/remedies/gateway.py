"""Remedies at a Gateway: the class that is served, the backend that is allowed, the place a redirect names (GW)."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import msgspec

from clusterviz.engine.errors import ProbeError
from clusterviz.engine.gateway.hosts import covers
from clusterviz.engine.gateway.objects import GROUP
from clusterviz.engine.objects import Key, Obj
from clusterviz.engine.probe import parse_destination
from clusterviz.engine.remedies.edit import Edit, Situation, calling, creating, patching
from clusterviz.engine.remedies.look import near

Found = Iterator[Edit]


def redirected(situation: Situation) -> Found:
    """Go where the proxy sends the client (GW-11, ING-10)."""
    location = str(situation.fact("location"))
    try:
        destination, request = parse_destination(location)
    except ProbeError:
        return
    other = msgspec.structs.replace(situation.asked.probe, destination=destination, request=request)
    yield calling(other, location, f"Call {location}.", "A browser follows the redirect by itself; a program has to.")


def no_class(situation: Situation) -> Found:
    """A Gateway class somebody serves (GW-13)."""
    kind, _, rest = situation.ref.partition(":")
    namespace, _, name = rest.partition("/")
    if kind != "gateway":
        return
    for _, other in sorted(situation.cluster.gateway_classes)[:3]:
        yield patching(
            ("Gateway", namespace, name),
            {"spec": {"gatewayClassName": other}},
            f"Set gatewayClassName of Gateway {namespace}/{name} to {other}.",
            "A Gateway does nothing until a controller serves its class; that class exists.",
        )
    served = situation.cluster.settings.gateway_class
    if served and not situation.cluster.gateway_classes:
        yield patching(
            ("Gateway", namespace, name),
            {"spec": {"gatewayClassName": served}},
            f"Set gatewayClassName of Gateway {namespace}/{name} to {served}.",
            "That is the class the settings of this cluster say is served.",
        )


def no_rule(situation: Situation) -> Found:
    """One more match in a route that is attached where the request arrives (GW-07)."""
    request = situation.asked.probe.request
    if request is None:
        return
    for _, route in sorted(situation.cluster.routes.items()):
        if route.hostnames and not any(covers(host, request.host) for host in route.hostnames):
            continue
        number = next((index for index, rule in enumerate(route.rules) if rule.backends), None)
        if number is None:
            continue
        own: Key = ("HTTPRoute", route.namespace, route.name)
        rules = copy.deepcopy((situation.cluster.objects[own].get("spec") or {}).get("rules") or [])
        match = {"path": {"type": "PathPrefix", "value": request.path}}
        rules.append({"matches": [match], "backendRefs": copy.deepcopy(rules[number]["backendRefs"])})
        yield patching(
            own,
            {"spec": {"rules": rules}},
            f"Add a rule for path {request.path} to HTTPRoute {route.namespace}/{route.name}.",
            "No rule fits this request; it is given the backends of the rule beside it.",
            weight=500,
        )


def invalid_backend(situation: Situation) -> Found:
    """A grant for a Service of another namespace, or a Service and port that exist (GW-08, GW-10)."""
    step = situation.step
    if step is None or step.rule is None or not step.rule.ref.startswith("httproute:"):
        return
    namespace, _, name = step.rule.ref.removeprefix("httproute:").partition("/")
    route: Key = ("HTTPRoute", namespace, name)
    rules = (situation.cluster.objects[route].get("spec") or {}).get("rules") or []
    number = step.rule.index or 0
    refs = rules[number].get("backendRefs") or [] if number < len(rules) else []
    for index, ref in enumerate(refs):
        space = str(ref.get("namespace") or namespace)
        service = situation.cluster.services.get((space, str(ref.get("name"))))
        if service is not None and space != namespace:
            yield _grant(route, space, service.name)
        elif service is None or all(port.port != ref.get("port") for port in service.ports):
            names = [service.name] if service else _like(situation, space, str(ref.get("name")))
            for other in names:
                ports = situation.cluster.services[space, other].ports
                if ports:
                    yield _other(route, rules, (number, index), other, ports[0].port)


def _like(situation: Situation, namespace: str, name: str) -> list[str]:
    known = sorted(one for space, one in situation.cluster.services if space == namespace)
    return near(name, known) or known[:1]


def _grant(route: Key, namespace: str, service: str) -> Edit:
    made: Obj = {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": f"{route[1]}-to-{service}"[:63], "namespace": namespace},
        "spec": {
            "from": [{"group": GROUP, "kind": "HTTPRoute", "namespace": route[1]}],
            "to": [{"group": "", "kind": "Service", "name": service}],
        },
    }
    title = f"Allow HTTPRoutes of namespace {route[1]} to use Service {namespace}/{service}."
    return creating(made, title, "A backend in another namespace needs a ReferenceGrant there.")


def _other(route: Key, rules: list[Obj], at: tuple[int, int], service: str, port: int) -> Edit:
    changed = copy.deepcopy(rules)
    changed[at[0]]["backendRefs"][at[1]] |= {"name": service, "port": port}
    return patching(
        route,
        {"spec": {"rules": changed}},
        f"Let rule {at[0]} of HTTPRoute {route[1]}/{route[2]} lead to Service {service}, port {port}.",
        "Its backend does not exist as written; this one does.",
    )
