"""What each pod must be allowed, read from the policy decisions of traces where no policy is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from clusterviz.engine.datapath.resolver import uses_cluster_dns
from clusterviz.engine.draws import fates
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.objects import Pod, Service
from clusterviz.engine.packet import L4
from clusterviz.engine.trace import Hop, Trace
from clusterviz.engine.traffic import FLOW, Flow
from clusterviz.engine.walk import trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


#: The peer of a need where the cluster's DNS is not among the objects.
USUAL_DNS = "the usual cluster DNS"


class Need(NamedTuple):
    """``pod`` (namespace, name) must be let ``way`` a connection with ``peer``, on ``port`` of the receiver.

    ``peer`` is an address or `USUAL_DNS`; ``anybody``: it stands for every address outside.
    """

    pod: tuple[str, str]
    way: Literal["ingress", "egress"]
    peer: str
    protocol: str
    port: int
    anybody: bool = False


class Call(NamedTuple):
    """A TrafficFlow and what its connections need; ``problem`` says why it cannot be made at all."""

    name: str
    outside: bool
    needs: frozenset[Need]
    problem: str = ""


def calls(cluster: Cluster) -> Iterator[Call]:
    """Every call of the application. ``cluster`` must have no policies, or what they cut is not seen."""
    for key in sorted(key for key in cluster.objects if key[0] == FLOW):
        flow = Flow(key, cluster.objects[key])
        if flow.destination is not None:
            yield _call(cluster, flow)


def _call(cluster: Cluster, flow: Flow) -> Call:
    name = f"{flow.key[1]}/{flow.key[2]}"
    found: set[Need] = set()
    outside = flow.origin.get("kind") == "External"
    anybody = outside and not flow.origin.get("ip")
    for source in flow.sources(cluster):
        probe = flow.probe(cluster, source, 0)
        try:
            for made, drawn in fates(cluster, probe).items():
                if not made.success:
                    return Call(name, outside, frozenset(found), f"{made.verdict.value}, policies apart")
                found.update(_needs(cluster, trace(cluster, drawn), anybody=anybody))
        except ProbeError as error:
            return Call(name, outside, frozenset(found), str(error))
        pod = cluster.pods.get((source.namespace, source.name))
        if pod is not None and flow.destination is not None and flow.destination.kind == "name":
            found.update(_dns(cluster, pod))
    return Call(name, outside, frozenset(found))


def _needs(cluster: Cluster, one: Trace, *, anybody: bool) -> Iterator[Need]:
    for hop in one.forward:
        for step in hop.steps:
            facts = step.facts
            if step.reason not in ("policy_not_isolated", "policy_allowed") or "peer" not in facts:
                continue
            space, _, name = str(facts["pod"]).partition("/")
            peer = str(facts["peer"])
            stranger = anybody and peer not in cluster.pod_by_ip and peer not in cluster.node_by_ip
            yield Need((space, name), facts["way"], peer, _protocol(hop), int(facts["port"]), stranger)


def _protocol(hop: Hop) -> str:
    found = [header.proto for header in hop.headers_in if isinstance(header, L4)]
    return found[-1].upper() if found else "TCP"


def _dns(cluster: Cluster, pod: Pod) -> Iterator[Need]:
    """Names come first: the cluster's DNS by UDP, and by TCP for long answers (DNS-14)."""
    if pod.host_network or not uses_cluster_dns(cluster, pod):
        return
    known = cluster.services_by_ip.get(cluster.settings.dns_ip, ())
    for service, _ in known:
        yield from _dns_endpoints(cluster, pod, service)
    for protocol in ("UDP", "TCP") if not known else ():
        yield Need((pod.namespace, pod.name), "egress", USUAL_DNS, protocol, 53)


def _dns_endpoints(cluster: Cluster, pod: Pod, service: Service) -> Iterator[Need]:
    for endpoint in cluster.endpoints(service):
        for number in {number for name, number, _ in endpoint.ports if "dns" in name or number == 53} or {53}:
            for protocol in ("UDP", "TCP"):
                yield Need((pod.namespace, pod.name), "egress", endpoint.ip, protocol, number)
