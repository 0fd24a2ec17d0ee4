"""Each chain's content, rule by rule, as kube-proxy writes it (IPT)."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine.proxyrules import NoRuleTextError
from clusterviz.engine.proxyrules.names import digest, probability
from tests.proxyrules.world import HASH, SEP1, SEP2, SEP3, THREE, chain, endpoints, rules, service

VIP = "-d 10.96.0.41/32 -p tcp"
NAMED = '-m comment --comment "ns1/svc1:p80 {}"'
NODE_PORT = [{"name": "p80", "port": 80, "nodePort": 30080}]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("ns1/svc1:p80", "tcp"), HASH),
        (("ns1/svc1:p80", "tcp", "10.180.0.1:80"), SEP1),
    ],
)
def test_names_are_upstreams(parts: tuple[str, ...], expected: str) -> None:
    """IPT-14."""
    assert digest(*parts) == expected


@pytest.mark.parametrize(
    ("left", "text"), [(2, "0.5000000000"), (3, "0.3333333333"), (4, "0.2500000000"), (6, "0.1666666667")]
)
def test_probabilities(left: int, text: str) -> None:
    """IPT-07."""
    assert probability(left) == text


def test_a_cluster_ip() -> None:
    """IPT-02, IPT-04, IPT-07, IPT-08, IPT-16."""
    lines = rules(service(), endpoints())
    text = NAMED.format("cluster IP")
    assert chain(lines, "KUBE-SERVICES")[0] == f"{VIP} {text} -m tcp --dport 80 -j KUBE-SVC-{HASH}"
    arrow = '-m comment --comment "ns1/svc1:p80 -> 10.180.0.{}:80"'
    odds = "-m statistic --mode random --probability"
    assert chain(lines, f"KUBE-SVC-{HASH}") == [
        f"! -s 10.244.0.0/16 {VIP} {text} -m tcp --dport 80 -j KUBE-MARK-MASQ",
        f"{arrow.format(1)} {odds} 0.3333333333 -j KUBE-SEP-{SEP1}",
        f"{arrow.format(2)} {odds} 0.5000000000 -j KUBE-SEP-{SEP2}",
        f"{arrow.format(3)} -j KUBE-SEP-{SEP3}",
    ]
    assert chain(lines, f"KUBE-SEP-{SEP1}") == [
        '-s 10.180.0.1/32 -m comment --comment "ns1/svc1:p80" -j KUBE-MARK-MASQ',
        '-p tcp -m comment --comment "ns1/svc1:p80" -m tcp -j DNAT --to-destination 10.180.0.1:80',
    ]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"detect_local": False}, None),
        ({"cluster_cidr": "10.9.0.0/16"}, "! -s 10.9.0.0/16 "),
        ({"masquerade_all": True}, ""),
        ({"masquerade_all": True, "detect_local": False}, ""),
    ],
)
def test_who_is_masqueraded_to_a_cluster_ip(settings: dict[str, Any], match: str | None) -> None:
    """PX-08, IPT-04."""
    first = chain(rules(service(), endpoints(), **settings), f"KUBE-SVC-{HASH}")[0]
    wanted = f"{match}{VIP} {NAMED.format('cluster IP')} -m tcp --dport 80 -j KUBE-MARK-MASQ"
    assert (first == wanted) is (match is not None)
    assert ("MARK-MASQ" in first) is (match is not None)


def test_a_node_port() -> None:
    """IPT-03, IPT-06 with the Cluster policy."""
    lines = rules(service(type="NodePort", ports=NODE_PORT), endpoints())
    text = '-p tcp -m comment --comment "ns1/svc1:p80" -m tcp --dport 30080'
    assert chain(lines, "KUBE-NODEPORTS") == [
        f"-d 127.0.0.0/8 {text} -m nfacct --nfacct-name localhost_nps_accepted_pkts -j KUBE-EXT-{HASH}",
        f"{text} -j KUBE-EXT-{HASH}",
    ]
    assert chain(lines, f"KUBE-EXT-{HASH}") == [
        '-m comment --comment "masquerade traffic for ns1/svc1:p80 external destinations" -j KUBE-MARK-MASQ',
        f"-j KUBE-SVC-{HASH}",
    ]
    assert f":KUBE-SVL-{HASH} - [0:0]" not in lines


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["-m addrtype --dst-type LOCAL"]),
        ({"localhost_nodeports": False}, ["! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL"]),
        ({"nodeport_addresses": ("primary",)}, ["-d 192.168.0.2/32"]),
        ({"nodeport_addresses": ("192.168.0.0/16", "127.0.0.0/8")}, ["-d 192.168.0.2/32", "-d 127.0.0.1/32"]),
        ({"nodeport_addresses": ("127.0.0.0/8",), "localhost_nodeports": False}, []),
        ({"nodeport_addresses": ("10.0.0.0/8", "0.0.0.0/0")}, ["-m addrtype --dst-type LOCAL"]),
        ({"nodeport_addresses": ("fd00::/64",)}, ["-m addrtype --dst-type LOCAL"]),
    ],
)
def test_where_node_ports_answer(settings: dict[str, Any], expected: list[str]) -> None:
    """PX-12; the jump is the last rule of KUBE-SERVICES (IPT-02)."""
    lines = rules(service(type="NodePort", ports=NODE_PORT), endpoints(), **settings)
    note = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
    jumps = [
        line.replace(f'-m comment --comment "{note}" ', "").removesuffix(" -j KUBE-NODEPORTS")
        for line in chain(lines, "KUBE-SERVICES")[1:]
    ]
    assert jumps == expected


@pytest.mark.parametrize("detect", [True, False])
@pytest.mark.parametrize(("on", "here"), [("a", (SEP1,)), ("b", (SEP2, SEP3))])
def test_the_local_policy_keeps_the_source(on: str, here: tuple[str, ...], *, detect: bool) -> None:
    """IPT-05, IPT-06, PX-05; the ClusterIP still leads to all of them (PX-03)."""
    spec = service(type="NodePort", ports=NODE_PORT, externalTrafficPolicy="Local")
    lines = rules(spec, endpoints(), on=on, detect_local=detect)
    text = '-m comment --comment "{} ns1/svc1:p80 external destinations"'
    short_cut = f"-s 10.244.0.0/16 {text.format('pod traffic for')} -j KUBE-SVC-{HASH}"
    own = "-m addrtype --src-type LOCAL"
    assert chain(lines, f"KUBE-EXT-{HASH}") == [
        *([short_cut] if detect else []),
        f"{text.format('masquerade LOCAL traffic for')} {own} -j KUBE-MARK-MASQ",
        f"{text.format('route LOCAL traffic for')} {own} -j KUBE-SVC-{HASH}",
        f"-j KUBE-SVL-{HASH}",
    ]
    ends = [line.split("KUBE-SEP-")[1] for line in chain(lines, f"KUBE-SVL-{HASH}")]
    assert tuple(ends) == here
    assert len([line for line in chain(lines, f"KUBE-SVC-{HASH}") if "KUBE-SEP-" in line]) == 3


def test_the_internal_policy_local() -> None:
    """IPT-05: the ClusterIP leads to KUBE-SVL, which then also masquerades strangers; no KUBE-SVC (EPS-08)."""
    lines = rules(service(internalTrafficPolicy="Local"), endpoints(), on="b")
    assert chain(lines, "KUBE-SERVICES")[0].endswith(f"-j KUBE-SVL-{HASH}")
    local = chain(lines, f"KUBE-SVL-{HASH}")
    assert local[0].startswith("! -s 10.244.0.0/16 ")
    assert [line.split("KUBE-SEP-")[1] for line in local[1:]] == [SEP2, SEP3]
    assert f":KUBE-SVC-{HASH} - [0:0]" not in lines
    assert f":KUBE-SEP-{SEP1} - [0:0]" not in lines


def test_local_policies_without_a_local_endpoint_drop() -> None:
    """IPT-11, PX-07: the short cuts stay, what falls through them is dropped."""
    spec = service(
        type="LoadBalancer",
        ports=NODE_PORT,
        lb=("1.2.3.4",),
        externalIPs=["198.18.0.9"],
        externalTrafficPolicy="Local",
        internalTrafficPolicy="Local",
    )
    lines = rules(spec, endpoints(THREE[1:]))
    text = NAMED.format("has no local endpoints")
    assert chain(lines, "KUBE-SERVICES", "filter") == [f"{VIP} {text} -m tcp --dport 80 -j DROP"]
    assert chain(lines, "KUBE-EXTERNAL-SERVICES", "filter") == [
        f"-d 198.18.0.9/32 -p tcp {text} -m tcp --dport 80 -j DROP",
        f"-d 1.2.3.4/32 -p tcp {text} -m tcp --dport 80 -j DROP",
        f"-p tcp {text} -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP",
    ]
    assert not [line for line in chain(lines, "KUBE-SERVICES") if line.startswith(VIP)]
    assert len(chain(lines, f"KUBE-EXT-{HASH}")) == 3
    assert f"KUBE-SVL-{HASH}" not in "".join(lines)


@pytest.mark.parametrize(
    "conditions", [None, {"ready": False}, {"ready": False, "serving": False, "terminating": True}]
)
def test_no_endpoints_at_all_refuse(conditions: dict[str, bool] | None) -> None:
    """IPT-11, EPS-07: no nat rule for the address, not even the firewall's."""
    spec = service(type="LoadBalancer", ports=NODE_PORT, lb=("1.2.3.4",), loadBalancerSourceRanges=["203.0.113.0/24"])
    lines = rules(spec, endpoints(conditions=conditions) if conditions else endpoints(()))
    text, target = NAMED.format("has no endpoints"), "-j REJECT --reject-with icmp-port-unreachable"
    assert chain(lines, "KUBE-SERVICES", "filter") == [f"{VIP} {text} -m tcp --dport 80 {target}"]
    assert chain(lines, "KUBE-EXTERNAL-SERVICES", "filter") == [
        f"-d 1.2.3.4/32 -p tcp {text} -m tcp --dport 80 {target}",
        f"-p tcp {text} -m addrtype --dst-type LOCAL -m tcp --dport 30080 {target}",
    ]
    assert not [line for line in lines if HASH in line]
    assert chain(lines, "KUBE-NODEPORTS") == []


