"""What becomes of a connection that kube-proxy translated before the cluster changed (PX-17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clusterviz.engine.datapath.choose import every
from clusterviz.engine.datapath.service import ServiceDecision
from clusterviz.engine.endpoints import number_of

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
        serving = {(one.ip, number_of(one, port)) for one in every(now, service, port) if one.serving or one.ready}
        if (endpoint.ip, decision.target_port) not in serving:
            return "flushed"
    gone = endpoint.pod and endpoint.ip not in now.pod_by_ip and endpoint.ip not in now.node_by_ip
    return "silent" if gone else "kept"
