"""The scheduler: pods near and far from each other, spread, preferred nodes, priorities (LIF-10)."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine.controllers.room import amount, requests
from tests.controllers.world import World, deployment, node

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


def hosts(*zones, **extra):
    """n1, n2 ... in these zones."""
    return [node(f"n{i}", metadata={"labels": {ZONE: zone}}, **extra) for i, zone in enumerate(zones, 1)]


def sized(name, cpu="1", **labels):
    return node(name, metadata={"labels": labels}, status={"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}})


def term(app="web", key=HOST, **extra):
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **extra}


def affinity(kind, *terms, preferred=False):
    field = "preferred" if preferred else "required"
    return {"affinity": {kind: {f"{field}DuringSchedulingIgnoredDuringExecution": list(terms)}}}


def constraint(app="web", key=ZONE, skew=1, when="DoNotSchedule", **extra):
    chosen = {"matchLabels": {"app": app}}
    return {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": chosen, **extra}


def asking(cpu, **extra):
    return {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}], **extra}


def priority(name, value, **extra):
    meta = {"name": name}
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta, "value": value, **extra}


def homes(world, app=None):
    return sorted(pod.node for pod in world.pods(app))


def refusals(world):
    """What FailedScheduling said before it came to preemption."""
    found = (event.message for event in world.events if event.reason == "FailedScheduling")
    return [message.partition(" preemption:")[0] for message in found]


def test_the_labels_of_every_kubelet_choose_nodes_that_do_not_name_them():
    arm = node("n0", metadata={"labels": {"kubernetes.io/arch": "arm64"}})
    for prefix in ("", "beta."):
        chosen = {"nodeSelector": {f"{prefix}kubernetes.io/arch": "amd64", f"{prefix}kubernetes.io/os": "linux"}}
        assert homes(World(arm, node("n1"), deployment(replicas=1, pod_spec=chosen)).settle()) == ["n1"]


def test_pods_that_avoid_each_other_take_a_node_each_and_the_next_waits():
    apart = affinity("podAntiAffinity", term())
    world = World(*hosts("a", "a", "b"), deployment(replicas=4, pod_spec=apart)).settle()
    assert homes(world) == ["", "n1", "n2", "n3"]
    assert refusals(world) == ["0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules."]
    world.delete_pod(world.pods()[0].name)
    assert homes(world.settle()) == ["", "n1", "n2", "n3"]
    world.set(node("n4"))
    assert homes(world.settle()) == ["n1", "n2", "n3", "n4"]


def test_who_came_first_keeps_others_away_even_if_these_do_not_care():
    guarded = affinity("podAntiAffinity", term("noisy", ZONE))
    world = World(*hosts("a", "b"), deployment("quiet", 1, pod_spec=guarded)).settle()
    taken = world.pods()[0].node
    world.set(deployment("noisy", 2))
    assert set(homes(world.settle(), "noisy")) == {"n1", "n2"} - {taken}
    world = World(*hosts("a"), deployment("quiet", 1, pod_spec=guarded)).settle()
    world.set(deployment("noisy", 1))
    world.settle()
    assert refusals(world) == ["0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."]


def test_pods_go_where_the_pods_they_need_are_and_wait_for_them():
    near = affinity("podAffinity", term("db", ZONE))
    world = World(*hosts("a", "a", "b"), deployment(replicas=4, pod_spec=near)).settle()
    assert homes(world) == [""] * 4
    assert refusals(world)[0] == "0/3 nodes are available: 3 node(s) didn't match pod affinity rules."
    world.set(deployment("db", 1, pod_spec={"nodeSelector": {HOST: "n2"}}))
    assert homes(world.settle(), "web") == ["n1", "n1", "n2", "n2"]


def test_the_first_of_pods_that_want_to_be_together_may_go_anywhere():
    world = World(*hosts("a", "b", "b"), deployment(replicas=3, pod_spec=affinity("podAffinity", term(key=ZONE))))
    zones = {"n1": "a", "n2": "b", "n3": "b"}
    assert len({zones[home] for home in homes(world.settle())}) == 1


@pytest.mark.parametrize(
    ("spaces", "expected"),
    [({}, "n2"), ({"namespaces": ["data"]}, "n1"), ({"namespaceSelector": {"matchLabels": {"tier": "data"}}}, "n1")],
)
def test_terms_look_at_the_namespaces_they_name(spaces, expected):
    there = [
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": space, "labels": {"app": "db"}},
            "spec": {"nodeName": home, "containers": [{"name": "c", "image": "i"}]},
        }
        for space, home in (("data", "n1"), ("shop", "n2"))
    ]  # fmt: skip
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "data", "labels": {"tier": "data"}}}
    near = affinity("podAffinity", term("db", **spaces))
    world = World(*hosts("a", "a"), space, *there, deployment(replicas=2, pod_spec=near)).settle()
    assert set(homes(world, "web")) == {expected}


@pytest.mark.parametrize(
    ("kind", "expected"), [("podAffinity", ["n2", "n2", "n2"]), ("podAntiAffinity", ["n3", "n3", "n3"])]
)
def test_preferred_neighbours_decide_among_nodes_that_do(kind, expected):
    wish = {"weight": 50, "podAffinityTerm": term("db")}
    world = World(*hosts("a", "a", "a"), deployment("db", 1, pod_spec={"nodeName": "n2"})).settle()
    world.patch("Node", "n1", "", spec={"taints": [{"key": "slow", "effect": "PreferNoSchedule"}]})
    world.set(deployment(replicas=3, pod_spec=affinity(kind, wish, preferred=True)))
    assert homes(world.settle(), "web") == expected


def test_preferred_nodes_and_soft_taints_are_wishes_only():
    wish = {"weight": 1, "preference": {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["b"]}]}}
    world = World(*hosts("a", "b"), deployment(replicas=3, pod_spec=affinity("nodeAffinity", wish, preferred=True)))
    assert homes(world.settle()) == ["n2"] * 3
    world.patch("Node", "n2", "", spec={"unschedulable": True})
    world.patch("Deployment", "web", spec={"replicas": 4})
    assert homes(world.settle()) == ["n1", "n2", "n2", "n2"]
    soft = {"taints": [{"key": "slow", "effect": "PreferNoSchedule"}]}
    world = World(*hosts("a", spec=soft), sized("n2"), deployment(replicas=3)).settle()
    assert homes(world) == ["n2"] * 3


def test_spread_pods_wait_rather_than_lean_to_one_side():
    spread = {"topologySpreadConstraints": [constraint()]}
    world = World(*hosts("a", "a", "b"), deployment(replicas=6, pod_spec=spread)).settle()
    assert Counter(homes(world))["n3"] == 3
    world.patch("Node", "n3", "", spec={"unschedulable": True})
    world.patch("Deployment", "web", spec={"replicas": 8})
    assert homes(world.settle()).count("") == 1, "one more in zone a is allowed, a second is not"
    assert refusals(world) == [
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints."
    ]
    world.patch("Node", "n3", "", spec={"unschedulable": False})
    assert Counter(homes(world.settle()))["n3"] == 4


def test_spread_counts_only_nodes_with_the_label_and_asks_for_enough_domains():
    spread = {"topologySpreadConstraints": [constraint(minDomains=3)]}
    world = World(*hosts("a", "b"), node("bare"), deployment(replicas=3, pod_spec=spread)).settle()
    assert homes(world) == ["", "n1", "n2"], "of three domains that are asked for one has no node and no pod"
    assert refusals(world) == [
        (
            "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), "
            "2 node(s) didn't match pod topology spread constraints."
        )
    ]
    world.patch("Node", "bare", "", metadata={"labels": {ZONE: "c"}})
    assert homes(world.settle()) == ["bare", "n1", "n2"]


def test_spread_by_the_label_of_a_revision_ignores_the_old_pods():
    """matchLabelKeys: a rollout is spread for itself."""
    by_revision = constraint(key=HOST, matchLabelKeys=["pod-template-hash"])
    spread = {"topologySpreadConstraints": [by_revision]}
    world = World(*hosts("a", "a"), deployment(replicas=2, pod_spec=spread)).settle()
    world.set(deployment(replicas=2, image="web:2", pod_spec=spread))
    assert homes(world.settle()) == ["n1", "n2"]


def test_a_soft_spread_prefers_the_emptier_zone_whatever_its_nodes_carry():
    crowd = deployment("crowd", 6, pod_spec={"nodeName": "n3"})
    spread = {"topologySpreadConstraints": [constraint(when="ScheduleAnyway")]}
    world = World(*hosts("a", "a", "b"), crowd).settle()
    world.set(deployment(replicas=4, pod_spec=spread))
    assert Counter(homes(world.settle(), "web"))["n3"] == 2


@settings(max_examples=15)
@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=5), st.integers(1, 2), st.sets(st.integers(1, 9)))
def test_no_zone_is_ever_ahead_by_more_than_the_skew(zones, skew, sizes):
    spread = {"topologySpreadConstraints": [constraint(skew=skew)]}
    world = World(*hosts(*zones), deployment(replicas=0, pod_spec=spread)).settle()
    for size in sorted(sizes):
        world.patch("Deployment", "web", spec={"replicas": size})
        world.settle()
        found = Counter(zones[int(pod.node[1:]) - 1] for pod in world.pods())
        assert found.total() == size
        assert max(found.values()) - min(found[zone] for zone in zones) <= skew


@settings(max_examples=12)
@given(
    st.lists(st.integers(200, 2000), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(50, 900), st.sampled_from([0, 10, 1000])), min_size=1, max_size=4
    ),
)
def test_no_node_ever_carries_more_than_is_allocatable(cores, wanted):
    nodes = [sized(f"n{i}", f"{cpu}m") for i, cpu in enumerate(cores)]
    classes = [priority(f"p{value}", value) for value in (10, 1000)]
    world = World(*nodes, *classes).settle()
    for number, (replicas, cpu, rank) in enumerate(wanted):
        extra = {"priorityClassName": f"p{rank}"} if rank else {}
        world.set(deployment(f"w{number}", replicas, pod_spec=asking(f"{cpu}m", **extra)))
        for _ in range(60):
            world.reconcile()
            used: Counter[str] = Counter()
            for (kind, *_), obj in world.cluster.objects.items():
                if kind == "Pod":
                    used[obj["spec"].get("nodeName", "")] += requests(obj)["cpu"]
            for one in nodes:
                assert used[one["metadata"]["name"]] <= amount("cpu", one["status"]["allocatable"]["cpu"])
            if world.wake is None:
                break
            world.now = world.wake
    waiting = {(obj["spec"].get("priority", 0), requests(obj)["cpu"]) for obj in pods_without_node(world)}
    lowest = [obj["spec"].get("priority", 0) for (kind, *_), obj in world.cluster.objects.items() if kind == "Pod"]
    assert all(
        rank <= min(lowest) or cpu > room_and_lesser(world, one, rank) for rank, cpu in waiting for one in nodes
    ), "whoever waits would not fit even if all less important pods went"


def pods_without_node(world):
    return [o for (kind, *_), o in world.cluster.objects.items() if kind == "Pod" and not o["spec"].get("nodeName")]


def room_and_lesser(world, one, rank):
    """What a node would have left without pods less important than this."""
    staying = [
        requests(obj)["cpu"]
        for (kind, *_), obj in world.cluster.objects.items()
        if kind == "Pod"
        and obj["spec"].get("nodeName") == one["metadata"]["name"]
        and obj["spec"].get("priority", 0) >= rank
    ]
    return amount("cpu", one["status"]["allocatable"]["cpu"]) - sum(staying)


def test_an_important_pod_sends_the_least_important_away():
    classes = [priority("high", 1000), priority("low", 10)]
    world = World(sized("n1"), sized("n2"), *classes)
    world.set(deployment("idle", 1, pod_spec=asking("800m", nodeSelector={HOST: "n1"})))
    world.set(deployment("low", 1, pod_spec=asking("800m", priorityClassName="low", nodeSelector={HOST: "n2"})))
    world.settle()
    world.set(deployment("vip", 1, pod_spec=asking("500m", priorityClassName="high")))
    world.settle()
    assert homes(world, "vip") == ["n1"], "where the victim matters least"
    assert homes(world, "idle") == [""]
    assert homes(world, "low") == ["n2"]
    vip = world.pods("vip")[0].name
    [told] = [event.message for event in world.events if event.reason == "Preempted"]
    assert told == f"Preempted by shop/{vip} on node n1"
    assert world.get("Pod", vip)["spec"]["priority"] == 1000
    assert world.get("Pod", vip)["status"]["nominatedNodeName"] == "n1"
    assert refusals(world)[0] == "0/2 nodes are available: 2 Insufficient cpu."


def test_a_pod_that_may_not_preempt_waits_before_the_others_in_line():
    never = priority("polite", 1000, preemptionPolicy="Never")
    world = World(sized("n1"), never, deployment("idle", 1, pod_spec=asking("800m"))).settle()
    world.set(deployment("a", 1, pod_spec=asking("800m")))
    world.set(deployment("z", 1, pod_spec=asking("800m", priorityClassName="polite")))
    world.settle()
    refused = [event for event in world.events if event.reason == "FailedScheduling"]
    [said] = [event.message for event in refused if event.ref.startswith("pod:shop/z-")]
    assert said.endswith("preemption: not eligible due to preemptionPolicy=Never.")
    world.patch("Deployment", "idle", spec={"replicas": 0})
    world.settle()
    assert (homes(world, "a"), homes(world, "z")) == ([""], ["n1"])


def test_preemption_spares_whom_a_budget_protects_if_somebody_else_does():
    budget = {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}},
    }  # fmt: skip
    world = World(sized("n1"), sized("n2"), priority("high", 1000), budget)
    world.set(deployment("kept", 1, pod_spec=asking("800m", nodeSelector={HOST: "n1"})))
    world.set(deployment("other", 1, pod_spec=asking("900m", nodeSelector={HOST: "n2"})))
    world.settle()
    world.set(deployment("vip", 1, pod_spec=asking("500m", priorityClassName="high")))
    assert homes(world.settle(), "vip") == ["n2"]


def test_gated_pods_and_those_of_another_scheduler_are_left_alone():
    gated = deployment("gated", 1, pod_spec={"schedulingGates": [{"name": "example.com/later"}]})
    world = World(node("n1"), gated, deployment("own", 1, pod_spec={"schedulerName": "mine"})).settle()
    assert homes(world) == ["", ""]
    said = world.get("Pod", world.pods("gated")[0].name)["status"]["conditions"]
    assert [(c["type"], c["reason"]) for c in said] == [("PodScheduled", "SchedulingGated")]
    assert refusals(world) == []


def test_a_node_that_does_not_say_its_size_registers_as_a_machine_of_sixteen_cores():
    world = World(node("n1"), node("n2", status={"capacity": {"cpu": "4", "memory": "8Gi"}})).settle()
    assert world.get("Node", "n1", "")["status"]["allocatable"]["cpu"] == "16"
    told = world.get("Node", "n2", "")["status"]
    assert (told["allocatable"]["cpu"], told["allocatable"]["memory"]) == ("4", f"{8 * 2**20 - 100 * 1024}Ki")
    world.set(deployment(replicas=1, pod_spec=asking("5")))
    assert homes(world.settle()) == ["n1"]
    world.set(deployment("vast", 1, pod_spec=asking("17")))
    world.settle()
    assert refusals(world) == ["0/2 nodes are available: 2 Insufficient cpu."]


@pytest.mark.parametrize(
    ("kind", "words", "pods"),
    [
        ("ReplicaSet", 'Error creating: pods "web-"', 2),
        ("DaemonSet", 'Error creating: pods "web-"', 2),
        ("StatefulSet", 'create Pod web-0 in StatefulSet web failed error: pods "web-0"', 2),
        ("Job", 'Error creating: pods "web-"', 1),
    ],
)
def test_a_missing_priority_class_keeps_pods_out_until_it_is_there(kind, words, pods):
    """The Priority admission plugin refuses them."""
    wanted = deployment("web", 2, kind=kind, pod_spec={"priorityClassName": "gold"})
    version = "batch/v1" if kind == "Job" else "apps/v1"
    world = World(*hosts("a", "b"), {**wanted, "apiVersion": version}).run(60)
    refused = f"{words} is forbidden: no PriorityClass with name gold was found"
    assert next(event.message for event in world.events if event.reason == "FailedCreate") == refused
    assert world.pods() == []
    world.set(priority("gold", 7))
    world.run(60)
    assert [world.get("Pod", pod.name)["spec"]["priority"] for pod in world.pods()] == [7] * pods


def test_a_daemon_waits_for_room_on_its_own_node_and_is_bound_when_there_is_some():
    """A DaemonSet names a pod's node, and the scheduler decides whether it fits there (LIF-08, LIF-10)."""
    agent = deployment("agent", kind="DaemonSet", pod_spec=asking("600m"))
    world = World(sized("n1"), sized("n2"), deployment("big", 1, pod_spec=asking("500m", nodeName="n1"))).settle()
    world.set(agent)
    assert homes(world.settle(), "agent") == ["", "n2"]
    helpless = "preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, "
    assert next(event.message for event in world.events if event.reason == "FailedScheduling") == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        f"{helpless}1 Preemption is not helpful for scheduling."
    )
    told = world.get("DaemonSet", "agent")["status"]
    assert (told["desiredNumberScheduled"], told["currentNumberScheduled"], told["numberReady"]) == (2, 2, 1)
    before = {pod.name for pod in world.pods("agent")}
    world.patch("Deployment", "big", spec={"replicas": 0})
    assert homes(world.settle(), "agent") == ["n1", "n2"]
    assert {pod.name for pod in world.pods("agent")} == before