@pytest.mark.parametrize(("ranges", "own"), [(["203.0.113.0/24"], False), (["203.0.113.0/24", "192.168.0.0/24"], True)])
def test_a_balancer_with_source_ranges(ranges: list[str], *, own: bool) -> None:
    """IPT-10, SVC-17, PX-20."""
    lines = rules(service(type="LoadBalancer", lb=("1.2.3.4",), loadBalancerSourceRanges=ranges), endpoints())
    text, jump = NAMED.format("loadbalancer IP"), f"-j KUBE-EXT-{HASH}"
    assert f"-d 1.2.3.4/32 -p tcp {text} -m tcp --dport 80 -j KUBE-FW-{HASH}" in chain(lines, "KUBE-SERVICES")
    assert chain(lines, f"KUBE-FW-{HASH}") == [
        *(f"-s {cidr} {text} {jump}" for cidr in ranges),
        *([f"-s 1.2.3.4/32 {text} {jump}"] if own else []),
        '-m comment --comment "other traffic to ns1/svc1:p80 will be dropped by KUBE-PROXY-FIREWALL"',
    ]
    assert chain(lines, "KUBE-PROXY-FIREWALL", "filter") == [
        f"-d 1.2.3.4/32 -p tcp {NAMED.format(f'traffic not accepted by KUBE-FW-{HASH}')} -m tcp --dport 80 -j DROP"
    ]


