"""Forks: made, changed, compared with their original, kept or dropped; the original stays as it is."""

import re
from html import unescape

import pytest
from django.test import Client

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.services import forking
from clusterviz.cluster.settling import settle
from clusterviz.engine.objects import key_of

DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: cart}}, policyTypes: [Ingress]}
"""


def test_a_fork_is_changed_and_compared_and_its_original_is_not(editor: Client, living: Cluster) -> None:
    before = {key_of(obj): obj for obj in snapshot.load_objects(living)}
    answer = editor.post("/clusters/demo/forks/", {"name": "tried"})
    assert answer["Location"] == "/clusters/tried/"
    fork = Cluster.objects.get(name="tried")
    assert (fork.forked_from, fork.forked_by, fork.seed) == (living, "alice", living.seed)
    assert {key_of(obj): obj for obj in snapshot.load_objects(fork)} == before
    services.import_files(fork, [("deny.yaml", DENY)], actor="alice")
    assert settle("tried")
    page = editor.get("/clusters/tried/compare/").content.decode()
    assert "added NetworkPolicy shop/deny" in page
    assert "now denied_ingress by policy:shop/deny" in page
    look = re.search(r'href="(traces/\?[^"]*service=shop%2Fcart[^"]*)"', page)
    assert look is not None
    both = editor.get("/clusters/tried/compare/" + unescape(look[1])).content.decode()
    assert both.count('data-testid="compare-side"') == 2
    assert both.count('data-differs="yes"') == 2
    assert {key_of(obj): obj for obj in snapshot.load_objects(living)} == before


def test_forks_are_kept_or_dropped_by_one_click(editor: Client, reader: Client, empty: Cluster) -> None:
    for _ in range(2):
        editor.post("/clusters/fresh/forks/")
    assert {one.name for one in empty.forks.all()} == {"fresh-fork-1", "fresh-fork-2"}
    assert reader.post("/clusters/fresh-fork-1/forks/drop/").status_code == 403
    assert editor.post("/clusters/fresh-fork-1/forks/drop/")["Location"] == "/clusters/fresh/forks/"
    assert editor.post("/clusters/fresh-fork-2/forks/keep/")["Location"] == "/clusters/fresh-fork-2/"
    assert [one.name for one in Cluster.objects.filter(forked_at=None)] == ["fresh", "fresh-fork-2"]
    # what is no fork is not dropped by this door
    assert editor.post("/clusters/fresh/forks/drop/").status_code == 404


def test_who_may_fork_and_how_often(
    editor: Client, reader: Client, empty: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reader.post("/clusters/fresh/forks/").status_code == 403
    monkeypatch.setattr(forking, "MOST_FORKS", 1)
    editor.post("/clusters/fresh/forks/")
    answer = editor.post("/clusters/fresh/forks/")
    assert answer.status_code == 422
    assert "alice has 1 forks, and at most 1 may be" in answer.content.decode()
    monkeypatch.setattr(forking, "MOST_OBJECTS", 3)
    assert "are too many for a fork: at most 3" in editor.post("/clusters/fresh/forks/").content.decode()
    assert editor.post("/clusters/fresh/forks/", {"name": "Not a name"}).status_code == 422
    assert editor.post("/clusters/fresh/forks/?at=5").status_code == 404
