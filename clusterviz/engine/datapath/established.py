"""What becomes of a connection that kube-proxy translated before the cluster changed (PX-17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clusterviz.engine.datapath.choose import every
from clusterviz.engine.datapath.service import ServiceDecision
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.objects import ServicePort

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Fate = Literal["kept", "flushed", "silent"]


def fate(now: Cluster, decision: ServiceDecision) -> Fate:
    """kept: conntrack goes on sending to the endpoint, ready or not, in its Service or not.

    flushed: kube-proxy deletes UDP entries of endpoints that no longer serve, so the next packet is
    decided anew. silent: the pod is gone, its address answers nobody. ``decision`` must be an accepted one.
    """
    endpoint, port = decision.endpoint, decision.port
    assert endpoint is not None
    assert port is not None
    service = now.services.get((decision.service.namespace, decision.service.name))
    if service is not None and port.protocol == "UDP":
        name = service.namespace, service.name
        if not serves(now, name, port, endpoint.ip, decision.target_port):
            return "flushed"
    gone = endpoint.pod and endpoint.ip not in now.pod_by_ip and endpoint.ip not in now.node_by_ip
    return "silent" if gone else "kept"


def serves(now: Cluster, name: tuple[str, str], port: ServicePort, ip: str, number: int) -> bool:
    """Whether an endpoint still serves a port of a Service that exists."""
    known = every(now, now.services[name], port)
    return any((one.ip, number_of(one, port)) == (ip, number) and (one.serving or one.ready) for one in known)
