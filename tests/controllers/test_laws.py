"""Whatever people do to a cluster, these hold (property-tested)."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine.addresses import in_cidr
from clusterviz.engine.controllers import Reconciler, last_addresses
from tests.controllers.world import World, deployment, node, service

NODES = ("n1", "n2", "n3")
WORKLOADS = (("Deployment", "web"), ("StatefulSet", "db"), ("DaemonSet", "agent"))
WISHES = st.one_of(
    st.tuples(st.just("delete"), st.integers(0, 20)),
    st.tuples(st.just("ready"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("scale"), st.sampled_from(WORKLOADS[:2]), st.integers(0, 5)),
    st.tuples(st.just("image"), st.sampled_from(WORKLOADS), st.sampled_from(["web:1", "web:2", "web:3"])),
    st.tuples(st.just("cordon"), st.sampled_from(NODES), st.booleans()),
    st.tuples(st.just("down"), st.sampled_from(NODES), st.booleans()),
    st.tuples(st.just("wait"), st.integers(0, 60)),
)


def fresh():
    made = [deployment("web"), deployment("db", kind="StatefulSet", replicas=2), deployment("agent", kind="DaemonSet")]
    return World(*map(node, NODES), *made, service("web"), service("db")).settle()


def wish(world, what, *args):
    """One thing people do."""
    pods = world.pods()
    match what:
        case "delete" if pods:
            world.delete_pod(pods[args[0] % len(pods)].name)
        case "ready" if pods:
            value = {} if args[1] else {"clusterviz.dev/ready": "false"}
            world.patch("Pod", pods[args[0] % len(pods)].name, metadata={"annotations": value})
        case "scale":
            world.patch(*args[0], spec={"replicas": args[1]})
        case "image":
            spec = world.get(*args[0])["spec"]
            containers = [{**spec["template"]["spec"]["containers"][0], "image": args[1]}]
            template = {**spec["template"], "spec": {**spec["template"]["spec"], "containers": containers}}
            world.patch(*args[0], spec={"template": template})
        case "cordon":
            world.patch("Node", args[0], "", spec={"unschedulable": args[1]})
        case "down":
            value = {"clusterviz.dev/down": "true"} if args[1] else {}
            world.patch("Node", args[0], "", metadata={"annotations": value})
        case "wait":
            world.run(args[0])


def check_always(world):
    """True at every moment."""
    live = [pod for pod in world.pods() if pod.ips and not pod.host_network]
    assert len({pod.ip for pod in live}) == len(live), "NET-01: a pod IP belongs to one pod"
    for pod in live:
        assert in_cidr(pod.ip, world.cluster.nodes[pod.node].pod_cidrs[0]), "IPM-02"
    for name in ("web", "db"):
        pods = {pod.ip: pod for pod in live if pod.labels.get("app") == name}
        for endpoint in world.endpoints(name):
            pod = pods[endpoint.ip]
            assert endpoint.serving == pod.ready
            assert endpoint.terminating == pod.terminating
            assert endpoint.ready == (pod.ready and not pod.terminating), "EPS-02"


def heal(world):
    """Undo everything that keeps pods away."""
    for name in NODES:
        world.patch("Node", name, "", spec={"unschedulable": False}, metadata={"annotations": {}})
    world.reconcile()
    for pod in world.pods():
        world.patch("Pod", pod.name, metadata={"annotations": {}})
    world.run(600)


@settings(max_examples=40)
@given(st.lists(WISHES, max_size=12))
def test_what_is_wanted_is_what_there_is_in_the_end(wishes):
    world = fresh()
    for one in wishes:
        wish(world, *one)
        world.reconcile()
        check_always(world)
    heal(world)
    check_always(world)
    outcome = world.reconcile()
    assert (outcome.changes, outcome.wake) == ((), None), "at rest"
    for kind, name in WORKLOADS:
        obj = world.get(kind, name)
        pods = world.pods(name)
        wanted = len(NODES) if kind == "DaemonSet" else obj["spec"]["replicas"]
        image = obj["spec"]["template"]["spec"]["containers"][0]["image"]
        assert len(pods) == wanted
        assert all(pod.ready and pod.containers[0].image == image for pod in pods)
    assert sorted(pod.name for pod in world.pods("db")) == [f"db-{i}" for i in range(len(world.pods("db")))]


def outcome_of(reconciler, world, rng):
    found = reconciler.run(now=world.now, rng=rng)
    changes = {change.key: change.value if change.verb == "set" else None for change in found.changes}
    return changes, found.happenings, found


@settings(max_examples=25)
@given(st.lists(WISHES, max_size=10), st.integers(0, 99))
def test_who_looks_only_at_what_changed_comes_to_the_same(wishes, seed):
    """One Reconciler follows every change, another sees everything for the first time at each moment."""
    world = fresh()
    following = Reconciler(world.cluster.objects, last_ip=last_addresses(world.cluster.objects))
    chance = random.Random(seed), random.Random(seed)
    last_ip = last_addresses(world.cluster.objects)
    for one in [*wishes, ("wait", 30)]:
        before = world.cluster.objects
        world.reconcile = lambda: None  # only the two here act
        world.wake = None
        wish(world, *one)
        following.note((key, obj) for key, obj in world.cluster.objects.items() if before.get(key) is not obj)
        for _ in range(4):
            objects = world.cluster.objects
            new = Reconciler(objects, last_ip=last_ip)
            mine, told, found = outcome_of(following, world, chance[0])
            theirs, heard, _ = outcome_of(new, world, chance[1])
            assert (mine, told) == (theirs, heard)
            world.cluster = world.cluster.apply(found.changes)
            if found.wake is None:
                break
            world.now = found.wake
