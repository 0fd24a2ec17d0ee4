"""A cluster, and the two people of these tests: an editor and somebody who only looks."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from clusterviz.cluster import demo, services
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.settling import settle

PASSWORD = "not-a-secret-1"
Post = Callable[..., Any]


@pytest.fixture
def cluster(db: None) -> Cluster:
    """The demo shop."""
    return demo.load("demo", actor="test")


@pytest.fixture
def living(cluster: Cluster) -> Cluster:
    """The demo shop after its controllers have made its pods."""
    assert settle(cluster.name)
    return cluster


@pytest.fixture
def empty(db: None) -> Cluster:
    """A fresh cluster with two nodes."""
    return services.create_cluster("fresh", nodes=2, actor="test")


@pytest.fixture
def editor(db: None) -> Client:
    """Signed in, may change clusters, is not staff."""
    user = get_user_model().objects.create_user("alice", password=PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="change_cluster"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def reader(db: None) -> Client:
    """Signed in without any right."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("bob", password=PASSWORD))
    return client


def post(client: Client, path: str, body: Any) -> Any:
    """POST JSON."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(path, text, content_type="application/json")
