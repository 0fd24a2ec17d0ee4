"""StatefulSets: pods with names that stay, one after the other (LIF-08)."""

from __future__ import annotations

from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import delete_pod, is_ready, make_pod, may_make, owned, replicas_of, terminating
from clusterviz.engine.controllers.revisions import POD_HASH as REVISION
from clusterviz.engine.controllers.revisions import forget, name_of, record, template_of
from clusterviz.engine.controllers.work import Work, changed, labels, meta, spec, status
from clusterviz.engine.controllers.workloads import count, touched_by
from clusterviz.engine.objects import Obj, key_of


def _one(work: Work, item: Item) -> None:
    """Pods name-0, name-1 ... one after the other; the last goes first; a name comes back."""
    statefulset = work.find("StatefulSet", item)
    if statefulset is not None and not terminating(statefulset):
        record(work, statefulset)
        _sync(work, statefulset)
        _tell(work, statefulset)


def _sync(work: Work, statefulset: Obj) -> None:
    key, wanted = key_of(statefulset), replicas_of(statefulset)
    parallel = spec(statefulset).get("podManagementPolicy") == "Parallel"
    first = _first(statefulset)
    pods = {str(meta(pod)["name"]): pod for pod in owned(work, statefulset)}
    names = [f"{key[2]}-{ordinal}" for ordinal in range(first, first + wanted)]
    for name in names:
        pod = pods.get(name)
        if pod is None:
            if not may_make(work, statefulset, name):
                break
            _ordinal_pod(work, statefulset, name)
        if (pod is None or terminating(pod) or not is_ready(pod)) and not parallel:
            break
    surplus = sorted((n for n in pods if n not in names), key=_ordinal, reverse=True)
    for name in surplus:
        delete_pod(work, pods[name], statefulset)
        if not parallel:
            return
    if parallel or all(name in pods and is_ready(pods[name]) for name in names):
        _update_one(work, statefulset, [pods[name] for name in names if name in pods])


def _is_outdated(work: Work, statefulset: Obj, pod: Obj) -> bool:
    known, hashes = labels(pod).get(REVISION), work.hashes_of(spec(statefulset).get("template") or {})
    return known is not None and known not in [f"{meta(statefulset)['name']}-{one}" for one in hashes]


def _first(statefulset: Obj) -> int:
    return int((spec(statefulset).get("ordinals") or {}).get("start") or 0)


def _partition(statefulset: Obj) -> int:
    """The first ordinal that gets the present template."""
    strategy = spec(statefulset).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return 0
    return _first(statefulset) + int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _update_one(work: Work, statefulset: Obj, pods: list[Obj]) -> None:
    """From the last pod to the first, but none below the partition; each has to be ready before the next goes."""
    strategy = spec(statefulset).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    for pod in reversed(pods):
        if _ordinal(str(meta(pod)["name"])) < _partition(statefulset):
            return
        if not terminating(pod) and _is_outdated(work, statefulset, pod):
            delete_pod(work, pod, statefulset)
            return
        if terminating(pod) or not is_ready(pod):
            return


def _tell(work: Work, statefulset: Obj) -> None:
    pods = [pod for pod in owned(work, statefulset) if not terminating(pod)]
    outdated = [pod for pod in pods if _is_outdated(work, statefulset, pod)]
    updated = len(pods) - len(outdated)
    revision, wanted = name_of(work, statefulset), replicas_of(statefulset)
    before = labels(outdated[0]).get(REVISION, "") if outdated else ""
    current = str(status(statefulset).get("currentRevision") or before or revision)
    if updated == len(pods) == wanted and all(map(is_ready, pods)):
        current = revision
    old = sum(labels(pod).get(REVISION) == current for pod in pods)
    count(
        work, statefulset, pods, updatedReplicas=updated, currentReplicas=old,
        updateRevision=revision, currentRevision=current,
    )  # fmt: skip
    forget(work, statefulset, pods, (current, revision))


def _ordinal_pod(work: Work, statefulset: Obj, name: str) -> None:
    key = key_of(statefulset)
    made_from, revision = statefulset, name_of(work, statefulset)
    before = str(status(statefulset).get("currentRevision") or "")
    if _ordinal(name) < _partition(statefulset) and before != revision:
        # Below the partition a pod comes back as it was.
        old = work.get(("ControllerRevision", key[1], before))
        if old is not None:
            made_from = changed(statefulset, spec={**spec(statefulset), "template": template_of(old)})
            revision = before
    extra = {
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
        REVISION: revision,
    }
    pod = make_pod(work, made_from, name, ("StatefulSet", key[2]), extra)
    identity = {"hostname": name, "subdomain": str(spec(statefulset).get("serviceName") or "")}
    work.put(changed(pod, spec={**spec(pod), **{k: v for k, v in identity.items() if v}}))


def _ordinal(name: str) -> int:
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else -1


STATEFULSETS = Controller(
    "statefulsets",
    frozenset({"ControllerRevision", "Pod", "PriorityClass", "StatefulSet"}),
    _one,
    touched_by("StatefulSet"),
)
