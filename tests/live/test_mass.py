"""Form mass: the table of pods, what is told when something changes, and traffic in bulk."""

import base64
import json
import math
import random
import re
from array import array

import pytest

from clusterviz.engine import Cluster
from clusterviz.engine.cluster import Change
from clusterviz.engine.objects import Pod
from clusterviz.live import bulk, keeper, picture
from clusterviz.live.bulkflows import poisson
from clusterviz.live.heat import AT_ONCE, Heat
from clusterviz.live.mass import GONE, HEAT_SCALE, NOWHERE, PENDING, READY, REMEMBERED, MassTable, level_of, state_of
from clusterviz.live.meter import OUTCOMES
from clusterviz.live.simulator import Simulator
from tests.live.large import OBJECTS, SETTINGS, a_pod, run


@pytest.fixture(scope="module")
def cluster():
    return Cluster.from_objects(OBJECTS, settings=SETTINGS, expand=False)


def test_states_are_those_the_browser_draws(repository):
    cases = json.loads((repository / "tests/js/fixtures/podstates.json").read_text())
    for case in cases:
        assert state_of(Pod(name="p", namespace="n", **case["pod"])) == case["state"], case
    text = (repository / "static/js/model/massfull.js").read_text()
    assert json.loads(re.search(r"HEAT_SCALE = (\[.*?\])", text)[1]) == list(HEAT_SCALE)


def test_the_table_says_what_the_cluster_says(cluster):
    table = MassTable()
    assert len(table.update(cluster, cluster.pods, 0.0)) == len(cluster.pods) == table.count
    for (namespace, name), pod in cluster.pods.items():
        at = table.indexes[namespace, name]
        assert table.names[at] == (namespace, name)
        assert table.node[at] == (table.nodes[pod.node] if pod.node else NOWHERE)
        assert table.state[at] == state_of(pod)
        work = cluster.workload_of(pod)
        assert table.workloads[table.workload[at]] == ((work.kind, work.namespace, work.name) if work else None)
    assert sum(table.states.values()) == len(cluster.pods)
    assert table.update(cluster, cluster.pods, 1.0) == [], "nothing has changed"


def test_a_free_index_rests_before_somebody_else_gets_it(cluster):
    table = MassTable()
    table.update(cluster, cluster.pods, 0.0)
    name, other = list(cluster.pods)[:2]
    at = table.indexes[name]
    without = cluster.apply([Change("unset", ("Pod", *name))])
    assert table.update(without, [name], 0.0) == [at]
    assert (table.state[at], table.node[at], table.names[at]) == (GONE, NOWHERE, None)
    heir = {**cluster.objects["Pod", *other], "metadata": {"name": "heir", "namespace": other[0]}}
    early = without.apply([Change("set", heir)])
    [given] = table.update(early, [(other[0], "heir")], 59.0)
    assert given == len(cluster.pods)
    second = early.apply([Change("set", {**heir, "metadata": {"name": "late", "namespace": other[0]}})])
    assert table.update(second, [(other[0], "late")], 60.0) == [at]


def test_the_past_knows_who_had_which_index(cluster):
    """A pod that is gone keeps the index of then; one that came back under its name has another now."""
    table = MassTable()
    table.update(cluster, cluster.pods, 10.0)
    name, other = list(cluster.pods)[:2]
    at = table.indexes[name]
    table.update(cluster.apply([Change("unset", ("Pod", *name))]), [name], 20.0)
    assert (table.index_at(name, 19.9), table.index_at(name, 20.0), table.index_at(other, 15.0)) == (
        at,
        -1,
        table.indexes[other],
    )
    assert table.update(cluster, [name], 30.0) == [len(cluster.pods)], "the old index rests"
    assert (table.index_at(name, 19.9), table.index_at(name, 31.0)) == (at, len(cluster.pods))
    assert table.index_at(name, 9.0) == -1, "before the table there were other indexes"
    table.update(cluster, [], 20.0 + REMEMBERED + 0.1)
    assert (table.index_at(name, 19.9), table.index_at(name, 31.0)) == (-1, len(cluster.pods)), "forgotten, not guessed"


