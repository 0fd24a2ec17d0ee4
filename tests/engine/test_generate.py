"""Made-up clusters: the numbers asked for, valid, at rest, and believable."""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Probe, Settings
from clusterviz.engine.controllers import reconcile
from clusterviz.engine.decision import decide
from clusterviz.engine.generate import Size, flaws, generate, settings_for
from clusterviz.engine.generate.make import SOME_DAY
from clusterviz.engine.objects import key_of
from clusterviz.engine.traffic import Traffic
from clusterviz.engine.validation import validate


def made(size, seed=1):
    return Cluster.from_objects(
        generate(size, seed=seed), settings=msgspec.convert(settings_for(size), Settings), expand=False
    )


@settings(max_examples=12)
@given(st.integers(1, 60), st.integers(3, 700), st.integers(2, 150), st.integers(0, 99))
def test_every_size_is_exact_valid_and_at_rest(nodes, pods, services, seed):
    size = Size(nodes, min(pods, nodes * 110), services)
    assert not flaws(size, 1000)
    objects = list(generate(size, seed=seed))
    assert len({key_of(obj) for obj in objects}) == len(objects)
    assert not [(key_of(obj), found) for obj in objects if (found := validate(obj))]
    cluster = made(size, seed)
    assert (len(cluster.nodes), len(cluster.pods), len(cluster.services)) == (size.nodes, size.pods, size.services)
    outcome = reconcile(cluster.objects, now=SOME_DAY, rng=random.Random(1), settings=cluster.settings)
    assert (outcome.changes, outcome.happenings) == ((), ())


@pytest.fixture(scope="module")
def middle():
    """Large enough for everything that only large clusters have, but for lost nodes."""
    return made(Size(1600, 6000, 400))


def test_a_large_cluster_is_believable(middle):
    sizes = Counter(
        obj["spec"]["replicas"] for key, obj in middle.objects.items() if key[0] in ("Deployment", "StatefulSet")
    )
    small = sum(count for replicas, count in sizes.items() if replicas <= 5)
    assert small > 0.6 * sum(sizes.values()) and max(sizes) > 50, "most workloads are small, a few are not"
    kinds = {service.type for service in middle.services.values()}
    assert kinds == {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}
    assert any(service.headless for service in middle.services.values())
    assert len(middle.policies) == 40 and len(middle.ingresses) > 5
    assert len({node.zone for node in middle.nodes.values()}) == 6
    assert not all(node.ready for node in middle.nodes.values())
    assert not all(node.schedulable for node in middle.nodes.values())
    fates = Counter((pod.phase, pod.ready) for pod in middle.pods.values())
    assert set(fates) == {("Running", True), ("Running", False), ("Pending", False), ("Succeeded", False)}
    assert fates["Running", True] > 0.7 * len(middle.pods)


def test_its_traffic_flows_and_some_of_it_is_denied():
    cluster = made(Size(60, 900, 250))
    traffic = Traffic("1", 0.0)
    traffic.update(cluster)
    verdicts = Counter(str(decide(cluster, one.probe).verdict) for one in traffic.run(cluster, 0.6))
    total = sum(verdicts.values())
    assert total > 200
    assert verdicts["delivered"] > 0.8 * total
    assert verdicts["denied_ingress"] > 0, verdicts


@pytest.mark.parametrize("seed", [1, 4])
def test_what_is_refused_is_a_small_part_of_the_traffic(seed):
    """Somebody would have noticed otherwise; and no single call is most of what there is."""
    cluster = made(Size(30, 450, 120), seed)
    rates = Counter()
    calls = [obj["spec"] for key, obj in cluster.objects.items() if key[0] == "TrafficFlow"]
    for call in calls:
        start, to = call["from"], call["to"]
        who = "internet" if start["kind"] == "External" else f"{start['namespace']}/{start['name']}"
        url = f"{to['scheme']}://{to['host']}:{to['port']}{to.get('path', '')}"
        rates[decide(cluster, Probe.parse(who, url)).verdict] += call["requestsPerSecond"]
    refused = {verdict: rate for verdict, rate in rates.items() if verdict not in ("delivered", "exited_cluster")}
    assert refused and sum(refused.values()) < 0.03 * rates.total(), refused
    assert max(call["requestsPerSecond"] for call in calls) < 0.25 * rates.total()


def test_the_same_seed_gives_the_same_cluster():
    size = Size(5, 80, 20)
    assert list(generate(size, seed=3)) == list(generate(size, seed=3)) != list(generate(size, seed=4))


def test_controllers_find_nothing_to_do_in_a_large_one_either(middle):
    outcome = reconcile(middle.objects, now=SOME_DAY, rng=random.Random(1), settings=middle.settings)
    assert (outcome.changes, outcome.happenings) == ((), ())


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (Size(0, 30, 10), "nodes: Invalid value: 0: must be between 1 and 10000"),
        (Size(3, 2, 10), "pods: Invalid value: 2: must be between 3 and 5000"),
        (Size(300, 6000, 10), "pods: Invalid value: 6000: must be between 3 and 5000"),
        (Size(3, 30, 1), "services: Invalid value: 1: must be between 2 and 20000"),
        (Size(3, 331, 10), "pods: Invalid value: 331: 3 nodes take at most 330 pods, 110 each"),
    ],
)
def test_what_is_impossible_is_said(size, words):
    assert words in "\n".join(flaws(size, 5000))
