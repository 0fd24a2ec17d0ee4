"""Two nodes, hand-written slices and one Service at a time: objects whose rules fit on a page."""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.proxyrules import iptables

Obj = dict[str, Any]
THREE = (("10.180.0.1", "a"), ("10.180.0.2", "b"), ("10.180.0.3", "b"))
HASH = "XPGD46QRK7WJZT7O"
SEP1, SEP2, SEP3 = "SXIVWICOYRO3J4NJ", "LXVODXWDISEETFEF", "ICDUIKC33SFI6ZPR"


def node(name: str, *ips: str, zone: str = "") -> Obj:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    addresses = [{"type": "InternalIP", "address": ip} for ip in ips]
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"addresses": addresses}}


def service(*, ports: list[Obj] | None = None, lb: tuple[str, ...] = (), **spec: Any) -> Obj:
    return {
        "kind": "Service",
        "metadata": {"name": "svc1", "namespace": "ns1"},
        "spec": {"clusterIP": "10.96.0.41", "ports": ports or [{"name": "p80", "port": 80}], **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": ip} for ip in lb]}},
    }


def endpoints(where: tuple[tuple[str, str], ...] = THREE, *, port: Obj | None = None, **each: Any) -> Obj:
    version = "IPv6" if where and ":" in where[0][0] else "IPv4"
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"svc1-{version}".lower(),
            "namespace": "ns1",
            "labels": {"kubernetes.io/service-name": "svc1"},
        },
        "addressType": version,
        "ports": [port or {"name": "p80", "port": 80, "protocol": "TCP"}],
        "endpoints": [{"addresses": [ip], "nodeName": name, **each} for ip, name in where],
    }


def cluster(*objects: Obj, **settings: Any) -> Cluster:
    nodes = [node("a", "192.168.0.2", "fd00::2", zone="east"), node("b", "192.168.0.3", "fd00::3", zone="west")]
    return Cluster.from_objects([*nodes, *objects], Settings(**settings))


def rules(*objects: Obj, on: str = "a", family: int = 4, **settings: Any) -> list[str]:
    made = cluster(*objects, **settings)
    return iptables(made, made.nodes[on], family).splitlines()


def chain(lines: list[str], name: str, table: str = "nat") -> list[str]:
    """The rules of one chain without their comments' quotes in the way: ``-A NAME`` is cut off."""
    start = lines.index(f"*{table}")
    inside = lines[start : lines.index("COMMIT", start)]
    return [line.removeprefix(f"-A {name} ") for line in inside if line.startswith(f"-A {name} ")]
