"""The elements, chains and sets of one Service port in nftables mode (NFT-03..06)."""

from __future__ import annotations

import msgspec

from clusterviz.engine.addresses import family, in_cidr
from clusterviz.engine.objects import Node
from clusterviz.engine.proxyrules.backends import Backend
from clusterviz.engine.proxyrules.detector import Detector
from clusterviz.engine.proxyrules.nftframe import (
    CLUSTER_IPS,
    FIREWALL_IPS,
    MARK,
    NO_ENDPOINT_NODEPORTS,
    NO_ENDPOINT_SERVICES,
    REJECT,
    SERVICE_IPS,
    SERVICE_NODEPORTS,
)
from clusterviz.engine.proxyrules.nftnames import duration, endpoint_path, hashed, port_path, quoted, sources
from clusterviz.engine.proxyrules.nfttable import NftTable
from clusterviz.engine.proxyrules.service import Portal


class NftPortal(msgspec.Struct, frozen=True):
    """A Service port with its names and what kube-proxy was started with."""

    portal: Portal
    pods: Detector
    masquerade_all: bool

    @property
    def path(self) -> str:
        """``namespace/service/protocol/port``."""
        service, port = self.portal.service, self.portal.port
        return port_path(service.namespace, service.name, port.protocol, port.name)

    def chain(self, kind: str) -> str:
        """The chains service-, local-, external- and firewall- of a port share one hash."""
        return f"{kind}-{hashed(self.path)}"

    def endpoint(self, kind: str, backend: Backend) -> str:
        """Chain endpoint- and set affinity- of one endpoint."""
        return f"{kind}-{hashed(endpoint_path(self.path, backend.endpoint.ip, backend.port))}"

    def key(self, ip: str) -> str:
        """The element of an address and the Service's port."""
        return f"{ip} . {self.portal.protocol} . {self.portal.port.port}"

    @property
    def node_port_key(self) -> str:
        """The element of the node port."""
        return f"{self.portal.protocol} . {self.portal.port.node_port}"

    def refusal(self) -> str:
        """Comment and verdict of an address with nowhere to send: nobody anywhere, or nobody here (PX-07)."""
        verdict = "drop" if self.portal.lists.anywhere else f"goto {REJECT}"
        return f"{quoted(self.portal.name)} : {verdict}"


def put_cluster_ip(port: NftPortal, table: NftTable) -> None:
    """The ClusterIP in its set and in one of the two maps; before every other address, which it beats."""
    portal = port.portal
    table.put(CLUSTER_IPS, portal.cluster_ip)
    if portal.internal_open:
        chain = port.chain("local" if portal.internal_local else "service")
        table.put(SERVICE_IPS, port.key(portal.cluster_ip), f": goto {chain}")
    else:
        table.put(NO_ENDPOINT_SERVICES, port.key(portal.cluster_ip), port.refusal())


def put_others(port: NftPortal, table: NftTable) -> None:
    """External addresses, those of load balancers and the node port."""
    portal, chain = port.portal, f": goto {port.chain('external')}"
    for ip in (*portal.external_ips, *portal.lb_ips):
        if portal.lists.anywhere:
            table.put(SERVICE_IPS, port.key(ip), chain)
        if not portal.external_open:
            table.put(NO_ENDPOINT_SERVICES, port.key(ip), port.refusal())
    if portal.ranges:
        for ip in portal.lb_ips:
            table.put(FIREWALL_IPS, port.key(ip), f": goto {port.chain('firewall')}")
    if portal.port.node_port:
        if portal.lists.anywhere:
            table.put(SERVICE_NODEPORTS, port.node_port_key, chain)
        if not portal.external_open:
            table.put(NO_ENDPOINT_NODEPORTS, port.node_port_key, port.refusal())


def write_chains(port: NftPortal, node: Node, table: NftTable) -> None:
    """Everything the elements lead to."""
    if port.portal.service.affinity:
        _affinity_sets(port, table)
    write_front(port, node, table)
    for backend in port.portal.lists.reachable:
        _endpoint(port, backend, table)


