"""The overlay: a frame between nodes travels inside a UDP packet of the nodes (NET-06..09)."""

from __future__ import annotations

from clusterviz.engine.datapath.draw import draw, mac
from clusterviz.engine.datapath.place import Route, of_family
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node
from clusterviz.engine.packet import IP, L4, Ethernet, Vxlan
from clusterviz.engine.trace import Action, Rule, Verdict

OVERHEAD = 50


def wrap(j: Journey, node: Node, route: Route) -> bool:
    """Put the outer headers on; False when the packet is too large for the wire (NET-13)."""
    settings, packet = j.cluster.settings, j.packet
    assert route.node is not None
    if j.probe.length + OVERHEAD > settings.mtu and j.probe.dont_fragment:
        j.step(
            Action.DROPPED,
            "mtu_exceeded",
            rule=Rule(name="MTU", rules=("NET-13", "NET-07")),
            length=j.probe.length,
            mtu=settings.pod_mtu,
            node=node.name,
        )
        j.block(
            Verdict.MTU_EXCEEDED, ref=node.ref, rule="MTU", why=f"{j.probe.length} bytes do not fit {settings.pod_mtu}"
        )
        return False
    near = of_family(node.ips, route.node.ip)
    far = route.node.ip
    port = 49152 + int(draw(0, packet.ip.src, packet.ip.dst, packet.l4) * 16384)
    outer = (
        Ethernet(mac(near), mac(far), "IPv6" if ":" in far else "IPv4"),
        IP(near, far, "UDP", 64, 6 if ":" in far else 4),
        L4("UDP", port, settings.vxlan_port),
        Vxlan(settings.vni),
    )
    packet.outer = outer
    j.step(
        Action.ENCAPSULATED,
        "encapsulated",
        hook="postrouting",
        component=f"flannel.{settings.vni}",
        push=outer,
        rule=Rule(
            name=f"FDB entry of {route.node.name}",
            text=f"{mac(route.via)} dst {far} self permanent",
            ref=node.ref,
            made_by="flannel",
            rules=("NET-07", "NET-09"),
        ),
        command=f"bridge fdb show dev flannel.{settings.vni}",
        near=near,
        far=far,
        port=settings.vxlan_port,
        vni=settings.vni,
        target=route.node.name,
        node=node.name,
    )
    return True


def unwrap(j: Journey, node: Node) -> None:
    """Take the outer headers off; the inner frame is unchanged (NET-06)."""
    outer, j.packet.outer = j.packet.outer, ()
    j.step(
        Action.DECAPSULATED,
        "decapsulated",
        hook="input",
        component=f"flannel.{j.cluster.settings.vni}",
        pop=outer,
        rule=Rule(name="VXLAN device", ref=node.ref, made_by="flannel", rules=("NET-06", "NET-08")),
        command=f"ip -d link show flannel.{j.cluster.settings.vni}",
        node=node.name,
        src=j.packet.ip.src,
        dst=j.packet.ip.dst,
    )
