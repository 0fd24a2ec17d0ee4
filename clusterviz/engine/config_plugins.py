"""What the objects of a network plugin tell: flannel, Calico, Cilium, and who enforces NetworkPolicy (NP-24)."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.config_reading import (
    Objects,
    Reading,
    config_map,
    inner_json,
    mapping,
    of_kind,
    sequence,
    switched_on,
)

# DaemonSets whose program enforces NetworkPolicy.
ENFORCERS = (
    "calico-node",
    "canal",
    "cilium",
    "antrea-agent",
    "kube-router",
    "weave-net",
    "kube-network-policies",
    "kindnet",
)
# What Calico writes after the encapsulation's name in an Installation, by the mode of an IPPool.
MODES = {"Always": "", "CrossSubnet": "CrossSubnet"}
CALICO_PORT, DEFAULT_PORT = 4789, 8472


def network_plugin(objects: Objects, reading: Reading) -> None:
    """Flannel, Calico and Cilium, then who enforces policies; without any plugin nothing is told."""
    _flannel(objects, reading)
    _calico(objects, reading)
    _cilium(objects, reading)
    for key, _ in of_kind(objects, "DaemonSet"):
        if key[2] in ENFORCERS and "enforce_policies" not in reading.values:
            reading.take(f"DaemonSet {key[1]}/{key[2]}", "enforce_policies", True)
    if any(_is_flannel(key[2]) for key, _ in of_kind(objects, "DaemonSet")) or _flannel_config(objects)[1]:
        source = reading.origins.get("enforce_policies")
        if source is None:
            reading.take("flannel, which enforces no NetworkPolicy", "enforce_policies", False)


def _is_flannel(name: str) -> bool:
    return name.startswith("kube-flannel")


def _flannel_config(objects: Objects) -> tuple[str, dict[str, Any]]:
    return config_map(objects, "kube-flannel-cfg", "kube-flannel", "kube-system")


def _flannel(objects: Objects, reading: Reading) -> None:
    source, data = _flannel_config(objects)
    config = inner_json(data.get("net-conf.json"))
    cidrs = [str(config["Network"])] if config.get("Network") and config.get("EnableIPv4", True) else []
    if config.get("EnableIPv6") and config.get("IPv6Network"):
        cidrs.append(str(config["IPv6Network"]))
    if cidrs:
        reading.take(source, "cluster_cidr", ",".join(cidrs))
    backend = mapping(config.get("Backend"))
    kind = str(backend.get("Type") or "")
    if kind:
        reading.take(source, "network", kind)
        reading.take(source, "direct_routing", kind in ("vxlan", "ipip") and bool(backend.get("DirectRouting")))
    if kind == "vxlan":
        reading.take(source, "vxlan_port", backend.get("Port") or DEFAULT_PORT)
        reading.take(source, "vni", backend.get("VNI") or 1)
    plugins = sequence(inner_json(data.get("cni-conf.json")).get("plugins"))
    if plugins:
        names = [mapping(one).get("type") for one in plugins]
        delegate = mapping(mapping(plugins[0]).get("delegate"))
        reading.take(source, "hairpin", bool(delegate.get("hairpinMode")))
        reading.take(source, "host_ports", "portmap" in names)


def _calico(objects: Objects, reading: Reading) -> None:
    for key, obj in of_kind(objects, "Installation"):
        source = f"Installation {key[2]}"
        reading.take(source, "enforce_policies", True)
        pools = sequence(mapping(mapping(obj.get("spec")).get("calicoNetwork")).get("ipPools"))
        _pools(reading, source, [mapping(pool) for pool in pools])
    for key, obj in of_kind(objects, "IPPool"):
        spec = mapping(obj.get("spec"))
        given = (("IPIP", spec.get("ipipMode")), ("VXLAN", spec.get("vxlanMode")))
        kinds = [f"{name}{MODES[str(mode)]}" for name, mode in given if str(mode) in MODES]
        _pools(reading, f"IPPool {key[2]}", [{**spec, "encapsulation": (kinds or ["None"])[0]}])
    for key, obj in of_kind(objects, "DaemonSet"):
        if key[2] == "calico-node":
            _calico_node(reading, f"DaemonSet {key[1]}/{key[2]}", obj)


def _pools(reading: Reading, source: str, pools: list[dict[str, Any]]) -> None:
    """Calico's IP pools: addresses, encapsulation, NAT on the way out."""
    cidrs = [str(pool["cidr"]) for pool in pools if pool.get("cidr")]
    if cidrs:
        reading.take(source, "cluster_cidr", ",".join(cidrs))
    kinds = [str(pool["encapsulation"]) for pool in pools if pool.get("encapsulation")]
    if kinds:
        _encapsulation(reading, source, kinds[0])
    outgoing = [pool["natOutgoing"] for pool in pools if "natOutgoing" in pool]
    if outgoing:
        reading.take(source, "egress_nat", switched_on(outgoing[0]))