def behind(port: NftPortal) -> tuple[int, int]:
    """How many lines `write_chains` adds for endpoints: of their sets and of their chains, each with a blank one."""
    count, affinity = len(port.portal.lists.reachable), port.portal.service.affinity
    return (7 * count, 6 * count) if affinity else (0, 5 * count)


def write_front(port: NftPortal, node: Node, table: NftTable) -> None:
    """The chains of one Service port before those of its endpoints."""
    portal = port.portal
    _masquerade(port, table)
    _pick(port, port.chain("service"), portal.lists.cluster, table)
    _pick(port, port.chain("local"), portal.lists.local, table)
    if portal.lists.anywhere and portal.external:
        _external(port, table)
    if portal.ranges and portal.lb_ips:
        _firewall(port, node, table)


def _affinity_sets(port: NftPortal, table: NftTable) -> None:
    """Who was sent to an endpoint, for as long as the timeout says (NFT-06)."""
    timeout = f"timeout {duration(port.portal.service.affinity_timeout)}"
    for backend in port.portal.lists.reachable:
        name = port.endpoint("affinity", backend)
        table.collect("set", name, f"type {table.address}", "size 65535", "flags dynamic,timeout", timeout)


def _masquerade(port: NftPortal, table: NftTable) -> None:
    """What reaches the ClusterIP from elsewhere than a pod (PX-08, NFT-05)."""
    portal = port.portal
    if not portal.internal_open or not (port.pods or port.masquerade_all):
        return
    chain = port.chain("local" if portal.internal_local else "service")
    strangers = "" if port.masquerade_all else port.pods.nftables(table.family, others=True)
    table.add(chain, f"{table.family} daddr {portal.cluster_ip}", strangers, f"jump {MARK}")


def _pick(port: NftPortal, chain: str, backends: tuple[Backend, ...], table: NftTable) -> None:
    """Remembered clients first, then one number for each endpoint (NFT-04, NFT-06)."""
    if not backends:
        return
    if port.portal.service.affinity:
        for backend in backends:
            known = f"{table.family} saddr @{port.endpoint('affinity', backend)}"
            table.add(chain, known, f"goto {port.endpoint('endpoint', backend)}")
    ways = [f"{index} : goto {port.endpoint('endpoint', backend)}" for index, backend in enumerate(backends)]
    table.add(chain, f"numgen random mod {len(backends)} vmap {{ {', '.join(ways)} }}")


def _external(port: NftPortal, table: NftTable) -> None:
    """What comes for any address but the ClusterIP (PX-04, PX-05)."""
    portal, chain, everywhere = port.portal, port.chain("external"), f"goto {port.chain('service')}"
    if not portal.external_local:
        table.add(chain, f"jump {MARK}")
    else:
        own = "fib saddr type local"
        if port.pods:
            said = quoted("short-circuit pod traffic")
            table.add(chain, f"{port.pods.nftables(table.family)} {everywhere} {said}")
        table.add(chain, own, f"jump {MARK}", quoted("masquerade local traffic"))
        table.add(chain, own, everywhere, quoted("short-circuit local traffic"))
    if portal.external_open:
        table.add(chain, f"goto {port.chain('local')}" if portal.external_local else everywhere)


def _firewall(port: NftPortal, node: Node, table: NftTable) -> None:
    """Who may use a load balancer's address (SVC-17); the address itself when the node may (PX-20)."""
    portal = port.portal
    own = next((ip for ip in node.ips if family(ip) == family(portal.cluster_ip)), "")
    admitted = portal.lb_ips if any(in_cidr(own, cidr) for cidr in portal.ranges) else ()
    table.add(port.chain("firewall"), f"{table.family} saddr != {sources(portal.ranges, admitted)} drop")


def _endpoint(port: NftPortal, backend: Backend, table: NftTable) -> None:
    """Hairpin mark, client remembered, translation (PX-06, NFT-05)."""
    chain, saddr = port.endpoint("endpoint", backend), f"{table.family} saddr"
    table.add(chain, f"{saddr} {backend.endpoint.ip} jump {MARK}")
    if port.portal.service.affinity:
        table.add(chain, f"update @{port.endpoint('affinity', backend)} {{ {saddr} }}")
    table.add(chain, f"meta l4proto {port.portal.protocol} dnat to {backend.address}")
