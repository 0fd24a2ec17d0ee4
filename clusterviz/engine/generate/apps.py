"""Workloads: their kinds, names, sizes and objects."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from clusterviz.engine.controllers.deployment import bounds
from clusterviz.engine.controllers.replicasets import DESIRED, MOST, REVISION, replicaset
from clusterviz.engine.controllers.restarts import CRASH_ANNOTATION
from clusterviz.engine.controllers.revisions import revision
from clusterviz.engine.controllers.rollout_status import DONE, LATE
from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.fill import template_hash
from clusterviz.engine.generate.nodes import EDGE_SPACE
from clusterviz.engine.generate.size import Plan
from clusterviz.engine.generate.words import Namer, space_names
from clusterviz.engine.objects import Obj
from clusterviz.engine.pod_defaults import plain_template

MOST_REPLICAS = 500
# The tail of the workloads' sizes: at 0.8 seven of ten have 1 to 5 replicas and one of forty more than a hundred.
TAIL = 0.8
DAY = 86_400.0


class Role(msgspec.Struct, frozen=True):
    """What a workload is for: its image, its port, how often it occurs and how large it gets."""

    suffix: str
    kind: str
    image: str
    port: int
    port_name: str
    scheme: str
    share: float
    largest: int = MOST_REPLICAS
    service_port: int = 0


WEB = Role("web", "Deployment", "web", 8080, "http", "http", 14, service_port=80)
API = Role("api", "Deployment", "api", 8080, "http", "http", 34, service_port=80)
GRPC = Role("rpc", "Deployment", "rpc", 50051, "grpc", "grpc", 18)
WORKER = Role("worker", "Deployment", "worker", 9100, "metrics", "http", 12)
CACHE = Role("cache", "StatefulSet", "redis", 6379, "redis", "tcp", 9, 9)
DATABASE = Role("db", "StatefulSet", "postgres", 5432, "postgres", "tcp", 9, 5)
QUEUE = Role("queue", "StatefulSet", "nats", 4222, "nats", "tcp", 4, 7)
ROLES = (WEB, API, GRPC, WORKER, CACHE, DATABASE, QUEUE)
CALLERS = frozenset({WEB, API, GRPC, WORKER})
DAEMONS = ("node-exporter", "log-shipper", "storage-agent")


class App(msgspec.Struct, kw_only=True):
    """One workload with what its pods share. ``fate``: "", "crash" or "unplaceable"; ``ready`` counts ready pods."""

    kind: str
    namespace: str
    name: str
    role: Role
    replicas: int
    template: Obj
    born: str
    hash: str
    fate: str = ""
    labels: dict[str, str]
    headless: str = ""
    pods: list[Obj] = []
    ready: int = 0

    @property
    def owner(self) -> tuple[str, str]:
        """What the pods' owner reference names."""
        return ("ReplicaSet", f"{self.name}-{self.hash}") if self.kind == "Deployment" else (self.kind, self.name)

    def host(self) -> str:
        """Its Service's name as callers anywhere write it."""
        return f"{self.name}.{self.namespace}"


def sizes(number: int, total: int, rng: random.Random) -> list[int]:
    """``number`` sizes from 1 to 500 that add up to ``total``: most small, a few large."""
    draws = sorted((rng.random() ** (-1 / TAIL) for _ in range(number)), reverse=True)
    low, high = 0.0, float(MOST_REPLICAS)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(_scaled(draws, middle)) <= total else (low, middle)
    found = _scaled(draws, low)
    left = total - sum(found)
    while left:
        before = left
        for place in range(number):
            if left and found[place] < MOST_REPLICAS:
                found[place] += 1
                left -= 1
        assert left < before, "more pods than the workloads may have"
    return found


def _scaled(draws: list[float], factor: float) -> list[int]:
    return [min(MOST_REPLICAS, max(1, int(draw * factor))) for draw in draws]


