"""Who has to do with what is selected: asked of the cluster's indexes, so that it costs the same in a large one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from clusterviz.engine import Cluster
from clusterviz.engine.objects import Pod, Service
from clusterviz.live import scene
from clusterviz.live.ends import ends_of
from clusterviz.live.form import placed
from clusterviz.live.keeper import Replica
from clusterviz.live.protocol import Entity
from clusterviz.live.refs import key_of_ref

Related = tuple[str, list[str]]


def entity_of(replica: Replica, ref: str) -> Entity | None:
    """The entity with this id, drawn now when the picture does not hold it; None when there is none."""
    found = replica.scene.get(ref)
    key = key_of_ref(ref)
    if found is not None or key is None:
        return found
    if key[0] == "Namespace":
        return scene.namespace(replica.cluster, key[2]) if key[2] in replica.cluster.namespace_names else None
    entity = scene.render(replica.cluster, key)
    return placed(replica.mass.table if replica.mass else None, entity, replica.time) if entity is not None else None


def related_to(replica: Replica, entity: Entity) -> list[Related]:
    """Who selects it, what it selects, where it runs."""
    relate = _RELATED.get(entity["kind"])
    found = relate(replica.cluster, entity) if relate else ()
    known = ((label, [ref for ref in dict.fromkeys(refs) if _exists(replica, ref)]) for label, refs in found)
    return [(label, refs) for label, refs in known if refs]


def _exists(replica: Replica, ref: str) -> bool:
    key = key_of_ref(ref)
    return ref in replica.scene or (key is not None and key in replica.cluster.objects)


Found = Iterator[tuple[str, Iterable[str]]]


def _pod(cluster: Cluster, entity: Entity) -> Found:
    pod = cluster.pods.get((entity["namespace"], entity["name"]))
    yield "Workload", [entity["workload"]]
    yield "Node", [entity["node"]]
    yield "Services that lead here", leading(cluster, [pod] if pod else [])
    policies = cluster.policies_by_namespace.get(entity["namespace"], ())
    selects = [one for one in policies if pod and _selected(pod) and one.selector.matches(pod.labels)]
    yield "Policies that select it", [policy.ref for policy in selects]


def _selected(pod: Pod) -> bool:
    return not pod.host_network and not pod.ended


def _service(cluster: Cluster, entity: Entity) -> Found:
    yield "Pods behind it", [endpoint["pod"] for endpoint in entity["endpoints"]]
    doors = (scene.ingress(cluster, one) for one in cluster.ingresses.values() if one.namespace == entity["namespace"])
    yield "Ingresses that use it", _using(doors, entity["id"])
    gates = (scene.gateway(cluster, one) for one in cluster.gateways.values())
    yield "Gateways that use it", _using(gates, entity["id"])
    service = cluster.services[entity["namespace"], entity["name"]]
    yield "Load balancers", [one["id"] for one in scene.balancers([service])]


def _using(doors: Iterable[Entity], service: str) -> list[str]:
    return [door["id"] for door in doors if any(rule["service"] == service for rule in door["rules"])]


def _workload(cluster: Cluster, entity: Entity) -> Found:
    pods = cluster.pods_of_workload.get((entity["type"], entity["namespace"], entity["name"]), [])
    yield "Pods", [pod.ref for pod in pods]
    yield "Services that lead here", leading(cluster, pods)


def _node(cluster: Cluster, entity: Entity) -> Found:
    yield "Pods", [pod.ref for pod in cluster.pods.values() if pod.node == entity["name"]]


def _policy(_: Cluster, entity: Entity) -> Found:
    yield "Pods it selects", entity["selects"]


def _door(_: Cluster, entity: Entity) -> Found:
    yield "Controller", [entity["controller"]]
    yield "Services", [rule["service"] for rule in entity["rules"]]


def _flow(_: Cluster, entity: Entity) -> Found:
    yield "From", [entity["from"]]
    yield "To", [entity["to"]]


def _balancer(_: Cluster, entity: Entity) -> Found:
    yield "Service", [entity["service"]]


def _namespace(cluster: Cluster, entity: Entity) -> Found:
    space = entity["name"]
    tops = [work for work in cluster.workloads.values() if work.namespace == space and not work.owner[1]]
    yield "Workloads", [work.ref for work in tops]
    yield "Services", [service.ref for service in cluster.services.values() if service.namespace == space]
    yield "Pods", [pod.ref for pod in cluster.pods.values() if pod.namespace == space]


_RELATED: dict[str, Callable[[Cluster, Entity], Found]] = {
    "pod": _pod,
    "service": _service,
    "workload": _workload,
    "node": _node,
    "policy": _policy,
    "ingress": _door,
    "gateway": _door,
    "flow": _flow,
    "loadbalancer": _balancer,
    "namespace": _namespace,
}


def leading(cluster: Cluster, pods: Iterable[Pod]) -> list[str]:
    """Services that have one of the pods among their endpoints."""
    found: dict[tuple[str, str], Service] = {}
    refs = set()
    for pod in pods:
        refs.add(pod.ref)
        for one in (*cluster.services_selecting(pod), *(cluster.services_behind(pod.ip) if pod.ip else ())):
            found[one.namespace, one.name] = one
    return [
        service.ref
        for _, service in sorted(found.items())
        if any(endpoint.pod in refs for endpoint in cluster.endpoints(service))
    ]


def flows_of(replica: Replica, entity: Entity) -> list[str]:
    """Flows that begin or end here; of a policy those of the pods it selects."""
    refs = {entity["id"]}
    cluster, kind = replica.cluster, entity["kind"]
    if kind in ("pod", "policy"):
        refs |= _part_of(cluster, [entity["id"]] if kind == "pod" else entity["selects"])
    elif kind == "workload":
        refs |= set(
            leading(cluster, cluster.pods_of_workload.get((entity["type"], entity["namespace"], entity["name"]), ()))
        )
    elif kind == "loadbalancer":
        refs |= {entity["service"]}
    inside = entity["name"] if kind == "namespace" else ""
    return [
        ref
        for ref, ends in flow_ends(replica)
        if refs & ends or (inside and any(_space(cluster, end) == inside for end in ends))
    ]


def _space(cluster: Cluster, ref: str) -> str:
    """The namespace of what an id stands for, "" when it stands for nothing that is there."""
    key = key_of_ref(ref)
    return key[1] if key is not None and key in cluster.objects else ""


def flow_ends(replica: Replica) -> Iterator[tuple[str, frozenset[str]]]:
    """Every flow, with its own id and its two ends."""
    if replica.mass is not None:
        yield from ((line.ref, line.ends) for line in list(replica.mass.lines.values()))
        return
    for key, obj in replica.cluster.objects.items():
        if key[0] == "TrafficFlow":
            ref = f"flow:{key[1]}/{key[2]}"
            yield ref, frozenset((*ends_of(replica.cluster, key, obj), ref))


def _part_of(cluster: Cluster, pods: Iterable[str]) -> set[str]:
    """The pods, their workloads and the Services that lead to them."""
    keys = [key for ref in pods if (key := key_of_ref(ref)) is not None]
    known = [pod for key in keys if (pod := cluster.pods.get((key[1], key[2]))) is not None]
    workloads = {work.ref for pod in known if (work := cluster.workload_of(pod)) is not None}
    return {pod.ref for pod in known} | workloads | set(leading(cluster, known))
