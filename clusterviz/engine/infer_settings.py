"""Settings a set of objects reveals: CIDRs from the addresses that are given."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import msgspec

from clusterviz.engine.addresses import Network, in_any, in_cidr, network, nth
from clusterviz.engine.fill import Objects, pod_addresses, service_addresses, spec_of, status_of
from clusterviz.engine.probe import is_ip
from clusterviz.engine.settings import Settings


def infer_settings(objects: Objects) -> Settings:
    """Defaults, with every CIDR widened or moved so that the given addresses fit."""
    base = Settings()
    blocks = [
        str(cidr)
        for key, obj in objects.items()
        if key[0] == "Node"
        for cidr in spec_of(obj).get("podCIDRs") or [spec_of(obj).get("podCIDR")]
        if cidr
    ]
    if not blocks:
        blocks = [
            f"{ip}/{'24' if '.' in ip else '64'}"
            for key, obj in objects.items()
            if key[0] == "Pod" and not spec_of(obj).get("hostNetwork")
            for ip in pod_addresses(obj)
            if is_ip(ip)
        ]
    services = [ip for key, obj in objects.items() if key[0] == "Service" for ip in service_addresses(obj)]
    nodes = [
        str(entry["address"])
        for key, obj in objects.items()
        if key[0] == "Node"
        for entry in status_of(obj).get("addresses") or []
        if entry.get("type") == "InternalIP" and is_ip(str(entry.get("address")))
    ]
    service_cidr = _cover([f"{ip}" for ip in services if is_ip(ip)], base.service_cidr, 16, 108)
    return msgspec.structs.replace(
        base,
        cluster_cidr=_cover(blocks, base.cluster_cidr, 16, 56),
        service_cidr=service_cidr,
        node_cidr=_cover(nodes, base.node_cidr, 24, 64).split(",")[0],
        dns_ip=_dns_ip(objects) or _tenth(service_cidr, base),
    )


def _dns_ip(objects: Objects) -> str:
    for key in (("Service", "kube-system", "kube-dns"), ("Service", "kube-system", "coredns")):
        if key in objects:
            return next(iter(service_addresses(objects[key])), "")
    return ""


def _tenth(cidr: str, base: Settings) -> str:
    return base.dns_ip if cidr == base.service_cidr else nth(cidr.split(",", maxsplit=1)[0], 10)


def _cover(values: Iterable[str], default: str, prefix4: int, prefix6: int) -> str:
    """One CIDR a family that covers all values; the default when it already does."""
    values = list(values)
    if all(in_any(value.split("/")[0], default) for value in values):
        return default
    found: list[str] = []
    for version, prefix in ((4, prefix4), (6, prefix6)):
        nets = [network(value) for value in values if network(value).version == version]
        if nets:
            found.append(str(_supernet(nets, prefix)))
    return ",".join(found)


def _supernet(nets: list[Network], prefix: int) -> Network:
    first = nets[0]
    wide = ipaddress.ip_network(f"{first.network_address}/{min(prefix, first.prefixlen)}", strict=False)
    while not all(in_cidr(str(net.network_address), str(wide)) for net in nets):
        wide = wide.supernet()
    return wide
