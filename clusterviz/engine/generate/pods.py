"""Pods on their nodes, as the scheduler and the kubelets would have left them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from clusterviz.engine.controllers.kubelet import READY_ANNOTATION
from clusterviz.engine.controllers.pods import reference
from clusterviz.engine.controllers.restarts import CRASH_LOOP, crash_message
from clusterviz.engine.controllers.revisions import POD_HASH as REVISION
from clusterviz.engine.controllers.scheduler import hopeless
from clusterviz.engine.controllers.suitability import refusal
from clusterviz.engine.controllers.work import seconds, timestamp
from clusterviz.engine.fill import ALPHABET
from clusterviz.engine.generate.apps import App
from clusterviz.engine.generate.nodes import Place
from clusterviz.engine.generate.size import PODS_A_NODE
from clusterviz.engine.host_ports import HostPorts
from clusterviz.engine.objects import Obj

DAY = 86_400.0
NOT_READY = 0.003
LOOKS = 3


class Scheduler:
    """Places pods: of a few nodes drawn the one with most room, so that nodes are neither equal nor full."""

    def __init__(self, places: list[Place], nodes: list[Obj], rng: random.Random) -> None:
        self._up = [place for place in places if not place.down]
        self._nodes, self._rng = nodes, rng

    def place(self) -> Place:
        """A node with room for one pod more."""
        found = min(self._rng.choices(self._up, k=LOOKS), key=lambda one: one.load / one.weight)
        if found.load >= PODS_A_NODE:
            found = min(self._up, key=lambda one: one.load)
        found.load += 1
        return found

    def refuse(self, pod: Obj, stamp: str) -> list[Obj]:
        """Conditions of a pod that fits on no node."""
        message = hopeless(Counter(refusal(pod, node, 0, HostPorts()) for node in self._nodes), len(self._nodes))
        entry = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        return [{**entry, "lastTransitionTime": stamp}]


class Shared:
    """What all pods of one workload have alike, kept once."""

    def __init__(self, one: App, now: float, rng: random.Random) -> None:
        template = one.template
        annotations = (template.get("metadata") or {}).get("annotations")
        revision = {REVISION: f"{one.name}-{one.hash}"} if one.kind == "StatefulSet" else {REVISION: one.hash}
        self.extra = {"pod-template-hash": one.hash} if one.kind == "Deployment" else revision
        self.labels = {**one.labels, **({} if one.kind == "Job" else self.extra)}
        self.annotations = annotations
        self.owners = [reference(*one.owner)]
        self.spec: Obj = template["spec"]
        # Those of one rollout were made at about the same time.
        self.stamp = timestamp(max(seconds(one.born), now - DAY * rng.uniform(0.1, 60)))
        self.up = _conditions(self.stamp, ready=True)
        self.off = _conditions(self.stamp, ready=False)
        self.on = self._statuses(ready=True)

    def _statuses(self, *, ready: bool) -> list[Obj]:
        return [
            {
                "name": container["name"],
                "image": container["image"],
                "ready": ready,
                "restartCount": 0,
                "state": {"running": {"startedAt": self.stamp}},
            }
            for container in self.spec["containers"]
        ]

    def crashed(self, pod: str, finished: str, count: int) -> list[Obj]:
        """Containers that wait for their next restart, the longest there is (LIF-04)."""
        return [
            {
                "name": entry["name"],
                "image": entry["image"],
                "ready": False,
                "restartCount": count,
                "state": {"waiting": {"reason": CRASH_LOOP, "message": message}},
                "lastState": {
                    "terminated": {"exitCode": 1, "reason": "Error", "finishedAt": finished, "message": message}
                },
            }
            for entry in self.on
            for message in (crash_message(300.0, str(entry["name"]), pod),)
        ]

    def unready(self) -> list[Obj]:
        """Containers whose readiness probe fails."""
        return self._statuses(ready=False)


def _conditions(stamp: str, *, ready: bool) -> list[Obj]:
    why = {} if ready else {"reason": "ContainersNotReady"}
    return [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp},
        {"type": "ContainersReady", "status": str(ready), **why, "lastTransitionTime": stamp},
        {"type": "Ready", "status": str(ready), **why, "lastTransitionTime": stamp},
    ]


def pods(one: App, places: list[Place], scheduler: Scheduler, now: float, rng: random.Random) -> Iterator[Obj]:
    """The pods of a workload; fills in ``one.pods`` and ``one.ready``."""
    shared = Shared(one, now, rng)
    one.pods = []
    one.ready = 0
    if one.kind == "DaemonSet":
        for place in places:
            place.load += 1
    homes = places if one.kind == "DaemonSet" else [None] * one.replicas
    taken: set[str] = set()
    waits: list[Obj] = []
    for index, home in enumerate(homes):
        name = f"{one.name}-{index}" if one.kind == "StatefulSet" else _name(one.owner[1], taken, rng)
        pod = _pod(one, shared, name, index)
        if one.fate == "unplaceable":
            waits = waits or scheduler.refuse(pod, shared.stamp)
            pod["status"] = {"phase": "Pending", "conditions": waits}
        else:
            _run(pod, one, shared, home or scheduler.place(), now, rng)
        one.pods.append(pod)
        yield pod


def _name(owner: str, taken: set[str], rng: random.Random) -> str:
    while True:
        name = f"{owner[:57]}-{''.join(rng.choices(ALPHABET, k=5))}"
        if name not in taken:
            taken.add(name)
            return name


def _pod(one: App, shared: Shared, name: str, index: int) -> Obj:
    labels, spec = shared.labels, {**shared.spec}
    if one.kind == "StatefulSet":
        number = {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(index)}
        labels = {**one.labels, **number, **shared.extra}
        spec |= {"hostname": name, "subdomain": one.name}
    metadata = {
        "name": name,
        "namespace": one.namespace,
        "labels": labels,
        "creationTimestamp": shared.stamp,
        "ownerReferences": shared.owners,
    }
    if shared.annotations:
        metadata["annotations"] = shared.annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}


def _run(pod: Obj, one: App, shared: Shared, place: Place, now: float, rng: random.Random) -> None:
    """Bind the pod and let it run as well as it does."""
    ip = place.address()
    pod["spec"]["nodeName"] = place.name
    status: dict[str, Any] = {
        "phase": "Running",
        "conditions": shared.up,
        "startTime": shared.stamp,
        "hostIP": place.ip,
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "containerStatuses": shared.on,
    }
    pod["status"] = status
    if one.kind == "Job":
        _finish(status, shared)
    elif place.down:
        status["conditions"] = [*shared.up[:2], {**shared.off[2], "reason": "NodeNotReady"}]
    elif one.fate == "crash":
        finished = timestamp(now - rng.uniform(5, 290))
        name = pod["metadata"]["name"]
        status["conditions"] = shared.off
        status["containerStatuses"] = shared.crashed(name, finished, rng.randrange(6, 90))
    elif one.kind == "Deployment" and one.replicas > 2 and rng.random() < NOT_READY:
        pod["metadata"]["annotations"] = {READY_ANNOTATION: "false"}
        status["conditions"], status["containerStatuses"] = shared.off, shared.unready()
    else:
        one.ready += 1


def _finish(status: Obj, shared: Shared) -> None:
    over = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": shared.stamp}}
    status["phase"] = "Succeeded"
    status["containerStatuses"] = [{**entry, "ready": False, "state": over} for entry in shared.on]
    status["conditions"] = [*shared.up[:2], {**shared.off[2], "reason": "PodCompleted"}]
