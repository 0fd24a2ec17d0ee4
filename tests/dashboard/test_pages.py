"""The pages: who sees what, and that nothing a person typed is ever executed."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster
from tests.dashboard.conftest import PASSWORD


def test_the_list_shows_every_cluster_with_its_counts(client: Client, cluster: Cluster) -> None:
    page = client.get("/").content.decode()
    assert 'data-testid="cluster-demo"' in page
    assert f"<dd>{cluster.node_set.count()}</dd>" in page
    assert f"<dd>{cluster.pod_set.count()}</dd>" in page


def test_an_empty_list_says_so(client: Client, db: None) -> None:
    assert "There is no cluster yet" in client.get("/").content.decode()


def test_only_editors_are_offered_the_form_for_a_new_cluster(editor: Client, reader: Client) -> None:
    assert 'data-testid="create-cluster"' in editor.get("/").content.decode()
    assert 'data-testid="create-cluster"' not in reader.get("/").content.decode()
    assert reader.post("/", {"name": "mine"}).status_code == 403
    assert not Cluster.objects.filter(name="mine").exists()


def test_an_editor_creates_a_cluster(editor: Client) -> None:
    answer = editor.post("/", {"name": "mine", "title": "My own"})
    assert answer["Location"] == "/clusters/mine/"
    assert Cluster.objects.get(name="mine").title == "My own"


@pytest.mark.parametrize("name", ["", "Upper", "a b", "<script>", "x" * 64, "-a", "demo"])
def test_a_bad_or_taken_name_is_refused_in_words(editor: Client, cluster: Cluster, name: str) -> None:
    answer = editor.post("/", {"name": name})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert Cluster.objects.count() == 1


def test_the_dashboard_of_an_unknown_cluster_is_a_friendly_404(client: Client, db: None) -> None:
    answer = client.get("/clusters/nowhere/")
    assert answer.status_code == 404
    assert 'data-testid="error-page"' in answer.content.decode()


def test_the_dashboard_says_who_may_edit(client: Client, editor: Client, cluster: Cluster) -> None:
    assert 'data-editor="no"' in client.get("/clusters/demo/").content.decode()
    assert 'data-editor="yes"' in editor.get("/clusters/demo/").content.decode()


def test_a_title_with_a_script_is_text(client: Client, db: None) -> None:
    services.create_cluster("evil", title="<script>alert(1)</script>", actor="test")
    for path in ("/", "/clusters/evil/"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_no_page_has_inline_script_or_style(client: Client, cluster: Cluster) -> None:
    for path in ("/", "/clusters/demo/", "/login/"):
        answer = client.get(path)
        page = answer.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert page.count("<script") == page.count("<script src=") + page.count(
            '<script type="module" src='
        ) + page.count('<script type="importmap" nonce="')
        assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/login/", "/nowhere/"])
def test_every_page_made_of_text_has_its_style(client: Client, cluster: Cluster, path: str) -> None:
    assert re.search(r'<link rel="stylesheet" href="/static/css/pages\.[\w.]*css">', client.get(path).content.decode())


def test_sign_in_goes_back_to_where_one_was_and_nowhere_else(client: Client, db: None) -> None:
    get_user_model().objects.create_user("carol", password=PASSWORD)
    who = {"username": "carol", "password": PASSWORD}
    assert client.post("/login/", {**who, "next": "/clusters/demo/"})["Location"] == "/clusters/demo/"
    client.logout()
    assert client.post("/login/", {**who, "next": "https://elsewhere.example/"})["Location"] == "/"


def test_a_wrong_password_is_told_without_saying_which_half_was_wrong(client: Client, db: None) -> None:
    answer = client.post("/login/", {"username": "nobody", "password": "x"})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()


def test_sign_out_needs_post(reader: Client) -> None:
    assert reader.get("/logout/").status_code == 405
    assert reader.post("/logout/")["Location"] == "/"


def test_health(client: Client, db: None) -> None:
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").content == b"ok\n"


def test_an_unknown_page_is_a_friendly_404(client: Client, db: None) -> None:
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "There is no page or cluster" in answer.content.decode()


def test_a_form_without_its_token_is_refused_kindly(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "out of date" in answer.content.decode()
