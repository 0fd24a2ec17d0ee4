"""PREROUTING / OUTPUT on a node: the Service lookup recorded as steps, and the DNAT done."""

from __future__ import annotations

from clusterviz.engine.addresses import family, host_port, in_cidr
from clusterviz.engine.datapath.choose import ELSEWHERE
from clusterviz.engine.datapath.freshness import note_freshness
from clusterviz.engine.datapath.hostport import HostPort, host_port_of
from clusterviz.engine.datapath.lacking import lacking
from clusterviz.engine.datapath.lookup import BY_INTERFACE, detector, is_local, owners
from clusterviz.engine.datapath.ongoing import translate_on
from clusterviz.engine.datapath.onward import onward, onward_ping
from clusterviz.engine.datapath.place import At
from clusterviz.engine.datapath.proxynames import command, endpoint_rule, refusing, translating, why_not
from clusterviz.engine.datapath.refuser import lost_outside, refuser
from clusterviz.engine.datapath.service import ServiceDecision, decide, port_name
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, Node, Service
from clusterviz.engine.packet import L4
from clusterviz.engine.trace import Action, Candidate, Rule, Verdict

OUTCOME = {
    "reject": (Action.REJECTED, "no_endpoints", Verdict.NO_ENDPOINTS_REJECTED),
    "drop": (Action.DROPPED, "no_local_endpoint", Verdict.NO_LOCAL_ENDPOINT_DROPPED),
    "source_range": (Action.DROPPED, "source_range", Verdict.SOURCE_RANGE_DROPPED),
}
TOLD_BY = {"ClusterCIDR": ("cluster_cidr",), "NodeCIDR": ("detect_local_mode",)} | dict.fromkeys(
    BY_INTERFACE, ("detect_local_mode", "detect_local_interface")
)


def translate(j: Journey, node: Node, at: At) -> str | None:
    """Ask kube-proxy's rules, then those of host ports; why to masquerade ("" no), None when the packet ends here."""
    packet = j.packet
    if not isinstance(packet.l4, L4):
        return _icmp(j, node)
    ip = packet.ip
    local = at.came == "local"
    rules = j.opened or j.synced.get(node.name, j.cluster)  # what the node's kube-proxy has heard of (PX-18)
    place = rules.nodes.get(node.name, node)
    decision = decide(
        rules, place, ip.src, ip.dst, packet.l4.proto, packet.l4.dport, from_node=local, seed=j.probe.seed
    )
    if decision is not None and j.opened is None:
        note_freshness(j, node)
        _claimed(j, ip.dst, packet.l4)
        _detected(j, node, at)
    if decision is not None and decision.verdict == "accept":
        (translate_on if j.opened else _accept)(j, node, at, decision)
        return decision.masquerade
    if decision is None or decision.effect == "none":
        forwarded = host_port_of(j.cluster, node, ip.src, ip.dst, packet.l4.proto, packet.l4.dport)
        if forwarded is not None:
            return _host_port(j, node, at, forwarded)
    if decision is None:
        unheard = j.cluster.services_by_ip.get(ip.dst, ())
        if unheard and ip.dst not in j.cluster.node_by_ip:
            _untouched(j, node, at, unheard[0][0])
            return None
        return ""
    return _not_translated(j, node, at, decision)


def _detected(j: Journey, node: Node, at: At) -> None:
    """Only here kube-proxy's detectors differ: a pod's own address comes from another node (PX-05, PX-08)."""
    source, usual = j.packet.ip.src, j.cluster.settings.detect_local_mode == "ClusterCIDR"
    pods = detector(j.cluster, node, family(source)) if usual else ""
    if at.came in ("wire", "outside") and pods and in_cidr(source, pods):
        j.assume(
            "pods-by-cidr",
            f"kube-proxy takes {source} for a pod since it lies in {pods}; told pods by node CIDR or interface, "
            "it would not (PX-08).",
        )


