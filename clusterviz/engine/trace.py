"""The answer to "what happens to this packet?": Trace > Hop > Step.

A Trace is a journey. A Hop is one place visited, with the full header stack going in and coming out.
A Step is one decision at that place: a past-tense action, the rule that decided, and what changed.
Sentences are not stored: `clusterviz.engine.explain` writes them from ``reason`` and ``facts``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.outcomes import SUCCESSES, Action, Assumption, Blocker, Decision, Fix, Verdict
from clusterviz.engine.packet import IP, L4, Rewrite, Stack
from clusterviz.engine.probe import Probe

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster
    from clusterviz.engine.ongoing import Opened

__all__ = [
    "SUCCESSES",
    "Action",
    "Assumption",
    "Blocker",
    "Branch",
    "Candidate",
    "Child",
    "Considered",
    "Decision",
    "Fix",
    "Hop",
    "Place",
    "Rule",
    "Session",
    "Snapshot",
    "Step",
    "Trace",
    "Verdict",
    "Walked",
    "Waypoint",
    "branch_of",
    "outcome",
]


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The rule that decided a step.

    ``ref`` is the picture id of the object it comes from (``policy:shop/db``), ``path`` the YAML path
    inside it, ``text`` the rule as its owner prints it, ``made_by`` who wrote it there, ``rules``
    the ids of docs/rules.md it follows.
    """

    name: str
    text: str = ""
    ref: str = ""
    path: str = ""
    index: int | None = None
    made_by: str = ""
    rules: tuple[str, ...] = ()


class Considered(msgspec.Struct, frozen=True, gc=False):
    """A rule that was looked at and did not match, with why (nearest miss first).

    ``path`` is its YAML path, ``failed`` the parts that did not match: peer, port.
    """

    rule: str
    why: str
    ref: str = ""
    path: str = ""
    failed: tuple[str, ...] = ()


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One backend a choice could pick. ``probability`` is 0 for an excluded one, ``why`` says why."""

    address: str
    port: int
    pod: str = ""
    node: str = ""
    probability: float = 0.0
    picked: bool = False
    why: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A conntrack entry: ``orig`` and ``reply`` are ``src:port>dst:port`` tuples."""

    node: str
    proto: str
    orig: str
    reply: str
    nat: str = ""
    state: str = "NEW"


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decision. ``reason`` is a stable code; `explain.sentence` turns it into words.

    ``diffs`` change fields of the innermost headers, ``push`` and ``pop`` are whole headers put on
    or taken off the outside of the stack. ``settings`` names the fields of `Settings` that decided;
    ``command`` would show the deciding state on a real node.
    """

    action: Action
    reason: str
    layer: int = 3
    direction: str = "in"
    hook: str = ""
    component: str = ""
    chain: str = ""
    rule: Rule | None = None
    considered: tuple[Considered, ...] = ()
    diffs: tuple[Rewrite, ...] = ()
    push: Stack = ()
    pop: Stack = ()
    candidates: tuple[Candidate, ...] = ()
    session: Session | None = None
    facts: dict[str, Any] = {}
    command: str = ""
    settings: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a hop is.

    ``kind``: container, pod, node, wire, loadbalancer, proxy, dns, internet, external.
    ``ref`` is the picture id that lights up.
    """

    kind: str
    ref: str
    label: str


