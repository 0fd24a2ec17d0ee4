"""Settings over HTTP: everybody reads them, editors change them, nothing half-way."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from clusterviz.cluster.models import Cluster
from tests.dashboard.conftest import post

PATH = "/clusters/demo/settings"


def by_name(body: Any) -> dict[str, Any]:
    return {one["name"]: one for one in body["settings"]}


def test_everybody_reads_settings_with_their_meaning(client: Client, cluster: Cluster) -> None:
    """Value, default, meaning, rules, choices and origin of each."""
    body = client.get(PATH).json()
    mode = by_name(body)["proxy_mode"]
    assert body["editor"] is False
    assert mode["value"] == mode["default"] == "iptables" and mode["choices"] == ["iptables", "nftables", "ipvs"]
    assert mode["origin"] == "default" and "PX-11" in mode["rules"] and mode["label"] == "Proxy mode"
    assert by_name(body)["mtu"]["least"] == 576


def test_an_editor_changes_settings(editor: Client, cluster: Cluster) -> None:
    """Stored with who set it; null is the default again; a change of nothing says so."""
    answer = post(editor, PATH, {"changes": {"proxy_mode": "nftables", "dns_upstream": ["9.9.9.9"], "mtu": 1500}})
    assert answer.status_code == 200 and answer.json()["changed"] == ["proxy_mode", "dns_upstream"]
    assert answer.json()["message"] == "Changed: Proxy mode, DNS upstream."
    cluster.refresh_from_db()
    assert cluster.settings == {"proxy_mode": "nftables", "dns_upstream": ["9.9.9.9"]}
    assert by_name(editor.get(PATH).json())["proxy_mode"]["origin"] == "set by alice"
    answer = post(editor, PATH, {"changes": {"proxy_mode": None}})
    assert answer.json()["changed"] == ["proxy_mode"]
    assert post(editor, PATH, {"changes": {"proxy_mode": "iptables"}}).json()["message"] == "Nothing changed."
    cluster.refresh_from_db()
    assert cluster.settings == {"dns_upstream": ["9.9.9.9"]} and list(cluster.origins) == ["dns_upstream"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"changes": {"proxy_mode": "ebpf"}}, "proxy_mode", "supported values"),
        ({"changes": {"mtu": 10, "hairpin": False}}, "mtu", "between 576 and 65535"),
        ({"changes": {"service_cidr": "10.0.0.0/24", "dns_ip": "10.0.0.10"}}, "service_cidr", "which is outside"),
        ({"changes": {"cluster_cidr": "10.0.0.0/24"}}, "cluster_cidr", "which is outside"),
        ({"changes": {"nope": 1}}, "", "unknown field 'nope'"),
        ({"changes": {"nope": None}}, "", "unknown field 'nope'"),
        ({"changes": []}, "", "Needed"),
        ({"change": {}}, "", "Needed"),
        ("[", "", "not JSON"),
    ],
)
def test_what_cannot_be_changes_nothing(editor: Client, cluster: Cluster, body: Any, field: str, message: str) -> None:
    """422 with the field and what is allowed; no setting of the request is taken."""
    answer = post(editor, PATH, body)
    assert answer.status_code == 422
    problems = answer.json()["problems"]
    assert field in {one["field"] for one in problems} and any(message in one["message"] for one in problems)
    cluster.refresh_from_db()
    assert cluster.settings == {}


def test_only_editors_change_settings(client: Client, reader: Client, cluster: Cluster) -> None:
    """403 for visitors and readers; 405 for other methods; 404 for a cluster that is not there; 413 for too much."""
    for who in (client, reader):
        assert post(who, PATH, {"changes": {"hairpin": False}}).status_code == 403
    assert client.delete(PATH).status_code == 405
    assert client.get("/clusters/none/settings").status_code == 404
    cluster.refresh_from_db()
    assert cluster.settings == {}


def test_too_large_and_forged_requests_are_refused(editor: Client, cluster: Cluster) -> None:
    """413 in JSON; 403 without a token."""
    answer = post(editor, PATH, {"changes": {"client_ip": "1" * 20_000}})
    assert answer.status_code == 413 and answer.json() == {"error": "That is too much: at most 16 KiB at once."}
    editor.handler.enforce_csrf_checks = True
    answer = post(editor, PATH, {"changes": {"hairpin": False}})
    assert answer.status_code == 403 and "error" in answer.json()


def test_hostile_text_is_refused_as_text(editor: Client, cluster: Cluster) -> None:
    """What is no name is refused, and told in JSON, never as markup."""
    answer = post(editor, PATH, {"changes": {"ingress_controller": "<script>alert(1)</script>"}})
    assert answer.status_code == 422 and answer["Content-Type"] == "application/json"
