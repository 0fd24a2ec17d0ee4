"""The EndpointSlice controller: who stands behind each Service (EPS-01, EPS-02, EPS-09)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

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
from clusterviz.engine.objects import ZONE_LABEL, Obj, key_of

MAX_ENDPOINTS = 100
Group = tuple[str, tuple[tuple[str, int, str, str], ...]]


def _one(work: Work, item: Item) -> None:
    """Write the slices of a Service with a selector; hand-written slices are left alone (SVC-12)."""
    service = work.find("Service", item)
    ours = dict.fromkeys(work.board.slices_of(*item))
    if service is not None and selector_of(service):
        pods = [pod for pod in _selected(work.board, item) if not ended(pod) and pod_addresses(pod)]
        zones = {node: _zone(work.board.node(node)) for pod in pods if (node := str(spec(pod).get("nodeName") or ""))}
        for wanted in slices_of(service, pods, zones):
            key = key_of(wanted)
            ours.pop(key, None)
            old = work.get(key)
            if old is None or not is_managed(old) or _content(old) != _content(wanted):
                stamp = meta(old or {}).get("creationTimestamp") or work.stamp
                work.put({**wanted, "metadata": {**wanted["metadata"], "creationTimestamp": stamp}})
    for key in ours:
        work.remove(key)


def _selected(board: Board, service: Item) -> list[Obj]:
    found = (board.get(key) for key in board.selection.members((service[0], service[1])))
    return [pod for pod in found if pod is not None]


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


def slices_of(service: Obj, pods: list[Obj], zones: dict[str, str]) -> list[Obj]:
    """The slices of a Service with these pods behind it; ``zones`` by node name."""
    groups: dict[Group, list[dict[str, Any]]] = {}
    families = _families(service)
    for pod in pods:
        ports = _ports(service, pod)
        for ip in pod_addresses(pod):
            if not families or family(ip) in families:
                kind = "IPv4" if family(ip) == 4 else "IPv6"
                groups.setdefault((kind, ports), []).append(_endpoint(service, pod, ip, zones))
    if not groups:
        groups = {("IPv6" if families == {6} else "IPv4", ()): []}
    return [
        _slice(service, group, number, part)
        for group, endpoints in sorted(groups.items())
        for number, part in enumerate(_parts(endpoints))
    ]


def _parts(endpoints: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    endpoints.sort(key=lambda entry: int(ipaddress.ip_address(entry["addresses"][0])))
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


def _endpoint(service: Obj, pod: Obj, ip: str, zones: dict[str, str]) -> dict[str, Any]:
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
    if zones.get(node):
        entry["zone"] = zones[node]
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
