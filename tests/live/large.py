"""A cluster of a few hundred pods that counts as a large one, and what its tests do with it."""

import msgspec

from clusterviz.engine import Settings
from clusterviz.engine.generate import Size, generate, settings_for

SIZE = Size(30, 400, 40)
OBJECTS = list(generate(SIZE))
SETTINGS = msgspec.convert(settings_for(SIZE), Settings)


def run(simulator, seconds, *, connections=True):
    """Let it live; returns its states and its traffic frames."""
    states, frames = [], []
    end = simulator.clock.now + seconds
    while simulator.clock.now < end - 1e-6:
        simulator.step(simulator.clock.now + 0.2, connections=connections)
        states.append(simulator.take_state())
        frames.append(simulator.take_traffic())
    return [state for state in states if state is not None], frames


def a_pod(simulator, **labels):
    """A ready pod of a Deployment."""
    return next(
        pod
        for pod in sorted(simulator.cluster.pods.values(), key=lambda pod: pod.ref)
        if pod.ready and pod.owner[0] == "ReplicaSet" and labels.items() <= pod.labels.items()
    )
