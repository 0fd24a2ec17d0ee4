"""`manage.py lesson`: a line a lesson, with file, line and reason where it says what is not so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

HEAD = "title: Try\ncluster: clusters/05-clusterip.yaml\n"
ASKED = """steps:
  - title: One
    predict:
      question: Whom does the pod see?
      choices: [10.244.0.3, 10.96.0.20]
      answer: {answer}
      fact: {{ask: "shop/you -> service:shop/web:80"}}
      value: sees
      why: NET-01
"""


def lesson(*words: str) -> tuple[int, str]:
    """Exit status and output."""
    out = io.StringIO()
    try:
        call_command("lesson", *words, stdout=out)
    except SystemExit as status:
        return int(str(status.code)), out.getvalue()
    return 0, out.getvalue()


def checked(folder: Path, text: str) -> tuple[int, str]:
    """What the check says of a text."""
    path = folder / "try.yaml"
    path.write_text(text)
    return lesson("check", str(path))


def test_three_lines_are_a_lesson(tmp_path: Path) -> None:
    path = tmp_path / "my-lesson.yaml"
    assert lesson("new", str(path))[0] == 0
    assert len(path.read_text().splitlines()) == 3
    assert lesson("check", str(path)) == (0, "ok   my-lesson.yaml (1 steps)\n")
    with pytest.raises(CommandError, match="File exists"):
        lesson("new", str(path))


def test_the_lessons_are_listed() -> None:
    assert "05-clusterip" in lesson("list")[1]


def test_an_answer_the_engine_does_not_give_fails(tmp_path: Path) -> None:
    assert checked(tmp_path, HEAD + ASKED.format(answer="10.244.0.3"))[0] == 0
    status, said = checked(tmp_path, HEAD + ASKED.format(answer="10.96.0.20"))
    assert status == 1
    assert said.startswith("FAIL try.yaml:8: steps[0].predict.answer: the engine says sees is '10.244.0.3'")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, "FAIL try.yaml:1: a lesson needs steps, or a probe"),
        ("title: [\n", ": not YAML"),
        ("- 1\n", "FAIL try.yaml:1: Expected `object`, got `array`"),
        ("cluster: x\n", "FAIL try.yaml:1: the field 'title' is missing"),
        (HEAD + "prob: x\n", "FAIL try.yaml:3: prob: unknown field 'prob': allowed are id, title"),
        (HEAD + "minutes: 500\nprobe: a -> b:1\n", "FAIL try.yaml:3: minutes: Expected `int` <= 180"),
        (HEAD + "probe: shop/you to web\n", "FAIL try.yaml:3: probe.ask: 'shop/you to web' is not SENDER -> TARGET"),
        (
            HEAD + "probe: shop/me -> 10.96.0.20:80\n",
            'FAIL try.yaml:3: probe.ask: pods "me" not found in namespace shop',
        ),
        (
            "title: Try\ncluster: ../../settings.py\nprobe: a -> b:1\n",
            "FAIL try.yaml:2: cluster: there is no cluster file '../../settings.py'",
        ),
        (HEAD + "settings: {mtu: 1}\nprobe: a -> b:1\n", "FAIL try.yaml:3: settings: mtu"),
        (HEAD + "steps:\n  - say: By NET-99.\n", "FAIL try.yaml:4: steps[0]: there is no rule 'NET-99'"),
        (HEAD + "steps:\n  - do:\n      - {drain: n9}\n", "FAIL try.yaml:5: steps[0].do[0].drain: there is no Node/n9"),
        (HEAD + "steps:\n  - do:\n      - {drain: n1, fail: n2}\n", "steps[0].do[0]: an action does one thing"),
        (
            HEAD + "steps:\n  - trigger: {when: {object: Pod/shop/web-1}}\n",
            "FAIL try.yaml:4: steps[0].trigger.when: the event does not come, so the step is never reached",
        ),
        (HEAD + "steps:\n  - show: {focus: [pod:shop/no]}\n", "nothing in the picture is called 'pod:shop/no'"),
        (
            HEAD + "steps:\n  - check:\n      - {endpoints: shop/web, expect: {ready: []}}\n",
            "FAIL try.yaml:5: steps[0].check[0].expect: ready is",
        ),
        (
            HEAD + "steps:\n  - whatif:\n      - change: x\n        check: [{connection: x, expect: {fate: kept}}]\n",
            "no connection 'x' was opened",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    status, said = checked(tmp_path, text)
    assert status == 1
    assert told in said


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    assert "too large: at most 256 KiB" in checked(tmp_path, HEAD + "#" * 300_000)[1]


def test_a_step_waits_for_an_event_of_the_model(tmp_path: Path) -> None:
    """A pod that is asked to go is gone when its grace is over (LIF-02)."""
    steps = (
        "steps:\n  - do: [{delete: [Pod/shop/web-1]}]\n    check: [{object: Pod/shop/web-1, expect: {exists: true}}]\n"
        "  - trigger: {when: {object: Pod/shop/web-1}}\n"
        "    check: [{object: Pod/shop/web-1, expect: {exists: false}}]\n"
    )
    assert checked(tmp_path, HEAD + steps) == (0, "ok   try.yaml (2 steps)\n")


def test_an_exam_is_handed_out_repaired_and_graded(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(lesson("exam", "4")[1])
    status, said = lesson("exam", "4", "--grade", str(path))
    assert (status, "FAIL" in said) == (1, True)
    assert lesson("exam", "4", "--faults")[1].endswith(")\n")
    path.write_text("kind: [")
    with pytest.raises(CommandError, match=r"mine\.yaml:1"):
        lesson("exam", "4", "--grade", str(path))