def test_an_important_daemon_sends_others_away_from_its_node():
    agent = deployment("agent", kind="DaemonSet", pod_spec=asking("600m", priorityClassName="system-node-critical"))
    world = World(sized("n1"), sized("n2"), deployment("big", 2, pod_spec=asking("500m"))).settle()
    world.set(agent)
    world.settle()
    assert homes(world, "agent") == ["n1", "n2"] and homes(world, "big") == ["", ""]


def test_a_daemon_that_waits_goes_with_its_node():
    agent = deployment("agent", kind="DaemonSet", pod_spec=asking("2"))
    world = World(sized("n1"), sized("n2"), agent).settle()
    assert homes(world) == ["", ""]
    world.unset("Node", "", "n2")
    assert len(world.settle().pods()) == 1
    world.unset("DaemonSet", "shop", "agent")
    assert world.settle().pods() == []


def test_a_deployment_says_that_its_pods_are_refused():
    """ReplicaFailure of the ReplicaSet and of the Deployment, while admission refuses."""
    world = World(*hosts("a"), deployment(replicas=2, pod_spec={"priorityClassName": "gold"})).settle()
    found = [
        one for kind in ("ReplicaSet", "Deployment") for one in world.cluster.objects.values() if one["kind"] == kind
    ]
    for one in found:
        (failure,) = (entry for entry in one["status"]["conditions"] if entry["type"] == "ReplicaFailure")
        assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
        words = "is forbidden: no PriorityClass with name gold was found"
        assert failure["message"] == f'pods "{found[0]["metadata"]["name"]}-" {words}'
    world.set(priority("gold", 7))
    world.settle()
    for one in found:
        now = world.get(one["kind"], one["metadata"]["name"])["status"]
        assert now["readyReplicas"] == 2
        assert all(entry["type"] != "ReplicaFailure" for entry in now.get("conditions") or ())
