"""Settings a set of objects reveals: what their configuration objects tell, else CIDRs from given addresses."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from clusterviz.engine.addresses import Network, family, in_any, in_cidr, listed, network, nth
from clusterviz.engine.config_objects import take_dns_ip, told
from clusterviz.engine.fill import DUAL_STACK, Objects, pod_addresses, service_addresses, spec_of, status_of
from clusterviz.engine.objects import Obj
from clusterviz.engine.probe import is_ip
from clusterviz.engine.settings import Settings
from clusterviz.engine.settings_check import differing, fields

GIVEN = "the addresses of the objects"
# Where no Service shows one of the family.
SERVICE_RANGES = {4: Settings().service_cidr, 6: "fd00:10:96::/112"}
NODE_NETWORKS = ("172.16.0.0/24", "10.0.0.0/24")


class Inferred(NamedTuple):
    """``origins`` says of each setting that is not assumed where it comes from; ``notes`` what was left out."""

    settings: Settings
    origins: dict[str, str]
    notes: tuple[str, ...]

    @property
    def notices(self) -> list[tuple[str, str, str]]:
        """(code, ref, text) of what the configuration objects told, a line a source, and of ``notes``."""
        values = msgspec.to_builtins(self.settings)
        told: dict[str, list[str]] = {}
        for name, source in self.origins.items():
            if source != GIVEN:
                told.setdefault(source, []).append(f"{name} {msgspec.json.encode(values[name]).decode()}")
        lines = [("settings-told", "", f"Settings from {source}: {', '.join(told[source])}.") for source in told]
        return lines + [("settings-left", "", f"{note}.") for note in self.notes]


def infer(objects: Objects) -> Inferred:
    """Settings under which the objects make sense: told ones first, CIDRs that fit the given addresses else."""
    reading = told(objects)
    fitting = _fitting(objects)
    given = _dns_ip(objects)
    if given and reading.origins.get("dns_ip") != "ClusterSettings":
        reading.take("Service of the cluster's DNS", "dns_ip", given)
    elif "service_cidr" in reading.values and "dns_ip" not in reading.values:
        take_dns_ip(reading)
    origins = dict.fromkeys(differing(fitting), GIVEN) | reading.origins
    settings = msgspec.convert({**msgspec.to_builtins(fitting), **reading.values}, Settings)
    if "node_cidr" not in origins:
        beside = _beside(settings)
        if beside != settings.node_cidr:
            settings = msgspec.structs.replace(settings, node_cidr=beside)
            origins["node_cidr"] = "room beside the addresses of pods and Services"
    mask = _mask(objects, settings)
    if "node_mask" not in origins and mask != settings.node_mask:
        settings = msgspec.structs.replace(settings, node_mask=mask)
        origins["node_mask"] = GIVEN
    return Inferred(settings, origins, tuple(reading.notes))


def _mask(objects: Objects, settings: Settings) -> int:
    """Prefix length of the nodes' IPv4 blocks: that of given ones, and never shorter than the pods' own (IPM-01)."""
    blocks = [network(str(cidr)) for cidr in _pod_cidrs(objects)]
    given = min((net.prefixlen for net in blocks if net.version == 4), default=settings.node_mask)
    whole = [network(cidr) for cidr in listed(settings.cluster_cidr)]
    shortest = max((net.prefixlen for net in whole if net.version == 4), default=given)
    least, most = fields()["node_mask"].least or 0, fields()["node_mask"].most or 32
    return int(min(max(given, shortest, least), most))


def _pod_cidrs(objects: Objects) -> list[str]:
    """The blocks Node objects have."""
    return [
        str(cidr)
        for key, obj in objects.items()
        if key[0] == "Node"
        for cidr in spec_of(obj).get("podCIDRs") or [spec_of(obj).get("podCIDR")]
        if cidr
    ]


def _beside(settings: Settings) -> str:
    """A network for nodes that lies outside pods and Services; the present one where it does."""
    taken = [network(cidr) for cidr in listed(f"{settings.cluster_cidr},{settings.service_cidr}")]
    for cidr in (settings.node_cidr, *NODE_NETWORKS):
        if not any(net.version == 4 and network(cidr).overlaps(net) for net in taken):
            return cidr
    return settings.node_cidr


def _fitting(objects: Objects) -> Settings:
    """Defaults, with every CIDR widened or moved so that the given addresses fit."""
    base = Settings()
    blocks = _pod_cidrs(objects)
    if not blocks:
        blocks = [
            f"{ip}/{'24' if '.' in ip else '64'}"
            for key, obj in objects.items()
            if key[0] == "Pod" and not spec_of(obj).get("hostNetwork")
            for ip in pod_addresses(obj)
            if is_ip(ip)
        ]
    service_cidr = _service_cidr(objects, blocks, base)
    return msgspec.structs.replace(
        base,
        cluster_cidr=_cover(blocks, base.cluster_cidr, 16, 56),
        service_cidr=service_cidr,
        node_cidr=_node_cidr(objects, base),
        dns_ip=_dns_ip(objects) or _tenth(service_cidr, base),
    )


def _service_cidr(objects: Objects, blocks: list[str], base: Settings) -> str:
    """Ranges of the families Services have addresses of, the primary first; of those pods have where they show none.

    Where pods have a family no Service shows, it is added for a Service that asks for both and that no
    kube-apiserver has answered with one.
    """
    services = [obj for key, obj in objects.items() if key[0] == "Service"]
    shown = [own for obj in services if (own := [ip for ip in service_addresses(obj) if is_ip(ip)])]
    pods = list(dict.fromkeys(family(block) for block in blocks))
    if not shown:
        return ",".join(SERVICE_RANGES[version] for version in pods) or base.service_cidr
    cidrs = listed(_cover([ip for own in shown for ip in own], base.service_cidr, 16, 108))
    found = {family(cidr): cidr for cidr in cidrs}
    if any(_asks_for_both(obj) for obj in services):
        found |= {version: SERVICE_RANGES[version] for version in pods if version not in found}
    first = Counter(family(own[0]) for own in shown).most_common(1)[0][0]
    return ",".join(sorted(found.values(), key=lambda cidr: family(cidr) != first))


def _asks_for_both(service: Obj) -> bool:
    """Whether a Service wants both families and does not say yet what it got."""
    spec = spec_of(service)
    return spec.get("ipFamilyPolicy") in DUAL_STACK and not spec.get("ipFamilies")


def _node_cidr(objects: Objects, base: Settings) -> str:
    """A network for each of the addresses nodes have, the first of them first."""
    columns: list[list[str]] = []
    for key, obj in objects.items():
        entries = status_of(obj).get("addresses") or [] if key[0] == "Node" else []
        own = [str(entry.get("address")) for entry in entries if entry.get("type") == "InternalIP"]
        for index, ip in enumerate(ip for ip in own if is_ip(ip)):
            columns += [[]] * (index + 1 - len(columns))
            columns[index] = [*columns[index], ip]
    cidrs = [cidr for column in columns for cidr in listed(_cover(column, base.node_cidr, 24, 64))]
    return ",".join(dict.fromkeys(cidrs)) or base.node_cidr


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
