"""How important a pod is (LIF-10)."""

from __future__ import annotations

from clusterviz.engine.controllers.board import Board
from clusterviz.engine.controllers.work import spec
from clusterviz.engine.objects import Obj

_BUILT_IN = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def class_of(board: Board, pod: Obj) -> Obj | None:
    """The PriorityClass of a pod or template: the one it names, or the one for all that name none."""
    if name := spec(pod).get("priorityClassName"):
        return board.get(("PriorityClass", "", str(name)))
    found = [one for one in board.all("PriorityClass") if one.get("globalDefault")]
    return min(found, key=value_of, default=None)


def unknown_class(board: Board, pod: Obj) -> str:
    """The PriorityClass a pod or template names and nobody made, for which admission refuses it; "" without one."""
    name = str(spec(pod).get("priorityClassName") or "")
    return "" if not name or is_known(name, board.get(("PriorityClass", "", name))) else name


def is_known(name: str, found: Obj | None) -> bool:
    """Whether a PriorityClass is there: two are in every cluster."""
    return found is not None or name in _BUILT_IN


def no_class(name: str) -> str:
    """What the Priority admission plugin says of a pod it refuses."""
    return f"no PriorityClass with name {name} was found"


def priority_of(board: Board, pod: Obj) -> int:
    """A pod's priority: what admission wrote, else what its class says, else 0."""
    given = spec(pod).get("priority")
    if isinstance(given, int):
        return given
    built_in = _BUILT_IN.get(str(spec(pod).get("priorityClassName") or ""))
    return built_in if built_in is not None else value_of(class_of(board, pod) or {})


def admitted(board: Board, template: Obj) -> dict[str, object]:
    """What the Priority admission plugin adds to the spec of a pod."""
    if "priority" in spec(template) or not (
        spec(template).get("priorityClassName") or any(board.keys("PriorityClass", ""))
    ):
        return {}
    found = class_of(board, template) or {}
    return {
        "priority": priority_of(board, template),
        "preemptionPolicy": found.get("preemptionPolicy") or "PreemptLowerPriority",
    }


def value_of(found: Obj) -> int:
    """What a PriorityClass is worth."""
    value = found.get("value")
    return value if isinstance(value, int) else 0
