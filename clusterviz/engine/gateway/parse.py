"""Plain Gateway API objects -> records. Defaults are those of the v1 API."""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.gateway.objects import (
    GROUP,
    BackendRef,
    Condition,
    Filter,
    Gateway,
    GatewayClass,
    GrantFrom,
    GrantTo,
    HeaderChange,
    HTTPRoute,
    Listener,
    ParentRef,
    PathChange,
    ReferenceGrant,
    RouteMatch,
    RouteRule,
)
from clusterviz.engine.objects import Obj, Record
from clusterviz.engine.reader import Reader
from clusterviz.engine.selectors import parse_selector, text

Parser = Callable[[Reader, Obj], Record | None]
MODIFIERS = {"RequestHeaderModifier": "requestHeaderModifier", "ResponseHeaderModifier": "responseHeaderModifier"}


def _ours(parser: Callable[[Reader, Obj], Record]) -> Parser:
    """Other groups have kinds of these names too; theirs are left alone."""

    def parse(reader: Reader, base: Obj) -> Record | None:
        version = reader.text("apiVersion")
        return parser(reader, base) if not version or version.partition("/")[0] == GROUP else None

    return parse


def _class(reader: Reader, base: Obj) -> Record:
    return GatewayClass(**base, controller=reader.child("spec").text("controllerName"))


def _gateway(reader: Reader, base: Obj) -> Record:
    spec = reader.child("spec")
    found = reader.child("status").children("addresses")
    return Gateway(
        **base,
        gateway_class=spec.text("gatewayClassName"),
        listeners=tuple(
            _listener(one, base["namespace"], index) for index, one in enumerate(spec.children("listeners"))
        ),
        addresses=tuple(value for one in found if (value := one.text("value"))),
        wanted=tuple(value for one in spec.children("addresses") if (value := one.text("value"))),
    )


def _listener(reader: Reader, namespace: str, index: int) -> Listener:
    allowed = reader.child("allowedRoutes")
    spaces = allowed.child("namespaces")
    tls, selector = reader.child("tls"), spaces.data.get("selector")
    return Listener(
        name=reader.text("name"),
        port=reader.number("port"),
        protocol=_protocol(reader.text("protocol", "HTTP")),
        hostname=reader.text("hostname").lower(),
        mode=tls.text("mode", "Terminate"),
        certificates=tuple(
            (one.text("namespace") or namespace, one.text("name")) for one in tls.children("certificateRefs")
        ),
        namespaces=spaces.text("from", "Same"),
        selector=None if selector is None else parse_selector(selector, field=spaces.at("selector"), ref=reader.ref),
        kinds=tuple((_text(one, "group", GROUP), one.text("kind")) for one in allowed.children("kinds")),
        index=index,
    )


def _protocol(value: str) -> str:
    """Core protocols are compared without case."""
    return value.upper() if value.upper() in ("HTTP", "HTTPS", "TLS", "TCP", "UDP") else value


def _text(reader: Reader, name: str, default: str) -> str:
    """A field whose empty string means something else than its absence: the core group."""
    return default if reader.data.get(name) is None else reader.text(name)


def _route(reader: Reader, base: Obj) -> Record:
    spec = reader.child("spec")
    space = base["namespace"]
    # The API's default: one rule that matches everything.
    rules = spec.children("rules") if spec.data.get("rules") is not None else [Reader({}, reader.ref, "spec.rules[0]")]
    return HTTPRoute(
        **base,
        parents=tuple(
            ParentRef(
                name=one.text("name"),
                namespace=one.text("namespace") or space,
                group=_text(one, "group", GROUP),
                kind=one.text("kind") or "Gateway",
                section=one.text("sectionName"),
                port=one.number("port"),
            )
            for one in spec.children("parentRefs")
        ),
        hostnames=tuple(host.lower() for host in spec.texts("hostnames")),
        rules=tuple(
            RouteRule(
                name=rule.text("name"),
                matches=tuple(_match(one) for one in rule.children("matches")) or (RouteMatch(),),
                filters=_filters(rule, space),
                backends=tuple(_backend(one, space) for one in rule.children("backendRefs")),
            )
            for rule in rules
        ),
    )