class Hop(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One place visited. ``owners`` says for each address in the stacks who owns it."""

    seq: int
    place: Place
    node: str = ""
    role: str = "transit"
    in_iface: str = ""
    out_iface: str = ""
    headers_in: Stack = ()
    headers_out: Stack = ()
    steps: tuple[Step, ...] = ()
    owners: dict[str, str] = {}
    state: str = "forwarded"
    via: tuple[str, ...] = ()


class Branch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One way the journey could have gone, with its odds; probabilities sum to 1."""

    label: str
    pod: str
    address: str
    probability: float
    chosen: bool = False


def branch_of(candidate: Candidate) -> Branch:
    """The way to one candidate."""
    return Branch(
        label=candidate.pod.removeprefix("pod:") or candidate.address,
        pod=candidate.pod,
        address=host_port(candidate.address, candidate.port),
        probability=candidate.probability,
        chosen=candidate.picked,
    )


class Child(msgspec.Struct, frozen=True, gc=False):
    """A journey this one needed first or caused: name look-up, the proxy's own connection."""

    cause: str
    trace: Trace


class Waypoint(msgspec.Struct, frozen=True, gc=False):
    """A stop of the packet in the picture; the segment fields describe the way from here to the next.

    ``hop`` is the index into ``forward``; ``kind`` is ingress, service, pod, egress or local.
    """

    ref: str
    hop: int
    kind: str = ""
    nat: str = ""
    encapsulated: bool = False


class Snapshot:
    """The snapshot a trace was made in; ``str`` of it is the fingerprint, worked out when somebody reads it.

    ``opened``: the trace is of a connection that was opened in an earlier one.
    """

    __slots__ = ("_cluster", "_text", "opened")

    def __init__(self, cluster: Cluster, *, opened: Opened | None = None) -> None:
        self.opened = opened
        self._cluster: Cluster | None = cluster
        self._text = ""

    def __str__(self) -> str:
        cluster = self._cluster
        if cluster is not None:
            self._text = cluster.fingerprint
            self._cluster = None  # the trace may live longer than anybody wants the snapshot
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class Walked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fields of a `Trace` that the walk forward works out; ``proxy_hop`` is the hop of the last proxy."""

    verdict: Verdict
    symptom: str
    first_failing_step: tuple[int, int] | None = None
    forward: tuple[Hop, ...] = ()
    sessions: tuple[Session, ...] = ()
    branches: tuple[Branch, ...] = ()
    children: tuple[Child, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    waypoints: tuple[Waypoint, ...] = ()
    proxy_hop: int | None = None


_set = object.__setattr__
_REPLY = frozenset({"reverse", "reverse_reason"})


class Trace:
    """The whole answer. ``reverse`` is the reply leg; when empty, ``reverse_reason`` says why.

    ``decision``, ``verdict``, ``symptom``, ``branches`` and ``candidates`` (of the last choice of a backend, those it
    could not pick too) are there at once; so is ``blockers`` of what arrives. The walk, which everything else and the
    further blockers come from, and the reply may be made when a field of theirs is first read. A snapshot never
    changes, so they are the same then as now; two threads that read at once make them twice, which does no harm.
    Until it has walked a trace keeps its snapshot in memory.
    """

    FIELDS = (
        *("probe", "made_in", "verdict", "symptom", "first_failing_step", "forward", "reverse", "reverse_reason"),
        *("sessions", "branches", "children", "blockers", "assumptions", "waypoints"),
    )
    __slots__ = (*FIELDS, "_candidates", "_decision", "_late", "_proxy_hop")
    __hash__ = None  # type: ignore[assignment]

    probe: Probe
    made_in: Snapshot
    verdict: Verdict
    symptom: str
    first_failing_step: tuple[int, int] | None
    forward: tuple[Hop, ...]
    reverse: tuple[Hop, ...]
    reverse_reason: str
    sessions: tuple[Session, ...]
    branches: tuple[Branch, ...]
    children: tuple[Child, ...]
    blockers: tuple[Blocker, ...]
    assumptions: tuple[Assumption, ...]
    waypoints: tuple[Waypoint, ...]

    def __init__(self, probe: Probe, made_in: Snapshot, walked: Walked | None, **known: Any) -> None:
        """From a walk, or from all that is to be known (`but`)."""
        _set(self, "probe", probe)
        _set(self, "made_in", made_in)
        for name, value in known.items():
            _set(self, name, value)
        if walked is not None:
            self._learn(walked)

    @classmethod
    def decided(
        cls,
        probe: Probe,
        made_in: Snapshot,
        decision: Decision,
        symptom: str,
        choice: tuple[tuple[Candidate, ...], tuple[Branch, ...]],
        late: Callable[[], Walked],
    ) -> Trace:
        """From what is known before the walk; ``choice`` are candidates and branches, ``late`` makes the walk."""
        new = cls.__new__(cls)
        _set(new, "probe", probe)
        _set(new, "made_in", made_in)
        _set(new, "verdict", decision.verdict)
        _set(new, "symptom", symptom)
        _set(new, "branches", choice[1])
        _set(new, "_candidates", choice[0])
        _set(new, "_decision", decision)
        _set(new, "_late", late)
        if not decision.by:
            _set(new, "blockers", ())
        return new

    def _learn(self, walked: Walked) -> None:
        for name in Walked.__struct_fields__[:-1]:
            _set(self, name, getattr(walked, name))
        _set(self, "_proxy_hop", walked.proxy_hop)
        _set(self, "_late", None)

    def __getattr__(self, name: str) -> Any:
        """A field that nobody has read yet."""
        if name in _REPLY:
            from clusterviz.engine.reply import reply

            back, reason = reply(self.forward, self.verdict, self._proxy_hop)
            _set(self, "reverse", back)
            _set(self, "reverse_reason", reason)
        elif name == "_decision":
            _set(self, name, outcome(self))
        elif name == "_candidates":
            steps = (step for hop in reversed(self.forward) for step in reversed(hop.steps))
            _set(self, name, next((step.candidates for step in steps if step.candidates), ()))
        elif name in type(self).__slots__ and (late := self._late) is not None:
            self._learn(late())
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, _value: Any) -> None:
        raise AttributeError(f"a trace does not change: {name}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.FIELDS)

    def __repr__(self) -> str:
        return f"<Trace {self.probe!r}: {self.verdict.value}>"

    @property
    def snapshot(self) -> str:
        """Fingerprint of the snapshot it was made in."""
        return str(self.made_in)

    @property
    def success(self) -> bool:
        """Whether the client gets an answer from the application it called."""
        return self.verdict in SUCCESSES

    @property
    def decision(self) -> Decision:
        """Verdict, address and port the packet was last for, source seen there, and what stopped it."""
        found: Decision = self._decision
        return found

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every backend of the last choice on the way, with its odds, or why it has none."""
        found: tuple[Candidate, ...] = self._candidates
        return found

    def walk(self) -> Trace:
        """The same trace, walked: reading it can no longer fail."""
        assert self.forward is not None
        return self

    def but(self, **fields: Any) -> Trace:
        """The same with other values of some fields."""
        known = {name: getattr(self, name) for name in (*self.FIELDS[2:], "_proxy_hop")} | fields
        return Trace(self.probe, self.made_in, None, _late=None, **known)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the sentences of `explain` filled in; same input, same bytes."""
        from clusterviz.engine.explain import document

        return document(self)


def outcome(found: Trace | Walked) -> Decision:
    """What a walk comes to."""
    by = found.blockers[0].ref if found.blockers else ""
    stack = found.forward[-1].headers_out if found.forward else ()
    ip = next((header for header in reversed(stack) if isinstance(header, IP)), None)
    l4 = next((header for header in reversed(stack) if isinstance(header, L4)), None)
    if ip is None:
        return Decision(found.verdict, by=by)
    return Decision(found.verdict, ip.dst, l4.dport if l4 else 0, ip.src, by)