def _encapsulation(reading: Reading, source: str, kind: str) -> None:
    network = {"VXLAN": "vxlan", "IPIP": "ipip", "None": "host-gw"}.get(kind.removesuffix("CrossSubnet"))
    if network is None:
        reading.note(source, f"encapsulation {kind!r} is not known")
        return
    reading.take(source, "network", network)
    reading.take(source, "direct_routing", kind.endswith("CrossSubnet"))
    if network == "vxlan":
        reading.take(source, "vxlan_port", CALICO_PORT)


def _calico_node(reading: Reading, source: str, obj: dict[str, Any]) -> None:
    """The environment of Calico's manifest: CALICO_IPV4POOL_CIDR, _IPIP and _VXLAN."""
    pod = mapping(mapping(mapping(obj.get("spec")).get("template")).get("spec"))
    given = {
        str(entry.get("name")): str(entry.get("value"))
        for container in sequence(pod.get("containers"))
        for entry in sequence(mapping(container).get("env"))
        if isinstance(entry, dict) and entry.get("value") is not None
    }
    if "CALICO_IPV4POOL_CIDR" in given:
        reading.take(source, "cluster_cidr", given["CALICO_IPV4POOL_CIDR"])
    for name, kind in (("VXLAN", "VXLAN"), ("IPIP", "IPIP")):
        mode = given.get(f"CALICO_IPV4POOL_{name}")
        if mode in ("Always", "CrossSubnet"):
            _encapsulation(reading, source, kind + ("CrossSubnet" if mode == "CrossSubnet" else ""))


def _cilium(objects: Objects, reading: Reading) -> None:
    source, data = config_map(objects, "cilium-config", "kube-system", "cilium")
    if not data:
        return
    enforced = str(data.get("enable-policy")) != "never"
    reading.take(source, "enforce_policies", enforced)
    reading.take(source, "policies_cut_connections", enforced)  # it judges every packet of the side that opened
    legacy = str(data.get("tunnel") or "")
    native = data.get("routing-mode") == "native" or legacy == "disabled"
    protocol = str(data.get("tunnel-protocol") or legacy or "vxlan")
    reading.take(source, "network", "host-gw" if native else protocol)
    if not native and protocol == "vxlan":
        port = str(data.get("tunnel-port") or DEFAULT_PORT)
        reading.take(source, "vxlan_port", int(port) if port.isdecimal() and port != "0" else DEFAULT_PORT)
    cidrs = [str(data[name]) for name in ("cluster-pool-ipv4-cidr", "cluster-pool-ipv6-cidr") if data.get(name)]
    if cidrs and "," not in cidrs[0] and " " not in cidrs[0]:
        reading.take(source, "cluster_cidr", ",".join(cidrs))
    if "enable-ipv4-masquerade" in data:
        reading.take(source, "egress_nat", switched_on(data["enable-ipv4-masquerade"]))
    if switched_on(data.get("kube-proxy-replacement")) or data.get("kube-proxy-replacement") == "strict":
        reading.note(source, "Cilium replaces kube-proxy; Services are shown as kube-proxy would handle them")
    if switched_on(data.get("enable-wireguard")):
        reading.note(source, "Cilium encrypts with WireGuard inside its tunnel, which is not shown")
