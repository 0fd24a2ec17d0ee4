"""A copy of a lesson's cluster to break: what somebody did to it, done again to the world of the place it was made at.

Nothing is kept on the server. What was done is short text that travels with the place, so a reload, a link and another
question find the same copy; the lesson's own cluster stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from clusterviz.classroom.lesson import Action, Obj, Scale
from clusterviz.classroom.world import World, WorldError, act, find
from clusterviz.engine.controllers.kubelet import READY_ANNOTATION
from clusterviz.engine.controllers.restarts import CRASH_ANNOTATION
from clusterviz.engine.objects import DOWN_ANNOTATION, HUNG_ANNOTATION
from clusterviz.live.asked import AskedError
from clusterviz.live.refs import key_of_ref

# Each deed is done again for every question about the copy, and a deed may ask for pods.
MOST = 20
MOST_PODS = 20
SECONDS = 10
LONGEST = 600
BETWEEN = ";"
TARGETS: dict[str, tuple[str, ...]] = {
    "wait": (),
    "delete-pod": ("Pod",),
    "not-ready": ("Pod",),
    "ready": ("Pod",),
    "crash": ("Pod",),
    "relabel": ("Pod",),
    "cordon": ("Node",),
    "uncordon": ("Node",),
    "drain": ("Node",),
    "node-down": ("Node",),
    "node-up": ("Node",),
    "scale": ("Deployment", "ReplicaSet", "StatefulSet"),
    "delete": ("Service", "Ingress", "NetworkPolicy"),
}


def deeds_of(text: str) -> tuple[str, ...]:
    """What was done, one deed after the other: ``delete-pod pod:shop/web-1;wait``. Raises `AskedError`."""
    deeds = tuple(part.strip() for part in text.split(BETWEEN) if part.strip())
    if len(deeds) > MOST:
        raise AskedError(_("that is too much for one copy"), field="copy", allowed=f"{MOST}")
    for deed in deeds:
        _action(deed)
    return deeds


def world_of(world: World, deeds: tuple[str, ...]) -> World:
    """The copy after all that was done to it. Raises `AskedError` for a deed that cannot be done."""
    for deed in deeds:
        try:
            world = act(world, _action(deed)(world))
        except WorldError as error:
            raise AskedError(f"{deed}: {error}", field="copy", allowed=", ".join(TARGETS)) from None
    return world


def _action(deed: str) -> Callable[[World], Action]:
    """What a deed does to a world, once there is one. Raises `AskedError`."""
    verb, _space, rest = deed.partition(" ")
    target, _space, number = rest.partition(" ")
    if verb not in TARGETS or len(deed) > LONGEST:
        raise AskedError(f"cannot read {deed[:60]!r}", field="copy", allowed=", ".join(TARGETS))
    if verb == "wait":
        return lambda _world: Action(wait=SECONDS)
    key = key_of_ref(target)
    if key is None or key[0] not in TARGETS[verb]:
        raise AskedError(f"{verb} is not for {target[:60]!r}", field="copy", allowed=", ".join(TARGETS[verb]))
    name = "/".join(filter(None, key))
    if verb == "scale":
        if not (number.isascii() and number.isdecimal() and int(number[:4]) <= MOST_PODS):
            raise AskedError(f"replicas: Invalid value: {number[:20]!r}", field="copy", allowed=f"0 to {MOST_PODS}")
        return lambda _world: Action(scale=Scale(of=name, replicas=int(number)))
    if verb in {"delete-pod", "delete"}:
        return lambda _world: Action(delete=[name])
    if verb in {"drain", "node-down"}:
        return lambda _world: Action(drain=key[2]) if verb == "drain" else Action(fail=key[2])
    return lambda world: Action(patch={name: _patch(verb, find(world.cluster, name))})


def _patch(verb: str, obj: Obj) -> Obj:
    """A JSON merge patch: null takes a field away."""
    labels = (obj["metadata"].get("labels") or {}).keys()
    patches: dict[str, dict[str, Any]] = {
        "not-ready": {"metadata": {"annotations": {READY_ANNOTATION: "false"}}},
        "ready": {"metadata": {"annotations": dict.fromkeys((READY_ANNOTATION, CRASH_ANNOTATION, HUNG_ANNOTATION))}},
        "crash": {"metadata": {"annotations": {CRASH_ANNOTATION: "true"}}},
        "relabel": {"metadata": {"labels": dict.fromkeys(labels)}},
        "cordon": {"spec": {"unschedulable": True}},
        "uncordon": {"spec": {"unschedulable": None}},
        "node-up": {"metadata": {"annotations": {DOWN_ANNOTATION: None}}},
    }
    return patches[verb]


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows of a copy: what was done, and whether more may be."""

    deeds: list[str]
    full: bool
