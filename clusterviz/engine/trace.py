"""The answer to "what happens to this packet?": Trace > Hop > Step.

A Trace is a journey. A Hop is one place visited, with the full header stack going in and coming out.
A Step is one decision at that place: a past-tense action, the rule that decided, and what changed.
Sentences are not stored: `clusterviz.engine.explain` writes them from ``reason`` and ``facts``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.packet import Rewrite, Stack
from clusterviz.engine.probe import Probe

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Action(StrEnum):
    """What a step did, in the past tense."""

    ORIGINATED = "originated"
    RESOLVED = "resolved"
    RECEIVED = "received"
    PERMITTED = "permitted"
    DROPPED = "dropped"
    REJECTED = "rejected"
    LOAD_BALANCED = "load_balanced"
    DNAT = "dnat"
    MASQUERADED = "masqueraded"
    UN_NAT = "un_nat"
    ROUTED = "routed"
    SWITCHED = "switched"
    ENCAPSULATED = "encapsulated"
    DECAPSULATED = "decapsulated"
    FORWARDED = "forwarded"
    SESSION_MADE = "session_made"
    SESSION_HIT = "session_hit"
    PROXIED = "proxied"
    ANSWERED = "answered_locally"
    DELIVERED = "delivered"
    EXITED = "exited"
    EXPIRED = "expired"


class Verdict(StrEnum):
    """How a journey ended. One closed list; docs/verdicts.md documents each value."""

    DELIVERED = "delivered"
    DELIVERED_IN_POD = "delivered_in_pod"
    EXITED_CLUSTER = "exited_cluster"
    DENIED_INGRESS = "denied_ingress"
    DENIED_EGRESS = "denied_egress"
    NO_ENDPOINTS_REJECTED = "no_endpoints_rejected"
    NO_LOCAL_ENDPOINT_DROPPED = "no_local_endpoint_dropped"
    SOURCE_RANGE_DROPPED = "source_range_dropped"
    VIP_PORT_UNKNOWN = "vip_port_unknown"
    VIP_ICMP_UNANSWERED = "vip_icmp_unanswered"
    NOBODY_LISTENING = "nobody_listening"
    NAME_NOT_FOUND = "name_not_found"
    DNS_BLOCKED = "dns_blocked"
    NO_ROUTE = "no_route"
    NODE_DOWN = "node_down"
    POD_GONE = "pod_gone"
    POD_NOT_RUNNING = "pod_not_running"
    NO_LB_PROVIDER = "no_lb_provider"
    NO_LB_BACKEND = "no_lb_backend"
    NO_INGRESS_CONTROLLER = "no_ingress_controller"
    NO_INGRESS_RULE = "no_ingress_rule"
    PROXY_NO_ENDPOINTS = "proxy_no_endpoints"
    PROXY_BACKEND_INVALID = "proxy_backend_invalid"
    REDIRECTED = "redirected"
    HAIRPIN_DROPPED = "hairpin_dropped"
    REPLY_LOST = "reply_lost"
    TTL_EXPIRED = "ttl_expired"
    MTU_EXCEEDED = "mtu_exceeded"
    INSUFFICIENT_INFO = "insufficient_info"


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


class Blocker(msgspec.Struct, frozen=True, gc=False):
    """Something that stops this connection; all of them are listed, not only the first."""

    verdict: Verdict
    ref: str
    rule: str
    why: str


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One edit that would help: to an object, or to a setting of the cluster.

    ``kind`` says what to do with ``patch``, which is YAML: ``patch`` is for ``kubectl patch --type merge`` on the
    object with picture id ``ref``, ``create`` a whole object for ``kubectl apply``, ``delete`` an object to remove,
    ``setting`` sets field ``setting`` of `Settings` to ``value`` (JSON text); ``call`` changes no object: the caller
    should call ``value`` instead, over ``protocol``. Fixes with the same ``group`` belong together: only all of them
    help. ``verified`` is True when the same probe, traced after the edits of the group, succeeded.
    """

    title: str
    kind: Literal["patch", "create", "delete", "setting", "call"]
    ref: str = ""
    patch: str = ""
    setting: str = ""
    value: str = ""
    protocol: str = ""
    why: str = ""
    group: int = 0
    command: str = ""
    verified: bool = False


class Assumption(msgspec.Struct, frozen=True, gc=False):
    """A simplification this trace rests on."""

    code: str
    text: str


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
    """The snapshot a trace was made in; ``str`` of it is the fingerprint, worked out when somebody reads it."""

    __slots__ = ("_cluster", "_text")

    def __init__(self, cluster: Cluster) -> None:
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


class Trace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The whole answer. ``reverse`` is the reply leg; when empty, ``reverse_reason`` says why."""

    probe: Probe
    made_in: Snapshot = msgspec.field(name="snapshot")
    verdict: Verdict
    symptom: str
    first_failing_step: tuple[int, int] | None = None
    forward: tuple[Hop, ...] = ()
    reverse: tuple[Hop, ...] = ()
    reverse_reason: str = ""
    sessions: tuple[Session, ...] = ()
    branches: tuple[Branch, ...] = ()
    children: tuple[Child, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    waypoints: tuple[Waypoint, ...] = ()

    @property
    def snapshot(self) -> str:
        """Fingerprint of the snapshot it was made in."""
        return str(self.made_in)

    @property
    def success(self) -> bool:
        """Whether the client gets an answer from the application it called."""
        return self.verdict in SUCCESSES

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the sentences of `explain` filled in; same input, same bytes."""
        from clusterviz.engine.explain import document

        return document(self)


SUCCESSES = frozenset({Verdict.DELIVERED, Verdict.DELIVERED_IN_POD, Verdict.EXITED_CLUSTER})
