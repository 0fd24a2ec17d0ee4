"""One small cluster for all tests of the write path and the admin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster

SHOP = """
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports:
  - {name: http, port: 80, targetPort: 8080}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  replicas: 2
  selector:
    matchLabels: {app: api}
  template:
    metadata:
      labels: {app: api}
    spec:
      containers:
      - name: server
        image: shop/api:1
        ports:
        - {containerPort: 8080}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: server
        image: shop/web:1
        env:
        - {name: API_ADDR, value: "api:80"}
"""


def pod(
    name: str, *, owner: tuple[str, str] | None = ("ReplicaSet", "api-5d9f"), node: str = "n1", ip: str = ""
) -> dict[str, Any]:
    """A pod as a controller would have made it."""
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "api"}},
        "spec": {"nodeName": node, "containers": [{"name": "server", "image": "shop/api:1"}]},
        "status": {"phase": "Running", **({"podIP": ip} if ip else {})},
    }
    if owner:
        obj["metadata"]["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "controller": True}
        ]
    return obj


@pytest.fixture
def cluster(db: None) -> Cluster:
    """An empty cluster with two nodes."""
    return services.create_cluster("c1", nodes=2, actor="tests")


@pytest.fixture
def shop(cluster: Cluster) -> Cluster:
    """The cluster with a Service, two Deployments and two pods of one of them."""
    services.import_files(cluster, [("shop.yaml", SHOP)], actor="tests")
    services.checkpoint(
        cluster,
        set=[pod("api-5d9f-aaaaa", ip="10.244.0.2"), pod("api-5d9f-bbbbb", node="n2", ip="10.244.1.2")],
    )
    return cluster


@pytest.fixture
def editor(admin_client: Client) -> Client:
    """A signed-in superuser."""
    return admin_client


@pytest.fixture
def shared() -> Path:
    """Real manifests that lie beside the project on developers' machines."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "manifests"
    if not folder.is_dir():
        pytest.skip(f"no {folder}: real manifests are not part of the project")
    return folder
