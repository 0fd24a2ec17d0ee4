"""The whole cluster, in the order in which others can be pointed at."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from clusterviz.engine.generate import apps as workloads
from clusterviz.engine.generate.calls import Calls, ingress_class, ingresses, policies
from clusterviz.engine.generate.nodes import EDGE_SPACE, SYSTEM_SPACES, namespaces, nodes, places
from clusterviz.engine.generate.pods import Scheduler, pods
from clusterviz.engine.generate.services import services, slices, system_services
from clusterviz.engine.generate.size import Size, plan_for, settings_for
from clusterviz.engine.generate.words import space_names
from clusterviz.engine.objects import Obj
from clusterviz.engine.settings import Settings

# A moment for whoever does not care which.
SOME_DAY = 1_767_225_600.0


def generate(size: Size, *, seed: int = 1, now: float = SOME_DAY) -> Iterator[Obj]:
    """The objects of a cluster of this size at the moment ``now``; the same seed gives the same ones.

    The size must be possible (`flaws`). The settings it needs are those of `settings_for`.
    """
    plan, settings = plan_for(size), msgspec.convert(settings_for(size), Settings)
    rng = random.Random(seed)  # noqa: S311 - a picture, not secrets
    found = places(size, plan, settings, rng)
    spaces = [*SYSTEM_SPACES, *([EDGE_SPACE] if plan.edge else []), *space_names(plan.namespaces)]
    yield from namespaces(spaces, now, rng)
    machines = list(nodes(found, plan, settings, rng, now))
    yield from machines
    system, ordinary = workloads.system_apps(plan, size.nodes, now, rng), workloads.apps(plan, rng, now)
    jobs = [
        workloads.job(rng.choice(spaces[-plan.namespaces :]), f"report-{number + 1}", plan.job_pods, now, rng)
        for number in range(plan.jobs)
    ]
    scheduler = Scheduler(found, machines, rng)
    # DaemonSets first: their pods are on every node before anybody else's.
    order = sorted([*system, *ordinary, *(one for one, _ in jobs)], key=lambda one: one.kind != "DaemonSet")
    for one in order:
        yield from pods(one, found, scheduler, now, rng)
    yield from (obj for _, obj in jobs)
    yield from map(workloads.workload, [*system, *ordinary])
    yield from workloads.replica_sets([*system, *ordinary])
    yield from workloads.revisions([*system, *ordinary])
    faces = services(plan, ordinary, settings, rng, now)
    front = system_services(plan, system, settings)
    yield from (face.obj for face in [*front, *faces])
    yield from slices([*front, *faces], {place.name: place.zone for place in found})
    calls = Calls(plan, faces, ordinary, rng, now)
    rules, hosts = ingresses(plan, faces, rng, now)
    if plan.edge:
        yield ingress_class(now)
    yield from rules
    yield from calls.flows(hosts)
    yield from policies(plan, calls, ordinary, rng, now)
