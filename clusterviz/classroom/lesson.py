"""What a lesson file may hold. Every field carries its meaning, which docs/lessons.md shows.

Three lines are enough: ``title``, ``cluster`` and ``probe``. Records are frozen and hold plain data only.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Depth = Literal["novice", "operator", "kernel"]
DEPTHS: tuple[Depth, ...] = ("novice", "operator", "kernel")
Obj = dict[str, Any]
# Bytes a packet may have: an IPv4 header with the shortest transport header, to the longest packet there is.
LENGTH = range(28, 65536)


def _about(text: str, **limits: Any) -> msgspec.Meta:
    return msgspec.Meta(description=text, **limits)


Line = Annotated[str, msgspec.Meta(max_length=300)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Rules = Annotated[list[str], _about("Ids of docs/rules.md that the sentences rest on.", max_length=12)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything a lesson file is made of."""


class Fact(Record, frozen=True, kw_only=True):
    """A question the engine answers, and what the answer must be."""

    text: Annotated[Line, _about("The fact as a sentence.")] = ""
    ask: Annotated[str, _about("A packet: `SENDER -> TARGET`, as in `manage.py trace`.", max_length=512)] = ""
    protocol: Annotated[str, _about("Of `ask`: TCP, UDP, SCTP or ICMP.")] = ""
    seed: Annotated[int, _about("Of `ask`: draws the backend.")] = 0
    length: Annotated[int, _about("Of `ask`: bytes of the packet.", ge=LENGTH[0], le=LENGTH[-1])] = 60
    connections: Annotated[int, _about("Of `ask`: how many connections `pods` and `fair` count.", ge=1, le=1000)] = 1
    endpoints: Annotated[str, _about("A Service, `namespace/name`: who stands behind it.")] = ""
    look_up: Annotated[str, _about("A name to look up.", max_length=253)] = ""
    by: Annotated[str, _about("Of `look_up`: the pod that asks, `namespace/name`.")] = ""
    object: Annotated[str, _about("An object, `Kind/namespace/name` or `Kind/name`.")] = ""
    field: Annotated[str, _about("Of `object`: a field path as `status.podIP`.")] = ""
    connection: Annotated[str, _about("A connection that an action opened, by its name.")] = ""
    expect: Annotated[dict[str, Any], _about("What must be true of the answer.")] = {}


class Choice(Record, frozen=True, kw_only=True, rename={"value": "is"}):
    """One answer to a prediction."""

    text: Annotated[Line, _about("What the student reads.")]
    value: Annotated[Any, _about("The engine's value that makes this choice right; without it the text.")] = (
        msgspec.UNSET
    )
    ref: Annotated[str, _about("The object in the picture that stands for this choice, as `pod:shop/web`.")] = ""


class Predict(Record, frozen=True, kw_only=True):
    """A question put before the deciding step."""

    question: Annotated[Line, _about("What the student is asked.")]
    choices: Annotated[list[str | Choice], _about("Answers to choose from.", min_length=2, max_length=8)]
    answer: Annotated[Line, _about("The text of the right choice; the engine must agree.")]
    fact: Annotated[Fact, _about("The question the engine answers.")]
    value: Annotated[str, _about("Which part of the answer decides, as `sees`.")]
    why: Annotated[Text, _about("The reason, told after right and wrong answers alike.")]
    rules: Rules = []


class Scale(Record, frozen=True, kw_only=True):
    """How many replicas a workload shall have."""

    of: Annotated[str, _about("The workload, `Kind/namespace/name`.")]
    replicas: Annotated[int, _about("How many pods are wanted.", ge=0, le=200)]


class Open(Record, frozen=True, kw_only=True):
    """A connection that stays open."""

    name: Annotated[str, _about("What facts call it.", min_length=1, max_length=40)]
    ask: Annotated[str, _about("`SENDER -> TARGET`, where the target is a Service.", max_length=512)]
    seed: Annotated[int, _about("Draws the backend.")] = 0


class Action(Record, frozen=True, kw_only=True):
    """One change of the cluster: exactly one field."""

    create: Annotated[Obj | None, _about("An object to create or replace.")] = None
    patch: Annotated[dict[str, Obj], _about("JSON merge patches by `Kind/namespace/name`.")] = {}
    delete: Annotated[list[str], _about("Objects to delete; pods get their grace period.")] = []
    vanish: Annotated[list[str], _about("Objects that are gone at once, without grace.")] = []
    scale: Annotated[Scale | None, _about("`of` a workload, to `replicas`.")] = None
    restart: Annotated[str, _about("A workload to roll out anew, as `kubectl rollout restart` does.")] = ""
    drain: Annotated[str, _about("A node to cordon and empty.")] = ""
    fail: Annotated[str, _about("A node that falls silent.")] = ""
    cut: Annotated[list[str], _about("Two nodes whose link is cut.", max_length=2)] = []
    lag: Annotated[str, _about("A node whose kube-proxy hears nothing from now on; its rules stay as they are.")] = ""
    sync: Annotated[str, _about("A node whose kube-proxy writes its rules anew.")] = ""
    settings: Annotated[dict[str, Any], _about("Cluster settings that change (docs/settings.md).")] = {}
    open: Annotated[Open | None, _about("A connection that stays open, with a `name`.")] = None
    wait: Annotated[float, _about("Simulated seconds that pass.", ge=0, le=600)] = 0


