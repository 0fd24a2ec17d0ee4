"""GET objects/<id>/texts: what commands would print, of nodes, pods and Services."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster
from clusterviz.engine import Cluster as Engine
from clusterviz.engine.nodeview import Text
from clusterviz.live import texts

SHOP = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.41, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: web, image: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: texts, namespace: shop}
spec: {nodeName: n1, containers: [{name: web, image: web}]}
"""


@pytest.fixture
def shop(cluster: Cluster) -> Cluster:
    services.import_files(cluster, [("shop.yaml", SHOP)], actor="test")
    return cluster


def asked(client: Client, path: str) -> dict[str, dict[str, str]]:
    answer = client.get(f"/clusters/demo/objects/{path}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["texts"]
    assert all(set(one) == {"id", "title", "command", "text", "note"} for one in found)
    return {one["id"]: one for one in found}


def test_a_node(client: Client, shop: Cluster) -> None:
    """NET-09, IPT: rules, addresses, routes, neighbours, FDB."""
    found = asked(client, "node:n1/texts")
    assert set(found) == {"iptables", "addresses", "routes", "local", "neighbours", "fdb", "bridge"}
    assert found["iptables"]["text"].startswith("*filter\n")
    assert found["fdb"]["command"] == "bridge fdb show dev flannel.1"


def test_a_pod(client: Client, shop: Cluster) -> None:
    """DNS-11."""
    assert "nameserver 10.96.0.10" in asked(client, "pod:shop/web/texts")["resolv"]["text"]


def test_a_pod_that_is_called_texts(client: Client, shop: Cluster) -> None:
    """Its own panel is not taken for the texts of something else."""
    assert client.get("/clusters/demo/objects/pod:shop/texts").json()["id"] == "pod:shop/texts"
    assert "resolv" in asked(client, "pod:shop/texts/texts")


def test_a_service_and_the_node_whose_rules_are_asked(client: Client, shop: Cluster) -> None:
    """DNS-01, IPT-02: names alone, or with the rules of one node."""
    assert set(asked(client, "service:shop/web/texts")) == {"dns"}
    found = asked(client, "service:shop/web/texts?node=n1")
    assert set(found) == {"dns", "iptables"}
    assert "-d 10.96.0.41/32" in found["iptables"]["text"]
    assert "10.96.0.10" not in found["iptables"]["text"]
    assert found["iptables"]["text"].splitlines()[1].startswith("-A KUBE-SERVICES -d 10.96.0.41/32")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("node:n9/texts", 404, "node:n9"),
        ("pod:shop/nobody/texts", 404, "pod:shop/nobody"),
        ("internet/texts", 404, "internet"),
        ("flow:shop/any/texts", 404, "flow:shop/any"),
        ("service:shop/web/texts?node=n9", 400, "There is no node 'n9'."),
    ],
)
def test_what_has_no_texts_is_named(client: Client, shop: Cluster, path: str, status: int, said: str) -> None:
    answer = client.get(f"/clusters/demo/objects/{path}")
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_long_text_says_what_is_missing() -> None:
    """Nothing is cut silently: a whole line, how many there are, and the command that prints all."""
    text = Text(id="routes", title="Routes", command="ip route", text="".join(f"line {n}\n" for n in range(100_000)))
    lines = texts.shortened(text, "manage.py nodeview n1").text.splitlines()
    kept = len(lines) - 1
    assert lines[kept - 1] == f"line {kept - 1}"
    assert lines[-1] == f"# {kept:,} of 100,000 lines; all of them: python manage.py nodeview n1 --what routes"
    assert sum(map(len, lines)) < texts.LONGEST
    short = Text(id="x", title="X", command="x", text="one\n")
    assert texts.shortened(short, "") is short


def test_a_large_cluster_has_the_rules_of_a_service_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's text says so; the Service's own rules are there."""
    monkeypatch.setattr(texts, "MOST_SERVICES", 1)
    objects: list[dict[str, Any]] = [{"kind": "Node", "metadata": {"name": "n1"}}]
    for number in (1, 2):
        meta = {"name": f"s{number}", "namespace": "shop"}
        objects.append({"kind": "Service", "metadata": meta, "spec": {"clusterIP": f"10.96.0.4{number}"}})
        objects[-1]["spec"]["ports"] = [{"port": 80}]
    made = Engine.from_objects(objects)
    node = texts.texts_of(made, "node:n1", "")[0]
    assert "10.96.0.41" not in node["text"]
    assert "KUBE-SERVICES" in node["text"]
    assert "there are 2" in node["note"]
    rules = {one["id"]: one["text"] for one in texts.texts_of(made, "service:shop/s1", "n1")}
    assert "10.96.0.41" in rules["iptables"]
