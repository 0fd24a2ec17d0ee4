"""Addresses that are missing are filled in as kube-apiserver and the node controller would.

Objects are replaced by changed copies, never edited in place. The order of the input does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from clusterviz.engine.addresses import (
    allocate_node_port,
    allocate_pod_cidr,
    family,
    in_any,
    listed,
    network,
    nth,
    service_ips,
)
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.objects import Key, Obj, encoded, key_of
from clusterviz.engine.settings import Settings

Objects = dict[Key, Obj]
DUAL_STACK = ("PreferDualStack", "RequireDualStack")
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def spec_of(obj: Obj) -> Obj:
    """The spec, {} when absent."""
    return obj.get("spec") or {}


def status_of(obj: Obj) -> Obj:
    """The status, {} when absent."""
    return obj.get("status") or {}


def meta_of(obj: Obj) -> Obj:
    """The metadata, {} when absent."""
    return obj.get("metadata") or {}


def merged(obj: Obj, part: str, **values: Any) -> Obj:
    """A copy of the object with fields of ``spec``, ``status`` or ``metadata`` set."""
    return {**obj, part: {**(obj.get(part) or {}), **values}}


def ordered(objects: Objects, kind: str) -> list[Key]:
    """Keys of a kind by (creation time, namespace, name)."""
    return oldest_first(objects, [key for key in objects if key[0] == kind])


def oldest_first(objects: Objects, keys: Iterable[Key]) -> list[Key]:
    """Keys by (creation time, namespace, name)."""
    return sorted(keys, key=lambda key: (str(meta_of(objects[key]).get("creationTimestamp") or ""), key))


def safe_hash(text: str, length: int) -> str:
    """A short hash in the alphabet Kubernetes uses for generated names."""
    number = int.from_bytes(hashlib.sha256(text.encode(errors="surrogatepass")).digest())
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)


def template_hash(template: Obj) -> str:
    """The pod-template-hash of a workload's template."""
    return safe_hash(encoded(template).decode(), 10)


def pod_addresses(obj: Obj) -> list[str]:
    """IPs in a pod's status."""
    status = status_of(obj)
    many = [str(entry.get("ip")) for entry in status.get("podIPs") or [] if entry.get("ip")]
    return many or ([str(status["podIP"])] if status.get("podIP") else [])


def service_addresses(obj: Obj) -> list[str]:
    """ClusterIPs a Service holds."""
    spec = spec_of(obj)
    ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [str(ip) for ip in ips if ip and ip != "None"]


def fill_services(
    objects: Objects, settings: Settings, keys: Iterable[Key] | None = None, *, ports: bool = True
) -> None:
    """Give Services the ClusterIP and, with ``ports``, the node ports kube-apiserver would (SVC-02..04, PX-14)."""
    wanted = set(keys) if keys is not None else None
    keys = [key for key in objects if key[0] == "Service" and (wanted is None or key in wanted) and lacks(objects[key])]
    names = oldest_first(objects, keys)
    if not names:
        return
    every = [objects[key] for key in objects if key[0] == "Service"]
    taken_ips = {ip for obj in every for ip in service_addresses(obj)} | {settings.dns_ip}
    taken_ports = {
        port["nodePort"]
        for obj in every
        for port in spec_of(obj).get("ports") or []
        if isinstance(port, dict) and port.get("nodePort")
    } | {spec_of(obj)["healthCheckNodePort"] for obj in every if spec_of(obj).get("healthCheckNodePort")}
    free: dict[str, Iterator[str]] = {}
    for key in names:
        obj = _with_cluster_ip(objects[key], settings, taken_ips, free)
        objects[key] = _with_node_ports(obj, settings, taken_ports) if ports else obj
    if not ports:
        return
    for key in (key for key in names if _unchecked(spec_of(objects[key]))):
        number = allocate_node_port(settings.nodeport_range, taken_ports)
        taken_ports.add(number)
        objects[key] = merged(objects[key], "spec", healthCheckNodePort=number)


def lacks(obj: Obj) -> bool:
    """Whether kube-apiserver would give this Service an address or a port of the nodes."""
    spec, given = spec_of(obj), service_addresses(obj)
    if spec.get("type") == "ExternalName":
        return False
    if spec.get("ipFamilyPolicy") in DUAL_STACK:
        return len(given) < 2 or bool(_portless(spec)) or _unchecked(spec)
    addressless = not (given or spec.get("clusterIP") or spec.get("clusterIPs"))
    return addressless or bool(_portless(spec)) or _unchecked(spec)


