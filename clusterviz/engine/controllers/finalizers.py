"""Objects that wait for somebody before they go: finalizers, and deletion in the foreground."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterviz.engine.controllers.board import FOREGROUND, Board, Touch
from clusterviz.engine.controllers.desk import EVERY_KIND, Controller, Item
from clusterviz.engine.controllers.pods import delete_pod, terminating
from clusterviz.engine.controllers.work import Work, meta, with_meta
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, Obj, key_of

# Of these a controller makes others in turn; they too go after what they own.
_OWNERS = frozenset({*WORKLOAD_KINDS, "Job", "CronJob"})


def _one(work: Work, item: Item) -> None:
    """Let an object go that nobody waits for any more."""
    key: Key = (item[0], item[1], item[2])
    obj = work.get(key)
    if obj is None or not terminating(obj):
        return
    names = list(meta(obj).get("finalizers") or ())
    if FOREGROUND in names:
        for one in list(work.board.dependents(key)):
            _delete(work, one)
        if any(_blocks(one, key) for one in work.board.dependents(key)):
            return
        names.remove(FOREGROUND)
        work.put(with_meta(obj, finalizers=names))
    if not names:
        work.remove(key)


def _delete(work: Work, obj: Obj) -> None:
    if obj["kind"] == "Pod":
        delete_pod(work, obj)
    elif obj["kind"] not in _OWNERS:
        work.remove(key_of(obj))
    elif not terminating(obj):
        names = [*(meta(obj).get("finalizers") or ()), FOREGROUND]
        work.put(with_meta(obj, finalizers=names, deletionTimestamp=work.stamp, deletionGracePeriodSeconds=0))


def _blocks(obj: Obj, owner: Key) -> bool:
    return any(names(one, owner) and one.get("blockOwnerDeletion") for one in meta(obj).get("ownerReferences") or ())


def names(reference: dict[str, Any], owner: Key) -> bool:
    """Whether an owner reference means this object."""
    return (reference.get("kind"), reference.get("name")) == (owner[0].partition(".")[0], owner[2])


def _touched(board: Board, touch: Touch) -> Iterable[Item]:
    found: list[Key] = []
    if touch.key[0] not in ("Pod", "Namespace") and touch.new is not None and terminating(touch.new):
        found.append(touch.key)
    for obj in touch.sides if board.foreground else ():
        for one in meta(obj).get("ownerReferences") or ():
            found += [key for key in board.foreground if key[1] == touch.key[1] and names(one, key)]
    return found


FINALIZERS = Controller("finalizers", EVERY_KIND, _one, _touched)
