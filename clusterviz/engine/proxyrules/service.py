"""The rules of one Service port (IPT-02..11)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from clusterviz.engine.addresses import family, in_cidr
from clusterviz.engine.objects import Node, Service, ServicePort
from clusterviz.engine.proxyrules.backends import Backend, Lists
from clusterviz.engine.proxyrules.detector import Detector
from clusterviz.engine.proxyrules.names import (
    EXTERNAL,
    MARK_MASQ,
    NODEPORTS,
    PROXY_FIREWALL,
    SERVICES,
    comment,
    digest,
    host,
    port_digest,
    probability,
)
from clusterviz.engine.proxyrules.table import Table

LOCALHOST_COUNTER = "localhost_nps_accepted_pkts"
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What kube-proxy was started with, as far as its rules show it.

    ``pods`` is how it tells pods; ``localhost`` 4 means node ports on 127.0.0.0/8.
    """

    version: int
    pods: Detector
    masquerade_all: bool
    localhost: bool
    accounting: bool
    large: bool


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """A Service port as one family of kube-proxy sees it."""

    service: Service
    port: ServicePort
    cluster_ip: str
    external_ips: tuple[str, ...]
    lb_ips: tuple[str, ...]
    ranges: tuple[str, ...]
    lists: Lists

    @property
    def name(self) -> str:
        """``namespace/name:portname``, an unnamed port without the colon (SVC-19)."""
        full = f"{self.service.namespace}/{self.service.name}"
        return f"{full}:{self.port.name}" if self.port.name else full

    @property
    def protocol(self) -> str:
        """As iptables writes it."""
        return self.port.protocol.lower()

    def chain(self, kind: str) -> str:
        """KUBE-SVC, SVL, EXT and FW of this port share one hash (IPT-14)."""
        return f"KUBE-{kind}-{port_digest(self.name, self.protocol)}"

    def endpoint_chain(self, backend: Backend) -> str:
        """KUBE-SEP of one endpoint (IPT-14)."""
        return f"KUBE-SEP-{digest(self.name, self.protocol, backend.address)}"

    @property
    def internal_local(self) -> bool:
        """The ClusterIP leads to this node's endpoints only (PX-03)."""
        return self.service.internal_policy == "Local"

    @property
    def external_local(self) -> bool:
        """The other addresses do (PX-05); a Service that has none has no such policy (EPS-08)."""
        return self.service.external_policy == "Local" and self.external

    @property
    def external(self) -> bool:
        """Reachable from outside the cluster at all."""
        return bool(self.port.node_port or self.external_ips or self.lb_ips)

    @property
    def internal_open(self) -> bool:
        """Whether there is somewhere to send what comes for the ClusterIP."""
        return bool(self.lists.local) if self.internal_local else self.lists.anywhere

    @property
    def external_open(self) -> bool:
        """Whether there is somewhere to send what comes from outside."""
        return bool(self.lists.local) if self.external_local else self.lists.anywhere

    def refusal(self) -> tuple[str, str]:
        """Comment and target of the filter rule for an address without endpoints (IPT-11)."""
        if self.lists.anywhere:
            return comment(f"{self.name} has no local endpoints"), "-j DROP"
        reason = "icmp6-port-unreachable" if family(self.cluster_ip) == 6 else "icmp-port-unreachable"
        return comment(f"{self.name} has no endpoints"), f"-j REJECT --reject-with {reason}"

    def aim(self, ip: str, text: str, others: Detector | None = None) -> str:
        """The match of a packet for ``ip`` and the Service's port; with ``others`` from anybody but its pods."""
        words = [f"-d {host(ip)}"]
        if others is not None:  # iptables prints a source before the destination, an interface behind it
            words.insert(0 if others.cidr else 1, f"! {others.iptables}")
        return self.match(" ".join(words), text, self.port.port)

    def match(self, addresses: str, text: str, port: int, between: str = "") -> str:
        """Addresses, protocol, comment and port in the order iptables prints them."""
        words = (addresses, f"-p {self.protocol}", text, between, f"-m {self.protocol} --dport {port}")
        return " ".join(word for word in words if word)


def uses_cluster_list(service: Service, *, external: bool) -> bool:
    """Also with both policies Local, when it can be reached from outside: for the short cut (EPS-08)."""
    return service.internal_policy != "Local" or external


def uses_local_list(service: Service, *, external: bool) -> bool:
    """Whether some policy of the Service says Local and means something."""
    return service.internal_policy == "Local" or (service.external_policy == "Local" and external)


