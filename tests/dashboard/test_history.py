"""The past by HTTP: what there is, pieces of it, questions about a moment; wrong questions answered in words."""

import json
from typing import Any

import pytest
from django.test import Client

from clusterviz.cluster.models import Cluster
from clusterviz.engine import Change
from clusterviz.engine import Cluster as Snapshot
from clusterviz.engine.objects import key_of
from clusterviz.live import runner
from clusterviz.live.history import History
from tests.dashboard.test_api import error_of
from tests.engine.world import build, policy

PAST = "/clusters/demo/history"


@pytest.fixture
def past(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> History:
    """A history of ten messages from 1000 to 1009, as if this process led the cluster."""
    history = History(2**20)
    history.begin(1, 1000.0, Snapshot.from_objects([]))
    history.keep(history.chapter(1000.0), b'{"time":1000.0,"entities":[]}')
    for second in range(10):
        history.traffic(1000.0 + second, json.dumps({"type": "traffic", "time": 1000.0 + second}), [second, 1, 2], [])
    monkeypatch.setattr(runner, "history", lambda name: history if name == "demo" else None)
    return history


def lines(answer: Any) -> list[dict[str, Any]]:
    """The answer's JSON lines."""
    assert answer["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.content.splitlines()]


def test_the_summary_says_what_is_kept_and_what_each_second_held(client: Client, past: History) -> None:
    body = client.get(PAST).json()
    assert (body["cluster"], body["oldest"], body["seconds"], body["cap"]) == ("demo", 1000.0, 900.0, 64 * 2**20)
    assert body["buckets"][3] == [1003, 3, 1, 2, 0, True]
    assert not body["capped"]
    assert 0 < body["size"] < 2**20


def test_a_cluster_that_lives_elsewhere_has_no_past_here(client: Client, cluster: Cluster) -> None:
    body = client.get(PAST).json()
    assert (body["oldest"], body["buckets"]) == (None, [])


def test_a_piece_is_a_keyframe_and_the_messages_up_to_the_moment(client: Client, past: History) -> None:
    head, keyframe, *rest = lines(client.get(f"{PAST}?from=1002&to=1004"))
    assert (head["type"], head["more"], head["gap"], head["last"]) == ("history", False, False, 5)
    assert keyframe == {"type": "keyframe", "snapshot": {"time": 1000.0, "entities": []}}
    assert [line["time"] for line in rest] == [1000.0, 1001.0, 1002.0, 1003.0, 1004.0]
    again, *more = lines(client.get(f"{PAST}?after=5&to=1006"))
    assert ([line["time"] for line in more], again["last"]) == ([1005.0, 1006.0], 7)
    assert lines(client.get(f"{PAST}?after=77"))[0]["gap"]


def test_a_piece_is_sent_compressed(client: Client, past: History) -> None:
    answer = client.get(f"{PAST}?from=0", headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"


def test_a_piece_has_a_limit(client: Client, past: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusterviz.dashboard.history.PIECE", 100)
    head, _, *rest = lines(client.get(f"{PAST}?from=0"))
    assert head["more"]
    assert len(rest) < 10


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=nan", "from"),
        ("from=-1", "from"),
        ("from=1e300", "from"),
        ("from=1&to=inf", "to"),
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=" + "9" * 40, "after"),
        ("from=" + "9" * 5000, "from"),
    ],
)
def test_wrong_questions_name_the_field(client: Client, past: History, query: str, field: str) -> None:
    answer = client.get(f"{PAST}?{query}")
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert len(error_of(answer)) < 200


@pytest.mark.parametrize(
    "path",
    [
        "trace?from=internet&to=10.96.0.1:443",
        "objects/node:n1",
        "objects/node:n1/texts",
        "capture?from=internet&to=1.1.1.1:1",
    ],
)
def test_a_forgotten_or_unreadable_moment_is_told(client: Client, past: History, path: str) -> None:
    sign = "&" if "?" in path else "?"
    answer = client.get(f"/clusters/demo/{path}{sign}at=10")
    assert answer.status_code == 404
    assert "its history begins at 1970-01-01 00:16:40 UTC" in error_of(answer)
    assert client.get(f"/clusters/demo/{path}{sign}at=noon").json()["field"] == "at"


def test_a_connection_that_was_opened_then_is_followed_now(
    client: Client, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NP-22: a policy came in between; a new connection is stopped, the open one is not; nor one from the future."""
    before, wall = build(), policy("shop/wall", "web", policyTypes=["Ingress"])
    now = before.apply([Change("set", wall)])
    history = History(2**20)
    history.begin(1, 1000.0, before)
    history.keep(history.chapter(1000.0), b"{}")
    history.state(1000.0, 1, None)
    history.change(1005.0, now, [key_of(wall)])
    history.state(1005.0, 2, None)
    monkeypatch.setattr(runner, "history", lambda _: history)
    asked = "/clusters/demo/trace?from=shop/client&to=http://web/"
    assert client.get(f"{asked}&at=1006").json()["verdict"] == "denied_ingress"
    answer = client.get(f"{asked}&at=1006&opened=1001").json()
    assert (answer["verdict"], answer["symptom"]) == ("delivered", "the connection goes on")
    captured = client.get(asked.replace("trace", "capture") + "&at=1006&opened=1001").json()
    assert len(captured["points"]) > 2
    for moment, field in ((1005, "opened"), (1007, "opened")):
        refused = client.get(f"{asked}&at=1006&opened={moment}")
        assert (refused.status_code, refused.json()["field"]) == (400, field)
    assert client.get(f"{asked}&at=1006&opened=10").status_code == 404


def test_an_unknown_cluster_has_no_past(client: Client, db: None) -> None:
    assert client.get("/clusters/nowhere/history").status_code == 404
    assert client.post(PAST).status_code == 405


def test_a_recording_needs_no_cluster(client: Client, db: None) -> None:
    answer = client.get("/replay/")
    assert answer.status_code == 200
    assert b'data-replay="yes"' in answer.content
