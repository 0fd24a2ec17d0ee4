"""HTTPRoutes: what the schema of the CRD and the rules in it refuse (GW-01, GW-07, GW-11, GW-12)."""

from __future__ import annotations

import re

from clusterviz.engine.parse import Reader
from clusterviz.engine.validation.flaws import Flaw, Flaws
from clusterviz.engine.validation.gateway import (
    HEADER,
    SECTION,
    check_hostname,
    invalid,
    needs,
    pattern,
    served,
    size,
    span,
    twice,
)

PATH_TYPES = ("Exact", "PathPrefix", "RegularExpression")
VALUE_TYPES = ("Exact", "RegularExpression")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
FILTERS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
    "CORS": "cors",
    "ExternalAuth": "externalAuth",
}
ONCE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS")
STATUSES = (301, 302, 303, 307, 308)
CHARACTERS = r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+"
FORBIDDEN = ("//", "/./", "/../", "%2f", "%2F", "#")


def check_route(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """Parents, hostnames, rules."""
    if not served(flaws, obj):
        return
    spec = obj.child("spec")
    size(flaws, spec, "parentRefs", 32)
    size(flaws, spec, "hostnames", 16)
    size(flaws, spec, "rules", 16, 1)
    parents = spec.children("parentRefs")
    for parent in parents:
        needs(flaws, parent, "name")
        span(flaws, parent, "port", 1, 65535)
        if section := parent.text("sectionName"):
            pattern(flaws, parent.at("sectionName"), section, SECTION)
    keys = [
        "/".join(parent.text(name) for name in ("group", "kind", "namespace", "name", "sectionName", "port"))
        for parent in parents
    ]
    if twice(keys):
        message = "sectionName or port must be unique when parentRefs includes 2 or more references to the same parent"
        invalid(flaws, spec.at("parentRefs"), "array", message)
    for index, host in enumerate(spec.texts("hostnames")):
        check_hostname(flaws, spec.at(f"hostnames[{index}]"), host)
    rules = spec.children("rules")
    for rule in rules:
        _check_rule(flaws, rule)
    if twice(name for rule in rules if (name := rule.text("name"))):
        invalid(flaws, spec.at("rules"), "array", "Rule name must be unique within the route")


def _check_rule(flaws: Flaws, rule: Reader) -> None:
    size(flaws, rule, "matches", 64)
    size(flaws, rule, "backendRefs", 16)
    matches = rule.children("matches")
    for match in matches:
        _check_match(flaws, match)
    single = len(matches) == 1 and matches[0].child("path").text("type", "PathPrefix") == "PathPrefix"
    _check_filters(flaws, rule, "", prefixed=single and matches[0].data.get("path") is not None)
    for backend in rule.children("backendRefs"):
        check_backend(flaws, backend)
        span(flaws, backend, "weight", 0, 1_000_000)
        _check_filters(flaws, backend, "Within backendRefs, w", prefixed=single)
    if rule.get("backendRefs", list, []) and any(
        one.text("type") == "RequestRedirect" for one in rule.children("filters")
    ):
        invalid(flaws, rule.path, "object", "RequestRedirect filter must not be used together with backendRefs")


def check_backend(flaws: Flaws, backend: Reader) -> None:
    """A reference to a backend: a Service needs a port."""
    needs(flaws, backend, "name")
    span(flaws, backend, "port", 1, 65535)
    service = not backend.text("group") and backend.text("kind", "Service") == "Service"
    if service and backend.data.get("port") is None:
        invalid(flaws, backend.path, "object", "Must have port for Service reference")


def _check_match(flaws: Flaws, match: Reader) -> None:
    flaws.choice(match.at("method"), match.text("method"), METHODS)
    path = match.child("path")
    kind, value = path.text("type", "PathPrefix"), path.text("value", "/")
    flaws.choice(path.at("type"), kind, PATH_TYPES)
    if len(value) > 1024:
        flaws.append(Flaw(path.at("value"), "Too long: may not be more than 1024 bytes"))
    if kind in ("Exact", "PathPrefix"):
        _check_path(flaws, path, value)
    for name in ("headers", "queryParams"):
        size(flaws, match, name, 16)
        for entry in match.children(name):
            needs(flaws, entry, "name", "value")
            flaws.choice(entry.at("type"), entry.text("type"), VALUE_TYPES)
            if header := entry.text("name"):
                pattern(flaws, entry.at("name"), header, HEADER, 256)
        for index, entry in enumerate(match.children(name)):
            if entry.text("name") in [one.text("name") for one in match.children(name)[:index]]:
                flaws.duplicate(entry.path, {"name": entry.text("name")})


def _check_path(flaws: Flaws, path: Reader, value: str) -> None:
    types = "when type one of ['Exact', 'PathPrefix']"
    if not value.startswith("/"):
        invalid(flaws, path.path, "object", f"value must be an absolute path and start with '/' {types}")
    for part in FORBIDDEN:
        if part in value:
            invalid(flaws, path.path, "object", f"must not contain '{part}' {types}")
    for end in ("/..", "/."):
        if value.endswith(end):
            invalid(flaws, path.path, "object", f"must not end with '{end}' {types}")
    if value.startswith("/") and "#" not in value and not re.fullmatch(CHARACTERS, value):
        message = f"must only contain valid characters (matching ^{CHARACTERS}$) for types ['Exact', 'PathPrefix']"
        invalid(flaws, path.path, "object", message)


def _check_filters(flaws: Flaws, owner: Reader, where: str, *, prefixed: bool) -> None:
    size(flaws, owner, "filters", 16)
    filters = owner.children("filters")
    kinds = [one.text("type") for one in filters]
    for one in filters:
        _check_filter(flaws, one)
        for name in ("requestRedirect", "urlRewrite"):
            change = one.child(name).child("path")
            if change.data.get("replacePrefixMatch") is not None and not prefixed:
                kind = "RequestRedirect" if name == "requestRedirect" else "URLRewrite"
                start = f"{where}hen" if where else "When"
                rule = f"{start} using {kind} filter with path.replacePrefixMatch, exactly one PathPrefix match must be"
                invalid(flaws, owner.path.partition(".backendRefs")[0], "object", f"{rule} specified")
    for kind in ONCE:
        if kinds.count(kind) > 1:
            invalid(flaws, owner.at("filters"), "array", f"{kind} filter cannot be repeated")
    if "RequestRedirect" in kinds and "URLRewrite" in kinds:
        message = "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both"
        invalid(flaws, owner.at("filters"), "array", message)


def _check_filter(flaws: Flaws, one: Reader) -> None:
    kind = one.text("type")
    if not kind:
        flaws.required(one.at("type"))
        return
    flaws.choice(one.at("type"), kind, tuple(FILTERS))
    for name, field in FILTERS.items():
        there = one.data.get(field) is not None
        if name == kind and not there:
            invalid(flaws, one.path, "object", f"filter.{field} must be specified for {name} filter.type")
        elif name != kind and there:
            invalid(flaws, one.path, "object", f"filter.{field} must be nil if the filter.type is not {name}")
    for field in ("requestHeaderModifier", "responseHeaderModifier"):
        for name in ("set", "add"):
            for entry in one.child(field).children(name):
                needs(flaws, entry, "name", "value")
                if header := entry.text("name"):
                    pattern(flaws, entry.at("name"), header, HEADER, 256)
    if one.data.get("requestMirror") is not None:
        _check_mirror(flaws, one.child("requestMirror"))
    if one.data.get("requestRedirect") is not None:
        _check_redirect(flaws, one.child("requestRedirect"))
    if one.data.get("urlRewrite") is not None:
        _check_change(flaws, one.child("urlRewrite"))


def _check_mirror(flaws: Flaws, mirror: Reader) -> None:
    if mirror.data.get("backendRef") is None:
        flaws.required(mirror.at("backendRef"))
    else:
        check_backend(flaws, mirror.child("backendRef"))
    span(flaws, mirror, "percent", 0, 100)
    if mirror.data.get("percent") is not None and mirror.data.get("fraction") is not None:
        message = "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter"
        invalid(flaws, mirror.path, "object", message)


def _check_redirect(flaws: Flaws, redirect: Reader) -> None:
    flaws.choice(redirect.at("scheme"), redirect.text("scheme"), ("http", "https"))
    span(flaws, redirect, "port", 1, 65535)
    status = redirect.data.get("statusCode")
    if status is not None and redirect.number("statusCode") not in STATUSES:
        allowed = ", ".join(str(one) for one in STATUSES)
        flaws.append(Flaw(redirect.at("statusCode"), f"Unsupported value: {status}: supported values: {allowed}"))
    _check_change(flaws, redirect)


def _check_change(flaws: Flaws, spec: Reader) -> None:
    """Hostname and path of a redirect or rewrite."""
    if host := spec.text("hostname"):
        check_hostname(flaws, spec.at("hostname"), host, precise=True)
    if spec.data.get("path") is None:
        return
    path = spec.child("path")
    kind = path.text("type")
    if not kind:
        flaws.required(path.at("type"))
        return
    flaws.choice(path.at("type"), kind, ("ReplaceFullPath", "ReplacePrefixMatch"))
    for name, field in (("ReplaceFullPath", "replaceFullPath"), ("ReplacePrefixMatch", "replacePrefixMatch")):
        there = path.data.get(field) is not None
        if kind == name and not there:
            invalid(flaws, path.path, "object", f"{field} must be specified when type is set to '{name}'")
        elif kind != name and there:
            invalid(flaws, path.path, "object", f"type must be '{name}' when {field} is set")
