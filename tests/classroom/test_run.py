"""A lesson being taught: back undoes forward, a reveal stays, depth changes words alone, nobody acts out of turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.classroom import copies, library, run
from clusterviz.classroom.lesson import DEPTHS
from clusterviz.classroom.play import Play, perform
from clusterviz.classroom.run import Run, TurnError, View
from clusterviz.engine.objects import ref_of
from clusterviz.live.asked import AskedError

MOVES: dict[str, Callable[[Play, Run], Run]] = {
    "forward": run.forward,
    "back": run.back,
    "reveal": run.reveal,
    "leave": run.leave,
    "first answer": lambda play, now: run.predict(play, now, 0),
    "second answer": lambda play, now: run.predict(play, now, 1),
    "no such answer": lambda play, now: run.predict(play, now, 99),
    "what-if": lambda play, now: run.fork(play, now, 0),
    "no such what-if": lambda play, now: run.fork(play, now, 99),
    "kernel": lambda _play, now: run.deepen(now, "kernel"),
    "reset": run.reset,
}
LESSONS = ("05-clusterip", "09-hairpin", "15-policy-out")


@cache
def played(name: str) -> Play:
    return perform(library.load(library.HERE / f"{name}.yaml"))


@cache
def looked(name: str, now: bytes) -> View:
    return run.view(played(name), msgspec.json.decode(now, type=Run))


def look(name: str, now: Run) -> View:
    """Through JSON, as a browser would get it."""
    return looked(name, msgspec.json.encode(now))


def walk(name: str, moves: list[str]) -> list[Run]:
    """The runs after each move that was in turn."""
    states = [run.begin(played(name))]
    for move in moves:
        try:
            states.append(MOVES[move](played(name), states[-1]))
        except TurnError:
            continue
    return states


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(LESSONS), st.lists(st.sampled_from(sorted(MOVES)), max_size=14))
def test_whatever_is_done_a_lesson_keeps_its_order(name: str, moves: list[str]) -> None:
    for before, after in zip(states := walk(name, moves), states[1:], strict=False):
        assert after.position in (before.position - 1, before.position, before.position + 1, 0)
        if after.position == before.position + 1:
            undone = run.back(played(name), after)
            assert look(name, undone) == look(name, msgspec.structs.replace(before, fork=None))
    for now in states:
        index, done = run.positions(played(name))[now.position]
        seen = look(name, now)
        if not done:
            assert seen.question and (seen.question.right, seen.question.why, seen.facts, seen.whatif) == (
                *(None, ""),
                *([], []),
            )
        if index in now.revealed:
            with pytest.raises(TurnError):
                run.predict(played(name), now, 0)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(LESSONS), st.lists(st.sampled_from(sorted(MOVES)), max_size=10))
def test_depth_changes_words_and_no_fact(name: str, moves: list[str]) -> None:
    now = walk(name, moves)[-1]
    views = [look(name, run.deepen(now, depth)) for depth in DEPTHS]
    assert len({msgspec.json.encode(msgspec.structs.replace(one, say="")) for one in views}) == 1
    if views[0].say:
        assert len({one.say for one in views}) == len(DEPTHS)


def test_a_reveal_says_what_the_engine_says_and_stays() -> None:
    play = played("09-hairpin")
    start = run.begin(play)
    assert look("09-hairpin", start).phase == "asked"
    answered = run.predict(play, run.predict(play, start, 2), 1)
    assert look("09-hairpin", answered).phase == "answered"
    shown = run.reveal(play, answered)
    seen = look("09-hairpin", shown).question
    assert seen and (seen.chosen, seen.right, seen.truth) == (1, 0, "10.244.0.1")
    again = run.back(play, shown)
    with pytest.raises(TurnError, match="revealed already"):
        run.predict(play, again, 0)
    later = look("09-hairpin", run.forward(play, again)).question
    assert later == seen
    assert run.reset(play, shown) == start


def test_a_what_if_is_another_cluster_and_leaves_no_trace() -> None:
    play = played("05-clusterip")
    shown = run.reveal(play, run.begin(play))
    forked = run.fork(play, shown, 0)
    assert run.world(play, forked).cluster.settings.proxy_mode == "nftables"
    assert look("05-clusterip", forked).fork_why
    assert all(not fact.wrong for fact in look("05-clusterip", forked).facts)
    assert run.leave(play, forked) == shown
    assert run.world(play, shown).cluster.settings.proxy_mode == "iptables"


@pytest.mark.parametrize("move", ["back", "leave", "what-if", "no such answer"])
def test_what_is_out_of_turn_gets_a_word(move: str) -> None:
    play = played("05-clusterip")
    with pytest.raises(TurnError, match=r"beginning|no what-if|after the reveal|no choice 99: allowed are 0 to 1"):
        MOVES[move](play, run.begin(play))


def test_the_end_is_the_end() -> None:
    play = played("09-hairpin")
    now = run.begin(play)
    for _ in run.positions(play)[1:]:
        now = run.forward(play, now)
    assert look("09-hairpin", now).last
    with pytest.raises(TurnError, match="end of the lesson"):
        run.forward(play, now)
    with pytest.raises(TurnError, match="no open question"):
        run.reveal(play, now)
    with pytest.raises(TurnError, match="allowed are novice, operator, kernel"):
        run.deepen(now, "quantum")


def test_a_copy_is_broken_and_leaves_no_trace() -> None:
    play = played("05-clusterip")
    there = run.forward(play, run.forward(play, run.begin(play)))
    there = run.forward(play, there)
    own = run.copy(play, there)
    assert [one.wrong for one in look("05-clusterip", own).facts] == [[]]
    for deed in (
        "relabel pod:shop/web-1",
        "not-ready pod:shop/web-2",
        "delete-pod pod:shop/web-3",
        "wait",
        "wait",
        "wait",
        "wait",
    ):
        own = run.do(own, deed)
    broken = look("05-clusterip", own)
    assert broken.copy is not None
    assert broken.copy.deeds[0] == "relabel pod:shop/web-1"
    assert [bool(one.wrong) for one in broken.facts] == [True]
    assert look("05-clusterip", run.undo(play, own)).copy.deeds == broken.copy.deeds[:-1]
    nobody = look("05-clusterip", run.do(run.copy(play, there), "delete service:shop/web"))
    assert [one.wrong for one in nobody.facts] == [['services "web" not found in namespace shop']]
    for way_out in (run.leave(play, own), run.back(play, own), run.go(play, own, 0)):
        assert way_out.copy is None
    assert look("05-clusterip", run.leave(play, own)) == look("05-clusterip", there)


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        ("explode pod:shop/web-1", "cannot read"),
        ("drain pod:shop/web-1", "not for"),
        ("scale workload:Deployment/shop/web 9999", "replicas"),
        ("wait;" * 21, "too much"),
    ],
)
def test_what_cannot_be_done_to_a_copy_gets_a_word(deed: str, why: str) -> None:
    play = played("05-clusterip")
    with pytest.raises(AskedError, match=why):
        run.do(run.copy(play, run.begin(play)), deed)
    with pytest.raises(TurnError, match="copy first"):
        run.do(run.begin(play), "wait")
    with pytest.raises(TurnError, match="nothing was done"):
        run.undo(play, run.begin(play))


def test_every_deed_does_something_or_says_why_not() -> None:
    """Each verb to the first object of its kind in the last lesson, which has all kinds; undone where it can be."""
    play = played("16-moving-day")
    world = play.stages[-1].after
    for verb, kinds in copies.TARGETS.items():
        keys = [key for key in sorted(world.cluster.objects) if key[0] in kinds]
        deed = f"{verb} {ref_of(keys[0])}{' 2' if verb == 'scale' else ''}" if keys else verb
        after = copies.world_of(world, copies.deeds_of(deed))
        if verb not in {"ready", "uncordon", "node-up"}:
            assert (after.cluster.objects, after.now) != (world.cluster.objects, world.now), deed
    with pytest.raises(AskedError, match="there is no"):
        copies.world_of(world, ("delete-pod pod:shop/nobody",))