def _claimed(j: Journey, address: str, l4: L4) -> None:
    """Several Services with one address and port: kube-proxy has no order among them."""
    owning = owners(j.cluster, address)
    if len(owning) < 2:
        return
    claim = dict.fromkeys(
        f"{one.namespace}/{one.name}"
        for one, _ in owning
        if any((port.port, port.protocol) == (l4.dport, l4.proto) for port in one.ports)
    )
    if len(claim) < 2:
        return
    here = host_port(address, l4.dport)
    nft = "its map of addresses has room for one, and writing the second fails" * (
        j.cluster.settings.proxy_mode == "nftables"
    )
    j.assume(
        "claimed-twice",
        f"{', '.join(claim)} claim {here}: the first is taken, while a real kube-proxy follows no order"
        f"{f' ({nft})' if nft else ''}.",
    )


def _not_translated(j: Journey, node: Node, at: At, decision: ServiceDecision) -> str | None:
    """A Service's address that leads to no endpoint."""
    if decision.verdict in ("unknown_port", "unallocated"):
        _unknown_port(j, node, decision)
        return onward(j, node, at, decision)
    if decision.verdict == "untouched":
        _untouched(j, node, at, decision.service, decision.candidates)
        return onward(j, node, at, decision)
    action, reason, verdict = OUTCOME[decision.verdict]
    rule, address = refusing(j.cluster.settings, decision), j.packet.ip.dst
    elsewhere = any(one.why == ELSEWHERE for one in decision.candidates)
    refused = decision.verdict == "reject" and not elsewhere
    lack = lacking(j.cluster, decision.service, decision.port, j.packet.ip.version) if refused else ""
    j.way(decision.service.ref, "service")
    j.step(
        action,
        "no_local_endpoint_refused" if elsewhere and decision.verdict == "reject" else reason,
        hook=_filter_hook(j, node, at, decision),
        component="kube-proxy",
        rule=rule,
        candidates=decision.candidates,
        chain=rule.name,
        settings=_settings(j, decision),
        service=port_name(decision.service, decision.port) if decision.port else decision.service.name,
        node=node.name,
        command=command(j.cluster.settings, decision, address, rule),
        policy=decision.choice,
        source=j.packet.ip.src,
        ranges=", ".join(decision.service.source_ranges),
        lack=lack,
        refuser=refuser(j.cluster, node, j.packet.ip),
    )
    j.block(verdict, ref=decision.service.ref, rule=rule.name, why=why_not(decision, node, lack))
    return onward(j, node, at, decision)


def _hook(at: At) -> str:
    return "output" if at.came == "local" else "prerouting"


def _filter_hook(j: Journey, node: Node, at: At, decision: ServiceDecision) -> str:
    """Where the packet is refused: the filter table comes after the look-up in nat (IPT-01)."""
    if j.cluster.settings.proxy_mode == "nftables" and decision.verdict == "source_range":
        return _hook(at)
    if is_local(j.cluster, node, j.packet.ip.dst):
        return "input"
    return "output" if at.came == "local" else "forward"


def _settings(j: Journey, decision: ServiceDecision) -> tuple[str, ...]:
    """The settings that had a say (PX-08, PX-12)."""
    if decision.via == "nodeport":
        return ("proxy_mode", "nodeport_addresses", "localhost_nodeports")
    if decision.via == "cluster" and decision.verdict == "accept":
        return ("proxy_mode", "masquerade_all", "detect_local", *TOLD_BY[j.cluster.settings.detect_local_mode])
    return ("proxy_mode",)


def _untouched(j: Journey, node: Node, at: At, service: Service, candidates: tuple[Candidate, ...] = ()) -> None:
    """A Service's address that no rule on the packet's way hears: no machine has it, so nobody answers.

    A node's own packet for an outside address without endpoints (IPT-01), or an address of a family the
    Service has no ClusterIP of (SVC-16).
    """
    name, address = f"{service.namespace}/{service.name}", j.packet.ip.dst
    rule = Rule(name="no rule hears it", ref=service.ref, made_by="kube-proxy", rules=("IPT-01", "PX-07", "SVC-16"))
    j.way(service.ref, "service")
    j.step(
        Action.DROPPED,
        "service_untouched",
        hook=_hook(at),
        component="kube-proxy",
        candidates=candidates,
        rule=rule,
        settings=("proxy_mode",),
        service=name,
        address=address,
        node=node.name,
    )
    j.block(
        Verdict.NO_ROUTE,
        ref=service.ref,
        rule=rule.name,
        why=f"no rule of {node.name} rewrites {address} of {name} for this packet, and no machine has it",
    )


