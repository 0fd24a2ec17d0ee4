"""What a person does to a running cluster: kill, crash, cordon, drain, scale, flip readiness, fail a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, describe, key_of
from clusterviz.cluster.models import Cluster, Deployment, OtherObject, Pod, ReplicaSet, StatefulSet
from clusterviz.cluster.services import capacity, journal
from clusterviz.cluster.services.admission import counted
from clusterviz.cluster.services.delete import delete_objects, mark_deleted
from clusterviz.cluster.services.errors import Invalid
from clusterviz.engine.controllers.disruption import evict
from clusterviz.engine.controllers.kubelet import READY_ANNOTATION
from clusterviz.engine.controllers.pods import ended
from clusterviz.engine.controllers.restarts import CRASH_ANNOTATION
from clusterviz.engine.fill import merged
from clusterviz.engine.objects import DOWN_ANNOTATION, HUNG_ANNOTATION, WORKLOAD_KINDS
from clusterviz.engine.validation import MAX_REPLICAS

Action = Callable[..., str]


@transaction.atomic
def act(cluster: Cluster, action: str, target: str | Key, *, actor: str, **params: Any) -> str:
    """Do ``action`` to ``target``, a picture id or a key; answers a sentence. Raises `Invalid`."""
    if action not in ACTIONS:
        raise Invalid(f"unknown action {action!r}: one of {', '.join(ACTIONS)}")
    kinds, function = ACTIONS[action]
    key = parse_target(target)
    if key[0] not in kinds:
        raise Invalid(f"{action} is for a {' or '.join(kinds)}, not for {describe(key)}")
    found = store.find(cluster, [key])
    if key not in found:
        raise Invalid(f"{describe(key)} not found")
    allowed = PARAMETERS.get(action, ())
    unknown = sorted(params.keys() - set(allowed))
    if unknown:
        takes = f"only {', '.join(allowed)}" if allowed else "nothing more"
        raise Invalid(f"{action} does not take {unknown[0]!r}: it takes {takes}")
    return function(cluster, found[key], actor, **params)


def parse_target(target: str | Key) -> Key:
    """A key from a picture id: ``pod:ns/name``, ``node:name``, ``workload:Kind/ns/name``."""
    if isinstance(target, tuple):
        return target
    if len(str(target)) > 600:
        raise Invalid("target must be a picture id such as pod:shop/api-1")
    kind, _, rest = str(target).partition(":")
    parts = rest.split("/")
    match kind, parts:
        case "pod", [namespace, name]:
            return "Pod", namespace, name
        case "node", [name]:
            return "Node", "", name
        case "workload", [workload, namespace, name] if workload in WORKLOAD_KINDS:
            return workload, namespace, name
    raise Invalid(f"cannot read target {target!r}: pod:NAMESPACE/NAME, node:NAME or workload:KIND/NAMESPACE/NAME")


def _delete_pod(cluster: Cluster, pod: Obj, actor: str) -> str:
    delete_objects(cluster, [key_of(pod)], actor=actor)
    return f"{_name(pod)} is being deleted."


def _cordon(cluster: Cluster, node: Obj, actor: str) -> str:
    if (node.get("spec") or {}).get("unschedulable"):
        return f"Node {_name(node)} is already cordoned."
    _write(cluster, actor, [counted(merged(node, "spec", unschedulable=True), node)])
    return f"Node {_name(node)} cordoned: no new pods are placed on it."


def _uncordon(cluster: Cluster, node: Obj, actor: str) -> str:
    if not (node.get("spec") or {}).get("unschedulable"):
        return f"Node {_name(node)} is not cordoned."
    spec = {name: value for name, value in node["spec"].items() if name != "unschedulable"}
    _write(cluster, actor, [counted({**node, "spec": spec}, node)])
    return f"Node {_name(node)} uncordoned: pods may be placed on it again."


def _drain(cluster: Cluster, node: Obj, actor: str, *, force: Any = False) -> str:
    """Cordon and evict (LIF-09): DaemonSet pods stay, bare pods only go by force, budgets are honoured."""
    name = node["metadata"]["name"]
    pods = store.pods_on(cluster, name).values()
    bare = [_name(pod) for pod in pods if not _owner_kind(pod) and not ended(pod)]
    if bare and force is not True:
        raise Invalid(
            f"cannot delete pods that declare no controller (use force to override): {', '.join(sorted(bare))}"
        )
    leaving = [pod for pod in pods if _owner_kind(pod) != "DaemonSet" and not pod["metadata"].get("deletionTimestamp")]
    going, refused = evict(_budgeted(cluster), leaving)
    cordoned = counted(merged(node, "spec", unschedulable=True), node)
    _write(cluster, actor, [cordoned, *map(mark_deleted, going)])
    stay = sum(_owner_kind(pod) == "DaemonSet" for pod in pods)
    ignored = f", {_count(stay, 'DaemonSet pod')} stay{'s' if stay == 1 else ''}" if stay else ""
    kept = "".join(f" {_name(pod)} stays: {why}" for pod, why in refused[:3])
    more = f" {len(refused) - 3} more stay for the same reasons." if len(refused) > 3 else ""
    again = " Drain again when replacements are ready." if refused else ""
    return f"Node {name} cordoned, {_count(len(going), 'pod')} evicted{ignored}.{kept}{more}{again}"


def _budgeted(cluster: Cluster) -> dict[Key, Obj]:
    """What PodDisruptionBudgets count; nothing when there are none."""
    names = OtherObject.objects.filter(cluster=cluster, kind="PodDisruptionBudget")
    if not names.exists():
        return {}
    keys: list[Key] = [row.key for row in names.select_related("namespace")]
    for model in (Pod, Deployment, ReplicaSet, StatefulSet):
        rows = model.objects.filter(cluster=cluster).values_list("namespace__name", "name")
        keys += [(model.__name__, *row) for row in rows]
    return store.find(cluster, keys)


def _scale(cluster: Cluster, workload: Obj, actor: str, *, replicas: Any = None) -> str:
    if isinstance(replicas, str) and replicas.strip().isdecimal() and len(replicas) < 10:
        replicas = int(replicas)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or not 0 <= replicas <= MAX_REPLICAS:
        raise Invalid(f"replicas: Invalid value: {str(replicas)[:50]!r}: must be between 0 and {MAX_REPLICAS}")
    wish = merged(workload, "spec", replicas=replicas)
    capacity.check(cluster, {key_of(workload): wish})
    before = (workload.get("spec") or {}).get("replicas", 1)
    if before != replicas:
        _write(cluster, actor, [counted(wish, workload)])
    return f"{workload['kind']} {_name(workload)} scaled from {before} to {replicas}."


def _ready(cluster: Cluster, pod: Obj, actor: str) -> str:
    for name in (READY_ANNOTATION, CRASH_ANNOTATION, HUNG_ANNOTATION):
        pod = _annotated(pod, name, None)
    _write(cluster, actor, [pod])
    return f"{_name(pod)} runs well and passes its readiness probe again."


def _not_ready(cluster: Cluster, pod: Obj, actor: str) -> str:
    _write(cluster, actor, [_annotated(pod, READY_ANNOTATION, "false")])
    return f"{_name(pod)} now fails its readiness probe: it leaves its Services' endpoints."


def _crash(cluster: Cluster, pod: Obj, actor: str) -> str:
    """LIF-04."""
    _write(cluster, actor, [_annotated(pod, CRASH_ANNOTATION, "true")])
    return f"{_name(pod)} crashes whenever it runs: its kubelet restarts it later and later."


def _node_down(cluster: Cluster, node: Obj, actor: str) -> str:
    _write(cluster, actor, [_annotated(node, DOWN_ANNOTATION, "true")])
    return f"Node {_name(node)} has failed: its kubelet is silent and its pods are cut off."


def _node_up(cluster: Cluster, node: Obj, actor: str) -> str:
    _write(cluster, actor, [_annotated(node, DOWN_ANNOTATION, None)])
    return f"Node {_name(node)} is back."


_PODS, _NODES = ("Pod",), ("Node",)
ACTIONS: dict[str, tuple[tuple[str, ...], Action]] = {
    "delete-pod": (_PODS, _delete_pod),
    "cordon": (_NODES, _cordon),
    "uncordon": (_NODES, _uncordon),
    "drain": (_NODES, _drain),
    "scale": (("Deployment", "ReplicaSet", "StatefulSet"), _scale),
    "ready": (_PODS, _ready),
    "not-ready": (_PODS, _not_ready),
    "crash": (_PODS, _crash),
    "node-down": (_NODES, _node_down),
    "node-up": (_NODES, _node_up),
}

PARAMETERS: dict[str, tuple[str, ...]] = {"drain": ("force",), "scale": ("replicas",)}


def _write(cluster: Cluster, actor: str, objects: list[Obj]) -> None:
    store.write(cluster, objects)
    journal.record(cluster, actor=actor, sets=objects)


def _annotated(obj: Obj, name: str, value: str | None) -> Obj:
    annotations = {**(obj["metadata"].get("annotations") or {})}
    annotations.pop(name, None)
    if value is not None:
        annotations[name] = value
    metadata = {key: item for key, item in obj["metadata"].items() if key != "annotations"}
    return {**obj, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def _owner_kind(pod: Obj) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    return str(owners[0].get("kind", "")) if owners else ""


def _name(obj: Obj) -> str:
    _, namespace, name = key_of(obj)
    return f"{namespace}/{name}" if namespace else name


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
