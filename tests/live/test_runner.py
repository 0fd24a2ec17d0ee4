"""Clusters kept alive over a real database: edits, several clusters, locks, failures, settling."""

import asyncio
import json
import subprocess
import sys
import time

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import OperationalError

from clusterviz.cluster import services, snapshot
from clusterviz.engine import Probe, ProbeError
from clusterviz.live import database, instance, keeper, questions, runner
from clusterviz.live.leader import Leadership, lock_path
from clusterviz.live.simulator import Simulator
from tests.live.conftest import SHOP, flow

pytestmark = pytest.mark.django_db(transaction=True)


def told(name):
    """The snapshot as a browser reads it."""
    return json.loads(questions.snapshot(name).body)


async def until(condition, within=15.0):
    """Wait for something to become true and return it."""
    async with asyncio.timeout(within):
        while not (found := condition()):  # noqa: ASYNC110 - several threads and tasks have a part in it
            await asyncio.sleep(0.05)
    return found


async def in_thread(function, *args, **kwargs):
    return await sync_to_async(function)(*args, **kwargs)


def pods(cluster, app="api"):
    return {
        obj["metadata"]["name"]: obj
        for obj in snapshot.load_objects(cluster)
        if obj["kind"] == "Pod" and (obj["metadata"].get("labels") or {}).get("app") == app
    }


def ready(replica, app="api"):
    return [pod for pod in replica.cluster.pods.values() if pod.labels.get("app") == app and pod.ready]


async def test_a_kept_cluster_comes_alive_and_is_checkpointed(shop, live):
    await runner.start()
    await until(lambda: (replica := runner.replica("shop")) and len(ready(replica)) == 3)
    async with asyncio.timeout(60):
        while len(await in_thread(pods, shop)) < 3:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.1)
    await runner.stop()
    stored = await in_thread(pods, shop)
    kept = [pod["status"]["podIP"] for pod in stored.values()]
    assert len(set(kept)) == 3
    assert not runner.held("shop")


async def test_a_restart_goes_on_where_it_stopped_in_a_new_epoch(shop, live):
    await runner.start()
    replica = await until(lambda: (r := runner.replica("shop")) and len(ready(r)) == 3 and r)
    before = {pod.name: pod.ip for pod in ready(replica)}
    await runner.stop()
    await runner.start()
    again = await until(lambda: runner.replica("shop"))
    assert {pod.name: pod.ip for pod in ready(again)} == before
    assert again.epoch > replica.epoch


@pytest.mark.parametrize("turns", range(5))
async def test_who_stops_in_the_moment_of_news_is_not_kept_waiting(shop, live, turns):
    for _ in range(3):
        await runner.start()
        await until(lambda: runner.replica("shop"))
        crew = instance.current().crew
        crew.poke()
        crew.poke_cluster("shop")
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping = asyncio.create_task(runner.stop())
        await asyncio.wait({stopping}, timeout=20)
        assert stopping.done()


async def test_a_deleted_pod_is_replaced_in_the_database_too(shop, live):
    await in_thread(runner.settle, "shop")
    before = await in_thread(pods, shop)
    victim = min(before)
    await runner.start()
    await until(lambda: runner.replica("shop"))
    await in_thread(services.act, shop, "delete-pod", f"pod:shop/{victim}", actor="test")
    await until(lambda: f"pod:shop/{victim}" not in runner.replica("shop").scene)
    await until(lambda: len(ready(runner.replica("shop"))) == 3)
    await runner.stop()
    after = await in_thread(pods, shop)
    assert victim not in after
    (new,) = after.keys() - before.keys()
    assert after[new]["status"]["podIP"] not in {pod["status"]["podIP"] for pod in before.values()}


async def test_several_clusters_live_side_by_side_and_come_and_go(shop, live):
    await runner.start()
    second = await in_thread(services.create_cluster, "second", nodes=1, actor="test")
    await in_thread(services.apply_objects, second, SHOP, actor="test")
    await until(lambda: (replica := runner.replica("second")) and len(ready(replica)) == 3)
    assert {pod.node for pod in runner.replica("second").cluster.pods.values()} == {"n1"}
    assert {pod.node for pod in runner.replica("shop").cluster.pods.values()} == {"n1", "n2", "n3"}
    await in_thread(services.delete_cluster, second)
    await until(lambda: runner.replica("second") is None)
    assert runner.replica("shop") is not None


async def test_a_cluster_of_the_same_name_is_another_cluster(shop, live):
    await runner.start()
    await until(lambda: (replica := runner.replica("shop")) and len(ready(replica)) == 3)
    await in_thread(services.act, shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=9)
    await until(lambda: len(runner.replica("shop").cluster.pods) > 7)
    await in_thread(services.delete_cluster, shop)
    again = await in_thread(services.create_cluster, "shop", nodes=1, actor="test")
    await until(lambda: (replica := runner.replica("shop")) and [*replica.cluster.nodes] == ["n1"])
    assert not ready(runner.replica("shop"))
    await runner.stop()
    assert not await in_thread(pods, again)