class Event(Record, frozen=True, kw_only=True):
    """Something the cluster tells, or a field that has a value."""

    reason: Annotated[str, _about("Reason of an event, as `Killing`.")] = ""
    about: Annotated[str, _about("Picture id the event is about, as `pod:shop/web`.")] = ""
    object: Annotated[str, _about("Instead: an object whose field is watched.")] = ""
    field: Annotated[str, _about("Its field path.")] = ""
    value: Annotated[Any, _about("The value that is waited for; null: the object or field is gone.")] = None


class Trigger(Record, frozen=True, kw_only=True):
    """What starts a step: time, or an event of the model."""

    after: Annotated[float, _about("Simulated seconds after the step before.", ge=0, le=600)] = 0
    when: Annotated[Event | None, _about("The event that is waited for.")] = None


class Say(Record, frozen=True, kw_only=True):
    """The same facts for three listeners."""

    novice: Annotated[Text, _about("For beginners.")]
    operator: Annotated[Text, _about("For people who run clusters; without it the novice's.")] = ""
    kernel: Annotated[Text, _about("For people who read iptables; without it the operator's.")] = ""


class Show(Record, frozen=True, kw_only=True):
    """What the picture shows."""

    focus: Annotated[list[str], _about("Picture ids in the light, as `pod:shop/web`.", max_length=12)] = []
    panels: Annotated[
        list[Literal["trace", "events", "yaml", "policy", "dns", "rules"]], _about("Panels to open.")
    ] = []


class WhatIf(Record, frozen=True, kw_only=True):
    """A fork of the cluster with one thing changed; it goes away without a trace."""

    change: Annotated[Line, _about("The change in words.")]
    do: Annotated[list[Action], _about("The change; without it only another question is asked.", max_length=12)] = []
    check: Annotated[list[Fact], _about("What is then true.", min_length=1, max_length=8)]
    why: Annotated[Text, _about("The reason.")] = ""
    rules: Rules = []


class Step(Record, frozen=True, kw_only=True):
    """One step of a lesson."""

    title: Annotated[Line, _about("A headline.")] = ""
    trigger: Annotated[
        Literal["presenter"] | Trigger, _about("`presenter` (a key), `after: SECONDS`, or `when:` an event.")
    ] = "presenter"
    say: Annotated[Text | Say, _about("What is told: one text, or `novice`, `operator`, `kernel`.")] = ""
    rules: Rules = []
    show: Annotated[Show, _about("What is in the light: `focus`, `panels`.")] = Show()
    do: Annotated[list[Action], _about("Changes, in order.", max_length=12)] = []
    probe: Annotated[str | Fact, _about("The packet that is followed: `SENDER -> TARGET`, or a fact with `ask`.")] = ""
    predict: Annotated[Predict | None, _about("A question before the changes of the step are made.")] = None
    check: Annotated[list[Fact], _about("Facts that must hold after the step.", max_length=12)] = []
    whatif: Annotated[list[WhatIf], _about("Forks to try from here.", max_length=12)] = []
    notes: Annotated[Text, _about("For the teacher's screen alone.")] = ""


class Lesson(Record, frozen=True, kw_only=True):
    """A lesson file."""

    id: Annotated[str, _about("Short name; without it that of the file.", max_length=60)] = ""
    title: Annotated[Line, _about("The title. Required.", min_length=1)]
    goal: Annotated[Line, _about("What a student knows afterwards.")] = ""
    minutes: Annotated[int, _about("How long it takes.", ge=1, le=180)] = 10
    level: Annotated[Literal["novice", "operator", "kernel"], _about("For whom: novice, operator or kernel.")] = (
        "novice"
    )
    mission: Annotated[list[str], _about("Lines of the mission that it covers.")] = []
    misconceptions: Annotated[list[str], _about("Misconceptions it corrects, M1 to M24.")] = []
    seed: Annotated[int, _about("Chance of the simulated cluster.")] = 1
    settings: Annotated[dict[str, Any], _about("Cluster settings (docs/settings.md).")] = {}
    cluster: Annotated[str | list[Obj], _about("Manifests: a list, or the name of a file beside the lesson. Required.")]
    probe: Annotated[str | Fact, _about("Of the shortest lesson: the one packet that is followed.")] = ""
    steps: Annotated[list[Step], _about("The steps, in order.", max_length=40)] = []
    check: Annotated[list[Fact], _about("The check at the end: facts that must hold.", max_length=20)] = []
    notes: Annotated[Text, _about("For the teacher's screen alone.")] = ""

    @property
    def all_steps(self) -> list[Step]:
        """The steps; of the shortest lesson one with its probe."""
        return self.steps or [Step(title=self.title, probe=self.probe)]


def said(say: str | Say, depth: Depth) -> str:
    """The words for a depth, or the nearest simpler ones."""
    if isinstance(say, str):
        return say
    words = [say.novice, say.operator, say.kernel][: DEPTHS.index(depth) + 1]
    return next((text for text in reversed(words) if text), "")


def as_fact(probe: str | Fact) -> Fact:
    """A probe in either notation."""
    return Fact(ask=probe) if isinstance(probe, str) else probe


def choice(entry: str | Choice) -> Choice:
    """A choice in either notation, its value filled in."""
    full = Choice(text=entry) if isinstance(entry, str) else entry
    return full if full.value is not msgspec.UNSET else msgspec.structs.replace(full, value=full.text)
