"""Inside a pod: devices, routes, resolv.conf, and the environment Services leave there (NET-03, DNS-11, SVC-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family, listed, network
from clusterviz.engine.datapath.draw import mac
from clusterviz.engine.datapath.environment import service_environment
from clusterviz.engine.datapath.place import home, veth
from clusterviz.engine.datapath.resolver import resolv_conf
from clusterviz.engine.nodeview.links import FIRST_VETH, LOOPBACK, Device, pod_address, pod_block, pod_gateway, veths
from clusterviz.engine.objects import Pod

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def pod_devices(cluster: Cluster, pod: Pod) -> list[Device]:
    """lo and eth0; none before CNI gave an address."""
    if not pod.ips:
        return [LOOPBACK]
    addresses = tuple(pod_address(cluster, pod, ip) for ip in pod.ips)
    node, name = home(cluster, pod), veth(pod)
    other = next((one.index for one in veths(cluster, node) if one.name == name), FIRST_VETH) if node else FIRST_VETH
    mtu = cluster.settings.pod_mtu
    card = Device(index=2, name="eth0", mtu=mtu, address=mac(pod.ip), addresses=addresses, peer=f"if{other}")
    return [LOOPBACK, card]


def pod_routes(cluster: Cluster, pod: Pod, version: int = 4) -> list[str]:
    """The bridge is the way to everything but the neighbours on it (NET-04, NET-05)."""
    lines = []
    for ip in (one for one in pod.ips if family(one) == version):
        block, way = pod_block(cluster, pod, ip), pod_gateway(cluster, pod, ip)
        if way and family(way) == version:
            cidrs = [str(network(cidr)) for cidr in listed(cluster.settings.cluster_cidr)]
            lines.append(f"default via {way} dev eth0")
            lines += [f"{cidr} via {way} dev eth0" for cidr in cidrs if family(cidr) == version and cidr != block]
        if block:
            lines.append(f"{block} dev eth0 proto kernel scope link src {ip}")
    return lines


def resolv_text(cluster: Cluster, pod: Pod) -> str:
    """/etc/resolv.conf (DNS-11, DNS-15)."""
    return resolv_conf(cluster, pod).text


def environment(cluster: Cluster, pod: Pod) -> list[str]:
    """What ``env`` says of Services in the pod's first container (SVC-18)."""
    return [f"{name}={value}" for name, value in service_environment(cluster, pod).items()]
