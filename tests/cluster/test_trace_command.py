"""manage.py trace: exit status, text, JSON, many probes, from a database and from manifests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dpkt
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: shop}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command on the shop's manifests: (exit status, what it printed)."""
    manifests = tmp_path / "shop.yaml"
    manifests.write_text(SHOP)

    def call(*words: str, **options: Any) -> tuple[int, str]:
        out = io.StringIO()
        with pytest.raises((SystemExit, CommandError)) as caught:
            call_command("trace", *words, manifests=str(manifests), stdout=out, **options)
        error = caught.value
        if isinstance(error, CommandError):
            return error.returncode, str(error)
        assert isinstance(error, SystemExit)
        return int(error.code or 0), out.getvalue()

    return call


def test_delivered_is_0_and_reads_like_a_journey(run: Run) -> None:
    status, text = run("--from", "shop/web", "--to", "http://web/")
    assert status == 0
    assert "verdict: delivered" in text
    assert "DNAT" in text


def test_not_delivered_is_1(run: Run) -> None:
    status, text = run("--from", "shop/web", "--to", "http://empty/")
    assert status == 1
    assert "connection refused" in text


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "shop/nobody", "--to", "http://web/"),
        ("--from", "shop/web", "--to", "nowhere"),
        ("--from", "shop/web"),
        ("--from", "shop/web", "--to", "http://web/", "--protocol", "XTP"),
        ("--probes", "/nonexistent"),
    ],
)
def test_a_bad_question_is_2_and_says_why(run: Run, words: tuple[str, ...]) -> None:
    status, text = run(*words)
    assert status == 2
    assert text


def test_json_is_the_whole_trace(run: Run) -> None:
    status, text = run("--from", "shop/web", "--to", "http://web/", "--json")
    answer = json.loads(text)
    assert status == 0
    assert answer["verdict"] == "delivered"
    assert answer["forward"][0]["steps"][0]["explain"]["novice"]
    assert answer["rules"]["NET-01"]


def test_many_probes_are_answered_in_order_and_bad_ones_in_place(run: Run, tmp_path: Path) -> None:
    probes = tmp_path / "probes.jsonl"
    lines = [
        '{"from": "shop/web", "to": "http://web/"}',
        "",
        "[1]",
        "\x00\xff",
        '{"from": "shop/web", "to": "empty:80"}',
    ]
    probes.write_text("\n".join(lines))
    status, text = run("--probes", str(probes))
    answers = [json.loads(line) for line in text.splitlines()]
    assert status == 2
    assert [answer.get("verdict") for answer in answers] == ["delivered", None, None, "no_endpoints_rejected"]
    assert all(answers[index]["error"] for index in (1, 2))


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ('{"from": "shop/web"}', "to", "Required value"),
        ('{"to": "http://web/"}', "from", "Required value"),
        ('{"from": "shop/web", "to": null}', "to", "Invalid value: None: must be a string"),
        ('{"from": "shop/web", "to": "empty:80", "seed": true}', "seed", "Invalid value: True: must be an integer"),
        ('{"from": "shop/web", "to": "empty:80", "port": 80}', "port", "unknown field 'port'"),
        ('{"from": "shop/web", "to": ""}', "to", "the destination is empty or too long"),
        ('{"from": "shop/web"', "", "Invalid value: no JSON: Input data was truncated"),
        ("[1]", "", "Invalid value: must be an object"),
    ],
)
def test_a_bad_line_is_answered_with_its_field_and_what_is_allowed(
    run: Run, tmp_path: Path, line: str, field: str, said: str
) -> None:
    (tmp_path / "probes.jsonl").write_text(line)
    status, text = run("--probes", str(tmp_path / "probes.jsonl"))
    answer = json.loads(text)
    assert (status, answer["field"], answer["error"]) == (2, field, said)
    assert answer["allowed"]


def test_a_connection_that_is_open_is_asked_with_the_manifests_of_its_beginning(run: Run, tmp_path: Path) -> None:
    """NP-22, PX-17."""
    before = tmp_path / "before.yaml"
    before.write_text(SHOP)
    asked = ("--from", "shop/web", "--to", "http://web/")
    status, text = run(*asked, "--opened", str(before))
    assert status == 0 and "the connection goes on" in text
    before.write_text(SHOP.replace("name: web", "name: other"))
    status, text = run(*asked, "--opened", str(before))
    assert status == 2


