"""What a node, a pod and a Service show: which texts there are, and what stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.datapath.place import veth
from clusterviz.engine.nodeview import Text, node_texts, pod_texts, service_texts
from clusterviz.engine.proxyrules import iptables

Obj = dict[str, Any]
NAMESPACE = "shop"


def pod(name: str, created: str = "", **spec: Any) -> Obj:
    meta = {"name": name, "namespace": NAMESPACE, "labels": {"app": name}}
    if created:
        meta["creationTimestamp"] = created
    containers = [{"name": "c", "ports": [{"containerPort": 8080}]}]
    return {"kind": "Pod", "metadata": meta, "spec": {"nodeName": "n1", "containers": containers, **spec}}


def service(name: str, namespace: str = NAMESPACE, created: str = "", **spec: Any) -> Obj:
    meta = {"name": name, "namespace": namespace}
    if created:
        meta["creationTimestamp"] = created
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {"kind": "Service", "metadata": meta, "spec": {"selector": {"app": name}, "ports": ports, **spec}}


def world(*objects: Obj, **settings: Any) -> Cluster:
    nodes = [{"kind": "Node", "metadata": {"name": f"n{index}"}} for index in (1, 2)]
    return Cluster.from_objects([*nodes, *objects], Settings(**settings))


def of(texts: tuple[Text, ...]) -> dict[str, Text]:
    found = {text.id: text for text in texts}
    assert len(found) == len(texts)
    return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["iptables", "addresses", "routes", "local", "neighbours", "fdb", "bridge"]),
        (
            {"network": "wireguard"},
            ["iptables", "addresses", "routes", "local", "neighbours", "wireguard", "bridge"],
        ),
        ({"network": "host-gw"}, ["iptables", "addresses", "routes", "local", "neighbours", "bridge"]),
        ({"proxy_mode": "nftables"}, ["nftables", "addresses", "routes", "local", "neighbours", "fdb", "bridge"]),
        ({"proxy_mode": "ipvs"}, ["ipvs", "ipset", "addresses", "routes", "local", "neighbours", "fdb", "bridge"]),
    ],
)
def test_the_texts_of_a_node(settings: dict[str, Any], expected: list[str]) -> None:
    """NET-09, NET-11, NFT-01, IPV-01: what there is depends on the network and on kube-proxy's mode."""
    made = world(pod("web"), service("web"), **settings)
    found = node_texts(made, made.nodes["n1"])
    assert [text.id for text in found] == expected
    assert all(text.command and text.title and text.text for text in found)


def test_a_dual_stack_node_has_both_families() -> None:
    """SVC-16: two sets of rules, two routing tables."""
    two = {"cluster_cidr": "10.244.0.0/16,fd00:244::/56", "service_cidr": "10.96.0.0/12,fd00:96::/112"}
    made = world(pod("web"), **two)
    found = of(node_texts(made, made.nodes["n1"]))
    assert {"iptables", "iptables-6", "routes", "routes-6"} <= set(found)
    assert "::1/128" in found["iptables-6"].text
    assert found["iptables"].text == iptables(made, made.nodes["n1"])


def test_wireguard() -> None:
    """NET-12: the device, its port, and one peer a node with its pods."""
    made = world(pod("web"), network="wireguard")
    found = of(node_texts(made, made.nodes["n1"]))
    assert found["wireguard"].command == "wg show flannel-wg"
    assert found["wireguard"].text.splitlines() == [
        "interface: flannel-wg",
        "  listening port: 51820",
        "",
        "peer: (key of n2)",
        "  endpoint: 192.168.0.12:51820",
        "  allowed ips: 10.244.1.0/24",
    ]
    assert "flannel-wg" in found["addresses"].text


def test_devices_of_a_node() -> None:
    """NET-04, NET-07, NET-10: card, overlay with 50 bytes less, bridge, a veth for each pod."""
    made = world(pod("web"), pod("host", hostNetwork=True))
    found = of(node_texts(made, made.nodes["n1"]))
    heads = [line.split(":")[1].strip() for line in found["addresses"].text.splitlines() if line[0] != " "]
    assert heads[:4] == ["lo", "eth0", "flannel.1", "cni0"]
    assert len(heads) == 5
    assert heads[4].startswith("veth")
    assert "inet 10.244.0.0/32 scope global flannel.1" in found["addresses"].text
    assert "mtu 1450 master cni0" in found["addresses"].text
    assert found["bridge"].text.count("hairpin on") == 1