def write(portal: Portal, node: Node, flags: Flags, nat: Table, filters: Table) -> None:
    """All rules of one Service port, in kube-proxy's order."""
    write_front(portal, node, flags, nat, filters)
    _pick(portal, portal.chain("SVC"), portal.lists.cluster, flags, nat)
    _pick(portal, portal.chain("SVL"), portal.lists.local, flags, nat)
    for backend in portal.lists.reachable:
        _endpoint(portal, backend, flags, nat)


def behind(portal: Portal) -> Iterator[tuple[str, int]]:
    """How many rules `write` adds for endpoints, by chain: those of `_pick` and `_endpoint`, which grow with them."""
    each = 2 if portal.service.affinity else 1
    for kind, backends in (("SVC", portal.lists.cluster), ("SVL", portal.lists.local)):
        if backends:
            yield portal.chain(kind), each * len(backends)
    name = f"{portal.name}{portal.protocol}"
    for backend in portal.lists.reachable:
        yield f"KUBE-SEP-{digest(name, backend.address)}", 2


def front(portal: Portal, flags: Flags, nat: dict[str, int], filters: dict[str, int]) -> bool:
    """Add how many rules `write_front` makes of a port that has a ClusterIP alone, by chain; False for any other."""
    if portal.external or portal.service.health_check_port:
        return False
    if not portal.internal_open:
        filters[SERVICES] = filters.get(SERVICES, 0) + 1
        return True
    nat[SERVICES] = nat.get(SERVICES, 0) + 1
    if flags.masquerade_all or flags.pods:
        chain = portal.chain("SVL" if portal.internal_local else "SVC")
        nat[chain] = nat.get(chain, 0) + 1
    return True


def write_front(portal: Portal, node: Node, flags: Flags, nat: Table, filters: Table) -> None:
    """The rules of one Service port that do not grow with its endpoints."""
    _cluster_ip(portal, flags, nat, filters)
    _external_ips(portal, nat, filters)
    _load_balancer(portal, nat, filters)
    _node_port(portal, flags, nat, filters)
    _health_check(portal, filters)
    if portal.lists.anywhere and portal.external:
        _external_chain(portal, flags, nat)
    if _guarded(portal):
        _firewall_chain(portal, node, nat)


def _cluster_ip(portal: Portal, flags: Flags, nat: Table, filters: Table) -> None:
    """IPT-02, IPT-04, IPT-11."""
    if not portal.internal_open:
        text, target = portal.refusal()
        filters.add(SERVICES, portal.aim(portal.cluster_ip, text), target)
        return
    text = comment(f"{portal.name} cluster IP")
    chain = portal.chain("SVL" if portal.internal_local else "SVC")
    nat.add(SERVICES, portal.aim(portal.cluster_ip, text), f"-j {chain}")
    if flags.masquerade_all:
        nat.add(chain, portal.aim(portal.cluster_ip, text), f"-j {MARK_MASQ}")
    elif flags.pods:
        nat.add(chain, portal.aim(portal.cluster_ip, text, flags.pods), f"-j {MARK_MASQ}")


def _external_ips(portal: Portal, nat: Table, filters: Table) -> None:
    """IPT-02, IPT-11."""
    for ip in portal.external_ips:
        if portal.lists.anywhere:
            nat.add(SERVICES, portal.aim(ip, comment(f"{portal.name} external IP")), f"-j {portal.chain('EXT')}")
        _refuse_outside(portal, ip, filters)


def _load_balancer(portal: Portal, nat: Table, filters: Table) -> None:
    """IPT-02, IPT-10, IPT-11."""
    guarded = _guarded(portal)
    for ip in portal.lb_ips:
        if portal.lists.anywhere:
            chain = portal.chain("FW" if guarded else "EXT")
            nat.add(SERVICES, portal.aim(ip, comment(f"{portal.name} loadbalancer IP")), f"-j {chain}")
        if guarded:
            text = comment(f"{portal.name} traffic not accepted by {portal.chain('FW')}")
            filters.add(PROXY_FIREWALL, portal.aim(ip, text), "-j DROP")
    for ip in portal.lb_ips:
        _refuse_outside(portal, ip, filters)


def _refuse_outside(portal: Portal, ip: str, filters: Table) -> None:
    if not portal.external_open:
        text, target = portal.refusal()
        filters.add(EXTERNAL, portal.aim(ip, text), target)


def _node_port(portal: Portal, flags: Flags, nat: Table, filters: Table) -> None:
    """IPT-03, IPT-11."""
    port = portal.port.node_port
    if not port:
        return
    if portal.lists.anywhere:
        text, jump = comment(portal.name), f"-j {portal.chain('EXT')}"
        if flags.localhost and flags.accounting:
            counter = f"-m nfacct --nfacct-name {LOCALHOST_COUNTER}"
            nat.add(NODEPORTS, portal.match("-d 127.0.0.0/8", text, port), counter, jump)
        nat.add(NODEPORTS, portal.match("", text, port), jump)
    if not portal.external_open:
        text, target = portal.refusal()
        filters.add(EXTERNAL, portal.match("", text, port, "-m addrtype --dst-type LOCAL"), target)


