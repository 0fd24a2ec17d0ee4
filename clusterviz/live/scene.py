"""The picture of a cluster: entities as docs/protocol.md lists them, and what changed between two.

Pure functions of the engine's snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.controllers.work import seconds
from clusterviz.engine.datapath.controllers import controller_of, is_any_controller
from clusterviz.engine.datapath.gateways import carried
from clusterviz.engine.gateway import Gateway
from clusterviz.engine.objects import (
    WORKLOAD_KINDS,
    Ingress,
    Key,
    NetworkPolicy,
    Node,
    Obj,
    Pod,
    Record,
    Service,
    ref_of,
)
from clusterviz.engine.probe import is_ip
from clusterviz.live.ends import ends_of
from clusterviz.live.gateways import AFFECT, gateway_fields
from clusterviz.live.protocol import Entity

Scene = dict[str, Entity]


def _base(kind: str, ref: str, record: Record) -> Entity:
    entity: Entity = {
        "id": ref,
        "kind": kind,
        "name": record.name,
        "labels": record.labels,
        "created": seconds(record.created),
    }
    if record.namespace:
        entity["namespace"] = record.namespace
    return entity


def node(cluster: Cluster, record: Node) -> Entity:
    """A node with the addresses of its devices."""
    return {
        **_base("node", record.ref, record),
        "ip": record.ip,
        "ips": record.ips,
        "podCIDR": ", ".join(record.pod_cidrs),
        "zone": record.zone,
        "ready": record.ready,
        "schedulable": record.schedulable,
        "bridge": next(iter(cluster.bridge_ips(record)), ""),
        "overlay": next(iter(cluster.overlay_ips(record)), ""),
    }


def pod(cluster: Cluster, record: Pod) -> Entity:
    """A pod with its containers."""
    workload = cluster.workload_of(record)
    policies = [
        policy
        for policy in cluster.policies_by_namespace.get(record.namespace, ())
        if not record.host_network and policy.selector.matches(record.labels)
    ]
    return {
        **_base("pod", record.ref, record),
        "ip": record.ip,
        "ips": record.ips,
        "node": f"node:{record.node}" if record.node else "",
        "phase": record.phase,
        "ready": record.ready,
        "terminating": record.terminating,
        "hostNetwork": record.host_network,
        "workload": workload.ref if workload else "",
        "containers": [
            {
                "name": container.name,
                "image": container.image,
                "ready": container.ready,
                "ports": [
                    {"name": port.name, "port": port.port, "protocol": port.protocol} for port in container.ports
                ],
            }
            for container in record.containers
        ],
        "role": role_of(cluster, record),
        "isolated": {
            "ingress": any("Ingress" in policy.types for policy in policies),
            "egress": any("Egress" in policy.types for policy in policies),
        },
        "restarts": record.restarts,
        "reason": record.reason,
    }


def role_of(cluster: Cluster, record: Pod) -> str:
    """What a pod does for the others: "ingress", "dns" or ""."""
    if is_any_controller(cluster, record) or (cluster.gateways and carried(cluster, record)):
        return "ingress"
    for service, _ in cluster.services_by_ip.get(cluster.settings.dns_ip, ()):
        selector = service.selector
        if service.namespace == record.namespace and selector and selector.items() <= record.labels.items():
            return "dns"
    return ""


def service(cluster: Cluster, record: Service) -> Entity:
    """A Service with everyone behind it."""
    return {
        **_base("service", record.ref, record),
        "type": record.type,
        "clusterIP": record.ip,
        "ports": [
            {
                "name": port.name,
                "port": port.port,
                "targetPort": port.target,
                "nodePort": port.node_port,
                "protocol": port.protocol,
            }
            for port in record.ports
        ],
        "selector": record.selector,
        "loadBalancerIP": next((entry.ip for entry in record.load_balancer if entry.ip), ""),
        "externalIPs": record.external_ips,
        "externalName": record.external_name,
        "headless": record.headless,
        "internalTrafficPolicy": record.internal_policy,
        "externalTrafficPolicy": record.external_policy,
        "endpoints": [
            {
                "ip": endpoint.ip,
                "port": port,
                "pod": endpoint.pod,
                "node": f"node:{endpoint.node}" if endpoint.node else "",
                "ready": endpoint.ready,
                "serving": endpoint.serving,
                "terminating": endpoint.terminating,
            }
            for endpoint in cluster.endpoints(record)
            for port in [number for _, number, _ in endpoint.ports] or [0]
        ],
    }


def ingress(cluster: Cluster, record: Ingress) -> Entity:
    """An Ingress with its rules, the default backend last."""
    controller = controller_of(cluster, record)
    rules = [
        {
            "host": rule.host,
            "path": path.path,
            "pathType": path.type,
            "service": f"service:{record.namespace}/{path.backend.service}",
            "port": path.backend.port,
        }
        for rule in record.rules
        for path in rule.paths
    ]
    if record.default_backend is not None:
        backend = record.default_backend
        target = f"service:{record.namespace}/{backend.service}"
        rules.append({"host": "", "path": "/", "pathType": "Prefix", "service": target, "port": backend.port})
    address = next(iter(record.addresses), "")
    if not address and controller is not None:
        address = next((entry.ip for entry in controller.load_balancer if entry.ip), "")
    return {
        **_base("ingress", record.ref, record),
        "class": record.ingress_class,
        "controller": controller.ref if controller else "",
        "address": address,
        "rules": rules,
    }


def gateway(cluster: Cluster, record: Gateway) -> Entity:
    """A Gateway with the routes attached to it as its rules."""
    return {**_base("gateway", record.ref, record), **gateway_fields(cluster, record)}


def policy(cluster: Cluster, record: NetworkPolicy) -> Entity:
    """A NetworkPolicy with the pods it selects."""
    return {
        **_base("policy", record.ref, record),
        "selects": sorted(
            pod.ref
            for pod in cluster.pods.values()
            if pod.namespace == record.namespace
            and not pod.host_network
            and not pod.ended
            and record.selector.matches(pod.labels)
        ),
        "directions": record.types,
    }


def workload(cluster: Cluster, key: Key) -> Entity | None:
    """A workload on top; the ReplicaSets of a Deployment are not drawn."""
    record = cluster.workloads.get(key)
    if record is None or record.owner[1]:
        return None
    pods = [pod for pod in cluster.pods_of_workload.get(key, ()) if not pod.terminating]
    return {
        **_base("workload", record.ref, record),
        "type": record.kind,
        "replicas": len(pods) if record.kind == "DaemonSet" else record.replicas,
        "ready": sum(pod.ready for pod in pods),
        "selector": dict(record.selector.labels),
    }


def flow(cluster: Cluster, key: Key, obj: Obj) -> Entity:
    """A flow: who calls whom."""
    spec, meta = obj.get("spec") or {}, obj.get("metadata") or {}
    target = spec.get("to") or {}
    origin, destination = ends_of(cluster, key, obj)
    return {
        "id": ref_of(key),
        "kind": "flow",
        "name": key[2],
        "namespace": key[1],
        "labels": meta.get("labels") or {},
        "created": seconds(str(meta.get("creationTimestamp") or "")),
        "from": origin,
        "to": destination,
        "host": str(target.get("host") or ""),
        "port": target.get("port"),
        "protocol": str(target.get("protocol") or "TCP"),
        "path": str(target.get("path") or ""),
        "rps": spec.get("requestsPerSecond") or 0,
        "inferred": bool(spec.get("inferred")),
    }


def render(cluster: Cluster, key: Key) -> Entity | None:
    """The entity of an object, None when it is gone or not drawn."""
    kind, namespace, name = key
    obj = cluster.objects.get(key)
    if obj is None:
        return None
    if kind == "Node":
        return node(cluster, cluster.nodes[name])
    if kind in WORKLOAD_KINDS:
        return workload(cluster, key)
    if kind == "TrafficFlow":
        return flow(cluster, key, obj)
    table = _TABLES.get(kind)
    record = table[0](cluster).get((namespace, name)) if table else None
    return table[1](cluster, record) if table and record is not None else None


_TABLES: dict[str, tuple[Callable[[Cluster], Mapping[tuple[str, str], Any]], Callable[..., Entity]]] = {
    "Pod": (lambda cluster: cluster.pods, pod),
    "Service": (lambda cluster: cluster.services, service),
    "Ingress": (lambda cluster: cluster.ingresses, ingress),
    "Gateway": (lambda cluster: cluster.gateways, gateway),
    "NetworkPolicy": (lambda cluster: cluster.policies, policy),
}
LABEL_ANNOTATION = "clusterviz.dev/label"
DERIVED = ("namespace", "loadbalancer", "external")
DRAWN = ("Node", "Pod", "Service", "Ingress", "Gateway", "NetworkPolicy", "TrafficFlow", *WORKLOAD_KINDS)


def namespace(cluster: Cluster, name: str) -> Entity:
    """A namespace, also one nobody made an object of."""
    space = cluster.namespaces.get(("", name))
    entity = _base("namespace", f"namespace:{name}", space) if space else _plain("namespace", name)
    return {**entity, "labels": dict(cluster.namespace_labels(name))}


def balancers(services: Iterable[Service]) -> Iterator[Entity]:
    """The load balancers in front of Services."""
    for record in sorted(services, key=lambda s: (s.namespace, s.name)):
        for entry in record.load_balancer:
            if entry.ip:
                yield {**_plain("loadbalancer", entry.ip), "ip": entry.ip, "service": record.ref}


def outside(cluster: Cluster, externals: Iterable[str], named: Mapping[str, str]) -> Iterator[Entity]:
    """Clients and servers outside: those that were seen, and those flows name."""
    for ref in sorted({*externals, *named}):
        ip = ref.partition(":")[2] or cluster.settings.client_ip
        label = "Internet" if ref == "internet" else named.get(ref) or ip
        yield {**_plain("external", ref.partition(":")[2] or "internet"), "id": ref, "ip": ip, "label": label}


def derived(cluster: Cluster, externals: Iterable[str] = ()) -> Scene:
    """Entities without an object of their own: namespaces in use, load balancers, the outside."""
    names = {key[1] for key in cluster.objects if key[1]} | {key[1] for key in cluster.namespaces}
    found = [namespace(cluster, name) for name in sorted(names)]
    found += balancers(cluster.services.values())
    found += outside(cluster, externals, outside_names(cluster, cluster.objects))
    return {entity["id"]: entity for entity in found}


def outside_names(cluster: Cluster, keys: Iterable[Key]) -> dict[str, str]:
    """Clients and servers outside that the flows among ``keys`` name, with what to call them ("" is unknown).

    The annotation `clusterviz.dev/label` of a flow names its outside end; else its own words do.
    """
    names: dict[str, str] = {}
    for key in sorted(key for key in keys if key[0] == "TrafficFlow"):
        obj = cluster.objects[key]
        spec = obj.get("spec") or {}
        label = ((obj.get("metadata") or {}).get("annotations") or {}).get(LABEL_ANNOTATION)
        host = str((spec.get("to") or {}).get("host") or "")
        own = (str((spec.get("from") or {}).get("name") or ""), "" if is_ip(host) else host)
        for ref, word in zip(ends_of(cluster, key, obj), own, strict=True):
            if ref.startswith(("external:", "internet")):
                names[ref] = names.get(ref) or str(label or word)
    return names


def _plain(kind: str, name: str) -> Entity:
    return {"id": f"{kind}:{name}", "kind": kind, "name": name, "labels": {}, "created": 0.0}


def build(cluster: Cluster, externals: Iterable[str] = ()) -> Scene:
    """The whole picture."""
    scene = derived(cluster, externals)
    for key in cluster.objects:
        if key[0] in DRAWN and (entity := render(cluster, key)) is not None:
            scene[entity["id"]] = entity
    return scene


def update(scene: Scene, cluster: Cluster, keys: Iterable[Key], externals: Iterable[str] = ()) -> Scene:
    """The picture after objects with these keys changed; only what they touch is drawn anew."""
    keys = set(keys)
    new = {ref: entity for ref, entity in scene.items() if entity["kind"] not in DERIVED}
    new.update(derived(cluster, externals))
    for key in touched(cluster, keys):
        entity = render(cluster, key)
        if entity is None:
            new.pop(ref_of(key), None)
        else:
            new[entity["id"]] = entity
    return new


def touched(cluster: Cluster, keys: set[Key]) -> set[Key]:
    """Objects whose entities depend on the changed ones."""
    kinds = {key[0] for key in keys}
    spaces = {key[1] for key in keys}
    found = {key for key in keys if key[0] in DRAWN}
    wider: set[str] = set()
    if kinds & {"Pod", "EndpointSlice", "Endpoints"}:
        wider |= {"Service", "NetworkPolicy", *WORKLOAD_KINDS}
        found |= {key for key in cluster.objects if key[0] in ("Ingress", "Gateway")}
    if kinds & {"NetworkPolicy", *WORKLOAD_KINDS}:
        wider |= {"Pod"}
    found |= {key for key in cluster.objects if key[0] in wider and key[1] in spaces}
    # These depend on names and addresses anywhere in the cluster.
    if kinds & {"Service", "Ingress", "IngressClass"}:
        found |= {key for key in cluster.objects if key[0] in ("Ingress", "Gateway", "TrafficFlow", "Pod")}
    if kinds & AFFECT:
        found |= {key for key in cluster.objects if key[0] in ("Gateway", "TrafficFlow", "Pod")}
    if "Node" in kinds:
        found |= {key for key in cluster.objects if key[0] == "Service"}
    return found


def difference(old: Scene, new: Scene) -> tuple[list[Entity], list[str]]:
    """Entities to set and ids to unset, in the order of the picture."""
    changed = [entity for ref, entity in new.items() if old.get(ref) != entity]
    return changed, [ref for ref in old if ref not in new]
