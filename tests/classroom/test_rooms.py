"""Rooms: names, what is out of turn, and a class of 200 that runs a whole lesson over real consumers."""

import asyncio
import json

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from clusterviz.classroom import run as runs
from clusterviz.classroom import shelf
from clusterviz.classroom.rooms import hall as halls
from clusterviz.classroom.rooms.names import UnfitNameError, same, tidy
from clusterviz.classroom.rooms.room import RoomError, new_room
from clusterviz.classroom.rooms.routing import room_urlpatterns

LESSON = shelf.names()[0]
application = URLRouter(room_urlpatterns)


@pytest.fixture(scope="module")
def play():
    return shelf.play_of(LESSON)


@pytest.fixture
def room(play):
    return new_room(LESSON, play)


@pytest.fixture
def hall(play):
    """An open room, closed in the end."""
    opened = halls.open_hall(LESSON, play)
    yield halls.HALLS[opened.code]
    halls.HALLS.pop(opened.code, None)


def to_question(room):
    """Go on until something is asked."""
    while not room.open:
        room.turn("forward")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("  Ada   L. ", "Ada L."), ("Zoë", "Zoë"), ("王芳", "王芳"), ("O'Neill-2", "O'Neill-2"), ("\uff46ull", "full")],
)
def test_a_name_is_shown_tidily(typed, shown):
    assert tidy(typed) == shown


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("   ", "choose"),
        ("x" * 21, "at most 20"),
        ("<b>x</b>", "letters"),
        ("a\u202eb", "letters"),
        ("...", "letters"),
        ("http://x.y", "letters"),
        ("Z" + "\u0335" * 9, "letters"),
        ("=cmd()", "letters"),
    ],
)
def test_an_unfit_name_is_refused_with_the_reason(typed, why):
    with pytest.raises(UnfitNameError, match=why):
        tidy(typed)


def test_names_that_look_alike_are_one(room):
    assert same("Ada L.") == same("ada l") == same("ÄDA-L")
    room.join("Ada")
    with pytest.raises(RoomError, match="already") as refused:
        room.join(" ÀDA ")
    assert refused.value.code == "taken"
    assert len(room.students) == 1


def test_a_locked_room_takes_nobody_new_and_lets_everybody_back(room):
    ada = room.join("Ada")
    room.rule(locked=True)
    with pytest.raises(RoomError, match="locked"):
        room.join("Bob")
    assert room.come_back(ada.token) is ada


def test_a_vote_after_the_reveal_changes_nothing(room):
    ada = room.join("Ada")
    with pytest.raises(RoomError) as refused:
        room.vote(ada, room.step, 0) if not room.open else room.vote(ada, room.step + 1, 0)
    assert refused.value.code == "turn"
    to_question(room)
    step = room.step
    room.vote(ada, step, 1)
    room.vote(ada, step, 0)
    assert room.tally(step)["counts"] is None
    room.turn("reveal")
    with pytest.raises(RoomError, match="revealed"):
        room.vote(ada, step, 1)
    assert ada.votes == {step: 0}
    assert room.tally(step)["counts"][0] == 1


def test_nobody_looks_around_while_the_class_is_kept_together(room):
    ada = room.join("Ada")
    room.look_around(ada, around=True)
    room.rule(free=False)
    assert not ada.around
    with pytest.raises(RoomError, match="together"):
        room.look_around(ada, around=True)


def test_a_prediction_is_taken_as_long_as_there_is_time(room):
    ada = room.join("Ada")
    with pytest.raises(RoomError, match="no open question"):
        room.limit(30, now=0)
    to_question(room)
    room.limit(30, now=100)
    room.vote(ada, room.step, 0, now=129)
    with pytest.raises(RoomError, match="time for this question") as late:
        room.vote(ada, room.step, 1, now=131)
    assert (late.value.code, ada.votes[room.step]) == ("late", 0)
    room.limit(30, now=131)
    room.vote(ada, room.step, 1, now=140)
    room.limit(0, now=140)
    room.vote(ada, room.step, 0, now=999)
    room.limit(5, now=0)
    room.turn("forward")
    assert room.until is None


def test_each_has_a_copy_until_the_teacher_ends_it(room):
    ada = room.join("Ada")
    with pytest.raises(RoomError, match="no copies"):
        room.keep_copy(ada, 1)
    room.rule(free=False, copies=True)
    room.look_around(ada, around=True)
    room.keep_copy(ada, 3)
    assert halls.people(room)[0]["changes"] == 3
    room.rule(copies=False)
    assert (ada.around, ada.changes) == (False, None)
    with pytest.raises(RoomError, match="together"):
        room.look_around(ada, around=True)


