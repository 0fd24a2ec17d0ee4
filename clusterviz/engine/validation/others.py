"""Nodes, endpoint slices, and our own TrafficFlow."""

from __future__ import annotations

from clusterviz.engine.parse import Reader
from clusterviz.engine.probe import is_ip
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaws

CALLERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Pod", "External")
MAX_RATE = 10_000


def check_node(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """Pod CIDRs and addresses; a pod CIDR never changes once set."""
    spec = obj.child("spec")
    value = spec.text("podCIDR")
    if value:
        flaws.check("spec.podCIDR", value, names.cidr(value))
    cidrs = spec.texts("podCIDRs")
    for index, cidr in enumerate(cidrs):
        flaws.check(f"spec.podCIDRs[{index}]", cidr, names.cidr(cidr))
    if value and cidrs and cidrs[0] != value:
        flaws.invalid("spec.podCIDRs[0]", cidrs[0], "must be the same as `podCIDR`")
    before = old.child("spec").text("podCIDR") if old else ""
    if before and value and before != value:
        flaws.forbidden("spec.podCIDR", 'node updates may not change podCIDR except from "" to valid')
    for entry in obj.child("status").children("addresses"):
        if entry.text("type") == "InternalIP":
            flaws.check(entry.at("address"), entry.text("address"), names.ip(entry.text("address")))


def check_slice(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """Addresses of the slice's family, ports."""
    kind = obj.text("addressType")
    if not kind:
        flaws.required("addressType")
    flaws.choice("addressType", kind, ("IPv4", "IPv6", "FQDN"))
    if old is not None and kind != old.text("addressType"):
        flaws.invalid("addressType", kind, "field is immutable")
    for endpoint in obj.children("endpoints"):
        addresses = endpoint.texts("addresses")
        if not addresses:
            flaws.required(endpoint.at("addresses"), "must contain at least 1 address")
        for index, address in enumerate(addresses):
            if kind != "FQDN":
                flaws.check(endpoint.at(f"addresses[{index}]"), address, names.ip(address))
    for port in obj.children("ports"):
        if port.data.get("port") is not None:
            flaws.port(port.at("port"), port.number("port"))
        if port.text("name"):
            flaws.check(port.at("name"), port.text("name"), names.label(port.text("name")))


def check_flow(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """Who calls, who is called, how often."""
    spec = obj.child("spec")
    source, target = spec.child("from"), spec.child("to")
    kind = source.text("kind")
    if not kind:
        flaws.required(source.at("kind"))
    flaws.choice(source.at("kind"), kind, CALLERS)
    if kind and kind != "External" and not source.text("name"):
        flaws.required(source.at("name"), "the caller's name")
    if source.text("name"):
        flaws.check(source.at("name"), source.text("name"), names.subdomain(source.text("name")))
    if source.text("ip"):
        flaws.check(source.at("ip"), source.text("ip"), names.ip(source.text("ip")))
    host = target.text("host")
    if not host:
        flaws.required(target.at("host"), "a Service name, a DNS name or an IP address")
    elif not is_ip(host):
        flaws.check(target.at("host"), host, names.subdomain(host.rstrip(".").lower()))
    flaws.port(target.at("port"), target.number("port"))
    flaws.choice(target.at("protocol"), target.text("protocol"), ("TCP", "UDP"))
    flaws.choice(target.at("scheme"), target.text("scheme"), ("http", "https", "grpc", "tcp"))
    if target.text("path") and not target.text("path").startswith("/"):
        flaws.invalid(target.at("path"), target.text("path"), "must be an absolute path")
    _check_rate(flaws, spec)


def _check_rate(flaws: Flaws, spec: Reader) -> None:
    rate = spec.data.get("requestsPerSecond")
    if rate is None:
        flaws.required("spec.requestsPerSecond")
    elif isinstance(rate, bool) or not isinstance(rate, int | float):
        flaws.invalid("spec.requestsPerSecond", rate, "must be a number")
    elif not 0 <= rate <= MAX_RATE:
        flaws.invalid("spec.requestsPerSecond", rate, f"must be between 0 and {MAX_RATE}, inclusive")
