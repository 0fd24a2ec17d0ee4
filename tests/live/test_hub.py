"""The hub: one encoding for all, must-arrive state, latest-wins traffic, backpressure."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from autobahn.exception import Disconnected

from clusterviz.live.hub import Hub
from clusterviz.live.protocol import STATE_RING, Call, Route, State, Totals

TOTALS = Totals(0.0, {})


def state(seq, epoch=1):
    return State(epoch=epoch, seq=seq, base=seq - 1, time=float(seq), set=[], unset=[], events=[])


def route(number):
    return Route(
        id=f"r{number}", flow="f", kind="pod", effect="allowed", waypoints=(), segments=(), verdict="", symptom=""
    )


class Inbox:
    """A browser that reads as soon as something is written."""

    def __init__(self):
        self.messages = []

    async def send(self, message):
        self.messages.append(json.loads(message["text"]))

    def of(self, kind):
        return [message for message in self.messages if message["type"] == kind]


class Transport:
    """The producer side of a Twisted transport."""

    def __init__(self):
        self.producer: Any = object()

    def registerProducer(self, producer, streaming):  # noqa: N802
        assert self.producer is None
        assert streaming
        self.producer = producer

    def unregisterProducer(self):  # noqa: N802
        self.producer = None


class Protocol:
    """What Daphne's send is bound to."""

    def __init__(self):
        self.transport = Transport()


class TwistedBrowser(Inbox):
    """A browser behind Daphne, whose buffer can be full."""

    def __init__(self):
        super().__init__()
        self.protocol = Protocol()
        self.send = partial(self._reply, self.protocol)

    async def _reply(self, _protocol, message):
        self.messages.append(json.loads(message["text"]))

    def stall(self):
        self.protocol.transport.producer.pauseProducing()

    async def read(self):
        self.protocol.transport.producer.resumeProducing()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def hub():
    hub = Hub()
    await hub.open("c", 1, 0, 0.0)
    return hub


def join(hub, send):
    """A browser that was greeted."""
    client = hub.join("c", send)
    client.held = False
    return client


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def traffic(hub, time, routes=(), calls=()):
    await hub.publish_traffic("c", time, list(routes), list(calls), TOTALS)
    await settle()


async def test_every_browser_gets_the_same_text_encoded_once(hub):
    boxes = [Inbox() for _ in range(5)]
    for box in boxes:
        join(hub, box.send)
    await hub.publish_state("c", state(1))
    await traffic(hub, 1.0, [route(1)], [Call("r1", 3, "1.1")])
    assert all(box.messages == boxes[0].messages for box in boxes)
    assert [message["type"] for message in boxes[0].messages] == ["state", "traffic"]
    assert hub.topic("c").counts.encoded == 2


async def test_a_stalled_browser_costs_nothing_and_gets_the_newest_frame(hub):
    slow, quick = TwistedBrowser(), TwistedBrowser()
    client = join(hub, slow.send)
    join(hub, quick.send)
    slow.stall()
    for number in range(10):
        await traffic(hub, float(number))
    assert slow.messages == []
    assert len(quick.of("traffic")) == 10
    assert client.topic.counts.dropped == 9
    await slow.read()
    assert [message["time"] for message in slow.of("traffic")] == [9.0]


async def test_a_stalled_browser_gets_all_state_afterwards(hub):
    slow = TwistedBrowser()
    join(hub, slow.send)
    slow.stall()
    for number in range(1, 6):
        await hub.publish_state("c", state(number))
    await slow.read()
    assert [message["seq"] for message in slow.of("state")] == [1, 2, 3, 4, 5]
    assert slow.of("resync") == []


async def test_a_browser_too_far_behind_is_told_to_resync_once(hub):
    slow = TwistedBrowser()
    client = join(hub, slow.send)
    slow.stall()
    for number in range(1, STATE_RING + 10):
        await hub.publish_state("c", state(number))
    await slow.read()
    assert [message["type"] for message in slow.messages] == ["resync"]
    await hub.publish_state("c", state(STATE_RING + 10))
    assert [message["seq"] for message in slow.of("state")] == [STATE_RING + 10]
    assert client.topic.counts.resyncs == 1


async def test_a_change_too_large_for_one_message_makes_everybody_fetch_the_snapshot(hub):
    box = Inbox()
    join(hub, box.send)
    large = State(epoch=1, seq=1, base=0, time=1.0, set=[{"id": "x" * 600_000}], unset=[], events=[])
    await hub.publish_state("c", large)
    await settle()
    await hub.publish_state("c", state(2))
    await settle()
    assert [message["type"] for message in box.messages] == ["resync", "state"]


