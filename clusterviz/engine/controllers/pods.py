"""What controllers of pods share: making one, finding theirs, deleting one, choosing victims."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from clusterviz.engine.controllers.board import Board
from clusterviz.engine.controllers.priority import admitted, no_class, unknown_class
from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    labels,
    meta,
    seconds,
    spec,
    status,
    with_meta,
)
from clusterviz.engine.objects import Obj, key_of
from clusterviz.engine.selectors import parse_selector

GRACE = 30
HASH_LABEL = "pod-template-hash"
# The condition of a workload whose pods admission refuses.
FAILURE = "ReplicaFailure"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def ended(pod: Obj) -> bool:
    """Succeeded or Failed."""
    return status(pod).get("phase") in ("Succeeded", "Failed")


def terminating(pod: Obj) -> bool:
    """Deletion was asked."""
    return bool(meta(pod).get("deletionTimestamp"))


def is_ready(pod: Obj) -> bool:
    """The Ready condition; a running pod that came without one counts as ready."""
    found = status(pod)
    if found.get("phase") != "Running":
        return False
    ready = next((entry for entry in found.get("conditions") or () if entry.get("type") == "Ready"), None)
    return ready is None or ready.get("status", "True") == "True"


def selects(workload: Obj, pod: Obj) -> bool:
    """Whether the workload's selector matches the pod."""
    selector = parse_selector(spec(workload).get("selector"), field="spec.selector")
    return bool(selector.labels or selector.expressions) and selector.matches(labels(pod))


def owned(work: Work, workload: Obj) -> list[Obj]:
    """Pods of a workload, those that ended left out; bare pods its selector matches are adopted, others let go.

    Not of a Deployment: its pods belong to its ReplicaSets, whose selectors ask for a template hash no bare pod has.
    """
    kind, namespace, name = key_of(workload)
    for pod in work.board.owned_by(namespace, ("", "")):
        if _adoptable(workload, pod):
            work.put(with_meta(pod, ownerReferences=[reference(kind, name)]))
    found = [pod for pod in work.board.owned_by(namespace, (kind, name)) if not ended(pod)]
    wanted = (spec(workload).get("selector") or {}).get("matchLabels") or {}
    strangers = {id(pod) for pod in found if _is_stranger(wanted, pod) and not terminating(pod)}
    for pod in found if strangers else ():
        if id(pod) in strangers:
            work.put(with_meta(pod, ownerReferences=[]))
    return [pod for pod in found if id(pod) not in strangers] if strangers else found


def _is_stranger(wanted: dict[str, str], pod: Obj) -> bool:
    """Whether somebody changed a pod's labels, so that its workload lets go of it.

    Pods that came without a template hash, which no controller made, are not measured by it.
    """
    given = meta(pod).get("labels") or {}
    if wanted.items() <= given.items():
        return False
    return any(given.get(name) != value for name, value in wanted.items() if name in given or name != HASH_LABEL)


def _adoptable(workload: Obj, pod: Obj) -> bool:
    """A StatefulSet takes only pods that bear one of its names."""
    base, _, ordinal = str(meta(pod)["name"]).rpartition("-")
    named = base == meta(workload)["name"] and ordinal.isdecimal()
    if workload["kind"] == "StatefulSet" and not named:
        return False
    return selects(workload, pod) and not ended(pod) and not terminating(pod)


@lru_cache(4096)
def _references(kind: str, name: str) -> list[dict[str, Any]]:
    """One list for all pods of a controller."""
    return [reference(kind, name)]


def reference(kind: str, name: str) -> dict[str, Any]:
    """The entry of ownerReferences that names an object's controller."""
    group = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    return {"apiVersion": group, "kind": kind, "name": name, "controller": True, "blockOwnerDeletion": True}


def refusal(work: Work, workload: Obj, name: str = "") -> str:
    """What admission says of a workload's pods when it refuses them, else ""."""
    missing = unknown_class(work.board, spec(workload).get("template") or {})
    return f'pods "{name or key_of(workload)[2] + "-"}" is forbidden: {no_class(missing)}' if missing else ""


def may_make(work: Work, workload: Obj, name: str = "") -> bool:
    """Whether one more pod may be made now: admission takes it, and its slice is not full."""
    refused = refusal(work, workload, name)
    if not refused:
        return work.may_create()
    told = f"create Pod {name} in StatefulSet {key_of(workload)[2]} failed error: " if name else "Error creating: "
    work.event(workload, "FailedCreate", told + refused, warning=True)
    return False


def asking_for(board: Board, kind: str, name: str) -> list[tuple[str, str]]:
    """Workloads of a kind, by namespace and name, whose pods name a PriorityClass."""
    found = board.everywhere(kind)
    return sorted(key_of(one)[1:] for one in found if _class_named(one) == name)


def _class_named(workload: Obj) -> object:
    return spec(spec(workload).get("template") or {}).get("priorityClassName")


def make_pod(work: Work, workload: Obj, name: str, owner: tuple[str, str], extra: dict[str, str] | None = None) -> Obj:
    """A new pod from the workload's template, Pending and without a node."""
    template = spec(workload).get("template") or {}
    template_meta = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": key_of(workload)[1],
        "labels": {**(template_meta.get("labels") or {}), **(extra or {})},
        "creationTimestamp": work.stamp,
        "ownerReferences": _references(*owner),
    }
    if template_meta.get("annotations"):
        metadata["annotations"] = template_meta["annotations"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {**(template.get("spec") or {}), **admitted(work.board, template)},
        "status": {"phase": "Pending"},
    }
    work.put(pod)
    work.event(workload, "SuccessfulCreate", f"Created pod: {name}")
    return pod


def delete_pod(work: Work, pod: Obj, by: Obj | None = None) -> None:
    """Ask for deletion; the kubelet does the rest (LIF-02). A pod on no node goes at once."""
    if terminating(pod):
        return
    if by is not None:
        work.event(by, "SuccessfulDelete", f"Deleted pod: {meta(pod)['name']}")
    if not spec(pod).get("nodeName"):
        work.remove(key_of(pod))
        return
    work.put(with_meta(pod, deletionTimestamp=work.stamp))


def victims(pods: list[Obj], count: int) -> list[Obj]:
    """Whom scaling down takes first (LIF-07)."""
    crowd: dict[str, int] = {}
    for pod in pods:
        node = str(spec(pod).get("nodeName") or "")
        crowd[node] = crowd.get(node, 0) + 1

    def order(pod: Obj) -> tuple[Any, ...]:
        node = str(spec(pod).get("nodeName") or "")
        cost = annotation(pod, DELETION_COST)
        return (
            bool(node),
            status(pod).get("phase") == "Running",
            is_ready(pod),
            int(cost) if cost.lstrip("-").isdecimal() else 0,
            -crowd[node],
            -seconds(str(meta(pod).get("creationTimestamp") or "")),
            str(meta(pod)["name"]),
        )

    return sorted(pods, key=order)[:count]


def replicas_of(workload: Obj) -> int:
    """``spec.replicas``, 1 when absent."""
    value = spec(workload).get("replicas")
    return 1 if value is None else max(0, int(value))


def write_status(work: Work, workload: Obj, **fields: Any) -> None:
    """Update ``status`` when a field of it changed, None for one that goes; with a generation also that one."""
    current = work.get(key_of(workload)) or workload
    if meta(current).get("generation"):
        fields["observedGeneration"] = meta(current)["generation"]
    if any(status(current).get(key) != value for key, value in fields.items()):
        told = {name: value for name, value in {**status(current), **fields}.items() if value is not None}
        work.put({**current, "status": told})
