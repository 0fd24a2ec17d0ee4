"""A node's devices and what it knows of its neighbours: addresses, ARP, FDB, bridge ports (NET-04, NET-09)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import family, host_port, network, nth
from clusterviz.engine.datapath.draw import mac
from clusterviz.engine.datapath.place import home, of_family, own_block, route_for, veth
from clusterviz.engine.nodeview.routes import BRIDGE, CARD, gateway, segment
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.proxyrules.ipvs import IPVS_DEVICE, virtual_addresses

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

UP = "BROADCAST,MULTICAST,UP,LOWER_UP"
FIRST_VETH = 5


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A network device; ``addresses`` with their prefix length, ``peer`` what stands after the @."""

    index: int
    name: str
    mtu: int
    address: str = ""
    addresses: tuple[str, ...] = ()
    flags: str = UP
    state: str = "UP"
    peer: str = ""
    master: str = ""
    kind: str = "ether"

    @property
    def lines(self) -> list[str]:
        """As ``ip addr`` prints it, without the lifetimes of addresses."""
        peer = f"@{self.peer}" if self.peer else ""
        master = f" master {self.master}" if self.master else ""
        broadcast = "00:00:00:00:00:00" if self.kind == "loopback" else "ff:ff:ff:ff:ff:ff"
        head = f"{self.index}: {self.name}{peer}: <{self.flags}> mtu {self.mtu}{master} state {self.state}"
        lines = [head, f"    link/{self.kind} {self.address} brd {broadcast}"]
        return [*lines, *(f"    {_inet(one, self.name)}" for one in self.addresses)]


def _inet(address: str, device: str) -> str:
    ip, _, length = address.partition("/")
    if family(ip) == 6:
        return f"inet6 {address} scope {'host' if device == 'lo' else 'global'}"
    net = network(address)
    broadcast = f" brd {net.broadcast_address}" if int(length) < 31 and device != "lo" else ""
    return f"inet {address}{broadcast} scope {'host' if device == 'lo' else 'global'} {device}"


LOOPBACK = Device(
    index=1,
    name="lo",
    mtu=65536,
    address="00:00:00:00:00:00",
    addresses=("127.0.0.1/8", "::1/128"),
    flags="LOOPBACK,UP,LOWER_UP",
    state="UNKNOWN",
    kind="loopback",
)


def devices(cluster: Cluster, node: Node) -> list[Device]:
    """lo, the card, the overlay device, the bridge and the node's ends of the pods' veth pairs."""
    settings = cluster.settings
    card = tuple(f"{ip}/{_length(segment(cluster, ip), ip)}" for ip in node.ips)
    found = [LOOPBACK, Device(index=2, name=CARD, mtu=settings.mtu, address=_mac(node.ips), addresses=card)]
    overlay = cluster.overlay_ips(node)
    if overlay:
        hosts = tuple(f"{ip}/{_length('', ip)}" for ip in overlay)
        name = settings.overlay_device
        found.append(
            Device(
                index=3,
                name=name,
                mtu=settings.pod_mtu,
                address=_mac(overlay),
                addresses=hosts,
                state="UNKNOWN",
            )
        )
    bridge = cluster.bridge_ips(node)
    blocks = tuple(f"{ip}/{_length(own_block(node, ip), ip)}" for ip in bridge)
    if bridge:
        found.append(Device(index=4, name=BRIDGE, mtu=settings.pod_mtu, address=_mac(bridge), addresses=blocks))
    found += veths(cluster, node)
    if settings.proxy_mode == "ipvs":
        found.append(_ipvs(cluster, node, found[-1].index + 1))
    return found


def veths(cluster: Cluster, node: Node) -> list[Device]:
    """The node's ends of the veth pairs of its pods, oldest first; each is a port of the bridge."""
    return [
        Device(
            index=FIRST_VETH + number,
            name=veth(pod),
            mtu=cluster.settings.pod_mtu,
            address=mac(f"fe80::{number + 1:x}:{veth(pod)[4:]}"),
            peer="if2",
            master=BRIDGE,
        )
        for number, pod in enumerate(bridged(cluster, node))
    ]


def bridged(cluster: Cluster, node: Node) -> list[Pod]:
    """Pods with a network namespace of their own on the node, oldest first."""
    found = {pod.ref: pod for pod in cluster.pod_by_ip.values() if home(cluster, pod) is node}
    return sorted(found.values(), key=lambda pod: (pod.created, pod.namespace, pod.name))


