"""Cluster settings: what the objects themselves do not say about a network.

Every field carries its meaning (`about`), which forms, the dashboard and docs show; limits that
msgspec cannot express are in `clusterviz.engine.settings_check`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from clusterviz.engine.addresses import family, in_any, in_cidr, listed, nth

Network = Literal["vxlan", "host-gw", "wireguard", "ipip", "geneve", "udp"]

# Bytes an encapsulation costs over IPv4; over IPv6 the outer header is 20 bytes longer (NET-07, NET-12).
OVERHEAD: dict[str, int] = {"host-gw": 0, "vxlan": 50, "geneve": 50, "wireguard": 60, "ipip": 20, "udp": 28}
# UDP port of an encapsulation whose port is not a setting; IP-in-IP is protocol 4 and has none (NET-12).
PORTS: dict[str, int] = {"wireguard": 51820, "geneve": 6081, "udp": 8285}

DEVICES: dict[str, str] = {
    "wireguard": "flannel-wg",
    "ipip": "flannel.ipip",
    "udp": "flannel0",
    "geneve": "genev_sys_6081",
}


def about(group: str, text: str, *rules: str, **limits: Any) -> msgspec.Meta:
    """What a setting means: the group it is shown in, one sentence, the rules it stands for, its limits."""
    return msgspec.Meta(description=text, extra={"group": group, "rules": rules}, **limits)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a cluster's network is set up. Addresses are CIDR or IP strings, several with commas between.

    Defaults are the reference world of docs/rules.md: pods 10.244.0.0/16 with a /24 a node,
    Services 10.96.0.0/12, DNS 10.96.0.10, kube-proxy in iptables mode, a VXLAN overlay.
    """

    node_cidr: Annotated[str, about("Addresses", "Network of the nodes; one CIDR a segment.", "NET-11")] = (
        "192.168.0.0/24"
    )
    cluster_cidr: Annotated[
        str, about("Addresses", "Addresses of pods, one CIDR a family; two make the cluster dual-stack.", "IPM-01")
    ] = "10.244.0.0/16"
    node_mask: Annotated[
        int, about("Addresses", "Prefix length of a node's IPv4 block of pod addresses.", "IPM-01", ge=9, le=30)
    ] = 24
    service_cidr: Annotated[str, about("Addresses", "Addresses of Services, one CIDR a family.", "SVC-02")] = (
        "10.96.0.0/12"
    )
    mtu: Annotated[int, about("Pod network", "Largest packet of the node network.", "NET-07", ge=576, le=65535)] = 1500
    network: Annotated[
        Network,
        about("Pod network", "How a packet for a pod of another node travels.", "NET-06", "NET-11", "NET-12"),
    ] = "vxlan"
    direct_routing: Annotated[
        bool,
        about("Pod network", "Nodes of one segment route to each other, only others are encapsulated.", "NET-11"),
    ] = False
    vxlan_port: Annotated[
        int, about("Pod network", "UDP port of VXLAN: 8472 on Linux, 4789 by IANA.", "NET-08", ge=1, le=65535)
    ] = 8472
    vni: Annotated[
        int, about("Pod network", "Number of the VXLAN or Geneve network.", "NET-08", ge=1, le=2**24 - 1)
    ] = 1
    hairpin: Annotated[
        bool, about("Pod network", "A bridge port sends back where a frame came from: a pod reaches itself.", "NET-04")
    ] = True
    host_ports: Annotated[
        bool, about("Pod network", "The network plugin forwards a container's hostPort to it.", "NET-02")
    ] = True
    egress_nat: Annotated[
        bool, about("Pod network", "What leaves the cluster gets the node's address.", "EGR-01", "EGR-05")
    ] = True
    enforce_policies: Annotated[bool, about("Pod network", "The network plugin enforces NetworkPolicies.", "NP-24")] = (
        True
    )
    policies_cut_connections: Annotated[
        bool, about("Pod network", "A NetworkPolicy that comes stops connections that are open, too.", "NP-22")
    ] = False
    proxy_mode: Annotated[
        Literal["iptables", "nftables", "ipvs"],
        about("kube-proxy", "How kube-proxy translates.", "PX-11", "PX-12", "NFT-07", "IPV-01"),
    ] = "iptables"
    ipvs_scheduler: Annotated[
        Literal["rr", "lc", "dh", "sh", "sed", "nq"], about("kube-proxy", "How IPVS picks an endpoint.", "IPV-01")
    ] = "rr"
    detect_local: Annotated[
        bool, about("kube-proxy", "kube-proxy tells pods from others; off: everybody is one.", "PX-08")
    ] = True
    detect_local_mode: Annotated[
        Literal["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"],
        about("kube-proxy", "By what: all pods by address, or the node's own by address or interface.", "PX-08"),
    ] = "ClusterCIDR"
    detect_local_interface: Annotated[
        str,
        about(
            "kube-proxy",
            "Name of the pods' bridge, or what names of their interfaces begin with; pods here come in by cni0.",
            "PX-08",
            "NET-04",
            min_length=1,
            max_length=15,
            pattern=r"^[A-Za-z0-9_.-]+$",
        ),
    ] = "cni0"
    masquerade_all: Annotated[bool, about("kube-proxy", "Every connection to a ClusterIP is masqueraded.", "PX-08")] = (
        False
    )
    nodeport_range: Annotated[tuple[int, int], about("kube-proxy", "First and last NodePort.", "SVC-04")] = (
        30000,
        32767,
    )
    nodeport_addresses: Annotated[
        tuple[str, ...],
        about("kube-proxy", "CIDRs of node addresses with NodePorts, or primary; none: the mode's own.", "PX-12"),
    ] = ()
    localhost_nodeports: Annotated[
        bool, about("kube-proxy", "NodePorts answer on 127.0.0.1 (iptables mode, IPv4).", "PX-12", "PX-13")
    ] = True
    min_sync_period: Annotated[
        float, about("kube-proxy", "Seconds between two updates of a node's rules.", "PX-18", ge=0, le=3600)
    ] = 1.0
    dns_ip: Annotated[str, about("DNS", "Address of the cluster's DNS Service.", "DNS-11", "DNS-14")] = "10.96.0.10"
    cluster_domain: Annotated[str, about("DNS", "Zone of the cluster's names.", "DNS-01", "DNS-11")] = "cluster.local"
    dns_pod_mode: Annotated[
        Literal["disabled", "insecure", "verified"], about("DNS", "Which names of pods are answered.", "DNS-08")
    ] = "insecure"
    dns_ttl: Annotated[int, about("DNS", "Seconds an answer may be kept.", "DNS-09", ge=0, le=3600)] = 30
    ndots: Annotated[
        int, about("DNS", "Dots a name needs to be asked as it is first.", "DNS-11", "DNS-12", ge=0, le=15)
    ] = 5
    dns_search: Annotated[
        tuple[str, ...], about("DNS", "Search suffixes of the nodes' own resolv.conf.", "DNS-11", "DNS-15")
    ] = ()
    dns_upstream: Annotated[
        tuple[str, ...],
        about("DNS", "Nameservers of the nodes, asked for names outside; none: the node network's first.", "DNS-15"),
    ] = ()
    dns_synced: Annotated[bool, about("DNS", "CoreDNS has read the cluster; off: SERVFAIL.", "DNS-10")] = True
    dns_ignore_empty_service: Annotated[
        bool, about("DNS", "A Service without ready endpoints has no name.", "DNS-10")
    ] = False
    dns_fallthrough: Annotated[
        tuple[str, ...],
        about("DNS", "Zones in which unknown names are passed on to the nameservers; a dot is every zone.", "DNS-07"),
    ] = ()
    dns_endpoint_pod_names: Annotated[
        bool, about("DNS", "Endpoints without hostname are named after their pod.", "DNS-03")
    ] = False
    ingress_class: Annotated[
        str, about("Edge", "Class of Ingresses that name none, where no IngressClass is the default.", "ING-01")
    ] = ""
    ingress_controller: Annotated[
        str,
        about("Edge", "spec.controller of the Ingress controllers that run; none: of every class.", "ING-01"),
    ] = ""
    gateway_class: Annotated[
        str, about("Edge", "Name of a Gateway class that is served without a GatewayClass object.", "GW-13")
    ] = ""
    gateway_controller: Annotated[
        str,
        about("Edge", "controllerName of the Gateway controllers that run; none: of every class.", "GW-13"),
    ] = ""
    load_balancer_provider: Annotated[
        bool, about("Edge", "Somebody gives LoadBalancer Services an address.", "SVC-06")
    ] = True
    load_balancer_cidr: Annotated[str, about("Edge", "Addresses the provider gives.", "SVC-06")] = "198.51.100.0/24"
    client_ip: Annotated[str, about("Edge", "Address of the client in the internet.", "SRC-5")] = "203.0.113.7"

    @property
    def families(self) -> tuple[int, ...]:
        """4, 6 or both, the primary first: the families of the Service addresses (SVC-16)."""
        return tuple(dict.fromkeys(family(cidr) for cidr in listed(self.service_cidr)))

    @property
    def nameservers(self) -> tuple[str, ...]:
        """Nameservers in the nodes' resolv.conf: those given, else the gateway of the node network (DNS-15)."""
        return self.dns_upstream or (nth(listed(self.node_cidr)[0], 1),)

    @property
    def encapsulated(self) -> bool:
        """Whether there is an overlay at all (NET-11)."""
        return self.network != "host-gw"

    @property
    def carries_frames(self) -> bool:
        """Whether the overlay carries whole Ethernet frames; others carry IP packets (NET-07, NET-12)."""
        return self.network in ("vxlan", "geneve")

    @property
    def overlay_device(self) -> str:
        """Name of the overlay's device on a node, as flannel and Open vSwitch call it; "" without one (NET-09)."""
        return f"flannel.{self.vni}" if self.network == "vxlan" else DEVICES.get(self.network, "")

    def one_segment(self, near: str, far: str) -> bool:
        """Whether two nodes reach each other without a router; so, unless ``node_cidr`` parts them (NET-11)."""
        parts = [part for part in listed(self.node_cidr) if family(part) == family(near)]
        return (
            len(parts) < 2
            or not in_any(near, ",".join(parts))
            or any(in_cidr(near, part) and in_cidr(far, part) for part in parts)
        )

    @property
    def overlay_port(self) -> int:
        """UDP port of the encapsulation; 0 when it has none (NET-08, NET-12)."""
        return self.vxlan_port if self.network == "vxlan" else PORTS.get(self.network, 0)

    def overhead(self, version: int = 4) -> int:
        """Bytes the encapsulation adds between nodes of this family (NET-07, NET-12)."""
        cost = OVERHEAD[self.network]
        return cost + 20 if cost and version == 6 else cost

    @property
    def pod_mtu(self) -> int:
        """MTU inside pods; WireGuard leaves room for an IPv6 outer header in any case (NET-07, NET-12)."""
        version = family(self.node_cidr.split(",", maxsplit=1)[0].strip())
        return self.mtu - self.overhead(6 if self.network == "wireguard" else version)
