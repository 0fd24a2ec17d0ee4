"""A room as a state machine: who is in it, where the lesson stands, who predicted what. No socket, no clock.

Everything a person does either changes the room or raises a `RoomError`, whose message is for that person, and then
changes nothing. Places of students who left are kept for them: their token brings them back.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from clusterviz.classroom import run as runs
from clusterviz.classroom.play import Play
from clusterviz.classroom.rooms.names import UnfitNameError, same, tidy
from clusterviz.classroom.run import Run, TurnError

MOST_STUDENTS = 400
# Without letters and digits that are taken for one another when read from a wall.
LETTERS = "BCDFGHJKMNPQRSTVWXYZ23456789"
CODE_LENGTH = 6
STEPS = {"forward": runs.forward, "back": runs.back, "reveal": runs.reveal, "leave": runs.leave, "reset": runs.reset}


class RoomError(ValueError):
    """Something that cannot be done in the room now; ``code`` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass
class Student:
    """Somebody in the room. ``number`` is what others may know of them; ``votes`` are choices by step.

    ``changes`` are how many they made to a copy of their own; None outside of one.
    """

    number: int
    token: str
    name: str
    here: int = 0
    around: bool = False
    lost: bool = False
    changes: int | None = None
    votes: dict[int, int] = field(default_factory=dict)


