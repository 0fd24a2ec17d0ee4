"""What ipvsadm and ipset report: told by rule, no kernel here has IPVS to compare with (IPV-01)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.service import decide
from clusterviz.engine.proxyrules.ipvs import ip_sets, virtual_servers
from clusterviz.engine.proxyrules.names import socket
from tests.proxyrules.test_agreement import worlds
from tests.proxyrules.world import Obj, cluster, endpoints, service

NODE_PORT = [{"name": "p80", "port": 80, "nodePort": 30080}]


def servers(*objects: Obj, on: str = "a", family: int = 4, **settings: Any) -> dict[str, list[str]]:
    """Real servers by virtual server."""
    made = cluster(*objects, proxy_mode="ipvs", **settings)
    return read(virtual_servers(made, made.nodes[on], family))


def read(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    last = ""
    for line in text.splitlines()[3:]:
        if line.startswith("  -> "):
            found[last].append(line.split()[1])
        else:
            last = " ".join(line.split())
            found[last] = []
    return found


def sets(*objects: Obj, on: str = "a", **settings: Any) -> dict[str, list[str]]:
    made = cluster(*objects, proxy_mode="ipvs", **settings)
    blocks = ip_sets(made, made.nodes[on]).strip().split("\n\n")
    return {block.splitlines()[0].removeprefix("Name: "): block.splitlines()[5:] for block in blocks}


def test_virtual_and_real_servers() -> None:
    """IPV-01: one virtual server an address and port, the endpoints below it."""
    real = [f"10.180.0.{index}:80" for index in (1, 2, 3)]
    found = servers(service(type="NodePort", ports=NODE_PORT), endpoints())
    assert found["TCP 10.96.0.41:80 rr"] == real
    assert found["TCP 192.168.0.2:30080 rr"] == real
    assert not [name for name in found if "127.0.0.1" in name]


@pytest.mark.parametrize(
    ("policy", "on", "expected"),
    [("Local", "a", ["10.180.0.1:80"]), ("Local", "c", 3), ("Cluster", "a", 3)],
)
def test_local_falls_back_to_all(policy: str, on: str, expected: list[str] | int) -> None:
    """IPV-01: unlike in the other modes, Local without local endpoints uses the others."""
    third = {"kind": "Node", "metadata": {"name": "c"}}
    spec = service(type="NodePort", ports=NODE_PORT, externalTrafficPolicy=policy)
    made = servers(third, spec, endpoints(), on=on)
    (real,) = (found for name, found in made.items() if name.endswith(":30080 rr") and name.startswith("TCP 192.168"))
    assert (real if isinstance(expected, list) else len(real)) == expected


def test_scheduler_and_persistence() -> None:
    """IPV-01, SVC-14."""
    found = servers(service(sessionAffinity="ClientIP"), endpoints(), ipvs_scheduler="sh")
    assert "TCP 10.96.0.41:80 sh persistent 10800" in found


def test_no_endpoints_is_a_server_without_any() -> None:
    """IPV-01, PX-07."""
    assert servers(service())["TCP 10.96.0.41:80 rr"] == []


def test_six() -> None:
    """SVC-16: the other family stands in its own list, addresses in brackets."""
    six = servers(service(clusterIPs=["10.96.0.41", "fd00:96::41"]), endpoints((("fd00:180::1", "a"),)), family=6)
    assert six == {"TCP [fd00:96::41]:80 rr": ["[fd00:180::1]:80"]}


def test_sets() -> None:
    """IPV-01: masquerade and firewall ask sets; those of a Local policy are sets of their own."""
    spec = service(
        type="LoadBalancer",
        ports=NODE_PORT,
        lb=("1.2.3.4",),
        externalIPs=["198.18.0.9"],
        externalTrafficPolicy="Local",
        loadBalancerSourceRanges=["192.168.0.0/24"],
        healthCheckNodePort=32000,
    )
    found = sets(spec, endpoints())
    assert {name: members for name, members in found.items() if members} == {
        "KUBE-CLUSTER-IP": ["10.96.0.41,tcp:80"],
        "KUBE-EXTERNAL-IP-LOCAL": ["198.18.0.9,tcp:80"],
        "KUBE-HEALTH-CHECK-NODE-PORT": ["32000"],
        "KUBE-IPVS-IPS": ["10.96.0.41", "198.18.0.9", "1.2.3.4"],
        "KUBE-LOAD-BALANCER": ["1.2.3.4,tcp:80"],
        "KUBE-LOAD-BALANCER-FW": ["1.2.3.4,tcp:80"],
        "KUBE-LOAD-BALANCER-LOCAL": ["1.2.3.4,tcp:80"],
        "KUBE-LOAD-BALANCER-SOURCE-CIDR": ["1.2.3.4,tcp:80,192.168.0.0/24"],
        "KUBE-LOAD-BALANCER-SOURCE-IP": ["1.2.3.4,tcp:80,1.2.3.4"],
        "KUBE-LOOP-BACK": ["10.180.0.1,tcp:80,10.180.0.1"],
        "KUBE-NODE-PORT-LOCAL-TCP": ["30080"],
        "KUBE-NODE-PORT-TCP": ["30080"],
    }


@given(st.data())
def test_the_list_and_the_decision_agree(data: st.DataObject) -> None:
    """IPV-01: the real servers of a ClusterIP are the endpoints a trace may pick."""
    drawn = data.draw(worlds())
    made = drawn.with_settings(msgspec.structs.replace(drawn.settings, proxy_mode="ipvs"))
    node = data.draw(st.sampled_from(list(made.nodes.values())))
    found = {version: read(virtual_servers(made, node, version)) for version in (4, 6)}
    for one in made.services.values():
        for ip, port in [(ip, port) for ip in one.cluster_ips for port in one.ports]:
            source = "10.244.0.250" if family(ip) == 4 else "fd00:10:244::250"
            decision = decide(made, node, source, ip, port.protocol, port.port)
            assert decision is not None
            usable = [socket(each.address, each.port) for each in decision.candidates if each.probability]
            start = f"{port.protocol} {socket(ip, port.port)} "
            (real,) = (servers for name, servers in found[family(ip)].items() if name.startswith(start))
            assert sorted(real) == sorted(usable), (one, decision, real)
