"""What the tests of the live side share: a stored cluster and a crew that ends with the test."""

import asyncio

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from clusterviz.cluster import services
from clusterviz.live import form, instance
from clusterviz.live.routing import websocket_urlpatterns
from clusterviz.live.simulator import Simulator
from tests.live.large import OBJECTS, SETTINGS


def flow(name, origin, host, port, rps=20.0, **to):
    """A TrafficFlow of namespace shop."""
    return {
        "apiVersion": "clusterviz.dev/v1",
        "kind": "TrafficFlow",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "from": origin,
            "to": {"host": host, "port": port, "protocol": "TCP", "scheme": "http", "path": "/", **to},
            "requestsPerSecond": rps,
        },
    }


def workload(name, replicas=2, port=8080):
    """A Deployment of namespace shop."""
    container = {"name": name, "image": f"{name}:1", "ports": [{"name": "http", "containerPort": port}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def service(name, kind="ClusterIP"):
    """The Service in front of a workload of the same name."""
    ports = [{"port": 80, "targetPort": "http", "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"type": kind, "selector": {"app": name}, "ports": ports},
    }


SHOP = [
    workload("web"),
    workload("api", 3),
    service("web", "LoadBalancer"),
    service("api"),
    flow("web-api", {"kind": "Deployment", "name": "web"}, "api", 80),
]


@pytest.fixture
def shop(transactional_db):
    """A stored cluster: web calls api."""
    cluster = services.create_cluster("shop", nodes=3, actor="test")
    services.apply_objects(cluster, SHOP, actor="test")
    return cluster


@pytest.fixture
async def live():
    """The hub and crew of this test's loop, ended with it."""
    found = instance.current()
    yield found
    await found.crew.stop()
    instance.reset()


class Browser(WebsocketCommunicator):
    """A browser that looks at a cluster."""

    def __init__(self, name="shop", user=None):
        super().__init__(URLRouter(websocket_urlpatterns), f"/ws/clusters/{name}/")
        self.scope["user"] = user or AnonymousUser()

    async def open(self):
        """Connect and return the greeting."""
        accepted, _ = await self.connect(timeout=60)
        assert accepted
        return await self.receive_json_from(timeout=60)

    async def wait_for(self, wanted, within=60):
        """The next message ``wanted`` (a type or a predicate) accepts, others skipped."""
        accepts = wanted if callable(wanted) else lambda message: message["type"] == wanted
        async with asyncio.timeout(within):
            while True:
                message = await self.receive_json_from(timeout=within)
                if accepts(message):
                    return message


@pytest.fixture
def browser():
    """Opens browsers."""
    return Browser


@pytest.fixture
def few(monkeypatch):
    """A cluster of a few hundred pods is a large one."""
    monkeypatch.setattr(form, "MASS_PODS", 300)
    monkeypatch.setattr(form, "FULL_PODS", 250)


@pytest.fixture
def simulator(few):
    """One of a few hundred pods, told in form mass."""
    found = Simulator("big", OBJECTS, settings=SETTINGS, now=1000.0)
    found.step(1000.5, connections=False)
    found.take_state()
    return found
