"""A Service with its slices, little by little: objects that need not be complete, and `decide` asked of them."""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.datapath.service import ServiceDecision, decide
from tests.engine.world import Obj

OUTSIDE, VIP, LB = "203.0.113.7", "172.30.0.41", "1.2.3.4"


def bare(**spec: Any) -> Obj:
    """A Service with nothing but an address and a port, unless told otherwise."""
    ports = [{"name": "p80", "port": 80}]
    return {
        "kind": "Service",
        "metadata": {"name": "svc1", "namespace": "ns1"},
        "spec": {"clusterIP": VIP, "ports": ports, **spec},
    }


def balanced(*ips: str, **spec: Any) -> Obj:
    made = bare(**{"type": "LoadBalancer", **spec})
    made["spec"]["ports"] = [{"name": "p80", "port": 80, "nodePort": 30080}]
    made["status"] = {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips]}}
    return made


def entry(ip: str, on: str = "", **conditions: bool) -> Obj:
    made: Obj = {"addresses": [ip], "conditions": conditions}
    return made | ({"nodeName": on} if on else {})


def slice_of(*endpoints: Obj, name: str = "svc1-a", kind: str = "IPv4", ports: list[Obj] | None = None) -> Obj:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "ns1", "labels": {"kubernetes.io/service-name": "svc1"}},
        "addressType": kind,
        "endpoints": list(endpoints),
        "ports": [{"name": "p80", "port": 8080, "protocol": "TCP"}] if ports is None else ports,
    }


def host(name: str, *ips: str, zone: str = "") -> Obj:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    addresses = [{"type": "InternalIP", "address": ip} for ip in ips]
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"addresses": addresses}}


def world(*objects: Obj, **settings: Any) -> Cluster:
    nodes = [host("a", "192.168.0.2", "192.168.9.2", "fd00::2"), host("b", "192.168.0.3", "fd00::3")]
    known = {"service_cidr": "172.30.0.0/16,fd00:96::/108", "cluster_cidr": "10.0.0.0/8,fd00:10::/48", **settings}
    return Cluster.from_objects([*nodes, *objects], Settings(**known))


def ask(
    cluster: Cluster, ip: str, port: int = 80, source: str = OUTSIDE, on: str = "a", proto: str = "TCP", **more: Any
) -> ServiceDecision | None:
    return decide(cluster, cluster.nodes[on], source, ip, proto, port, **more)


def targets(found: ServiceDecision | None) -> set[str]:
    assert found is not None
    return {f"{one.address}:{one.port}" for one in found.candidates if one.probability}


def effect(found: ServiceDecision | None) -> str:
    return found.effect if found else "none"
