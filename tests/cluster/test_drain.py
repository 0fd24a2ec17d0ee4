"""Draining a node: who goes, who stays, and why (LIF-09)."""

from __future__ import annotations

import pytest

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster, Node, Pod
from tests.cluster.conftest import pod

pytestmark = pytest.mark.django_db


def test_draining_spares_daemons_and_refuses_bare_pods(shop: Cluster) -> None:
    """LIF-09, with kubectl's condition for pods nobody would replace."""
    daemon = pod("agent-x", owner=("DaemonSet", "agent"), ip="10.244.0.50")
    bare = pod("bare", owner=None, ip="10.244.0.51")
    services.apply_objects(shop, [daemon, bare], actor="tests")
    with pytest.raises(services.Invalid, match=r"declare no controller .*shop/bare"):
        services.act(shop, "drain", "node:n1", actor="tests")
    assert not Node.objects.get(name="n1").unschedulable
    told = services.act(shop, "drain", "node:n1", actor="tests", force=True)
    assert told == "Node n1 cordoned, 2 pods evicted, 1 DaemonSet pod stays."
    assert set(Pod.objects.exclude(deleting="").values_list("name", flat=True)) == {"api-5d9f-aaaaa", "bare"}


def test_draining_honours_budgets(shop: Cluster) -> None:
    """LIF-09: the API server refuses an eviction that a PodDisruptionBudget does not allow."""
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "api"}}},
    }
    services.apply_objects(shop, [budget], actor="tests")
    told = services.act(shop, "drain", "node:n1", actor="tests")
    assert "0 pods evicted" in told
    assert "shop/api-5d9f-aaaaa stays: Cannot evict pod as it would violate the pod's disruption budget." in told
    assert not Pod.objects.exclude(deleting="").exists()
    assert Node.objects.get(name="n1").unschedulable
