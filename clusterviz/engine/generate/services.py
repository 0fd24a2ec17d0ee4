"""Services of every type, and the slices of those that select pods."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import msgspec

from clusterviz.engine.addresses import network, nth
from clusterviz.engine.controllers.endpoints import slices_of
from clusterviz.engine.controllers.work import seconds, timestamp
from clusterviz.engine.fill import pod_addresses
from clusterviz.engine.generate.apps import API, GRPC, WEB, App
from clusterviz.engine.generate.nodes import EDGE_SPACE
from clusterviz.engine.generate.size import Plan
from clusterviz.engine.objects import Obj
from clusterviz.engine.settings import Settings

# Kubernetes' own two stand at .1 and .10 of the range; the rest begins after the band it leaves to people.
FIRST_SERVICE = 256
FIRST_BALANCER = 20
MOST_BALANCERS = 200
MOST_NODE_PORTS = 2000
SAAS = ("mail", "sms", "cards", "maps", "storage", "ids", "taxes", "search")


class Face(msgspec.Struct, kw_only=True):
    """A Service and the workload behind it, None for an alias or one that selects nobody."""

    obj: Obj
    app: App | None = None
    host: str
    port: int
    scheme: str = "tcp"


class Numbers:
    """The next free ClusterIP, node port and balancer address."""

    def __init__(self, settings: Settings) -> None:
        net = network(settings.service_cidr)
        assert isinstance(net, IPv4Network)
        self._services = int(net.network_address) + FIRST_SERVICE
        self._ports, self._end = settings.nodeport_range
        self._balancers, self._next_balancer = settings.load_balancer_cidr, FIRST_BALANCER

    def cluster_ip(self) -> str:
        self._services += 1
        return str(IPv4Network(self._services).network_address)

    def node_port(self) -> int:
        self._ports += 1
        assert self._ports <= self._end
        return self._ports

    def balancer(self) -> str:
        self._next_balancer += 1
        return nth(self._balancers, self._next_balancer)


def services(plan: Plan, apps: list[App], settings: Settings, rng: random.Random, now: float) -> list[Face]:
    """The Services of ordinary workloads; the first few are of types that must not be missing."""
    numbers = Numbers(settings)
    behind = plan.app_services - plan.aliases - plan.selecting_none
    balancers = min(MOST_BALANCERS, max(behind // 100, behind >= 4))
    node_ports = min(MOST_NODE_PORTS, max(behind // 40, behind >= 4))
    # People outside call web pages and APIs.
    fronts = [one for one in apps if one.role in (WEB, API)]
    rest = [one for one in apps if one.role not in (WEB, API)]
    chosen = [*fronts[: balancers + node_ports], *rest, *fronts[balancers + node_ports :]]
    found = []
    for index in range(behind):
        app, turn = chosen[index % len(chosen)], index // len(chosen)
        kind = "ClusterIP"
        if app.role in (WEB, API) and not turn:
            kind = "LoadBalancer" if index < balancers else "NodePort" if index < balancers + node_ports else kind
        found.append(_face(app, turn, kind, numbers, rng))
    spaces = sorted({one.namespace for one in apps})
    found += [_selecting_none(index, rng.choice(spaces), numbers, now) for index in range(plan.selecting_none)]
    found += [_alias(index, rng.choice(spaces), now) for index in range(plan.aliases)]
    return found


def _face(app: App, turn: int, kind: str, numbers: Numbers, rng: random.Random) -> Face:
    role = app.role
    name = f"{app.name}-{turn + 1}" if turn else app.name
    headless = bool(app.headless) and not turn
    ip = "None" if headless else numbers.cluster_ip()
    port: Obj = {
        "name": role.port_name,
        "protocol": "TCP",
        "port": role.service_port or role.port,
        "targetPort": role.port_name,
    }
    spec: Obj = {"type": kind, "clusterIP": ip, "clusterIPs": [ip], "selector": app.labels, "ports": [port]}
    if kind != "ClusterIP":
        port["nodePort"] = numbers.node_port()
    if kind == "NodePort" and rng.random() < 0.25:
        spec["externalTrafficPolicy"] = "Local"
    if kind == "ClusterIP" and not headless and role is GRPC and rng.random() < 0.3:
        spec["trafficDistribution"] = "PreferClose"
    obj = _service(name, app.namespace, spec, app.born, app.labels)
    if kind == "LoadBalancer":
        obj["status"] = {"loadBalancer": {"ingress": [{"ip": numbers.balancer()}]}}
    return Face(obj=obj, app=app, host=f"{name}.{app.namespace}", port=int(port["port"]), scheme=role.scheme)


def _service(name: str, space: str, spec: Obj, born: str, labels: dict[str, str] | None = None) -> Obj:
    metadata: Obj = {"name": name, "namespace": space, "creationTimestamp": born}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _selecting_none(index: int, space: str, numbers: Numbers, now: float) -> Face:
    """A Service whose selector has a typing error: it has an address and nobody behind it."""
    ip, name = numbers.cluster_ip(), f"legacy-{index + 1}"
    ports = [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080}]
    spec = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "selector": {"app": f"legcy-{index + 1}"}}
    obj = _service(name, space, {**spec, "ports": ports}, timestamp(now - 86_400 * 200))
    return Face(obj=obj, host=f"{name}.{space}", port=80, scheme="http")


def _alias(index: int, space: str, now: float) -> Face:
    """A Service of type ExternalName."""
    turn, place = divmod(index, len(SAAS))
    name = f"{SAAS[place]}-provider" + (f"-{turn + 1}" if turn else "")
    spec = {"type": "ExternalName", "externalName": f"{SAAS[place]}.example.com"}
    return Face(obj=_service(name, space, spec, timestamp(now - 86_400 * 300)), host=f"{name}.{space}", port=443)


def system_services(plan: Plan, system: list[App], settings: Settings) -> list[Face]:
    """The API's Service, cluster DNS, and the Ingress controller's front."""
    api = {"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}
    ip = nth(settings.service_cidr, 1)
    spec: Obj = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "ports": [api]}
    labels = {"component": "apiserver", "provider": "kubernetes"}
    dns = system[0]
    found = [Face(obj=_service("kubernetes", "default", spec, dns.born, labels), host="kubernetes.default", port=443)]
    ports: list[dict[str, Any]] = [
        {"name": name, "protocol": kind, "port": 53, "targetPort": 53}
        for name, kind in (("dns", "UDP"), ("dns-tcp", "TCP"))
    ]
    ip = settings.dns_ip
    spec = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "selector": dns.labels, "ports": ports}
    obj = _service("kube-dns", "kube-system", spec, dns.born, {**dns.labels, "kubernetes.io/name": "CoreDNS"})
    found.append(Face(obj=obj, app=dns, host="kube-dns.kube-system", port=53))
    if plan.edge:
        found.append(_edge(system[1], settings))
    return found


def _edge(controller: App, settings: Settings) -> Face:
    low = settings.nodeport_range[1]
    ports = [
        {"name": name, "protocol": "TCP", "port": port, "targetPort": name, "nodePort": low - index}
        for index, (name, port) in enumerate((("http", 80), ("https", 443)))
    ]
    ip = nth(settings.service_cidr, FIRST_SERVICE)
    spec = {"type": "LoadBalancer", "clusterIP": ip, "clusterIPs": [ip], "selector": controller.labels, "ports": ports}
    obj = _service("ingress-nginx-controller", EDGE_SPACE, spec, controller.born, controller.labels)
    obj["status"] = {"loadBalancer": {"ingress": [{"ip": nth(settings.load_balancer_cidr, FIRST_BALANCER)}]}}
    return Face(obj=obj, app=controller, host=f"ingress-nginx-controller.{EDGE_SPACE}", port=80, scheme="http")


def slices(faces: list[Face], zones: dict[str, str]) -> Iterator[Obj]:
    """The EndpointSlices of every Service that selects somebody."""
    for face in faces:
        spec = face.obj["spec"]
        if not spec.get("selector"):
            continue
        pods = [pod for pod in face.app.pods if pod_addresses(pod)] if face.app else []
        for one in slices_of(face.obj, pods, zones):
            stamp = timestamp(seconds(face.obj["metadata"]["creationTimestamp"]) + 1)
            yield {**one, "metadata": {**one["metadata"], "creationTimestamp": stamp}}