def test_many_open_connections_and_their_captures(run: Run, tmp_path: Path) -> None:
    """NP-22: every line is a connection of then; what tcpdump sees has no handshake."""
    (tmp_path / "before.yaml").write_text(SHOP)
    opened = ("--opened", str(tmp_path / "before.yaml"))
    (tmp_path / "probes.jsonl").write_text(
        '{"from": "shop/web", "to": "http://web/"}\n{"from": "shop/web", "to": "http://web:81/"}\n'
    )
    status, text = run("--probes", str(tmp_path / "probes.jsonl"), *opened)
    goes_on, never = map(json.loads, text.splitlines())
    assert (status, goes_on["symptom"], never["field"]) == (2, "the connection goes on", "opened")
    status, _ = run("--from", "shop/web", "--to", "http://web/", *opened, "--pcap", str(tmp_path / "pcaps"))
    found = [list(dpkt.pcap.Reader(io.BytesIO(one.read_bytes()))) for one in (tmp_path / "pcaps").iterdir()]
    inside = [dpkt.ethernet.Ethernet(data).data.data for some in found for _, data in some]
    flags = {one.flags for one in inside if isinstance(one, dpkt.tcp.TCP)}  # the others are tunnelled
    assert status == 0 and flags == {dpkt.tcp.TH_PUSH | dpkt.tcp.TH_ACK, dpkt.tcp.TH_ACK}


def test_broken_manifests_name_file_and_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: Pod\nmetadata: [")
    with pytest.raises(CommandError, match=r"broken\.yaml:\d"):
        call_command("trace", "--from", "a", "--to", "b:1", manifests=str(broken))


@pytest.mark.django_db
def test_a_cluster_of_the_database_can_be_asked() -> None:
    from clusterviz.cluster import services

    services.create_cluster("lab", actor="test")
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "trace", "--cluster", "lab", "--from", "node/n1", "--to", "node:n2", "--protocol", "ICMP", stdout=out
        )
    assert "ping answered" in out.getvalue()
    with pytest.raises(CommandError, match="no cluster"):
        call_command("trace", "--cluster", "none", "--from", "node/n1", "--to", "node:n2:80")


@pytest.mark.parametrize("words", [["exportyaml"], ["trace", "--from", "node/n1", "--to", "node:n2:80"]])
def test_on_a_new_machine_a_command_makes_the_database_and_answers(words: list[str], tmp_path: Path) -> None:
    """No traceback about missing tables."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=root,
        env={**os.environ, "CLUSTERVIZ_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Preparing the database" in done.stderr
    assert "there is no cluster 'demo'" in done.stderr
    assert "Traceback" not in done.stderr


def asked(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit status of a trace through these manifests, and what it said beside its answer."""
    path = tmp_path / "given.yaml"
    path.write_text(text)
    with pytest.raises((SystemExit, CommandError)) as caught:
        call_command("trace", "--from", "shop/web", "--to", "http://web/", manifests=str(path))
    error = caught.value
    if isinstance(error, CommandError):
        return error.returncode, str(error)
    assert isinstance(error, SystemExit)
    return int(error.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("{port: 80, ", "{port: 70000, "), "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535"),
        (("{matchLabels: {app: web}}", "{matchLabels: {app: other}}"), "`selector` does not match template `labels`"),
        (("ports: [{port: 80, t", "type: Outside, ports: [{port: 80, t"), 'spec.type: Unsupported value: "Outside"'),
    ],
)
def test_what_import_refuses_is_refused_in_the_same_words(
    change: tuple[str, str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, text = asked(tmp_path, SHOP.replace(*change, 1), capsys)
    assert status == 2
    assert "given.yaml:" in text and words in text


def test_what_is_left_out_or_without_effect_is_told_and_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = """
---
kind: Service
metadata: {name: far, namespace: shop}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 3001}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
"""
    status, text = asked(tmp_path, SHOP + more, capsys)
    assert status == 0
    assert "Service: apiVersion: Required value" in text
    assert "spec.ports[0].nodePort: Invalid value: 3001: provided port is not in the valid range" in text
    assert "cronjob:shop/nightly: A CronJob is not run" in text
    assert "no effect on the simulated network: CronJob 1" in text
    assert "three nodes n1, n2, n3 are assumed" in text


def test_a_jobs_pods_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = """
---
apiVersion: batch/v1
kind: Job
metadata: {name: report, namespace: shop}
spec:
  parallelism: 2
  template: {spec: {restartPolicy: Never, containers: [{name: report, image: report}]}}
"""
    path = tmp_path / "job.yaml"
    path.write_text(SHOP + job)
    with pytest.raises(SystemExit) as caught:
        call_command("trace", "--from", "shop/report", "--to", "http://web/", manifests=str(path))
    assert caught.value.code == 0
    assert "shop/report-" in capsys.readouterr().out