def test_levels_of_heat_do_not_flicker():
    assert [level_of(rate, 0) for rate in (0, 0.04, 0.05, 1, 1000)] == [0, 0, 1, 3, 7]
    assert level_of(0.04, 1) == 1
    assert level_of(0.03, 1) == 0


def test_heat_fades_and_a_round_tells_every_level(cluster):
    table = MassTable()
    table.update(cluster, cluster.pods, 0.0)
    heat = Heat(table, 0.0)
    heat.add([5, 7, -1], ("a", "b"), 100.0, 1.0, failed=True)
    told, _ = heat.take(1.0, 0.001)
    assert dict(told) == {5: table.heat[5], 7: table.heat[7]}
    assert table.heat[5] == level_of(20.0, 0)
    [trunk] = heat.trunks(1.0) or []
    assert (trunk.from_, trunk.to, trunk.rps, trunk.errors) == ("a", "b", 20.0, 20.0)
    levels = bytearray(b"\xff" * table.count)
    for second in range(60, 76):
        changed, sweep = heat.take(float(second), 1.0)
        assert sweep is not None
        start, part = sweep
        for index, level in changed:
            levels[index] = level
        levels[start : start + len(base64.b64decode(part))] = base64.b64decode(part)
    assert bytes(levels) == bytes(table.heat) == bytes(table.count), "everything has cooled down, and was told"
    assert heat.trunks(100.0) == []
    assert heat.trunks(101.0) is None, "as before"


def test_so_many_changes_of_heat_are_told_in_turns(cluster):
    table = MassTable()
    table.update(cluster, cluster.pods, 0.0)
    heat = Heat(table, 0.0)
    heat.add(range(table.count), ("", ""), 50.0, 1.0, failed=False)
    assert table.count < AT_ONCE
    assert len(heat.take(1.0, 0.1)[0]) == table.count
    assert heat.take(1.1, 0.1)[0] == []


def test_a_snapshot_and_the_changes_after_it_are_the_table(simulator):
    told = json.loads(picture.encoded(keeper.replica_of(simulator)))
    assert told["form"] == "mass"
    columns = {name: base64.b64decode(told["mass"][name]) for name in ("node", "state", "heat", "workload")}
    node, workload = array("I", columns["node"]), array("I", columns["workload"])
    state = bytearray(columns["state"])
    victim = a_pod(simulator)
    at = simulator.form.table.indexes[victim.namespace, victim.name]
    assert state[at] == READY
    simulator.apply([Change("unset", ("Pod", victim.namespace, victim.name))])
    states, _ = run(simulator, 3, connections=False)
    seq = told["seq"]
    for message in states:
        assert (message.base, message.seq) == (seq, seq + 1)
        seq = message.seq
        for index, where, how, work in message.mass.pods if message.mass else ():
            if index == len(state):
                node.append(0)
                state.append(0)
                workload.append(0)
            node[index], state[index], workload[index] = NOWHERE if where < 0 else where, how, work
        assert message.mass is None or not message.mass.counts or message.mass.counts["pods"] >= 399
    table = simulator.form.table
    assert (node, bytes(state), workload) == (table.node, bytes(table.state), table.workload)
    assert state[at] == GONE
    assert simulator.cluster.pods.keys() == table.indexes.keys()
    assert sum(how != GONE for how in state) == len(table.indexes), "another came in its place"


def test_only_what_is_drawn_from_afar_is_an_entity(simulator):
    told = json.loads(picture.encoded(keeper.replica_of(simulator)))
    kinds = {entity["kind"] for entity in told["entities"]}
    assert kinds <= {"namespace", "node", "ingress", "gateway", "loadbalancer", "external"}
    nodes = {entity["index"]: entity["id"] for entity in told["entities"] if entity["kind"] == "node"}
    assert nodes[0] == next(iter(simulator.cluster.nodes.values())).ref, "nodes stand by age"
    assert len(nodes) == 30
    spaces = [entity for entity in told["entities"] if entity["kind"] == "namespace"]
    assert sum(entity["counts"]["pods"] for entity in spaces) == told["counts"]["pods"] == len(simulator.cluster.pods)
    assert told["counts"]["services"] == len(simulator.cluster.services)
    rows = told["workloads"]
    at = simulator.form.table.workload[0]
    work = (rows["kinds"][rows["kind"][at]], rows["namespaces"][rows["namespace"][at]], rows["name"][at])
    assert work == simulator.form.table.workloads[at]


