"""Settings that a cluster's own objects tell: kubeadm, kube-proxy, CoreDNS and the network plugin (IMP).

`told` reads the objects as their programs do; a ConfigMap that cannot be read tells nothing.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from clusterviz.engine.addresses import network, nth
from clusterviz.engine.config_plugins import network_plugin
from clusterviz.engine.config_reading import Objects, Reading, config_map, inner_yaml, mapping, of_kind, sequence
from clusterviz.engine.errors import ObjectError
from clusterviz.engine.probe import is_ip
from clusterviz.engine.settings_check import check_settings, is_document, read_document

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
# ConfigMaps that are read here.
CONFIG_MAPS = frozenset({"kube-proxy", "coredns", "kubeadm-config", "kube-flannel-cfg", "cilium-config"})
KINDS = frozenset({"ConfigMap", "DaemonSet", "Installation", "IPPool", "ClusterSettings"})
# Detectors kube-proxy knows; "" is the default, ClusterCIDR.
DETECTORS = ("", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix")
# CoreDNS's own, where the Corefile says nothing (DNS-08, DNS-09).
COREDNS_PODS, COREDNS_TTL = "disabled", 5
DNS_PLACE = 10


def told(objects: Objects) -> Reading:
    """Everything the objects tell; a ClusterSettings document has the last word.

    Raises `ObjectError` when that document is wrong.
    """
    reading = Reading()
    objects = {key: obj for key, obj in objects.items() if key[0].partition(".")[0] in KINDS}
    _kubeadm(objects, reading)
    _kube_proxy(objects, reading)
    network_plugin(objects, reading)
    _coredns(objects, reading)
    for flaw in check_settings({name: value for name, value in reading.values.items() if name != "dns_ip"}):
        if flaw.field in reading.values:
            reading.note(reading.origins.pop(flaw.field), f"{flaw.field} stays as it is: {flaw.message}")
            del reading.values[flaw.field]
    for key, obj in of_kind(objects, "ClusterSettings"):
        if is_document(obj):
            values, flaws = read_document(obj)
            for name, value in values.items():
                reading.take("ClusterSettings", name, value)
            if flaws:
                raise ObjectError(flaws[0].message, field=flaws[0].field, ref=f"ClusterSettings {key[2]}")
    return reading


def _kubeadm(objects: Objects, reading: Reading) -> None:
    source, data = config_map(objects, "kubeadm-config", "kube-system")
    networking = mapping(inner_yaml(data.get("ClusterConfiguration")).get("networking"))
    names = {"podSubnet": "cluster_cidr", "serviceSubnet": "service_cidr", "dnsDomain": "cluster_domain"}
    for field, name in names.items():
        value = networking.get(field)
        if value:
            reading.take(source, name, str(value))
    if reading.origins.get("service_cidr") == source:
        take_dns_ip(reading)


def take_dns_ip(reading: Reading) -> None:
    """The cluster's DNS has the tenth address of the first Service CIDR, as kubeadm gives it (DNS-11)."""
    cidr = str(reading.values["service_cidr"]).partition(",")[0].strip()
    if network(cidr).num_addresses > DNS_PLACE:
        reading.take(reading.origins["service_cidr"], "dns_ip", nth(cidr, DNS_PLACE))


def _kube_proxy(objects: Objects, reading: Reading) -> None:
    source, data = config_map(objects, "kube-proxy", "kube-system")
    config = inner_yaml(data.get("config.conf"))
    if not config:
        return
    mode = str(config.get("mode") or "iptables")
    reading.take(source, "proxy_mode", mode)
    cidr = str(config.get("clusterCIDR") or "")
    if cidr:
        reading.take(source, "cluster_cidr", cidr)
    _detector(reading, source, str(config.get("detectLocalMode") or ""), cidr, mapping(config.get("detectLocal")))
    own = mapping(config.get(mode))
    every = mapping(config.get("nftables" if mode == "nftables" else "iptables")).get("masqueradeAll")
    if isinstance(every, bool):
        reading.take(source, "masquerade_all", every)
    local = mapping(config.get("iptables")).get("localhostNodePorts")
    if isinstance(local, bool):
        reading.take(source, "localhost_nodeports", local)
    ports = [str(one) for one in sequence(config.get("nodePortAddresses"))]
    if ports:
        reading.take(source, "nodeport_addresses", ports)
    scheduler = mapping(config.get("ipvs")).get("scheduler")
    if scheduler:
        reading.take(source, "ipvs_scheduler", str(scheduler))
    period = seconds(own.get("minSyncPeriod"))
    if period:
        reading.take(source, "min_sync_period", period)


