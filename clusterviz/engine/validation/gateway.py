"""Gateway API objects: what the schemas of their CRDs and the rules in them refuse (GW)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clusterviz.engine.gateway.objects import GROUP
from clusterviz.engine.parse import Reader
from clusterviz.engine.probe import is_ip
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaw, Flaws, quote
from clusterviz.engine.validation.meta import check_selector

VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
SECTION = rf"{names.SUBDOMAIN}"
HOSTNAME = rf"(\*\.)?{names.SUBDOMAIN}"
CONTROLLER = rf"{names.SUBDOMAIN}/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
PROTOCOL = rf"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?|{names.SUBDOMAIN}/[A-Za-z0-9]+"
KIND = r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
HEADER = r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+"


def ours(obj: Reader) -> bool:
    """Whether an object is the Gateway API's: other groups have kinds of these names."""
    return obj.text("apiVersion").rpartition("/")[0] == GROUP


def invalid(flaws: Flaws, field: str, kind: str, message: str) -> None:
    """A rule of the CRD that does not hold, in the words the API server has for it."""
    flaws.append(Flaw(field, f'Invalid value: "{kind}": {message}'))


def in_body(flaws: Flaws, field: str, value: object, rule: str) -> None:
    """A limit of the CRD's schema."""
    flaws.append(Flaw(field, f"Invalid value: {quote(value)}: {field} in body should {rule}"))


def pattern(flaws: Flaws, field: str, value: str, wanted: str, most: int = 253) -> None:
    """A string of a form and length."""
    if len(value) > most:
        flaws.append(Flaw(field, f"Too long: may not be more than {most} bytes"))
    elif not re.fullmatch(wanted, value):
        in_body(flaws, field, value, f"match '^{wanted}$'")


def span(flaws: Flaws, reader: Reader, name: str, low: int, high: int, *, required: bool = False) -> None:
    """A number between limits."""
    if reader.data.get(name) is None:
        if required:
            flaws.required(reader.at(name))
        return
    value = reader.number(name)
    if value < low:
        in_body(flaws, reader.at(name), value, f"be greater than or equal to {low}")
    elif value > high:
        in_body(flaws, reader.at(name), value, f"be less than or equal to {high}")


def size(flaws: Flaws, reader: Reader, name: str, most: int, least: int = 0) -> None:
    """A list of limited length."""
    count = len(reader.get(name, list, []))
    if name in reader.data and count < least:
        in_body(flaws, reader.at(name), count, f"have at least {least} items")
    if count > most:
        flaws.append(Flaw(reader.at(name), f"Too many: {count}: must have at most {most} items"))


def needs(flaws: Flaws, reader: Reader, *fields: str) -> None:
    """Strings that must be there."""
    for name in fields:
        if not reader.text(name):
            flaws.required(reader.at(name))


def twice(values: Iterable[str]) -> list[str]:
    """Values that stand more than once."""
    seen: set[str] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]


def served(flaws: Flaws, obj: Reader) -> bool:
    """Whether to check further: the group is ours, and the version one of those served."""
    if not ours(obj):
        return False
    version, kind = obj.text("apiVersion"), obj.text("kind")
    if version not in VERSIONS:
        flaws.append(Flaw("apiVersion", f"no matches for kind {quote(kind)} in version {quote(version)}"))
        return False
    if obj.data.get("spec") is None:
        flaws.required("spec")
        return False
    return True


