"""Same seed, same events; inputs are never touched; the clock keeps its order."""

import copy

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.engine.clock import Clock
from tests.controllers.world import World, deployment, node, service


def story(seed):
    nodes = [node("n1"), node("n2"), node("n3")]
    world = World(*nodes, deployment(), deployment("db", kind="StatefulSet", replicas=2), service(), seed=seed).settle()
    world.delete_pod(world.pods()[0].name)
    world.patch("Deployment", "web", spec={"replicas": 5})
    world.settle()
    content = [world.cluster.objects[key] for key in sorted(world.cluster.objects)]
    return msgspec.json.encode([content, world.events])


def test_same_seed_same_bytes():
    assert story("a") == story("a")
    assert story("a") != story("b")


def test_objects_given_are_not_touched(shop):
    before = copy.deepcopy(dict(shop.cluster.objects))
    held = shop.cluster
    shop.patch("Deployment", "web", spec={"replicas": 6})
    shop.settle()
    assert dict(held.objects) == before


def test_at_rest_nothing_changes(shop):
    outcome = shop.reconcile()
    assert (outcome.changes, outcome.happenings, outcome.wake) == ((), (), None)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(-2, 2))))
def test_clock_hands_out_events_by_time_priority_and_order(wishes):
    clock = Clock()
    for number, (time, priority) in enumerate(wishes):
        clock.schedule(time, number, priority)
    seen = []
    clock.run_until(1000, lambda number: seen.append((*wishes[number], number)))
    assert seen == sorted(seen)
    assert len(seen) == len(wishes)
    assert (clock.now, clock.peek(), len(clock)) == (1000, None, 0)


def test_clock_stops_at_until_and_never_goes_back():
    clock = Clock(10)
    clock.schedule(5, "late")
    clock.schedule(20, "later")
    seen = []
    assert clock.run_until(15, seen.append) == 1
    assert (seen, clock.now, clock.peek()) == (["late"], 15, 20)