def test_one_moment_is_encoded_once(simulator):
    first = picture.sent(keeper.replica_of(simulator))
    assert picture.sent(keeper.replica_of(simulator)) is first
    victim = a_pod(simulator)
    simulator.apply([Change("unset", ("Pod", victim.namespace, victim.name))])
    simulator.take_state()
    assert picture.sent(keeper.replica_of(simulator)).etag != first.etag


def test_what_is_watched_is_told_at_once_and_when_it_changes(simulator):
    pod = a_pod(simulator)
    service = simulator.cluster.services_selecting(pod)[0]
    simulator.watch(frozenset({pod.ref, service.ref, "pod:no/where", "workload:x", "?"}))
    assert simulator.stirred
    first = simulator.take_state()
    told = {entity["id"]: entity for entity in first.set}
    assert told.keys() == {pod.ref, service.ref}
    assert told[pod.ref]["index"] == simulator.form.table.indexes[pod.namespace, pod.name]
    assert first.unset == ["pod:no/where"]
    assert simulator.take_state() is None
    simulator.apply([Change("unset", ("Pod", pod.namespace, pod.name))])
    states, _ = run(simulator, 1, connections=False)
    assert pod.ref in states[0].unset
    again = next(entity for state in states for entity in state.set if entity["id"] == service.ref)
    assert pod.ref not in [endpoint["pod"] for endpoint in again["endpoints"] if endpoint["ready"]]
    simulator.watch(frozenset())
    other = a_pod(simulator)
    simulator.apply([Change("unset", ("Pod", other.namespace, other.name))])
    assert {entity["kind"] for entity in simulator.take_state().set} == {"namespace"}


def test_crossing_the_limit_is_another_epoch_in_the_other_form(simulator):
    assert not simulator.form.outgrown
    names = [key for key in simulator.cluster.objects if key[0] == "Pod"][:160]
    simulator.apply([Change("unset", key) for key in names])
    simulator.take_state()
    assert simulator.form.outgrown
    simulator.reform(7)
    assert (simulator.epoch, simulator.seq, simulator.mass) == (7, 0, None)
    assert sum(entity["kind"] == "pod" for entity in simulator.scene.values()) == len(simulator.cluster.pods)
    run(simulator, 6, connections=False)
    assert simulator.form.outgrown, "their workloads made them anew"
    simulator.reform(8)
    assert simulator.mass is not None


def test_traffic_adds_up_to_what_the_flows_want(simulator):
    _, frames = run(simulator, 12)
    wanted = sum(line.rps for line in simulator.bulk.lines.values())
    found = frames[-1].totals.rps
    assert found == pytest.approx(wanted, rel=0.2)
    counts = [sum(numbers) for numbers in zip(*(frame.counts for frame in frames), strict=True)]
    assert sum(counts) == pytest.approx(wanted * 12, rel=0.2)
    trunks = next(frame.mass.trunks for frame in reversed(frames) if frame.mass.trunks)
    assert sum(trunk.rps for trunk in trunks) == pytest.approx(wanted, rel=0.3)
    zones = {node.zone for node in simulator.cluster.nodes.values()}
    assert {trunk.from_ for trunk in trunks} <= {*zones, "internet", "external"}
    assert frames[-1].mass.sampled == 1
    warm = [at for at, level in enumerate(simulator.form.table.heat) if level]
    assert warm and all(simulator.form.table.state[at] for at in warm)
    assert frames[-1].routes == [] and frames[-1].calls == [], "nobody watches"


def test_what_is_denied_is_counted_as_failing(simulator):
    """Egress of the busiest caller is forbidden: its calls stop, and the trunks say so."""
    line = max((line for line in simulator.bulk.lines.values() if line.target), key=lambda line: line.rps)
    run(simulator, 3)
    before = simulator.bulk.totals(simulator.clock.now)
    pod = simulator.cluster.pods_of_workload[_origin(line)][0]
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "shut", "namespace": pod.namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    }
    simulator.apply([Change("set", policy)])
    _, frames = run(simulator, 8)
    counts = [sum(numbers) for numbers in zip(*(frame.counts for frame in frames), strict=True)]
    assert counts[OUTCOMES["dropped"]] > 0.5 * line.rps * 8
    assert before.rps > 0
    assert sum(trunk.errors for trunk in simulator.bulk.heat.told) > 0.3 * line.rps