async def test_routes_too_many_for_one_message_make_a_browser_fetch_the_snapshot(hub):
    box = Inbox()
    join(hub, box.send)
    await traffic(hub, 1.0, [route(number) for number in range(6000)])
    await traffic(hub, 2.0, [route(6000)])
    assert [message["type"] for message in box.messages] == ["resync", "traffic"]
    assert [r["id"] for r in box.messages[1]["routes"]] == ["r6000"]


async def test_a_dropped_frame_does_not_lose_its_routes(hub):
    slow, quick = TwistedBrowser(), TwistedBrowser()
    join(hub, slow.send)
    join(hub, quick.send)
    await traffic(hub, 1.0, [route(1)])
    slow.stall()
    await traffic(hub, 2.0, [route(2)])
    await traffic(hub, 3.0, [route(3)])
    await slow.read()
    await traffic(hub, 4.0, [route(4)])
    known = [[r["id"] for r in message["routes"]] for message in slow.of("traffic")]
    assert known == [["r1"], ["r2", "r3"], ["r4"]]
    assert [[r["id"] for r in m["routes"]] for m in quick.of("traffic")] == [["r1"], ["r2"], ["r3"], ["r4"]]


async def test_without_a_transport_a_slow_send_holds_up_nobody(hub):
    gate = asyncio.Event()
    slow, quick = Inbox(), Inbox()

    async def waiting(message):
        await gate.wait()
        await slow.send(message)

    join(hub, waiting)
    join(hub, quick.send)
    for number in range(1, 4):
        await hub.publish_state("c", state(number))
        await traffic(hub, float(number))
    assert len(quick.messages) == 6
    assert slow.messages == []
    gate.set()
    await settle()
    assert [message["seq"] for message in slow.of("state")] == [1, 2, 3]
    assert len(slow.of("traffic")) == 1


async def test_a_new_epoch_makes_everybody_resync(hub):
    box = Inbox()
    join(hub, box.send)
    await hub.publish_state("c", state(1))
    await settle()
    await hub.open("c", 2, 0, 5.0)
    await settle()
    await hub.publish_state("c", state(1, epoch=2))
    await settle()
    assert [(m["type"], m.get("epoch")) for m in box.messages] == [("state", 1), ("resync", None), ("state", 2)]


async def test_resume_goes_on_where_the_browser_stopped(hub):
    for number in range(1, 6):
        await hub.publish_state("c", state(number))
    box = Inbox()
    client = join(hub, box.send)
    assert not client.resume(2, 3), "another epoch"
    assert not client.resume(1, 9), "from the future"
    assert client.resume(1, 3)
    await client.pump()
    assert [message["seq"] for message in box.messages] == [4, 5]


async def test_only_traffic_can_be_switched_off(hub):
    box = Inbox()
    client = join(hub, box.send)
    client.wants_traffic = False
    assert not hub.watched("c")
    await traffic(hub, 1.0)
    await hub.publish_state("c", state(1))
    await settle()
    assert [message["type"] for message in box.messages] == ["state"]


async def test_a_gone_browser_is_forgotten_and_its_transport_given_back(hub):
    gone = TwistedBrowser()
    client = join(hub, gone.send)
    client.close()
    await hub.publish_state("c", state(1))
    assert gone.messages == []
    assert gone.protocol.transport.producer is None
    assert not hub.topic("c").clients


async def test_a_browser_that_cannot_be_written_to_is_dropped_alone(hub, caplog):
    async def broken(message):
        raise ConnectionError("gone")

    box = Inbox()
    join(hub, broken)
    join(hub, box.send)
    await hub.publish_state("c", state(1))
    await settle()
    await hub.publish_state("c", state(2))
    await settle()
    assert [message["seq"] for message in box.messages] == [1, 2]
    assert len(hub.topic("c").clients) == 1


async def test_a_browser_that_left_while_it_was_written_to_is_no_error(hub, caplog):
    async def left(message):
        raise Disconnected("Attempt to send on a closed protocol")

    join(hub, left)
    await hub.publish_state("c", state(1))
    await settle()
    assert not hub.topic("c").clients
    assert caplog.text == ""


async def test_browsers_of_a_deleted_cluster_are_told_and_sent_away(hub):
    said = []

    async def send(message):
        said.append(message)

    join(hub, send)
    await hub.close("c", "the cluster was deleted")
    assert [message["type"] for message in said] == ["websocket.send", "websocket.close"]
    assert (said[1]["code"], said[1]["reason"]) == (4404, "the cluster was deleted")
    assert json.loads(said[0]["text"])["type"] == "error"
