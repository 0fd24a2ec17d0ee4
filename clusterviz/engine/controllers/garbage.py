"""The garbage collector: pods follow the workload that made them."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import delete_pod, terminating
from clusterviz.engine.controllers.work import Work, meta
from clusterviz.engine.objects import WORKLOAD_KINDS, Obj, key_of

OWNERS = (*WORKLOAD_KINDS, "Job")


def _one(work: Work, item: Item) -> None:
    """Delete a pod whose owners are gone.

    An owner reference with a uid came with a dump of a real cluster, perhaps of its pods alone:
    such pods stay.
    """
    pod = work.find("Pod", item)
    owners = meta(pod).get("ownerReferences") or () if pod is not None else ()
    if pod is not None and owners and not terminating(pod) and all(_gone(work, pod, owner) for owner in owners):
        delete_pod(work, pod)


def _touched(board: Board, touch: Touch) -> Iterable[Item]:
    kind, namespace, name = touch.key
    if kind == "Pod":
        return [touch.key[1:]]
    if touch.old is not None and touch.new is not None:
        return []
    owners = [(kind, name)]
    if kind == "Deployment":
        owners += board.owners_of_base(namespace, "ReplicaSet", name)
    pods = [key for owner in owners for key in board.keys_owned_by(namespace, owner)]
    return [key[1:] for key in (*pods, *board.many_owners.get(namespace, ()))]


def _gone(work: Work, pod: Obj, owner: Obj) -> bool:
    kind, name, namespace = str(owner.get("kind")), str(owner.get("name")), key_of(pod)[1]
    if kind not in OWNERS or owner.get("uid"):
        return False
    deployment = ("Deployment", namespace, name.rpartition("-")[0])
    return work.get((kind, namespace, name)) is None and not (kind == "ReplicaSet" and work.get(deployment))


GARBAGE = Controller("garbage collector", frozenset({"Pod", *OWNERS}), _one, _touched)