def test_external_and_balancer_addresses_share_a_chain() -> None:
    """IPT-02; an address of ipMode Proxy is not kube-proxy's (SVC-07)."""
    spec = service(type="LoadBalancer", lb=("1.2.3.4", "1.2.3.5"), externalIPs=["198.18.0.9"])
    spec["status"]["loadBalancer"]["ingress"][1]["ipMode"] = "Proxy"
    found = chain(rules(spec, endpoints()), "KUBE-SERVICES")[1:-1]
    assert found == [
        f"-d 198.18.0.9/32 -p tcp {NAMED.format('external IP')} -m tcp --dport 80 -j KUBE-EXT-{HASH}",
        f"-d 1.2.3.4/32 -p tcp {NAMED.format('loadbalancer IP')} -m tcp --dport 80 -j KUBE-EXT-{HASH}",
    ]


def test_the_health_check_port_is_open() -> None:
    """PX-14, whether or not the node has endpoints."""
    spec = service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=32000)
    text = NAMED.format("health check node port")
    expected = [f"-p tcp {text} -m tcp --dport 32000 -j ACCEPT"]
    assert chain(rules(spec), "KUBE-NODEPORTS", "filter") == expected
    spec["spec"]["externalTrafficPolicy"] = "Cluster"
    assert chain(rules(spec), "KUBE-NODEPORTS", "filter") == []


