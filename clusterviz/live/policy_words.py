"""The rules of a NetworkPolicy as sentences."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.objects import NetworkPolicy, PolicyPeer, PolicyPort, PolicyRule
from clusterviz.engine.selectors import Selector

_WAYS = {"Ingress": ("from", "in"), "Egress": ("to", "out")}


def rules_in_words(policy: NetworkPolicy) -> Iterable[tuple[str, str]]:
    """A label and a sentence for each rule; a direction without rules lets nothing pass (NP-05)."""
    for direction in policy.types:
        rules = policy.ingress if direction == "Ingress" else policy.egress
        word, way = _WAYS[direction]
        if not rules:
            yield direction, f"nothing is let {way}"
        for number, rule in enumerate(rules, start=1):
            yield f"{direction} rule {number}", f"{word} {_peers(rule)}, {_ports(rule)}"


def _peers(rule: PolicyRule) -> str:
    return " or ".join(map(_peer, rule.peers)) or "anywhere"


def _peer(peer: PolicyPeer) -> str:
    if peer.cidr:
        return peer.cidr + (f" except {', '.join(peer.excepts)}" if peer.excepts else "")
    pods = _selected("pods", peer.pods) if peer.pods is not None else "all pods"
    spaces = f"of {_selected('namespaces', peer.namespaces)}" if peer.namespaces is not None else "of this namespace"
    return f"{pods} {spaces}"


def _selected(noun: str, selector: Selector) -> str:
    empty = not selector.labels and not selector.expressions
    return f"all {noun}" if empty else f"{noun} with {selector}"


def _ports(rule: PolicyRule) -> str:
    return "on " + (", ".join(map(_port, rule.ports)) or "any port")


def _port(port: PolicyPort) -> str:
    if port.port is None:
        return f"any {port.protocol} port"
    return f"{port.port}{f'-{port.end}' if port.end else ''}/{port.protocol}"
