"""ReplicaSets, StatefulSets and DaemonSets (LIF-08)."""

from __future__ import annotations

from clusterviz.engine.controllers.names import pod_name
from clusterviz.engine.controllers.pods import (
    delete_pod,
    is_ready,
    make_pod,
    owned,
    replicas_of,
    terminating,
    victims,
    write_status,
)
from clusterviz.engine.controllers.scheduler import fits
from clusterviz.engine.controllers.work import Work, changed, labels, meta, spec
from clusterviz.engine.fill import template_hash
from clusterviz.engine.objects import Obj, key_of

REVISION = "controller-revision-hash"


def replicasets(work: Work) -> None:
    """Stand-alone ReplicaSets; those of a Deployment are the Deployment's business."""
    for replicaset in work.all("ReplicaSet"):
        if meta(replicaset).get("ownerReferences"):
            continue
        key, wanted = key_of(replicaset), replicas_of(replicaset)
        pods = [pod for pod in owned(work, replicaset) if not terminating(pod)]
        for _ in range(wanted - len(pods)):
            if not work.may_create():
                break
            name = pod_name(key[2], work.rng, work.pod_names(key[1]))
            make_pod(work, replicaset, name, ("ReplicaSet", key[2]))
        for pod in victims(pods, max(0, len(pods) - wanted)):
            delete_pod(work, pod, replicaset)
        _count(work, replicaset)


def statefulsets(work: Work) -> None:
    """Pods name-0, name-1 ... one after the other; the last goes first; a name comes back."""
    for statefulset in work.all("StatefulSet"):
        _stateful(work, statefulset)
        _count(work, statefulset)


def _stateful(work: Work, statefulset: Obj) -> None:
    key, wanted = key_of(statefulset), replicas_of(statefulset)
    revision = f"{key[2]}-{template_hash(spec(statefulset).get('template') or {})}"
    parallel = spec(statefulset).get("podManagementPolicy") == "Parallel"
    pods = {str(meta(pod)["name"]): pod for pod in owned(work, statefulset)}
    names = [f"{key[2]}-{ordinal}" for ordinal in range(wanted)]
    for name in names:
        pod = pods.get(name)
        if pod is None:
            if not work.may_create():
                break
            _ordinal_pod(work, statefulset, name, revision)
        if (pod is None or terminating(pod) or not is_ready(pod)) and not parallel:
            break
    surplus = sorted((n for n in pods if n not in names), key=_ordinal, reverse=True)
    for name in surplus:
        delete_pod(work, pods[name], statefulset)
        if not parallel:
            return
    if all(name in pods and is_ready(pods[name]) for name in names):
        _update_one(work, statefulset, [pods[name] for name in names], revision)


def _update_one(work: Work, statefulset: Obj, pods: list[Obj], revision: str) -> None:
    if (spec(statefulset).get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    if any(terminating(pod) for pod in pods):
        return
    for pod in reversed(pods):
        if labels(pod).get(REVISION, revision) != revision:
            delete_pod(work, pod, statefulset)
            return


def _ordinal_pod(work: Work, statefulset: Obj, name: str, revision: str) -> None:
    key = key_of(statefulset)
    extra = {
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": name.rpartition("-")[2],
        REVISION: revision,
    }
    pod = make_pod(work, statefulset, name, ("StatefulSet", key[2]), extra)
    identity = {"hostname": name, "subdomain": str(spec(statefulset).get("serviceName") or "")}
    work.put(changed(pod, spec={**spec(pod), **{k: v for k, v in identity.items() if v}}))


def _ordinal(name: str) -> int:
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else -1


def daemonsets(work: Work) -> None:
    """One pod on every node it fits, ready or not (NOD-04: they stay on lost nodes)."""
    for daemonset in work.all("DaemonSet"):
        _daemon(work, daemonset)
        pods = [pod for pod in owned(work, daemonset) if not terminating(pod)]
        ready = sum(map(is_ready, pods))
        write_status(
            work, daemonset, currentNumberScheduled=len(pods), desiredNumberScheduled=len(pods),
            numberReady=ready, numberAvailable=ready,
        )  # fmt: skip


def _daemon(work: Work, daemonset: Obj) -> None:
    key = key_of(daemonset)
    template = spec(daemonset).get("template") or {}
    revision = template_hash(template)
    by_node: dict[str, list[Obj]] = {}
    for pod in owned(work, daemonset):
        by_node.setdefault(str(spec(pod).get("nodeName") or ""), []).append(pod)
    for node in work.all("Node"):
        name = str(meta(node)["name"])
        here = by_node.pop(name, [])
        if not fits(template, node, daemon=True):
            by_node[name] = here
        elif not here and work.may_create():
            new = pod_name(key[2], work.rng, work.pod_names(key[1]))
            pod = make_pod(work, daemonset, new, ("DaemonSet", key[2]), {REVISION: revision})
            work.put(changed(pod, spec={**spec(pod), "nodeName": name}))
        _replace_outdated(work, daemonset, here, revision)
    for pods in by_node.values():
        for pod in pods:
            delete_pod(work, pod, daemonset)


def _replace_outdated(work: Work, daemonset: Obj, here: list[Obj], revision: str) -> None:
    if (spec(daemonset).get("updateStrategy") or {}).get("type") == "OnDelete":
        return
    for pod in here:
        if labels(pod).get(REVISION, revision) != revision:
            delete_pod(work, pod, daemonset)


def _count(work: Work, workload: Obj) -> None:
    pods = [pod for pod in owned(work, workload) if not terminating(pod)]
    ready = sum(map(is_ready, pods))
    write_status(work, workload, replicas=len(pods), readyReplicas=ready, availableReplicas=ready)
