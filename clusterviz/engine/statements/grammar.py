"""One statement in words, and what it means."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from clusterviz.engine.errors import EngineError
from clusterviz.engine.probe import PROTOCOLS, is_ip

Kind = Literal["reach", "not_reach", "seen"]
FORMS = (
    "WHO can reach WHAT",
    "WHO cannot reach WHAT",
    "source seen by WHAT is the client",
    "source seen by WHAT is a node",
    "source seen by WHAT is ADDRESS",
)
_OVER = re.compile(r"\s+over\s+(\S+)$", re.IGNORECASE)
_REACH = re.compile(r"(?P<who>.+?)\s+(?P<verb>can(?:not|\s+not|'t)?)\s+reach\s+(?P<what>\S+)", re.IGNORECASE)
_SEEN = re.compile(
    r"(?:the\s+)?source\s+seen\s+by\s+(?P<what>\S+)\s+is\s+(?P<seen>the\s+client|a\s+node|\S+)(?:\s+from\s+(?P<who>.+))?",
    re.IGNORECASE,
)
LONGEST = 2_000


class StatementError(EngineError):
    """A statement that cannot be read, or is about what is not there; ``allowed`` says what can be said."""

    def __init__(self, message: str, allowed: str = "") -> None:
        super().__init__(message)
        self.allowed = allowed


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is claimed. ``who`` and ``what`` are as typed; ``seen`` is client, node or an address.

    ``who`` may also be ``every pod`` or ``every pod of NAMESPACE``.
    """

    text: str
    kind: Kind
    who: str
    what: str
    seen: str = ""
    protocol: str = ""


def parse(text: str) -> Statement:
    """Read a statement, one of `FORMS`; `` over UDP`` may follow. Raises `StatementError`."""
    text = text.strip()
    allowed = "; ".join(FORMS)
    if not text or len(text) > LONGEST:
        raise StatementError("the statement is empty or too long", allowed)
    words, protocol = text.rstrip("."), ""
    if over := _OVER.search(words):
        words, protocol = words[: over.start()], over[1].upper()
        if protocol not in PROTOCOLS:
            raise StatementError(f"unknown protocol {over[1]!r}", ", ".join(PROTOCOLS))
    if found := _SEEN.fullmatch(words):
        return Statement(
            text=text,
            kind="seen",
            who=found["who"] or "internet",
            what=found["what"],
            seen=_seen(found["seen"]),
            protocol=protocol,
        )
    if found := _REACH.fullmatch(words):
        kind: Kind = "reach" if found["verb"].lower() == "can" else "not_reach"
        return Statement(text=text, kind=kind, who=found["who"], what=found["what"], protocol=protocol)
    raise StatementError(f"cannot read {text!r}", allowed)


def _seen(text: str) -> str:
    words = text.lower().split()
    if words in (["the", "client"], ["a", "node"]):
        return words[1]
    if is_ip(text):
        return text
    raise StatementError(f"{text!r} is no source", "the client, a node, or an IP address")
