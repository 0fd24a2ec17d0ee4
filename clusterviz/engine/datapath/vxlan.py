"""The overlay: what goes from node to node is wrapped in a packet of the nodes (NET-06..09, NET-12).

VXLAN and Geneve carry whole Ethernet frames; WireGuard, IP-in-IP and flannel's UDP backend carry IP packets.
"""

from __future__ import annotations

from clusterviz.engine.addresses import host_port
from clusterviz.engine.datapath.draw import draw, mac
from clusterviz.engine.datapath.place import Route, of_family
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node
from clusterviz.engine.packet import IP, L4, Ethernet, Geneve, Stack, Vxlan, WireGuard
from clusterviz.engine.settings import Settings
from clusterviz.engine.trace import Action, Rule, Verdict

# Linux takes the source port of an encapsulated flow from net.ipv4.ip_local_port_range (NET-08).
PORT_RANGE = (32768, 60999)
NAMES = {"vxlan": "VXLAN", "geneve": "Geneve", "wireguard": "WireGuard", "ipip": "IP-in-IP", "udp": "UDP"}


def wrap(j: Journey, node: Node, route: Route) -> None:
    """Put the outer headers on."""
    settings, packet = j.cluster.settings, j.packet
    assert route.node is not None
    near, far = of_family(node.ips, route.node.ip), route.node.ip
    overhead = settings.overhead(6 if ":" in far else 4)
    frame = packet.eth
    if not settings.carries_frames:
        packet.eth = None
    packet.outer = _outer(j, near, far)
    j.step(
        Action.ENCAPSULATED,
        "encapsulated" if settings.network == "vxlan" else "encapsulated_other",
        hook="postrouting",
        component=settings.overlay_device,
        push=packet.outer,
        pop=(frame,) if frame is not None and packet.eth is None else (),
        rule=_rule(settings, node, route.node, route.via, far),
        command=_command(settings),
        settings=("network",),
        near=near,
        far=far,
        port=settings.overlay_port,
        vni=settings.vni,
        target=route.node.name,
        node=node.name,
        kind=NAMES[settings.network],
        overhead=overhead,
    )


def _most(settings: Settings, route: Route) -> tuple[int, str]:
    """The largest packet the device of a route takes, and the device (NET-07, NET-12)."""
    if route.kind == "overlay" and route.node is not None:
        return min(settings.mtu - settings.overhead(6 if ":" in route.node.ip else 4), settings.pod_mtu), route.dev
    return settings.pod_mtu if route.kind == "bridge" else settings.mtu, route.dev


def fits(j: Journey, route: Route) -> bool:
    """Whether the device the packet would leave by takes it, or may split it (NET-13); one refusal is told of."""
    if any(one.verdict is Verdict.MTU_EXCEEDED for one in j.blockers):
        return True
    return j.probe.length <= _most(j.cluster.settings, route)[0] or not j.probe.dont_fragment


def refuse(j: Journey, node: Node, route: Route) -> None:
    """Block a packet that is too large and may not be split; the sender is told (NET-13)."""
    most, device = _most(j.cluster.settings, route)
    usual = j.cluster.settings.pod_mtu
    if j.probe.source.kind == "pod" and j.probe.length > usual:
        sent = f"{j.probe.length} bytes at once"
        j.assume("sender-mtu", f"The pod is taken to send {sent}; its MTU of {usual} should forbid it.")
    j.step(
        Action.DROPPED,
        "mtu_exceeded",
        rule=Rule(name="MTU", rules=("NET-13", "NET-07", "NET-12")),
        settings=("network", "mtu"),
        length=j.probe.length,
        mtu=most,
        node=node.name,
        command=f"ip link show {device}",
    )
    j.block(Verdict.MTU_EXCEEDED, ref=node.ref, rule="MTU", why=f"{j.probe.length} bytes do not fit {most}")


def _outer(j: Journey, near: str, far: str) -> Stack:
    """The headers of the nodes' packet, outermost first; the source port is a hash of the inner flow (NET-08)."""
    settings, packet = j.cluster.settings, j.packet
    version, kind = (6, "IPv6") if ":" in far else (4, "IPv4")
    ethernet = Ethernet(mac(near), mac(far), kind)
    if settings.network == "ipip":
        return ethernet, IP(near, far, "IPIP", 64, version)
    port = settings.overlay_port
    spread = settings.carries_frames
    low, high = PORT_RANGE
    sport = low + int(draw(0, packet.ip.src, packet.ip.dst, packet.l4) * (high - low)) if spread else port
    below: Stack = (ethernet, IP(near, far, "UDP", 64, version), L4("UDP", sport, port))
    if settings.network == "udp":
        return below
    if settings.network == "wireguard":
        return (*below, WireGuard())
    return (*below, Vxlan(settings.vni) if settings.network == "vxlan" else Geneve(settings.vni))


def _rule(settings: Settings, node: Node, target: Node, gateway: str, far: str) -> Rule:
    """What tells the device the node to send to."""
    if settings.carries_frames:
        name, text = f"FDB entry of {target.name}", f"{mac(gateway)} dst {far} self permanent"
        rules = ("NET-07", "NET-09") if settings.network == "vxlan" else ("NET-12", "NET-09")
    elif settings.network == "wireguard":
        blocks = ", ".join(target.pod_cidrs)
        name, text = f"peer {target.name}", f"endpoint {host_port(far, settings.overlay_port)} allowed ips: {blocks}"
        rules = ("NET-12", "NET-07")
    else:
        name, text, rules = f"tunnel to {target.name}", f"local any remote {far}", ("NET-12", "NET-07")
    return Rule(name=name, text=text, ref=node.ref, made_by="the network plugin", rules=rules)


def _command(settings: Settings) -> str:
    device = settings.overlay_device
    if settings.carries_frames:
        return f"bridge fdb show dev {device}"
    return f"wg show {device}" if settings.network == "wireguard" else f"ip -d link show {device}"


def unwrap(j: Journey, node: Node) -> None:
    """Take the outer headers off; what was inside is unchanged (NET-06)."""
    settings = j.cluster.settings
    outer, j.packet.outer = j.packet.outer, ()
    j.step(
        Action.DECAPSULATED,
        "decapsulated",
        hook="input",
        component=settings.overlay_device,
        pop=outer,
        rule=Rule(
            name=f"{NAMES[settings.network]} device",
            ref=node.ref,
            made_by="the network plugin",
            rules=("NET-06", "NET-08") if settings.network == "vxlan" else ("NET-06", "NET-12"),
        ),
        command=f"ip -d link show {settings.overlay_device}",
        node=node.name,
        src=j.packet.ip.src,
        dst=j.packet.ip.dst,
    )
