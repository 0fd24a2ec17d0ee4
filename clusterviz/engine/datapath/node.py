"""A packet passes a node's network namespace: kube-proxy, routing, policy, masquerade, overlay.

The order is netfilter's: PREROUTING or OUTPUT (Service lookup and DNAT), the routing decision,
FORWARD (NetworkPolicy), POSTROUTING (masquerade), then the device.
"""

from __future__ import annotations

import msgspec

from clusterviz.engine.addresses import family, host_port, in_any, in_cidr, listed, nth
from clusterviz.engine.datapath import hostport, vxlan
from clusterviz.engine.datapath.draw import mac, source_port
from clusterviz.engine.datapath.egress import Masquerade, plugin_masquerade
from clusterviz.engine.datapath.kubeproxy import translate
from clusterviz.engine.datapath.place import At, Route, own_block, route_for, segment_of, source_address, veth
from clusterviz.engine.datapath.policing import police, police_anyway
from clusterviz.engine.datapath.proxynames import masquerading
from clusterviz.engine.datapath.public import unroutable
from clusterviz.engine.datapath.refuser import lost_outside
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.packet import IP, L4, Ethernet, Header, Rewrite
from clusterviz.engine.settings import DEVICES
from clusterviz.engine.trace import Action, Rule, Session, Verdict

ROUTE_RULES = {
    "local": ("NET-01",),
    "bridge": ("NET-04",),
    "overlay": ("NET-09",),
    "direct": ("NET-11",),
    "onlink": ("NET-01",),
    "default": ("EGR-01",),
    "unreachable": ("PX-11",),
}

OTHER_OVERLAYS = frozenset(DEVICES.values())


def pass_through(j: Journey, at: At) -> At | None:
    """One visit to a node's network namespace; returns the next stage."""
    node = at.node
    assert node is not None
    j.enter("node", node.ref, node.name, node=node.name, in_iface=at.iface)
    if node.down:
        _down(j, node)  # the walk goes on as a ghost, for what else would stop the packet
    if at.came == "wire" and j.packet.outer:
        vxlan.unwrap(j, node)
    elif at.came != "local":
        j.step(Action.RECEIVED, "received", layer=2, hook="prerouting", iface=at.iface, node=node.name)
        _way_back(j, node, at)
    before = j.packet.ip, j.packet.l4
    masquerade = translate(j, node, at)
    if masquerade is None or not _has_family(j, node, at):
        police_anyway(j, node, at)
        return None
    route = route_for(j.cluster, node, j.packet.ip.dst)
    # after a DNAT to a pod on the same bridge br_netfilter goes on bridging: only the receiver's MAC is new (NET-05)
    # (IPVS takes the packet in INPUT and routes it out)
    bridged = j.packet.ip.dst == before[0].dst or j.cluster.settings.proxy_mode != "ipvs"
    switched = at.came == "pod" and route.kind == "bridge" and bridged and bool(_same_block(j, node, before[0].src))
    if not _route(j, node, at, route, switched=switched):
        police_anyway(j, node, at)
        return None
    if switched and route.pod is not None and route.pod is at.pod and not j.cluster.settings.hairpin:
        _hairpin_off(j, node, route.pod)  # before the bridge's FORWARD and POSTROUTING hooks
    if route.kind == "local" and at.came != "local":
        masquerade = ""  # INPUT: what stays on the node never passes POSTROUTING
    plugin = None if masquerade or route.kind == "local" else _plugin(j, node, route)
    masquerade = masquerade or (plugin.why if plugin else "")
    seen = source_address(j.cluster, node, route, j.packet.ip.dst, masqueraded=True) if masquerade else j.packet.ip.src
    if masquerade and family(seen) != family(j.packet.ip.dst) and not _no_family(j, node):
        return None
    police(j, node, at, route, seen)
    if masquerade:
        _masquerade(j, node, route, seen, masquerade, plugin)
    _session(j, node, before)
    translated = j.packet.ip.dst != before[0].dst
    if at.came in ("wire", "outside") and translated and not masquerade and route.kind not in ("local", "bridge"):
        _bypassed(j, node, before[0])
    return _send(j, node, at, route, before[0], switched=switched)


def _way_back(j: Journey, node: Node, at: At) -> None:
    """Whatever answers a pod from here, an ICMP message included, needs a route to it (NET-11)."""
    src = j.packet.ip.src
    back = route_for(j.cluster, node, src) if at.came == "wire" and src in j.cluster.pod_by_ip else None
    if back is None or back.kind != "unreachable":
        return
    rule = Rule(name="no masquerade", text=f"no route to {src}", ref=node.ref, rules=("NET-11", "EGR-05"))
    settings = ("network", "node_cidr", "egress_nat")
    command = f"ip route get {src}"
    j.step(Action.DROPPED, "no_way_back", rule=rule, settings=settings, command=command, src=src, node=node.name)
    j.block(Verdict.REPLY_LOST, ref=node.ref, rule=rule.name, why=f"node {node.name} has no route back to {src}")


