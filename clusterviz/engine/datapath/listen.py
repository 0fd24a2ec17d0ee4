"""Does anything listen there? Kubernetes does not know; we say what we take for granted (NET-03, IMP-04)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import is_loopback
from clusterviz.engine.endpoints import target_port
from clusterviz.engine.objects import Node, Pod

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Listener(msgspec.Struct, frozen=True):
    """``container`` that has the port, "" unknown; ``assumed`` the simplification used, "" none.

    ``down``: containers that would have it and do not run (LIF-04).
    """

    open: bool
    container: str = ""
    assumed: str = ""
    collision: tuple[str, ...] = ()
    down: tuple[str, ...] = ()


def listener(cluster: Cluster, pod: Pod, proto: str, port: int, *, loopback: bool = False) -> Listener:
    """Whether a process of the pod accepts connections on this port.

    The annotation ``clusterviz.dev/listen`` is the truth when present (``8080, 127.0.0.1:9000``).
    Otherwise declared ports count, ports Services aim at count, and a pod that declares none is
    taken to listen on any. A container that does not run listens on nothing.
    """
    if pod.containers and not any(container.running for container in pod.containers):
        return Listener(False, down=tuple(container.name for container in pod.containers))
    declaring = [
        container
        for container in pod.containers
        if any(declared.port == port and declared.protocol == proto for declared in container.ports)
    ]
    owners = tuple(container.name for container in declaring if container.running)
    first, rest = (owners[0] if owners else ""), owners[1:]
    if declaring and not owners:
        return Listener(False, down=tuple(container.name for container in declaring))
    if pod.listen is not None:
        return Listener(_annotated(pod.listen, port, loopback=loopback), first, "", rest)
    if owners:
        return Listener(True, first, "declared-port-listens", rest)
    if not pod.ports:
        return Listener(True, "", "no-declared-ports")
    if _targeted(cluster, pod, proto, port):
        return Listener(True, "", "target-port-listens")
    return Listener(False, "", "undeclared-port-closed")


def _annotated(entries: tuple[str, ...], port: int, *, loopback: bool) -> bool:
    for entry in entries:
        host, _, number = entry.rpartition(":")
        if number == str(port) and (host != "127.0.0.1" or loopback):
            return True
    return False


def _targeted(cluster: Cluster, pod: Pod, proto: str, port: int) -> bool:
    return any(
        one.protocol == proto and target_port(one, pod) == port
        for service in cluster.services_selecting(pod)
        for one in service.ports
    )


class HostListener(msgspec.Struct, frozen=True):
    """Who has a port of a node: a hostNetwork pod, or a process nobody told of (``pod`` None)."""

    open: bool
    pod: Pod | None = None
    assumed: str = ""


def host_listener(cluster: Cluster, node: Node, proto: str, ip: str, port: int) -> HostListener:
    """Whether something accepts connections on a port of the node itself (NET-02).

    A hostNetwork pod that declares the port or says so in its annotation; else, when a Service has
    this very address as endpoint, something is taken to be there.
    """
    loopback = is_loopback(ip)
    running = [pod for pod in cluster.host_pods.get(node.name, ()) if pod.phase == "Running" and _runs(pod)]
    for pod in running:
        if pod.listen is not None:
            if _annotated(pod.listen, port, loopback=loopback):
                return HostListener(True, pod)
        elif any(
            one.port == port and one.protocol == proto for each in pod.containers if each.running for one in each.ports
        ):
            return HostListener(True, pod, "declared-port-listens")
    behind = {service.ref: service for own in node.ips for service in cluster.services_behind(own)}
    for _, service in sorted(behind.items()):
        for endpoint in cluster.endpoints(service):
            if endpoint.ip in node.ips and any(n == port and p == proto for _, n, p in endpoint.ports):
                found = next((pod for pod in running if pod.ref == endpoint.pod and pod.listen is None), None)
                if found is not None or not endpoint.pod:
                    return HostListener(True, found, "endpoint-listens")
    return HostListener(False)


def _declared(pod: Pod) -> set[tuple[str, int]]:
    """Ports of containers that run."""
    return {(one.protocol, one.port) for container in pod.containers if container.running for one in container.ports}


def _runs(pod: Pod) -> bool:
    return not pod.containers or any(container.running for container in pod.containers)


ASSUMPTIONS = {
    "endpoint-listens": "A Service names this address of the node as its endpoint, so something is taken to listen.",
    "declared-port-listens": "A process is taken to listen on every declared container port.",
    "no-declared-ports": "The pod declares no ports; it is taken to listen on the one that was called.",
    "target-port-listens": "No container declares this port, but a Service aims at it, so it is taken to be open.",
    "undeclared-port-closed": "No container declares this port and no Service aims at it; it is taken to be closed.",
}
