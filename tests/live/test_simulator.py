"""A cluster's life under simulated time: what is wanted happens, and the traffic follows."""

import msgspec
import pytest

from clusterviz.engine import Change, Settings, trace
from clusterviz.engine.controllers import Timing
from clusterviz.live import scene
from clusterviz.live.protocol import encode
from clusterviz.live.simulator import Simulator
from tests.live.conftest import SHOP, flow, service, workload

START = 1_700_000_000.0
NODES = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in ("n1", "n2", "n3")]
API = ("Service", "shop", "api")


def simulator(objects=(*NODES, *SHOP), seed="1", **kwargs):
    """A simulator whose cluster has come to rest."""
    made = Simulator("shop", list(objects), seed=seed, now=START, **kwargs)
    made.step(START + 10)
    made.take_state()
    made.take_traffic()
    return made


def run(simulator, seconds):
    """Let time pass; answers the traffic of it as {effect: {where: count}}."""
    simulator.step(simulator.clock.now + seconds)
    frame = simulator.take_traffic()
    found = {}
    for call in frame.calls:
        route = simulator.routes.routes[call.route]
        where = route.stop or route.waypoints[-1]
        found.setdefault(route.effect, {}).setdefault(where, 0)
        found[route.effect][where] += call.count
    return found


def pods(simulator, app="api"):
    return {pod.name: pod for pod in simulator.cluster.pods.values() if pod.labels.get("app") == app}


def patch(simulator, key, **parts):
    """A wish, as the journal brings it."""
    obj = simulator.cluster.objects[key]
    for part, fields in parts.items():
        obj = {**obj, part: {**(obj.get(part) or {}), **fields}}
    simulator.apply([Change("set", obj)])


def delete(simulator, name):
    stamp = {"deletionTimestamp": "2033-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    patch(simulator, ("Pod", "shop", name), metadata=stamp)


def test_connections_spread_over_all_ready_pods():
    sim = simulator()
    traffic = run(sim, 60)
    assert set(traffic) == {"rewritten"}
    assert set(traffic["rewritten"]) == {pod.ref for pod in pods(sim).values()}
    assert sum(traffic["rewritten"].values()) == pytest.approx(20 * 60, rel=0.15)


def test_a_deleted_pod_is_replaced_with_another_name_and_address_and_traffic_follows():
    sim = simulator()
    before = pods(sim)
    vip = sim.cluster.objects[API]["spec"]["clusterIP"]
    victim = min(before)
    delete(sim, victim)
    assert not set(run(sim, 2)) - {"rewritten"}, "its Service has others"
    run(sim, 10)
    after = pods(sim)
    assert victim not in after
    (new,) = after.keys() - before.keys()
    assert after[new].ip not in {pod.ip for pod in before.values()}
    assert sim.cluster.objects[API]["spec"]["clusterIP"] == vip
    traffic = run(sim, 30)
    assert set(traffic["rewritten"]) == {pod.ref for pod in after.values()}


def test_readiness_takes_a_pod_out_of_the_traffic_and_back():
    sim = simulator()
    name = min(pods(sim))
    ref = pods(sim)[name].ref
    patch(sim, ("Pod", "shop", name), metadata={"annotations": {"clusterviz.dev/ready": "false"}})
    run(sim, 1)
    assert ref not in run(sim, 30)["rewritten"]
    patch(sim, ("Pod", "shop", name), metadata={"annotations": {}})
    run(sim, 1)
    assert ref in run(sim, 30)["rewritten"]


def test_a_dead_node_costs_connections_until_it_is_noticed():
    """NOD-05: first time-outs, then the Service heals, then replicas are back in number."""
    sim = simulator(timing=Timing())
    lost = next(iter(pods(sim).values())).node
    patch(sim, ("Node", "", lost), metadata={"annotations": {"clusterviz.dev/down": "true"}})
    first = run(sim, Timing().unknown_after - 1)
    assert first.get("dropped"), first
    run(sim, 3)
    assert set(run(sim, 20)) == {"rewritten"}
    run(sim, Timing().evict_after + 10)
    assert sum(pod.ready for pod in pods(sim).values()) == 3


def test_scaling_to_zero_refuses_and_back_serves():
    sim = simulator()
    patch(sim, ("Deployment", "shop", "api"), spec={"replicas": 0})
    run(sim, 10)
    assert run(sim, 10).keys() == {"refused"}
    patch(sim, ("Deployment", "shop", "api"), spec={"replicas": 2})
    run(sim, 10)
    assert len(run(sim, 30)["rewritten"]) == 2


def test_a_policy_drops_what_it_does_not_allow():
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Ingress"]},
    }
    sim = simulator()
    sim.apply([Change("set", policy)])
    assert run(sim, 10).keys() == {"dropped"}
    route = next(route for route in sim.routes.routes.values() if route.effect == "dropped")
    assert route.stop
    assert route.verdict == "denied_ingress"
    assert route.reason


