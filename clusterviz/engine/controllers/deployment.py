"""Deployments: as many pods as wanted, and a rolling change of template (LIF-05, LIF-06).

A Deployment's pods belong to ReplicaSets named ``<deployment>-<template hash>``, one a template.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.names import pod_name
from clusterviz.engine.controllers.pods import (
    delete_pod,
    ended,
    is_ready,
    make_pod,
    replicas_of,
    terminating,
    victims,
    write_status,
)
from clusterviz.engine.controllers.work import Owner, Work, clone, labels, meta, owner_of, spec
from clusterviz.engine.objects import Obj, key_of

HASH_LABEL = "pod-template-hash"


def _one(work: Work, item: Item) -> None:
    """Bring a Deployment towards what it wants."""
    deployment = work.find("Deployment", item)
    if deployment is not None:
        _sync(work, deployment)


def _touched(_board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "Deployment":
        yield namespace, name
    for obj in touch.sides if kind != "Deployment" else ():
        owner, of = owner_of(obj)
        if owner == ("ReplicaSet" if kind == "Pod" else "Deployment"):
            yield namespace, of.rpartition("-")[0] if kind == "Pod" else of


def replicaset_of(work: Work, deployment: Obj) -> str:
    """The ReplicaSet of the present template: one that came with the objects, or the one we name."""
    key, template = key_of(deployment), spec(deployment).get("template") or {}
    for replicaset in work.board.all("ReplicaSet", key[1]):
        if owner_of(replicaset) == ("Deployment", key[2]) and _same(replicaset, template):
            return key_of(replicaset)[2]
    for owner in work.board.owners_of_base(key[1], "ReplicaSet", key[2]):
        if any(_images(spec(pod)) == _images(spec(template)) for pod in _from_elsewhere(work, key[1], owner)):
            return owner[1]
    return f"{key[2]}-{work.hash_of(template)}"


def _from_elsewhere(work: Work, namespace: str, owner: Owner) -> Iterator[Obj]:
    """Pods of a real cluster's dump: their owner has a uid.

    The hash in its name is the real cluster's; without the ReplicaSet only the images tell whose they are.
    """
    foreign: dict[int, bool] = {}
    for pod in work.board.owned_by(namespace, owner):
        owners = meta(pod).get("ownerReferences") or ()
        # Pods of one ReplicaSet mostly share the list.
        if id(owners) not in foreign:
            foreign[id(owners)] = any(one.get("uid") for one in owners)
        if foreign[id(owners)]:
            yield pod


def _images(pod_spec: Obj) -> list[tuple[str, str]]:
    return [(str(c.get("name")), str(c.get("image"))) for c in pod_spec.get("containers") or ()]


def _same(replicaset: Obj, template: Obj) -> bool:
    theirs = clone(spec(replicaset).get("template") or {})
    (meta(theirs).get("labels") or {}).pop(HASH_LABEL, None)
    return theirs.get("spec") == template.get("spec") and labels(theirs) == labels(template)


def share(value: object, replicas: int, *, up: bool) -> int:
    """A maxSurge or maxUnavailable as pods: percentages of surge round up, of unavailable down."""
    text = "25%" if value is None else str(value)
    if not text.endswith("%"):
        return int(text) if text.isdecimal() else 0
    part = replicas * float(text[:-1]) / 100
    return math.ceil(part) if up else math.floor(part)


def _sync(work: Work, deployment: Obj) -> None:
    wanted, current = replicas_of(deployment), replicaset_of(work, deployment)
    new, old = _pods(work, deployment, current)
    writes = work.writes
    if old:
        _roll(work, deployment, new, old, current)
    else:
        _scale(work, deployment, new, wanted, current)
    if work.writes != writes:
        new, old = _pods(work, deployment, current)
    ready = sum(map(is_ready, new)) + sum(map(is_ready, old))
    write_status(
        work,
        deployment,
        replicas=len(new) + len(old),
        updatedReplicas=len(new),
        readyReplicas=ready,
        availableReplicas=ready,
        unavailableReplicas=max(0, wanted - ready),
    )


def _pods(work: Work, deployment: Obj, current: str) -> tuple[list[Obj], list[Obj]]:
    """Pods of the present ReplicaSet and of the others; those that are leaving or have ended do not count."""
    _, namespace, name = key_of(deployment)
    new: list[Obj] = []
    old: list[Obj] = []
    for owner in work.board.owners_of_base(namespace, "ReplicaSet", name):
        pods = work.board.owned_by(namespace, owner)
        (new if owner[1] == current else old).extend(pod for pod in pods if not ended(pod) and not terminating(pod))
    return new, old


def _roll(work: Work, deployment: Obj, new: list[Obj], old: list[Obj], current: str) -> None:
    wanted = replicas_of(deployment)
    strategy = spec(deployment).get("strategy") or {}
    if strategy.get("type") == "Recreate":
        for pod in old:
            delete_pod(work, pod, deployment)
        return
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge"), wanted, up=True)
    unavailable = share(rolling.get("maxUnavailable"), wanted, up=False)
    if surge == unavailable == 0:
        unavailable = 1
    room = wanted + surge - len(new) - len(old)
    _create(work, deployment, min(room, wanted - len(new)), current)
    available = sum(map(is_ready, new)) + sum(map(is_ready, old))
    broken = [pod for pod in old if not is_ready(pod)]
    spare = max(0, available - (wanted - unavailable))
    healthy = [pod for pod in old if is_ready(pod)]
    for pod in [*broken, *victims(healthy, spare)]:
        delete_pod(work, pod, deployment)


def _scale(work: Work, deployment: Obj, pods: list[Obj], wanted: int, current: str) -> None:
    _create(work, deployment, wanted - len(pods), current)
    for pod in victims(pods, len(pods) - wanted) if len(pods) > wanted else ():
        delete_pod(work, pod, deployment)


def _create(work: Work, deployment: Obj, count: int, owner: str) -> None:
    namespace = key_of(deployment)[1]
    for _ in range(count):
        if not work.may_create():
            return
        name = pod_name(owner, work.rng, work.name_taken(namespace))
        extra = {HASH_LABEL: owner.rpartition("-")[2]}
        make_pod(work, deployment, name, ("ReplicaSet", owner), extra)


DEPLOYMENTS = Controller("deployments", frozenset({"Deployment", "ReplicaSet", "Pod"}), _one, _touched)
