"""The page of who reaches whom: the table, its questions, and the trace behind a cell."""

import re
from html import unescape
from urllib.parse import unquote

import pytest
from django.test import Client

from clusterviz.cluster.models import Cluster


def test_a_table_whose_cells_lead_to_traces(client: Client, living: Cluster) -> None:
    page = client.get("/clusters/demo/reach/?namespace=shop").content.decode()
    assert "What can the Internet reach?" in page
    assert page.count('data-testid="reach-cell"') > 20
    cell = re.search(r'href="(trace/\?from=shop%2Ffrontend&amp;[^"]*service=shop%2Fcart)"', page)
    assert cell is not None
    leads = client.get("/clusters/demo/reach/" + unescape(cell[1]))["Location"]
    assert leads.startswith("/clusters/demo/#trace=pod:shop/frontend-")
    assert "|service:shop/cart:" in unquote(leads)
    spaces = client.get("/clusters/demo/reach/?by=namespace&namespace=shop&order=reached").content.decode()
    assert 'data-fate="in part"' in spaces


def test_what_is_not_there_is_said(client: Client, empty: Cluster) -> None:
    answer = client.get("/clusters/fresh/reach/?to=%3Cscript%3E")
    assert answer.status_code == 422
    assert "to: there is no &#x27;&lt;script&gt;&#x27; in this cluster" in answer.content.decode()
    assert client.get("/clusters/fresh/reach/trace/?from=a&to=b&service=c").status_code == 404


def test_large_clusters_are_left_to_commands(client: Client, living: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusterviz.dashboard.whatif.shared.MOST_PODS", 3)
    for path, command in (("reach/", "reachnet --cluster demo"), ("compare/", "diffnet demo demo")):
        answer = client.get(f"/clusters/demo/{path}")
        assert (answer.status_code, f"ask manage.py {command}" in answer.content.decode()) == (422, True)
