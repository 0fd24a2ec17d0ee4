"""Parts of a cluster that are asked for: entities of a node, a workload, a namespace; names."""

import pytest

from clusterviz.engine.cluster import Change
from clusterviz.live import asked, keeper
from tests.live.large import a_pod


def ids(answer):
    return [entity["id"] for entity in answer["entities"]]


def test_entities_of_a_part(simulator):
    replica = keeper.replica_of(simulator)
    pod = a_pod(simulator)
    there = sorted(one.ref for one in simulator.cluster.pods.values() if one.node == pod.node)
    answer = asked.entities(replica, {"node": f"node:{pod.node}"})
    assert ids(answer) == there
    assert answer["more"] == 0
    table = simulator.form.table
    assert all(table.names[e["index"]] == (e["namespace"], e["name"]) for e in answer["entities"])
    work = simulator.cluster.workload_of(pod)
    assert pod.ref in ids(asked.entities(replica, {"workload": work.ref}))
    spaces = asked.entities(replica, {"namespace": pod.namespace, "kind": "service"})
    assert ids(spaces) == sorted(s.ref for s in simulator.cluster.services.values() if s.namespace == pod.namespace)
    several = asked.entities(replica, {"ids": f"{pod.ref},{work.ref},node:{pod.node},pod:no/body"})
    assert ids(several) == sorted([pod.ref, work.ref, f"node:{pod.node}"])


def test_entities_come_in_pieces(simulator, monkeypatch):
    monkeypatch.setattr(asked, "AT_ONCE", 7)
    replica = keeper.replica_of(simulator)
    space = a_pod(simulator).namespace
    query, found = {"namespace": space, "kind": "pod"}, []
    while True:
        answer = asked.entities(replica, query)
        found += ids(answer)
        if not answer["more"]:
            break
        query = {**query, "after": ids(answer)[-1]}
    assert found == sorted(pod.ref for pod in simulator.cluster.pods.values() if pod.namespace == space)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "node"),
        ({"node": "pod:a/b"}, "node"),
        ({"workload": "node:n1"}, "workload"),
        ({"workload": "workload:Deployment/a"}, "workload"),
        ({"namespace": "shop"}, "kind"),
        ({"namespace": "shop", "kind": "secret"}, "kind"),
        ({"ids": ",".join(["pod:a/b"] * 201)}, "ids"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_is_allowed(simulator, query, field):
    with pytest.raises(asked.AskedError) as caught:
        asked.entities(keeper.replica_of(simulator), query)
    assert caught.value.field == field and caught.value.allowed


def test_search_finds_names_addresses_and_labels(simulator):
    replica = keeper.replica_of(simulator)
    pod = a_pod(simulator)
    service = simulator.cluster.services_selecting(pod)[0]
    hits = asked.search(replica, pod.name)["hits"]
    assert hits[0]["id"] == pod.ref
    assert hits[0]["index"] == simulator.form.table.indexes[pod.namespace, pod.name]
    assert asked.search(replica, service.name.upper())["hits"][0]["name"] == service.name, "the whole name first"
    assert asked.search(replica, f"{service.name} service")["hits"][0]["id"] == service.ref
    assert asked.search(replica, pod.ip)["hits"][0]["id"] == pod.ref
    many = asked.search(replica, "a")
    assert len(many["hits"]) == 50 and many["more"]
    assert asked.search(replica, "  ") == {"hits": [], "more": False}
    assert asked.search(replica, "no such ( thing")["hits"] == []
    simulator.apply([Change("unset", ("Pod", pod.namespace, pod.name))])
    simulator.take_state()
    assert pod.ref not in [hit["id"] for hit in asked.search(keeper.replica_of(simulator), pod.name)["hits"]]
