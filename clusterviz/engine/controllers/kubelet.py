"""Kubelets: a pod's life on its node (LIF-01, LIF-02), and readiness (EPS-03).

Pending -> an address from the node's pod CIDR -> Running -> Ready; asked to go -> gone after grace.
Crashes are in `restarts`, hanging processes in `probes`, the end of a Job's pod in `jobs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusterviz.engine.addresses import allocate_pod_ip, family, in_cidr, sortable
from clusterviz.engine.controllers import probes
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.jobs import completes
from clusterviz.engine.controllers.pods import GRACE, ended, terminating
from clusterviz.engine.controllers.restarts import restarts, tell_start
from clusterviz.engine.controllers.work import (
    Work,
    annotation,
    condition,
    meta,
    owner_of,
    seconds,
    set_condition,
    spec,
    status,
    timestamp,
    with_meta,
    with_status,
)
from clusterviz.engine.errors import AddressError
from clusterviz.engine.fill import pod_addresses
from clusterviz.engine.objects import DOWN_ANNOTATION, Obj, key_of

READY_ANNOTATION = "clusterviz.dev/ready"


def _one(work: Work, item: Item) -> None:
    """The kubelet of a pod's node looks after it, if it is alive."""
    pod = work.find("Pod", item)
    if pod is None:
        return
    name = str(spec(pod).get("nodeName") or "")
    if not name or ended(pod):
        if terminating(pod):
            work.remove(key_of(pod))
        return
    node = work.board.node(name)
    if node is None:
        _orphan(work, pod, name)
    elif annotation(node, DOWN_ANNOTATION) != "true":
        _look_after(work, pod, node)


def _touched(board: Board, touch: Touch) -> Iterator[Item]:
    if touch.key[0] == "Node":
        yield from (key[1:] for key in board.keys_on(touch.key[2]))
        return
    yield touch.key[1:]
    if touch.old is not None and (freed := _held(touch.old)) and (touch.new is None or _held(touch.new) != freed):
        # Somebody on the node may wait for an address.
        for pod in board.pods_on(freed[0]):
            if status(pod).get("phase") == "Pending":
                yield key_of(pod)[1:]


def _held(pod: Obj) -> tuple[str, ...]:
    """A pod's node and the addresses it keeps from others."""
    ips = () if ended(pod) else pod_addresses(pod)
    return (str(spec(pod).get("nodeName") or ""), *ips) if ips else ()


def _orphan(work: Work, pod: Obj, name: str) -> None:
    if meta(pod).get("finalizers") and terminating(pod):
        return
    work.event(pod, "PodGC", f"node {name} does not exist any more: pod is deleted")
    work.remove(key_of(pod))


def _look_after(work: Work, pod: Obj, node: Obj) -> None:
    if terminating(pod):
        _terminate(work, pod)
    elif status(pod).get("phase") != "Running" or not pod_addresses(pod):
        _start(work, pod, node)
    elif not restarts(work, pod) and not (owner_of(pod)[0] == "Job" and completes(work, pod)):
        _readiness(work, probes.note(work, pod))


def _terminate(work: Work, pod: Obj) -> None:
    """SIGTERM at first sight, gone at the (shortened) end of the grace period."""
    cap = work.timing.grace_cap
    given = meta(pod).get("deletionGracePeriodSeconds")
    if given is None or float(given) > cap:
        asked = given if given is not None else spec(pod).get("terminationGracePeriodSeconds", GRACE)
        grace = min(float(GRACE if asked is None else asked), cap)
        ends = timestamp(work.now + grace)
        pod = with_meta(pod, deletionTimestamp=ends, deletionGracePeriodSeconds=int(grace))
        work.put(pod)
        for container in spec(pod).get("containers") or ():
            work.event(pod, "Killing", f"Stopping container {container.get('name', '')}")
    if work.due(seconds(str(meta(pod)["deletionTimestamp"]))):
        if meta(pod).get("finalizers"):
            work.put(_over(work, pod))
        else:
            work.remove(key_of(pod))


def _over(work: Work, pod: Obj) -> Obj:
    """A pod whose containers have ended and which somebody still wants to see."""
    ended_ = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": work.stamp}}
    statuses = [{**one, "ready": False, "state": ended_} for one in status(pod).get("containerStatuses") or ()]
    pod = with_status(pod, phase="Succeeded", containerStatuses=statuses)
    return set_condition(pod, "Ready", "False", work.stamp, reason="PodCompleted")


