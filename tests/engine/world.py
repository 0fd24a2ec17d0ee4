"""The classroom cluster of the engine tests, as plain objects.

n1 192.168.0.11 (10.244.0.0/24)      n2 192.168.0.12 (10.244.1.0/24)     n3 192.168.0.13
├ shop/web-1  .2  app=web            ├ shop/web-2  .2  app=web           ├ shop/db-0  .2  app=db
└ shop/client .3  app=client         └ spy/spy-1   .3  app=spy           └ ingress/ctl .3
"""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Cluster, Probe, Settings, Trace, trace
from clusterviz.engine.packet import IP, L4, Stack

Obj = dict[str, Any]


def node(name: str, **spec: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}


def pod(name: str, ip: str, node_name: str, *, app: str, ports: tuple[int, ...] = (8080,), **spec: Any) -> Obj:
    namespace, _, short = name.partition("/")
    containers = [{"name": "main", "ports": [{"name": f"p{port}", "containerPort": port} for port in ports]}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": short, "namespace": namespace, "labels": {"app": app}},
        "spec": {"nodeName": node_name, "containers": containers, **spec},
        "status": {"phase": "Running", "podIP": ip},
    }


def service(name: str, *, app: str = "", port: int = 80, target: Any = 8080, **spec: Any) -> Obj:
    namespace, _, short = name.partition("/")
    ports = [{"port": port, "targetPort": target}]
    selector = {"selector": {"app": app}} if app else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": short, "namespace": namespace},
        "spec": {"ports": ports, **selector, **spec},
    }


def policy(name: str, app: str | None = None, **spec: Any) -> Obj:
    namespace, _, short = name.partition("/")
    selector = {"matchLabels": {"app": app}} if app else {}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": short, "namespace": namespace},
        "spec": {"podSelector": selector, **spec},
    }


def base() -> list[Obj]:
    controller = pod("ingress/ctl", "10.244.2.3", "n3", app="ingress-nginx", ports=(80, 443))
    controller["metadata"]["labels"] |= {
        "app.kubernetes.io/name": "ingress-nginx",
        "app.kubernetes.io/component": "controller",
    }
    return [
        node("n1", podCIDR="10.244.0.0/24"),
        node("n2", podCIDR="10.244.1.0/24"),
        node("n3", podCIDR="10.244.2.0/24"),
        pod("shop/web-1", "10.244.0.2", "n1", app="web"),
        pod("shop/client", "10.244.0.3", "n1", app="client"),
        pod("shop/web-2", "10.244.1.2", "n2", app="web"),
        pod("spy/spy-1", "10.244.1.3", "n2", app="spy"),
        pod("shop/db-0", "10.244.2.2", "n3", app="db", ports=(5432,)),
        controller,
        service("shop/web", app="web", clusterIP="10.96.0.20"),
        service("shop/db", app="db", port=5432, target=5432, clusterIP="10.96.0.30"),
    ]


def build(*extra: Obj, settings: Settings | None = None) -> Cluster:
    return Cluster.from_objects([*base(), *extra], settings or Settings())


def ask(cluster: Cluster, source: str, to: str, *, seed: int = 0, protocol: str = "") -> Trace:
    return trace(cluster, Probe.parse(source, to, seed=seed, protocol=protocol))


def header(stack: Stack, kind: type = IP) -> Any:
    """The innermost header of a kind."""
    return next(found for found in reversed(stack) if isinstance(found, kind))


def seen(found: Trace) -> str:
    """The source address the last place saw."""
    return str(header(found.forward[-1].headers_in).src)


def places(found: Trace) -> list[str]:
    return [hop.place.ref for hop in found.forward]


def landed(found: Trace) -> str:
    """address:port the packet ended with."""
    last = found.forward[-1].headers_in
    return f"{header(last).dst}:{header(last, L4).dport}"


def actions(found: Trace) -> list[str]:
    return [step.action.value for hop in found.forward for step in hop.steps]
