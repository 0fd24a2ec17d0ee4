"""Facts, relations and flows of whatever is selected in the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from clusterviz.engine.objects import WORKLOAD_KINDS, Key
from clusterviz.live.keeper import Replica
from clusterviz.live.policy_words import rules_in_words
from clusterviz.live.protocol import Entity

Fact = tuple[str, str]
Related = tuple[str, list[str]]
KINDS = {
    "pod": "Pod",
    "node": "Node",
    "service": "Service",
    "ingress": "Ingress",
    "gateway": "Gateway",
    "policy": "NetworkPolicy",
    "flow": "TrafficFlow",
    "namespace": "Namespace",
}


def key_of_ref(ref: str) -> Key | None:
    """The key behind a picture id, None for what has no object (the wire, the Internet ...)."""
    kind, _, rest = ref.partition(":")
    parts = rest.split("/")
    if kind == "workload" and len(parts) == 3 and parts[0] in WORKLOAD_KINDS:
        return parts[0], parts[1], parts[2]
    if kind in ("node", "namespace") and len(parts) == 1:
        return KINDS[kind], "", rest
    if kind in KINDS and len(parts) == 2:
        return KINDS[kind], parts[0], parts[1]
    return None


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
    yield "IP", node["ip"]
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


def related_to(replica: Replica, entity: Entity) -> list[Related]:
    """Who selects it, what it selects, where it runs."""
    ref, kind = entity["id"], entity["kind"]
    found: list[Related] = []
    everything = list(replica.scene.values())

    def add(label: str, refs: Iterable[str]) -> None:
        if known := [one for one in dict.fromkeys(refs) if one in replica.scene]:
            found.append((label, known))

    if kind == "pod":
        add("Workload", [entity["workload"]])
        add("Node", [entity["node"]])
        add("Services that lead here", (e["id"] for e in everything if _leads_to(e, ref)))
        add("Policies that select it", (e["id"] for e in everything if e["kind"] == "policy" and ref in e["selects"]))
    elif kind == "service":
        add("Pods behind it", (endpoint["pod"] for endpoint in entity["endpoints"]))
        add("Ingresses that use it", _doors(everything, "ingress", ref))
        add("Gateways that use it", _doors(everything, "gateway", ref))
        balancers = (e["id"] for e in everything if e["kind"] == "loadbalancer" and e["service"] == ref)
        add("Load balancers", balancers)
    elif kind == "workload":
        pods = [e["id"] for e in everything if e["kind"] == "pod" and e["workload"] == ref]
        add("Pods", pods)
        add("Services that lead here", (e["id"] for e in everything if any(_leads_to(e, pod) for pod in pods)))
    elif kind == "node":
        add("Pods", (e["id"] for e in everything if e["kind"] == "pod" and e["node"] == ref))
    elif kind == "policy":
        add("Pods it selects", entity["selects"])
    elif kind in ("ingress", "gateway"):
        add("Controller", [entity["controller"]])
        add("Services", (rule["service"] for rule in entity["rules"]))
    elif kind == "flow":
        add("From", [entity["from"]])
        add("To", [entity["to"]])
    elif kind == "loadbalancer":
        add("Service", [entity["service"]])
    elif kind == "namespace":
        add("Workloads", (e["id"] for e in everything if e["kind"] == "workload" and e["namespace"] == entity["name"]))
        add("Services", (e["id"] for e in everything if e["kind"] == "service" and e["namespace"] == entity["name"]))
        add("Pods", (e["id"] for e in everything if e["kind"] == "pod" and e["namespace"] == entity["name"]))
    return found


def _leads_to(entity: Entity, pod: str) -> bool:
    return entity["kind"] == "service" and any(endpoint["pod"] == pod for endpoint in entity["endpoints"])


def _doors(everything: list[Entity], kind: str, service: str) -> list[str]:
    """Ingresses or Gateways with a rule for a Service."""
    return [e["id"] for e in everything if e["kind"] == kind and any(r["service"] == service for r in e["rules"])]


def flows_of(replica: Replica, entity: Entity) -> list[str]:
    """Flows that begin or end here; of a policy those of the pods it selects."""
    refs = {entity["id"]}
    if entity["kind"] == "pod":
        refs |= _part_of(replica, [entity["id"]])
    elif entity["kind"] == "policy":
        refs |= _part_of(replica, entity["selects"])
    elif entity["kind"] == "namespace":
        refs |= {e["id"] for e in replica.scene.values() if e.get("namespace") == entity["name"]}
    elif entity["kind"] == "workload":
        refs |= {ref for label, found in related_to(replica, entity) if label.startswith("Services") for ref in found}
    elif entity["kind"] == "loadbalancer":
        refs |= {entity["service"]}
    return [e["id"] for e in replica.scene.values() if e["kind"] == "flow" and (refs & {e["from"], e["to"], e["id"]})]


def _part_of(replica: Replica, pods: list[str]) -> set[str]:
    """The pods, their workloads and the Services that lead to them."""
    ids = {pod for pod in pods if pod in replica.scene}
    workloads = {replica.scene[pod]["workload"] for pod in ids} - {""}
    services = {
        e["id"]
        for e in replica.scene.values()
        if e["kind"] == "service" and any(endpoint["pod"] in ids for endpoint in e["endpoints"])
    }
    return ids | workloads | services