def apps(plan: Plan, rng: random.Random, now: float) -> list[App]:
    """The ordinary workloads, their order shuffled; a few of them crash."""
    spaces = space_names(plan.namespaces)
    weights = [1 / (index + 1) ** 0.5 for index in range(len(spaces))]
    namers = {space: Namer() for space in spaces}
    numbers = sizes(plan.apps, plan.app_pods, rng)
    homes = [*spaces, *rng.choices(spaces, weights, k=plan.apps)][: plan.apps]
    rng.shuffle(homes)
    found = []
    crashing = plan.app_pods // 800
    for replicas, space in zip(numbers, homes, strict=True):
        fits = [role for role in ROLES if replicas <= role.largest]
        role = rng.choices(fits, [one.share for one in fits])[0]
        fate = ""
        if role in (API, WORKER) and replicas <= min(crashing, 4) and rng.random() < 0.2:
            fate, crashing = "crash", crashing - replicas
        found.append(app(space, namers[space].name(role.suffix), role, replicas, now, rng, fate=fate))
    rng.shuffle(found)
    return found


def app(
    space: str, name: str, role: Role, replicas: int, now: float, rng: random.Random, *, fate: str = "", kind: str = ""
) -> App:
    """A workload of a role."""
    labels = {"app": name}
    container: dict[str, Any] = {
        "name": role.suffix,
        "image": f"registry.example.com/{role.image}:{rng.randrange(1, 5)}.{rng.randrange(20)}",
        "ports": [{"name": role.port_name, "containerPort": role.port, "protocol": "TCP"}],
    }
    metadata: Obj = {"labels": labels}
    spec: Obj = {"containers": [container]}
    if fate == "crash":
        metadata["annotations"] = {CRASH_ANNOTATION: "true"}
    if fate == "unplaceable":
        spec["nodeSelector"] = {"example.com/accelerator": "gpu"}
    template = {"metadata": metadata, "spec": spec}
    return App(
        kind=kind or role.kind,
        namespace=space,
        name=name,
        role=role,
        replicas=replicas,
        template=template,
        born=timestamp(now - DAY * rng.uniform(1, 90)),
        hash=template_hash(plain_template(template)),
        fate=fate,
        labels=labels,
        headless=name if role in (DATABASE, QUEUE) else "",
    )