def story(seed):
    sim = simulator(seed=seed)
    out = []
    for number in range(100):
        if number == 30:
            delete(sim, min(pods(sim)))
        if number == 60:
            patch(sim, ("Deployment", "shop", "web"), spec={"replicas": 4})
        sim.step(START + 10 + number * 0.2)
        state = sim.take_state()
        frame = sim.take_traffic()
        out.append(encode(state) if state else "")
        out.append(msgspec.json.encode(frame).decode())
    return "\n".join(out)


def test_same_seed_same_bytes():
    assert story("7") == story("7")
    assert story("7") != story("8")


def test_the_scene_kept_up_step_by_step_is_the_scene_drawn_anew():
    sim = simulator([*NODES, *SHOP, flow("out", {"kind": "Deployment", "name": "web"}, "203.0.113.80", 443)])
    kept = dict(sim.scene)
    seq = sim.seq
    delete(sim, min(pods(sim)))
    patch(sim, ("Deployment", "shop", "web"), spec={"replicas": 0})
    down = {"annotations": {"clusterviz.dev/down": "true"}}
    patch(sim, ("Node", "", "n1"), spec={"unschedulable": True}, metadata=down)
    for _ in range(40):
        sim.step(sim.clock.now + 2)
        message = sim.take_state()
        if message is None:
            continue
        assert (message.base, message.seq) == (seq, seq + 1)
        seq = message.seq
        for entity in message.set:
            kept[entity["id"]] = entity
        for gone in message.unset:
            del kept[gone]
    assert kept == scene.build(sim.cluster, [ref for ref in kept if ref.startswith("external:")])


def test_a_sampled_connection_is_traced_exactly_as_it_was():
    sim = simulator()
    sim.step(sim.clock.now + 5)
    frame = sim.take_traffic()
    delete(sim, min(pods(sim)))
    patch(sim, ("Deployment", "shop", "api"), spec={"replicas": 1})
    run(sim, 20)
    for call in frame.calls:
        cluster, probe = sim.connections[call.connection]
        answer = trace(cluster, probe)
        assert [point.ref for point in answer.waypoints] == list(sim.routes.routes[call.route].waypoints)


def test_what_the_controllers_made_is_checkpointed_once():
    sim = Simulator("shop", [*NODES, *SHOP], seed="1", now=START, settings=Settings())
    sim.step(START + 10)
    made = {change.key for change in sim.take_checkpoint()}
    assert {key[0] for key in made} >= {"Pod", "EndpointSlice", "Service", "Node", "Deployment"}
    assert sim.take_checkpoint() == []
    assert not sim.unsaved
    again = Simulator("shop", list(sim.cluster.objects.values()), seed="2", now=START + 20)
    again.step(START + 40)
    assert again.take_checkpoint() == [], "a restart changes nothing"
    assert not again.take_state()


def test_much_that_the_controllers_made_is_checkpointed_in_portions(monkeypatch):
    monkeypatch.setattr("clusterviz.live.simulator.PORTION", 4)
    sims = [Simulator("shop", [*NODES, *SHOP], seed="1", now=START, settings=Settings()) for _ in range(2)]
    for sim in sims:
        sim.step(START + 10)
    everything, found = sims[0].take_checkpoint(), []
    while sims[1].unsaved:
        portion = sims[1].take_checkpoint(everything=False)
        assert 0 < len(portion) <= 4
        found += portion
    assert found == everything


def test_a_wish_written_against_an_old_status_does_not_undo_what_happened():
    objects = [*NODES, *SHOP]
    sim = Simulator("shop", objects, seed="1", now=START)
    sim.step(START + 0.1)
    name = min(pods(sim))
    early = sim.cluster.objects["Pod", "shop", name]
    assert early["status"]["phase"] == "Pending"
    sim.step(START + 10)
    ip = pods(sim)[name].ip
    sim.apply([Change("set", {**early, "metadata": {**early["metadata"], "annotations": {"note": "x"}}})])
    sim.step(START + 20)
    assert pods(sim)[name].ip == ip
    assert pods(sim)[name].ready
    assert pods(sim)[name].annotations == {"note": "x"}


def test_browsers_know_each_route_in_use_though_a_pod_came_back_under_its_name():
    sim = simulator(simulator().cluster.objects.values(), controllers=())
    known = {}

    def hear(seconds):
        """What a browser does: routes go with the objects on them, and are told once."""
        sim.step(sim.clock.now + seconds)
        frame, state = sim.take_traffic(), sim.take_state()
        gone = set(state.unset) if state else set()
        for route_id in [one.id for one in known.values() if gone & set(one.waypoints)]:
            del known[route_id]
        known.update({one.id: one for one in frame.routes})
        return {known[call.route] for call in frame.calls} if not gone else set()

    name = min(pods(sim))
    key = ("Pod", "shop", name)
    obj = sim.cluster.objects[key]
    known.update(sim.routes.routes)
    assert any(f"pod:shop/{name}" in route.waypoints for route in hear(10))
    sim.apply([Change("unset", key)])
    hear(1)
    sim.apply([Change("set", obj)])
    assert any(f"pod:shop/{name}" in route.waypoints for route in hear(10))


