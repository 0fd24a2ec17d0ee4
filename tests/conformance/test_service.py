"""kube-proxy's flow tests, both proxiers: inputs and outcomes of upstream, each row asked of `ask.service`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clusterviz.engine import Cluster, ask
from tests.conformance.objects import (
    BLOCKED,
    CLIENT,
    NODE,
    NODE_ALT,
    NODE_ALT6,
    NODE_IP,
    NODE_IP6,
    POD,
    SETTINGS,
    endpoint,
    node,
    service,
    slices,
)

LB, OTHER_LB, THIRD_LB, EXTERNAL = "1.2.3.4", "5.6.7.8", "9.10.11.12", "192.168.99.11"
MODES = ("iptables", "nftables")
KNOWN: dict[str, Cluster] = {}


def snapshot(objects: list[dict[str, Any]], settings: dict[str, Any]) -> Cluster:
    """The cluster of these very objects, built once: many rows ask of one."""
    key = json.dumps([objects, settings])
    if key not in KNOWN:
        KNOWN[key] = ask.world(objects, settings, node=NODE)
    return KNOWN[key]


def outcome(objects: list[dict[str, Any]], source: str, target: str, mode: str, **settings: Any) -> str:
    """``REJECT``, ``DROP``, ``""`` for a packet left alone, or the endpoints, with `` masq`` when rewritten."""
    address, _, rest = target.rpartition(":")
    port, _, protocol = rest.partition("/")
    answer = ask.service(
        snapshot(objects, {**SETTINGS, "proxy_mode": mode, **settings}),
        source=source,
        destination=address.strip("[]"),
        port=int(port),
        protocol=protocol or "TCP",
        node=NODE,
    )
    if answer.effect != "dnat":
        return {"reject": "REJECT", "drop": "DROP", "none": ""}[answer.effect]
    marks = {one.masquerade for one in answer.targets}
    assert len(marks) == 1, "every connection of these rows is treated alike"
    return " ".join(sorted(answer.endpoints)) + (" masq" if marks.pop() else "")


def rows(*found: tuple[str, str, str]) -> Any:
    return pytest.mark.parametrize(("source", "target", "expected"), found)


modes = pytest.mark.parametrize("mode", MODES)

GENERAL = [
    node(),
    service("ns1/svc1", "172.30.0.41", {"name": "http", "port": 80}),
    service(
        "ns2/svc2",
        "172.30.0.42",
        {"name": "http", "port": 80},
        {"name": "https", "port": 443, "targetPort": 8443},
        {"name": "dns-udp", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "targetPort": 5353},
        {"name": "dns-sctp", "port": 53, "protocol": "SCTP"},
    ),
    slices("ns1/svc1", endpoint("10.180.0.1", NODE), ports=(("http", 80, "TCP"),)),
    slices(
        "ns2/svc2",
        endpoint("10.180.0.1", NODE),
        endpoint("10.180.2.1", "node2"),
        ports=(
            ("http", 80, "TCP"),
            ("https", 8443, "TCP"),
            ("dns-udp", 53, "UDP"),
            ("dns-tcp", 5353, "TCP"),
            ("dns-sctp", 53, "SCTP"),
        ),
    ),
]


@modes
@rows(
    ("10.180.0.2", "172.30.0.41:80", "10.180.0.1:80"),
    ("10.180.0.1", "172.30.0.41:80", "10.180.0.1:80 masq"),
    ("10.180.0.2", "172.30.0.42:80", "10.180.0.1:80 10.180.2.1:80"),
    ("10.180.0.2", "172.30.0.42:443", "10.180.0.1:8443 10.180.2.1:8443"),
    ("10.180.0.2", "172.30.0.42:53/TCP", "10.180.0.1:5353 10.180.2.1:5353"),
    ("10.180.0.2", "172.30.0.42:53/UDP", "10.180.0.1:53 10.180.2.1:53"),
    ("10.180.0.2", "172.30.0.42:53/SCTP", "10.180.0.1:53 10.180.2.1:53"),
    ("10.180.0.2", "172.30.0.42:80/UDP", ""),
    ("10.180.0.2", "172.30.0.41:443", ""),
    ("10.180.0.2", "172.30.0.50:80", ""),
)
def test_cluster_ip_general(source, target, expected, mode):
    """PX-03, PX-06, PX-11, SVC-11: iptables leaves alone what nftables refuses, or drops where nobody is."""
    if not expected and mode == "nftables":
        expected = "DROP" if target.startswith("172.30.0.50") else "REJECT"
    assert outcome(GENERAL, source, target, mode) == expected


EMPTY = [
    node(),
    service(
        "ns1/svc1",
        "172.30.0.41",
        {"name": "p80", "port": 80, "nodePort": 3001},
        type="LoadBalancer",
        externalIPs=[EXTERNAL],
        balancer=(LB,),
    ),
]
PORTALS = ("172.30.0.41:80", f"{EXTERNAL}:80", f"{LB}:80", f"{NODE_IP}:3001")


@modes
@pytest.mark.parametrize("source", [POD, CLIENT])
@pytest.mark.parametrize("target", PORTALS)
def test_no_endpoints_reject(source, target, mode):
    """PX-07, EPS-07."""
    assert outcome(EMPTY, source, target, mode) == "REJECT"


RANGES = [
    node(),
    service(
        "ns1/svc1",
        "172.30.0.41",
        {"name": "p80", "port": 80, "nodePort": 3001},
        type="LoadBalancer",
        loadBalancerSourceRanges=["192.168.0.0/24", " 203.0.113.0/25"],
        balancer=(LB, OTHER_LB),
    ),
    slices("ns1/svc1", endpoint("10.180.0.1")),
]


@modes
@rows(
    (POD, "172.30.0.41:80", "10.180.0.1:80"),
    (CLIENT, f"{NODE_IP}:3001", "10.180.0.1:80 masq"),
    (BLOCKED, f"{NODE_IP}:3001", "10.180.0.1:80 masq"),
    *((CLIENT, f"{lb}:80", "10.180.0.1:80 masq") for lb in (LB, OTHER_LB)),
    *((BLOCKED, f"{lb}:80", "DROP") for lb in (LB, OTHER_LB)),
    *((POD, f"{lb}:80", "DROP") for lb in (LB, OTHER_LB)),
    *((NODE_IP, f"{lb}:80", "10.180.0.1:80 masq") for lb in (LB, OTHER_LB)),
    *((lb, f"{lb}:80", "10.180.0.1:80 masq") for lb in (LB, OTHER_LB)),
)
def test_load_balancer_source_ranges(source, target, expected, mode):
    """SVC-17, PX-20."""
    assert outcome(RANGES, source, target, mode) == expected


V4 = ("172.30.0.41", "10.180.0.1", "10.180.2.1", POD, CLIENT, NODE_IP, NODE_ALT)
V6 = ("fd00:172:30::41", "fd00:10:180::1", "fd00:10:180::2:1", "fd00:10::2", "2600:5200::1", NODE_IP6, NODE_ALT6)
# Who answers on the second address: upstream's tables of the two proxiers, by --nodeport-addresses.
NODEPORTS = [
    ("iptables", V4, (), True),
    ("iptables", V4, ("192.168.0.0/24", "2001:db8::/64"), False),
    ("iptables", V6, (), True),
    ("iptables", V6, ("192.168.0.0/24", "2001:db8::/64"), False),
    ("nftables", V4, (), False),
    ("nftables", V4, ("192.168.0.0/24", "192.168.1.0/24", "2001:db8::/64"), True),
    ("nftables", V6, (), False),
    ("nftables", V6, ("192.168.0.0/24", "192.168.1.0/24", "2001:db8::/64", "2001:db8:1::2/128"), True),
]


@pytest.mark.parametrize(("mode", "family", "cidrs", "second"), NODEPORTS)
@pytest.mark.parametrize("way", ["pod", "outside", "node", "second address", "loopback"])
def test_node_ports(mode, family, cidrs, second, way):
    """PX-12, PX-13: both families, with and without --nodeport-addresses."""
    vip, one, two, pod, client, primary, other = family
    six = ":" in vip
    objects = [
        node(NODE, primary, other),
        service("ns1/svc1", vip, {"name": "p80", "port": 80, "nodePort": 3001}, type="NodePort"),
        slices("ns1/svc1", endpoint(one), endpoint(two, NODE)),
    ]
    both = " ".join(sorted(f"[{ip}]:80" if six else f"{ip}:80" for ip in (one, two)))
    loopback = "::1" if six else "127.0.0.1"
    source, target, expected = {
        "pod": (pod, f"[{vip}]:80", both),
        "outside": (client, f"[{primary}]:3001", f"{both} masq"),
        "node": (primary, f"[{primary}]:3001", f"{both} masq"),
        "second address": (client, f"[{other}]:3001", f"{both} masq" if second else ""),
        "loopback": (
            loopback,
            f"[{loopback}]:3001",
            f"{both} masq" if mode == "iptables" and not six and not cidrs else "",
        ),
    }[way]
    networks = {"cluster_cidr": "fd00:10::/16" if six else "10.0.0.0/8"}
    if six:
        networks["service_cidr"] = "fd00:172:30::/112"
    assert outcome(objects, source, target, mode, nodeport_addresses=cidrs, **networks) == expected


def balanced(policy: str) -> list[dict[str, Any]]:
    spec: dict[str, Any] = {
        "externalTrafficPolicy": policy,
        "externalIPs": [EXTERNAL],
        "type": "LoadBalancer",
        "balancer": (LB,),
    }
    return [
        node(),
        service("ns1/svc1", "172.30.0.41", {"name": "p80", "port": 80, "nodePort": 3001}, **spec),
        slices("ns1/svc1", endpoint("10.180.0.1"), endpoint("10.180.2.1", NODE)),
    ]


BOTH, HERE = "10.180.0.1:80 10.180.2.1:80", "10.180.2.1:80"


@modes
@pytest.mark.parametrize("policy", ["Local", "Cluster"])
@pytest.mark.parametrize("source", [POD, CLIENT])
@pytest.mark.parametrize("target", PORTALS)
def test_external_traffic_policy(source, target, policy, mode):
    """PX-04, PX-05, SRC-4, SRC-5: an endpoint without a node is never local."""
    if target.startswith("172."):
        expected = BOTH if source == POD else f"{BOTH} masq"
    elif policy == "Cluster":
        expected = f"{BOTH} masq"
    else:
        expected = BOTH if source == POD else HERE
    assert outcome(balanced(policy), source, target, mode) == expected


@modes
@pytest.mark.parametrize(
    ("policy", "places", "expected"),
    [
        ("Cluster", (NODE, "node1", "node2"), "10.0.1.1:80 10.0.1.2:80 10.0.1.3:80"),
        (None, (NODE, "node1", "node2"), "10.0.1.1:80 10.0.1.2:80 10.0.1.3:80"),
        ("Local", (NODE, "node1", "node2"), "10.0.1.1:80"),
        ("Local", (NODE, NODE, "node2"), "10.0.1.1:80 10.0.1.2:80"),
        ("Local", ("node0", "node1", "node2"), "DROP"),
        ("Local", (), "REJECT"),
        ("Cluster", (), "REJECT"),
    ],
)
def test_internal_traffic_policy(policy, places, expected, mode):
    """PX-03, PX-07."""
    found = [endpoint(f"10.0.1.{index + 1}", at, "rs") for index, at in enumerate(places)]
    spec = {"internalTrafficPolicy": policy, "selector": {"foo": "bar"}}
    objects = [node(), service("ns1/svc1", "172.30.1.1", {"port": 80}, **spec)]
    objects.append(slices("ns1/svc1", *found, ports=(("", 80, "TCP"),)))
    assert outcome(objects, POD, "172.30.1.1:80", mode) == expected


HERE_NOW = (("1", NODE, "rs"), ("2", NODE, "rs"))
GONE = ("4", NODE, "t")
THREE, TWO, LATE = "10.0.1.1:80 10.0.1.2:80 10.0.1.5:80", "10.0.1.1:80 10.0.1.2:80", "10.0.1.2:80 10.0.1.3:80"
TERMINATING = [
    ("Local", (*HERE_NOW, ("3", NODE, "st"), GONE, ("5", "node-1", "rs")), THREE, TWO),
    ("Local", (("2", NODE, "st"), ("3", NODE, "st"), GONE, ("5", "node-1", "rs")), "10.0.1.5:80", LATE),
    ("Local", (("5", "node-1", "st"),), "10.0.1.5:80", "DROP"),
    ("Local", (("5", NODE, "t"), ("5", "node-1", "t")), "REJECT", "REJECT"),
    ("Local", (), "REJECT", "REJECT"),
    ("Cluster", (*HERE_NOW, ("3", "other", "st"), ("4", "other", "t"), ("5", "other", "rs")), THREE, THREE),
    (
        "Cluster",
        (("2", NODE, "st"), ("3", NODE, "st"), ("4", "other", "t"), ("5", "other", "st")),
        f"{LATE} 10.0.1.5:80",
        f"{LATE} 10.0.1.5:80",
    ),
    ("Cluster", (("5", "node-1", "st"),), "10.0.1.5:80", "10.0.1.5:80"),
    ("Cluster", (("5", NODE, "t"), ("5", "node-1", "t")), "REJECT", "REJECT"),
    ("Cluster", (), "REJECT", "REJECT"),
]


@modes
@pytest.mark.parametrize("way", ["inside", "outside"])
@pytest.mark.parametrize(("policy", "found", "inside", "outside"), TERMINATING)
def test_terminating_endpoints(policy, found, inside, outside, way, mode):
    """EPS-05, EPS-06, EPS-07, PX-07."""
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": policy, "healthCheckNodePort": 30000, "balancer": (LB,)}
    objects = [node(), service("ns1/svc1", "172.30.1.1", {"port": 80, "targetPort": 80}, **spec)]
    built = [endpoint(f"10.0.1.{last}", at, state) for last, at, state in found]
    objects.append(slices("ns1/svc1", *built, ports=(("", 80, "TCP"),)))
    if way == "inside":
        assert outcome(objects, POD, "172.30.1.1:80", mode) == inside
    else:
        masked = " masq" if policy == "Cluster" and outside[0].isdigit() else ""
        assert outcome(objects, CLIENT, f"{LB}:80", mode) == outside + masked


MATRIX = [
    node(),
    *(
        service(
            f"ns{index}/svc{index}",
            f"172.30.0.4{index}",
            {"name": "p80", "port": 80, "nodePort": 3000 + index},
            type="LoadBalancer",
            healthCheckNodePort=30000 + index,
            balancer=(balancer,),
            **policy,
        )
        for index, balancer, policy in (
            (1, LB, {}),
            (2, OTHER_LB, {"externalTrafficPolicy": "Local"}),
            (3, THIRD_LB, {"internalTrafficPolicy": "Local"}),
        )
    ),
    *(
        slices(f"ns{index}/svc{index}", endpoint(f"10.180.0.{index}", NODE), endpoint(f"10.180.1.{index}", "remote"))
        for index in (1, 2, 3)
    ),
]


def matrix(source: str, via: str, index: int, *, detector: bool, every: bool) -> str:
    """What upstream's table of 27 flows and its overrides say, as the rule behind them."""
    here, all_of_them = f"10.180.0.{index}:80", f"10.180.0.{index}:80 10.180.1.{index}:80"
    pod = detector and source == "pod"
    if via == "ClusterIP":
        masked = every or (detector and source != "pod")
        return (here if index == 3 else all_of_them) + (" masq" if masked else "")
    if index != 2 or source == "node":
        return f"{all_of_them} masq"
    return all_of_them if pod else here


