"""Cluster settings: what the objects themselves do not say about a network."""

from __future__ import annotations

from typing import Literal

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a cluster's network is set up. Addresses are CIDR or IP strings.

    Defaults are the reference world of docs/rules.md: pods 10.244.0.0/16 with a /24 a node,
    Services 10.96.0.0/12, DNS 10.96.0.10, kube-proxy in iptables mode, a VXLAN overlay.
    """

    node_cidr: str = "192.168.0.0/24"
    cluster_cidr: str = "10.244.0.0/16"
    node_mask: int = 24
    service_cidr: str = "10.96.0.0/12"
    dns_ip: str = "10.96.0.10"
    cluster_domain: str = "cluster.local"
    dns_pod_mode: Literal["disabled", "insecure", "verified"] = "insecure"
    dns_ttl: int = 30
    ndots: int = 5
    proxy_mode: Literal["iptables", "nftables", "ipvs"] = "iptables"
    detect_local: bool = True
    masquerade_all: bool = False
    nodeport_range: tuple[int, int] = (30000, 32767)
    nodeport_addresses: tuple[str, ...] = ()
    localhost_nodeports: bool = True
    network: Literal["vxlan", "host-gw"] = "vxlan"
    vxlan_port: int = 8472
    vni: int = 1
    mtu: int = 1500
    hairpin: bool = True
    enforce_policies: bool = True
    egress_nat: bool = True
    load_balancer_provider: bool = True
    load_balancer_cidr: str = "198.51.100.0/24"
    client_ip: str = "203.0.113.7"

    @property
    def pod_mtu(self) -> int:
        """MTU inside pods: 50 bytes less behind VXLAN over IPv4 (NET-07)."""
        return self.mtu - 50 if self.network == "vxlan" else self.mtu