def _portless(spec: Obj) -> list[Any]:
    """Ports that are to get a node port."""
    wants = spec.get("type") == "NodePort" or (
        spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False
    )
    ports = spec.get("ports") or [] if wants else []
    return [port for port in ports if isinstance(port, dict) and not port.get("nodePort")]


def _unchecked(spec: Obj) -> bool:
    """Whether a port for the balancer's health checks is missing (PX-14)."""
    asked = spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    return asked and not spec.get("healthCheckNodePort")


def _with_cluster_ip(obj: Obj, settings: Settings, taken: set[str], free: dict[str, Iterator[str]]) -> Obj:
    """The Service with its addresses; a headless one only learns its families (SVC-02, SVC-16).

    ``free`` holds the addresses of each range that were not tried yet: none that was taken becomes free meanwhile.
    """
    spec, meta = spec_of(obj), meta_of(obj)
    given = service_addresses(obj)
    both = spec.get("ipFamilyPolicy") in DUAL_STACK
    if spec.get("type") == "ExternalName" or (given and not (both and len(given) == 1)):
        return obj
    headless = spec.get("clusterIP") == "None" or "None" in (spec.get("clusterIPs") or ())
    if headless and not both:
        return obj
    cidrs = _service_cidrs(obj, settings, given)
    if headless:
        return merged(obj, "spec", ipFamilies=spec.get("ipFamilies") or [f"IPv{family(cidr)}" for cidr in cidrs])
    ips = list(given)
    for cidr in cidrs[len(given) :]:
        if not ips and meta.get("name") == "kubernetes" and meta.get("namespace", "default") == "default":
            ip = nth(cidr, 1)
        elif not ips and meta.get("name") == "kube-dns" and meta.get("namespace") == "kube-system":
            ip = settings.dns_ip
        else:
            ip = next(ip for ip in free.setdefault(cidr, service_ips(cidr)) if ip not in taken)
        ips.append(ip)
        taken.add(ip)
    return merged(obj, "spec", clusterIP=ips[0], clusterIPs=ips)


def _service_cidrs(obj: Obj, settings: Settings, given: list[str]) -> list[str]:
    """The ranges a Service gets an address from, one a family, the primary first (SVC-16).

    Raises `ObjectError` for families the cluster does not have.
    """
    spec = spec_of(obj)
    ranges = listed(settings.service_cidr)
    by_family: dict[str, str] = {}
    for cidr in ranges:
        by_family.setdefault(f"IPv{family(cidr)}", cidr)
    names = [f"IPv{family(ip)}" for ip in given]
    names += [str(name) for name in spec.get("ipFamilies") or [] if str(name) not in names]
    for field, value, message in family_flaws(spec, set(by_family)):
        raise ObjectError(
            f'Invalid value: "{value}": {message}', field=field, ref=f"service:{'/'.join(key_of(obj)[1:])}"
        )
    wanted = [by_family[name] for name in names if name in by_family]
    found = list(dict.fromkeys([*wanted, *by_family.values()] if len(wanted) == len(names) else ranges))
    return found if spec.get("ipFamilyPolicy") in DUAL_STACK else found[: max(1, len(wanted))]


def family_flaws(spec: Obj, families: set[str]) -> list[tuple[str, str, str]]:
    """What kube-apiserver refuses about a Service's families, as (field, value, message) (SVC-16).

    ``families`` are those of the cluster. Headless Services without selector may name any.
    """
    policy, named = spec.get("ipFamilyPolicy"), [str(name) for name in spec.get("ipFamilies") or []]
    found = []
    if policy == "SingleStack":
        several = "clusterIPs" if len(spec.get("clusterIPs") or ()) > 1 else "IP families" if len(named) > 1 else ""
        if several:
            text = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {several} are specified"
            found.append(("spec.ipFamilyPolicy", policy, text))
    if spec.get("clusterIP") == "None" and not spec.get("selector"):
        return found
    if policy == "RequireDualStack" and len(families) < 2:
        found.append(("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"))
    found += [
        (f"spec.ipFamilies[{index}]", name, "not configured on this cluster")
        for index, name in enumerate(named)
        if name not in families
    ]
    return found