def _bypassed(j: Journey, node: Node, before: IP) -> None:
    """Whoever answers sends to the client directly, past the node that knows of the translation (PX-10)."""
    rule = Rule(name="no masquerade", ref=node.ref, rules=("PX-10", "EGR-02"))
    j.step(
        Action.DROPPED,
        "reply_bypasses",
        hook="postrouting",
        rule=rule,
        settings=("egress_nat",),
        called=before.dst,
        receiver=j.packet.ip.dst,
        src=before.src,
        node=node.name,
    )
    why = f"{j.packet.ip.dst} answers {before.src} past {node.name}, which alone could turn the address back"
    j.block(Verdict.REPLY_LOST, ref=node.ref, rule=rule.name, why=why)


def _has_family(j: Journey, node: Node, at: At) -> bool:
    """A process of the node needs an address of the family it calls (SVC-16)."""
    ip = j.packet.ip
    return at.came != "local" or family(ip.src) == family(ip.dst) or _no_family(j, node)


def _no_family(j: Journey, node: Node) -> bool:
    ip = j.packet.ip
    kind = f"IPv{family(ip.dst)}"
    rule = Rule(name=f"no {kind} address", text=f"no {kind} default route", ref=node.ref, rules=("SVC-16",))
    j.step(Action.DROPPED, "node_no_family", hook="output", rule=rule, node=node.name, kind=kind, address=ip.dst)
    j.block(Verdict.NO_ROUTE, ref=node.ref, rule=rule.name, why=f"node {node.name} has no {kind} address")
    return False


def _same_block(j: Journey, node: Node, sender: str) -> str:
    """The pod CIDR both ends lie in: only then is the receiver a neighbour of the sender (NET-05)."""
    block = own_block(node, j.packet.ip.dst)
    return block if block and in_cidr(sender, block) else ""


def _down(j: Journey, node: Node) -> None:
    j.step(Action.DROPPED, "node_down", node=node.name, rule=Rule(name="node is down", rules=("NOD-05",)))
    j.block(Verdict.NODE_DOWN, ref=node.ref, rule="node is down", why=f"node {node.name} does not answer")


def _route(j: Journey, node: Node, at: At, route: Route, *, switched: bool) -> bool:
    """Record the routing decision; False when there is no way on."""
    ip = j.packet.ip
    rule = Rule(
        name=f"route {route.prefix}",
        text=route.text,
        ref=node.ref,
        made_by="the network plugin",
        rules=ROUTE_RULES[route.kind] if route.dev not in OTHER_OVERLAYS else ("NET-12",),
    )
    command = f"ip route get {ip.dst}"
    if route.kind == "unreachable":
        return _unrouted(j, node, rule, route.why)
    if route.kind == "bridge" and route.pod is None:
        return _nobody(j, node, rule)
    if switched:
        _switch(j, node)
        return True
    if route.kind == "local":
        j.step(Action.ROUTED, "routed_local", hook="input", rule=rule, address=ip.dst, node=node.name, command=command)
        return True
    forwarded = at.came != "local"
    large = forwarded and not vxlan.fits(j, route)
    diffs = _hop_count(j, node) if forwarded and not large else ()
    if forwarded and ip.ttl <= 1:
        j.step(Action.EXPIRED, "ttl_expired", rule=rule, node=node.name)
        j.block(Verdict.TTL_EXPIRED, ref=node.ref, rule=rule.name, why="the TTL fell to 0")
        return False
    j.step(
        Action.ROUTED,
        "routed_beside" if route.kind == "default" and not route.via else f"routed_{route.kind}",
        hook="forward",
        rule=rule,
        diffs=diffs,
        command=command,
        address=ip.dst,
        node=node.name,
        route=route.text,
        target=route.node.name if route.node else "",
        dev=route.dev,
    )
    if large:  # before FORWARD, and before the TTL falls (NET-13)
        vxlan.refuse(j, node, route)
    return True


def _switch(j: Journey, node: Node) -> None:
    """Layer 2 only; after a DNAT the receiver's MAC is put in (NET-05)."""
    eth, to = j.packet.eth, j.packet.ip.dst
    moved = j.packet.change("eth", "bridged on after DNAT", dst=mac(to)) if eth and eth.dst != mac(to) else ()
    j.step(
        Action.SWITCHED,
        "switched_dnat" if moved else "switched",
        layer=2,
        diffs=moved,
        hook="bridge",
        component="cni0",
        address=to,
        rule=Rule(name="bridge cni0", text=f"fdb: {mac(to)}", ref=node.ref, rules=("NET-05",)),
        command="bridge fdb show br cni0",
    )


