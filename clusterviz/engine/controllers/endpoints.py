"""The EndpointSlice controller: who stands behind each Service (EPS-01, EPS-02, EPS-09)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from clusterviz.engine.addresses import family
from clusterviz.engine.controllers.board import (
    MANAGED_LABEL,
    MANAGER,
    SERVICE_LABEL,
    Board,
    Touch,
    is_managed,
    selector_of,
)
from clusterviz.engine.controllers.desk import Controller, Item
from clusterviz.engine.controllers.pods import ended, is_ready, terminating
from clusterviz.engine.controllers.work import Work, labels, meta, spec
from clusterviz.engine.fill import pod_addresses, safe_hash
from clusterviz.engine.objects import ZONE_LABEL, Key, Obj, key_of

MAX_ENDPOINTS = 100
Group = tuple[str, tuple[tuple[str, int, str, str], ...]]


def _one(work: Work, item: Item) -> None:
    """Write the slices of a Service with a selector; hand-written slices are left alone (SVC-12)."""
    service = work.find("Service", item)
    board, ours = work.board, dict.fromkeys(work.board.slices_of(*item))
    known = board.entries.pop(item, {})
    if service is not None and selector_of(service):
        entries = board.entries[item] = _entries(board, service, item, known)
        for wanted in _slices(service, entries.values()):
            key = key_of(wanted)
            ours.pop(key, None)
            old = work.get(key)
            if old is None or not is_managed(old) or _content(old) != _content(wanted):
                stamp = meta(old or {}).get("creationTimestamp") or work.stamp
                work.put({**wanted, "metadata": {**wanted["metadata"], "creationTimestamp": stamp}})
    for key in ours:
        work.remove(key)


class Entry(NamedTuple):
    """One pod behind a Service as it was last written down: what it was made of, and its places in the slices."""

    service: Obj
    pod: Obj
    zone: str
    places: tuple[tuple[Group, int, dict[str, Any]], ...]


def _entries(board: Board, service: Obj, item: Item, known: dict[Key, Entry]) -> dict[Key, Entry]:
    """An entry for each pod the Service selects; those of pods that are as they were are kept."""
    found: dict[Key, Entry] = {}
    for key in board.selection.members((item[0], item[1])):
        pod = board.get(key) or {}
        zone = _zone(board.node(str(spec(pod).get("nodeName") or "")))
        entry = known.get(key)
        if entry is None or entry.pod is not pod or entry.service is not service or entry.zone != zone:
            entry = _entry(service, pod, zone)
        found[key] = entry
    return found


def slices_of(service: Obj, pods: list[Obj], zones: dict[str, str]) -> list[Obj]:
    """The slices of a Service with these pods behind it; ``zones`` by node name."""
    return _slices(service, [_entry(service, pod, zones.get(str(spec(pod).get("nodeName") or ""), "")) for pod in pods])


def _zone(node: Obj | None) -> str:
    return labels(node).get(ZONE_LABEL, "") if node is not None else ""


def _touched(board: Board, touch: Touch) -> Iterator[Item]:
    kind, namespace, name = touch.key
    if kind == "Service":
        yield namespace, name
    elif kind == "EndpointSlice":
        for one in touch.sides:
            yield namespace, labels(one).get(SERVICE_LABEL, "")
            yield from ((namespace, str(owner.get("name"))) for owner in meta(one).get("ownerReferences") or ())
    elif kind == "Pod":
        for found in {tuple(sorted(labels(pod).items())) for pod in touch.sides}:
            yield from board.selection.services_of(namespace, dict(found))
    elif _zone(touch.old) != _zone(touch.new):
        for pod in board.pods_on(name):
            yield from board.selection.services_of(key_of(pod)[1], labels(pod))


def _content(one: Obj) -> tuple[Any, ...]:
    return one.get("addressType"), one.get("endpoints"), one.get("ports")


def _entry(service: Obj, pod: Obj, zone: str) -> Entry:
    """A pod's endpoints, by the slices they belong in and the number of their address."""
    if ended(pod):
        return Entry(service, pod, zone, ())
    families, ports = _families(service), _ports(service, pod)
    places = []
    for ip in pod_addresses(pod):
        version = family(ip)
        if not families or version in families:
            group = "IPv4" if version == 4 else "IPv6", ports
            places.append((group, int(ipaddress.ip_address(ip)), _endpoint(service, pod, ip, zone)))
    return Entry(service, pod, zone, tuple(places))


