"""The past of a cluster: at any moment it is the picture of that moment, within its cap."""

import asyncio
import json
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.cluster import services
from clusterviz.engine import Cluster, Probe, trace
from clusterviz.engine.cluster import Change
from clusterviz.live import picture, questions, runner
from clusterviz.live.history import LONGEST, SECONDS, History, Piece
from clusterviz.live.keeper import replica_of
from clusterviz.live.protocol import encode
from clusterviz.live.simulator import Simulator
from tests.live.conftest import SHOP
from tests.live.test_runner import in_thread, until

NODES = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"n{number}"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    for number in (1, 2)
]
MEBIBYTE = 1024 * 1024
END = 1e12


def lines_of(piece):
    return [json.loads(line.text) for line in piece.lines]


def scene_of(piece):
    """What a browser makes of a piece."""
    entities = {entity["id"]: entity for entity in json.loads(piece.keyframe)["snapshot"]["entities"]}
    for message in lines_of(piece):
        if message["type"] == "keyframe":
            entities = {entity["id"]: entity for entity in message["snapshot"]["entities"]}
        elif message["type"] == "state":
            for gone in message["unset"]:
                entities.pop(gone)
            entities.update({entity["id"]: entity for entity in message["set"]})
    return entities


class Recorded:
    """A simulator whose history is kept as the keeper keeps it."""

    def __init__(self, cap=64 * MEBIBYTE):
        self.history = History(cap)
        self.epoch = 0
        self.truth = []
        self.connections = {}
        self.begin([*NODES, *SHOP], 1000.0)

    def begin(self, objects, now):
        self.epoch += 1
        self.simulator = Simulator("shop", objects, epoch=self.epoch, now=now)
        self.simulator.on_change = self.history.change
        self.history.begin(self.epoch, now, self.simulator.cluster)
        self.keyframe()

    def keyframe(self):
        replica = replica_of(self.simulator)
        self.history.keep(self.history.chapter(replica.time), picture.encoded(replica))

    def step(self, seconds):
        simulator = self.simulator
        simulator.step(simulator.clock.now + seconds)
        self.publish()
        frame = simulator.take_traffic()
        self.publish()
        drawn = [(call.connection, *simulator.connections[call.connection]) for call in frame.calls]
        self.connections.update({name: rest for name, *rest in drawn})
        text = json.dumps({"type": "traffic", "time": frame.time})
        self.history.traffic(frame.time, text, frame.counts, drawn)
        if self.history.due(frame.time):
            self.keyframe()
        self.truth.append((frame.time, json.loads(msgspec.json.encode(simulator.scene)), simulator.cluster))

    def publish(self):
        simulator = self.simulator
        if not simulator.stirred:
            return
        message = simulator.take_state()
        text = encode(message) if message is not None else None
        self.history.state(simulator.clock.now, simulator.seq, text)

    def kill(self, number):
        pods = sorted(key for key in self.simulator.cluster.objects if key[0] == "Pod")
        if pods:
            key = pods[number % len(pods)]
            obj = json.loads(json.dumps(self.simulator.cluster.objects[key]))
            obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            obj["metadata"]["deletionGracePeriodSeconds"] = 1
            self.simulator.apply([Change("set", obj)])

    def restart(self, _=None):
        self.begin(list(self.simulator.cluster.objects.values()), self.simulator.clock.now + 1)