def _host_port(j: Journey, node: Node, at: At, found: HostPort) -> str:
    """DNAT to the container that has the hostPort (NET-02)."""
    packet, pod = j.packet, found.pod
    old, new = host_port(packet.ip.dst, packet.dport or 0), host_port(found.ip, found.port)
    diffs = packet.change("ip", "DNAT", dst=found.ip) + packet.change("l4", "DNAT", dport=found.port)
    j.way(node.ref, "ingress" if at.came == "wire" else "pod", nat="dnat")
    j.step(
        Action.DNAT,
        "host_port",
        hook=_hook(at),
        component="portmap",
        chain="CNI-HOSTPORT-DNAT",
        diffs=diffs,
        rule=Rule(
            name=f"hostPort {found.declared.host_port}/{found.declared.protocol}",
            text=f"--dport {found.declared.host_port} -j DNAT --to-destination {new}",
            ref=pod.ref,
            path="spec.containers[].ports[].hostPort",
            made_by="the network plugin",
            rules=("NET-02",),
        ),
        settings=("host_ports",),
        old=old,
        new=new,
        pod=f"{pod.namespace}/{pod.name}",
        node=node.name,
        command="iptables -t nat -L CNI-HOSTPORT-DNAT -n",
    )
    return found.masquerade


def _icmp(j: Journey, node: Node) -> str | None:
    """A ping to a virtual IP: nobody's in iptables mode, refused on a ClusterIP by nftables, IPVS's own (PX-11)."""
    address, mode = j.packet.ip.dst, j.cluster.settings.proxy_mode
    entries = owners(j.cluster, address)
    if not entries or address in j.cluster.node_by_ip:
        return ""
    service = next((one for one, via in entries if via == "cluster"), entries[0][0])
    refused = mode == "nftables" and address in service.cluster_ips
    j.way(service.ref, "service")
    if mode == "ipvs":
        j.step(
            Action.DELIVERED,
            "ping_answered",
            hook="input",
            component="kube-proxy",
            rule=Rule(name="kube-ipvs0", text=f"{address} dev kube-ipvs0", ref=service.ref, rules=("IPV-01",)),
            settings=("proxy_mode",),
            pod=f"node {node.name}",
        )
        j.end(Verdict.DELIVERED)
        return None
    name, text = ("cluster-ips-check", "reject") if refused else ("no rule for ICMP", "")
    rule = Rule(name=name, text=text, ref=service.ref, made_by="kube-proxy", rules=("PX-11",))
    j.step(
        Action.REJECTED if refused else Action.DROPPED,
        "vip_icmp_refused" if refused else "vip_icmp",
        hook="forward" if refused else "prerouting",
        component="kube-proxy",
        rule=rule,
        settings=("proxy_mode",),
        address=address,
        service=f"{service.namespace}/{service.name}",
        node=node.name,
        refuser=refuser(j.cluster, node, j.packet.ip),
    )
    if not refused:
        j.assume("vip-icmp", "A virtual address does not answer a ping; in some modes a node would.")
        lost_outside(j)
    j.block(
        Verdict.VIP_ICMP_UNANSWERED,
        ref=service.ref,
        rule=rule.name,
        why="a virtual IP is only (protocol, port) rules; nothing answers a ping",
    )
    return onward_ping(j, service)


def _unknown_port(j: Journey, node: Node, decision: ServiceDecision) -> None:
    """nftables and IPVS refuse it on a ClusterIP; elsewhere nothing is done and the packet is lost (PX-11)."""
    packet, service = j.packet, decision.service
    if decision.verdict == "unallocated":
        _unallocated(j, node)
        return
    rule = Rule(
        name=f"no port {packet.dport}/{packet.ip.proto}",
        ref=service.ref,
        path="spec.ports",
        made_by="kube-proxy",
        rules=("PX-11", "IPV-01") if j.cluster.settings.proxy_mode == "ipvs" else ("PX-11",),
    )
    j.way(service.ref, "service")
    ports = ", ".join(f"{port.port}/{port.protocol}" for port in service.ports)
    j.step(
        Action.REJECTED if decision.refused else Action.DROPPED,
        "vip_port_refused" if decision.refused else "vip_port_unknown",
        hook="prerouting",
        component="kube-proxy",
        rule=rule,
        settings=("proxy_mode",),
        port=packet.dport,
        ports=ports,
        service=f"{service.namespace}/{service.name}",
        mode=j.cluster.settings.proxy_mode,
        node=node.name,
        refuser=refuser(j.cluster, node, packet.ip),
    )
    if not decision.refused:
        lost_outside(j)
    j.block(
        Verdict.VIP_PORT_UNKNOWN,
        ref=service.ref,
        rule=rule.name,
        why=f"Service {service.namespace}/{service.name} has no port {packet.dport}/{packet.ip.proto}",
    )


