"""The garbage collector: what a controller made follows the object it was made for."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import delete_pod, terminating
from clusterviz.engine.controllers.work import Work, meta
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, Obj

OWNERS = (*WORKLOAD_KINDS, "Job", "CronJob")
_MADE = frozenset({"Pod", "ReplicaSet", "ControllerRevision", "Job"})


def _one(work: Work, item: Item) -> None:
    """Delete an object whose owners are gone, so that what it owns follows.

    An owner reference with a uid came with a dump of a real cluster, perhaps of its pods alone: such objects stay.
    """
    key = item[0], item[1], item[2]
    obj = work.get(key)
    owners = meta(obj).get("ownerReferences") or () if obj is not None else ()
    if obj is None or not owners or terminating(obj) or not all(_gone(work, key, owner) for owner in owners):
        return
    if key[0] == "Pod":
        delete_pod(work, obj)
    else:
        work.remove(key)


def _touched(board: Board, touch: Touch) -> Iterable[Item]:
    kind, namespace, name = touch.key
    found: list[Key] = [touch.key] if kind in _MADE else []
    if touch.old is not None and touch.new is not None:
        return found
    owners = [(kind, name)]
    if kind == "Deployment":
        owners += board.owners_of_base(namespace, "ReplicaSet", name)
        found += [("ReplicaSet", namespace, str(meta(one)["name"])) for one in board.sets_of(namespace, (kind, name))]
    elif kind in ("StatefulSet", "DaemonSet"):
        kept = board.revisions_of(namespace, (kind, name))
        found += [("ControllerRevision", namespace, str(meta(one)["name"])) for one in kept]
    elif kind == "CronJob":
        found += board.keys("Job", namespace)
    if kind in OWNERS:
        found += [key for owner in owners for key in board.keys_owned_by(namespace, owner)]
        found += board.many_owners.get(namespace, ())
    return found


def _gone(work: Work, key: Key, owner: Obj) -> bool:
    kind, name, namespace = str(owner.get("kind")), str(owner.get("name")), key[1]
    if kind not in OWNERS or owner.get("uid") or "." in str(owner.get("apiVersion")).partition("/")[0]:
        return False  # nor is anything known of the kinds of other groups, whatever their names
    deployment = ("Deployment", namespace, name.rpartition("-")[0])
    return work.get((kind, namespace, name)) is None and not (kind == "ReplicaSet" and work.get(deployment))


GARBAGE = Controller("garbage collector", frozenset({*_MADE, *OWNERS}), _one, _touched)