def check_gateway_class(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """The controller's name: required, a domain and a path, and for ever."""
    if not served(flaws, obj):
        return
    spec = obj.child("spec")
    needs(flaws, spec, "controllerName")
    name = spec.text("controllerName")
    if name:
        pattern(flaws, spec.at("controllerName"), name, CONTROLLER)
    if old is not None and ours(old) and old.child("spec").text("controllerName") != name:
        invalid(flaws, spec.at("controllerName"), "string", "Value is immutable")


def check_gateway(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """Class, listeners, addresses (GW-01, GW-13)."""
    if not served(flaws, obj):
        return
    spec = obj.child("spec")
    needs(flaws, spec, "gatewayClassName")
    if spec.data.get("listeners") is None:
        flaws.required(spec.at("listeners"))
    size(flaws, spec, "listeners", 64, 1)
    size(flaws, spec, "addresses", 16)
    listeners = spec.children("listeners")
    for listener in listeners:
        _check_listener(flaws, listener)
    _check_distinct(flaws, spec, listeners)
    for address in spec.children("addresses"):
        kind, value = address.text("type", "IPAddress"), address.text("value")
        if kind == "IPAddress" and value and not is_ip(value):
            flaws.invalid(address.at("value"), value, "must be a valid IP address")
        elif kind == "Hostname" and value:
            pattern(flaws, address.at("value"), value, HOSTNAME)


def _check_listener(flaws: Flaws, listener: Reader) -> None:
    needs(flaws, listener, "name", "protocol")
    if name := listener.text("name"):
        pattern(flaws, listener.at("name"), name, SECTION)
    span(flaws, listener, "port", 1, 65535, required=True)
    if protocol := listener.text("protocol"):
        pattern(flaws, listener.at("protocol"), protocol, PROTOCOL, 255)
    if host := listener.text("hostname"):
        check_hostname(flaws, listener.at("hostname"), host)
    _check_tls(flaws, listener, listener.text("protocol").upper())
    allowed = listener.child("allowedRoutes")
    size(flaws, allowed, "kinds", 8)
    for kind in allowed.children("kinds"):
        needs(flaws, kind, "kind")
    spaces = allowed.child("namespaces")
    flaws.choice(spaces.at("from"), spaces.text("from"), ("All", "Selector", "Same"))
    check_selector(flaws, spaces, "selector")


def _check_tls(flaws: Flaws, listener: Reader, protocol: str) -> None:
    field = listener.path.rpartition("[")[0]
    tls = listener.child("tls")
    mode = tls.text("mode")
    flaws.choice(tls.at("mode"), mode, ("Terminate", "Passthrough"))
    if protocol in ("HTTP", "TCP", "UDP") and listener.data.get("tls") is not None:
        invalid(flaws, field, "array", "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']")
    elif protocol == "HTTPS" and mode not in ("", "Terminate"):
        invalid(flaws, field, "array", "tls mode must be Terminate for protocol HTTPS")
    elif protocol == "TLS" and not mode:
        invalid(flaws, field, "array", "tls mode must be set for protocol TLS")
    given = tls.get("certificateRefs", list, []) or tls.get("options", dict, {})
    if listener.data.get("tls") is not None and mode in ("", "Terminate") and not given:
        invalid(flaws, tls.path, "object", "certificateRefs or options must be specified when mode is Terminate")
    for ref in tls.children("certificateRefs"):
        needs(flaws, ref, "name")
    if protocol in ("TCP", "UDP") and listener.text("hostname"):
        invalid(flaws, field, "array", "hostname must not be specified for protocols ['TCP', 'UDP']")


def _check_distinct(flaws: Flaws, spec: Reader, listeners: list[Reader]) -> None:
    if twice(one.text("name") for one in listeners if one.text("name")):
        invalid(flaws, spec.at("listeners"), "array", "Listener name must be unique within the Gateway")
    keys = [f"{one.number('port')}/{one.text('protocol')}/{one.text('hostname')}" for one in listeners]
    if twice(keys):
        message = "Combination of port, protocol and hostname must be unique for each listener"
        invalid(flaws, spec.at("listeners"), "array", message)


def check_hostname(flaws: Flaws, field: str, value: str, *, precise: bool = False) -> None:
    """A DNS name, with a wildcard label in front unless ``precise``; never an address."""
    if is_ip(value):
        flaws.invalid(field, value, "must be a DNS name, not an IP address")
    else:
        pattern(flaws, field, value, names.SUBDOMAIN if precise else HOSTNAME)


def check_grant(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """Who may refer to what (GW-10)."""
    if not served(flaws, obj):
        return
    spec = obj.child("spec")
    for name, wanted in (("from", ("kind", "namespace")), ("to", ("kind",))):
        if spec.data.get(name) is None:
            flaws.required(spec.at(name))
        size(flaws, spec, name, 16, 1)
        for entry in spec.children(name):
            if entry.data.get("group") is None:
                flaws.required(entry.at("group"))
            elif group := entry.text("group"):
                pattern(flaws, entry.at("group"), group, names.SUBDOMAIN)
            needs(flaws, entry, *wanted)
            if kind := entry.text("kind"):
                pattern(flaws, entry.at("kind"), kind, KIND, 63)