def _unallocated(j: Journey, node: Node) -> None:
    """nftables drops what goes to an address of the Service CIDR that no Service has (PX-11)."""
    rule = Rule(name="cluster-ips-check", ref=node.ref, made_by="kube-proxy", rules=("PX-11",))
    address = j.packet.ip.dst
    j.step(
        Action.DROPPED,
        "vip_unallocated",
        hook="forward",
        component="kube-proxy",
        rule=rule,
        settings=("proxy_mode", "service_cidr"),
        address=address,
        range=j.cluster.settings.service_cidr,
        node=node.name,
        command="nft list chain ip kube-proxy cluster-ips-check",
    )
    j.block(Verdict.NO_ROUTE, ref=node.ref, rule=rule.name, why=f"no Service has the address {address}")


def _accept(j: Journey, node: Node, at: At, decision: ServiceDecision) -> None:
    packet, service, port = j.packet, decision.service, decision.port
    endpoint = decision.endpoint
    assert port is not None
    assert endpoint is not None
    j.way(_entry(j, decision), "service" if at.came != "wire" else "ingress")
    j.way(service.ref, "service", nat="dnat")
    name, rule = port_name(service, port), translating(j.cluster.settings, decision, packet.ip.dst)
    j.step(
        Action.LOAD_BALANCED,
        "load_balanced",
        hook=_hook(at),
        component="kube-proxy",
        chain=_entry_chain(j, decision),
        rule=rule,
        candidates=decision.candidates,
        settings=(*_settings(j, decision), *(("min_sync_period",) if node.name in j.synced else ())),
        layer=4,
        command=command(j.cluster.settings, decision, packet.ip.dst, rule),
        service=name,
        node=node.name,
        count=len(decision.branches),
        excluded=len(decision.candidates) - len(decision.branches),
        random=round(decision.random, 6),
        pod=endpoint.pod.removeprefix("pod:") or endpoint.ip,
        probability=decision.branches[0].probability,
        choice=decision.choice,
        via=decision.via,
        sticky=decision.sticky,
        timeout=service.affinity_timeout if service.affinity else 0,
        address=packet.ip.dst,
        port=packet.dport,
    )
    j.branch(decision.branches)
    _dnat(j, node, at, decision, endpoint)


def _entry_chain(j: Journey, decision: ServiceDecision) -> str:
    """Where the look-up starts (IPT-02, NFT-02); IPVS has no chain for it."""
    mode = j.cluster.settings.proxy_mode
    if mode != "iptables":
        return "services" if mode == "nftables" else ""
    return "KUBE-NODEPORTS" if decision.via == "nodeport" else "KUBE-SERVICES"


def _dnat(j: Journey, node: Node, at: At, decision: ServiceDecision, endpoint: Endpoint) -> None:
    packet, service, port = j.packet, decision.service, decision.port
    assert port is not None
    old = host_port(packet.ip.dst, packet.dport or 0)
    new = host_port(endpoint.ip, decision.target_port)
    diffs = packet.change("ip", "DNAT", dst=endpoint.ip)
    diffs += packet.change("l4", "DNAT", dport=decision.target_port)
    j.step(
        Action.DNAT,
        "dnat",
        hook=_hook(at),
        component="kube-proxy",
        diffs=diffs,
        rule=endpoint_rule(j.cluster.settings, decision, new),
        old=old,
        new=new,
        service=port_name(service, port),
        node=node.name,
        command="conntrack -L -d " + old.rpartition(":")[0],
    )


def _entry(j: Journey, decision: ServiceDecision) -> str:
    """The picture id before the VIP: the node when the packet came in over its card."""
    node = f"node:{decision.node}"
    return node if decision.via != "cluster" or not j.waypoints else j.waypoints[-1].ref
