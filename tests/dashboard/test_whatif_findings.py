"""The page of findings: each leads to its object, says its rules and its cure, and answers questions people ask."""

import re
from html import escape
from typing import Any

import pytest
from django.test import Client

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster
from clusterviz.dashboard.whatif.findings import QUESTIONS
from clusterviz.engine.lint import CODES

LONELY = """
apiVersion: v1
kind: Service
metadata: {name: lonely, namespace: default}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: idle, namespace: default}
spec: {podSelector: {matchLabels: {app: nobody}}, ingress: [{}]}
"""


def shown(client: Client, path: str) -> str:
    answer: Any = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_finding_leads_to_its_object_with_rule_and_cure(client: Client, empty: Cluster) -> None:
    services.import_files(empty, [("lonely.yaml", LONELY)], actor="test")
    page = shown(client, "/clusters/fresh/findings/")
    assert 'href="/clusters/fresh/#select=service:default/lonely"' in page
    assert "No pod with an address matches app=nobody (EPS-01)." in page
    assert "<code>EPS-01</code> A pod is an endpoint when" in page
    assert escape(CODES["no-endpoints"].fix) in page


def test_a_question_shows_its_findings_alone(client: Client, empty: Cluster) -> None:
    services.import_files(empty, [("lonely.yaml", LONELY)], actor="test")
    page = shown(client, "/clusters/fresh/findings/?question=no-backend")
    assert 'data-code="no-endpoints"' in page
    assert 'data-code="selects-nothing"' not in page
    assert 'data-code="selects-nothing"' in shown(client, "/clusters/fresh/findings/?question=idle-rules")


def test_questions_are_answered_by_findings_there_are() -> None:
    assert {code for _, codes in QUESTIONS.values() for code in codes} <= CODES.keys()


def test_a_cluster_that_is_not_there_has_no_findings(client: Client, db: None) -> None:
    assert client.get("/clusters/nowhere/findings/").status_code == 404


def test_names_on_the_page_are_text(client: Client, empty: Cluster) -> None:
    page = shown(client, "/clusters/fresh/findings/?question=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page


def test_admin_sums_the_findings_up_and_leads_there(admin_client: Client, empty: Cluster) -> None:
    services.import_files(empty, [("lonely.yaml", LONELY)], actor="test")
    page = shown(admin_client, f"/admin/cluster/cluster/{empty.pk}/change/")
    counts = re.search(r'<a href="/clusters/fresh/findings/">(\d+) errors?, (\d+) warnings?, \d+ notes?</a>', page)
    assert counts is not None
    assert (int(counts[1]), int(counts[2])) == (0, 2)
    assert 'href="/clusters/fresh/findings/"' in shown(admin_client, "/admin/cluster/cluster/")


def test_a_large_cluster_is_not_looked_through_for_a_page(
    client: Client, living: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterviz.dashboard.whatif.findings.WHILE_WAITING", 3)
    answer = client.get("/clusters/demo/findings/")
    assert answer.status_code == 422
    assert "ask manage.py lintnet --cluster demo" in answer.content.decode()
