"""Rooms that are open in this process, and what their browsers are told.

A browser has one slot for each kind of message and gets the newest of each: who reads slowly misses what is old
already, and nothing piles up for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from clusterviz.classroom.lesson import choice
from clusterviz.classroom.play import Play
from clusterviz.classroom.rooms.room import Room, RoomError, Student, new_room
from clusterviz.classroom.rooms.talk import encode
from clusterviz.live.flow import TransportFlow, innermost, transport_of

MOST_ROOMS = 100
CLOSE_CLOSED = 4410
# A room nobody teaches in closes by itself.
IDLE_SECONDS = 2 * 3600
# News of a moment go out together: 200 votes in a second are twenty messages to each browser, not two hundred.
PAUSE = 0.05


class Line:
    """One browser of a room. ``student`` is None for the teacher and for who has not come in yet."""

    def __init__(self, send: Any) -> None:
        self._send = innermost(send)
        self.student: Student | None = None
        self.teacher = False
        self._slots: dict[str, str] = {}
        self._last: dict[str, Any] | None = None
        self._wake = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        transport = transport_of(self._send)
        self._flow = TransportFlow(transport, self._open.clear, self._open.set) if transport else None
        self._task = asyncio.create_task(self._pump())

    def put(self, slot: str, text: str) -> None:
        """The newest message of its kind."""
        self._slots.pop(slot, None)
        self._slots[slot] = text
        self._wake.set()

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            await self._open.wait()
            self._wake.clear()
            texts, self._slots = list(self._slots.values()), {}
            for text in texts:
                await self._send({"type": "websocket.send", "text": text})
            if self._last is not None:
                await self._send(self._last)
                return
            await asyncio.sleep(PAUSE)

    def part(self, code: int, reason: str) -> None:
        """Close the socket once what was put is sent."""
        self._last = {"type": "websocket.close", "code": code, "reason": reason}
        self._wake.set()

    def close(self) -> None:
        """The browser is gone."""
        self._task.cancel()
        if self._flow is not None:
            self._flow.close()


class Hall:
    """An open room with the lines of its browsers. Only the event loop touches it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.lines: set[Line] = set()
        self.seen = time.monotonic()

    @property
    def stale(self) -> bool:
        """Whether no teacher was here for long."""
        return time.monotonic() - self.seen > IDLE_SECONDS

    def tell(self, kind: str, to: Callable[[Line], bool], **fields: Any) -> None:
        """One message, written once, to all it is for."""
        text = encode(kind, **fields)
        for line in self.lines:
            if to(line):
                line.put(kind, text)

    def tell_state(self) -> None:
        """Where the class is and what the teacher ruled."""
        self.tell("state", _inside, **state(self.room))
        self.tell_people()

    def tell_people(self) -> None:
        """The teacher sees who is here, who is lost and who looks around; all see how many predicted."""
        self.tell("people", _teaches, people=people(self.room))
        self.tell("tally", _inside, **self.room.tally(self.room.step))

    def enter(self, line: Line, student: Student) -> None:
        """A student's browser is in the room now."""
        self.leave_place(line)
        line.student = student
        student.here += 1
        line.put("you", encode("you", **you(student)))
        line.put("state", encode("state", **state(self.room)))
        if self.room.scene:
            line.put("scene", encode("scene", **self.room.scene))
        self.tell_people()

    def leave_place(self, line: Line) -> None:
        """A student's browser is gone; the place stays."""
        if line.student is not None:
            line.student.here -= 1
            line.student = None

    def send_out(self, student: Student) -> None:
        """A student the teacher removed."""
        for line in [one for one in self.lines if one.student is student]:
            line.student = None
            line.put("out", encode("out", message="The teacher closed your place in this room."))

    def close(self) -> None:
        """Everybody is told, everything is forgotten."""
        self.tell("closed", lambda _: True, message="The room is closed. Nothing of it is kept.")
        for line in self.lines:
            line.part(CLOSE_CLOSED, "The room is closed.")
        self.room.students.clear()


def _inside(line: Line) -> bool:
    return line.teacher or line.student is not None


def _teaches(line: Line) -> bool:
    return line.teacher


def state(room: Room) -> dict[str, Any]:
    """What all may know. ``place`` is what the page of a lesson asks its server for."""
    run = room.run
    return {
        "place": {
            "step": room.step + 1,
            "done": not room.open,
            "depth": run.depth,
            "revealed": run.revealed,
            "whatif": 0 if run.fork is None else run.fork + 1,
        },
        "locked": room.locked,
        "free": room.free,
        "dimmed": room.dimmed,
        "copies": room.copies,
        "seconds": None if room.until is None else max(0, round(room.until - time.monotonic(), 1)),
    }


def script(room: Room) -> list[dict[str, Any]]:
    """What the teacher's own screen has: the notes of every step, and what will be asked."""
    steps = room.play.lesson.all_steps
    return [
        {
            "title": step.title,
            "notes": step.notes,
            "question": step.predict.question if step.predict else "",
            "choices": [choice(one).text for one in step.predict.choices] if step.predict else [],
        }
        for step in steps
    ]


def you(student: Student) -> dict[str, Any]:
    """What a student may know of their own place."""
    return {
        "token": student.token,
        "name": student.name,
        "votes": {str(step): choice for step, choice in student.votes.items()},
        "around": student.around,
        "lost": student.lost,
    }


def people(room: Room) -> list[dict[str, Any]]:
    """Who is in the room, for the teacher."""
    step = room.step
    return [
        {
            "number": one.number,
            "name": one.name,
            "here": one.here > 0,
            "around": one.around,
            "lost": one.lost,
            "voted": step in one.votes,
            "changes": one.changes,
        }
        for one in room.students.values()
    ]


HALLS: dict[str, Hall] = {}


def open_hall(lesson: str, play: Play) -> Room:
    """A new room. Raises `RoomError` where there are too many."""
    for code in [code for code, hall in list(HALLS.items()) if hall.stale]:
        HALLS.pop(code, None)
    if len(HALLS) >= MOST_ROOMS:
        raise RoomError("full", _("there are %(most)s rooms open already: close one") % {"most": MOST_ROOMS})
    room = new_room(lesson, play)
    HALLS[room.code] = Hall(room)
    return room


def hall_of(code: str) -> Hall | None:
    """The room of a code as people type it."""
    return HALLS.get(code.strip().upper())