def test_both_ends_of_a_pods_cable_name_each_other() -> None:
    """NET-03: the index after @ is that of the other end."""
    made = world(pod("a"), pod("b"))
    node = of(node_texts(made, made.nodes["n1"]))["addresses"].text
    for name in "ab":
        card = of(pod_texts(made, made.pods["shop", name]))["addresses"].text
        index = card.partition("eth0@if")[2].partition(":")[0]
        assert f"\n{index}: {veth(made.pods['shop', name])}@if2" in node


@pytest.mark.parametrize(("hairpin", "said"), [(True, "hairpin on"), (False, "hairpin off")])
def test_hairpin_of_bridge_ports(hairpin: bool, said: str) -> None:
    """NET-04."""
    made = world(pod("web"), hairpin=hairpin)
    assert said in of(node_texts(made, made.nodes["n1"]))["bridge"].text


def test_virtual_addresses_sit_on_a_device_of_their_own() -> None:
    """IPV-01: kube-ipvs0 holds ClusterIPs, external and balancer addresses, none of the node's own."""
    given = service("web", type="LoadBalancer", clusterIP="10.96.0.41", externalIPs=["198.18.0.9", "192.168.0.11"])
    given["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}
    nodes = {"kind": "Node", "metadata": {"name": "n1"}}
    nodes["status"] = {"addresses": [{"type": "InternalIP", "address": "192.168.0.11"}]}
    made = Cluster.from_objects([nodes, pod("web"), given], Settings(proxy_mode="ipvs"))
    text = of(node_texts(made, made.nodes["n1"]))["addresses"].text
    device = text[text.index("kube-ipvs0") :]
    assert "<BROADCAST,NOARP>" in device
    held = [line.split()[1] for line in device.splitlines() if "inet " in line]
    assert held == ["10.96.0.41/32", "198.18.0.9/32", "198.51.100.7/32"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {},
            "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
        ),
        ({"dnsPolicy": "Default"}, "nameserver 192.168.0.1\n"),
    ],
)
def test_resolv_conf(spec: dict[str, Any], expected: str) -> None:
    """DNS-11, DNS-15."""
    made = world(pod("web", **spec))
    assert of(pod_texts(made, made.pods["shop", "web"]))["resolv"].text == expected


def test_a_pod_on_the_host_network_sees_the_node() -> None:
    """NET-02."""
    made = world(pod("web", hostNetwork=True))
    inside, node = of(pod_texts(made, made.pods["shop", "web"])), of(node_texts(made, made.nodes["n1"]))
    assert inside["addresses"].text == node["addresses"].text
    assert inside["routes"].text == node["routes"].text
    assert "hostNetwork" in inside["addresses"].note


def test_environment() -> None:
    """SVC-18: Services of the namespace that were there first, headless ones never, and the API's own."""
    early, late = "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"
    made = world(
        pod("web", created="2026-01-02T00:00:00Z"),
        service("my-db", created=early, clusterIP="10.96.0.50"),
        service("late", created=late),
        service("other", namespace="else", created=early),
        service("headless", created=early, clusterIP="None"),
        service("kubernetes", namespace="default", created=early, clusterIP="10.96.0.1"),
    )
    lines = of(pod_texts(made, made.pods["shop", "web"]))["env"].text.splitlines()
    assert [line for line in lines if line.startswith("MY_DB")] == [
        "MY_DB_PORT=tcp://10.96.0.50:80",
        "MY_DB_PORT_80_TCP=tcp://10.96.0.50:80",
        "MY_DB_PORT_80_TCP_ADDR=10.96.0.50",
        "MY_DB_PORT_80_TCP_PORT=80",
        "MY_DB_PORT_80_TCP_PROTO=tcp",
        "MY_DB_SERVICE_HOST=10.96.0.50",
        "MY_DB_SERVICE_PORT=80",
        "MY_DB_SERVICE_PORT_HTTP=80",
    ]
    assert {line.split("_")[0] for line in lines} == {"MY", "KUBERNETES"}


