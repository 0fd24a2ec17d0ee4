"""Namespaces that are deleted: Terminating until all they hold is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import EVERY_KIND, Controller, Item
from clusterviz.engine.controllers.pods import delete_pod, terminating
from clusterviz.engine.controllers.work import Work, meta, set_condition, with_status
from clusterviz.engine.objects import Obj, key_of

_FAILED = "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure"


def _one(work: Work, item: Item) -> None:
    """Delete what a namespace holds, say what is left, and let it go when nothing is."""
    key = ("Namespace", "", item[0])
    space = work.get(key)
    if space is None or not terminating(space):
        return
    for obj in list(work.board.content(item[0])):
        if obj["kind"] == "Pod":
            delete_pod(work, obj)
        else:
            work.remove(key_of(obj))
    left = list(work.board.content(item[0]))
    told = _told(work, space, left)
    if told != space:
        work.put(told)
    if not left:
        work.remove(key)


def _told(work: Work, space: Obj, left: list[Obj]) -> Obj:
    """The namespace with the conditions that say how far its deletion is, in the words of its controller."""
    kinds = Counter(_resource(obj) for obj in left)
    keepers = Counter(str(one) for obj in left for one in meta(obj).get("finalizers") or ())
    remaining = ", ".join(f"{kind} has {number} resource instances" for kind, number in sorted(kinds.items()))
    holding = ", ".join(f"{name} in {number} resource instances" for name, number in sorted(keepers.items()))
    found = with_status(space, phase="Terminating")
    rows = [
        (_FAILED[0], False, "ResourcesDiscovered", "All resources successfully discovered"),
        (_FAILED[1], False, "ParsedGroupVersions", "All legacy kube types successfully parsed"),
        (
            "NamespaceDeletionContentFailure", False, "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", True, "SomeResourcesRemain", f"Some resources are remaining: {remaining}")
        if left else ("NamespaceContentRemaining", False, "ContentRemoved", "All content successfully removed"),
        (
            "NamespaceFinalizersRemaining", True, "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {holding}",
        )
        if keepers else (
            "NamespaceFinalizersRemaining", False, "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    ]  # fmt: skip
    for kind, value, reason, message in rows:
        found = set_condition(found, kind, str(value), work.stamp, reason=reason, message=message)
    return found


def _resource(obj: Obj) -> str:
    """A kind as the controller writes it: plural and group."""
    kind, version = str(obj["kind"]).partition(".")[0].lower(), str(obj.get("apiVersion") or "")
    plural = f"{kind}es" if kind.endswith("s") else f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    return f"{plural}.{version.rpartition('/')[0]}"


def _touched(board: Board, touch: Touch) -> Iterable[Item]:
    kind, namespace, name = touch.key
    if kind == "Namespace":
        return [(name,)] if name in board.ending else []
    return [(namespace,)] if namespace in board.ending else []


NAMESPACES = Controller("namespaces", EVERY_KIND, _one, _touched)