def _match(reader: Reader) -> RouteMatch:
    path = reader.child("path")
    return RouteMatch(
        path=path.text("value") or "/",
        path_type=path.text("type") or "PathPrefix",
        method=reader.text("method"),
        headers=_conditions(reader, "headers", fold=True),
        params=_conditions(reader, "queryParams", fold=False),
    )


def _conditions(reader: Reader, name: str, *, fold: bool) -> tuple[Condition, ...]:
    """Of equivalent names only the first entry counts (GW-07)."""
    found: dict[str, Condition] = {}
    for one in reader.children(name):
        key = one.text("name").lower() if fold else one.text("name")
        found.setdefault(key, Condition(one.text("name"), one.text("value"), one.text("type") or "Exact"))
    return tuple(found.values())


def _backend(reader: Reader, space: str) -> BackendRef:
    return BackendRef(
        name=reader.text("name"),
        namespace=reader.text("namespace") or space,
        group=reader.text("group"),
        kind=reader.text("kind") or "Service",
        port=reader.number("port"),
        weight=reader.number("weight", 1),
        filters=_filters(reader, space),
    )


def _filters(owner: Reader, space: str) -> tuple[Filter, ...]:
    return tuple(_filter(one, space) for one in owner.children("filters"))


def _filter(reader: Reader, space: str) -> Filter:
    kind = reader.text("type")
    if kind in MODIFIERS:
        return Filter(type=kind, headers=_headers(reader.child(MODIFIERS[kind])))
    if kind == "RequestRedirect":
        spec = reader.child("requestRedirect")
        return Filter(
            type=kind,
            scheme=spec.text("scheme"),
            hostname=spec.text("hostname"),
            path=_path(spec),
            port=spec.number("port"),
            status=spec.number("statusCode", 302),
        )
    if kind == "URLRewrite":
        spec = reader.child("urlRewrite")
        return Filter(type=kind, hostname=spec.text("hostname"), path=_path(spec))
    if kind == "RequestMirror":
        spec = reader.child("requestMirror")
        return Filter(type=kind, mirror=_backend(spec.child("backendRef"), space), percent=_percent(spec))
    if kind == "ExtensionRef":
        spec = reader.child("extensionRef")
        return Filter(type=kind, extension=(spec.text("group"), spec.text("kind"), spec.text("name")))
    return Filter(type=kind)


def _percent(mirror: Reader) -> float:
    """Of the requests, how many a mirror gets; all unless something is said."""
    if mirror.data.get("fraction") is not None:
        part = mirror.child("fraction")
        return 100.0 * part.number("numerator") / (part.number("denominator", 100) or 100)
    return float(mirror.number("percent", 100))


def _path(spec: Reader) -> PathChange | None:
    path = spec.child("path")
    if path.text("type") == "ReplaceFullPath":
        return PathChange("ReplaceFullPath", path.text("replaceFullPath"))
    if path.text("type") == "ReplacePrefixMatch":
        return PathChange("ReplacePrefixMatch", path.text("replacePrefixMatch"))
    return None


def _headers(reader: Reader) -> HeaderChange:
    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        found: dict[str, tuple[str, str]] = {}
        for one in reader.children(name):
            found.setdefault(one.text("name").lower(), (one.text("name"), one.text("value")))
        return tuple(found.values())

    return HeaderChange(set=pairs("set"), add=pairs("add"), remove=reader.texts("remove"))


def _grant(reader: Reader, base: Obj) -> Record:
    spec = reader.child("spec")
    return ReferenceGrant(
        **base,
        from_=tuple(
            GrantFrom(one.text("group"), one.text("kind"), one.text("namespace")) for one in spec.children("from")
        ),
        to=tuple(
            GrantTo(one.text("group"), one.text("kind"), text(one.data.get("name"))) for one in spec.children("to")
        ),
    )


PARSERS: dict[str, Parser] = {
    "GatewayClass": _ours(_class),
    "Gateway": _ours(_gateway),
    "HTTPRoute": _ours(_route),
    "ReferenceGrant": _ours(_grant),
}
