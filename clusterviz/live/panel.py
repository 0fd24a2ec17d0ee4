"""Facts, relations and flows of whatever is selected in the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from clusterviz.live.keeper import Replica
from clusterviz.live.policy_words import rules_in_words
from clusterviz.live.protocol import Entity

Fact = tuple[str, str]


def facts_of(replica: Replica, entity: Entity) -> list[Fact]:
    """What is worth knowing at a glance; empty values are left out."""
    describe = _FACTS.get(entity["kind"], _other_facts)
    facts = [("Name", entity["name"]), ("Namespace", entity.get("namespace", "")), *describe(entity)]
    if entity["kind"] == "policy":
        facts += rules_in_words(replica.cluster.policies[entity["namespace"], entity["name"]])
    labels = ", ".join(f"{key}={value}" for key, value in sorted(entity["labels"].items()))
    return [(label, text) for label, value in [*facts, ("Labels", labels)] if (text := _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _pod_facts(pod: Entity) -> Iterable[tuple[str, Any]]:
    yield "IP", f"{pod['ip']} (the node's own: hostNetwork)" if pod["hostNetwork"] else pod["ips"]
    yield "Node", pod["node"].removeprefix("node:")
    yield "Phase", "Terminating" if pod["terminating"] else pod["phase"]
    yield "Ready", pod["ready"]
    yield "Reason", pod["reason"]
    yield "Restarts", pod["restarts"]
    for container in pod["containers"]:
        ports = ", ".join(f"{port['port']}/{port['protocol']}" for port in container["ports"])
        yield f"Container {container['name']}", f"{container['image']}{' listens on ' + ports if ports else ''}"
    isolated = [name for name, on in pod["isolated"].items() if on]
    yield "Isolated for", isolated or "nothing: no policy selects it"


def _node_facts(node: Entity) -> Iterable[tuple[str, Any]]:
    yield "IP", ", ".join(node.get("ips", ())) or node["ip"]
    yield "Pod CIDR", node["podCIDR"]
    yield "Bridge (cni0)", node["bridge"]
    yield "Overlay device", node["overlay"]
    yield "Zone", node["zone"]
    yield "Ready", node["ready"]
    yield "Schedulable", node["schedulable"]


def _service_facts(service: Entity) -> Iterable[tuple[str, Any]]:
    yield "Type", service["type"]
    virtual = f"{service['clusterIP']} (virtual: no machine owns it)" if service["clusterIP"] else ""
    yield "ClusterIP", virtual or ("None: headless" if service["headless"] else "")
    yield "Load balancer", service["loadBalancerIP"] or ("<pending>" if service["type"] == "LoadBalancer" else "")
    yield "External IPs", service["externalIPs"]
    yield "External name", service["externalName"]
    for port in service["ports"]:
        node_port = f", node port {port['nodePort']}" if port["nodePort"] else ""
        name = f"Port {port['name']}".rstrip()
        yield name, f"{port['port']}/{port['protocol']} to {port['targetPort']}{node_port}"
    yield "Selector", service["selector"] or "none: somebody else writes its endpoints"
    ready = sum(endpoint["ready"] for endpoint in service["endpoints"])
    yield "Endpoints", f"{ready} ready of {len(service['endpoints'])}"
    if service["externalTrafficPolicy"] != "Cluster":
        yield "External traffic", service["externalTrafficPolicy"]
    if service["internalTrafficPolicy"] != "Cluster":
        yield "Internal traffic", service["internalTrafficPolicy"]


def _ingress_facts(ingress: Entity) -> Iterable[tuple[str, Any]]:
    yield "Class", ingress["class"]
    yield "Address", ingress["address"] or "none: no controller gave one"
    for number, rule in enumerate(ingress["rules"], start=1):
        target = f"{rule['service'].removeprefix('service:')}:{rule['port']}"
        yield f"Rule {number}", f"{rule['host'] or 'any host'}{rule['path']} ({rule['pathType']}) to {target}"


def _gateway_facts(gateway: Entity) -> Iterable[tuple[str, Any]]:
    yield "Class", gateway["class"]
    yield "Address", gateway["address"] or "none: no controller gave one"
    for one in gateway["listeners"]:
        yield f"Listener {one['name']}", f"{one['port']} {one['protocol']}, {one['hostname'] or 'any host'}"
    for number, rule in enumerate(gateway["rules"], start=1):
        target = f"{rule['service'].removeprefix('service:')}:{rule['port']} ({rule['share']:.0%})"
        where = rule["redirect"] or (f"to {target}" if rule["service"] else "to no backend: 500")
        when = f" with {rule['when']}" if rule["when"] else ""
        asked = f"{rule['host'] or 'any host'}{rule['path']} ({rule['pathType']}){when}"
        yield f"Rule {number}", f"{asked} {where}, by HTTPRoute {rule['route']}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _policy_facts(policy: Entity) -> Iterable[tuple[str, Any]]:
    yield "Directions", policy["directions"]
    yield "Selects", _count(len(policy["selects"]), "pod")


def _workload_facts(workload: Entity) -> Iterable[tuple[str, Any]]:
    yield "Kind", workload["type"]
    yield "Ready", f"{workload['ready']} of {workload['replicas']}"
    yield "Selector", workload["selector"]


def _flow_facts(flow: Entity) -> Iterable[tuple[str, Any]]:
    yield "Calls", f"{flow['host']}:{flow['port']}{flow['path']} over {flow['protocol']}"
    yield "Rate", f"{flow['rps']} connections a second"
    yield "Origin", "inferred from the manifests" if flow["inferred"] else "written by hand"


def _other_facts(entity: Entity) -> Iterable[tuple[str, Any]]:
    yield "IP", entity.get("ip", "")


_FACTS: dict[str, Callable[[Entity], Iterable[tuple[str, Any]]]] = {
    "pod": _pod_facts,
    "node": _node_facts,
    "service": _service_facts,
    "ingress": _ingress_facts,
    "gateway": _gateway_facts,
    "policy": _policy_facts,
    "workload": _workload_facts,
    "flow": _flow_facts,
}
