"""Traces whose captures the tests look at: one for each kind of path, protocol and outcome."""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Cluster, Settings, Trace
from clusterviz.engine.settings import Network
from tests.engine.world import ask, base, build, node, pod, policy, service

DNS = service("kube-system/kube-dns", clusterIP="10.96.0.10", selector={"app": "dns"})
DNS["spec"]["ports"] = [{"name": "dns", "port": 53, "protocol": "UDP"}]
BALANCED = service("shop/front", app="web", type="LoadBalancer", clusterIP="10.96.0.22")
BALANCED["spec"]["ports"][0]["nodePort"] = 30080
BALANCED["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.9"}]}}
ENTRY = service("ingress/ctl", app="ingress-nginx", type="LoadBalancer", target=80, clusterIP="10.96.0.23")
ENTRY["spec"]["ports"] = [
    {"name": "http", "port": 80, "targetPort": 80},
    {"name": "https", "port": 443, "targetPort": 443},
]
ENTRY["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.10"}]}}


def ingress(host: str, backend: str) -> dict[str, Any]:
    to = {"service": {"name": backend, "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": host.partition(".")[0], "namespace": "shop"},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": to}]}}],
        },
    }


def cluster(settings: Settings | None = None) -> Cluster:
    """The classroom cluster with DNS, doors to the outside, a wall around spy, and a Service with nobody behind it."""
    return build(
        DNS,
        pod("kube-system/dns", "10.244.2.9", "n3", app="dns", ports=(53,)),
        BALANCED,
        ENTRY,
        ingress("web.example.com", "web"),
        ingress("none.example.com", "none"),
        service("shop/none", app="none", clusterIP="10.96.0.40"),
        policy("spy/shut", "spy", policyTypes=["Egress"], egress=[]),
        policy("shop/db", "db", policyTypes=["Ingress"], ingress=[]),
        settings=settings,
    )


def six() -> Cluster:
    """Two nodes and three pods that speak IPv6 only."""
    return Cluster.from_objects(
        [
            node("n1", podCIDR="fd00:10:244::/64")
            | {"status": {"addresses": [{"type": "InternalIP", "address": "fd00:10::11"}]}},
            node("n2", podCIDR="fd00:10:244:1::/64")
            | {"status": {"addresses": [{"type": "InternalIP", "address": "fd00:10::12"}]}},
            pod("shop/client", "fd00:10:244::3", "n1", app="client"),
            pod("shop/web-1", "fd00:10:244::2", "n1", app="web"),
            pod("shop/web-2", "fd00:10:244:1::2", "n2", app="web"),
            service("shop/web", app="web", clusterIP="fd00:10:96::20"),
        ],
        Settings(
            node_cidr="fd00:10::/64",
            cluster_cidr="fd00:10:244::/56",
            node_mask=64,
            service_cidr="fd00:10:96::/112",
            dns_ip="fd00:10:96::10",
        ),
    )


QUESTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("same node", "shop/client", "10.244.0.2:8080", ""),
    ("other node", "shop/client", "10.244.1.2:8080", ""),
    ("service by name", "shop/client", "http://web/", ""),
    ("hairpin", "shop/web-1", "http://10.96.0.20/", ""),
    ("node to service", "node/n1", "10.96.0.20:80", ""),
    ("node port", "internet", "192.168.0.13:30080", ""),
    ("load balancer", "internet", "http://198.51.100.9/", ""),
    ("ingress", "internet", "http://web.example.com/", ""),
    ("ingress over TLS", "internet", "https://web.example.com/", ""),
    ("ingress 503", "internet", "http://none.example.com/", ""),
    ("ingress 404", "internet", "http://198.51.100.10/", ""),
    ("egress", "shop/client", "https://203.0.113.80/", ""),
    ("no endpoints", "shop/client", "http://none/", ""),
    ("policy", "shop/client", "10.96.0.30:5432", ""),
    ("dns blocked", "spy/spy-1", "http://web.shop/", ""),
    ("no such name", "shop/client", "http://nope/", ""),
    ("refused", "shop/client", "10.244.1.2:99", ""),
    ("udp", "shop/client", "10.244.1.2:8080", "UDP"),
    ("udp refused", "shop/client", "10.244.0.2:99", "UDP"),
    ("ping", "shop/client", "10.244.1.2", "ICMP"),
    ("ping a VIP", "shop/client", "10.96.0.20", "ICMP"),
    ("sctp", "shop/client", "10.244.1.2:99", "SCTP"),
    ("loopback", "shop/client", "127.0.0.1:8080", ""),
    ("pod to its node", "shop/client", "192.168.0.11:30080", ""),
)


def traces() -> dict[str, Trace]:
    """One trace a question, some in both kinds of network, and some over IPv6."""
    found = {title: ask(cluster(), source, to, seed=4, protocol=proto) for title, source, to, proto in QUESTIONS}
    networks: tuple[Network, ...] = ("host-gw", "wireguard", "ipip", "geneve", "udp")
    for network in networks:
        found[f"other node by {network}"] = ask(cluster(Settings(network=network)), "shop/client", "10.244.1.2:8080")
        found[f"policy by {network}"] = ask(cluster(Settings(network=network)), "shop/client", "10.96.0.30:5432")
    for title, to, proto in (
        ("tcp", "[fd00:10:244:1::2]:8080", ""),
        ("ping", "fd00:10:244:1::2", "ICMP"),
        ("udp", "[fd00:10:244::2]:99", "UDP"),
    ):
        found[f"IPv6 {title}"] = ask(six(), "shop/client", to, protocol=proto)
    for seed in range(2):
        found[f"IPv6 service {seed}"] = ask(six(), "shop/client", "http://web/", seed=seed)
    return found


__all__ = ["ask", "base", "cluster", "six", "traces"]