def test_affinity_asks_who_was_here_before_it_draws() -> None:
    """IPT-09."""
    spec = service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 60}})
    lines = rules(spec, endpoints(THREE[:2]))
    memory = "--name KUBE-SEP-{} --mask 255.255.255.255 --rsource"
    picks = chain(lines, f"KUBE-SVC-{HASH}")[1:]
    for sep, line in zip((SEP1, SEP2), picks[:2], strict=True):
        assert f"-m recent --rcheck --seconds 60 --reap {memory.format(sep)} -j KUBE-SEP-{sep}" in line
    assert "--probability 0.5000000000" in picks[2]
    assert picks[3].endswith(f"-j KUBE-SEP-{SEP2}")
    translation = chain(lines, f"KUBE-SEP-{SEP1}")[1]
    assert f"-m recent --set {memory.format(SEP1)} -m tcp -j DNAT" in translation


def test_udp_and_tcp_on_one_number_are_two_ports() -> None:
    """SVC-11; each its own hash (IPT-14), and a port without name has no colon (SVC-19)."""
    ports = [{"name": "tcp", "port": 53}, {"name": "udp", "port": 53, "protocol": "UDP", "targetPort": 5353}]
    spec = service(ports=ports)
    slices = endpoints(THREE[:1])
    slices["ports"] = [{"name": "tcp", "port": 53}, {"name": "udp", "port": 5353, "protocol": "UDP"}]
    lines = rules(spec, slices)
    tcp, udp = digest("ns1/svc1:tcp", "tcp"), digest("ns1/svc1:udp", "udp")
    portals = chain(lines, "KUBE-SERVICES")
    assert portals[0].endswith(f"-m tcp --dport 53 -j KUBE-SVC-{tcp}")
    assert portals[1].endswith(f"-m udp --dport 53 -j KUBE-SVC-{udp}")
    sep = digest("ns1/svc1:udp", "udp", "10.180.0.1:5353")
    assert chain(lines, f"KUBE-SEP-{sep}")[1].endswith("-m udp -j DNAT --to-destination 10.180.0.1:5353")
    bare = rules(service(ports=[{"port": 80}]), endpoints(THREE[:1], port={"port": 80}))
    assert '"ns1/svc1 cluster IP"' in chain(bare, "KUBE-SERVICES")[0]


def test_named_ports_may_differ_from_pod_to_pod() -> None:
    """SVC-10: a pod without the name is no endpoint."""
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": f"p{index}", "namespace": "ns1", "labels": {"app": "web"}},
            "spec": {"nodeName": "a", "containers": [{"name": "c", "ports": [{"name": name, "containerPort": port}]}]},
            "status": {"phase": "Running", "podIP": f"10.244.0.{index + 2}"},
        }
        for index, (name, port) in enumerate([("http", 8080), ("http", 9090), ("other", 80)])
    ]
    spec = service(selector={"app": "web"}, ports=[{"name": "p80", "port": 80, "targetPort": "http"}])
    found = [line.split()[-1] for line in rules(spec, *pods) if "DNAT --to" in line]
    assert sorted(found) == ["10.244.0.2:8080", "10.244.0.3:9090"]


def test_a_large_cluster_leaves_comments_out() -> None:
    """IPT-15: only those of endpoints."""
    many = tuple((f"10.180.{index // 250}.{index % 250 + 1}", "a") for index in range(1001))
    lines = rules(service(), endpoints(many))
    assert chain(lines, f"KUBE-SVC-{HASH}")[1].startswith("-m statistic")
    assert not [line for line in lines if "-> 10.180" in line]
    assert "cluster IP" in chain(lines, "KUBE-SERVICES")[0]
    assert [line for line in rules(service(), endpoints(many[:1000])) if "-> 10.180" in line]


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"clusterIP": "None"}},
        {"spec": {"type": "ExternalName", "externalName": "example.com"}},
        {"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": "other"}}},
    ],
)
def test_some_services_have_no_rules(change: dict[str, Any]) -> None:
    """SVC-08, SVC-09, and a Service that another proxy serves."""
    spec = service()
    for part, values in change.items():
        spec[part] |= values
    assert "ns1/svc1" not in "\n".join(rules(spec, endpoints()))


