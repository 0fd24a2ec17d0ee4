"""The pages of exams: broken at first, green when repaired, and never the fault itself."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clusterviz.classroom import exam, exams

PAPER = "/lessons/exam/7/2/"


def test_the_form_leads_to_an_exam_or_says_what_is_allowed(client: Client, db: None) -> None:
    assert client.get("/lessons/exam/?seed=7&difficulty=2").headers["Location"] == PAPER
    refused = client.get("/lessons/exam/?seed=x")
    assert (refused.status_code, "whole number from 0 to 999999" in refused.content.decode()) == (422, True)
    assert client.get("/lessons/exam/7/4/").status_code == 404


def test_the_paper_shows_what_is_broken_and_not_why(client: Client, db: None) -> None:
    page = client.get(PAPER).content.decode()
    assert 'data-holds="no"' in page
    assert not any(fault.told in page or fault.name in page for fault in exam.generate(7, 2).faults)
    file = client.get(f"{PAPER}manifests")
    assert file.headers["Content-Disposition"] == 'attachment; filename="exam-7-2.yaml"'
    assert all(f"kind: {obj['kind']}" in file.content.decode() for obj in exam.generate(7, 2).objects)


def test_a_red_check_says_what_became_of_the_packet_and_what_its_sender_notices(client: Client, db: None) -> None:
    text = exams.text_of(exam.broken(1, 1, tuple(one for one in exam.FAULTS if one.name == "ingress-path")).objects)
    page = client.post(PAPER, {"yaml": text}).content.decode()
    assert "The verdict is no_ingress_rule: No rule of an Ingress or route fits the request." in page
    assert "The sender notices: HTTP 404 from the Ingress controller." in page
    assert "It must be delivered: The packet arrives." in page


def test_a_repair_turns_every_check_green_on_the_page_and_in_the_table(client: Client, db: None) -> None:
    whole = exams.text_of(exam.sound())
    page = client.post(PAPER, {"yaml": whole, "as": "page"}).content.decode()
    assert 'data-holds="no"' not in page
    assert f"{len(exam.CHECKS)} of {len(exam.CHECKS)} checks hold" in page
    lines = client.post(PAPER, {"file": SimpleUploadedFile("mine.yaml", whole.encode()), "as": "csv"}).content.decode()
    assert lines.splitlines()[0] == "seed,difficulty,check,result,reason"
    assert [line.split(",")[0:2] for line in lines.splitlines()[1:]] == [["7", "2"]] * len(exam.CHECKS)
    assert "FAIL" not in lines


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: [", "manifests:1"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 5000000}", "less than or equal"),
        ("", "nothing in them"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: 5}", "ports"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: 7", "spec"),
    ],
)
def test_manifests_that_cannot_be_played_are_refused_with_the_reason(
    client: Client, db: None, text: str, words: str
) -> None:
    answer = client.post(PAPER, {"yaml": text})
    assert answer.status_code == 422
    assert words in answer.content.decode().lower()


def test_too_much_is_refused(client: Client, db: None) -> None:
    large = SimpleUploadedFile("large.yaml", b"#" * 300_000)
    assert client.post(PAPER, {"file": large}).status_code in (400, 413)