def _unrouted(j: Journey, node: Node, rule: Rule, missing: str) -> bool:
    address = j.packet.ip.dst
    verdict = Verdict.VIP_PORT_UNKNOWN if j.cluster.services_by_ip.get(address) else Verdict.NO_ROUTE
    command = f"ip route get {address}"
    reason = "vip_unrouted" if in_any(address, j.cluster.settings.service_cidr) else "pod_unrouted"
    why = missing or unroutable(address)
    reason = "node_unrouted" if missing else "unroutable" if why else reason
    if reason == "vip_unrouted":
        lost_outside(j)
    j.step(Action.DROPPED, reason, rule=rule, address=address, node=node.name, command=command, why=why)
    j.block(verdict, ref=node.ref, rule=rule.name, why=f"{address}: {why}" if why else f"no machine owns {address}")
    return False


def _hop_count(j: Journey, node: Node) -> tuple[Rewrite, ...]:
    return j.packet.change("ip", f"routed by {node.name}", ttl=j.packet.ip.ttl - 1)


def _nobody(j: Journey, node: Node, rule: Rule) -> bool:
    address = j.packet.ip.dst
    j.step(Action.DROPPED, "pod_gone", rule=rule, address=address, node=node.name, command="ip neigh show dev cni0")
    j.block(
        Verdict.POD_GONE,
        ref=node.ref,
        rule="no neighbour answers",
        why=f"no pod on {node.name} has the address {address}",
    )
    return False


def _plugin(j: Journey, node: Node, route: Route) -> Masquerade | None:
    """The network plugin's own masquerade; to the address it already has it changes nothing to be seen."""
    ip = j.packet.ip
    found = plugin_masquerade(j.cluster, node, ip.src, ip.dst)
    return found if found and source_address(j.cluster, node, route, ip.dst) != ip.src else None


def _masquerade(j: Journey, node: Node, route: Route, address: str, why: str, plugin: Masquerade | None) -> None:
    packet = j.packet
    diffs = packet.change("ip", "masquerade", src=address)
    if isinstance(packet.l4, L4):
        number = source_port(j.probe.seed, "masquerade", node.name, packet.l4.sport)
        diffs += packet.change("l4", "masquerade", sport=number)
    rule, command = masquerading(j.cluster.settings, address)
    if plugin:
        rule = Rule(name="FLANNEL-POSTRTG", text=plugin.text, made_by="flannel", rules=("EGR-01", "EGR-02"))
        command = f"{'ip6tables' if family(address) == 6 else 'iptables'} -t nat -L FLANNEL-POSTRTG -n"
    if why in (hostport.NEIGHBOUR, hostport.LOCALHOST):
        rule, command = hostport.MASQUERADE, "iptables -t nat -L CNI-HOSTPORT-MASQ -n"
    j.step(
        Action.MASQUERADED,
        "masqueraded_egress" if plugin and plugin.leaves else "masqueraded",
        hook="postrouting",
        diffs=diffs,
        component=rule.made_by,
        chain=rule.name,
        rule=msgspec.structs.replace(rule, ref=node.ref),
        command=command,
        settings={"flannel": ("egress_nat", "cluster_cidr"), "portmap": ("host_ports",)}.get(
            rule.made_by, ("proxy_mode",)
        ),
        address=address,
        why=why,
        dev=route.dev,
        node=node.name,
    )


def _session(j: Journey, node: Node, before: tuple[IP, Header]) -> None:
    """The conntrack entry this packet makes here; a ping is followed as well, by its addresses."""
    old, new = _ends(*before), _ends(j.packet.ip, j.packet.l4)
    nat = "+".join(name for name, changed in (("dnat", old[1] != new[1]), ("snat", old[0] != new[0])) if changed)
    session = Session(
        node=node.name,
        proto=j.packet.ip.proto,
        orig=f"{old[0]}>{old[1]}",
        reply=f"{new[1]}>{new[0]}",
        nat=nat,
        state="ESTABLISHED" if j.opened else "NEW",
    )
    j.step(
        Action.SESSION_HIT if j.opened else Action.SESSION_MADE,
        "session_followed" if j.opened else "session_made",
        hook="postrouting",
        component="conntrack",
        session=session,
        command=f"conntrack -L -s {before[0].src}",
        nat=nat or "no NAT",
        node=node.name,
        rule=Rule(name="conntrack entry", text=f"{session.orig} reply {session.reply}", rules=("PX-10",)),
    )