def _start(work: Work, pod: Obj, node: Obj) -> None:
    started = seconds(str(status(pod).get("startTime") or ""))
    if not started:
        pod = set_condition(pod, "PodScheduled", "True", work.stamp)
        work.put(with_status(pod, phase="Pending", startTime=work.stamp, hostIP=_node_ip(node)))
        work.wake(seconds(work.stamp) + work.timing.start)
        return
    if not work.due(started + work.timing.start):
        return
    try:
        ips = _addresses(work, pod, node)
    except AddressError as error:
        if status(pod).get("reason") != "ContainerCreating":
            work.put(with_status(pod, reason="ContainerCreating", message=str(error)))
            reason = "FailedCreatePodSandBox" if _has_network(node) else "NetworkNotReady"
            work.event(pod, reason, str(error), warning=True)
        work.wake(work.now + work.timing.retry)
        return
    _run(work, pod, ips)


def _addresses(work: Work, pod: Obj, node: Obj) -> list[str]:
    if spec(pod).get("hostNetwork"):
        return [_node_ip(node)]
    if not _has_network(node):
        raise AddressError("network is not ready: container runtime network not ready: NetworkReady=false")
    if (given := pod_addresses(pod)) and all(work.board.pod_ips[ip] == 1 for ip in given):
        return given
    cidrs = spec(node).get("podCIDRs") or [spec(node).get("podCIDR")]
    if not cidrs or not cidrs[0]:
        raise AddressError(f"node {meta(node)['name']} has no pod CIDR")
    ips = []
    for cidr in cidrs:
        ip = allocate_pod_ip(str(cidr), work.board.pod_ips, _last(work, node, str(cidr)))
        work.last_ip[str(cidr)] = ip
        ips.append(ip)
    return ips


def _last(work: Work, node: Obj, cidr: str) -> str:
    """The address last given out of a block; of one that is new the highest in use (IPM-02)."""
    if cidr not in work.last_ip:
        pods = [pod for pod in work.board.pods_on(str(meta(node)["name"])) if not spec(pod).get("hostNetwork")]
        used = [ip for pod in pods for ip in pod_addresses(pod) if in_cidr(ip, cidr)]
        work.last_ip[cidr] = max(used, key=sortable, default="")
    return work.last_ip[cidr]


def _has_network(node: Obj) -> bool:
    """NET-14: the network plugin has said nothing to the contrary."""
    return condition(node, "NetworkUnavailable").get("status") != "True"


def _run(work: Work, pod: Obj, ips: list[str]) -> None:
    running = {"running": {"startedAt": work.stamp}}
    containers = [
        {
            "name": container.get("name", ""),
            "image": container.get("image", ""),
            "ready": False,
            "restartCount": 0,
            "state": running,
        }
        for container in spec(pod).get("containers") or ()
    ]
    ips = sorted(ips, key=family)
    status_ = {k: v for k, v in status(pod).items() if k not in ("reason", "message")}
    pod = {
        **pod,
        "status": {
            **status_,
            "phase": "Running",
            "podIP": ips[0],
            "podIPs": [{"ip": ip} for ip in ips],
            "containerStatuses": containers,
        },
    }
    work.put(set_condition(pod, "Ready", "False", work.stamp, reason="ContainersNotReady"))
    for container in spec(pod).get("containers") or ():
        tell_start(work, pod, container)
    work.wake(seconds(work.stamp) + work.timing.ready)


def _readiness(work: Work, pod: Obj) -> None:
    by_hand = annotation(pod, READY_ANNOTATION) == "false"
    wanted = not by_hand and not probes.fails(work, pod)
    now = condition(pod, "Ready").get("status", "")
    if wanted and now != "True":
        started = [
            seconds(str(((entry.get("state") or {}).get("running") or {}).get("startedAt") or ""))
            for entry in status(pod).get("containerStatuses") or ()
        ]
        if not now or work.due(max(started, default=0.0) + work.timing.ready):
            work.put(_with_readiness(work, pod, ready=True))
    elif not wanted and now != "False":
        work.put(_with_readiness(work, pod, ready=False))
        why = "marked not ready by hand" if by_hand else "context deadline exceeded"
        work.event(pod, "Unhealthy", f"Readiness probe failed: {why}", warning=True)


def _with_readiness(work: Work, pod: Obj, *, ready: bool) -> Obj:
    statuses: list[dict[str, Any]] = [{**entry, "ready": ready} for entry in status(pod).get("containerStatuses") or ()]
    if statuses:
        pod = with_status(pod, containerStatuses=statuses)
    reason = "" if ready else "ContainersNotReady"
    pod = set_condition(pod, "ContainersReady", str(ready), work.stamp, reason=reason)
    return set_condition(pod, "Ready", str(ready), work.stamp, reason=reason)


def _node_ip(node: Obj) -> str:
    for entry in status(node).get("addresses") or ():
        if entry.get("type") == "InternalIP":
            return str(entry["address"])
    raise AddressError(f"node {meta(node)['name']} has no InternalIP")


KUBELETS = Controller("kubelets", frozenset({"Node", "Pod"}), _one, _touched)
