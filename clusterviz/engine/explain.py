"""Words for a trace: a sentence a step for a beginner and one for an operator, and the summary.

Sentences are templates over a step's ``facts``; the facts decide, the words only dress them.
"""

from __future__ import annotations

from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.assumptions import standing
from clusterviz.engine.commands import command_for
from clusterviz.engine.fixes import suggest
from clusterviz.engine.proxyrules.used import lines_used
from clusterviz.engine.rulebook import RULES
from clusterviz.engine.sensitivity import settings_that_matter
from clusterviz.engine.sentences import SENTENCES
from clusterviz.engine.trace import Hop, Step, Trace
from clusterviz.engine.verdicts import VERDICTS
from clusterviz.engine.wording import WORDS

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class _Facts(dict[str, Any]):
    """The facts of a step, and words for what is not among them."""

    def __init__(self, step: Step, hop: Hop) -> None:
        super().__init__(step.facts)
        self._step, self._hop = step, hop

    def __missing__(self, key: str) -> str:
        word = WORDS.get(key)
        return word(self._step, self._hop) if word else "?"


def sentence(step: Step, hop: Hop, level: str = "novice") -> str:
    """The sentence of a step of a hop at a level: novice or operator."""
    novice, operator = SENTENCES[step.reason]
    return _said(operator if level == "operator" else novice, step, hop)


def _said(template: str, step: Step, hop: Hop) -> str:
    facts = step.facts
    if not _names(template) <= facts.keys():
        facts = _Facts(step, hop)
    return template.format_map(facts)


@cache
def _names(template: str) -> frozenset[str]:
    """Facts and words a template asks for."""
    return frozenset(name.partition(".")[0].partition("[")[0] for _, name, _, _ in Formatter().parse(template) if name)


def summary(trace: Trace) -> str:
    """One sentence: what became of the packet and what the client feels."""
    text = VERDICTS[trace.verdict.value]
    why = trace.blockers[0].why if trace.blockers else ""
    detail = f" ({why})" if why else ""
    return f"{text}{detail}. The client sees: {trace.symptom}."


def document(trace: Trace) -> dict[str, Any]:
    """The trace as plain data, sentences filled in."""
    data: dict[str, Any] = {"probe": msgspec.to_builtins(trace.probe), "snapshot": trace.snapshot}
    data |= {name: msgspec.to_builtins(getattr(trace, name)) for name in Trace.FIELDS[2:] if name != "children"}
    data["success"] = trace.success
    data["summary"] = summary(trace)
    for legs, hops in ((data["forward"], trace.forward), (data["reverse"], trace.reverse)):
        for plain, hop in zip(legs, hops, strict=True):
            _fill(plain, hop)
    hops = trace.forward + trace.reverse
    cited = {rule for hop in hops for step in hop.steps if step.rule for rule in step.rule.rules}
    data["rules"] = {rule: RULES[rule] for rule in sorted(cited)}
    held = [{"code": one.code, "text": one.text, "standing": True} for one in standing(trace)]
    data["assumptions"] = [*data["assumptions"], *held]
    data["children"] = [{"cause": child.cause, "trace": document(child.trace)} for child in trace.children]
    return data


def full_document(cluster: Cluster, trace: Trace) -> dict[str, Any]:
    """`document` plus what needs the cluster or more traces; ``cluster`` is the snapshot the trace was made in.

    ``fixes``: the smallest verified changes that let the packet arrive, as `fixes.suggest` orders them.
    ``settings``: those that would have made it go another way (`sensitivity`). ``lines`` of a step: the very
    lines of the node's rules it used (`proxyrules.used`). Costs some dozen traces.
    """
    data = document(trace)
    data["fixes"] = msgspec.to_builtins(suggest(cluster, trace))
    data["settings"] = settings_that_matter(cluster, trace)
    _add_lines(data, cluster, trace)
    return data


def _add_lines(data: dict[str, Any], cluster: Cluster, trace: Trace) -> None:
    for plain, hop in zip(data["forward"], trace.forward, strict=True):
        for entry, step in zip(plain["steps"], hop.steps, strict=True):
            entry["lines"] = msgspec.to_builtins(lines_used(cluster, hop, step))
    for entry, child in zip(data["children"], trace.children, strict=True):
        _add_lines(entry["trace"], cluster, child.trace)


def _fill(plain: dict[str, Any], hop: Hop) -> None:
    for seq, (entry, step) in enumerate(zip(plain["steps"], hop.steps, strict=True)):
        entry["seq"] = seq
        entry["command"] = command_for(step, hop)
        novice, operator = SENTENCES[step.reason]
        entry["explain"] = {"novice": _said(novice, step, hop), "operator": _said(operator, step, hop)}
