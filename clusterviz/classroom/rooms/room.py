"""A room as a state machine: who is in it, where the lesson stands, who predicted what. No socket, no clock.

Everything a person does either changes the room or raises a `RoomError`, whose message is for that person, and then
changes nothing. Places of students who left are kept for them: their token brings them back.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

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
    """Somebody in the room. ``number`` is what others may know of them; ``votes`` are choices by step."""

    number: int
    token: str
    name: str
    here: int = 0
    around: bool = False
    lost: bool = False
    votes: dict[int, int] = field(default_factory=dict)


@dataclass
class Room:
    """One class. ``lesson`` is the name it is taught under, ``run`` where it stands, ``scene`` what is looked at."""

    lesson: str
    play: Play
    code: str
    key: str
    run: Run
    locked: bool = False
    free: bool = True
    dimmed: bool = False
    students: dict[str, Student] = field(default_factory=dict)
    scene: dict[str, Any] = field(default_factory=dict)
    _numbers: int = 0

    # -- people ---------------------------------------------------------------------------------------------------

    def join(self, name: str) -> Student:
        """Somebody new. Raises `RoomError`: locked, full, name."""
        if self.locked:
            raise RoomError("locked", "the room is locked: ask the teacher to open it")
        if len(self.students) >= MOST_STUDENTS:
            raise RoomError("full", f"the room is full: at most {MOST_STUDENTS} students")
        tidied = self._free_name(name)
        self._numbers += 1
        student = Student(number=self._numbers, token=secrets.token_urlsafe(16), name=tidied)
        self.students[student.token] = student
        return student

    def come_back(self, token: str) -> Student:
        """Somebody who was here before. Raises `RoomError` for a token of nobody."""
        if token not in self.students:
            raise RoomError("gone", "nobody of this room has that place: join with a name")
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
            raise RoomError("taken", f"there is a {tidied} already: choose another name")
        return tidied

    def _numbered(self, number: int) -> Student:
        found = next((one for one in self.students.values() if one.number == number), None)
        if found is None:
            raise RoomError("nobody", f"there is nobody with number {number}")
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
        self.scene = {}

    def vote(self, student: Student, step: int, choice: int) -> None:
        """Predict, or predict otherwise, until the reveal. Raises `RoomError`."""
        if step != self.step:
            raise RoomError("turn", "the class is at another step now")
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

    def rule(self, *, locked: bool | None = None, free: bool | None = None, dimmed: bool | None = None) -> None:
        """Lock or open the door, let students look around or keep them together, dim the picture."""
        self.locked = self.locked if locked is None else locked
        self.dimmed = self.dimmed if dimmed is None else dimmed
        if free is not None:
            self.free = free
            if not free:
                for student in self.students.values():
                    student.around = False

    def look_around(self, student: Student, *, around: bool) -> None:
        """Leave the class's view, or come back to it. Raises `RoomError` where the teacher keeps all together."""
        if around and not self.free:
            raise RoomError("together", "the teacher keeps the class together now")
        student.around = around


def new_room(lesson: str, play: Play) -> Room:
    """A room with a code to read out and a key that makes its holder the teacher."""
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    return Room(lesson=lesson, play=play, code=code, key=secrets.token_urlsafe(24), run=runs.begin(play))