def _with_node_ports(obj: Obj, settings: Settings, taken: set[int]) -> Obj:
    spec = spec_of(obj)
    if not _portless(spec):
        return obj
    ports = spec["ports"]
    filled = []
    for port in ports:
        if not isinstance(port, dict) or port.get("nodePort"):
            filled.append(port)
            continue
        number = allocate_node_port(settings.nodeport_range, taken)
        taken.add(number)
        filled.append({**port, "nodePort": number})
    return merged(obj, "spec", ports=filled)


def fill_nodes(objects: Objects, settings: Settings, warnings: list[tuple[str, str, str]]) -> None:
    """Give nodes the InternalIP and pod CIDR they lack (IPM-01, IPM-05)."""
    if not any(key[0] == "Node" and _starved(objects[key]) for key in objects):
        return
    keys = ordered(objects, "Node")
    taken = {entry.get("address") for key in keys for entry in status_of(objects[key]).get("addresses") or []}
    blocks = {
        str(block)
        for key in keys
        for block in [spec_of(objects[key]).get("podCIDR"), *(spec_of(objects[key]).get("podCIDRs") or [])]
    }
    keys = [key for key in keys if _starved(objects[key])]
    hosts, used = _host_ips(objects), _addresses_by_node(objects)
    for key in keys:
        obj = objects[key]
        if not _has_ip(obj):
            ip = hosts.get(key[2]) or _node_ip(settings.node_cidr, taken)
            taken.add(ip)
            others = list(status_of(obj).get("addresses") or [])
            obj = merged(obj, "status", addresses=[{"type": "InternalIP", "address": ip}, *others])
        if not _has_block(obj):
            own: list[str] = []
            for cidr in listed(settings.cluster_cidr):
                try:
                    block = _block_in_use(used.get(key[2], []), settings, blocks, cidr) or allocate_pod_cidr(
                        cidr, settings.node_mask, blocks
                    )
                except AddressError as error:
                    warnings.append(("cidr-not-available", f"node:{key[2]}", str(error)))
                else:
                    blocks.add(block)
                    own.append(block)
            if own:
                obj = merged(obj, "spec", podCIDR=own[0], podCIDRs=own)
        objects[key] = obj


def _host_ips(objects: Objects) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, obj in objects.items():
        host = status_of(obj).get("hostIP") if key[0] == "Pod" else None
        if host:
            found[str(spec_of(obj).get("nodeName"))] = str(host)
    return found


def _has_ip(node: Obj) -> bool:
    return any(e.get("type") == "InternalIP" and e.get("address") for e in status_of(node).get("addresses") or [])


def _has_block(node: Obj) -> bool:
    return bool(spec_of(node).get("podCIDR") or spec_of(node).get("podCIDRs"))


def _starved(node: Obj) -> bool:
    return not _has_ip(node) or not _has_block(node)


def _addresses_by_node(objects: Objects) -> dict[str, list[str]]:
    """Addresses of the pods of each node, in the order of their names."""
    found: dict[str, list[str]] = {}
    for key in sorted(key for key in objects if key[0] == "Pod"):
        spec = spec_of(objects[key])
        if not spec.get("hostNetwork"):
            found.setdefault(str(spec.get("nodeName")), []).extend(pod_addresses(objects[key]))
    return found


def _block_in_use(ips: list[str], settings: Settings, blocks: set[str], cidr: str) -> str:
    """The pod CIDR a node must have, told by the addresses its pods already hold."""
    for ip in ips:
        if in_any(ip, cidr):
            block = str(network(f"{ip}/{settings.node_mask if '.' in ip else 64}"))
            return "" if block in blocks else block
    return ""


def _node_ip(cidrs: str, taken: set[Any]) -> str:
    """The next free address of the first segment that has one, from .11 on where it is large enough (NET-11)."""
    for cidr in listed(cidrs):
        net = network(cidr)
        end = min(net.num_addresses - 1, 1 << 16)
        for offset in range(11 if end > 11 else 2, end):
            if str(net[offset]) not in taken:
                return str(net[offset])
    raise AddressError(f"no free node address in {cidrs}")
