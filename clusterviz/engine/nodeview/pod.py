"""Inside a pod: devices, routes, resolv.conf, and the environment Services leave there (NET-03, DNS-11, SVC-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.addresses import family, network
from clusterviz.engine.datapath.draw import mac
from clusterviz.engine.datapath.resolver import resolv_conf
from clusterviz.engine.nodeview.links import LOOPBACK, Device, pod_address, pod_block, pod_gateway
from clusterviz.engine.objects import Pod, Service, ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

API_SERVICE = ("default", "kubernetes")


def pod_devices(cluster: Cluster, pod: Pod) -> list[Device]:
    """lo and eth0; none before CNI gave an address."""
    if not pod.ips:
        return [LOOPBACK]
    addresses = tuple(pod_address(cluster, pod, ip) for ip in pod.ips)
    mtu = cluster.settings.pod_mtu
    return [LOOPBACK, Device(index=2, name="eth0", mtu=mtu, address=mac(pod.ip), addresses=addresses, peer="if5")]


def pod_routes(cluster: Cluster, pod: Pod, version: int = 4) -> list[str]:
    """The bridge is the way to everything but the neighbours on it (NET-04, NET-05)."""
    lines = []
    for ip in (one for one in pod.ips if family(one) == version):
        block, way = pod_block(cluster, pod, ip), pod_gateway(cluster, pod, ip)
        if way and family(way) == version:
            cidrs = [str(network(cidr.strip())) for cidr in cluster.settings.cluster_cidr.split(",") if cidr.strip()]
            lines.append(f"default via {way} dev eth0")
            lines += [f"{cidr} via {way} dev eth0" for cidr in cidrs if family(cidr) == version and cidr != block]
        if block:
            lines.append(f"{block} dev eth0 proto kernel scope link src {ip}")
    return lines


def resolv_text(cluster: Cluster, pod: Pod) -> str:
    """/etc/resolv.conf (DNS-11, DNS-15)."""
    return resolv_conf(cluster, pod).text


def environment(cluster: Cluster, pod: Pod) -> list[str]:
    """What ``env`` says of Services: those of the pod's namespace that were there before it, and the API's own.

    An object without a creation time is taken to have been there. ``enableServiceLinks: false`` leaves the API's.
    """
    plain = cluster.objects.get(("Pod", pod.namespace, pod.name), {})
    linked = (plain.get("spec") or {}).get("enableServiceLinks") is not False
    lines: list[str] = []
    for key, service in sorted(cluster.services.items()):
        here = linked and service.namespace == pod.namespace and _older(service, pod)
        if (key == API_SERVICE or here) and service.ip and not service.headless and service.ports:
            lines += _variables(service)
    return sorted(lines)


def _older(service: Service, pod: Pod) -> bool:
    return not (service.created and pod.created) or service.created <= pod.created


def _variables(service: Service) -> list[str]:
    """``NAME_SERVICE_HOST`` and its like, in both shapes kubelet writes."""
    name, first = _upper(service.name), service.ports[0]
    lines = [f"{name}_SERVICE_HOST={service.ip}", f"{name}_SERVICE_PORT={first.port}"]
    lines += [f"{name}_SERVICE_PORT_{_upper(port.name)}={port.port}" for port in service.ports if port.name]
    lines.append(f"{name}_PORT={_url(service, first)}")
    for port in service.ports:
        prefix = f"{name}_PORT_{port.port}_{port.protocol.upper()}"
        lines += [
            f"{prefix}={_url(service, port)}",
            f"{prefix}_PROTO={port.protocol.lower()}",
            f"{prefix}_PORT={port.port}",
            f"{prefix}_ADDR={service.ip}",
        ]
    return lines


def _url(service: Service, port: ServicePort) -> str:
    host = f"[{service.ip}]" if family(service.ip) == 6 else service.ip
    return f"{port.protocol.lower()}://{host}:{port.port}"


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
