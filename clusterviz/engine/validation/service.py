"""Services, and the addresses and ports they ask for (SVC-02, SVC-04)."""

from __future__ import annotations

from collections.abc import Mapping

from clusterviz.engine.addresses import family, in_any
from clusterviz.engine.fill import family_flaws
from clusterviz.engine.objects import Key
from clusterviz.engine.parse import Reader
from clusterviz.engine.settings import Settings
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaws
from clusterviz.engine.validation.meta import check_labels
from clusterviz.engine.validation.pods import PROTOCOLS

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
FAMILIES = ("IPv4", "IPv6")
_CHOICES = {
    "sessionAffinity": ("ClientIP", "None"),
    "internalTrafficPolicy": ("Cluster", "Local"),
    "externalTrafficPolicy": ("Cluster", "Local"),
    "ipFamilyPolicy": ("SingleStack", "PreferDualStack", "RequireDualStack"),
    "trafficDistribution": ("PreferClose", "PreferSameZone", "PreferSameNode"),
}


def check_service(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """Type, ports, addresses; what may not change."""
    spec = obj.child("spec")
    kind = spec.text("type", "ClusterIP")
    flaws.choice("spec.type", kind, TYPES)
    for field, allowed in _CHOICES.items():
        flaws.choice(spec.at(field), spec.text(field), allowed)
    check_labels(flaws, spec, "selector")
    headless = spec.text("clusterIP") == "None" or "None" in spec.texts("clusterIPs")
    if kind == "ExternalName":
        _check_external_name(flaws, spec)
    elif not spec.children("ports") and not headless:
        flaws.required("spec.ports")
    if headless and kind in ("NodePort", "LoadBalancer"):
        flaws.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    _check_ports(flaws, spec, kind)
    _check_addresses(flaws, spec)
    if old is not None:
        _check_immutable(flaws, spec, old.child("spec"), kind)


def _check_external_name(flaws: Flaws, spec: Reader) -> None:
    name = spec.text("externalName").rstrip(".")
    if not name:
        flaws.required("spec.externalName")
    else:
        flaws.check("spec.externalName", name, names.subdomain(name))


def _check_ports(flaws: Flaws, spec: Reader, kind: str) -> None:
    ports = spec.children("ports")
    seen_names: set[str] = set()
    seen_ports: set[tuple[str, int]] = set()
    seen_node_ports: set[tuple[str, int]] = set()
    for port in ports:
        name, protocol, number = port.text("name"), port.text("protocol", "TCP"), port.number("port")
        if not name and len(ports) > 1:
            flaws.required(port.at("name"))
        elif name and name in seen_names:
            flaws.duplicate(port.at("name"), name)
        elif name:
            flaws.check(port.at("name"), name, names.label(name))
        seen_names.add(name)
        flaws.port(port.at("port"), number)
        flaws.choice(port.at("protocol"), protocol, PROTOCOLS)
        _check_target(flaws, port)
        if (protocol, number) in seen_ports:
            flaws.duplicate(port.path, {"protocol": protocol, "port": number})
        seen_ports.add((protocol, number))
        node_port = port.number("nodePort")
        if node_port and kind in ("ClusterIP", "ExternalName"):
            flaws.forbidden(port.at("nodePort"), f"may not be used when `type` is '{kind}'")
        elif node_port and (protocol, node_port) in seen_node_ports:
            flaws.duplicate(port.at("nodePort"), node_port)
        seen_node_ports.add((protocol, node_port))


def _check_target(flaws: Flaws, port: Reader) -> None:
    target = port.data.get("targetPort")
    if isinstance(target, str) and target:
        flaws.check(port.at("targetPort"), target, names.port_name(target))
    elif (number := port.port("targetPort")) is not None:
        flaws.port(port.at("targetPort"), int(number))


def _check_addresses(flaws: Flaws, spec: Reader) -> None:
    cluster_ips = spec.texts("clusterIPs")
    cluster_ip = spec.text("clusterIP")
    if cluster_ips and cluster_ip and cluster_ips[0] != cluster_ip:
        flaws.invalid("spec.clusterIPs[0]", cluster_ips[0], "first value must match `clusterIP`")
    for index, value in enumerate(cluster_ips or ((cluster_ip,) if cluster_ip else ())):
        if value != "None":
            flaws.check(f"spec.clusterIPs[{index}]", value, names.ip(value))
    _check_families(flaws, spec, cluster_ips)
    for index, value in enumerate(spec.texts("externalIPs")):
        flaws.check(f"spec.externalIPs[{index}]", value, names.ip(value))
    for index, value in enumerate(spec.texts("loadBalancerSourceRanges")):
        flaws.check(f"spec.loadBalancerSourceRanges[{index}]", value, names.cidr(value.strip()))
    timeout = spec.child("sessionAffinityConfig").child("clientIP")
    seconds = timeout.number("timeoutSeconds", 10800)
    if not 1 <= seconds <= 86400:
        flaws.invalid(timeout.at("timeoutSeconds"), seconds, "must be greater than 0 and less than 86400")


def _check_families(flaws: Flaws, spec: Reader, cluster_ips: tuple[str, ...]) -> None:
    """Families and addresses of one Service, which stand side by side (SVC-16)."""
    families = spec.texts("ipFamilies")
    for index, value in enumerate(families):
        if value not in FAMILIES:
            flaws.unsupported(spec.at(f"ipFamilies[{index}]"), value, FAMILIES)
        elif value in families[:index]:
            flaws.duplicate(spec.at(f"ipFamilies[{index}]"), value)
    ips = cluster_ips or ((spec.text("clusterIP"),) if spec.text("clusterIP") else ())
    if len(ips) > 2:
        flaws.invalid("spec.clusterIPs", list(ips), "may only hold up to 2 values")
    if "None" in ips[1:] or (len(ips) > 1 and ips[0] == "None"):
        flaws.invalid("spec.clusterIPs", list(ips), "'None' must be the first and only value")
    if "None" in ips or any(names.ip(ip) for ip in ips):
        return
    if len(ips) == 2 and family(ips[0]) == family(ips[1]):
        flaws.invalid("spec.clusterIPs", list(ips), "may specify no more than one IP for each IP family")
    for index, (ip, wanted) in enumerate(zip(ips, families, strict=False)):
        if wanted in FAMILIES and f"IPv{family(ip)}" != wanted:
            text = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
            flaws.invalid(f"spec.clusterIPs[{index}]", ip, text)


def _check_immutable(flaws: Flaws, spec: Reader, before: Reader, kind: str) -> None:
    was = before.text("clusterIP")
    if kind == "ExternalName" or before.text("type", "ClusterIP") == "ExternalName" or not was:
        return
    if spec.text("clusterIP") and spec.text("clusterIP") != was:
        flaws.invalid("spec.clusterIPs[0]", spec.text("clusterIP"), "may not change once set")


def check_allocation(
    flaws: Flaws,
    obj: Reader,
    settings: Settings,
    ips: Mapping[str, Key],
    node_ports: Mapping[tuple[str, int], Key],
    key: Key,
) -> None:
    """The addresses a Service asks for are in range and nobody else's."""
    spec = obj.child("spec")
    if spec.text("type") == "ExternalName":
        return
    for field, value, message in family_flaws(spec.data, {f"IPv{version}" for version in settings.families}):
        flaws.invalid(field, value, message)
    wanted = spec.texts("clusterIPs") or ((spec.text("clusterIP"),) if spec.text("clusterIP") else ())
    for ip in wanted:
        if ip == "None" or names.ip(ip):
            continue
        if not in_any(ip, settings.service_cidr):
            flaws.invalid(
                "spec.clusterIPs",
                list(wanted),
                f"failed to allocate IP {ip}: the provided IP ({ip}) is not in the valid range. "
                f"The range of valid IPs is {settings.service_cidr}",
            )
        elif ips.get(ip, key) != key:
            flaws.invalid(
                "spec.clusterIPs", list(wanted), f"failed to allocate IP {ip}: provided IP is already allocated"
            )
    low, high = settings.nodeport_range
    for port in spec.children("ports"):
        number, protocol = port.number("nodePort"), port.text("protocol", "TCP")
        if not number:
            continue
        if not low <= number <= high:
            flaws.invalid(
                port.at("nodePort"),
                number,
                f"provided port is not in the valid range. The range of valid ports is {low}-{high}",
            )
        elif node_ports.get((protocol, number), key) != key:
            flaws.invalid(port.at("nodePort"), number, "provided port is already allocated")
