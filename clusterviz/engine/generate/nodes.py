"""Nodes in zones, each with its address and its block of pod addresses; the namespaces every cluster has."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from clusterviz.engine.addresses import network
from clusterviz.engine.controllers.nodes import UNREACHABLE, with_size
from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.generate.size import Plan, Size
from clusterviz.engine.objects import DOWN_ANNOTATION, ZONE_LABEL, Obj
from clusterviz.engine.settings import Settings

FIRST_HOST = 11
SYSTEM_SPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
EDGE_SPACE = "ingress-nginx"
HOUR = 3600.0


class Place:
    """A node as far as pods are placed on it; ``weight`` skews how many it gets."""

    __slots__ = ("block", "down", "ip", "load", "name", "next", "weight", "zone")

    def __init__(self, name: str, ip: str, block: IPv4Network, zone: str, *, weight: float, down: bool) -> None:
        self.name, self.ip, self.zone, self.weight, self.down = name, ip, zone, weight, down
        self.block = int(block.network_address)
        self.load, self.next = 0, 2

    def address(self) -> str:
        """The next free pod address of the node's block (IPM-02)."""
        number = self.block + self.next
        self.next += 1
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def places(size: Size, plan: Plan, settings: Settings, rng: random.Random) -> list[Place]:
    """Every node; zones differ in size, the nodes that are down are spread over them."""
    hosts, pods = network(settings.node_cidr), network(settings.cluster_cidr)
    assert isinstance(hosts, IPv4Network)
    assert isinstance(pods, IPv4Network)
    width = len(str(size.nodes))
    down = set(rng.sample(range(size.nodes), plan.down))
    zones = [f"zone-{chr(ord('a') + index)}" for index in range(plan.zones)]
    shares = [1.0 + 0.5 * (index % 3) for index in range(plan.zones)]
    names = [*zones, *rng.choices(zones, shares, k=size.nodes)][: size.nodes]
    step = 1 << (32 - settings.node_mask)
    return [
        Place(
            f"node-{index + 1:0{width}}",
            str(hosts[FIRST_HOST + index]),
            IPv4Network((int(pods.network_address) + index * step, settings.node_mask)),
            names[index],
            weight=rng.uniform(0.6, 1.0),
            down=index in down,
        )
        for index in range(size.nodes)
    ]


def nodes(found: list[Place], plan: Plan, settings: Settings, rng: random.Random, now: float) -> Iterator[Obj]:
    """The Node objects."""
    healthy = [place.name for place in found if not place.down]
    cordoned = set(rng.sample(healthy, min(plan.cordoned, max(0, len(healthy) - 1))))
    for place in found:
        born = timestamp(now - 24 * HOUR * rng.uniform(30, 120))
        yield _node(place, settings.node_mask, born, now, cordoned=place.name in cordoned)


def _node(place: Place, mask: int, born: str, now: float, *, cordoned: bool) -> Obj:
    number = place.block
    block = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/{mask}"
    labels = {"kubernetes.io/hostname": place.name, "kubernetes.io/os": "linux", ZONE_LABEL: place.zone}
    spec: Obj = {"podCIDR": block, "podCIDRs": [block]}
    metadata: Obj = {"name": place.name, "labels": labels, "creationTimestamp": born}
    ready: Obj = {
        "type": "Ready", "status": "True", "reason": "KubeletReady",
        "message": "kubelet is posting ready status", "lastTransitionTime": born,
    }  # fmt: skip
    if cordoned:
        spec["unschedulable"] = True
    if place.down:
        silent, lost = timestamp(now - 2 * HOUR), timestamp(now - 1.9 * HOUR)
        metadata["annotations"] = {DOWN_ANNOTATION: "true"}
        spec["taints"] = [
            {"key": UNREACHABLE, "effect": effect, "timeAdded": lost} for effect in ("NoSchedule", "NoExecute")
        ]
        ready = {
            "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.", "lastTransitionTime": lost, "lastHeartbeatTime": silent,
        }  # fmt: skip
    addresses = [{"type": "InternalIP", "address": place.ip}, {"type": "Hostname", "address": place.name}]
    status = {"addresses": addresses, "conditions": [ready]}
    return with_size({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": status})


def namespaces(names: list[str], now: float, rng: random.Random) -> Iterator[Obj]:
    """Namespaces labelled with their name and, those of people, with a team."""
    for name in names:
        labels: dict[str, Any] = {"kubernetes.io/metadata.name": name}
        if name not in SYSTEM_SPACES:
            labels["team"] = name
        born = timestamp(now - 24 * HOUR * rng.uniform(120, 400))
        metadata = {"name": name, "labels": labels, "creationTimestamp": born}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
