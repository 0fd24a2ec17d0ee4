"""Past a refusal of kube-proxy: as a ghost on to an endpoint it would have had, for what else would stop the packet."""

from __future__ import annotations

from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.choose import Chosen, every
from clusterviz.engine.datapath.lacking import lacking
from clusterviz.engine.datapath.lookup import Lookup, origin_of
from clusterviz.engine.datapath.place import At
from clusterviz.engine.datapath.service import HAIRPIN, ServiceDecision, chosen
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, Node, Service, ServicePort
from clusterviz.engine.trace import Verdict

# Verdicts that say themselves that nobody is behind the Service.
REFUSED = ("reject", "drop")


def onward(j: Journey, node: Node, at: At, decision: ServiceDecision) -> str | None:
    """Translate to the next best endpoint; why to masquerade, None where the Service has none at all.

    The next best is one the list holds (a guard stopped the packet), else one that is not local, else one that
    is not ready. A port the Service does not have is taken for the one that leads to it, or the only one there is.
    """
    ip, port = j.packet.ip, decision.port or meant(j, decision.service)
    if port is None:
        return None
    local = at.came == "local"
    origin = origin_of(j.cluster, node, ip.src, from_node=local, to=ip.dst)
    one = chosen(j.cluster, node, Lookup(decision.service, port, decision.via), family(ip.dst), origin)
    found = next(iter(_next(j, one)), None)
    if decision.verdict not in REFUSED and not one.choice.endpoints:
        _none(j, node, one)
    if found is None:
        return None
    j.packet.change("ip", "DNAT", dst=found.ip)
    j.packet.change("l4", "DNAT", dport=number_of(found, port))
    return one.masquerade or (HAIRPIN if found.ip == ip.src else "")


def onward_ping(j: Journey, service: Service) -> str | None:
    """On to a pod behind a Service whose address answers no ping; None where it has none."""
    known = sorted(j.cluster.endpoints(service), key=lambda one: not one.ready)
    found = next((one for one in known if family(one.ip) == j.packet.ip.version), None)
    if found is None:
        return None
    j.packet.change("ip", "DNAT", dst=found.ip)
    return ""


def meant(j: Journey, service: Service) -> ServicePort | None:
    """The port of the Service that leads to the one called, else its only one of this protocol."""
    ports = [one for one in service.ports if one.protocol == j.packet.ip.proto]
    return next((one for one in ports if one.target == j.packet.dport), ports[0] if len(ports) == 1 else None)


def _next(j: Journey, one: Chosen) -> list[Endpoint]:
    """Endpoints that have the port: those of the list, else ready ones before others."""
    port = one.found.port
    if one.choice.endpoints:
        return list(one.choice.endpoints)
    known = every(j.cluster, one.found.service, port, family(j.packet.ip.dst))
    return sorted((one for one in known if number_of(one, port)), key=lambda one: not one.ready)


def _none(j: Journey, node: Node, one: Chosen) -> None:
    """Behind the guard, or the right port, there is nobody either (PX-07)."""
    service = one.found.service
    name = f"{service.namespace}/{service.name}"
    if one.anywhere:
        why, verdict = f"Service {name} has no endpoint on {node.name}", Verdict.NO_LOCAL_ENDPOINT_DROPPED
    else:
        lack = lacking(j.cluster, service, one.found.port, j.packet.ip.version)
        why, verdict = f"Service {name} has no ready endpoint anywhere: {lack}", Verdict.NO_ENDPOINTS_REJECTED
    j.block(verdict, ref=service.ref, rule=f"no endpoints of {name}", why=why)