@dataclass
class Room:
    """One class. ``lesson`` is the name it is taught under, ``run`` where it stands, ``scene`` what is looked at.

    ``copies`` says that everybody has a copy of the cluster to break. ``until`` is the moment, in seconds of whatever
    clock its caller has, at which the open question takes no more predictions; None is no limit.
    """

    lesson: str
    play: Play
    code: str
    key: str
    run: Run
    locked: bool = False
    free: bool = True
    dimmed: bool = False
    copies: bool = False
    until: float | None = None
    students: dict[str, Student] = field(default_factory=dict)
    scene: dict[str, Any] = field(default_factory=dict)
    _numbers: int = 0

    # -- people ---------------------------------------------------------------------------------------------------

    def join(self, name: str) -> Student:
        """Somebody new. Raises `RoomError`: locked, full, name."""
        if self.locked:
            raise RoomError("locked", _("the room is locked: ask the teacher to open it"))
        if len(self.students) >= MOST_STUDENTS:
            raise RoomError("full", _("the room is full: at most %(most)s students") % {"most": MOST_STUDENTS})
        tidied = self._free_name(name)
        self._numbers += 1
        student = Student(number=self._numbers, token=secrets.token_urlsafe(16), name=tidied)
        self.students[student.token] = student
        return student

    def come_back(self, token: str) -> Student:
        """Somebody who was here before. Raises `RoomError` for a token of nobody."""
        if token not in self.students:
            raise RoomError("gone", _("nobody of this room has that place: join with a name"))
        return self.students[token]

    def is_teacher(self, key: str) -> bool:
        """Whether the key is the teacher's."""
        return secrets.compare_digest(key.encode(errors="replace"), self.key.encode())

    def rename(self, number: int, name: str) -> Student:
        """Another name for somebody. Raises `RoomError`."""
        student = self._numbered(number)
        student.name = self._free_name(name, but=student)
        return student

    def remove(self, number: int) -> Student:
        """Send somebody out; their votes go with them. Raises `RoomError`."""
        student = self._numbered(number)
        del self.students[student.token]
        return student

    def _free_name(self, name: str, but: Student | None = None) -> str:
        try:
            tidied = tidy(name)
        except UnfitNameError as error:
            raise RoomError("name", str(error)) from None
        if any(same(one.name) == same(tidied) for one in self.students.values() if one is not but):
            raise RoomError("taken", _("there is a %(name)s already: choose another name") % {"name": tidied})
        return tidied

    def _numbered(self, number: int) -> Student:
        found = next((one for one in self.students.values() if one.number == number), None)
        if found is None:
            raise RoomError("nobody", _("there is nobody with number %(number)s") % {"number": number})
        return found

    # -- the lesson -----------------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Index of the step."""
        return runs.positions(self.play)[self.run.position][0]

    @property
    def open(self) -> bool:
        """Whether a prediction is asked for now."""
        index, done = runs.positions(self.play)[self.run.position]
        return not done and index not in self.run.revealed

    def turn(self, name: str, number: int = 0) -> None:
        """What the teacher does with the lesson. Raises `RoomError`."""
        try:
            if name in STEPS:
                self.run = STEPS[name](self.play, self.run)
            elif name == "fork":
                self.run = runs.fork(self.play, self.run, number)
            elif name == "go":
                self.run = runs.go(self.play, self.run, number)
            else:
                self.run = runs.deepen(self.run, name)
        except TurnError as error:
            raise RoomError("turn", str(error)) from None
        if name == "reset":
            for student in self.students.values():
                student.votes.clear()
        self.scene, self.until = {}, None

    def vote(self, student: Student, step: int, choice: int, now: float = 0.0) -> None:
        """Predict, or predict otherwise, until the reveal or the end of the time for it. Raises `RoomError`."""
        if step != self.step:
            raise RoomError("turn", _("the class is at another step now"))
        if self.until is not None and now > self.until:
            raise RoomError("late", _("the time for this question is over"))
        try:
            runs.predict(self.play, self.run, choice)
        except TurnError as error:
            raise RoomError("turn", str(error)) from None
        student.votes[step] = choice

    def tally(self, step: int) -> dict[str, Any]:
        """How many predicted; what they chose only after the reveal, one count a choice."""
        votes = [one.votes[step] for one in self.students.values() if step in one.votes]
        asked = self.play.lesson.all_steps[step].predict
        counts = None
        if asked is not None and step in self.run.revealed:
            chosen = Counter(votes)
            counts = [chosen[number] for number in range(len(asked.choices))]
        return {"step": step, "voted": len(votes), "of": self.present, "counts": counts}

    @property
    def present(self) -> int:
        """How many students are connected."""
        return sum(one.here > 0 for one in self.students.values())

    # -- what the teacher rules ---------------------------------------------------------------------------------------

    def rule(
        self,
        *,
        locked: bool | None = None,
        free: bool | None = None,
        dimmed: bool | None = None,
        copies: bool | None = None,
    ) -> None:
        """Lock the door, let students look around, dim the picture, give each a copy of the cluster; or end it."""
        self.locked = self.locked if locked is None else locked
        self.dimmed = self.dimmed if dimmed is None else dimmed
        self.free = self.free if free is None else free
        self.copies = self.copies if copies is None else copies
        if free is False or copies is False:
            for student in self.students.values():
                student.around, student.changes = False, None

    def limit(self, seconds: int, now: float) -> None:
        """Predictions are taken for this long from now on; 0 is without a limit. Raises `RoomError`."""
        if seconds and not self.open:
            raise RoomError("turn", _("there is no open question here"))
        self.until = now + seconds if seconds else None

    def look_around(self, student: Student, *, around: bool) -> None:
        """Leave the class's view, or come back to it. Raises `RoomError` where the teacher keeps all together."""
        if around and not self.free and not self.copies:
            raise RoomError("together", _("the teacher keeps the class together now"))
        student.around = around
        if not around:
            student.changes = None

    def keep_copy(self, student: Student, changes: int) -> None:
        """How far somebody came with their copy, for the teacher. Raises `RoomError` where nobody has one."""
        if not self.copies:
            raise RoomError("turn", _("the teacher gave no copies of the cluster"))
        student.changes = changes


def new_room(lesson: str, play: Play) -> Room:
    """A room with a code to read out and a key that makes its holder the teacher."""
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    return Room(lesson=lesson, play=play, code=code, key=secrets.token_urlsafe(24), run=runs.begin(play))