def _ipvs(cluster: Cluster, node: Node, index: int) -> Device:
    """The device all virtual addresses sit on in IPVS mode (IPV-01)."""
    hosts = tuple(f"{ip}/{_length('', ip)}" for version in (4, 6) for ip in virtual_addresses(cluster, node, version))
    return Device(
        index=index,
        name=IPVS_DEVICE,
        mtu=1500,
        address=mac(IPVS_DEVICE + "::"),
        addresses=hosts,
        flags="BROADCAST,NOARP",
        state="DOWN",
    )


def _mac(addresses: tuple[str, ...]) -> str:
    """A device is named after its first address; one without any has a MAC of no account."""
    return mac(addresses[0]) if addresses else mac("::")


def _length(cidr: str, ip: str) -> int:
    return network(cidr).prefixlen if cidr else (128 if family(ip) == 6 else 32)


def neighbours(cluster: Cluster, node: Node) -> list[str]:
    """``ip neigh``: overlay entries are flannel's and permanent, others are learnt by talking (NET-09)."""
    device = cluster.settings.overlay_device
    lines = [f"{ip} dev {device} lladdr {mac(ip)} PERMANENT" for ip, _ in _tunnels(cluster, node)]
    near = {segment(cluster, ip) for ip in node.ips} - {""}
    cards = [ip for other in _others(cluster, node) for ip in other.ips if segment(cluster, ip) in near]
    ways = [way for version in (4, 6) if (way := gateway(cluster, node, version)) and way not in (*cards, *node.ips)]
    lines += [f"{ip} dev {CARD} lladdr {mac(ip)} REACHABLE" for ip in (*ways, *cards)]
    pods = [ip for pod in bridged(cluster, node) for ip in pod.ips]
    return lines + [f"{ip} dev {BRIDGE} lladdr {mac(ip)} REACHABLE" for ip in pods]


def forwarding_entries(cluster: Cluster, node: Node) -> list[str]:
    """``bridge fdb show dev flannel.1``: which node has which overlay MAC (NET-09)."""
    return [f"{mac(ip)} dst {other.ip} self permanent" for ip, other in _tunnels(cluster, node) if other.ip]


def _tunnels(cluster: Cluster, node: Node) -> list[tuple[str, Node]]:
    """Overlay addresses of the nodes whose frames the overlay carries, each with its node."""
    if not cluster.settings.carries_frames:
        return []
    found = []
    for other in _others(cluster, node):
        for ip in cluster.overlay_ips(other):
            block = own_block(other, ip)
            if block and route_for(cluster, node, nth(block, 1)).kind == "overlay":
                found.append((ip, other))
    return found


def wireguard_peers(cluster: Cluster, node: Node) -> list[str]:
    """``wg show``: each other node's pods are what its peer may send, and what is sent to it (NET-12)."""
    settings = cluster.settings
    lines = [f"interface: {settings.overlay_device}", f"  listening port: {settings.overlay_port}"]
    for other in _others(cluster, node):
        blocks = [c for c in other.pod_cidrs if route_for(cluster, node, nth(c, 1)).kind == "overlay"]
        if blocks:
            endpoint = f"  endpoint: {host_port(other.ip, settings.overlay_port)}"
            lines += ["", f"peer: (key of {other.name})", endpoint, f"  allowed ips: {', '.join(blocks)}"]
    return lines


def bridge_ports(cluster: Cluster, node: Node) -> list[str]:
    """``bridge -d link``: the ports of cni0, and whether a frame may go back where it came from (NET-04)."""
    hairpin = "on" if cluster.settings.hairpin else "off"
    lines = []
    for port in veths(cluster, node):
        head = f"{port.index}: {port.name}@{port.peer}: <{UP}> mtu {port.mtu} master {BRIDGE}"
        lines += [
            f"{head} state forwarding priority 32 cost 2",
            f"    hairpin {hairpin} guard off learning on flood on",
        ]
    return lines


def _others(cluster: Cluster, node: Node) -> Iterable[Node]:
    return (other for other in cluster.nodes.values() if other.name != node.name)


def pod_block(cluster: Cluster, pod: Pod, ip: str) -> str:
    """The pod CIDR of its node that holds the pod's address, "" when none does."""
    node = home(cluster, pod)
    block = own_block(node, ip) if node else ""
    return str(network(block)) if block else ""


def pod_address(cluster: Cluster, pod: Pod, ip: str) -> str:
    """The pod's address with the prefix length its eth0 has: that of its node's block."""
    return f"{ip}/{_length(pod_block(cluster, pod, ip), ip)}"


def pod_gateway(cluster: Cluster, pod: Pod, ip: str) -> str:
    """The bridge of the pod's node, in the family of ``ip``."""
    node = home(cluster, pod)
    return of_family(cluster.bridge_ips(node), ip) if node else ""