def test_nobody_looking_means_no_connections_but_controllers_live():
    sim = simulator()
    delete(sim, min(pods(sim)))
    sim.step(sim.clock.now + 20, connections=False)
    assert sim.take_traffic().calls == []
    assert len(pods(sim)) == 3
    assert run(sim, 5)["rewritten"]


def test_totals_are_rates_over_the_last_seconds():
    sim = simulator()
    sim.step(sim.clock.now + 10)
    totals = sim.take_traffic().totals
    assert totals.rps == pytest.approx(20, rel=0.5)
    assert totals.flows["flow:shop/web-api"].ok == totals.rps
    patch(sim, ("Deployment", "shop", "web"), spec={"replicas": 0})
    sim.step(sim.clock.now + 20)
    assert sim.take_traffic().totals.flows == {}


def test_a_very_busy_flow_is_counted_not_walked_one_by_one():
    busy = flow("busy", {"kind": "Deployment", "name": "web"}, "api", 80, rps=5000)
    sim = simulator([*NODES, workload("web"), workload("api"), service("api"), busy])
    sim.step(sim.clock.now + 10)
    assert sum(call.count for call in sim.take_traffic().calls) == pytest.approx(50_000, rel=0.15)


def test_more_connections_than_can_be_asked_about_are_drawn_like_others():
    asked = []

    def counting(cluster, probe):
        asked.append(probe)
        return trace(cluster, probe)

    flows = [flow(f"f{i}", {"kind": "Deployment", "name": "web"}, "api", 80, rps=100) for i in range(12)]
    sim = simulator([*NODES, workload("web"), workload("api", 3), service("api"), *flows], tracer=counting)
    asked.clear()
    sim.step(sim.clock.now + 3)
    frame = sim.take_traffic()
    assert sum(call.count for call in frame.calls) == pytest.approx(12 * 100 * 3, rel=0.15)
    assert len(asked) <= 400 * 4
    for call in frame.calls[:20]:
        cluster, probe = sim.connections[call.connection]
        route = sim.routes.routes[call.route]
        assert [point.ref for point in trace(cluster, probe).waypoints] == list(route.waypoints)


@pytest.mark.parametrize("host", ["", "a b", "x" * 3000, "-", "no.such.name"])
def test_a_flow_to_nowhere_harms_nothing(host):
    sim = simulator([*NODES, *SHOP, flow("odd", {"kind": "Deployment", "name": "web"}, host, 80)])
    assert "rewritten" in run(sim, 5)


def test_a_question_that_cannot_be_asked_is_told_once_and_the_rest_lives():
    odd = flow("odd", {"kind": "External"}, "api.shop", "no-such-port")
    sim = simulator([*NODES, *SHOP, odd])
    assert "rewritten" in run(sim, 20)
    told = [event for event in sim.events if event.reason == "FlowNotPossible"]
    assert [(event.type, event.ref) for event in told] == [("Warning", "flow:shop/odd")]
    assert "no-such-port" in told[0].message


def test_a_failing_engine_does_not_stop_the_cluster(caplog):
    def broken(cluster, probe):
        raise RuntimeError("a bug")

    sim = simulator(tracer=broken)
    assert run(sim, 5) == {}
    assert [event.ref for event in sim.events if event.reason == "FlowNotPossible"] == ["flow:shop/web-api"]
    assert "a bug" in caplog.text
    assert len(pods(sim)) == 3


@pytest.mark.parametrize("host", ["web", "web.shop", "web.shop.svc", "web.shop.svc.cluster.local"])
def test_outsiders_reach_a_service_at_its_outside_address(host):
    sim = simulator([*NODES, *SHOP, flow("in", {"kind": "External"}, host, 80)])
    sim.step(sim.clock.now + 5)
    taken = [sim.routes.routes[call.route] for call in sim.take_traffic().calls]
    routes = [route for route in taken if route.flow == "flow:shop/in"]
    assert {route.waypoints[:2] for route in routes} == {("internet", "loadbalancer:198.51.100.20")}
    assert {route.effect for route in routes} == {"rewritten"}


def test_somebody_outside_leaves_the_picture_with_the_last_route():
    """As long as a route is drawn its ends are; a minute after the last call both go."""
    ref = "external:203.0.113.50"
    out = flow("out", {"kind": "Deployment", "name": "web"}, "203.0.113.50", 443)
    sim = simulator([*NODES, *SHOP, out])
    run(sim, 5)
    sim.take_state()
    assert ref in sim.scene
    sim.apply([Change("unset", ("TrafficFlow", "shop", "out"))])
    run(sim, 30)
    sim.take_state()
    assert ref in sim.scene
    run(sim, 60)
    assert sim.stirred
    assert sim.take_state().unset == [ref]
    assert not sim.stirred
