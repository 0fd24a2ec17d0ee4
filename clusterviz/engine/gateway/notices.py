"""Gateway API objects that are legal and do not do what their author hoped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.datapath.gateways import served
from clusterviz.engine.gateway.attach import attachments, fault
from clusterviz.engine.gateway.objects import HTTPRoute
from clusterviz.engine.gateway.refs import judge
from clusterviz.engine.gateway.regex import usable

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# (code, picture id, text)
Found = tuple[str, str, str]


def useless(cluster: Cluster) -> list[Found]:
    """Gateways nobody serves or uses, listeners in conflict, routes that attach nowhere or lead nowhere."""
    found = _gateways(cluster)
    accepted = {one.route for one in attachments(cluster) if one.accepted}
    for name, route in cluster.routes.items():
        if name not in accepted:
            reasons = [one for one in attachments(cluster) if one.route == name]
            why = "; ".join(dict.fromkeys(f"{one.reason}: {one.why}" for one in reasons)) or "it has no parentRefs"
            found.append(("not-attached", route.ref, f"Attached to no listener: {why} (GW-01)."))
        found += _route(cluster, route)
    return found


def _gateways(cluster: Cluster) -> list[Found]:
    found = []
    used = {one.gateway for one in attachments(cluster) if one.accepted}
    for name, gateway in cluster.gateways.items():
        if not served(cluster, gateway):
            text = f"No controller serves class {gateway.gateway_class}: it does nothing (GW-13)."
            found.append(("no-controller", gateway.ref, text))
        if name not in used:
            found.append(
                ("no-routes", gateway.ref, "No route is attached: every request is answered with 404 (GW-08).")
            )
        for listener in gateway.listeners:
            reason, why = fault(cluster, gateway, listener)
            if reason:
                found.append(("listener-invalid", gateway.ref, f"Listener {listener.name}: {reason}, {why} (GW-13)."))
    return found


def _route(cluster: Cluster, route: HTTPRoute) -> list[Found]:
    found = []
    for index, rule in enumerate(route.rules):
        for ref in rule.backends:
            reason, why = judge(cluster, route, ref)
            if reason and reason != "NoReadyEndpoint":
                found.append(("backend-invalid", route.ref, f"Rule {index}: {reason}, {why}: 500 (GW-08)."))
        if rule.backends and not sum(one.weight for one in rule.backends):
            found.append(("backend-invalid", route.ref, f"Rule {index}: every weight is 0: 500 (GW-09)."))
        for match in rule.matches:
            if match.path_type == "RegularExpression" and not usable(match.path):
                text = f"Rule {index}: {match.path} is no regular expression RE2 can read (GW-07)."
                found.append(("regex-unreadable", route.ref, text))
    return found
