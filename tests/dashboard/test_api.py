"""The HTTP paths of docs/protocol.md: right answers, and wrong questions answered in words."""

import json
import logging
import re
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from clusterviz.cluster.models import Cluster, Deployment, Pod
from clusterviz.live import questions
from tests.dashboard.conftest import post

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
"""
PATHS = ("snapshot", "trace?from=internet&to=10.96.0.1:443", "objects/node:n1", "export")


def error_of(answer: Any) -> str:
    """The sentence of an error, which is never a traceback."""
    assert answer["Content-Type"].startswith("application/json")
    text = str(json.loads(answer.content)["error"])
    assert text and "Traceback" not in text
    return text


@pytest.mark.parametrize("path", PATHS)
def test_everybody_may_look(client: Client, cluster: Cluster, path: str) -> None:
    assert client.get(f"/clusters/demo/{path}").status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_cluster_is_named(client: Client, db: None, path: str) -> None:
    answer = client.get(f"/clusters/nowhere/{path}")
    assert answer.status_code == 404
    assert "nowhere" in error_of(answer)


def test_the_snapshot_has_what_the_protocol_promises(client: Client, cluster: Cluster) -> None:
    body = client.get("/clusters/demo/snapshot").json()
    told = {"protocol", "form", "cluster", "epoch", "seq", "time", "settings", "entities", "routes", "events"}
    assert set(body) == told
    ids = [entity["id"] for entity in body["entities"]]
    assert len(ids) == len(set(ids))
    assert {"node:n1", "internet"} <= set(ids)


def test_an_unchanged_snapshot_is_not_sent_again(client: Client, cluster: Cluster, monkeypatch: Any) -> None:
    monkeypatch.setattr("clusterviz.live.questions.time.time", lambda: 1.0)
    etag = client.get("/clusters/demo/snapshot")["ETag"]
    again = client.get("/clusters/demo/snapshot", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_trace_answers_with_words_for_every_step(client: Client, living: Cluster) -> None:
    body = client.get("/clusters/demo/trace", {"from": "shop/frontend", "to": "http://api.shop/", "seed": "3"}).json()
    steps = [step for hop in body["forward"] for step in hop["steps"]]
    assert steps and all(step["explain"]["novice"] and step["explain"]["operator"] for step in steps)
    assert body["summary"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "to"),
        ({"from": "shop/frontend"}, "to"),
        ({"from": "a/b/c/d", "to": "x:1"}, "from"),
        ({"from": "shop/frontend", "to": "http://"}, "to"),
        ({"from": "shop/frontend", "to": "api:99999"}, "to"),
        ({"from": "shop/frontend", "to": "api:80", "protocol": "CARRIER-PIGEON"}, "protocol"),
        ({"from": "shop/frontend", "to": "api:80", "seed": "many"}, "seed"),
        ({"from": "shop/frontend", "to": "api:80", "seed": "²"}, "seed"),
        ({"from": "x" * 5000, "to": "api:80"}, "from"),
    ],
)
def test_a_bad_question_says_which_field_and_what_is_allowed(
    client: Client, cluster: Cluster, query: dict[str, str], field: str
) -> None:
    answer = client.get("/clusters/demo/trace", query)
    assert answer.status_code == 400
    error_of(answer)
    body = answer.json()
    assert body["field"] == field and body["allowed"]


def test_a_probe_to_nowhere_is_an_answer_not_an_error(client: Client, living: Cluster) -> None:
    body = client.get("/clusters/demo/trace", {"from": "shop/frontend", "to": "http://no-such-name/"}).json()
    assert body["success"] is False and body["symptom"]


def test_a_forgotten_connection_is_404(client: Client, cluster: Cluster) -> None:
    answer = client.get("/clusters/demo/trace", {"connection": "long-ago"})
    assert answer.status_code == 404
    assert "forgotten" in error_of(answer)


def test_an_object_has_facts_yaml_and_relations(client: Client, cluster: Cluster) -> None:
    body = client.get("/clusters/demo/objects/service:shop/api").json()
    assert body["kind"] == "service" and "kind: Service" in body["yaml"] and body["facts"]


@pytest.mark.parametrize("ref", ["pod:shop/none", "nonsense", "pod:a/b/c/d", "<script>", "pod:%00/x", "x" * 3000])
def test_an_unknown_object_is_404(client: Client, cluster: Cluster, ref: str) -> None:
    answer = client.get(f"/clusters/demo/objects/{ref}")
    assert answer.status_code == 404
    error_of(answer)


def test_the_export_is_a_file_that_imports_to_nothing_new(editor: Client, cluster: Cluster) -> None:
    answer = editor.get("/clusters/demo/export")
    assert re.fullmatch(r'attachment; filename="demo-\d{8}-\d{6}\.yaml"', answer["Content-Disposition"])
    again = post(editor, "/clusters/demo/import?dry_run=1", {"yaml": answer.getvalue().decode()}).json()
    assert [entry for entry in again["created"] if entry["kind"] != "TrafficFlow"] == []


async def sent(answer: Any) -> bytes:
    """All that a streamed answer sends."""
    return b"".join([part async for part in answer.streaming_content])


@pytest.mark.django_db(transaction=True)
async def test_a_packed_export_is_one_stream(async_client: AsyncClient, cluster: Cluster) -> None:
    """A browser reads the first gzip stream of a download and no more."""
    plain = await async_client.get("/clusters/demo/export")
    whole = await sent(plain)
    answer = await async_client.get("/clusters/demo/export", headers={"Accept-Encoding": "gzip, br"})
    assert (answer["Content-Encoding"], answer["Vary"]) == ("gzip", "Accept-Encoding, Accept-Language")
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(await sent(answer)) == whole
    assert reader.eof and not reader.unused_data and b"kind: Service\n" in whole


def test_pasted_yaml_is_previewed_then_applied(editor: Client, empty: Cluster) -> None:
    preview = post(editor, "/clusters/fresh/import?dry_run=1", {"yaml": WEB})
    assert preview.status_code == 200 and preview.json()["dry_run"] is True
    assert not Deployment.objects.filter(name="web").exists()
    applied = post(editor, "/clusters/fresh/import", {"yaml": WEB}).json()
    assert ("Deployment", "web") in {(entry["kind"], entry["name"]) for entry in applied["created"]}
    assert Deployment.objects.filter(name="web").exists()


def test_several_files_are_one_import(editor: Client, empty: Cluster) -> None:
    files = [
        SimpleUploadedFile("a.yaml", WEB.encode()),
        SimpleUploadedFile("b.yaml", WEB.replace("web", "api").encode()),
    ]
    answer = editor.post("/clusters/fresh/import", {"file": files})
    assert answer.status_code == 200
    assert {entry["file"] for entry in answer.json()["created"] if entry["kind"] == "Deployment"} == {
        "a.yaml",
        "b.yaml",
    }


@pytest.mark.parametrize(
    "yaml",
    [
        "a: [",
        "kind: Pod",
        "- 1\n- 2",
        "&a [*a]",
        WEB.replace("app: web}}\n  template", "app: other}}\n  template"),
        "!!python/object:os.system {}",
    ],
)
def test_a_broken_manifest_changes_nothing_and_says_where(editor: Client, empty: Cluster, yaml: str) -> None:
    answer = post(editor, "/clusters/fresh/import", {"yaml": f"{WEB}---\n{yaml}"})
    assert answer.status_code == 422
    error_of(answer)
    problem = answer.json()["problems"][0]
    assert {"file", "document", "line", "object", "field", "message"} == set(problem)
    assert problem["document"] == 2 or problem["line"] > 0
    assert not Deployment.objects.filter(name="web").exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"yaml": 5}', '{"yaml": "  "}', "[" * 100_000, b"\xff\xfe"])
def test_a_request_that_is_no_import_is_refused(editor: Client, empty: Cluster, body: Any) -> None:
    answer = post(editor, "/clusters/fresh/import", body)
    assert answer.status_code == 422
    error_of(answer)


def test_fifty_megabytes_are_refused(editor: Client, empty: Cluster) -> None:
    big = SimpleUploadedFile("big.yaml", b"# " + b"x" * 50 * 1024 * 1024)
    answer = editor.post("/clusters/fresh/import", {"file": big})
    assert answer.status_code == 413
    assert "5 MiB" in error_of(answer)
    assert post(editor, "/clusters/fresh/import", b"x" * 6 * 1024 * 1024).status_code == 413


def test_actions_change_the_cluster(editor: Client, cluster: Cluster) -> None:
    answer = post(editor, "/clusters/demo/actions", {"action": "cordon", "target": "node:n1"})
    assert answer.status_code == 200 and "n1" in answer.json()["message"]
    assert cluster.node_set.get(name="n1").unschedulable
    scaled = post(
        editor, "/clusters/demo/actions", {"action": "scale", "target": "workload:Deployment/shop/api", "replicas": 5}
    )
    assert scaled.status_code == 200
    assert Deployment.objects.get(name="api").replicas == 5


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"action": "cordon"},
        {"action": "explode", "target": "node:n1"},
        {"action": "cordon", "target": "node:none"},
        {"action": "cordon", "target": "pod:shop/x"},
        {"action": "cordon", "target": 5},
        {"action": ["cordon"], "target": "node:n1"},
        {"action": "cordon", "target": "node:n1", "actor": "root"},
        {"action": "cordon", "target": "node:n1", "replicas": 3},
        {"action": "scale", "target": "workload:Deployment/shop/api", "replicas": -1},
        {"action": "scale", "target": "workload:Deployment/shop/api", "replicas": "lots"},
    ],
)
def test_a_bad_action_is_refused_in_words(editor: Client, cluster: Cluster, wish: dict[str, Any]) -> None:
    answer = post(editor, "/clusters/demo/actions", wish)
    assert answer.status_code == 422
    error_of(answer)


@pytest.mark.parametrize("path", ["import", "actions"])
def test_only_editors_change_anything(client: Client, reader: Client, cluster: Cluster, path: str) -> None:
    pods = Pod.objects.count()
    for who in (client, reader):
        answer = post(who, f"/clusters/demo/{path}", {"yaml": WEB, "action": "cordon", "target": "node:n1"})
        assert answer.status_code == 403
        error_of(answer)
    assert Pod.objects.count() == pods


@pytest.mark.parametrize("path", ["import", "actions"])
def test_a_request_without_a_csrf_token_is_refused_as_json(editor: Client, cluster: Cluster, path: str) -> None:
    editor.handler.enforce_csrf_checks = True
    answer = post(editor, f"/clusters/demo/{path}", {"action": "cordon", "target": "node:n1"})
    assert answer.status_code == 403
    error_of(answer)
    assert not cluster.node_set.get(name="n1").unschedulable


@pytest.mark.parametrize("path", ["import", "actions"])
def test_changes_need_post(editor: Client, cluster: Cluster, path: str) -> None:
    answer = editor.get(f"/clusters/demo/{path}")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "POST" in error_of(answer)


@pytest.mark.parametrize("path", PATHS)
def test_looking_needs_get(editor: Client, cluster: Cluster, path: str) -> None:
    answer = editor.delete(f"/clusters/demo/{path}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert "GET" in error_of(answer)


def test_a_fault_of_ours_is_json_too(client: Client, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> None:
        raise RuntimeError("the simulator lost its head")

    monkeypatch.setattr(questions, "snapshot", broken)
    answer = client.get("/clusters/demo/snapshot")
    assert answer.status_code == 500
    assert "head" not in error_of(answer)


def test_a_foreign_host_is_one_line_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Strangers who guess host names must not fill the log with tracebacks."""
    log = logging.getLogger("django.security.DisallowedHost")
    log.addHandler(caplog.handler)
    try:
        assert client.get("/login/", headers={"host": "evil.example"}).status_code == 400
    finally:
        log.removeHandler(caplog.handler)
    assert "evil.example" in caplog.text
    assert not any(record.exc_info for record in caplog.records)
