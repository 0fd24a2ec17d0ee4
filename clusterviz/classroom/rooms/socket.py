"""The websocket of a room: `/ws/rooms/<code>/`. Who comes in says so first; what is out of turn changes nothing."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import override

from clusterviz.classroom.rooms import hall as halls
from clusterviz.classroom.rooms import talk
from clusterviz.classroom.rooms.hall import Hall, Line
from clusterviz.classroom.rooms.room import RoomError, Student
from clusterviz.live.consumer import BareConsumer
from clusterviz.live.protocol import CLOSE_TOO_BIG
from clusterviz.words import language_of

CLOSE_NO_ROOM = 4404
# Wrong keys and tokens are guesses: this many, and the socket closes.
MOST_WRONG = 5


class RoomConsumer(BareConsumer):
    """One browser: a student, the teacher, or somebody who has not said yet."""

    hall: Hall | None = None
    line: Line | None = None
    wrong = 0

    async def connect(self) -> None:
        """Wait for a first word, or say that there is no such room."""
        await self.accept()
        self.hall = halls.hall_of(self.scope["url_route"]["kwargs"]["code"])
        if self.hall is None:
            await self.close(code=CLOSE_NO_ROOM, reason="There is no room with this code.")
            return
        self.line = Line(self.base_send)
        self.hall.lines.add(self.line)

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Do what is asked, or say why not."""
        hall, line = self.hall, self.line
        if hall is None or line is None:
            return
        try:
            with override(language_of(self.scope)):
                self._do(hall, line, talk.decode(message.get("text")))
        except talk.TalkError as error:
            line.put("error", talk.encode("error", code="invalid", message=f"{error}."[:400]))
            self._guessed(line, CLOSE_TOO_BIG)
        except RoomError as error:
            line.put("error", talk.encode("error", code=error.code, message=f"{error}."))
            if error.code in {"gone", "key"}:
                self._guessed(line, CLOSE_NO_ROOM)

    def _guessed(self, line: Line, code: int) -> None:
        self.wrong += 1
        if self.wrong >= MOST_WRONG:
            line.part(code, "Too many messages that cannot be taken.")

    def _do(self, hall: Hall, line: Line, wish: Any) -> None:
        if isinstance(wish, talk.Entry):
            self._enter(hall, line, wish)
        elif isinstance(wish, talk.TeacherWish):
            if not line.teacher:
                raise RoomError("teacher", _("only the teacher may do that"))
            hall.seen = time.monotonic()
            teach(hall, wish)
        elif line.student is None:
            raise RoomError("outside", _("come in with a name first"))
        else:
            study(hall, line.student, wish)

    def _enter(self, hall: Hall, line: Line, wish: talk.Entry) -> None:
        room = hall.room
        if isinstance(wish, talk.Teach):
            if not room.is_teacher(wish.key):
                raise RoomError("key", _("this is not the key of the room"))
            hall.leave_place(line)
            line.teacher, hall.seen = True, time.monotonic()
            line.put("script", talk.encode("script", notes=room.play.lesson.notes, steps=halls.script(room)))
            line.put("state", talk.encode("state", **halls.state(room)))
            hall.tell_people()
            return
        if line.student is not None or line.teacher:
            raise RoomError("inside", _("you are in the room already"))
        student = room.join(wish.name) if isinstance(wish, talk.Join) else room.come_back(wish.token)
        hall.enter(line, student)

    def _leave(self) -> None:
        """The place of a student is kept for when they come back."""
        if self.hall is not None and self.line is not None:
            self.hall.lines.discard(self.line)
            self.hall.leave_place(self.line)
            self.line.close()
            self.hall.tell_people()
            self.line = None


def study(hall: Hall, student: Student, wish: talk.StudentWish) -> None:
    """What a student asks for. Raises `RoomError`."""
    if isinstance(wish, talk.Vote):
        hall.room.vote(student, wish.step, wish.choice, time.monotonic())
    elif isinstance(wish, talk.Around):
        hall.room.look_around(student, around=wish.around)
    elif isinstance(wish, talk.Copied):
        hall.room.keep_copy(student, wish.changes)
    else:
        student.lost = wish.lost
    hall.tell("you", lambda line: line.student is student, **halls.you(student))
    hall.tell_people()


def teach(hall: Hall, wish: talk.TeacherWish) -> None:
    """What the teacher asks for. Raises `RoomError`."""
    room = hall.room
    if isinstance(wish, talk.Turn):
        room.turn(wish.turn, wish.number)
        if wish.turn == "reset":
            tell_all_votes(hall)
        hall.tell_state()
    elif isinstance(wish, talk.Scene):
        room.scene = msgspec.to_builtins(wish)
        room.scene.pop("type", None)
        hall.tell("scene", lambda line: line.student is not None, **room.scene)
    elif isinstance(wish, talk.Rule):
        if wish.seconds is not None:
            room.limit(wish.seconds, time.monotonic())
        room.rule(locked=wish.locked, free=wish.free, dimmed=wish.dimmed, copies=wish.copies)
        tell_all_votes(hall)
        hall.tell_state()
    elif isinstance(wish, talk.Close):
        halls.HALLS.pop(room.code, None)
        hall.close()
    else:
        if isinstance(wish, talk.Remove):
            hall.send_out(room.remove(wish.number))
        else:
            student = room.rename(wish.number, wish.name)
            hall.tell("you", lambda line: line.student is student, **halls.you(student))
        hall.tell_people()


def tell_all_votes(hall: Hall) -> None:
    """Everybody's own place anew."""
    for line in hall.lines:
        if line.student is not None:
            line.put("you", talk.encode("you", **halls.you(line.student)))
