"""A small cluster under the controllers' hands, with time that only moves when a test says so."""

import random

from clusterviz.engine import Change, Cluster, Settings
from clusterviz.engine.controllers import Outcome, Timing, reconcile


def node(name, **extra):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, **extra.pop("metadata", {})}, **extra}


def deployment(name="web", replicas=3, kind="Deployment", image="web:1", pod_spec=None, **spec):
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{"name": name, "image": image, "ports": [{"name": "http", "containerPort": 8080}]}],
                    **(pod_spec or {}),
                },
            },
            **spec,
        },
    }


def service(name="web", **spec):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": "http"}], **spec},
    }


class World:
    """Objects, a time and the controllers."""

    def __init__(self, *objects, seed="1", settings=None, timing=None):
        self.settings = settings or Settings()
        self.timing = timing or Timing()
        self.cluster = Cluster.from_objects(objects, settings=self.settings, expand=False)
        self.now = 1_000_000.0
        self.rng = random.Random(seed)
        self.last_ip = {}
        self.events = []
        self.wake: float | None = None

    def reconcile(self) -> Outcome:
        """Let the controllers act at this moment."""
        outcome = reconcile(
            self.cluster.objects,
            now=self.now,
            rng=self.rng,
            settings=self.settings,
            timing=self.timing,
            last_ip=self.last_ip,
        )
        self.cluster = self.cluster.apply(outcome.changes)
        self.events += outcome.happenings
        self.wake = outcome.wake
        return outcome

    def settle(self):
        """Step until the controllers have nothing left to do."""
        self.reconcile()
        while self.wake is not None:
            self.now = self.wake
            self.reconcile()
        return self

    def run(self, seconds):
        """Let time pass."""
        end = self.now + seconds
        self.reconcile()
        while self.wake is not None and self.wake <= end:
            self.now = self.wake
            self.reconcile()
        self.now = end
        return self

    def set(self, obj):
        self.cluster = self.cluster.apply([Change("set", obj)])

    def unset(self, *key):
        self.cluster = self.cluster.apply([Change("unset", key)])

    def get(self, kind, name, namespace="shop"):
        return self.cluster.objects[(kind, namespace, name)]

    def patch(self, kind, name, namespace="shop", **parts):
        """Merge into metadata, spec or status."""
        obj = self.get(kind, name, namespace)
        for part, fields in parts.items():
            obj = {**obj, part: {**(obj.get(part) or {}), **fields}}
        self.set(obj)

    def delete_pod(self, name):
        self.patch("Pod", name, metadata={"deletionTimestamp": "1970-01-12T13:46:40Z"})

    def pods(self, app=None):
        return sorted(
            (p for p in self.cluster.pods.values() if app is None or p.labels.get("app") == app), key=lambda p: p.name
        )

    def endpoints(self, name="web"):
        return self.cluster.endpoints(self.cluster.services["shop", name])

    def reasons(self):
        return [event.reason for event in self.events]
