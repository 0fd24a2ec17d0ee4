"""Every message of the websocket, typed: the single list docs/protocol.md speaks of.

Server messages are encoded once with `encode`; browser messages are read with `decode`, which
answers anything it cannot read with a `ProtocolError` that says what is allowed.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

PROTOCOL = 1
MAX_MESSAGE = 16 * 1024
STATE_RING = 256
MAX_WATCHED, MOST_WATCHED = 200, 600
MAX_ID = 600
CLOSE_TOO_BIG = 4409
CLOSE_UNKNOWN_CLUSTER = 4404

Entity = dict[str, Any]


class Segment(msgspec.Struct, frozen=True):
    """The way from one waypoint to the next."""

    kind: str
    nat: str = ""
    encapsulated: bool = False


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A way connections of one flow take, sent before the first call that uses it."""

    id: str
    flow: str
    kind: str
    effect: str
    waypoints: tuple[str, ...]
    segments: tuple[Segment, ...]
    verdict: str
    symptom: str
    stop: str = ""
    overlay: bool = False
    reason: str = ""


class Call(msgspec.Struct, frozen=True, array_like=True):
    """``count`` connections took ``route`` in this frame; ``connection`` is one of them."""

    route: str
    count: int
    connection: str


class FlowTotals(msgspec.Struct, frozen=True):
    """What became of a flow's connections, in requests a second."""

    rps: float
    ok: float
    refused: float
    dropped: float


class Totals(msgspec.Struct, frozen=True):
    """Rates over the last seconds, by flow id."""

    rps: float = 0.0
    flows: dict[str, FlowTotals] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in the cluster, worded as Kubernetes words it."""

    id: str
    time: float
    wall: float
    type: str
    reason: str
    message: str
    ref: str
    about: str = ""
    """The ReplicaSet it is about, when ``ref`` is the Deployment above it: the picture shows no ReplicaSets."""


class Trunk(msgspec.Struct, frozen=True):
    """Connections a second from one zone to another; "" is no zone, "internet" and "external" are outside."""

    from_: str = msgspec.field(name="from")
    to: str
    rps: float
    errors: float


class MassState(msgspec.Struct, frozen=True, kw_only=True):
    """What changed among the pods of a large cluster.

    ``pods`` are (index, node or -1, state, workload); ``workloads`` that are new (index, kind, namespace, name).
    """

    pods: list[tuple[int, int, int, int]]
    workloads: list[tuple[int, str, str, str]]
    counts: dict[str, int]


class MassTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """Heat of the pods of a large cluster: (index, level) of those that changed.

    ``sweep`` are the levels from an index on, base64, a part a frame: it mends what a dropped frame took along.
    ``trunks`` is None when it is as before. One connection in ``sampled`` was decided; what they say is scaled up.
    """

    heat: list[tuple[int, int]]
    sweep: tuple[int, str] | None
    trunks: list[Trunk] | None
    sampled: int


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello", kw_only=True):
    """First message; without ``resumed`` the browser fetches the snapshot next."""

    cluster: str
    epoch: int
    seq: int
    time: float
    editor: bool
    resumed: bool
    protocol: int = PROTOCOL


class State(msgspec.Struct, frozen=True, tag_field="type", tag="state", kw_only=True):
    """A change of the picture that builds on ``base``; must arrive."""

    epoch: int
    seq: int
    base: int
    time: float
    set: list[Entity]
    unset: list[str]
    events: list[Event]
    mass: MassState | None = None


class Traffic(msgspec.Struct, frozen=True, tag_field="type", tag="traffic", kw_only=True):
    """What was on the wires since the last frame; the newest one wins."""

    epoch: int
    seq: int
    time: float
    routes: list[Route]
    calls: list[Call]
    totals: Totals
    mass: MassTraffic | None = None


class Resync(msgspec.Struct, frozen=True, tag_field="type", tag="resync"):
    """The browser must fetch the snapshot again."""

    reason: str


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong"):
    """Answer to `Ping`."""

    time: float


class Error(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """What was wrong with a message of the browser's."""

    code: str
    message: str


class Resume(msgspec.Struct, frozen=True, tag_field="type", tag="resume", forbid_unknown_fields=True):
    """Go on after ``seq`` of ``epoch``; only as the first message."""

    epoch: int
    seq: int


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping", forbid_unknown_fields=True):
    """Are you there?"""


class Subscribe(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe", forbid_unknown_fields=True):
    """Whether traffic frames are wanted."""

    traffic: bool


WatchedId = Annotated[str, msgspec.Meta(max_length=MAX_ID)]


class Watch(msgspec.Struct, frozen=True, tag_field="type", tag="watch", forbid_unknown_fields=True):
    """What the browser looks at closely, instead of what it said before; matters in form mass."""

    ids: Annotated[list[WatchedId], msgspec.Meta(max_length=MAX_WATCHED)]


ServerMessage = Hello | State | Traffic | Resync | Pong | Error
BrowserMessage = Resume | Ping | Subscribe | Watch
SERVER_MESSAGES: tuple[type[msgspec.Struct], ...] = (Hello, State, Traffic, Resync, Pong, Error)
BROWSER_MESSAGES: tuple[type[msgspec.Struct], ...] = (Resume, Ping, Subscribe, Watch)

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(BrowserMessage)


class ProtocolError(Exception):
    """A message of the browser's that cannot be understood; ``code`` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def encode(message: ServerMessage) -> str:
    """The JSON text of a message; the same message gives the same text."""
    return _encoder.encode(message).decode()


def decode(text: str | None) -> BrowserMessage:
    """Read a browser's message, None for a binary one. Raises `ProtocolError` for anything else."""
    if text is None:
        raise ProtocolError("binary", "Binary messages are not understood; send JSON text.")
    try:
        message: BrowserMessage = _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ProtocolError("invalid", f"{error}. Allowed: resume, ping, subscribe, watch.") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError("malformed", f"Not a JSON object: {error}") from None
    return message