class Browser:
    """A socket that keeps the newest message of each kind."""

    def __init__(self, code):
        self.socket, self.has, self.code = WebsocketCommunicator(application, f"/ws/rooms/{code}/"), {}, code

    async def open(self, **first):
        """Connect and say who it is."""
        assert (await self.socket.connect(timeout=60))[0]
        await self.say(**first)
        return self

    async def say(self, **message):
        """Send a message."""
        await self.socket.send_json_to(message)

    async def until(self, kind, fits=lambda _: True):
        """The first message of a kind that fits, the newest one before included."""
        while not (kind in self.has and fits(self.has[kind])):
            message = await self.socket.receive_json_from(timeout=60)
            self.has[message["type"]] = message
        return self.has[kind]

    async def leave(self):
        """Close the page."""
        await self.socket.disconnect(timeout=60)


async def test_a_class_of_200_runs_a_whole_lesson(play, hall):
    """With votes, a histogram only after the reveal, and three students who lose the network and come back."""
    room = hall.room
    teacher = await Browser(room.code).open(type="teach", key=room.key)
    students = await asyncio.gather(
        *(Browser(room.code).open(type="join", name=f"Student {number}") for number in range(200))
    )
    tokens = [(await student.until("you"))["token"] for student in students]
    await teacher.until("people", lambda message: sum(one["here"] for one in message["people"]) == 200)
    asked = 0
    for position, (step, done) in enumerate(runs.positions(play)):
        if position:
            await teacher.say(type="turn", turn="forward")
        place = {"step": step + 1, "done": done or step in room.run.revealed}
        for student in students:
            await student.until("state", lambda message, at=place: message["place"] | at == message["place"])
        if done:
            continue
        asked += 1
        choices = len(play.lesson.all_steps[step].predict.choices)
        for number, student in enumerate(students):
            await student.say(type="vote", step=step, choice=number % choices)
        tally = await teacher.until("tally", lambda message: message["voted"] == 200)
        assert (tally["of"], tally["counts"]) == (200, None)
        for number in (3, 77, 199):
            await students[number].leave()
            students[number] = await Browser(room.code).open(type="back", token=tokens[number])
            again = await students[number].until("you")
            assert again["name"] == f"Student {number}"
            assert again["votes"][str(step)] == number % choices
            assert (await students[number].until("state"))["place"]["step"] == step + 1
        counts = [len(range(choice, 200, choices)) for choice in range(choices)]
        await teacher.say(type="turn", turn="reveal")
        for student in (students[0], students[77], teacher):
            shown = await student.until("tally", lambda message: message["counts"] is not None)
            assert shown["counts"] == counts
        await teacher.say(type="turn", turn="back")
    assert asked
    await teacher.say(type="close")
    assert "Nothing" in (await students[0].until("closed"))["message"]
    assert halls.hall_of(room.code) is None
    assert not room.students
    await asyncio.gather(*(one.leave() for one in (teacher, *students)))


async def test_who_is_not_the_teacher_moves_nothing(hall):
    ada = await Browser(hall.room.code).open(type="join", name="Ada")
    await ada.until("state")
    for wish in ({"type": "turn", "turn": "forward"}, {"type": "rule", "locked": True}, {"type": "close"}):
        await ada.say(**wish)
        assert (await ada.until("error"))["code"] == "teacher"
        del ada.has["error"]
    assert (hall.room.run.position, hall.room.locked) == (0, False)
    await ada.say(type="join", name="Eve")
    assert (await ada.until("error", lambda message: message["code"] == "inside"))["message"]
    await ada.leave()


async def test_the_teacher_removes_a_name_and_it_stays_away(hall):
    teacher = await Browser(hall.room.code).open(type="teach", key=hall.room.key)
    ada = await Browser(hall.room.code).open(type="join", name="Rude Word")
    token = (await ada.until("you"))["token"]
    people = await teacher.until("people", lambda message: bool(message["people"]))
    number = people["people"][0]["number"]
    await teacher.say(type="rename", number=number, name="Ada")
    assert (await ada.until("you", lambda message: message["name"] == "Ada"))["token"] == token
    await teacher.say(type="remove", number=number)
    await ada.until("out")
    await ada.say(type="back", token=token)
    assert (await ada.until("error"))["code"] == "gone"
    await teacher.leave()
    await ada.leave()


async def test_keys_cannot_be_guessed_at_length(hall):
    eve = await Browser(hall.room.code).open(type="teach", key="guess")
    for _ in range(4):
        await eve.say(type="teach", key="guess")
    while (said := await eve.socket.receive_output(timeout=60))["type"] != "websocket.close":
        assert json.loads(said["text"])["code"] == "key"
    await eve.leave()


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"type":"fly"}', '{"type":"vote","step":0}', '{"type":"join","name":"' + "x" * 9000 + '"}']
)
async def test_nonsense_gets_a_clear_word(hall, text):
    eve = Browser(hall.room.code)
    assert (await eve.socket.connect(timeout=60))[0]
    await eve.socket.send_to(text_data=text)
    assert (await eve.until("error"))["code"] == "invalid"
    await eve.leave()


async def test_there_is_no_such_room():
    eve = WebsocketCommunicator(application, "/ws/rooms/NOROOM/")
    assert (await eve.connect(timeout=60))[0]
    assert (await eve.receive_output(timeout=60))["code"] == 4404
    await eve.disconnect()
