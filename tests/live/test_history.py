"""The past of a cluster: at any moment it is the picture of that moment, within its cap."""

import asyncio
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.cluster import services
from clusterviz.engine import Cluster, Probe, trace
from clusterviz.live import picture, questions, runner
from clusterviz.live.history import SECONDS, History
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
        if message["type"] == "state":
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
        self.truth.append((frame.time, dict(simulator.scene), simulator.cluster))

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
            from clusterviz.engine.cluster import Change

            self.simulator.apply([Change("set", obj)])

    def restart(self):
        self.begin(list(self.simulator.cluster.objects.values()), self.simulator.clock.now + 1)


ACTS = st.lists(st.one_of(st.floats(0.05, 40).map(lambda s: ("step", s)), st.integers(0, 9).map(lambda n: ("kill", n)),
                          st.just(("restart", 0))), min_size=3, max_size=25)


@settings(max_examples=25, deadline=None)
@given(ACTS, st.integers(0, 2**32))
def test_at_any_moment_the_history_holds_the_picture_and_the_snapshot_of_then(acts, chance):
    recorded = Recorded()
    for act, value in acts:
        if act == "step":
            recorded.step(value)
        elif act == "kill":
            recorded.kill(value)
        else:
            recorded.restart()
    recorded.step(0.2)
    newest = recorded.history.newest
    for time, scene, cluster in recorded.truth:
        if time < newest - SECONDS + 100:
            continue
        # Another epoch's keyframe may stand at the same time only after a restart, a second later.
        assert scene_of(recorded.history.piece(time, time, 2**30)) == json.loads(json.dumps(scene))
        published, then = recorded.history.moment(time)
        assert then.fingerprint == cluster.fingerprint
    for name in random.Random(chance).sample(sorted(recorded.connections), min(5, len(recorded.connections))):
        cluster, probe = recorded.connections[name]
        found = recorded.history.connection(name)
        if found is not None:
            assert found[1] == probe
            assert trace(*found).to_dict() == trace(cluster, probe).to_dict()