async def test_an_exception_in_one_cluster_restarts_it_and_spares_the_others(shop, live, monkeypatch, caplog):
    monkeypatch.setattr(keeper, "RESTART", 0.1)
    await in_thread(services.create_cluster, "other", nodes=1, actor="test")
    await runner.start()
    first = await until(lambda: runner.replica("shop"))
    other = await until(lambda: runner.replica("other"))
    real = Simulator.step
    broken = []

    def step(self, until, **kwargs):
        if self.name == "shop" and not broken:
            broken.append(True)
            raise RuntimeError("a bug")
        return real(self, until, **kwargs)

    monkeypatch.setattr(Simulator, "step", step)
    await until(lambda: runner.replica("shop").epoch > first.epoch)
    assert runner.replica("other").epoch == other.epoch
    assert "Cluster shop stopped with an error" in caplog.text


async def test_a_database_that_is_busy_for_long_delays_saving_and_nothing_else(shop, live, monkeypatch, caplog):
    save, refused = database.checkpoint, []

    def checkpoint(*args):
        if len(refused) < 2:
            refused.append(args)
            raise OperationalError("database is locked")
        save(*args)

    monkeypatch.setattr(database, "checkpoint", checkpoint)
    await runner.start()
    epoch = (await until(lambda: runner.replica("shop"))).epoch
    async with asyncio.timeout(60):
        while len(await in_thread(pods, shop)) < 3:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.1)
    assert len(refused) == 2
    assert runner.replica("shop").epoch == epoch
    assert "not saved, tried again soon: database is locked" in caplog.text


async def test_settings_are_followed(shop, live):
    await runner.start()
    await until(lambda: runner.replica("shop"))
    shop.settings = {"network": "host-gw"}
    await in_thread(services.save_cluster, shop)
    await until(lambda: runner.replica("shop").cluster.settings.network == "host-gw", within=3)


async def test_whoever_does_not_lead_follows(shop, live):
    """Another process has the lock: what it checkpoints is shown here, and taken over when it ends."""
    leadership = Leadership("shop")
    assert leadership.acquire()
    await runner.start()
    await until(lambda: runner.replica("shop"))
    assert not live.crew.keepers["shop"].leading
    assert not ready(runner.replica("shop"))
    leadership.release()
    await until(lambda: live.crew.keepers["shop"].leading)
    await until(lambda: len(ready(runner.replica("shop"))) == 3)


async def test_a_follower_shows_what_the_leader_saved(shop, live):
    await in_thread(runner.settle, "shop")
    leadership = Leadership("shop")
    assert leadership.acquire()
    await runner.start()
    await until(lambda: (replica := runner.replica("shop")) and len(ready(replica)) == 3)
    await in_thread(services.act, shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=1)
    await until(lambda: runner.replica("shop").scene["workload:Deployment/shop/api"]["replicas"] == 1, within=2)
    assert len(ready(runner.replica("shop"))) == 3, "scaling is the leader's business"
    leadership.release()


def test_settle_without_a_server_makes_pods_with_addresses(shop):
    assert runner.settle("shop")
    stored = pods(shop)
    assert len(stored) == 3
    assert all(pod["status"]["podIP"] for pod in stored.values())
    again = snapshot.load_objects(shop)
    assert runner.settle("shop")
    assert snapshot.load_objects(shop) == again, "at rest nothing changes"


def test_settle_after_deleting_gives_another_name_and_address(shop):
    runner.settle("shop")
    before = pods(shop)
    services.act(shop, "delete-pod", f"pod:shop/{max(before, key=lambda n: before[n]['status']['podIP'])}", actor="t")
    runner.settle("shop")
    after = pods(shop)
    (new,) = after.keys() - before.keys()
    assert after[new]["status"]["podIP"] not in {pod["status"]["podIP"] for pod in before.values()}


def test_settle_leaves_a_cluster_that_is_led_alone(shop):
    leadership = Leadership("shop")
    leadership.acquire()
    try:
        assert runner.held("shop")
        assert not runner.settle("shop")
    finally:
        leadership.release()
    assert not pods(shop)


def test_the_lock_goes_with_the_process_that_held_it(shop):
    code = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code, lock_path("shop")], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        assert runner.held("shop")
        process.kill()
        process.wait()
    deadline = time.monotonic() + 5
    while runner.held("shop") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runner.held("shop")
    assert lock_path("shop").exists(), "nobody has to clean up"


def test_simulate_settles_one_cluster_or_names_those_there_are(shop, capsys):
    call_command("simulate", settle="shop")
    assert "at rest" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"There is no cluster 'nope'\. Clusters: shop"):
        call_command("simulate", settle="nope")


def test_snapshot_without_a_simulator_is_what_the_database_has(shop):
    runner.settle("shop")
    answer = told("shop")
    assert (answer["cluster"], answer["epoch"], answer["seq"]) == ("shop", 0, 0)
    kinds = {entity["kind"] for entity in answer["entities"]}
    assert kinds >= {"node", "pod", "service", "workload", "flow", "namespace", "loadbalancer"}
    assert len({entity["id"] for entity in answer["entities"]}) == len(answer["entities"])