def _health_check(portal: Portal, filters: Table) -> None:
    """The port is open whether or not this node has endpoints (PX-14)."""
    port = portal.service.health_check_port
    if port and portal.service.type == "LoadBalancer" and portal.service.external_policy == "Local":
        text = comment(f"{portal.name} health check node port")
        filters.add(NODEPORTS, f"-p tcp {text} -m tcp --dport {port}", "-j ACCEPT")


def _external_chain(portal: Portal, flags: Flags, nat: Table) -> None:
    """KUBE-EXT: all that comes for an address other than the ClusterIP (IPT-06)."""
    chain, everywhere = portal.chain("EXT"), portal.chain("SVC")

    def say(what: str) -> str:
        return comment(f"{what} {portal.name} external destinations")

    if not portal.external_local:
        nat.add(chain, say("masquerade traffic for"), f"-j {MARK_MASQ}")
    else:
        own = "-m addrtype --src-type LOCAL"
        if flags.pods:
            nat.add(chain, flags.pods.iptables, say("pod traffic for"), f"-j {everywhere}")
        nat.add(chain, say("masquerade LOCAL traffic for"), own, f"-j {MARK_MASQ}")
        nat.add(chain, say("route LOCAL traffic for"), own, f"-j {everywhere}")
    if portal.external_open:
        nat.add(chain, f"-j {portal.chain('SVL')}" if portal.external_local else f"-j {everywhere}")


def _guarded(portal: Portal) -> bool:
    return bool(portal.lists.anywhere and portal.lb_ips and portal.ranges)


def _firewall_chain(portal: Portal, node: Node, nat: Table) -> None:
    """KUBE-FW: who may use the load balancer's address (IPT-10, PX-20)."""
    chain, text, jump = portal.chain("FW"), comment(f"{portal.name} loadbalancer IP"), f"-j {portal.chain('EXT')}"
    for cidr in portal.ranges:
        if ipaddress.ip_network(cidr).prefixlen:
            nat.add(chain, f"-s {cidr}", text, jump)
        else:
            nat.add(chain, text, jump)  # iptables does not print a prefix of length 0
    own = next((ip for ip in node.ips if family(ip) == family(portal.cluster_ip)), "")
    if any(in_cidr(own, cidr) for cidr in portal.ranges):
        for ip in portal.lb_ips:
            nat.add(chain, f"-s {host(ip)}", text, jump)
    nat.add(chain, comment(f"other traffic to {portal.name} will be dropped by {PROXY_FIREWALL}"))


def _pick(portal: Portal, chain: str, backends: tuple[Backend, ...], flags: Flags, nat: Table) -> None:
    """One rule an endpoint, those that remember a client first (IPT-04, IPT-07, IPT-09)."""
    if portal.service.affinity:
        for backend in backends:
            target = portal.endpoint_chain(backend)
            recent = f"-m recent --rcheck --seconds {portal.service.affinity_timeout} --reap"
            nat.add(chain, _arrow(portal, backend, flags), recent, _remembered(target, flags), f"-j {target}")
    for index, backend in enumerate(backends):
        left = len(backends) - index
        chance = f"-m statistic --mode random --probability {probability(left)}" if left > 1 else ""
        nat.add(chain, _arrow(portal, backend, flags), chance, f"-j {portal.endpoint_chain(backend)}")


def _endpoint(portal: Portal, backend: Backend, flags: Flags, nat: Table) -> None:
    """KUBE-SEP: masquerade an endpoint that reaches itself, then the translation (IPT-08)."""
    chain = portal.endpoint_chain(backend)
    text = "" if flags.large else comment(portal.name)
    nat.add(chain, f"-s {host(backend.endpoint.ip)}", text, f"-j {MARK_MASQ}")
    recent = f"-m recent --set {_remembered(chain, flags)}" if portal.service.affinity else ""
    protocol = portal.protocol
    nat.add(chain, f"-p {protocol}", text, recent, f"-m {protocol} -j DNAT --to-destination {backend.address}")


def _arrow(portal: Portal, backend: Backend, flags: Flags) -> str:
    """The comment of a rule that leads to an endpoint; a large cluster has none (IPT-15)."""
    return "" if flags.large else comment(f"{portal.name} -> {backend.address}")


def _remembered(chain: str, flags: Flags) -> str:
    mask = "255.255.255.255" if flags.version == 4 else "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    return f"--name {chain} --mask {mask} --rsource"
