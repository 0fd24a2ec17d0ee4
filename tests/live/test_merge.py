"""Wishes against an old checkpoint keep what people changed and what has happened since."""

import pytest

from clusterviz.engine import Change
from clusterviz.live.merge import merged


def obj(kind="Pod", status=None, spec=None, **metadata):
    meta = {"name": "x", "namespace": "shop", "creationTimestamp": "t1", **metadata}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec or {}, "status": status or {}}


RUNNING = {"phase": "Running", "podIP": "10.244.0.5"}
CASES = {
    "a label is a wish, the status is not": (
        obj(status={"phase": "Pending"}, labels={"a": "b"}),
        obj(status=RUNNING),
        obj(status=RUNNING, labels={"a": "b"}),
    ),
    "another address is a wish": (
        obj(status={"phase": "Running", "podIP": "10.244.0.9"}),
        obj(status=RUNNING),
        obj(status={"phase": "Running", "podIP": "10.244.0.9"}),
    ),
    "the address of a pod of the same name that is gone is none": (
        obj(status={"phase": "Running", "podIP": "10.244.0.9"}, creationTimestamp="t0"),
        obj(status=RUNNING),
        obj(status=RUNNING, creationTimestamp="t0"),
    ),
    "an end is a wish": (
        obj(status={"phase": "Failed", "podIP": "10.244.0.5"}),
        obj(status=RUNNING),
        obj(status={"phase": "Failed", "podIP": "10.244.0.5"}),
    ),
    "a pod stays where it was put and goes on leaving": (
        obj(),
        obj(status=RUNNING, spec={"nodeName": "n1"}, deletionTimestamp="t2"),
        obj(status=RUNNING, spec={"nodeName": "n1"}, deletionTimestamp="t2"),
    ),
    "addresses of a node are wishes, its conditions are not": (
        obj("Node", status={"addresses": [{"address": "10.0.0.2"}], "conditions": []}),
        obj("Node", status={"addresses": [], "conditions": [{"type": "Ready", "status": "Unknown"}]}),
        obj(
            "Node",
            status={"addresses": [{"address": "10.0.0.2"}], "conditions": [{"type": "Ready", "status": "Unknown"}]},
        ),
    ),
    "a load balancer address is kept": (
        obj("Service", spec={"type": "LoadBalancer"}),
        obj("Service", status={"loadBalancer": {"ingress": [{"ip": "198.51.100.20"}]}}),
        obj("Service", spec={"type": "LoadBalancer"}, status={"loadBalancer": {"ingress": [{"ip": "198.51.100.20"}]}}),
    ),
    "unless another one is asked for": (
        obj("Service", status={"loadBalancer": {"ingress": [{"ip": "198.51.100.99"}]}}),
        obj("Service", status={"loadBalancer": {"ingress": [{"ip": "198.51.100.20"}]}}),
        obj("Service", status={"loadBalancer": {"ingress": [{"ip": "198.51.100.99"}]}}),
    ),
    "replicas are a wish, their count is not": (
        obj("Deployment", spec={"replicas": 5}, status={"readyReplicas": 1}),
        obj("Deployment", spec={"replicas": 3}, status={"readyReplicas": 3}),
        obj("Deployment", spec={"replicas": 5}, status={"readyReplicas": 3}),
    ),
    "of other kinds everything is a wish": (
        obj("Ingress", status={"a": 1}),
        obj("Ingress", status={"a": 2}),
        obj("Ingress", status={"a": 1}),
    ),
}


@pytest.mark.parametrize(("wish", "mine", "result"), CASES.values(), ids=CASES.keys())
def test_merged(wish, mine, result):
    assert merged(Change("set", wish), mine).value == result


def test_new_objects_and_deletions_pass():
    assert merged(Change("set", obj()), None).value == obj()
    assert merged(Change("unset", ("Pod", "shop", "x")), obj()).verb == "unset"
