"""The garbage collector: pods follow the workload that made them."""

from __future__ import annotations

from clusterviz.engine.controllers.pods import delete_pod, terminating
from clusterviz.engine.controllers.work import Work, meta
from clusterviz.engine.objects import WORKLOAD_KINDS, Obj, key_of


def collect_garbage(work: Work) -> None:
    """Delete pods whose owner is gone.

    An owner reference with a uid came with a dump of a real cluster, perhaps of its pods alone:
    such pods stay.
    """
    for pod in work.all("Pod"):
        owners = meta(pod).get("ownerReferences") or ()
        if owners and not terminating(pod) and all(_gone(work, pod, owner) for owner in owners):
            delete_pod(work, pod)


def _gone(work: Work, pod: Obj, owner: Obj) -> bool:
    kind, name, namespace = str(owner.get("kind")), str(owner.get("name")), key_of(pod)[1]
    if kind not in (*WORKLOAD_KINDS, "Job") or owner.get("uid"):
        return False
    deployment = ("Deployment", namespace, name.rpartition("-")[0])
    return work.get((kind, namespace, name)) is None and not (kind == "ReplicaSet" and work.get(deployment))
