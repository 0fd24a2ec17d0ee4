"""Reading recordings (docs/recordings.md): JSON lines, usually compressed with gzip."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

VERSION = 1
# Bytes of lines; the browser neither records nor opens more.
MOST = 64 * 1024 * 1024
MARGIN = 1024 * 1024
KINDS = ("recording", "keyframe", "state", "traffic", "trace")


class RecordingError(ValueError):
    """What cannot be read; the message says where and what is allowed."""


class Head(msgspec.Struct, frozen=True):
    """The first line. Times are seconds since 1970."""

    type: str
    version: int
    cluster: str
    to: float
    from_: float = msgspec.field(name="from")


class Recording(msgspec.Struct, frozen=True):
    """A whole recording: ``lines`` without the first, ``sha256`` of all bytes before compression."""

    head: Head
    lines: list[dict[str, Any]]
    sha256: str


def read(path: Path) -> Recording:
    """Read a recording. Raises `RecordingError`, or `OSError` when there is no such file."""
    data = unpacked(path)
    texts = [text for text in data.split(b"\n") if text]
    lines = [line_of(number, text) for number, text in enumerate(texts, start=1)]
    if not lines or lines[0]["type"] != "recording":
        raise RecordingError("line 1: must be of type recording")
    try:
        head = msgspec.convert(lines[0], Head)
    except msgspec.ValidationError as error:
        raise RecordingError(f"line 1: {error}") from None
    if head.version != VERSION:
        raise RecordingError(f"line 1: version {head.version} cannot be read: allowed is {VERSION}")
    if len(lines) < 2 or lines[1]["type"] != "keyframe":
        raise RecordingError("line 2: must be of type keyframe")
    return Recording(head, lines[1:], hashlib.sha256(data).hexdigest())


def unpacked(path: Path) -> bytes:
    """The lines of the file, never more than the limit."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            data: bytes = stream.read(MOST + MARGIN + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RecordingError(f"its compression is damaged: {error}") from None
    if len(data) > MOST + MARGIN:
        raise RecordingError(f"it unpacks to more than {MOST // 2**20} MB")
    return data


def line_of(number: int, text: bytes) -> dict[str, Any]:
    """One line. Raises `RecordingError`."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RecordingError(f"line {number}: not JSON") from None
    if not isinstance(found, dict) or found.get("type") not in KINDS:
        raise RecordingError(f"line {number}: unknown type; allowed are {', '.join(KINDS)}")
    return found


def happenings(recording: Recording, *, calls: bool) -> Iterator[tuple[float, str]]:
    """What happened, in words, with its time; with ``calls`` every connection that was drawn too."""
    routes: dict[str, dict[str, Any]] = {}
    for line in recording.lines:
        kind, time = line["type"], float(line.get("time") or 0)
        if kind == "keyframe":
            picture = line.get("snapshot") or {}
            routes |= {route["id"]: route for route in picture.get("routes", [])}
            yield float(picture.get("time") or 0), f"the whole picture: {len(picture.get('entities', []))} entities"
        elif kind == "state":
            for event in line.get("events", []):
                yield time, f"{event['type']:7} {event['reason']} {event['ref']}: {event['message']}"
            changed, gone = [one["id"] for one in line.get("set", [])], line.get("unset", [])
            if changed or gone:
                yield time, " ".join(["changed", *changed, *(f"-{ref}" for ref in gone)])
        elif kind == "traffic":
            routes |= {route["id"]: route for route in line.get("routes", [])}
            for route_id, count, connection in line.get("calls", []) if calls else ():
                yield time, f"{count} x {way(routes.get(route_id))} ({connection})"
        elif kind == "trace":
            yield time, f"traced {line.get('question')}: {(line.get('trace') or {}).get('verdict')}"


def way(route: dict[str, Any] | None) -> str:
    """A route in words."""
    if route is None:
        return "a route that is not in the recording"
    return f"{route['waypoints'][0]} -> {route['stop'] or route['waypoints'][-1]}: {route['effect']}"
