"""Rule text and chain names, against upstream's dump of a node with six Services and against its hash vectors."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex

import pytest

from clusterviz.engine import ask
from tests.conformance.objects import NODE, NODE_IP, NODE_IP6, SETTINGS, endpoint, node, service, slices

P80 = {"name": "p80", "port": 80}
WORLD = [
    node(NODE, NODE_IP),
    service("ns1/svc1", "172.30.0.41", P80),
    service(
        "ns2/svc2",
        "172.30.0.42",
        {**P80, "nodePort": 3001},
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        externalIPs=["192.168.99.22"],
        healthCheckNodePort=30000,
        balancer=("1.2.3.4",),
    ),
    service("ns3/svc3", "172.30.0.43", {**P80, "nodePort": 3003}, type="NodePort"),
    # A NodePort Service that was given no number, as upstream's test has it: none is invented.
    service("ns4/svc4", "172.30.0.44", P80, type="NodePort", externalIPs=["192.168.99.33"]),
    service(
        "ns5/svc5",
        "172.30.0.45",
        {**P80, "nodePort": 3002},
        type="LoadBalancer",
        loadBalancerSourceRanges=[" 203.0.113.0/25"],
        sessionAffinity="ClientIP",
        balancer=("5.6.7.8",),
    ),
    service("ns6/svc6", "172.30.0.46", P80),
    slices("ns1/svc1", endpoint("10.180.0.1")),
    slices("ns2/svc2", endpoint("10.180.0.2")),
    slices("ns3/svc3", endpoint("10.180.0.3")),
    slices("ns4/svc4", endpoint("10.180.0.4"), endpoint("10.180.0.5", NODE)),
    slices("ns5/svc5", endpoint("10.180.0.3")),
]
IPTABLES = ask.rules(WORLD, node=NODE, mode="iptables", settings=SETTINGS)
NFTABLES = ask.rules(WORLD, node=NODE, mode="nftables", settings=SETTINGS)
# Upstream's constants: the Service port, an endpoint or none, and the 16 characters.
VECTORS = [
    ("ns1/svc1:p80", "", "XPGD46QRK7WJZT7O"),
    ("ns2/svc2:p80", "", "GNZBNJ2PO5MGZ6GT"),
    ("ns3/svc3:p80", "", "X27LE4BHSL4DOUIK"),
    ("ns4/svc4:p80", "", "4SW47YFZTEDKD3PK"),
    ("ns5/svc5:p80", "", "NUKIZ6OKUXPJNT4C"),
    ("ns1/svc1", "", "AQI2S6QIMU7PVVRP"),
    ("ns1/svc1:p80", "10.180.0.1:80", "SXIVWICOYRO3J4NJ"),
    ("ns2/svc2:p80", "10.180.0.2:80", "RS4RBKLTHTF2IUXJ"),
    ("ns3/svc3:p80", "10.180.0.3:80", "OYPFS5VJICHGATKP"),
    ("ns4/svc4:p80", "10.180.0.4:80", "UKSFD7AGPMPPLUHC"),
    ("ns4/svc4:p80", "10.180.0.5:80", "C6EBXVWJJZMIWKLZ"),
    ("ns5/svc5:p80", "10.180.0.3:80", "I77PXRDZVX7PMWMN"),
    ("ns1/svc1", "10.0.1.1:80", "3JOIVZTXZZRGORX4"),
    ("ns1/svc1", "10.0.1.2:80", "IO5XOSKPAXIFQXAJ"),
    ("ns1/svc1", "10.0.1.3:80", "XGJFVO3L2O5SRFNT"),
]


@pytest.mark.parametrize(("port", "target", "expected"), VECTORS)
def test_chain_hashes(port, target, expected):
    """IPT-14: one Service alone, in iptables mode."""
    name, _, label = port.partition(":")
    address = (target or "10.9.9.9:80").rpartition(":")[0]
    objects = [
        node(NODE, NODE_IP),
        service(name, "172.30.1.1", {"name": label, "port": 80} if label else {"port": 80}),
        slices(name, endpoint(address), ports=((label, 80, "TCP"),)),
    ]
    text = ask.rules(objects, node=NODE, service=name, settings=SETTINGS)
    assert f":KUBE-{'SEP' if target else 'SVC'}-{expected} " in text


PROTOCOLS = ["TCP", "UDP", "SCTP"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(("vip", "ip"), [("172.30.0.9", "10.1.2.3"), ("fd00:172:30::9", "fd00:10::3")])
def test_names_are_the_hash_of_what_they_stand_for(protocol, mode, vip, ip):
    """IPT-14, NFT-03: computed here a second time, both families and every protocol."""
    objects = [
        node(NODE, NODE_IP, NODE_IP6),
        service("shop/web", vip, {"name": "a", "port": 80, "protocol": protocol}),
        slices("shop/web", endpoint(ip), ports=(("a", 8080, protocol),)),
    ]
    six = ":" in vip
    text = ask.rules(objects, node=NODE, mode=mode, family=6 if six else 4)
    proto = protocol.lower()
    if mode == "iptables":
        shown = f"[{ip}]:8080" if six else f"{ip}:8080"
        whole = hashed("shop/web:a" + proto)
        assert f"KUBE-SVC-{whole[:16]}" in text and f"KUBE-SEP-{hashed('shop/web:a' + proto + shown)[:16]}" in text
    else:
        label = f"shop/web/{proto}/a"
        far = f"{label}__{ip.replace(':', '.')}/8080"
        assert f"chain service-{hashed(label)[:8]}-{label} {{" in text
        assert f"chain endpoint-{hashed(far)[:8]}-{far} {{" in text


def hashed(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()


def rule(line: str) -> tuple[str, frozenset[tuple[str, ...]]]:
    """A rule as its chain and the set of its options, which iptables-save prints in an order of its own."""
    words = [word.removesuffix("/32") for word in shlex.split(line)]
    options: list[tuple[str, ...]] = []
    for word in words[2:]:
        if word == "!" or (word.startswith("-") and not (options and options[-1] == ("!",))):
            options.append((word,))
        else:
            options[-1] = (*options[-1], word)
    return words[1], frozenset(one for one in options if one != ("-m", "tcp"))


EXPECTED = r"""
-A KUBE-NODEPORTS -m comment --comment "ns2/svc2:p80 health check node port" -p tcp --dport 30000 -j ACCEPT
-A KUBE-SERVICES -m comment --comment "ns6/svc6:p80 has no endpoints" -p tcp -d 172.30.0.46 --dport 80 -j REJECT
-A KUBE-EXTERNAL-SERVICES -m comment --comment "ns2/svc2:p80 has no local endpoints" -p tcp -d 192.168.99.22 --dport 80 -j DROP
-A KUBE-EXTERNAL-SERVICES -m comment --comment "ns2/svc2:p80 has no local endpoints" -p tcp -d 1.2.3.4 --dport 80 -j DROP
-A KUBE-PROXY-FIREWALL -m comment --comment "ns5/svc5:p80 traffic not accepted by KUBE-FW-NUKIZ6OKUXPJNT4C" -p tcp -d 5.6.7.8 --dport 80 -j DROP
-A KUBE-NODEPORTS -m comment --comment ns2/svc2:p80 -p tcp --dport 3001 -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-NODEPORTS -m comment --comment ns3/svc3:p80 -p tcp --dport 3003 -j KUBE-EXT-X27LE4BHSL4DOUIK
-A KUBE-NODEPORTS -m comment --comment ns5/svc5:p80 -p tcp --dport 3002 -j KUBE-EXT-NUKIZ6OKUXPJNT4C
-A KUBE-SERVICES -m comment --comment "ns1/svc1:p80 cluster IP" -p tcp -d 172.30.0.41 --dport 80 -j KUBE-SVC-XPGD46QRK7WJZT7O
-A KUBE-SERVICES -m comment --comment "ns2/svc2:p80 cluster IP" -p tcp -d 172.30.0.42 --dport 80 -j KUBE-SVC-GNZBNJ2PO5MGZ6GT
-A KUBE-SERVICES -m comment --comment "ns2/svc2:p80 external IP" -p tcp -d 192.168.99.22 --dport 80 -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-SERVICES -m comment --comment "ns2/svc2:p80 loadbalancer IP" -p tcp -d 1.2.3.4 --dport 80 -j KUBE-EXT-GNZBNJ2PO5MGZ6GT
-A KUBE-SERVICES -m comment --comment "ns3/svc3:p80 cluster IP" -p tcp -d 172.30.0.43 --dport 80 -j KUBE-SVC-X27LE4BHSL4DOUIK
-A KUBE-SERVICES -m comment --comment "ns4/svc4:p80 cluster IP" -p tcp -d 172.30.0.44 --dport 80 -j KUBE-SVC-4SW47YFZTEDKD3PK
-A KUBE-SERVICES -m comment --comment "ns4/svc4:p80 external IP" -p tcp -d 192.168.99.33 --dport 80 -j KUBE-EXT-4SW47YFZTEDKD3PK
-A KUBE-SERVICES -m comment --comment "ns5/svc5:p80 cluster IP" -p tcp -d 172.30.0.45 --dport 80 -j KUBE-SVC-NUKIZ6OKUXPJNT4C
-A KUBE-SERVICES -m comment --comment "ns5/svc5:p80 loadbalancer IP" -p tcp -d 5.6.7.8 --dport 80 -j KUBE-FW-NUKIZ6OKUXPJNT4C
-A KUBE-EXT-4SW47YFZTEDKD3PK -m comment --comment "masquerade traffic for ns4/svc4:p80 external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-4SW47YFZTEDKD3PK -j KUBE-SVC-4SW47YFZTEDKD3PK
-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment "pod traffic for ns2/svc2:p80 external destinations" -s 10.0.0.0/8 -j KUBE-SVC-GNZBNJ2PO5MGZ6GT
-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment "masquerade LOCAL traffic for ns2/svc2:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment "route LOCAL traffic for ns2/svc2:p80 external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-GNZBNJ2PO5MGZ6GT
-A KUBE-FW-NUKIZ6OKUXPJNT4C -m comment --comment "ns5/svc5:p80 loadbalancer IP" -s 203.0.113.0/25 -j KUBE-EXT-NUKIZ6OKUXPJNT4C
-A KUBE-FW-NUKIZ6OKUXPJNT4C -m comment --comment "other traffic to ns5/svc5:p80 will be dropped by KUBE-PROXY-FIREWALL"
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -s 10.180.0.1 -j KUBE-MARK-MASQ
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -p tcp -j DNAT --to-destination 10.180.0.1:80
-A KUBE-SEP-C6EBXVWJJZMIWKLZ -m comment --comment ns4/svc4:p80 -p tcp -j DNAT --to-destination 10.180.0.5:80
-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment "ns4/svc4:p80 cluster IP" -p tcp -d 172.30.0.44 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ
-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment "ns4/svc4:p80 -> 10.180.0.4:80" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-UKSFD7AGPMPPLUHC
-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment "ns4/svc4:p80 -> 10.180.0.5:80" -j KUBE-SEP-C6EBXVWJJZMIWKLZ
-A KUBE-SVC-GNZBNJ2PO5MGZ6GT -m comment --comment "ns2/svc2:p80 -> 10.180.0.2:80" -j KUBE-SEP-RS4RBKLTHTF2IUXJ
-A KUBE-SVC-NUKIZ6OKUXPJNT4C -m comment --comment "ns5/svc5:p80 -> 10.180.0.3:80" -j KUBE-SEP-I77PXRDZVX7PMWMN
""".strip().splitlines()  # noqa: E501 - one rule, one line
GOT = {
    rule(line.replace(" --reject-with icmp-port-unreachable", "")) for line in IPTABLES.splitlines() if line[:2] == "-A"
}


@pytest.mark.parametrize("line", EXPECTED, ids=range(len(EXPECTED)))
def test_iptables_lines(line):
    """IPT-02 to IPT-11."""
    assert rule(line) in GOT


def test_iptables_chains():
    """IPT-14: no chain of a Service too many, none too few."""
    owned = set(re.findall(r"^:KUBE-(?:SVC|SVL|EXT|FW|SEP)-\w{16}", IPTABLES, re.MULTILINE))
    named = {
        word.removesuffix("'") for line in EXPECTED for word in re.findall(r"KUBE-(?:SVC|SVL|EXT|FW|SEP)-\w{16}", line)
    }
    upstream = {f":{name}" for name in named} | {
        ":KUBE-EXT-X27LE4BHSL4DOUIK",
        ":KUBE-SEP-OYPFS5VJICHGATKP",
    }
    assert owned == upstream


ELEMENTS = [
    ("service-ips", "172.30.0.41 . tcp . 80 : goto service-ULMVA6XW-ns1/svc1/tcp/p80"),
    ("service-ips", "172.30.0.42 . tcp . 80 : goto service-42NFTM6N-ns2/svc2/tcp/p80"),
    ("service-ips", "192.168.99.22 . tcp . 80 : goto external-42NFTM6N-ns2/svc2/tcp/p80"),
    ("service-ips", "1.2.3.4 . tcp . 80 : goto external-42NFTM6N-ns2/svc2/tcp/p80"),
    ("service-ips", "172.30.0.43 . tcp . 80 : goto service-4AT6LBPK-ns3/svc3/tcp/p80"),
    ("service-ips", "172.30.0.44 . tcp . 80 : goto service-LAUZTJTB-ns4/svc4/tcp/p80"),
    ("service-ips", "192.168.99.33 . tcp . 80 : goto external-LAUZTJTB-ns4/svc4/tcp/p80"),
    ("service-ips", "172.30.0.45 . tcp . 80 : goto service-HVFWP5L3-ns5/svc5/tcp/p80"),
    ("service-ips", "5.6.7.8 . tcp . 80 : goto external-HVFWP5L3-ns5/svc5/tcp/p80"),
    ("service-nodeports", "tcp . 3001 : goto external-42NFTM6N-ns2/svc2/tcp/p80"),
    ("service-nodeports", "tcp . 3003 : goto external-4AT6LBPK-ns3/svc3/tcp/p80"),
    ("service-nodeports", "tcp . 3002 : goto external-HVFWP5L3-ns5/svc5/tcp/p80"),
    ("firewall-ips", "5.6.7.8 . tcp . 80 : goto firewall-HVFWP5L3-ns5/svc5/tcp/p80"),
    ("no-endpoint-nodeports", 'tcp . 3001 comment "ns2/svc2:p80" : drop'),
    ("no-endpoint-services", '1.2.3.4 . tcp . 80 comment "ns2/svc2:p80" : drop'),
    ("no-endpoint-services", '192.168.99.22 . tcp . 80 comment "ns2/svc2:p80" : drop'),
    ("no-endpoint-services", '172.30.0.46 . tcp . 80 comment "ns6/svc6:p80" : goto reject-chain'),
    *(("cluster-ips", f"172.30.0.4{last}") for last in range(1, 7)),
    ("nodeport-ips", "192.168.0.2"),
]


def elements(name: str) -> set[str]:
    block = NFTABLES.partition(f" {name} {{")[2].partition("\n\t}")[0]
    inside = block.partition("elements = {")[2].rpartition("}")[0]
    return {" ".join(one.split()) for one in inside.split(",")}


@pytest.mark.parametrize(("name", "element"), ELEMENTS)
def test_nftables_elements(name, element):
    """NFT-01, NFT-03: each is there, and as many as upstream has."""
    found = elements(name)
    assert element in found
    assert len(found) == sum(one == name for one, _ in ELEMENTS)


FIVE = "GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80"
CHAINS = [
    ("endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80", "ip saddr 10.180.0.1 jump mark-for-masquerade"),
    ("endpoint-SGOXE6O3-ns2/svc2/tcp/p80__10.180.0.2/80", "meta l4proto tcp dnat to 10.180.0.2:80"),
    ("endpoint-UEIP74TE-ns3/svc3/tcp/p80__10.180.0.3/80", "meta l4proto tcp dnat to 10.180.0.3:80"),
    ("endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80", "meta l4proto tcp dnat to 10.180.0.4:80"),
    ("endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80", "meta l4proto tcp dnat to 10.180.0.5:80"),
    (
        f"endpoint-{FIVE}",
        f"update @affinity-{FIVE} {{ ip saddr }}",
    ),
    ("service-ULMVA6XW-ns1/svc1/tcp/p80", "ip daddr 172.30.0.41 ip saddr != 10.0.0.0/8 jump mark-for-masquerade"),
    (
        "service-HVFWP5L3-ns5/svc5/tcp/p80",
        f"ip saddr @affinity-{FIVE} goto endpoint-{FIVE}",
    ),
    (
        "external-42NFTM6N-ns2/svc2/tcp/p80",
        'ip saddr 10.0.0.0/8 goto service-42NFTM6N-ns2/svc2/tcp/p80 comment "short-circuit pod traffic"',
    ),
    ("external-LAUZTJTB-ns4/svc4/tcp/p80", "goto service-LAUZTJTB-ns4/svc4/tcp/p80"),
    ("firewall-HVFWP5L3-ns5/svc5/tcp/p80", "ip saddr != 203.0.113.0/25 drop"),
]


@pytest.mark.parametrize(("chain", "line"), CHAINS)
def test_nftables_chains(chain, line):
    """NFT-03 to NFT-06."""
    body = NFTABLES.partition(f"chain {chain} {{")[2].partition("\n\t}")[0]
    assert line in [one.strip() for one in body.splitlines()]


PROBABILITIES = [
    (1, []),
    (2, ["0.5000000000"]),
    (3, ["0.3333333333", "0.5000000000"]),
    (4, ["0.2500000000", "0.3333333333", "0.5000000000"]),
]


@pytest.mark.parametrize(("count", "expected"), PROBABILITIES)
def test_probabilities(count, expected):
    """IPT-07."""
    found = [endpoint(f"10.0.1.{index}") for index in range(1, count + 1)]
    objects = [node(), service("ns1/svc1", "172.20.1.1"), slices("ns1/svc1", *found)]
    assert re.findall(r"--probability (\S+)", ask.rules(objects, node=NODE)) == expected
