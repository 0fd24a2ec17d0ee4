"""A wish meets what has happened since it was written.

Wishes are written against the last checkpoint, up to a second old: what a person changed counts,
what the controllers found out meanwhile is not undone by it.
"""

from __future__ import annotations

from typing import Any

from clusterviz.engine.cluster import Change
from clusterviz.engine.objects import WORKLOAD_KINDS, Obj

# What the simulator writes into the metadata of a pod.
DELETION = ("deletionTimestamp", "deletionGracePeriodSeconds")
ENDED = ("Succeeded", "Failed")


def merged(wish: Change, mine: Obj | None) -> Change:
    """The wish as it is to be applied to ``mine``, the object as the simulator has it."""
    kind = wish.key[0]
    if wish.verb == "unset" or mine is None:
        return wish
    obj, status = dict(wish.value), mine.get("status") or {}
    theirs = obj.get("status") or {}
    if kind == "Pod":
        obj = _pod(obj, mine)
        obj["status"] = theirs if _meant(obj, mine) else status
    elif kind == "Node":
        conditions = {"conditions": status["conditions"]} if "conditions" in status else {}
        obj["status"] = {**theirs, **conditions}
    elif kind == "Service":
        obj["status"] = theirs if (theirs.get("loadBalancer") or {}).get("ingress") else status
    elif kind in WORKLOAD_KINDS or kind in ("Job", "CronJob"):
        obj["status"] = status
    return Change("set", obj)


def _pod(obj: Obj, mine: Obj) -> Obj:
    node = (mine.get("spec") or {}).get("nodeName")
    leaving = {name: value for name, value in _meta(mine).items() if name in DELETION}
    spec = obj.get("spec") or {}
    if node and not spec.get("nodeName"):
        spec = {**spec, "nodeName": node}
    return {**obj, "metadata": {**_meta(obj), **leaving}, "spec": spec}


def _meant(wish: Obj, mine: Obj) -> bool:
    """Whether somebody asked for this status: another address, or an end."""
    theirs, ours = wish.get("status") or {}, mine.get("status") or {}
    if _meta(wish).get("creationTimestamp") != _meta(mine).get("creationTimestamp"):
        return False  # written against a pod of the same name that is gone
    other = theirs.get("podIP") and theirs["podIP"] != ours.get("podIP")
    return bool(other or theirs.get("phase") in ENDED)


def _meta(obj: Obj) -> dict[str, Any]:
    return obj.get("metadata") or {}