def _origin(line):
    ref = next(end for end in line.ends if end.startswith("workload:"))
    return tuple(ref.partition(":")[2].split("/"))


def test_watched_calls_have_routes_that_can_be_traced(simulator):
    line = max((line for line in simulator.bulk.lines.values() if line.target), key=lambda line: line.rps)
    service = f"service:{line.target[0]}/{line.target[1]}"
    simulator.watch(frozenset({service}))
    _, frames = run(simulator, 4)
    routes = {route.id: route for frame in frames for route in frame.routes}
    calls = [call for frame in frames for call in frame.calls]
    assert sum(call.count for call in calls) == pytest.approx(4 * line.rps, rel=0.6)
    assert {call.route for call in calls} <= routes.keys()
    mine = [route for route in routes.values() if route.flow == line.ref]
    assert mine and all(service in route.waypoints for route in mine)
    _, probe = simulator.connections[calls[-1].connection]
    assert probe.destination.kind == "name", "the question is the application's, with its look-up"
    assert line.ref in frames[-1].totals.flows
    assert set(frames[-1].totals.flows) <= {
        other.ref for other in simulator.bulk.lines.values() if service in other.ends
    }


def test_a_watched_node_shows_its_own_calls_alone(simulator):
    pod = simulator.cluster.pods_of_workload[_origin(max(simulator.bulk.lines.values(), key=_inner))][0]
    simulator.watch(frozenset({f"node:{pod.node}"}))
    _, frames = run(simulator, 5)
    routes = {route.id: route for frame in frames for route in frame.routes}
    assert routes
    there = {one.ref for one in simulator.cluster.pods.values() if one.node == pod.node}
    for call in (call for frame in frames for call in frame.calls):
        assert there & set(routes[call.route].waypoints)


def _inner(line):
    return line.rps if line.target and any(end.startswith("workload:") for end in line.ends) else 0.0


def test_with_no_time_left_few_are_decided_for_all(few, monkeypatch):
    """A core on which nothing is fast: one connection in many is decided, and the sums stay what they are."""
    clock = [0.0]

    def stopwatch():
        clock[0] += 0.03
        return clock[0]

    monkeypatch.setattr(bulk.Bulk.__init__, "__defaults__", (stopwatch,))
    slow = Simulator("big", OBJECTS, settings=SETTINGS, now=1000.0)
    _, frames = run(slow, 12)
    wanted = sum((line.rps for line in slow.bulk.lines.values()), start=0.0)
    assert frames[-1].mass.sampled > 1
    assert frames[-1].totals.rps == pytest.approx(wanted, rel=0.4)


def test_chance_opens_as_many_as_the_mean_says():
    rng = random.Random(4)
    for mean in (0.3, 5.0, 400.0):
        drawn = [poisson(rng, mean) for _ in range(2000)]
        assert sum(drawn) / 2000 == pytest.approx(mean, rel=0.1)
        spread = math.sqrt(sum((one - mean) ** 2 for one in drawn) / 2000)
        assert spread == pytest.approx(math.sqrt(mean), rel=0.1)


def test_pods_are_counted_by_state(simulator):
    pod = a_pod(simulator)
    simulator.apply([Change("unset", ("Pod", pod.namespace, pod.name))])
    simulator.step(simulator.clock.now + 0.1, connections=False)
    simulator.take_state()
    states = [state_of(one) for one in simulator.cluster.pods.values()]
    assert states.count(PENDING) > 0
    told = simulator.form.counts
    assert (told["pending"], told["ready"], told["pods"]) == (states.count(PENDING), states.count(READY), len(states))
    space = simulator.scene[f"namespace:{pod.namespace}"]["counts"]
    assert space["pods"] == sum(one.namespace == pod.namespace for one in simulator.cluster.pods.values())
