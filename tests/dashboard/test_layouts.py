"""Where a person put things: kept per person, cluster and view, and nothing else is taken."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster, Layout
from clusterviz.dashboard.layouts import LIMIT

PLACES = {"workload:Deployment/shop/api": [120, -40], "node:n1": [2]}


def put(client: Client, view: str, body: Any, name: str = "demo") -> Any:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.put(f"/clusters/{name}/layouts/{view}", text, content_type="application/json")


def kept(client: Client, name: str = "demo") -> Any:
    return client.get(f"/clusters/{name}/layouts").json()


def test_everybody_keeps_an_arrangement_of_their_own(cluster: Cluster, reader: Client, editor: Client) -> None:
    """No right is needed but to be signed in; other people, clusters and views have theirs."""
    services.create_cluster("other", nodes=1, actor="test")
    assert put(reader, "services", {"places": PLACES}).status_code == 200
    assert put(reader, "services", {"places": {"node:n1": [1]}}).status_code == 200
    assert put(reader, "nodes", {"places": PLACES}).status_code == 200
    assert kept(reader) == {"person": "bob", "layouts": {"services": {"node:n1": [1]}, "nodes": PLACES}}
    assert kept(editor) == {"person": "alice", "layouts": {}}
    assert kept(reader, "other")["layouts"] == {}
    assert kept(Client()) == {"person": "", "layouts": {}}
    assert reader.delete("/clusters/demo/layouts/services").status_code == 200
    assert kept(reader)["layouts"] == {"nodes": PLACES}
    cluster.delete()
    assert not Layout.objects.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[]", "must be a JSON object"),
        ("{", "not JSON"),
        ({}, 'Needed: {"places"'),
        ({"places": PLACES, "user": "alice"}, 'Needed: {"places"'),
        ({"places": []}, "places: must be an object"),
        ({"places": {"a": 3}}, "places['a']: must be one or two whole numbers"),
        ({"places": {"a": [1, 2, 3]}}, "one or two whole numbers"),
        ({"places": {"a": [True]}}, "one or two whole numbers"),
        ({"places": {"a": [1.5]}}, "one or two whole numbers"),
        ({"places": {"a": [10**7]}}, "from -1000000 to 1000000"),
        ({"places": {"a" * 601: [1]}}, "1 to 600 characters"),
        ({"places": {str(i): [i] for i in range(2001)}}, "at most 2000"),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_only_places_are_taken(reader: Client, body: Any, words: str) -> None:
    answer = put(reader, "nodes", body)
    assert (answer.status_code, words in answer.json()["error"]) == (422, True), answer.json()
    assert not Layout.objects.exists()


@pytest.mark.usefixtures("cluster")
def test_who_may_not_and_what_is_not(reader: Client) -> None:
    """Strangers, forged requests, unknown views and clusters, other methods, too much."""
    assert put(Client(), "nodes", {"places": PLACES}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(username="bob"))
    forged = put(strict, "nodes", {"places": PLACES})
    assert (forged.status_code, "reload" in forged.json()["error"]) == (403, True)
    unknown = put(reader, "matrix", {"places": PLACES})
    assert (unknown.status_code, unknown.json()["allowed"]) == (404, "nodes, services, namespaces")
    assert put(reader, "nodes", {"places": PLACES}, "nowhere").status_code == 404
    assert reader.get("/clusters/demo/layouts/nodes").status_code == 405
    assert reader.post("/clusters/demo/layouts").status_code == 405
    large = put(reader, "nodes", json.dumps({"places": {"x": "y" * LIMIT}}))
    assert (large.status_code, "256 KiB" in large.json()["error"]) == (413, True)
    assert not Layout.objects.exists()


def test_the_admin_shows_arrangements_and_changes_none(cluster: Cluster, reader: Client, admin_client: Client) -> None:
    put(reader, "services", {"places": PLACES})
    row = Layout.objects.get()
    assert b"services" in admin_client.get("/admin/cluster/layout/").content
    page = admin_client.get(f"/admin/cluster/layout/{row.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert admin_client.get("/admin/cluster/layout/add/").status_code == 403
    assert cluster.name in str(row)
