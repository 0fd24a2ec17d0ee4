"""Runs a scenario folder: manifests and probes in, the report people read and the facts of each trace out."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from clusterviz.classroom import library
from clusterviz.engine import Cluster, Probe, Settings, Trace, trace
from clusterviz.engine.addresses import host_port
from clusterviz.engine.fixes import suggest
from clusterviz.engine.manifests.read import read
from clusterviz.engine.packet import IP, L4, Stack
from clusterviz.engine.remedies.edit import merge
from clusterviz.engine.report import readable
from clusterviz.engine.trace import Hop, Step

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/probes.yaml"))
Obj = dict[str, Any]


class Question(msgspec.Struct, kw_only=True, rename={"source": "from"}, forbid_unknown_fields=True):
    """One probe of a scenario, with the changes that make it a what-if.

    ``set`` are objects created or replaced, ``merge`` JSON merge patches by picture-style key ``Kind/namespace/name``,
    ``delete`` such keys. ``behind`` are nodes whose kube-proxy has not heard of these changes yet.
    ``expect`` is written by hand from the rules: it holds whatever the golden files say.
    """

    name: str
    source: str
    to: str
    expect: dict[str, Any]
    protocol: str = ""
    seed: int = 0
    length: int = 60
    words: str = "operator"
    settings: Obj = {}
    set: list[Obj] = []
    merge: dict[str, Obj] = {}
    delete: list[str] = []
    behind: list[str] = []


class Scenario(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The file probes.yaml of a scenario."""

    title: str
    about: str
    settings: Obj = {}
    probes: list[Question]


@lru_cache
def load(folder: Path) -> tuple[Scenario, list[Obj]]:
    """The scenario and the objects of its cluster."""
    scenario = msgspec.convert(yaml.safe_load((folder / "probes.yaml").read_text()), Scenario)
    cluster = library.HERE / "clusters" / f"{folder.name}.yaml"
    return scenario, [document.object for document in read(cluster.read_text(), cluster.name)]


class Answer(NamedTuple):
    """One question, its trace, and the cluster it was asked in."""

    question: Question
    trace: Trace
    cluster: Cluster


def ask(scenario: Scenario, objects: list[Obj], question: Question) -> Answer:
    """The answer to one question, in the cluster with its changes."""
    changed = {_key(obj): obj for obj in objects}
    for name in question.delete:
        del changed[name]
    for name, patch in question.merge.items():
        changed[name] = merge(changed[name], patch)
    changed |= {_key(obj): obj for obj in question.set}
    settings = msgspec.convert(scenario.settings | question.settings, Settings)
    cluster = Cluster.from_objects(changed.values(), settings)
    probe = Probe.parse(question.source, question.to, protocol=question.protocol, seed=question.seed)
    older = dict.fromkeys(question.behind, Cluster.from_objects(objects, settings))
    probe = msgspec.structs.replace(probe, length=question.length)
    return Answer(question, trace(cluster, probe, synced=older), cluster)


def _key(obj: Obj) -> str:
    meta = obj["metadata"]
    namespace = "" if obj["kind"] in ("Node", "Namespace", "IngressClass", "GatewayClass") else "default"
    parts = (obj["kind"], meta.get("namespace", namespace), meta["name"])
    return "/".join(part for part in parts if part)


def report(scenario: Scenario, answers: list[Answer]) -> str:
    """What people read: the report `manage.py trace` prints, one probe after the other."""
    parts = [f"{scenario.title}\n{scenario.about.strip()}"]
    for question, answer, cluster in answers:
        changes = json.dumps(_changes(question), ensure_ascii=False) if _changes(question) else ""
        text = readable(answer, question.words, suggest(cluster, answer))
        head = f"=== {question.name}\n{question.source} -> {question.to} {question.protocol}".rstrip()
        parts.append(f"{head}{' if ' + changes if changes else ''}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def _changes(question: Question) -> Obj:
    named = {"settings": question.settings, "merge": question.merge, "delete": question.delete}
    named |= {"behind": question.behind}
    made = [_key(obj) for obj in question.set]
    return {name: value for name, value in (*named.items(), ("set", made)) if value}


def facts(answers: list[Answer]) -> str:
    """What programs compare: one line a fact, so that a changed decision is a changed line."""
    return json.dumps({one.question.name: _facts(one.trace) for one in answers}, indent=1, ensure_ascii=False) + "\n"


def _facts(answer: Trace) -> Obj:
    return {
        "verdict": answer.verdict.value,
        "symptom": answer.symptom,
        "forward": [line for hop in answer.forward for line in _lines(hop)],
        "reply": [line for hop in answer.reverse for line in _lines(hop)] or answer.reverse_reason,
        "backends": [f"{one.address} {one.probability:.4f}{' drawn' if one.chosen else ''}" for one in answer.branches],
        "sessions": [
            f"{one.node} {one.proto} {one.orig} reply {one.reply} {one.nat}".rstrip() for one in answer.sessions
        ],
        "blockers": [f"{one.verdict.value} {one.ref} {one.rule}" for one in answer.blockers],
        "assumptions": [one.code for one in answer.assumptions],
        "children": [f"{child.cause}: {child.trace.verdict.value}" for child in answer.children],
    }


def _lines(hop: Hop) -> list[str]:
    """A hop as one line for its way in and out, and one a decision."""
    devices = "/".join(part for part in (hop.in_iface, hop.out_iface) if part)
    way = f"{hop.place.ref} [{devices}] {flow(hop.headers_in)}"
    if flow(hop.headers_out) != flow(hop.headers_in):
        way += f" => {flow(hop.headers_out)}"
    return [way, *(f"  {_decision(step)}" for step in hop.steps)]


def _decision(step: Step) -> str:
    rule = f" [{step.rule.name}] {' '.join(step.rule.rules)}".rstrip() if step.rule else ""
    return f"{step.action.value} {step.reason}{rule}"


def flow(stack: Stack) -> str:
    """Source, destination and TTL of every IP header, outermost first."""
    parts = []
    for index, header in enumerate(stack):
        if isinstance(header, IP):
            after = stack[index + 1] if index + 1 < len(stack) else None
            src, dst = header.src, header.dst
            if isinstance(after, L4):
                src, dst = host_port(src, after.sport), host_port(dst, after.dport)
            parts.append(f"{header.proto} {src} > {dst} ttl {header.ttl}")
    return " | ".join(parts)
