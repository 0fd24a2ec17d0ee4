"""Ingress, IngressClass and NetworkPolicy objects -> records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.objects import (
    Ingress,
    IngressBackend,
    IngressClass,
    IngressPath,
    IngressRule,
    IngressTls,
    NetworkPolicy,
    Obj,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Record,
)
from clusterviz.engine.selectors import Selector, parse_selector

if TYPE_CHECKING:
    from clusterviz.engine.reader import Reader

CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def parse_ingress(reader: Reader, base: Obj) -> Record:
    """Also reads the old serviceName/servicePort form as ImplementationSpecific (IMP-06)."""
    spec = reader.child("spec")
    default = spec.data.get("defaultBackend") or spec.data.get("backend")
    name = "defaultBackend" if spec.data.get("defaultBackend") else "backend"
    entries = reader.child("status").child("loadBalancer").children("ingress")
    return Ingress(
        **base,
        ingress_class=spec.text("ingressClassName") or base["annotations"].get(CLASS_ANNOTATION, ""),
        rules=tuple(_rule(rule, index) for index, rule in enumerate(spec.children("rules"))),
        default_backend=_backend(spec, name) if default else None,
        tls=tuple(
            IngressTls(entry.text("secretName"), tuple(host.lower() for host in entry.texts("hosts")))
            for entry in spec.children("tls")
        ),
        addresses=tuple(entry.text("ip") or entry.text("hostname") for entry in entries),
    )


def _rule(rule: Reader, index: int) -> IngressRule:
    return IngressRule(
        host=rule.text("host").lower(),
        paths=tuple(
            IngressPath(
                path=path.text("path") or "/",
                type=path.text("pathType", "ImplementationSpecific"),
                backend=_backend(path, "backend"),
                index=(index, position),
            )
            for position, path in enumerate(rule.child("http").children("paths"))
        ),
    )


def _backend(owner: Reader, name: str) -> IngressBackend:
    backend = owner.child(name)
    if "serviceName" in backend.data:
        return IngressBackend(backend.text("serviceName"), backend.port("servicePort") or 0)
    service = backend.child("service")
    port = service.child("port")
    return IngressBackend(service.text("name"), port.number("number") or port.text("name") or 0)


def parse_policy(reader: Reader, base: Obj) -> Record:
    """Types default to Ingress, plus Egress when egress rules are given (NP-04)."""
    spec = reader.child("spec")
    types = spec.texts("policyTypes") or (("Ingress", "Egress") if spec.data.get("egress") else ("Ingress",))
    return NetworkPolicy(
        **base,
        selector=parse_selector(spec.data.get("podSelector"), field=spec.at("podSelector"), ref=reader.ref),
        types=types,
        ingress=tuple(_policy_rule(rule, "from") for rule in _rules(spec, "ingress")),
        egress=tuple(_policy_rule(rule, "to") for rule in _rules(spec, "egress")),
    )


def _rules(spec: Reader, name: str) -> list[Reader]:
    """A null entry in the list is an empty rule, which allows everything (NP-05)."""
    items = spec.get(name, list, [])
    return [type(spec)(item or {}, spec.ref, f"{spec.at(name)}[{i}]") for i, item in enumerate(items)]


def _policy_rule(rule: Reader, field: str) -> PolicyRule:
    ports = tuple(
        PolicyPort(
            protocol=port.text("protocol", "TCP"),
            port=port.port("port"),
            end=port.number("endPort") or None,
        )
        for port in rule.children("ports")
    )
    return PolicyRule(tuple(_peer(peer) for peer in rule.children(field)), ports)


def _peer(peer: Reader) -> PolicyPeer:
    block = peer.data.get("ipBlock")
    if block is not None:
        reader = peer.child("ipBlock")
        return PolicyPeer(cidr=reader.check_cidr("cidr", reader.text("cidr")), excepts=reader.cidrs("except"))
    return PolicyPeer(_optional(peer, "podSelector"), _optional(peer, "namespaceSelector"))


def _optional(peer: Reader, name: str) -> Selector | None:
    """Absent is no restriction; present and null is ``{}`` (IMP-03)."""
    if name not in peer.data:
        return None
    return parse_selector(peer.data[name], field=peer.at(name), ref=peer.ref)


def parse_ingress_class(reader: Reader, base: Obj) -> Record:
    """Which controller serves the class, and whether it is the default (ING-01)."""
    default = base["annotations"].get("ingressclass.kubernetes.io/is-default-class") == "true"
    return IngressClass(**base, controller=reader.child("spec").text("controller"), default=default)