def test_environment_without_links() -> None:
    """SVC-18: enableServiceLinks false leaves the API's own."""
    api = service("kubernetes", namespace="default", clusterIP="10.96.0.1")
    made = world(pod("web", enableServiceLinks=False), service("db"), api)
    lines = of(pod_texts(made, made.pods["shop", "web"]))["env"].text.splitlines()
    assert {line.split("_")[0] for line in lines} == {"KUBERNETES"}


def test_dns_answers_of_a_service() -> None:
    """DNS-01, DNS-04, DNS-07."""
    made = world(pod("web"), service("web", clusterIP="10.96.0.41"))
    text = of(service_texts(made, made.services["shop", "web"], None))["dns"].text
    assert text.splitlines() == [
        ";; web.shop.svc.cluster.local A: NOERROR",
        "web.shop.svc.cluster.local.\t30\tIN\tA\t10.96.0.41",
        "",
        ";; web.shop.svc.cluster.local AAAA: NOERROR, no record",
        "",
        ";; web.shop.svc.cluster.local SRV: NOERROR",
        "web.shop.svc.cluster.local.\t30\tIN\tSRV\t0 100 80 web.shop.svc.cluster.local.",
        ";; additional:",
        "web.shop.svc.cluster.local.\t30\tIN\tA\t10.96.0.41",
        "",
        ";; _http._tcp.web.shop.svc.cluster.local SRV: NOERROR",
        "_http._tcp.web.shop.svc.cluster.local.\t30\tIN\tSRV\t0 100 80 web.shop.svc.cluster.local.",
        ";; additional:",
        "web.shop.svc.cluster.local.\t30\tIN\tA\t10.96.0.41",
        "",
        ";; 10.96.0.41 PTR: NOERROR",
        "41.0.96.10.in-addr.arpa.\t30\tIN\tPTR\tweb.shop.svc.cluster.local.",
    ]


def test_an_external_name() -> None:
    """DNS-05."""
    made = world(service("web", type="ExternalName", externalName="shop.example.com"))
    text = of(service_texts(made, made.services["shop", "web"], None))["dns"].text
    assert "CNAME\tshop.example.com." in text
    assert "SRV" not in text


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("iptables", ["*nat", "KUBE-SEP", "KUBE-SEP", "KUBE-SERVICES", "KUBE-SVC", "KUBE-SVC"]),
        ("nftables", ["set cluster-ips", "map service-ips", "chain service", "chain endpoint"]),
        ("ipvs", ["TCP  10.96.0.41:80 rr"]),
    ],
)
def test_rules_of_a_service_on_a_node(mode: str, expected: list[str]) -> None:
    """IPT-04, IPT-08, NFT-01, NFT-04, IPV-01: the Service's own lines, and nothing that is there without it."""
    made = world(pod("web"), service("web", clusterIP="10.96.0.41"), service("db"), proxy_mode=mode)
    texts = service_texts(made, made.services["shop", "web"], made.nodes["n2"])
    assert [text.id for text in texts][:2] == ["dns", mode]
    rules = of(texts)[mode].text
    assert made.services["shop", "db"].ip not in rules
    heads = [line for line in rules.splitlines() if line.startswith(("*", "-A", "set", "map", "chain", "TCP"))]
    assert len(heads) == len(expected)
    assert all(part in line for line, part in zip(heads, expected, strict=True)), heads


def test_sets_of_a_service_without_the_empty_ones() -> None:
    """IPV-01."""
    made = world(pod("web"), service("web", clusterIP="10.96.0.41"), proxy_mode="ipvs")
    text = of(service_texts(made, made.services["shop", "web"], made.nodes["n2"]))["ipset"].text
    assert [line for line in text.splitlines() if line.startswith("Name")] == [
        "Name: KUBE-CLUSTER-IP",
        "Name: KUBE-IPVS-IPS",
    ]