def test_ipv6_has_rules_of_its_own() -> None:
    """SVC-16: the family's addresses, endpoints, detector and refusal."""
    spec = service(
        clusterIPs=["10.96.0.41", "fd00:96::41"], ports=NODE_PORT, type="NodePort", sessionAffinity="ClientIP"
    )
    cidrs = "10.244.0.0/16,fd00:244::/56"
    both = (spec, endpoints(), endpoints((("fd00:180::1", "a"),)))
    lines = rules(*both, family=6, cluster_cidr=cidrs)
    assert "10." not in "".join(lines)
    assert chain(lines, f"KUBE-SVC-{HASH}")[0].startswith("! -s fd00:244::/56 -d fd00:96::41/128 -p tcp ")
    sep = digest("ns1/svc1:p80", "tcp", "[fd00:180::1]:80")
    assert chain(lines, f"KUBE-SEP-{sep}")[1].endswith("--to-destination [fd00:180::1]:80")
    assert "--mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource" in chain(lines, f"KUBE-SEP-{sep}")[1]
    assert chain(lines, "KUBE-SERVICES")[-1].startswith("! -d ::1/128 ")
    assert len(chain(lines, "KUBE-NODEPORTS")) == 1
    refused = rules(spec, endpoints(), family=6, cluster_cidr=cidrs)
    assert chain(refused, "KUBE-SERVICES", "filter")[0].endswith("-j REJECT --reject-with icmp6-port-unreachable")
    single = rules(service(), endpoints(), family=6, cluster_cidr=cidrs)
    assert "ns1/svc1" not in "".join(single)


def test_what_stands_on_every_node() -> None:
    """IPT-01, IPT-12, IPT-13."""
    lines = rules()
    jumps = {
        hook: [line.split()[-1] for line in chain(lines, hook, "filter")] for hook in ("INPUT", "FORWARD", "OUTPUT")
    }
    assert jumps == {
        "INPUT": ["KUBE-PROXY-FIREWALL", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-FIREWALL"],
        "FORWARD": ["KUBE-PROXY-FIREWALL", "KUBE-FORWARD", "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES"],
        "OUTPUT": ["KUBE-PROXY-FIREWALL", "KUBE-SERVICES", "KUBE-FIREWALL"],
    }
    for hook, target in [("PREROUTING", "SERVICES"), ("OUTPUT", "SERVICES"), ("POSTROUTING", "POSTROUTING")]:
        assert chain(lines, hook)[0].endswith(f"-j KUBE-{target}")
    assert chain(lines, "KUBE-MARK-MASQ") == ["-j MARK --set-xmark 0x4000/0x4000"]
    assert [line.split("-j ")[1] for line in chain(lines, "KUBE-POSTROUTING")] == [
        "RETURN",
        "MARK --set-xmark 0x4000/0x0",
        "MASQUERADE --random-fully",
    ]
    assert [line.split()[-1] for line in chain(lines, "KUBE-FORWARD", "filter")] == ["DROP", "ACCEPT", "ACCEPT"]
    assert chain(lines, "KUBE-FIREWALL", "filter")[0].startswith("! -s 127.0.0.0/8 -d 127.0.0.0/8 ")


def test_chains_are_sorted_and_start_at_zero() -> None:
    lines = rules(service(type="NodePort", ports=NODE_PORT), endpoints())
    own = [line for line in lines[lines.index("*nat") :] if line.startswith(":KUBE")]
    assert own == sorted(own)
    assert all(line.endswith(" - [0:0]") for line in own)


@pytest.mark.parametrize("mode", ["nftables", "ipvs"])
def test_other_modes_have_no_such_text(mode: str) -> None:
    with pytest.raises(NoRuleTextError, match=f"{mode} mode"):
        rules(service(), endpoints(), proxy_mode=mode)
