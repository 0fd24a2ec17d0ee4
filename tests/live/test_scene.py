"""The picture: entities as documented, kept up to date piece by piece."""

import re

import pytest

from clusterviz.engine import Change, Cluster
from clusterviz.live import scene
from clusterviz.live.ends import target_of
from clusterviz.live.simulator import Simulator
from tests.engine.gateway_world import gateway, listener, path, route, rule
from tests.live.conftest import SHOP, flow, service, workload

NOW = 1_700_000_000.0
INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {
        "ingressClassName": "nginx",
        "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}},
        "rules": [
            {
                "host": "shop.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/api",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "api", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ],
    },
}
GATEWAY = gateway("shop/gw", listener(), listener("tls", "shop.example.com", 443, "HTTPS"))
TURN = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
ROUTE = route(
    "shop/web",
    rule("web", {"name": "api", "port": 80, "weight": 3}, matches=[path("/a"), path("/b")]),
    rule(filters=[TURN]),
    parents=[{"name": "gw", "sectionName": "http"}],
    hosts=["gate.example.com"],
)
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "guard", "namespace": "shop"},
    "spec": {"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Ingress", "Egress"]},
}
NODES = [
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{i}", "labels": {"topology.kubernetes.io/zone": "a"}}}
    for i in (1, 2)
]
OUT = flow("out", {"kind": "Deployment", "name": "web"}, "203.0.113.80", 443)
IN = flow("in", {"kind": "External"}, "shop.example.com", 80)


@pytest.fixture
def cluster():
    simulator = Simulator("shop", [*NODES, *SHOP, INGRESS, GATEWAY, ROUTE, POLICY, OUT, IN], now=NOW)
    simulator.step(NOW + 10, connections=False)
    return simulator.cluster


@pytest.fixture
def documented(repository):
    """Fields of each kind in docs/protocol.md, nested names left out."""
    text = (repository / "docs" / "protocol.md").read_text()
    table = text[text.index("## Entities") : text.index("## HTTP")]
    found = {}
    for line in table.splitlines():
        if match := re.match(r"\| `(\w+)` \|(.*)\|$", line):
            flat = re.sub(r"`(\w+):[^`]*`", r"`\1`", match[2])
            flat = re.sub(r"\([^)]*\)", "", flat)
            found[match[1]] = set(re.findall(r"`(\w+)`", flat))
    return found


def test_every_kind_has_exactly_the_documented_fields(cluster, documented):
    built = scene.build(cluster)
    common = {"id", "kind", "name", "created", "labels"}
    seen = set()
    for entity in built.values():
        kind = entity["kind"]
        seen.add(kind)
        fields = set(entity) - common - {"namespace"}
        wanted = documented[kind] - {"id", "internet", "external"}
        assert fields == wanted, kind
        assert common <= set(entity)
    assert seen == set(documented)


def test_ids_are_those_of_the_architecture(cluster):
    for ref, entity in scene.build(cluster).items():
        assert entity["id"] == ref
        assert ref == "internet" or ref.startswith(f"{entity['kind']}:")


def test_pods_know_their_policies_and_services_their_endpoints(cluster):
    built = scene.build(cluster)
    api = [e for e in built.values() if e["kind"] == "pod" and e["labels"]["app"] == "api"]
    web = [e for e in built.values() if e["kind"] == "pod" and e["labels"]["app"] == "web"]
    assert all(pod["isolated"] == {"ingress": True, "egress": True} for pod in api)
    assert not any(pod["isolated"]["ingress"] or pod["isolated"]["egress"] for pod in web)
    assert built["policy:shop/guard"]["selects"] == sorted(pod["id"] for pod in api)
    endpoints = built["service:shop/api"]["endpoints"]
    assert {(e["ip"], e["pod"], e["node"], e["port"]) for e in endpoints} == {
        (pod["ip"], pod["id"], pod["node"], 8080) for pod in api
    }


