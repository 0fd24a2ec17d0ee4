"""Settings are data: each changes some answer, each has a meaning, wrong ones are refused, traces name them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from clusterviz.engine import Cluster, Probe, Settings, trace
from clusterviz.engine.datapath.dns import query
from clusterviz.engine.datapath.place import route_for
from clusterviz.engine.datapath.resolver import resolv_conf
from clusterviz.engine.proxyrules import virtual_servers
from clusterviz.engine.rulebook import RULES
from clusterviz.engine.settings_check import check_settings, differing, fields, plain
from clusterviz.engine.trace import Trace
from tests.engine.world import Obj, ask, base, header, pod, policy, seen, service

SVC = "svc.cluster.local"


def world(settings: Settings, *extra: Obj, nodes: bool = True) -> Cluster:
    objects = [one for one in base() if nodes or one["kind"] != "Node"]
    return Cluster.from_objects([*objects, *extra], settings)


def verdict(source: str, to: str, *extra: Obj) -> Callable[[Settings], Any]:
    return lambda settings: ask(world(settings, *extra), source, to).verdict.value


def after_a_wall(settings: Settings) -> str:
    probe = Probe.parse("shop/client", "10.244.1.2:8080")
    return trace(world(settings, CLOSED), probe, opened=world(settings)).verdict.value


def source(who: str, to: str, *extra: Obj) -> Callable[[Settings], Any]:
    return lambda settings: seen(ask(world(settings, *extra), who, to))


def rcode(name: str, *extra: Obj) -> Callable[[Settings], Any]:
    return lambda settings: query(world(settings, *extra), name).rcode


def wire(found: Trace) -> str:
    stack = next(hop.headers_in for hop in found.forward if hop.place.kind == "wire")
    return " ".join(str(getattr(one, "dport", "") or getattr(one, "vni", "") or type(one).__name__) for one in stack)


def on_wire(settings: Settings) -> str:
    return wire(ask(world(settings), "shop/client", "10.244.1.2:8080"))


def length(settings: Settings) -> str:
    parsed = Probe.parse("shop/client", "10.244.1.2:8080")
    probe = Probe(source=parsed.source, destination=parsed.destination, length=1460)
    return trace(world(settings), probe).verdict.value


def first_node(settings: Settings) -> tuple[str, ...]:
    made = world(settings, nodes=False).nodes
    return next(iter(made.values())).ips


def first_block(settings: Settings) -> tuple[str, ...]:
    made = Cluster.from_objects([{"kind": "Node", "metadata": {"name": "n1"}}], settings, expand=False)
    return made.nodes["n1"].pod_cidrs


def address(settings: Settings) -> tuple[str, ...]:
    made = Cluster.from_objects([service("shop/new", app="web", type="LoadBalancer")], settings)
    found = made.services[("shop", "new")]
    in_range = 30000 <= found.ports[0].node_port <= 32767
    return (found.ip.partition(".")[0], *(one.ip for one in found.load_balancer), "usual" if in_range else "other")


def conf(settings: Settings) -> str:
    found = world(settings)
    return resolv_conf(found, found.pods[("shop", "client")]).text


def tries(settings: Settings) -> list[str]:
    from clusterviz.engine.datapath.resolver import lookup_order

    found = world(settings)
    return [lookup_order(found, found.pods[("shop", "client")], "web.shop")[0]]


def route(settings: Settings) -> str:
    found = world(settings)
    return route_for(found, found.nodes["n1"], "10.244.1.2").kind


def schedulers(settings: Settings) -> bool:
    found = world(msgspec.structs.replace(settings, proxy_mode="ipvs"))
    return " sh" in virtual_servers(found, found.nodes["n1"])


HOST_PORT = pod("shop/host", "10.244.0.40", "n1", app="host")
HOST_PORT["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "hostPort": 9090}]
NODE_PORT = service("shop/np", app="web", type="NodePort", clusterIP="10.96.0.40", externalTrafficPolicy="Cluster")
NODE_PORT["spec"]["ports"][0]["nodePort"] = 30090
LOCAL = service(
    "shop/local", app="db", port=80, target=5432, type="NodePort", clusterIP="10.96.0.41", externalTrafficPolicy="Local"
)
LOCAL["spec"]["ports"][0]["nodePort"] = 30091
SELF = service("shop/self", app="client", clusterIP="10.96.0.42")
EMPTY = service("shop/empty", app="nobody", clusterIP="10.96.0.43")
HEADLESS = service("shop/hl", app="db", clusterIP="None", port=5432, target=5432)
BALANCED = service("shop/lb", app="web", type="LoadBalancer", clusterIP="10.96.0.44")
CLOSED = policy("shop/none", "web", policyTypes=["Ingress"])

INGRESS: Obj = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
}
NGINX: Obj = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "nginx", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
    "spec": {"controller": "k8s.io/ingress-nginx"},
}
OTHER_CLASS: Obj = {**NGINX, "metadata": {"name": "other"}, "spec": {"controller": "example.com/other"}}
FRONT = service("ingress/ctl", app="ingress-nginx", target=80, type="NodePort", clusterIP="10.96.0.80")
FRONT["spec"]["ports"][0]["nodePort"] = 30080
FRONT_URL = "http://192.168.0.11:30080/"

CASES: dict[str, tuple[dict[str, Any], Callable[[Settings], Any], Any, Any]] = {
    "node_cidr": ({"node_cidr": "10.9.0.0/24"}, first_node, ("192.168.0.11",), ("10.9.0.11",)),
    "cluster_cidr": ({"cluster_cidr": "10.5.0.0/16"}, first_block, ("10.244.0.0/24",), ("10.5.0.0/24",)),
    "node_mask": ({"node_mask": 26}, first_block, ("10.244.0.0/24",), ("10.244.0.0/26",)),
    "service_cidr": (
        {"service_cidr": "172.20.0.0/16", "dns_ip": "172.20.0.10"},
        lambda settings: address(settings)[0],
        "10",
        "172",
    ),
    "mtu": ({"mtu": 1550}, length, "mtu_exceeded", "delivered"),
    "network": ({"network": "host-gw"}, source("node/n1", "10.244.1.2:8080"), "10.244.0.0", "192.168.0.11"),
    "direct_routing": ({"direct_routing": True}, route, "overlay", "direct"),
    "vxlan_port": (
        {"vxlan_port": 4789},
        on_wire,
        "Ethernet IP 8472 1 Ethernet IP 8080",
        "Ethernet IP 4789 1 Ethernet IP 8080",
    ),
    "vni": ({"vni": 7}, on_wire, "Ethernet IP 8472 1 Ethernet IP 8080", "Ethernet IP 8472 7 Ethernet IP 8080"),
    "hairpin": ({"hairpin": False}, verdict("shop/client", "10.96.0.42:80", SELF), "delivered", "hairpin_dropped"),
    "host_ports": (
        {"host_ports": False},
        verdict("internet", "node:n1:9090", HOST_PORT),
        "delivered",
        "nobody_listening",
    ),
    "egress_nat": ({"egress_nat": False}, verdict("shop/client", "192.0.2.9:80"), "exited_cluster", "reply_lost"),
    "enforce_policies": (
        {"enforce_policies": False},
        verdict("shop/client", "10.244.1.2:8080", CLOSED),
        "denied_ingress",
        "delivered",
    ),
    "policies_cut_connections": ({"policies_cut_connections": True}, after_a_wall, "delivered", "denied_ingress"),
    "proxy_mode": (
        {"proxy_mode": "nftables"},
        lambda settings: ask(world(settings), "shop/client", "10.96.0.20:81").symptom,
        "no answer: the connection times out",
        "connection refused, at once",
    ),
    "ipvs_scheduler": ({"ipvs_scheduler": "sh"}, schedulers, False, True),
    "detect_local": (
        {"detect_local": False},
        verdict("shop/client", "node:n1:30091", LOCAL),
        "delivered",
        "no_local_endpoint_dropped",
    ),
    "detect_local_mode": (
        {"detect_local_mode": "BridgeInterface", "detect_local_interface": "br0"},
        verdict("shop/client", "node:n1:30091", LOCAL),
        "delivered",
        "no_local_endpoint_dropped",
    ),
    "detect_local_interface": (
        {"detect_local_interface": "cbr"},
        lambda settings: verdict("shop/client", "node:n1:30091", LOCAL)(
            msgspec.structs.replace(settings, detect_local_mode="InterfaceNamePrefix")
        ),
        "delivered",
        "no_local_endpoint_dropped",
    ),
    "masquerade_all": (
        {"masquerade_all": True},
        source("shop/client", "10.96.0.30:5432"),
        "10.244.0.3",
        "10.244.0.0",
    ),
    "min_sync_period": (
        {"min_sync_period": 30.0},
        lambda s: [one.code for one in ask(world(s), "shop/client", "10.96.0.20:80").assumptions if "sync" in one.code],
        [],
        ["slow-sync"],
    ),
    "nodeport_range": ({"nodeport_range": (40000, 40100)}, lambda settings: address(settings)[-1], "usual", "other"),
    "nodeport_addresses": (
        {"nodeport_addresses": ("10.0.0.0/8",)},
        verdict("internet", "node:n1:30090", NODE_PORT),
        "delivered",
        "nobody_listening",
    ),
    "localhost_nodeports": (
        {"localhost_nodeports": False},
        verdict("node/n1", "127.0.0.1:30090", NODE_PORT),
        "delivered",
        "nobody_listening",
    ),
    "dns_ip": (
        {"dns_ip": "10.96.0.53"},
        lambda settings: conf(settings).splitlines()[1],
        "nameserver 10.96.0.10",
        "nameserver 10.96.0.53",
    ),
    "cluster_domain": ({"cluster_domain": "k8s.lan"}, rcode(f"web.shop.{SVC}"), "NOERROR", "FORWARDED"),
    "dns_pod_mode": ({"dns_pod_mode": "verified"}, rcode("1-2-3-4.shop.pod.cluster.local"), "NOERROR", "NXDOMAIN"),
    "dns_ttl": ({"dns_ttl": 5}, lambda s: query(world(s), f"web.shop.{SVC}").records[0].ttl, 30, 5),
    "ndots": ({"ndots": 1}, tries, [f"web.shop.shop.{SVC}"], ["web.shop"]),
    "dns_search": (
        {"dns_search": ("corp.example",)},
        lambda settings: "corp.example" in conf(settings),
        False,
        True,
    ),
    "dns_upstream": (
        {"dns_upstream": ("9.9.9.9",)},
        lambda s: query(world(s), "example.com").upstream,
        ("192.168.0.1",),
        ("9.9.9.9",),
    ),
    "dns_synced": ({"dns_synced": False}, rcode(f"web.shop.{SVC}"), "NOERROR", "SERVFAIL"),
    "dns_ignore_empty_service": (
        {"dns_ignore_empty_service": True},
        rcode(f"empty.shop.{SVC}", EMPTY),
        "NOERROR",
        "NXDOMAIN",
    ),
    "dns_fallthrough": (
        {"dns_fallthrough": ("in-addr.arpa",)},
        lambda s: query(world(s), "10.244.0.99", "PTR").rcode,
        "NXDOMAIN",
        "FORWARDED",
    ),
    "dns_endpoint_pod_names": (
        {"dns_endpoint_pod_names": True},
        rcode(f"db-0.hl.shop.{SVC}", HEADLESS),
        "NXDOMAIN",
        "NOERROR",
    ),
    "ingress_class": (
        {"ingress_class": "nginx"},
        verdict("internet", FRONT_URL, INGRESS, OTHER_CLASS, FRONT),
        "no_ingress_rule",
        "delivered",
    ),
    "ingress_controller": (
        {"ingress_controller": "example.com/other"},
        verdict("internet", FRONT_URL, INGRESS, NGINX, FRONT),
        "delivered",
        "no_ingress_rule",
    ),
    "load_balancer_provider": (
        {"load_balancer_provider": False},
        verdict("internet", "service:shop/lb:80", BALANCED),
        "delivered",
        "no_lb_provider",
    ),
    "load_balancer_cidr": (
        {"load_balancer_cidr": "203.0.113.128/25"},
        lambda settings: address(settings)[1].rpartition(".")[0],
        "198.51.100",
        "203.0.113",
    ),
    "client_ip": (
        {"client_ip": "192.0.2.77"},
        lambda settings: (
            header(ask(world(settings, NODE_PORT), "internet", "node:n1:30090").forward[0].headers_out).src
        ),
        "203.0.113.7",
        "192.0.2.77",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_setting_changes_an_answer(name: str) -> None:
    """One question a setting, under the default and under another value."""
    changed, question, usual, other = CASES[name]
    assert question(Settings()) == usual
    assert question(msgspec.structs.replace(Settings(), **changed)) == other


# Settings of Gateways have their tests beside the rules of Gateways.
ELSEWHERE = {"gateway_class", "gateway_controller"}


def test_no_setting_is_left_out() -> None:
    """A new setting needs a case here."""
    assert CASES.keys() | ELSEWHERE == set(Settings.__struct_fields__)


def test_every_setting_says_what_it_means() -> None:
    """A sentence, known rules, a group; two settings never share a sentence."""
    assert len({field.meaning for field in fields().values()}) == len(fields())
    for field in fields().values():
        assert field.meaning.endswith(".") and field.group, field.name
        assert field.rules and all(rule in RULES or re.fullmatch(r"SRC-\d", rule) for rule in field.rules), field.name


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"proxy_mode": "ebpf"}, "proxy_mode", 'Unsupported value: "ebpf": supported values: "iptables", "ipvs"'),
        ({"hairpin": "yes"}, "hairpin", "must be true or false"),
        ({"hairpin": 1}, "hairpin", "must be true or false"),
        ({"mtu": True}, "mtu", "must be a whole number"),
        ({"mtu": 100}, "mtu", "must be between 576 and 65535, inclusive"),
        ({"min_sync_period": -1}, "min_sync_period", "must be between 0 and 3600, inclusive"),
        ({"nodeport_range": [5, 4]}, "nodeport_range", "the lower first"),
        ({"cluster_cidr": "10.0.0.0/8,10.1.0.0/16"}, "cluster_cidr", "one IPv4 and one IPv6"),
        ({"cluster_cidr": "10.0.0.0/33"}, "cluster_cidr", "must be a valid CIDR value"),
        ({"service_cidr": "10.96.0.10"}, "service_cidr", "must have a prefix length"),
        ({"dns_ip": "10.97.0.10", "service_cidr": "10.96.0.0/16"}, "dns_ip", "The range of valid IPs is 10.96.0.0/16"),
        ({"cluster_cidr": "10.0.0.0/28", "node_mask": 24}, "node_mask", "prefix length of 10.0.0.0/28"),
        ({"direct_routing": True, "network": "wireguard"}, "direct_routing", "supported by vxlan and ipip"),
        ({"cluster_domain": "a..b"}, "cluster_domain", "must be a DNS name"),
        ({"dns_upstream": "9.9.9.9"}, "dns_upstream", "must be a list of strings"),
        ({"dns_upstream": ["9.9.9"]}, "dns_upstream[0]", "must be a valid IP address"),
        ({"nodeport_addresses": ["all"]}, "nodeport_addresses[0]", "or primary"),
        ({"client_ip": "here"}, "client_ip", "must be a valid IP address"),
        ({"gateway_class": "My Class"}, "gateway_class", "a lowercase RFC 1123 subdomain must consist of"),
        ({"ingress_class": "nginx/"}, "ingress_class", "a lowercase RFC 1123 subdomain must consist of"),
        ({"gateway_controller": "envoy"}, "gateway_controller", "must be a domain-prefixed path"),
        ({"proxymode": "ipvs"}, "proxymode", "unknown field 'proxymode': allowed are node_cidr, "),
    ],
)
def test_wrong_settings_are_told(values: dict[str, Any], field: str, message: str) -> None:
    """Field, value and what is allowed."""
    found = check_settings(values)
    assert [flaw.field for flaw in found] == [field] and message in found[0].message


def test_sound_settings_pass_and_come_back() -> None:
    """Plain data of any settings makes the same settings again."""
    for settings in (Settings(), Settings(network="geneve", nodeport_addresses=("primary", "10.0.0.0/8"), ndots=1)):
        assert check_settings(plain(settings)) == []
        assert msgspec.convert(differing(settings), Settings) == settings


@pytest.mark.parametrize(
    ("cidr", "expected"),
    [("10.96.0.0/12", (4,)), ("10.96.0.0/12,fd00::/108", (4, 6)), ("fd00::/108, 10.96.0.0/12", (6, 4))],
)
def test_families(cidr: str, expected: tuple[int, ...]) -> None:
    """SVC-16: the order of the Service CIDRs, primary first."""
    assert Settings(service_cidr=cidr).families == expected
