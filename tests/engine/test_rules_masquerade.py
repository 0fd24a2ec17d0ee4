"""Rules PX-03..05 and PX-08: the traffic policies and the masquerade, with an endpoint here and one elsewhere."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from clusterviz.engine.proxyrules import iptables, nftables
from tests.engine.proxyworld import ask, balanced, entry, slice_of, world

ALL, HERE = {"1", "2"}, {"1"}
POLICIES = list(product(("Cluster", "Local"), repeat=2))
FAMILIES: dict[int, dict[str, str]] = {
    4: {"pod": "10.5.0.9", "node": "192.168.0.2", "outside": "203.0.113.7", "vip": "172.30.0.41", "lb": "1.2.3.4"},
    6: {"pod": "fd00:10::9", "node": "fd00::2", "outside": "2001:db8::7", "vip": "fd00:96::41", "lb": "fd00:51::1"},
}
DETECTORS: dict[str, dict[str, Any]] = {
    "cluster-cidr": {},
    "none": {"detect_local": False},
    "masquerade-all": {"masquerade_all": True},
}
# mode, interface -> whether a pod of this node is known, whether one of another node is
KINDS_OF_DETECTORS = [
    ("ClusterCIDR", "cni0", True, True),
    ("NodeCIDR", "cni0", True, False),
    ("BridgeInterface", "cni0", True, False),
    ("BridgeInterface", "cni", False, False),
    ("BridgeInterface", "eth0", False, True),
    ("InterfaceNamePrefix", "cni", True, False),
    ("InterfaceNamePrefix", "veth", False, False),
]


def expected(who: str, entry_: str, internal: str, external: str, detector: str) -> tuple[set[str], bool]:
    """The endpoints that may be drawn, and whether the source is hidden, as the rules say it."""
    if entry_ == "vip":
        hidden = detector == "masquerade-all" or (detector != "none" and who != "pod")
        return (HERE if internal == "Local" else ALL), hidden
    if external == "Cluster":
        return ALL, True
    if who == "pod" and detector != "none":
        return ALL, False
    return (ALL, True) if who == "node" else (HERE, False)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("detector", DETECTORS)
def test_policies_and_masquerade(detector: str, version: int, mode: Any) -> None:
    """PX-03, PX-04, PX-05, PX-08, EPS-05, EPS-06: all flows of a cluster of both families, by either proxy."""
    known = FAMILIES[version]
    places = {"vip": (known["vip"], 80), "lb": (known["lb"], 80), "nodeport": (known["node"], 30080)}
    halves = [
        slice_of(entry("10.180.0.1", "a"), entry("10.180.0.2", "b")),
        slice_of(entry("fd00:180::1", "a"), entry("fd00:180::2", "b"), name="six", kind="IPv6"),
    ]
    for internal, external in POLICIES:
        made = balanced("1.2.3.4", "fd00:51::1", clusterIPs=["172.30.0.41", "fd00:96::41"])
        made["spec"] |= {"internalTrafficPolicy": internal, "externalTrafficPolicy": external}
        cluster = world(made, *halves, proxy_mode=mode, **DETECTORS[detector])
        for who, (where, (ip, port)) in product(("pod", "node", "outside"), places.items()):
            found = ask(cluster, ip, port, source=known[who], from_node=who == "node")
            assert found is not None and found.verdict == "accept"
            drawn = {
                one.address.rpartition(":" if version == 6 else ".")[2] for one in found.candidates if one.probability
            }
            assert (drawn, bool(found.masquerade)) == expected(who, where, internal, external, detector)


@pytest.mark.parametrize("proxy", ["iptables", "nftables"])
@pytest.mark.parametrize(("mode", "interface", "own", "far"), KINDS_OF_DETECTORS)
def test_a_detector_by_node_cidr_or_interface_knows_its_own_pods(
    mode: Any, interface: str, own: bool, far: bool, proxy: Any
) -> None:
    """PX-08: NodeCIDR, BridgeInterface and InterfaceNamePrefix take another node's pod for a stranger.

    Netfilter sees the bridge, not the veth behind it.
    """
    made = balanced("1.2.3.4") | {"metadata": {"name": "svc1", "namespace": "ns1"}}
    made["spec"]["externalTrafficPolicy"] = "Local"
    pods = {"a": "10.0.0.9", "b": "10.0.1.9"}
    cluster = world(
        made,
        slice_of(entry("10.0.0.7", "a"), entry("10.0.1.7", "b")),
        proxy_mode=proxy,
        detect_local_mode=mode,
        detect_local_interface=interface,
    )
    assert [cluster.nodes[name].pod_cidrs[0] for name in pods] == ["10.0.0.0/24", "10.0.1.0/24"]
    for home, known in (("a", own), ("b", far)):
        vip = ask(cluster, "172.30.0.41", source=pods[home], on="a")
        near = ask(cluster, "1.2.3.4", source=pods[home], on="a")
        assert vip is not None and bool(vip.masquerade) is not known
        assert near is not None
        assert sum(bool(one.probability) for one in near.candidates) == (2 if known else 1)
    mine = ask(cluster, "172.30.0.41", source="192.168.0.2", from_node=True)
    assert mine is not None and mine.masquerade
    text = (iptables if proxy == "iptables" else nftables)(cluster, cluster.nodes["a"])
    told = {
        "ClusterCIDR": ("! -s 10.0.0.0/8", "ip saddr != 10.0.0.0/8"),
        "NodeCIDR": ("! -s 10.0.0.0/24", "ip saddr != 10.0.0.0/24"),
        "BridgeInterface": (f"! -i {interface} ", f'iifname != "{interface}"'),
        "InterfaceNamePrefix": (f"! -i {interface}+", f'iifname != "{interface}*"'),
    }[mode]
    assert told[proxy == "nftables"] in text