def test_rules_of_a_gateway_are_those_of_its_routes(cluster):
    """GW-01, GW-09: the picture follows the routes, which are not drawn themselves."""
    drawn = scene.build(cluster)["gateway:shop/gw"]
    assert [one["port"] for one in drawn["listeners"]] == [80, 443]
    assert [(one["path"], one["service"], one["share"], one["redirect"]) for one in drawn["rules"]] == [
        ("/a", "service:shop/web", 0.25, ""),
        ("/a", "service:shop/api", 0.75, ""),
        ("/b", "service:shop/web", 0.25, ""),
        ("/b", "service:shop/api", 0.75, ""),
        ("/", "", 1.0, "302 to https://same host"),
    ]
    assert target_of(cluster, "gate.example.com", "shop") == "gateway:shop/gw"
    gone = cluster.apply([Change("unset", ("HTTPRoute", "shop", "web"))])
    after = scene.update(scene.build(cluster), gone, [("HTTPRoute", "shop", "web")])
    assert after["gateway:shop/gw"]["rules"] == [] and after == scene.build(gone)


def test_ingress_rules_end_with_the_default_backend(cluster):
    rules = scene.build(cluster)["ingress:shop/front"]["rules"]
    assert [(r["host"], r["path"], r["service"]) for r in rules] == [
        ("shop.example.com", "/api", "service:shop/api"),
        ("", "/", "service:shop/web"),
    ]


@pytest.mark.parametrize(
    ("host", "end"),
    [
        ("api", "service:shop/api"),
        ("api.shop", "service:shop/api"),
        ("api.shop.svc", "service:shop/api"),
        ("api.shop.svc.cluster.local.", "service:shop/api"),
        ("shop.example.com", "ingress:shop/front"),
        ("203.0.113.5", "external:203.0.113.5"),
        ("198.51.100.20", "service:shop/web"),
        ("api.other", ""),
        ("", ""),
    ],
)
def test_hosts_lead_to_things_in_the_picture(cluster, host, end):
    assert target_of(cluster, host, "shop") == end


def test_a_change_redraws_only_what_depends_on_it(cluster):
    before = scene.build(cluster)
    pod = next(key for key in cluster.objects if key[0] == "Pod" and "web" in key[2])
    obj = cluster.objects[pod]
    after = cluster.apply([Change("set", {**obj, "metadata": {**obj["metadata"], "labels": {"app": "stray"}}})])
    updated = scene.update(before, after, {pod})
    assert updated == scene.build(after)
    changed, gone = scene.difference(before, updated)
    assert gone == []
    assert f"pod:shop/{pod[2]}" in {entity["id"] for entity in changed}
    same = next(ref for ref in before if ref.startswith("pod:shop/api"))
    assert updated[same] is before[same] or updated[same] == before[same]


def test_hidden_replicasets_of_a_deployment_are_not_drawn():
    owned = {**workload("web-5d9f"), "kind": "ReplicaSet"}
    owned["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "web", "controller": True}]
    cluster = Cluster.from_objects([*NODES, workload("web"), service("web"), owned], expand=False)
    assert [ref for ref in scene.build(cluster) if ref.startswith("workload:")] == ["workload:Deployment/shop/web"]


def test_the_outside_is_called_what_its_flow_calls_it() -> None:
    def flow(name: str, origin: dict[str, str], host: str, label: str = "") -> dict[str, object]:
        notes = {"annotations": {"clusterviz.dev/label": label}} if label else {}
        spec = {"from": origin, "to": {"host": host, "port": 443}, "requestsPerSecond": 1}
        return {"kind": "TrafficFlow", "metadata": {"name": name, "namespace": "shop", **notes}, "spec": spec}

    inside = {"kind": "Pod", "name": "api", "namespace": "shop"}
    cluster = Cluster.from_objects(
        [
            flow("a", inside, "203.0.113.80", "payments.example"),
            flow("b", {"kind": "External", "name": "operators", "ip": "203.0.113.90"}, "192.168.0.12"),
            flow("c", inside, "198.51.100.99"),
        ]
    )
    labels = {ref: entity["label"] for ref, entity in scene.build(cluster).items() if ref.startswith("external:")}
    assert labels == {
        "external:203.0.113.80": "payments.example",
        "external:203.0.113.90": "operators",
        "external:198.51.100.99": "198.51.100.99",
    }