def system_apps(plan: Plan, nodes: int, now: float, rng: random.Random) -> list[App]:
    """Cluster DNS, the Ingress controller, agents on every node, and what finds no node."""
    dns = Role("coredns", "Deployment", "coredns", 53, "dns", "tcp", 0)
    found = [_labelled(app("kube-system", "coredns", dns, plan.dns, now, rng), {"k8s-app": "kube-dns"})]
    ports = [
        {"name": name, "containerPort": 53, "protocol": kind} for name, kind in (("dns", "UDP"), ("dns-tcp", "TCP"))
    ]
    _with_ports(found[0], ports)
    if plan.edge:
        edge = Role("controller", "Deployment", "ingress-nginx", 80, "http", "http", 0)
        labels = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
        found.append(_labelled(app(EDGE_SPACE, "ingress-nginx-controller", edge, plan.edge, now, rng), labels))
        ports = [
            {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in (("http", 80), ("https", 443))
        ]
        _with_ports(found[-1], ports)
    for index in range(plan.daemons):
        agent = Role(DAEMONS[index], "DaemonSet", DAEMONS[index], 9100 + index, "metrics", "http", 0)
        found.append(app("kube-system", agent.suffix, agent, nodes, now, rng))
    if plan.unplaceable:
        trainer = Role("trainer", "Deployment", "trainer", 8080, "http", "http", 0)
        space = space_names(plan.namespaces)[-1]
        found.append(app(space, "model-trainer", trainer, plan.unplaceable, now, rng, fate="unplaceable"))
    return found


def _labelled(one: App, labels: dict[str, str]) -> App:
    template = {**one.template, "metadata": {**one.template["metadata"], "labels": labels}}
    return msgspec.structs.replace(one, template=template, labels=labels, hash=template_hash(plain_template(template)))


def _with_ports(one: App, ports: list[Obj]) -> None:
    one.template["spec"]["containers"][0]["ports"] = ports
    one.hash = template_hash(plain_template(one.template))


def workload(one: App) -> Obj:
    """The object of a workload, with the status its controller would have written."""
    spec: Obj = {"selector": {"matchLabels": one.labels}, "template": one.template}
    count, ready = len(one.pods), one.ready
    status: Obj
    if one.kind == "DaemonSet":
        status = {
            "currentNumberScheduled": count, "desiredNumberScheduled": count,
            "numberReady": ready, "numberAvailable": ready, "numberUnavailable": count - ready,
            "updatedNumberScheduled": count, "numberMisscheduled": 0,
        }  # fmt: skip
    else:
        spec = {"replicas": one.replicas, **spec}
        status = {"replicas": count, "readyReplicas": ready, "availableReplicas": ready}
    if one.kind == "Deployment":
        status |= {"updatedReplicas": count, "unavailableReplicas": max(0, one.replicas - ready)}
        status["conditions"] = _conditions(one)
    if one.kind == "StatefulSet":
        spec["serviceName"] = one.name
        present = f"{one.name}-{one.hash}"
        status |= {"updatedReplicas": count, "currentReplicas": count}
        status |= {"updateRevision": present, "currentRevision": present}
    metadata: Obj = {"name": one.name, "namespace": one.namespace, "labels": one.labels, "creationTimestamp": one.born}
    if one.kind == "Deployment":
        metadata["annotations"] = {REVISION: "1"}
    return {"apiVersion": "apps/v1", "kind": one.kind, "metadata": metadata, "spec": spec, "status": status}


def _conditions(one: App) -> list[Obj]:
    """What the controller says of a rollout that is over; one whose pods find no node never got on."""
    enough = one.ready >= one.replicas - bounds(one.replicas, None)[1]
    text = "Deployment has minimum availability." if enough else "Deployment does not have minimum availability."
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    found = [("Available", str(enough), reason, text)]
    if one.fate == "unplaceable":
        found.append(("Progressing", "False", LATE, f'ReplicaSet "{one.owner[1]}" has timed out progressing.'))
    else:
        found.append(("Progressing", "True", DONE, f'ReplicaSet "{one.owner[1]}" has successfully progressed.'))
    times = {"lastUpdateTime": one.born, "lastTransitionTime": one.born}
    return [
        {"type": kind, "status": value, "reason": why, "message": words, **times} for kind, value, why, words in found
    ]


def replica_sets(apps: list[App]) -> Iterator[Obj]:
    """The ReplicaSets of the Deployments, as the controllers would have left them."""
    for one in apps:
        if one.kind == "Deployment":
            made = replicaset(workload(one), one.owner[1], one.replicas, one.born)
            most = one.replicas + bounds(one.replicas, None)[0]
            made["metadata"]["annotations"] = {REVISION: "1", DESIRED: str(one.replicas), MOST: str(most)}
            count, ready = len(one.pods), one.ready
            counts = {"replicas": count, "fullyLabeledReplicas": count}
            yield {**made, "status": {**counts, "readyReplicas": ready, "availableReplicas": ready}}


def revisions(apps: list[App]) -> Iterator[Obj]:
    """The ControllerRevisions of StatefulSets and DaemonSets, likewise."""
    for one in apps:
        if one.kind in ("DaemonSet", "StatefulSet"):
            yield revision(workload(one), one.hash, 1, one.born)


def job(space: str, name: str, pods: int, now: float, rng: random.Random) -> tuple[App, Obj]:
    """A Job that is done, and what its pods share."""
    role = Role("report", "Job", "report", 8080, "http", "http", 0)
    one = app(space, name, role, pods, now, rng)
    one.labels = {"batch.kubernetes.io/job-name": name, "job-name": name}
    spec: Obj = {
        "completions": pods,
        "parallelism": pods,
        "template": {"spec": {**one.template["spec"], "restartPolicy": "Never"}},
    }
    one.template = spec["template"]
    done = {"type": "Complete", "status": "True", "reason": "Completed", "lastTransitionTime": one.born}
    status = {"active": 0, "succeeded": pods, "failed": 0, "completionTime": one.born, "conditions": [done]}
    metadata = {"name": name, "namespace": space, "creationTimestamp": one.born}
    return one, {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec, "status": status}
