"""Pods -> their records. A large cluster is mostly pods, and most of them have nothing out of the ordinary."""

from __future__ import annotations

from typing import Any

import msgspec

from clusterviz.engine.addresses import plain_address
from clusterviz.engine.objects import LISTEN_ANNOTATION, Container, Key, Obj, Pod
from clusterviz.engine.parse_fields import Interned, address, condition, labels
from clusterviz.engine.shapes import ContainerShape, ContainerStatus, PodShape, PodSpec, PodStatus, read

_NONE: dict[str, str] = {}
_UNOWNED = ("", "")
# Fields few pods have.
RARE = ("host_network", "hostname", "subdomain", "dns_policy", "searches", "ndots", "listen")
_PLAIN = Pod(name="")
_OCTETS = frozenset(map(str, range(256)))


class Sibling:
    """A pod that was read, and what the next one of its workload is compared with: equal parts are not read again."""

    __slots__ = (
        *("annotations", "conditions", "deleted", "labels", "owners", "phase", "plain", "pod", "reason", "read"),
        *("size", "spec", "statuses"),
    )

    def __init__(self, obj: Obj, pod: Pod) -> None:
        meta, spec, status = obj["metadata"], obj["spec"], obj["status"]
        self.pod, self.plain = pod, all(getattr(pod, name) == getattr(_PLAIN, name) for name in RARE)
        self.labels, self.annotations = meta.get("labels"), meta.get("annotations")
        self.owners, self.deleted = meta["ownerReferences"], meta.get("deletionTimestamp")
        self.size, self.spec = len(spec), [(name, value) for name, value in spec.items() if name != "nodeName"]
        self.phase, self.reason = status.get("phase"), status.get("reason")
        self.conditions, self.statuses = status.get("conditions"), status.get("containerStatuses")
        self.read = _conditions(status), _statuses(status)

    def again(self, obj: Obj, key: Key, interned: Interned) -> Pod | None:
        """The record of another pod, when it differs in nothing but name, node, address and age."""
        meta, spec, status = obj["metadata"], obj["spec"], obj["status"]
        created, node, ip = meta.get("creationTimestamp", ""), spec["nodeName"], status["podIP"]
        if (
            meta["ownerReferences"] != self.owners
            or meta.get("labels") != self.labels
            or meta.get("annotations") != self.annotations
            or meta.get("deletionTimestamp") != self.deleted
            or status.get("phase") != self.phase
            or status.get("reason") != self.reason
            or status.get("podIPs") not in (None, [{"ip": ip}])
            or len(spec) != self.size
            or not (type(created) is type(node) is type(ip) is str and _canonical(ip, interned))
        ):
            return None
        for name, value in self.spec:
            if spec.get(name) != value:
                return None
        if status.get("conditions") != self.conditions and _conditions(status) != self.read[0]:
            return None
        if status.get("containerStatuses") != self.statuses and _statuses(status) != self.read[1]:
            return None
        pod = self.pod
        found = Pod(
            namespace=key[1],
            name=key[2],
            labels=pod.labels,
            annotations=pod.annotations,
            created=created,
            node=node,
            ips=(ip,),
            phase=pod.phase,
            ready=pod.ready,
            terminating=pod.terminating,
            containers=pod.containers,
            owner=pod.owner,
            reason=pod.reason,
            restarts=pod.restarts,
        )
        return found if self.plain else msgspec.structs.replace(found, **{name: getattr(pod, name) for name in RARE})


def _canonical(ip: str, interned: Interned) -> bool:
    """Whether the kernel prints the address as it stands; others of its /24 were mostly looked at before."""
    block, _, last = ip.rpartition(".")
    if not ip:
        return False
    if block in interned and last in _OCTETS:
        return True
    if plain_address(ip) != ip:
        return False
    if block:
        interned[block] = block
    return True


def _conditions(status: Obj) -> list[tuple[Any, Any]]:
    """What is read of conditions; the times in them differ."""
    return [(entry.get("type"), entry.get("status")) for entry in status.get("conditions") or ()]


