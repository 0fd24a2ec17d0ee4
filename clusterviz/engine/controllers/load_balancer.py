"""The load balancer provider: writes the outside address of Services that ask for one (SVC-06)."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.addresses import network
from clusterviz.engine.controllers.work import Work, spec, status, with_status
from clusterviz.engine.objects import Obj

FIRST = 20


def load_balancers(work: Work) -> None:
    """Give an address, take it back when the type changes; without a provider nothing happens."""
    services = list(work.all("Service"))
    taken = {str(entry.get("ip")) for service in services for entry in _entries(service)}
    for service in services:
        wants = spec(service).get("type") == "LoadBalancer"
        if wants and not _entries(service) and work.settings.load_balancer_provider:
            asked = str(spec(service).get("loadBalancerIP") or "")
            ip = _free(work.settings.load_balancer_cidr, taken) if not asked or asked in taken else asked
            if ip:
                taken.add(ip)
                work.put(with_status(service, loadBalancer={"ingress": [{"ip": ip}]}))
                work.event(service, "EnsuredLoadBalancer", f"Ensured load balancer: {ip}")
        elif not wants and _entries(service):
            work.put(with_status(service, loadBalancer={}))
            work.event(service, "DeletedLoadBalancer", "Deleted load balancer")


def _entries(service: Obj) -> list[dict[str, Any]]:
    return (status(service).get("loadBalancer") or {}).get("ingress") or []


def _free(cidr: str, taken: set[str]) -> str:
    net = network(cidr)
    for offset in range(FIRST, min(net.num_addresses - 1, 1 << 16)):
        if str(net[offset]) not in taken:
            return str(net[offset])
    return ""