def _ends(ip: IP, l4: Header) -> tuple[str, str]:
    """Sender and receiver as conntrack tells them apart."""
    return (host_port(ip.src, l4.sport), host_port(ip.dst, l4.dport)) if isinstance(l4, L4) else (ip.src, ip.dst)


def _send(j: Journey, node: Node, at: At, route: Route, before: IP, *, switched: bool) -> At | None:
    packet = j.packet
    if route.kind == "local":
        return At("node_in", node, came=at.came)
    if route.kind == "bridge":
        assert route.pod is not None
        if not switched:
            _ethernet(j, mac(packet.ip.src if at.came == "local" else _bridge(j, node)), mac(packet.ip.dst))
        _segment(j, node, before)
        j.leave(veth(route.pod))
        return At("pod_in", node, route.pod)
    packets = route.kind == "overlay" and not j.cluster.settings.carries_frames  # the device takes no frames (NET-12)
    if at.came == "local" and not vxlan.fits(j, route):
        vxlan.refuse(j, node, route)
    if not packets and (packet.eth is not None or route.kind in ("overlay", "direct", "onlink")):
        _frame_out(j, node, route)
    if route.kind == "overlay":
        vxlan.wrap(j, node, route)
    _segment(j, node, before, encapsulated=route.kind == "overlay")
    j.leave("eth0")
    if route.kind == "default":
        return At("outside_out", node)
    return At("wire", route.node, came="wire", iface="eth0", sender=node)


def _hairpin_off(j: Journey, node: Node, pod: Pod) -> None:
    rule = Rule(name="hairpin_mode off", ref=node.ref, made_by="the network plugin", rules=("PX-06",))
    name = f"{pod.namespace}/{pod.name}"
    command = f"cat /sys/class/net/{veth(pod)}/brport/hairpin_mode"
    j.step(
        Action.DROPPED,
        "hairpin_off",
        layer=2,
        hook="bridge",
        rule=rule,
        settings=("hairpin",),
        pod=name,
        command=command,
    )
    j.block(
        Verdict.HAIRPIN_DROPPED,
        ref=node.ref,
        rule=rule.name,
        why=f"the bridge of {node.name} does not send {name} its own packet back",
    )


def _bridge(j: Journey, node: Node) -> str:
    ips = j.cluster.bridge_ips(node)
    return next((ip for ip in ips if family(ip) == family(j.packet.ip.dst)), node.ip)


def _frame_out(j: Journey, node: Node, route: Route) -> None:
    """The Ethernet header for the next segment: overlay devices, or the nodes' own cards."""
    if route.kind == "overlay" and route.node is not None:
        ours = next(iter(j.cluster.overlay_ips(node)), node.ip)
        _ethernet(j, mac(ours), mac(route.via or route.node.ip))
    else:
        neighbour = route.node.ip if route.node is not None else j.packet.ip.dst
        _ethernet(j, mac(node.ip), mac(neighbour if route.prefix != "default" else _gateway(j, node)))


def _gateway(j: Journey, node: Node) -> str:
    """The router of the node's segment: its first address; the objects do not say which it is (NET-11)."""
    segments = [segment_of(j.cluster, node, own) for own in node.ips]
    first = listed(j.cluster.settings.node_cidr)[0]
    return nth(next((segment for segment in segments if segment), first), 1)


def _ethernet(j: Journey, src: str, dst: str) -> None:
    packet = j.packet
    kind = "IPv6" if family(packet.ip.dst) == 6 else "IPv4"
    if packet.eth is None:
        packet.eth = Ethernet(src, dst, kind)
        j.step(Action.FORWARDED, "framed", layer=2, push=(packet.eth,), src=src, dst=dst)
    else:
        diffs = packet.change("eth", "new layer-2 segment", src=src, dst=dst)
        if diffs:
            j.step(Action.FORWARDED, "reframed", layer=2, diffs=diffs, src=src, dst=dst)


def _segment(j: Journey, node: Node, before: IP, *, encapsulated: bool = False) -> None:
    nat = "snat" if j.packet.ip.src != before.src else ""
    j.way(node.ref, _kind(j), nat=nat, encapsulated=encapsulated)


def _kind(j: Journey) -> str:
    """Kind of the way on: what the packet is on this part of its journey."""
    destination = j.packet.ip.dst
    if destination not in j.cluster.pod_by_ip and destination not in j.cluster.node_by_ip:
        return "egress"
    first = j.waypoints[0].ref if j.waypoints else ""
    outside = first == "internet" or first.startswith("external:")
    return "ingress" if outside and not j.proxies else "pod"
