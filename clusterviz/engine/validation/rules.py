"""Ingresses and NetworkPolicies: kinds whose spec is a list of rules."""

from __future__ import annotations

import ipaddress

from clusterviz.engine.parse import Reader
from clusterviz.engine.probe import is_ip
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaws
from clusterviz.engine.validation.meta import check_selector
from clusterviz.engine.validation.pods import PROTOCOLS

PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")


def check_ingress(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """Hosts, paths and backends."""
    spec = obj.child("spec")
    if not spec.data.get("defaultBackend") and not spec.children("rules"):
        flaws.required("spec", "either `defaultBackend` or `rules` must be specified")
    name = spec.text("ingressClassName")
    if name:
        flaws.check("spec.ingressClassName", name, names.subdomain(name))
    if spec.data.get("defaultBackend"):
        _check_backend(flaws, spec.child("defaultBackend"))
    for rule in spec.children("rules"):
        _check_host(flaws, rule.at("host"), rule.text("host"))
        if rule.data.get("http") is None:
            continue
        http = rule.child("http")
        if not http.children("paths"):
            flaws.required(http.at("paths"))
        for path in http.children("paths"):
            _check_path(flaws, path)
    for entry in spec.children("tls"):
        for index, host in enumerate(entry.texts("hosts")):
            _check_host(flaws, entry.at(f"hosts[{index}]"), host)


def check_ingress_class(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """The controller: a domain and a path, and for ever (ING-01)."""
    controller, field = obj.child("spec").text("controller"), "spec.controller"
    domain, slash, path = controller.partition("/")
    if not controller:
        flaws.required(field)
    elif len(controller) > 250:
        flaws.invalid(field, controller, "must have at most 250 bytes")
    elif not slash or not path:
        flaws.invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        flaws.check(field, controller, names.subdomain(domain))
    if old is not None and old.child("spec").text("controller") != controller:
        flaws.invalid(field, controller, "field is immutable")


def _check_host(flaws: Flaws, field: str, host: str) -> None:
    if not host:
        return
    if is_ip(host):
        flaws.invalid(field, host, "must be a DNS name, not an IP address")
    elif "*" in host:
        if not host.startswith("*.") or names.subdomain(host[2:]):
            flaws.invalid(
                field,
                host,
                "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
                "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
                r"character (e.g. '*.example.com', regex used for validation is '\*\." + names.SUBDOMAIN + "')",
            )
    else:
        flaws.check(field, host, names.subdomain(host))


def _check_path(flaws: Flaws, path: Reader) -> None:
    kind, value = path.text("pathType"), path.text("path")
    if not kind:
        flaws.required(path.at("pathType"), "pathType must be specified")
    else:
        flaws.choice(path.at("pathType"), kind, PATH_TYPES)
    if kind in ("Exact", "Prefix"):
        if not value.startswith("/"):
            flaws.invalid(path.at("path"), value, "must be an absolute path")
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in value:
                flaws.invalid(path.at("path"), value, f"must not contain '{part}'")
    elif value and not value.startswith("/"):
        flaws.invalid(path.at("path"), value, "must be an absolute path")
    _check_backend(flaws, path.child("backend"))


def _check_backend(flaws: Flaws, backend: Reader) -> None:
    service, resource = backend.data.get("service"), backend.data.get("resource")
    if service is None and resource is None:
        flaws.required(backend.path, "resource or service backend is required")
        return
    if service is not None and resource is not None:
        flaws.invalid(backend.path, "", "cannot set both resource and service backends")
        return
    if service is None:
        return
    target = backend.child("service")
    name = target.text("name")
    if not name:
        flaws.required(target.at("name"))
    else:
        flaws.check(target.at("name"), name, names.label_1035(name))
    port = target.child("port")
    number, port_name = port.number("number"), port.text("name")
    if number and port_name:
        flaws.invalid(target.at("port"), "", "cannot set both port name & port number")
    elif number:
        flaws.port(port.at("number"), number)
    elif port_name:
        flaws.check(port.at("name"), port_name, names.port_name(port_name))
    else:
        flaws.required(target.at("port"), "port name or number is required")


def check_policy(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """Selector, types, peers, ports (NP-12, NP-15)."""
    spec = obj.child("spec")
    check_selector(flaws, spec, "podSelector")
    types = spec.texts("policyTypes")
    for index, kind in enumerate(types):
        flaws.choice(f"spec.policyTypes[{index}]", kind, ("Ingress", "Egress"))
    for name, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(name, list, [])):
            reader = Reader(rule or {}, obj.ref, f"spec.{name}[{index}]")
            for port in reader.children("ports"):
                _check_policy_port(flaws, port)
            for peer in reader.children(peers):
                _check_peer(flaws, peer)


def _check_policy_port(flaws: Flaws, port: Reader) -> None:
    flaws.choice(port.at("protocol"), port.text("protocol"), PROTOCOLS)
    value, end = port.port("port"), port.number("endPort")
    if isinstance(value, str):
        flaws.check(port.at("port"), value, names.port_name(value))
        if end:
            flaws.invalid(port.at("endPort"), end, "may not be specified when `port` is non-numeric")
    elif value is not None:
        flaws.port(port.at("port"), value)
        if end and end < value:
            flaws.invalid(port.at("endPort"), end, "must be greater than or equal to `port`")
    elif end:
        flaws.invalid(port.at("endPort"), end, "may not be specified when `port` is not specified")
    if end:
        flaws.port(port.at("endPort"), end)


def _check_peer(flaws: Flaws, peer: Reader) -> None:
    given = [name for name in ("podSelector", "namespaceSelector", "ipBlock") if name in peer.data]
    if not given:
        flaws.required(peer.path, "must specify a peer")
    for name in ("podSelector", "namespaceSelector"):
        check_selector(flaws, peer, name)
    if peer.data.get("ipBlock") is None:
        return
    if len(given) > 1:
        flaws.forbidden(peer.path, "may not specify both ipBlock and another peer")
    block = peer.child("ipBlock")
    cidr = block.text("cidr")
    if not cidr:
        flaws.required(block.at("cidr"))
        return
    flaws.check(block.at("cidr"), cidr, names.cidr(cidr))
    for index, value in enumerate(block.texts("except")):
        field = block.at(f"except[{index}]")
        if detail := names.cidr(value):
            flaws.invalid(field, value, detail)
        elif not names.cidr(cidr) and not _inside(value, cidr):
            flaws.invalid(field, value, "must be a strict subset of `cidr`")


def _inside(inner: str, outer: str) -> bool:
    small = ipaddress.ip_network(inner, strict=False)
    large = ipaddress.ip_network(outer, strict=False)
    if small.version != large.version:
        return False
    return small != large and int(large[0]) <= int(small[0]) and int(small[-1]) <= int(large[-1])