async def test_snapshot_and_stream_fit_together(shop, live, browser):
    one = browser()
    hello = await one.open()
    answer = await in_thread(told, "shop")
    assert answer["epoch"] == hello["epoch"]
    scene = {entity["id"]: entity for entity in answer["entities"]}
    seq = answer["seq"]
    while not sum(e["kind"] == "pod" and e["ready"] for e in scene.values()) >= 5:
        message = await one.wait_for("state")
        if message["seq"] <= seq:
            continue
        assert message["base"] == seq
        seq = message["seq"]
        scene.update({entity["id"]: entity for entity in message["set"]})
        for gone in message["unset"]:
            del scene[gone]
    await one.disconnect()


async def test_a_drawn_call_can_be_traced(shop, live, browser):
    await in_thread(runner.settle, "shop")
    one = browser()
    await one.open()
    frame = await one.wait_for(lambda m: m["type"] == "traffic" and m["calls"])
    known = (await in_thread(told, "shop"))["routes"]
    routes = {route["id"]: route for route in [*known, *frame["routes"]]}
    route_id, count, connection = frame["calls"][0]
    assert count >= 1
    answer = await in_thread(questions.trace_connection, "shop", connection)
    assert [point["ref"] for point in answer["waypoints"]] == list(routes[route_id]["waypoints"])
    with pytest.raises(questions.UnknownError, match="forgotten"):
        await in_thread(questions.trace_connection, "shop", "no-such")
    await one.disconnect()


def test_probes_and_panels(shop):
    runner.settle("shop")
    answer = questions.trace_probe("shop", Probe.parse("shop/web", "http://api.shop/"))
    assert answer["verdict"] == "delivered"
    with pytest.raises(ProbeError):
        questions.trace_probe("shop", Probe.parse("shop/nobody", "api.shop:80"))
    pod = f"pod:shop/{min(pods(shop))}"
    panel = questions.object_panel("shop", pod)
    assert panel["yaml"].startswith("apiVersion: v1\nkind: Pod\n")
    related = {entry["label"]: entry["refs"] for entry in panel["related"]}
    assert related["Services that lead here"] == ["service:shop/api"]
    assert related["Workload"] == ["workload:Deployment/shop/api"]
    assert panel["flows"] == ["flow:shop/web-api"]
    assert dict(panel["facts"])["Ready"] == "yes"


def test_every_thing_in_the_picture_has_a_panel(shop):
    runner.settle("shop")
    for entity in told("shop")["entities"]:
        panel = questions.object_panel("shop", entity["id"])
        assert (panel["id"], panel["kind"]) == (entity["id"], entity["kind"])
        assert panel["facts"]
    for ref in ("internet", "wire", "external:203.0.113.9"):
        assert questions.object_panel("shop", ref)["facts"]


@pytest.mark.parametrize("ref", ["", "pod:", "pod:shop", "pod:shop/none", "workload:Job/shop/x", "<b>", "x" * 9999])
def test_nothing_else_has_a_panel(shop, ref):
    with pytest.raises(questions.UnknownError):
        questions.object_panel("shop", ref)


def test_an_unknown_cluster_is_named(shop):
    with pytest.raises(questions.UnknownError, match="There is no cluster 'nope'"):
        questions.snapshot("nope")


POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "api", "namespace": "shop"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "api"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [
                    {"podSelector": {"matchLabels": {"app": "web"}}},
                    {"podSelector": {}, "namespaceSelector": {"matchLabels": {"team": "a"}}},
                    {"namespaceSelector": {}},
                    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
                ],
                "ports": [{"port": 8080}, {"port": 53, "endPort": 60, "protocol": "UDP"}, {"protocol": "SCTP"}],
            },
            {},
        ],
    },
}


def test_the_panel_of_a_policy_says_its_rules(shop):
    services.apply_objects(shop, [POLICY, flow("web-web", {"kind": "Deployment", "name": "web"}, "web", 80)], actor="t")
    services.act(shop, "scale", "workload:Deployment/shop/api", actor="t", replicas=1)
    runner.settle("shop")
    panel = questions.object_panel("shop", "policy:shop/api")
    facts = dict(panel["facts"])
    assert facts["Selects"] == "1 pod"
    assert facts["Ingress rule 1"] == (
        "from pods with app=web of this namespace or all pods of namespaces with team=a or all pods of all namespaces "
        "or 10.0.0.0/8 except 10.1.0.0/16, on 8080/TCP, 53-60/UDP, any SCTP port"
    )
    assert facts["Ingress rule 2"] == "from anywhere, on any port"
    assert facts["Egress"] == "nothing is let out"
    assert panel["flows"] == ["flow:shop/web-api"]


def test_the_panel_of_a_namespace_lists_what_is_in_it(shop):
    runner.settle("shop")
    panel = questions.object_panel("shop", "namespace:shop")
    related = {entry["label"]: entry["refs"] for entry in panel["related"]}
    assert len(related["Pods"]) == len(pods(shop)) + len(pods(shop, "web"))
    assert panel["flows"] == ["flow:shop/web-api"]
    assert questions.object_panel("shop", "namespace:kube-system")["flows"] == []
