"""Ports of nodes that pods ask for: two pods with the same one do not fit on a node (NET-02)."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.fill import spec_of, status_of
from clusterviz.engine.objects import Obj

Port = tuple[str, str, int]
ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - a hostIP that means every address
NO_FREE_PORTS = "node(s) didn't have free ports for the requested pod ports"


class HostPorts:
    """Host ports in use on each node, as the scheduler counts them."""

    def __init__(self, pods: Iterable[Obj] = ()) -> None:
        self._used: dict[str, list[Port]] = {}
        for pod in pods:
            if status_of(pod).get("phase") not in ("Succeeded", "Failed"):
                self.take(str(spec_of(pod).get("nodeName") or ""), pod)

    def free(self, node: str, pod: Obj) -> bool:
        """Whether nobody on the node has a port that the pod wants."""
        return not any(_clash(mine, theirs) for mine in wanted_ports(pod) for theirs in self._used.get(node, ()))

    def take(self, node: str, pod: Obj) -> None:
        """The pod is on the node now."""
        ports = wanted_ports(pod) if node else ()
        if ports:
            self._used.setdefault(node, []).extend(ports)


def wanted_ports(pod: Obj) -> tuple[Port, ...]:
    """(hostIP, protocol, port) of a pod; on the host network every declared port is the node's."""
    spec = spec_of(pod)
    own = bool(spec.get("hostNetwork"))
    return tuple(
        (str(port.get("hostIP") or ""), str(port.get("protocol") or "TCP"), int(number))
        for container in spec.get("containers") or ()
        for port in container.get("ports") or ()
        if (number := port.get("hostPort") or (own and port.get("containerPort")))
    )


def _clash(one: Port, other: Port) -> bool:
    """The same port and protocol on the same address, or on any."""
    return one[1:] == other[1:] and (one[0] == other[0] or bool(ANY & {one[0], other[0]}))
