"""What a command on a node or in a pod would print."""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One text: ``id`` is stable, ``command`` prints it on a real machine, ``note`` says what it simplifies."""

    id: str
    title: str
    command: str
    text: str
    note: str = ""


def joined(lines: list[str]) -> str:
    """Lines with a line feed each; no lines, no text."""
    return "".join(f"{line}\n" for line in lines)
