"""A database that holds more pods than the simulator runs: that cluster waits, the others live."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async

from clusterviz.cluster import services
from clusterviz.cluster.models import Deployment, Pod
from clusterviz.cluster.services import capacity
from clusterviz.live import database, groundwork, keeper, questions, runner
from clusterviz.live.simulator import Simulator
from tests.live.conftest import workload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heavy(shop):
    """Beside the shop a cluster from before there was a limit."""
    cluster = services.create_cluster("heavy", nodes=2, actor="test")
    services.apply_objects(cluster, [workload("mad")], actor="test")
    Deployment.objects.filter(cluster=cluster, name="mad").update(replicas=1_000_000)
    return cluster


async def until(condition, within=60):
    for _ in range(within * 10):
        if await sync_to_async(condition)():
            return
        await asyncio.sleep(0.1)
    pytest.fail("it did not happen")


async def test_a_heavy_cluster_is_declined_and_the_others_live(heavy, live, browser, caplog):
    one = browser("shop")
    await one.open()
    state = await one.wait_for(lambda m: m["type"] == "state" and any(e["kind"] == "pod" for e in m["set"]))
    assert state["set"]
    other = browser("heavy")
    assert (await other.open())["type"] == "hello"
    replica = live.crew.replica("heavy")
    [event] = replica.events
    assert (event.type, event.reason) == ("Warning", "TooManyPods")
    assert "wants 1000002 pods" in event.message and "at most 200000" in event.message
    assert "node:n1" in replica.scene and not replica.cluster.pods
    assert [r for r in caplog.records if "not simulated" in r.getMessage()]
    assert not await Pod.objects.filter(cluster=heavy).aexists()
    await one.disconnect()
    await other.disconnect()


async def test_a_heavy_cluster_lives_once_its_replicas_are_lowered(heavy, live, browser):
    other = browser("heavy")
    await other.open()
    await sync_to_async(services.act)(heavy, "scale", "workload:Deployment/shop/mad", actor="test", replicas=2)
    await until(lambda: Pod.objects.filter(cluster=heavy, phase="Running").count() == 4)
    await other.disconnect()


async def test_surplus_pods_are_made_anew(shop, live, browser, monkeypatch):
    """The limit is lowered to what the shop wants; forty old pods of its are far too many."""
    monkeypatch.setattr(capacity, "MAX_PODS", 9)
    owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-1", "controller": True}]
    old = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"api-1-{n}", "namespace": "shop", "labels": {"app": "api"}, "ownerReferences": owner},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        for n in range(40)
    ]
    await sync_to_async(services.checkpoint)(shop, set=old)
    one = browser()
    await one.open()
    await until(lambda: Pod.objects.filter(cluster=shop, phase="Running").count() == 7)
    assert not await Pod.objects.filter(cluster=shop, name__startswith="api-1-").aexists()
    await one.disconnect()


async def test_a_large_cluster_is_loaded_aside_and_says_so(shop, live, monkeypatch):
    """Three pods count as large here. While it is loaded, whoever asks is told so and the other cluster lives."""
    await sync_to_async(runner.settle)("shop")
    await sync_to_async(services.create_cluster)("other", nodes=1, actor="test")
    monkeypatch.setattr(keeper, "HEAVY", 3)
    going = threading.Event()
    load = database.load

    def slow(name):
        if name == "shop":
            going.wait(20)
        return load(name)

    monkeypatch.setattr(database, "load", slow)
    await runner.start()
    await until(lambda: runner.loading("shop") == "Loading 7 pods")
    with pytest.raises(questions.LoadingError, match="Loading 7 pods"):
        await sync_to_async(questions.snapshot)("shop")
    await until(lambda: runner.replica("other"))
    going.set()
    await until(lambda: runner.replica("shop"))
    await sync_to_async(services.act)(shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=5)
    await until(lambda: len(runner.replica("shop").cluster.pods) == 9)


async def test_a_large_cluster_shows_traffic_while_its_controllers_still_look_at_everything(
    shop, live, browser, monkeypatch
):
    """Three pods count as large here. A wish of that time is followed once the controllers act."""
    await sync_to_async(runner.settle)("shop")
    monkeypatch.setattr(keeper, "HEAVY", 3)
    going = threading.Event()
    prepared = groundwork.prepared

    def slow(*given):
        going.wait(20)
        return prepared(*given)

    monkeypatch.setattr(groundwork, "prepared", slow)
    one = browser()
    await one.open()
    frame = await one.wait_for(lambda m: m["type"] == "traffic" and m["calls"])
    assert frame["calls"]
    await sync_to_async(services.act)(shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=5)
    assert (await one.wait_for("traffic"))["type"] == "traffic"
    assert len(runner.replica("shop").cluster.pods) == 7
    going.set()
    await until(lambda: len(runner.replica("shop").cluster.pods) == 9)
    await until(lambda: Pod.objects.filter(cluster=shop, phase="Running").count() == 9)
    await one.disconnect()


async def test_what_fails_while_a_large_cluster_is_prepared_restarts_it(shop, live, monkeypatch, caplog):
    await sync_to_async(runner.settle)("shop")
    monkeypatch.setattr(keeper, "HEAVY", 3)
    monkeypatch.setattr(keeper, "RESTART", 0.1)
    prepared, failed = groundwork.prepared, threading.Event()

    def once(*given):
        if not failed.is_set():
            failed.set()
            raise RuntimeError("no ground")
        return prepared(*given)

    monkeypatch.setattr(groundwork, "prepared", once)
    await runner.start()
    await until(failed.is_set)
    await until(lambda: [r for r in caplog.records if "starts again" in r.getMessage()])
    await sync_to_async(services.act)(shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=5)
    await until(lambda: (replica := runner.replica("shop")) and len(replica.cluster.pods) == 9)


async def test_controllers_of_a_large_cluster_act_beside_the_loop(shop, live, browser, monkeypatch):
    """Three pods count as large here. Traffic goes on while they act; what was wished meanwhile comes after it."""
    await sync_to_async(runner.settle)("shop")
    monkeypatch.setattr(keeper, "HEAVY", 3)
    one = browser()
    await one.open()
    await one.wait_for("traffic")
    going, turn = threading.Event(), Simulator.turn

    def slow(simulator, moment):
        going.wait(20)
        return turn(simulator, moment)

    monkeypatch.setattr(Simulator, "turn", slow)
    api = "workload:Deployment/shop/api"
    await sync_to_async(services.act)(shop, "scale", api, actor="test", replicas=5)
    assert (await one.wait_for("traffic"))["type"] == "traffic"
    assert len(runner.replica("shop").cluster.pods) == 7
    await sync_to_async(services.act)(shop, "scale", api, actor="test", replicas=6)
    going.set()
    await until(lambda: len(runner.replica("shop").cluster.pods) == 10)
    await until(lambda: Pod.objects.filter(cluster=shop, phase="Running").count() == 10)
    await one.disconnect()
