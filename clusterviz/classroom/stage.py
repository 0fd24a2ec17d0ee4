"""What the page of a lesson gets: the view of a `Run`, the picture of the cluster that is shown, the packet's trace.

A `Run` travels in the query of each request, so nothing is kept on the server and a reload loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from clusterviz.classroom import run as runs
from clusterviz.classroom.copies import deeds_of
from clusterviz.classroom.facts import FactError, probe_of, question_of
from clusterviz.classroom.lesson import DEPTHS, Fact, as_fact
from clusterviz.classroom.play import Play
from clusterviz.classroom.run import Run, TurnError, View
from clusterviz.classroom.world import World
from clusterviz.engine import Probe, ProbeError, Trace
from clusterviz.engine import trace as engine_trace
from clusterviz.engine.explain import document, full_document
from clusterviz.engine.rulebook import RULES
from clusterviz.live import scene
from clusterviz.live.asked import AskedError
from clusterviz.live.keeper import Replica
from clusterviz.live.picture import picture
from clusterviz.live.protocol import Event

# What a person may do, by its name in the query.
TURNS: dict[str, Callable[[Play, Run], Run]] = {
    "forward": runs.forward,
    "back": runs.back,
    "reveal": runs.reveal,
    "leave": runs.leave,
    "reset": runs.reset,
    "copy": runs.copy,
    "undo": runs.undo,
}
TURNS_BY_NUMBER: dict[str, Callable[[Play, Run, int], Run]] = {"predict": runs.predict, "fork": runs.fork}


def run_of(play: Play, query: Mapping[str, str]) -> Run:
    """Where a person is: ``step`` from 1, ``done``, ``depth``, ``answers`` as 0:2,1:0, ``revealed``, ``whatif``.

    ``copy`` is what was done to a copy of the cluster (`copies.deeds_of`); without it nobody is in one.

    Raises `AskedError`.
    """
    steps = play.lesson.all_steps
    step = _number(query, "step", 1, len(steps)) - 1
    line = runs.positions(play)
    done = query.get("done") == "1" or steps[step].predict is None
    revealed = {number for number, _ in _pairs(query, "revealed") if number < len(steps)} | ({step} if done else set())
    run = Run(
        lesson=play.lesson.id,
        position=line.index((step, done)),
        depth=next((depth for depth in DEPTHS if depth == query.get("depth")), "novice"),
        answers={number: choice for number, choice in _pairs(query, "answers") if _is_choice(play, number, choice)},
        revealed=tuple(sorted(number for number in revealed if steps[number].predict is not None)),
    )
    if query.get("whatif"):
        try:
            run = runs.fork(play, run, _number(query, "whatif", 1, 12) - 1)
        except TurnError as error:
            raise AskedError(str(error), field="whatif", allowed="a what-if of this step, after its reveal") from None
    if "copy" not in query:
        return run
    return msgspec.structs.replace(run, copy=deeds_of(query["copy"]))


def _is_choice(play: Play, step: int, number: int) -> bool:
    predict = play.lesson.all_steps[step].predict if step < len(play.lesson.all_steps) else None
    return predict is not None and number < len(predict.choices)


def _number(query: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = query.get(name, "") or str(least)
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and least <= int(text) <= most):
        raise AskedError(f"{name} {text[:20]!r} is none", field=name, allowed=f"{least} to {most}")
    return int(text)


def _pairs(query: Mapping[str, str], name: str) -> list[tuple[int, int]]:
    """``0:2,1:0``; a number alone counts as one with 0."""
    pairs = []
    for part in filter(None, query.get(name, "")[:400].split(",")):
        first, _, second = part.partition(":")
        if not all(text.isascii() and text.isdecimal() and len(text) <= 3 for text in (first, second or "0")):
            raise AskedError(f"cannot read {part[:20]!r}", field=name, allowed="numbers as 0:2,1:0")
        pairs.append((int(first), int(second or "0")))
    return pairs


def turned(play: Play, run: Run, query: Mapping[str, str]) -> Run:
    """After what the person wants to do now, if anything. Raises `TurnError` and `AskedError`."""
    turn = query.get("turn", "")
    if not turn:
        return run
    if turn in TURNS:
        return TURNS[turn](play, run)
    if turn == "do":
        return runs.do(run, query.get("deed", ""))
    if turn in TURNS_BY_NUMBER:
        return TURNS_BY_NUMBER[turn](play, run, _number(query, "number", 0, 99))
    if turn in DEPTHS:
        return runs.deepen(run, turn)
    allowed = ", ".join((*TURNS, "do", *TURNS_BY_NUMBER, *DEPTHS))
    raise AskedError(f"unknown turn {turn[:20]!r}", field="turn", allowed=allowed)


def shown(play: Play, run: Run) -> dict[str, Any]:
    """Everything the page needs at a place of the lesson; before the reveal nothing of what follows it."""
    view, world = runs.view(play, run), runs.world(play, run)
    index, done = runs.positions(play)[run.position]
    facts = packets_of(play, run)
    packets = [question_of(fact) for fact in facts]
    told: dict[str, Any] = msgspec.to_builtins(
        {
            "run": {
                "step": index + 1,
                "done": done,
                "depth": run.depth,
                "answers": {str(step): choice for step, choice in run.answers.items()},
                "revealed": run.revealed,
                "whatif": 0 if run.fork is None else run.fork + 1,
                **({} if run.copy is None else {"copy": run.copy}),
            },
            "view": view,
            "titles": [step.title for step in play.lesson.all_steps],
            "scene": picture(replica_of(play, run)),
            "rulebook": {name: RULES[name] for name in cited(play, run, view)},
            "score": runs.score(play, run) if view.last else None,
            "question": packets[0] if packets else None,
            "trace": _followed(world, facts[0]) if facts else None,
            "other": next((one for one in packets[1:] if one != packets[0]), None) if run.fork is None else None,
        }
    )
    return told


def _followed(world: World, fact: Fact) -> dict[str, Any] | None:
    """The packet of the place; None where nobody is left in a copy who could send it."""
    try:
        return documented(world, probe_of(fact))
    except ProbeError:
        return None


def cited(play: Play, run: Run, view: View) -> list[str]:
    """Ids of the rules that what is seen rests on."""
    step = play.lesson.all_steps[view.step]
    forked = step.whatif[run.fork].rules if run.fork is not None else []
    return list(dict.fromkeys([*view.rules, *(view.question.rules if view.question else []), *forked]))


def packets_of(play: Play, run: Run) -> list[Fact]:
    """The packets of this place, the one to follow first: of a what-if, of the question, of the step."""
    index, done = runs.positions(play)[run.position]
    step = play.lesson.all_steps[index]
    if not done:
        return []
    if run.fork is not None:
        return [fact for fact in step.whatif[run.fork].check if fact.ask]
    asked = [step.predict.fact] if step.predict and step.predict.fact.ask else []
    return [*asked, *([as_fact(step.probe)] if step.probe else [])]


def traced(world: World, probe: Probe) -> Trace:
    """A packet in the cluster as it is shown, with the nodes whose rules are behind. Raises `ProbeError`."""
    return engine_trace(world.cluster, probe, synced=world.synced)


def documented(world: World, probe: Probe) -> dict[str, Any]:
    """A trace as the dashboard shows it.

    Where a node's rules are behind (PX-18), what would help and the lines of the rules are left out: they are worked
    out for nodes that are up to date.
    """
    found = traced(world, probe)
    return document(found) if world.synced else full_document(world.cluster, found)


def replica_of(play: Play, run: Run) -> Replica:
    """The cluster that is shown, as pictures and panels want it."""
    world = runs.world(play, run)
    return Replica(
        name=play.lesson.id,
        cluster=world.cluster,
        epoch=1,
        seq=run.position + 1,
        time=world.now,
        scene=scene.build(world.cluster, outside(play)),
        events=tuple(
            Event(id=str(number), wall=one.time, **msgspec.structs.asdict(one))
            for number, one in enumerate(world.happenings)
        ),
        routes=(),
        connections={},
    )


def outside(play: Play) -> frozenset[str]:
    """Clients and servers outside that packets of the lesson come from or go to: they stand in every picture of it."""
    found = set[str]()
    for step, stage in zip(play.lesson.all_steps, play.stages, strict=True):
        facts = [as_fact(step.probe)] if step.probe else []
        facts += [*step.check, *([step.predict.fact] if step.predict else [])]
        for fact in facts:
            if fact.ask:
                found |= _ends_outside(stage.after, fact)
    return frozenset(found)


def _ends_outside(world: World, fact: Fact) -> set[str]:
    try:
        hops = traced(world, probe_of(fact)).forward
    except (FactError, ProbeError):
        return set()
    return {hop.place.ref for hop in hops if hop.place.ref == "internet" or hop.place.ref.startswith("external:")}