def _slices(service: Obj, entries: Iterable[Entry]) -> list[Obj]:
    groups: dict[Group, list[tuple[int, dict[str, Any]]]] = {}
    for entry in entries:
        for group, number, endpoint in entry.places:
            groups.setdefault(group, []).append((number, endpoint))
    if not groups:
        groups = {("IPv6" if _families(service) == {6} else "IPv4", ()): []}
    return [
        _slice(service, group, number, part)
        for group, endpoints in sorted(groups.items(), key=itemgetter(0))
        for number, part in enumerate(_parts(endpoints))
    ]


def _parts(found: list[tuple[int, dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    endpoints = [endpoint for _, endpoint in sorted(found, key=itemgetter(0))]
    return [endpoints[i : i + MAX_ENDPOINTS] for i in range(0, len(endpoints), MAX_ENDPOINTS)] or [[]]


def _families(service: Obj) -> set[int]:
    ips = spec(service).get("clusterIPs") or [spec(service).get("clusterIP")]
    return {family(str(ip)) for ip in ips if ip and ip != "None"}


def _ports(service: Obj, pod: Obj) -> tuple[tuple[str, int, str, str], ...]:
    """Port numbers behind this pod; a name the pod lacks gives no port (SVC-10)."""
    declared = {
        (str(port.get("name", "")), str(port.get("protocol") or "TCP")): int(port["containerPort"])
        for container in spec(pod).get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("containerPort")
    }
    found = []
    for port in spec(service).get("ports") or ():
        protocol = str(port.get("protocol") or "TCP")
        target = port.get("targetPort") or port.get("port")
        if isinstance(target, str) and not target.isdecimal():
            number = declared.get((target, protocol), 0)
        else:
            number = int(target)
        if number:
            found.append((str(port.get("name") or ""), number, protocol, str(port.get("appProtocol") or "")))
    return tuple(found)


def _endpoint(service: Obj, pod: Obj, ip: str, zone: str) -> dict[str, Any]:
    _, namespace, name = key_of(pod)
    anyway = bool(spec(service).get("publishNotReadyAddresses"))
    serving, leaving = is_ready(pod), terminating(pod)
    node = str(spec(pod).get("nodeName") or "")
    entry: dict[str, Any] = {
        "addresses": [ip],
        "conditions": {
            "ready": anyway or (serving and not leaving),
            "serving": serving,
            "terminating": leaving,
        },
        "targetRef": {"kind": "Pod", "namespace": namespace, "name": name},
    }
    if node:
        entry["nodeName"] = node
    if zone:
        entry["zone"] = zone
    if spec(pod).get("hostname") and spec(pod).get("subdomain") == meta(service)["name"]:
        entry["hostname"] = spec(pod)["hostname"]
    return entry


def _slice(service: Obj, group: Group, number: int, endpoints: list[dict[str, Any]]) -> Obj:
    kind, ports = group
    _, namespace, name = key_of(service)
    suffix = safe_hash(f"{namespace}/{name}/{kind}/{ports}/{number}", 5)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name[:57]}-{suffix}",
            "namespace": namespace,
            "labels": {SERVICE_LABEL: name, MANAGED_LABEL: MANAGER},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": name, "controller": True}],
        },
        "addressType": kind,
        "endpoints": endpoints,
        "ports": [
            {"name": port, "port": target, "protocol": protocol, **({"appProtocol": app} if app else {})}
            for port, target, protocol, app in ports
        ],
    }


ENDPOINT_SLICES = Controller("endpoint slices", frozenset({"Service", "EndpointSlice", "Pod", "Node"}), _one, _touched)
