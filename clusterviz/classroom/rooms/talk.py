"""The messages of a room's websocket, each with what it means."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

MAX_MESSAGE = 8 * 1024

Short = Annotated[str, msgspec.Meta(max_length=200)]


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Base of what a browser may say."""


class Join(Asked, frozen=True, kw_only=True, tag="join"):
    """A student comes in under a name."""

    name: Short


class Back(Asked, frozen=True, kw_only=True, tag="back"):
    """A student who was here before, or lost the network."""

    token: Short


class Teach(Asked, frozen=True, kw_only=True, tag="teach"):
    """The teacher, by the key of the room."""

    key: Short


class Vote(Asked, frozen=True, kw_only=True, tag="vote"):
    """A student's prediction at a step, from 0."""

    step: Annotated[int, msgspec.Meta(ge=0, le=99)]
    choice: Annotated[int, msgspec.Meta(ge=0, le=99)]


class Around(Asked, frozen=True, kw_only=True, tag="around"):
    """A student looks around alone, or comes back to the class."""

    around: bool


class Lost(Asked, frozen=True, kw_only=True, tag="lost"):
    """A student does not follow any more, or does again."""

    lost: bool


class Copied(Asked, frozen=True, kw_only=True, tag="copied"):
    """How many changes a student made to their copy."""

    changes: Annotated[int, msgspec.Meta(ge=0, le=99)]


class Turn(Asked, frozen=True, kw_only=True, tag="turn"):
    """The teacher moves the lesson: forward, back, reveal, go, fork, leave, reset or a depth."""

    turn: Short
    number: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0


class Scene(Asked, frozen=True, kw_only=True, tag="scene"):
    """What the teacher looks at: selection, step of the trace, middle and width of the view, a pen's ways, a spot."""

    select: Short = ""
    trace: Annotated[int, msgspec.Meta(ge=-1, le=999)] = -1
    camera: Annotated[list[float], msgspec.Meta(min_length=3, max_length=3)] | None = None
    pen: Annotated[list[Annotated[list[float], msgspec.Meta(max_length=200)]], msgspec.Meta(max_length=20)] = []
    spot: Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)] | None = None


class Rule(Asked, frozen=True, kw_only=True, tag="rule"):
    """The teacher locks the door, frees the class, dims the picture, or gives copies.

    ``seconds`` is the time for the open question, 0 without a limit.
    """

    locked: bool | None = None
    free: bool | None = None
    dimmed: bool | None = None
    copies: bool | None = None
    seconds: Annotated[int, msgspec.Meta(ge=0, le=900)] | None = None


class Rename(Asked, frozen=True, kw_only=True, tag="rename"):
    """The teacher gives a student another name."""

    number: int
    name: Short


class Remove(Asked, frozen=True, kw_only=True, tag="remove"):
    """The teacher sends a student out."""

    number: int


class Close(Asked, frozen=True, kw_only=True, tag="close"):
    """The teacher closes the room; nothing is kept."""


Entry = Join | Back | Teach
StudentWish = Vote | Around | Lost | Copied
TeacherWish = Turn | Scene | Rule | Rename | Remove | Close
_decoder = msgspec.json.Decoder(Entry | StudentWish | TeacherWish)
_encoder = msgspec.json.Encoder()


class TalkError(ValueError):
    """A message that cannot be understood."""


def decode(text: str | None) -> Any:
    """A browser's message. Raises `TalkError` for anything else."""
    if text is None:
        raise TalkError("binary messages are not understood; send JSON text")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_MESSAGE:
        raise TalkError(f"a message has at most {MAX_MESSAGE} bytes")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise TalkError(str(error)) from None


def encode(kind: str, **fields: Any) -> str:
    """A message to a browser."""
    return _encoder.encode({"type": kind, **fields}).decode()
