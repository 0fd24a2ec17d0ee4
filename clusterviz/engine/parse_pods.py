"""Pods -> their records. A large cluster is mostly pods, and most of them have nothing out of the ordinary."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from clusterviz.engine.addresses import plain_address
from clusterviz.engine.objects import LISTEN_ANNOTATION, Container, Key, Obj, Pod
from clusterviz.engine.parse_fields import Interned, address, condition, labels
from clusterviz.engine.shapes import (
    ContainerShape,
    ContainerStatus,
    ListedPod,
    Meta,
    PodShape,
    PodSpec,
    PodStatus,
    read,
)

_NONE: dict[str, str] = {}
_UNOWNED = ("", "")
# The place of the pod that was read last.
_LAST = "last"
_OCTETS = frozenset(map(str, range(256)))


class Sibling(NamedTuple):
    """A pod that was read: what was read of the parts that pods of one workload have alike, and what came of it.

    ``listed`` are the same parts with labels, annotations and owners as they stand in the object; None where those
    were forgiven something. They are texts alone, so whatever is equal to them would be read as the same.
    """

    parts: tuple[Any, ...]
    pod: Pod
    listed: tuple[Any, ...] | None = None


def _parts(shape: PodShape | ListedPod) -> tuple[Any, ...]:
    """Everything that is read but name, node, addresses and age; those that differ most often come first."""
    meta, spec, status = shape.metadata, shape.spec, shape.status
    return (
        status.conditions,
        meta.owner_references,
        meta.labels,
        status.container_statuses,
        status.phase,
        meta.deletion_timestamp,
        meta.annotations,
        spec.containers,
        spec.init_containers,
        spec.hostname,
        spec.host_network,
        spec.subdomain,
        spec.dns_policy,
        spec.dns_config,
        status.reason,
    )


def listed_pod(obj: Any) -> ListedPod | None:
    """The shape of a well-formed Pod that has a name, None for anything else: it is read with more care."""
    if not isinstance(obj, dict) or obj.get("kind") != "Pod":
        return None
    try:
        shape = msgspec.convert(obj, ListedPod)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
    return shape if shape.metadata.name else None


def parse_pod(obj: Obj, key: Key, interned: Interned) -> Pod:
    """The record of a Pod, sharing with the last of its workload what they have alike. Raises `ObjectError`."""
    return _record(read(obj, PodShape, key), key, interned, None)


def record_of(shape: ListedPod, obj: Obj, key: Key, interned: Interned) -> Pod:
    """The record of a Pod of a list. Lists mostly name the pods of a workload one after the other."""
    sibling: Sibling | None = interned.get(_LAST)
    listed = _parts(shape)
    if sibling is not None and sibling.listed == listed and _alone(shape.status, interned):
        return _like(sibling, shape, key)
    try:
        meta = msgspec.convert(obj.get("metadata", {}), Meta)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return parse_pod(obj, key, interned)
    return _record(PodShape(meta, shape.spec, shape.status), key, interned, listed)


def _record(shape: PodShape, key: Key, interned: Interned, listed: tuple[Any, ...] | None) -> Pod:
    """The record of a Pod that was read, like that of the last of its workload if it can be."""
    parts, workload = _parts(shape), (key[1], shape.metadata.owner_references)
    sibling: Sibling | None = interned.get(workload)
    if sibling is None or sibling.parts != parts or not _alone(shape.status, interned):
        sibling = Sibling(parts, _read(shape, key, interned), listed)
        interned[workload] = interned[_LAST] = sibling
        return sibling.pod
    interned[_LAST] = sibling if listed is None else sibling._replace(listed=listed)
    return _like(sibling, shape, key)


def _like(sibling: Sibling, shape: PodShape | ListedPod, key: Key) -> Pod:
    """The record of a pod that differs from its sibling in nothing but this."""
    return msgspec.structs.replace(
        sibling.pod,
        namespace=key[1],
        name=key[2],
        created=shape.metadata.creation_timestamp,
        node=shape.spec.node_name,
        ips=(shape.status.pod_ip,),
    )


def _alone(status: PodStatus, interned: Interned) -> bool:
    """Whether a pod has one address, as the kernel prints it; others of its /24 were mostly looked at before."""
    ip, many = status.pod_ip, status.pod_ips
    if many and (many[0].ip != ip or len(many) > 1):
        return False
    block, _, last = ip.rpartition(".")
    if block in interned and last in _OCTETS:
        return True
    if not ip or plain_address(ip) != ip:
        return False
    if block:
        interned[block] = block
    return True


def read_pod(obj: Obj, key: Key) -> Pod:
    """The record of a Pod, by itself. Raises `ObjectError` with the field path."""
    return _read(read(obj, PodShape, key), key, None)


def _read(shape: PodShape, key: Key, interned: Interned | None) -> Pod:
    meta, spec, status = shape.metadata, shape.spec, shape.status
    listen, phase = meta.annotations.get(LISTEN_ANNOTATION), status.phase or ("Running" if status.pod_ip else "Pending")
    owners, dns, containers = meta.owner_references, spec.dns_config, _containers(spec, status, phase)
    owner = (owners[0].kind, owners[0].name) if owners else _UNOWNED
    if interned is not None:
        owner, containers = interned.setdefault(owner, owner), interned.setdefault(containers, containers)
    return Pod(
        namespace=key[1],
        name=key[2],
        labels=meta.labels if interned is None else labels(meta, interned),
        annotations=meta.annotations or _NONE,
        created=meta.creation_timestamp,
        node=spec.node_name,
        ips=_pod_ips(status, key),
        phase=phase,
        ready=phase == "Running" and condition(status.conditions, "Ready") in ("", "True"),
        terminating=meta.deletion_timestamp != "",
        host_network=spec.host_network,
        containers=containers,
        owner=owner,
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
    if one and (not status.pod_ips or (len(status.pod_ips) == 1 and status.pod_ips[0].ip == one)):
        return (one,)
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
