"""How much one cluster may hold, checked before anything is written."""

from __future__ import annotations

import pytest

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster, Deployment
from clusterviz.cluster.services import capacity
from tests.cluster.conftest import pod
from tests.cluster.test_services import load, state

pytestmark = pytest.mark.django_db
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: x}}}}
  template:
    metadata: {{labels: {{app: x}}}}
    spec: {{containers: [{{name: c, image: i}}]}}
"""


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fortieth of the real limit, so that reaching it takes ten manifests instead of four hundred."""
    assert capacity.MAX_PODS == 200_000
    monkeypatch.setattr(capacity, "MAX_PODS", 5000)


def many(count: int, replicas: int = 500) -> str:
    return "---".join(DEPLOYMENT.format(name=f"d{number}", replicas=replicas) for number in range(count))


def test_a_workload_has_at_most_500_replicas(cluster: Cluster) -> None:
    """One limit for manifests and actions; what is too much is refused with the place it stands."""
    with pytest.raises(services.Invalid, match=r"f\.yaml:6 .*spec.replicas: .*100000: must be at most 500"):
        load(cluster, many(1, 100_000))
    load(cluster, many(1))
    with pytest.raises(services.Invalid, match="between 0 and 500"):
        services.act(cluster, "scale", "workload:Deployment/shop/d0", actor="tests", replicas=501)


def test_a_cluster_has_a_limit_of_pods(cluster: Cluster) -> None:
    """Counted before anything is written, by import and by action; shrinking is always possible."""
    before = state(cluster)
    with pytest.raises(services.Invalid, match=r"5002 pods are too many.* at most 5000"):
        load(cluster, many(10))  # coredns has two
    assert state(cluster) == before
    load(cluster, many(9))
    load(cluster, DEPLOYMENT.format(name="last", replicas=498))
    # A pod that a workload made is part of its replicas, not one more.
    services.checkpoint(cluster, set=[pod("d0-1-a", owner=("ReplicaSet", "d0-1"))])
    services.apply_objects(cluster, [pod("d0-1-b", owner=("ReplicaSet", "d0-1"))], actor="tests")
    with pytest.raises(services.Invalid, match="5001 pods are too many"):
        services.act(cluster, "scale", "workload:Deployment/shop/last", actor="tests", replicas=499)
    with pytest.raises(services.Invalid, match="5001 pods are too many"):
        services.apply_objects(cluster, [pod("bare", owner=None)], actor="tests")
    Deployment.objects.filter(name="d0").update(replicas=100_000)
    services.act(cluster, "scale", "workload:Deployment/shop/last", actor="tests", replicas=0)
    services.act(cluster, "scale", "workload:Deployment/shop/d0", actor="tests", replicas=500)


def test_daemonsets_count_once_a_node(cluster: Cluster) -> None:
    """Two nodes, nine full Deployments, coredns: room for 498 pods, so for 249 DaemonSets."""
    load(cluster, many(9))
    text = DEPLOYMENT.replace("Deployment", "DaemonSet").replace("  replicas: {replicas}\n", "")
    load(cluster, "---".join(text.format(name=f"a{number}") for number in range(249)))
    with pytest.raises(services.Invalid, match="5002 pods are too many"):
        load(cluster, text.format(name="one-more"))
