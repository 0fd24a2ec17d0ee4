"""The load balancer provider: writes the outside address of Services that ask for one (SVC-06)."""

from __future__ import annotations

from collections.abc import Container, Iterable

from clusterviz.engine.addresses import network
from clusterviz.engine.controllers.board import Board, Touch, balancer_entries
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.work import Work, spec, with_status

FIRST = 20


def _one(work: Work, item: Item) -> None:
    """Give an address, take it back when the type changes; without a provider nothing happens."""
    service = work.find("Service", item)
    if service is None:
        return
    wants, taken = spec(service).get("type") == "LoadBalancer", work.board.balancer_ips
    if wants and not balancer_entries(service) and work.settings.load_balancer_provider:
        asked = str(spec(service).get("loadBalancerIP") or "")
        ip = _free(work.settings.load_balancer_cidr, taken) if not asked or asked in taken else asked
        if ip:
            work.put(with_status(service, loadBalancer={"ingress": [{"ip": ip}]}))
            work.event(service, "EnsuredLoadBalancer", f"Ensured load balancer: {ip}")
    elif not wants and balancer_entries(service):
        work.put(with_status(service, loadBalancer={}))
        work.event(service, "DeletedLoadBalancer", "Deleted load balancer")


def _touched(board: Board, touch: Touch) -> Iterable[Item]:
    found: list[Item] = []
    if any(spec(one).get("type") == "LoadBalancer" or balancer_entries(one) for one in touch.sides):
        found.append(touch.key[1:])
    before = balancer_entries(touch.old or {})
    if before and before != balancer_entries(touch.new or {}):
        found += [key[1:] for key in board.unbalanced]  # an address may be free again
    return found


def _free(cidr: str, taken: Container[str]) -> str:
    net = network(cidr)
    for offset in range(FIRST, min(net.num_addresses - 1, 1 << 16)):
        if str(net[offset]) not in taken:
            return str(net[offset])
    return ""


LOAD_BALANCERS = Controller("load balancers", frozenset({"Service"}), _one, _touched, settles=True)