def _statuses(status: Obj) -> list[tuple[Any, ...]]:
    """What is read of containerStatuses; times and ids in them differ."""
    found = []
    for entry in status.get("containerStatuses") or ():
        state = entry.get("state")
        halted = state and (state.get("waiting"), state.get("terminated"))
        found.append((entry.get("name"), entry.get("ready"), entry.get("restartCount"), halted))
    return found


def parse_pod(obj: Obj, key: Key, interned: Interned) -> Pod:
    """The record of a Pod. Raises `ObjectError` with the field path."""
    try:
        family = "siblings", key[1], obj["metadata"]["ownerReferences"][0]["name"]
        sibling: Sibling | None = interned.get(family)
        found = sibling.again(obj, key, interned) if sibling is not None else None
        if found is not None:
            return found
    except (AttributeError, IndexError, KeyError, TypeError):  # it has no owner, or a part of it is no object
        return read_pod(obj, key, interned)
    found = read_pod(obj, key, interned)
    if type(obj.get("spec")) is type(obj.get("status")) is dict:
        interned[family] = Sibling(obj, found)
    return found


def read_pod(obj: Obj, key: Key, interned: Interned) -> Pod:
    """The record of a Pod, by itself. Raises `ObjectError` with the field path."""
    shape = read(obj, PodShape, key)
    meta, spec, status = shape.metadata, shape.spec, shape.status
    listen, phase = meta.annotations.get(LISTEN_ANNOTATION), status.phase or ("Running" if status.pod_ip else "Pending")
    owners, dns, containers = meta.owner_references, spec.dns_config, _containers(spec, status, phase)
    owner = (owners[0].kind, owners[0].name) if owners else _UNOWNED
    return Pod(
        namespace=key[1],
        name=key[2],
        labels=labels(meta, interned),
        annotations=meta.annotations or _NONE,
        created=meta.creation_timestamp,
        node=spec.node_name,
        ips=_pod_ips(status, key),
        phase=phase,
        ready=phase == "Running" and condition(status.conditions, "Ready") in ("", "True"),
        terminating=meta.deletion_timestamp != "",
        host_network=spec.host_network,
        containers=interned.setdefault(containers, containers) if containers else (),
        owner=interned.setdefault(owner, owner),
        hostname=spec.hostname,
        subdomain=spec.subdomain,
        dns_policy=spec.dns_policy,
        searches=dns.searches,
        ndots=_ndots(spec) if dns.options else None,
        listen=None if listen is None else tuple([part.strip() for part in listen.split(",") if part.strip()]),
        reason=status.reason or _waiting(status),
        restarts=sum([entry.restart_count for entry in status.container_statuses]),
    )


def _ndots(spec: PodSpec) -> int | None:
    """The option of this name; the value is a string in the API."""
    for option in spec.dns_config.options:
        if option.name == "ndots" and option.value.isdecimal():
            return min(int(option.value), 15)  # what glibc allows
    return None


def _pod_ips(status: PodStatus, key: Key) -> tuple[str, ...]:
    one = address(status.pod_ip, "status.podIP", key)
    many = [address(entry.ip, f"status.podIPs[{index}].ip", key) for index, entry in enumerate(status.pod_ips)]
    return tuple([ip for ip in many if ip]) or ((one,) if one else ())


def _waiting(status: PodStatus) -> str:
    """Why the first container that waits does: what kubectl shows as STATUS (LIF-04)."""
    for entry in status.container_statuses:
        if entry.state is not None and entry.state.waiting is not None and entry.state.waiting.reason:
            return entry.state.waiting.reason
    return ""


def _containers(spec: PodSpec, status: PodStatus, phase: str) -> tuple[Container, ...]:
    """Sidecars first; of a running pod a container that waits or has ended does not run (LIF-04)."""
    found = spec.containers
    if spec.init_containers:
        found = (*[one for one in spec.init_containers if one.restart_policy == "Always"], *found)
    known = {entry.name: entry for entry in status.container_statuses}
    return tuple([_container(one, known.get(one.name), phase) for one in found])


def _container(one: ContainerShape, status: ContainerStatus | None, phase: str) -> Container:
    if status is None:
        return Container(one.name, one.image, one.ports)
    state = status.state
    halted = state is not None and (state.waiting is not None or state.terminated is not None)
    return Container(one.name, one.image, one.ports, status.ready, not (halted and phase == "Running"))