@modes
@pytest.mark.parametrize("every", [False, True], ids=["", "masquerade-all"])
@pytest.mark.parametrize("detector", [True, False], ids=["", "no-detector"])
@pytest.mark.parametrize("index", [1, 2, 3], ids=["", "eTP", "iTP"])
@pytest.mark.parametrize("via", ["ClusterIP", "NodePort", "LB"])
@pytest.mark.parametrize("source", ["pod", "node", "outside"])
def test_internal_external_masquerade(source, via, index, detector, every, mode):
    """PX-03, PX-04, PX-05, PX-08: upstream's 108 flows in each mode."""
    sender = {"pod": POD, "node": NODE_IP, "outside": CLIENT}[source]
    target = {
        "ClusterIP": f"172.30.0.4{index}:80",
        "NodePort": f"{NODE_IP}:{3000 + index}",
        "LB": f"{(LB, OTHER_LB, THIRD_LB)[index - 1]}:80",
    }[via]
    got = outcome(MATRIX, sender, target, mode, detect_local=detector, masquerade_all=every)
    assert got == matrix(source, via, index, detector=detector, every=every)


@modes
@pytest.mark.parametrize(("how", "taken"), [("Proxy", False), ("VIP", True), (None, True)])
def test_ip_mode(how, taken, mode):
    """SVC-07."""
    entry = {"ip": LB, **({"ipMode": how} if how else {})}
    objects = [
        node(),
        service(
            "ns1/svc1",
            "10.20.30.41",
            {"name": "p80", "port": 80, "nodePort": 3001},
            type="LoadBalancer",
            balancer=(entry,),
        ),
        slices("ns1/svc1", endpoint("10.180.0.1")),
    ]
    assert outcome(objects, CLIENT, f"{LB}:80", mode) == ("10.180.0.1:80 masq" if taken else "")