def _detector(reading: Reading, source: str, mode: str, cidr: str, interfaces: dict[str, Any]) -> None:
    """ClusterCIDR, which is also the default, needs a CIDR; without one nobody is told from a pod (PX-08)."""
    if mode not in DETECTORS:
        reading.note(source, f"detectLocalMode {mode!r} is not known: pods are told by the cluster CIDR")
        return
    reading.take(source, "detect_local", bool(cidr) if mode in ("", "ClusterCIDR") else True)
    if mode not in ("", "ClusterCIDR"):
        reading.take(source, "detect_local_mode", mode)
    field = {"BridgeInterface": "bridgeInterface", "InterfaceNamePrefix": "interfaceNamePrefix"}.get(mode, "")
    name = interfaces.get(field) if field else None
    if name:
        reading.take(source, "detect_local_interface", str(name))


def seconds(value: Any) -> float:
    """A Go duration such as 1s, 500ms or 1m30s in seconds; 0 when it is none."""
    found = _DURATION.fullmatch(str(value or ""))
    if found is None:
        return 0.0
    hours, minutes, whole, parts = (float(one or 0) for one in found.groups())
    return hours * 3600 + minutes * 60 + whole + parts / 1000


class Directive(NamedTuple):
    """One line of a Corefile and the lines in its braces."""

    words: list[str]
    inside: list[Directive]


def corefile(text: str) -> list[Directive]:
    """A Corefile as a tree; braces that do not match end it."""
    root = Directive([], [])
    stack = [root]
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "}":
            if len(stack) == 1:
                break
            stack.pop()
            continue
        opens = words[-1] == "{"
        found = Directive((words[:-1] if opens else words) or [""], [])
        stack[-1].inside.append(found)
        if opens:
            stack.append(found)
    return root.inside


def _coredns(objects: Objects, reading: Reading) -> None:
    source, data = config_map(objects, "coredns", "kube-system")
    text = data.get("Corefile")
    for block in corefile(text) if isinstance(text, str) else ():
        for one in block.inside:
            if one.words[0] == "kubernetes":
                _kubernetes(reading, source, block.words, one)
                _forward(reading, source, block)


def _kubernetes(reading: Reading, source: str, block: list[str], one: Directive) -> None:
    """The kubernetes plugin: its zones, else those of the server block."""
    zones = [zone.partition(":")[0].rstrip(".") for zone in one.words[1:] or block]
    forward = [zone for zone in zones if zone and not zone.endswith(".arpa") and "/" not in zone]
    if forward:
        reading.take(source, "cluster_domain", forward[0])
    options = {line.words[0]: line.words[1:] for line in one.inside}
    reading.take(source, "dns_pod_mode", (options.get("pods") or [COREDNS_PODS])[0])
    ttl = (options.get("ttl") or [str(COREDNS_TTL)])[0]
    reading.take(source, "dns_ttl", int(ttl) if ttl.isdecimal() else ttl)
    reading.take(source, "dns_ignore_empty_service", "empty_service" in options.get("ignore", []))
    reading.take(source, "dns_endpoint_pod_names", "endpoint_pod_names" in options)
    if "fallthrough" in options:
        reading.take(source, "dns_fallthrough", [zone.rstrip(".") or "." for zone in options["fallthrough"] or ["."]])
    for name in ("namespaces", "labels", "namespace_labels"):
        if name in options:
            reading.note(source, f"kubernetes {name} is not followed: every namespace and Service is answered")


def _forward(reading: Reading, source: str, block: Directive) -> None:
    targets = [word for line in block.inside if line.words[0] == "forward" for word in line.words[2:]]
    servers = [ip for target in targets if (ip := _server(target))]
    if servers:
        reading.take(source, "dns_upstream", servers)


def _server(target: str) -> str:
    """The address of ``forward``'s target: 9.9.9.9, tls://9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53."""
    host = target.rpartition("//")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if is_ip(host) else host.partition(":")[0] if is_ip(host.partition(":")[0]) else ""