ACTS = st.lists(
    st.one_of(
        st.floats(0.05, 40).map(lambda seconds: ("step", seconds)),
        st.integers(0, 9).map(lambda number: ("kill", number)),
        st.just(("restart", 0)),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=5, deadline=None)
@given(ACTS, st.integers(0, 2**32))
def test_at_any_moment_the_history_holds_the_picture_and_the_snapshot_of_then(acts, chance):
    recorded = Recorded()
    for act, value in [*acts, ("step", 0.2)]:
        {"step": recorded.step, "kill": recorded.kill, "restart": recorded.restart}[act](value)
    oldest = recorded.history.summary().oldest
    assert oldest is not None
    for time, scene, cluster in recorded.truth:
        if time < oldest:
            continue
        assert scene_of(recorded.history.piece(time, time, 2**30)) == scene
        # From the very beginning too, over the borders of chapters and epochs.
        assert scene_of(recorded.history.piece(oldest, time, 2**30)) == scene
        found = recorded.history.moment(time)
        assert found is not None
        published, then = found
        assert then.fingerprint == cluster.fingerprint
        assert published.time <= time
    for name in random.Random(chance).sample(sorted(recorded.connections), min(3, len(recorded.connections))):
        cluster, probe = recorded.connections[name]
        kept = recorded.history.connection(name)
        if kept is not None:
            assert trace(*kept).to_dict() == trace(cluster, probe).to_dict()


def test_connections_of_all_that_time_can_be_asked():
    recorded = Recorded()
    for _ in range(40):
        recorded.step(0.5)
        recorded.kill(1)
    assert len(recorded.connections) > 100
    assert all(recorded.history.connection(name) for name in recorded.connections)
    for nonsense in ("", "1", "1.x", "9.1", f"1.{10**9}", "1." + "9" * 60):
        assert recorded.history.connection(nonsense) is None


def test_pieces_follow_each_other_without_a_gap_or_a_repetition():
    recorded = Recorded()
    for _ in range(60):
        recorded.step(1.0)
    whole = recorded.history.piece(0, END, 2**30)
    piece: Piece | None = recorded.history.piece(0, END, 2000)
    assert piece is not None
    assert piece.more
    numbers = [line.number for line in piece.lines]
    while piece.more:
        piece = recorded.history.after(piece.last, END, 2000)
        numbers += [line.number for line in piece.lines]
    assert numbers == [line.number for line in whole.lines]
    assert recorded.history.after(piece.last, END, 2000).lines == []
    assert recorded.history.after(piece.last + 1, END, 2000) is None


def test_a_quarter_of_an_hour_is_kept_and_no_more():
    recorded = Recorded()
    for _ in range(110):
        recorded.step(12.0)
    found = recorded.history.summary()
    assert found.oldest == pytest.approx(recorded.history.newest - SECONDS)
    assert not found.capped
    assert recorded.history.keyframes()[0] > recorded.history.newest - SECONDS - 2 * LONGEST
    assert len(found.buckets) <= SECONDS + 1


def test_the_cap_holds_and_is_told():
    cap, chance = 256 * 1024, random.Random(1)
    history, cluster = History(cap), Cluster.from_objects(NODES)
    history.begin(1, 1000.0, cluster)
    sizes, labels = [], {}
    for number in range(4000):
        time = 1000.0 + number / 10
        if history.due(time):
            history.keep(history.chapter(time), b'{"number":%d}' % number)
        history.traffic(time, chance.randbytes(300).hex(), [1, 0, 0], [])
        if number % 5 == 0:
            labelled = {**NODES[0], "metadata": {"name": "n1", "labels": {"number": str(number)}}}
            cluster = cluster.apply([Change("set", labelled)])
            history.change(time, cluster, [("Node", "", "n1")])
            history.state(time, number, "{}")
            labels[time] = str(number)
        sizes.append(history.size)
    # A chapter is an eighth of the cap; the one that is being written may stand above it.
    assert cap / 2 < sizes[-1] <= max(sizes) < cap * 1.2
    found = history.summary()
    assert found.capped and found.oldest is not None
    assert 1000.0 < found.oldest < history.newest - 10
    kept = [time for time in labels if time >= found.oldest]
    assert [history.moment(time)[1].nodes["n1"].labels["number"] for time in kept[:: len(kept) // 9]] == [
        labels[time] for time in kept[:: len(kept) // 9]
    ]
    piece = history.piece(found.oldest, END, 2**30)
    assert [line.number for line in piece.lines] == list(range(piece.lines[0].number, piece.last + 1))


def test_nothing_is_kept_before_the_first_keyframe_is_encoded():
    history = History(MEBIBYTE)
    history.begin(1, 1000.0, Cluster.from_objects(NODES))
    chapter = history.chapter(1000.0)
    assert history.summary().oldest is None
    assert history.piece(1000.0, END, 100) == (None, [], 0, False)
    history.keep(chapter, b"{}")
    assert history.summary().oldest == 1000.0


@pytest.mark.django_db(transaction=True)
async def test_a_killed_pod_is_traced_as_it_was(shop, live, browser):
    await in_thread(runner.settle, "shop")
    await runner.start()
    replica = await until(lambda: runner.replica("shop"))
    victim = min(ref for ref in replica.scene if ref.startswith("pod:shop/api"))
    watching = browser()
    await watching.open()
    call = await watching.wait_for(lambda message: message["type"] == "traffic" and message["calls"])
    connection = call["calls"][0][2]
    history = runner.history("shop")
    before = history.newest
    asked = await in_thread(questions.trace_connection, "shop", connection)
    await in_thread(services.act, shop, "delete-pod", victim, actor="test")
    await until(lambda: victim not in runner.replica("shop").scene)
    runner.replica("shop").connections.clear()  # as after many more of them
    name = victim.removeprefix("pod:")
    probe = Probe.parse("shop/web", f"{victim}:8080")
    old = await in_thread(questions.trace_probe, "shop", probe, before)
    assert old["success"]
    assert victim in json.dumps(old)
    assert (await in_thread(questions.object_panel, "shop", victim, before))["facts"][0] == ("Name", name.split("/")[1])
    with pytest.raises(questions.UnknownError, match=victim):
        await in_thread(questions.object_panel, "shop", victim)
    with pytest.raises(questions.UnknownError, match="begins at"):
        await in_thread(questions.trace_probe, "shop", probe, before - 5000)
    assert await in_thread(questions.trace_connection, "shop", connection) == asked
    await watching.disconnect()


async def test_the_history_holds_the_very_messages_browsers_got(shop, live, browser):
    await in_thread(runner.settle, "shop")
    await runner.start()
    watching = browser()
    await watching.open()
    got = []
    async with asyncio.timeout(60):
        while len(got) < 6:
            text = (await watching.receive_output(timeout=60))["text"]
            if json.loads(text)["type"] in ("state", "traffic"):
                got.append(text)
    kept = [line.text.decode() for line in runner.history("shop").piece(0, END, 2**30).lines]
    assert [text for text in got if text not in kept] == []
    await watching.disconnect()
