"""The pages of the classroom: what they tell before and after a reveal, and what they refuse."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client, override_settings
from django.utils.html import escape

from clusterviz.classroom import run as runs
from clusterviz.classroom import shelf, stage
from clusterviz.classroom.play import PLACES

LESSON = "/lessons/05-clusterip/"
MINE = """title: Mine
cluster: clusters/05-clusterip.yaml
probe: shop/you -> service:shop/web:80
"""


@pytest.fixture
def teacher(db: None) -> Iterator[Client]:
    """Somebody who may open files; what was opened goes away."""
    user = get_user_model().objects.create_user("teacher", password="not-a-secret-1")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="cluster"))
    client = Client()
    client.force_login(user)
    yield client
    for path in shelf.kept().glob("*.yaml"):
        path.unlink()


def get(client: Client, query: str, status: int = 200) -> dict[str, Any]:
    """The JSON of a place in the lesson."""
    answer = client.get(f"{LESSON}at?{query}")
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_list_has_every_lesson_and_its_page_opens(client: Client, db: None) -> None:
    page = client.get("/lessons/").content.decode()
    assert all(f'href="/lessons/{name}/"' in page for name in shelf.names())
    assert client.get("/lessons/16-moving-day/").status_code == 200
    assert client.get("/lessons/17-nothing/").status_code == 404
    assert client.get("/lessons/own-../").status_code == 404


def test_before_the_reveal_nothing_tells_the_answer(client: Client, db: None) -> None:
    told = get(client, "step=1&turn=predict&number=1")
    place = {"step": 1, "done": False, "depth": "novice", "whatif": 0}
    assert told["run"] == place | {"answers": {"0": 1}, "revealed": []}
    assert (told["view"]["phase"], told["trace"], told["question"], told["score"]) == ("answered", None, None, None)
    assert (told["view"]["facts"], told["view"]["whatif"], told["view"]["say"], told["rulebook"]) == ([], [], "", {})
    question = told["view"]["question"]
    assert (question["right"], question["truth"], question["why"], question["rules"]) == (None, None, "", [])


def test_the_reveal_brings_the_why_and_the_packet(client: Client, db: None) -> None:
    told = get(client, "step=1&answers=0:1&turn=reveal")
    assert (told["run"]["done"], told["run"]["revealed"], told["view"]["question"]["right"]) == (True, [0], 0)
    assert told["trace"]["verdict"] == "vip_icmp_unanswered"
    assert told["question"]["protocol"] == "ICMP"
    assert set(told["rulebook"]) >= {"PX-11", "SVC-11"}
    assert all(fact["wrong"] == [] for fact in told["view"]["facts"])


def test_a_what_if_shows_a_cluster_of_its_own(client: Client, db: None) -> None:
    pods = lambda told: {e["name"] for e in told["scene"]["entities"] if e["kind"] == "pod"}  # noqa: E731 - two uses
    forked = get(client, "step=2&done=1&turn=fork&number=0")
    assert forked["run"]["whatif"] == 1
    assert "web-4" in pods(forked)
    assert "web-4" not in pods(get(client, "step=2&done=1"))
    assert forked["trace"]["verdict"] == "delivered"
    assert "fixes" not in forked["trace"]


def test_the_end_has_the_check_and_the_score(client: Client, db: None) -> None:
    told = get(client, "step=2&done=1&answers=0:1,1:1&revealed=0,1")
    assert told["view"]["last"]
    assert [fact["wrong"] for fact in told["view"]["end"]] == [[], []]
    assert told["score"] == {"asked": 2, "answered": 2, "right": 1}


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("step=9", 400, "step"),
        ("step=x", 400, "step"),
        ("step=1&answers=0:x", 400, "answers"),
        ("step=1&turn=jump", 400, "turn"),
        ("step=1&done=1&turn=predict&number=0", 409, "revealed already"),
        ("step=1&turn=predict&number=7", 409, "no choice 7"),
        ("step=1&turn=fork&number=0", 409, "after the reveal"),
        ("step=1&whatif=1", 400, "whatif"),
        ("step=1&turn=back", 409, "beginning"),
        ("step=2&done=1&turn=forward", 409, "end of the lesson"),
    ],
)
def test_what_is_out_of_turn_gets_a_clear_word(client: Client, db: None, query: str, status: int, words: str) -> None:
    answer = get(client, query, status)
    assert words in answer["error"] + answer.get("field", "")


def test_packets_and_objects_are_asked_of_the_cluster_of_the_place(client: Client, db: None) -> None:
    asked = "from=shop/you&to=service:shop/web:80&length=1400"
    assert client.get(f"{LESSON}trace?step=2&done=1&{asked}").json()["verdict"] == "delivered"
    assert client.get(f"{LESSON}trace?step=2&{asked}0000").status_code == 400
    assert client.get(f"{LESSON}capture?step=2&{asked}").json()["points"]
    assert "web-4" in client.get(f"{LESSON}objects/pod:shop/web-4?step=2&done=1&whatif=1").json()["yaml"]
    assert client.get(f"{LESSON}objects/pod:shop/web-4?step=2&done=1").status_code == 404


def test_a_node_that_is_behind_shows_its_old_rules(client: Client, db: None) -> None:
    rules = lambda ref: client.get(f"{LESSON}objects/{ref}/texts?step=2&done=1&whatif=1").content.decode()  # noqa: E731
    assert "10.244.1.3" not in rules("node:n1").partition("iptables")[2]
    assert "10.244.1.3" in rules("node:n2")


def test_a_lesson_of_ones_own_opens_or_says_line_and_cure(teacher: Client) -> None:
    send = lambda text: teacher.post("/lessons/open", {"name": "mine.yaml", "text": text}, "application/json")  # noqa: E731
    name = send(MINE).json()["lesson"]
    assert teacher.get(f"/lessons/{name}/at?step=1").json()["trace"]["verdict"] == "delivered"
    assert "Mine" in teacher.get(f"/lessons/{name}/handout/").content.decode()
    wrong = send(MINE.replace("probe:", "prob:"))
    assert wrong.status_code == 422
    assert (wrong.json()["problems"][0]["line"], wrong.json()["problems"][0]["field"]) == (3, "prob")
    assert "allowed are" in wrong.json()["problems"][0]["message"]
    assert send(MINE + "#" * 300_000).status_code == 413
    assert teacher.post("/lessons/open", {"name": 1}, "application/json").status_code == 400


def test_only_editors_open_files(client: Client, db: None) -> None:
    assert client.post("/lessons/open", {"name": "a", "text": MINE}, "application/json").status_code == 403


def test_a_handout_asks_without_telling_and_tells_on_a_second_part(client: Client, db: None) -> None:
    asked = client.get(f"{LESSON}handout/").content.decode()
    told = client.get(f"{LESSON}handout/?answers=1&depth=kernel").content.decode()
    steps = shelf.play_of("05-clusterip").lesson.steps
    questions = [step.predict for step in steps if step.predict]
    assert len(questions) == 2
    for question in questions:
        assert escape(question.question) in asked
        assert escape(question.why) not in asked
        assert told.index(escape(question.question)) < told.index(f"✓ {escape(question.answer)}")
        assert escape(question.why) in told
    assert all(escape(fork.why) in told for step in steps for fork in step.whatif)
    assert "PX-11" not in asked
    assert "PX-11" in told
    assert client.get("/lessons/17-nothing/handout/").status_code == 404


def test_only_the_embed_view_may_be_framed_and_only_by_those_who_are_named(client: Client, db: None) -> None:
    frames = lambda answer: (  # noqa: E731 - two uses
        re.findall("frame-ancestors ([^;]*)", answer.headers["Content-Security-Policy"]),
        answer.headers.get("X-Frame-Options"),
    )
    assert frames(client.get(LESSON)) == (["'none'"], "DENY")
    assert frames(client.get(f"{LESSON}embed/")) == (["'self'"], None)
    with override_settings(EMBEDDED_BY=["'self'", "https://course.example"]):
        assert frames(client.get(f"{LESSON}embed/")) == (["'self' https://course.example"], None)
    page = client.get(f"{LESSON}embed/").content.decode()
    assert 'href="/lessons/"' not in page
    assert 'data-after="/lessons/06-fair-shares/embed/"' in page


@pytest.mark.parametrize("name", shelf.names())
def test_every_place_and_what_if_of_every_lesson_is_shown_and_all_its_facts_hold(name: str) -> None:
    play = shelf.play_of(name)
    for position, (index, done) in enumerate(runs.positions(play)):
        forks = range(len(play.lesson.all_steps[index].whatif)) if done else ()
        for fork in (None, *forks):
            told = stage.shown(play, runs.Run(lesson=name, position=position, fork=fork))
            assert msgspec.json.encode(told)
            assert [fact["wrong"] for fact in told["view"]["facts"] + told["view"]["end"] if fact["wrong"]] == []
            drawn = {entity["id"] for entity in told["scene"]["entities"]} | PLACES
            if fork is None:
                assert {ref for ref in told["view"]["focus"] if done or ref in drawn} <= drawn
