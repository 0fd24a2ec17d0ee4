"""What stands in the nftables table on every node, whatever Services there are (NFT-01, NFT-02)."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.proxyrules.nftnames import TABLE, quoted, sources
from clusterviz.engine.proxyrules.nfttable import NftTable

CLUSTER_IPS = "cluster-ips"
NODEPORT_IPS = "nodeport-ips"
FIREWALL_IPS = "firewall-ips"
NO_ENDPOINT_NODEPORTS = "no-endpoint-nodeports"
NO_ENDPOINT_SERVICES = "no-endpoint-services"
SERVICE_IPS = "service-ips"
SERVICE_NODEPORTS = "service-nodeports"
MARK = "mark-for-masquerade"
REJECT = "reject-chain"
SERVICES = "services"
NEW = "ct state new"
PORT = "meta l4proto . th dport vmap"
MASQUERADE_MARK = "0x00004000"

# name -> (type and hook, the jumps it holds); filters of the destination as it was sent run before translation,
# those that may reject after it.
BASE_CHAINS: dict[str, tuple[str, tuple[str, ...]]] = {
    "filter-prerouting-pre-dnat": ("filter hook prerouting priority dstnat - 10", (f"{NEW} jump firewall-check",)),
    "filter-output-pre-dnat": ("filter hook output priority -110", (f"{NEW} jump firewall-check",)),
    "filter-forward": (
        "filter hook forward priority filter",
        (f"{NEW} jump service-endpoints-check", f"{NEW} jump cluster-ips-check"),
    ),
    "filter-input": (
        "filter hook input priority filter",
        (f"{NEW} jump nodeport-endpoints-check", f"{NEW} jump service-endpoints-check"),
    ),
    "filter-output": (
        "filter hook output priority filter",
        (f"{NEW} jump service-endpoints-check", f"{NEW} jump cluster-ips-check"),
    ),
    "nat-output": ("nat hook output priority -100", (f"jump {SERVICES}",)),
    "nat-postrouting": ("nat hook postrouting priority srcnat", ("jump masquerading",)),
    "nat-prerouting": ("nat hook prerouting priority dstnat", (f"jump {SERVICES}",)),
}


def frame(version: int, service_cidrs: tuple[str, ...], node_ports: Iterable[str] | None) -> NftTable:
    """The table without Services.

    ``node_ports`` are the addresses node ports answer on, None for every local one but loopback (PX-12).
    """
    table = NftTable(version, TABLE, "rules for kube-proxy")
    address = "every" if node_ports is None else "listed"
    _sets(table, node_ports)
    _checks(table, service_cidrs, address)
    for name, (hook, jumps) in BASE_CHAINS.items():
        table.chain(name, f"type {hook}; policy accept;", *jumps)
    table.add(MARK, f"meta mark set meta mark | {MASQUERADE_MARK}")
    table.add("masquerading", f"meta mark & {MASQUERADE_MARK} == 0x00000000 return")
    table.add("masquerading", f"meta mark set meta mark ^ {MASQUERADE_MARK}")
    table.add("masquerading", "masquerade fully-random")
    table.add(SERVICES, f"{table.family} daddr . {PORT} @{SERVICE_IPS}")
    local = "fib daddr type local" if node_ports is None else ""
    table.add(SERVICES, local, _node_port_match(table, address), f"{PORT} @{SERVICE_NODEPORTS}")
    return table


def _sets(table: NftTable, node_ports: Iterable[str] | None) -> None:
    """NFT-01."""
    service = f"type {table.address} . inet_proto . inet_service : verdict"
    node_port = "type inet_proto . inet_service : verdict"
    table.collect("set", CLUSTER_IPS, f"type {table.address}", quoted("Active ClusterIPs"))
    if node_ports is not None:
        table.collect("set", NODEPORT_IPS, f"type {table.address}", quoted("IPs that accept NodePort traffic"))
        for ip in node_ports:
            table.put(NODEPORT_IPS, ip)
    said = "destinations that are subject to LoadBalancerSourceRanges"
    table.collect("map", FIREWALL_IPS, service, quoted(said))
    said = "vmap to drop or reject packets to service nodeports with no endpoints"
    table.collect("map", NO_ENDPOINT_NODEPORTS, node_port, quoted(said))
    said = "vmap to drop or reject packets to services with no endpoints"
    table.collect("map", NO_ENDPOINT_SERVICES, service, quoted(said))
    table.collect("map", SERVICE_IPS, service, quoted("ClusterIP, ExternalIP and LoadBalancer IP traffic"))
    table.collect("map", SERVICE_NODEPORTS, node_port, quoted("NodePort traffic"))


def _checks(table: NftTable, service_cidrs: tuple[str, ...], address: str) -> None:
    """The chains that refuse and drop (PX-11, PX-07, SVC-17)."""
    daddr = f"{table.family} daddr"
    said = quoted("Reject traffic to invalid ports of ClusterIPs")
    table.add("cluster-ips-check", f"{daddr} @{CLUSTER_IPS} reject {said}")
    if service_cidrs:
        said = quoted("Drop traffic to unallocated ClusterIPs")
        table.add("cluster-ips-check", f"{daddr} {sources(service_cidrs, ())} drop {said}")
    table.add("firewall-check", f"{daddr} . {PORT} @{FIREWALL_IPS}")
    table.add("nodeport-endpoints-check", _node_port_match(table, address), f"{PORT} @{NO_ENDPOINT_NODEPORTS}")
    table.chain(REJECT, quoted("helper for @no-endpoint-services / @no-endpoint-nodeports"), "reject")
    table.add("service-endpoints-check", f"{daddr} . {PORT} @{NO_ENDPOINT_SERVICES}")


def _node_port_match(table: NftTable, address: str) -> str:
    if address == "listed":
        return f"{table.family} daddr @{NODEPORT_IPS}"
    return f"{table.family} daddr != {'::1' if table.family == 'ip6' else '127.0.0.0/8'}"
