"""kube-proxy's table of endpoint categories, and the hints of traffic distribution, asked of `ask.service`."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import ask
from tests.conformance.objects import CLIENT, NODE, NODE_IP, POD, SETTINGS, endpoint, node, service, slices

ZONE = "topology.kubernetes.io/zone"
VIP = "172.30.0.41"


def hinted(last: int, zones: str = "", state: str = "rs", *, here: bool = False, nodes: str = "") -> dict[str, Any]:
    """Endpoint 10.1.2.``last``; ``zones`` and ``nodes`` are what it is hinted for, one word each."""
    hints = {
        **({"forZones": [{"name": one} for one in zones.split()]} if zones else {}),
        **({"forNodes": [{"name": one} for one in nodes.split()]} if nodes else {}),
    }
    return endpoint(f"10.1.2.{last}", NODE if here else "remote", state, **({"hints": hints} if hints else {}))


def categories(
    found: list[dict[str, Any]], zone: str | None, internal: str, external: str, port: int, mode: str
) -> tuple[str, str]:
    """Last numbers of the endpoints a pod gets through the ClusterIP, and an outsider through the node port."""
    labels = {} if zone is None else {ZONE: zone}
    spec: dict[str, Any] = {"internalTrafficPolicy": internal, "externalTrafficPolicy": external, "type": "NodePort"}
    ports = {"name": "p80", "port": 80, **({"nodePort": port} if port else {})}
    objects = [node(NODE, NODE_IP, **labels), service("ns1/svc1", VIP, ports, **spec), slices("ns1/svc1", *found)]
    world = ask.world(objects, {**SETTINGS, "proxy_mode": mode})
    asked = [(POD, VIP, 80), *([(CLIENT, NODE_IP, port)] if port else [])]
    told = []
    for source, target, number in asked:
        answer = ask.service(world, source=source, destination=target, port=number, node=NODE)
        lasts = "".join(sorted(one.address.rpartition(".")[2] for one in answer.targets))
        told.append(lasts or answer.effect)
    return told[0], told[-1] if port else ""


AB_CA = [hinted(3, "zone-a"), hinted(4, "zone-b"), hinted(5, "zone-c"), hinted(6, "zone-a")]
NEAR = [hinted(3, "zone-a", here=True), hinted(4, "zone-b", here=True), hinted(5, "zone-c"), hinted(6, "zone-a")]
FOUR = [hinted(0, "zone-a", here=True), hinted(1, "zone-b", here=True), hinted(2, "zone-a"), hinted(3, "zone-b")]
MANY = [hinted(3, "zone-a zone-b zone-c"), hinted(4, "zone-b zone-c"), hinted(5, "zone-b zone-d"), hinted(6, "zone-c")]
FAR, BOTH_HERE = [hinted(0), hinted(1)], [hinted(0, here=True), hinted(1, here=True)]
ONE_HERE = [hinted(0, here=True), hinted(1)]
ENDING = [hinted(0, state="st"), hinted(1, state="st")]
ENDING_HERE = [hinted(0, state="st", here=True), hinted(1, state="st")]
MIXED = [hinted(0), hinted(1, state="-", here=True), hinted(2, state="st", here=True), hinted(3, state="st")]
TABLE = [
    ("hints", AB_CA, "zone-a", "Cluster", "Cluster", 0, "36", ""),
    ("eTP Local", NEAR, "zone-a", "Cluster", "Local", 8080, "36", "34"),
    ("iTP Local", NEAR, "zone-a", "Local", "Cluster", 8080, "34", "36"),
    ("no labels", [hinted(3, "zone-a")], None, "Cluster", "Cluster", 0, "3", ""),
    ("empty zone", [hinted(3, "zone-a")], "", "Cluster", "Cluster", 0, "3", ""),
    ("other zone", [hinted(3, "zone-a")], "zone-b", "Cluster", "Cluster", 0, "3", ""),
    ("unready", [*AB_CA[:3], hinted(6, "zone-a", "-")], "zone-a", "Cluster", "Cluster", 0, "3", ""),
    (
        "only unready near",
        [hinted(3, "zone-a", "-"), *AB_CA[1:3], hinted(6, "zone-a", "-")],
        "zone-a",
        "Cluster",
        "Cluster",
        0,
        "45",
        "",
    ),
    ("a hint lacks", [*AB_CA[:2], hinted(5), AB_CA[3]], "zone-a", "Cluster", "Cluster", 0, "3456", ""),
    ("several zones", MANY, "zone-c", "Cluster", "Cluster", 0, "346", ""),
    ("hints and places", FOUR, "zone-a", "Cluster", "Local", 8080, "02", "01"),
    ("iTP Local, nobody", [], None, "Local", "Cluster", 0, "reject", ""),
    ("iTP Local, all far", FAR, None, "Local", "Cluster", 0, "drop", ""),
    ("iTP Local, all here", BOTH_HERE, None, "Local", "Cluster", 0, "01", ""),
    ("iTP Local, one here", ONE_HERE, None, "Local", "Cluster", 0, "0", ""),
    ("none ready", [hinted(0, state="-"), hinted(1, state="-")], None, "Cluster", "Cluster", 0, "reject", ""),
    ("one ready", [hinted(0, state="-"), hinted(1)], None, "Cluster", "Cluster", 0, "1", ""),
    ("all terminating", ENDING_HERE, None, "Cluster", "Cluster", 0, "01", ""),
    ("iTP Local eTP Cluster", ONE_HERE, None, "Local", "Cluster", 8080, "0", "01"),
    ("iTP Cluster eTP Local", ONE_HERE, None, "Cluster", "Local", 8080, "01", "0"),
    ("both Local", ONE_HERE, None, "Local", "Local", 8080, "0", "0"),
    ("both Local, all far", FAR, None, "Local", "Local", 8080, "drop", "drop"),
    ("both Local, ending far", ENDING, None, "Local", "Local", 8080, "drop", "drop"),
    ("eTP Local, some ending", MIXED, None, "Cluster", "Local", 8080, "0", "2"),
    ("eTP Local, inside only", ONE_HERE, None, "Cluster", "Local", 0, "01", ""),
    (
        "terminating is not filtered",
        [hinted(3, "zone-a", "st"), hinted(4, "zone-b", "st")],
        "zone-a",
        "Cluster",
        "Cluster",
        0,
        "34",
        "",
    ),
    ("node hints", [hinted(3, "z", nodes=NODE), hinted(4, "z", nodes="far")], "z", "Cluster", "Cluster", 0, "3", ""),
    (
        "node hints for others",
        [hinted(3, "z", nodes="x"), hinted(4, "y", nodes="far")],
        "z",
        "Cluster",
        "Cluster",
        0,
        "3",
        "",
    ),
    ("a node hint lacks", [hinted(3, "z", nodes=NODE), hinted(4, "z")], "z", "Cluster", "Cluster", 0, "34", ""),
]


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(
    ("found", "zone", "internal", "external", "port", "inside", "outside"),
    [one[1:] for one in TABLE],
    ids=[one[0] for one in TABLE],
)
def test_categories(found, zone, internal, external, port, inside, outside, mode):
    """EPS-05 to EPS-08, TD-03, TD-04."""
    assert categories(found, zone, internal, external, port, mode) == (inside, outside)


def placed(index: int, at: str, *, ready: bool = True) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": f"p{index}", "namespace": "ns1", "labels": {"app": "web"}},
        "spec": {"nodeName": at, "containers": [{"name": "c"}]},
        "status": {
            "podIP": f"10.1.2.{index}",
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


NODES = {"a1": "zone-a", "a2": "zone-a", "b1": "zone-b"}
PODS = [placed(1, "a1"), placed(2, "a2"), placed(3, "b1")]
DISTRIBUTED = [
    (None, PODS, {"a1": "123", "b1": "123"}),
    ("PreferClose", PODS, {"a1": "12", "a2": "12", "b1": "3"}),
    ("PreferSameZone", PODS, {"a1": "12", "b1": "3"}),
    ("PreferSameNode", PODS, {"a1": "1", "a2": "2", "b1": "3"}),
    ("PreferSameNode", PODS[1:], {"a1": "2", "a2": "2", "b1": "3"}),
    ("PreferClose", PODS[:2], {"b1": "12"}),
    ("PreferClose", [placed(1, "a1", ready=False), *PODS[1:]], {"a1": "2", "b1": "3"}),
    ("PreferClose", [*PODS, placed(4, "no-zone")], {"a1": "1234", "b1": "1234"}),
]


@pytest.mark.parametrize(("wish", "pods", "expected"), DISTRIBUTED)
def test_traffic_distribution(wish, pods, expected):
    """TD-01, TD-02, TD-05: hints follow from the pods' nodes, slices are not written by hand."""
    machines = [node(name, f"192.168.0.{index}", **{ZONE: zone}) for index, (name, zone) in enumerate(NODES.items(), 5)]
    spec = {"selector": {"app": "web"}, **({"trafficDistribution": wish} if wish else {})}
    objects = [*machines, node("no-zone", "192.168.0.9"), service("ns1/svc1", VIP, {"port": 80}, **spec), *pods]
    world = ask.world(objects, SETTINGS)
    for at, lasts in expected.items():
        answer = ask.service(world, source=POD, destination=VIP, port=80, node=at)
        assert "".join(sorted(one.address[-1] for one in answer.targets)) == lasts
