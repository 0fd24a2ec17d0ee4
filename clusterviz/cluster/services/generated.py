"""A made-up cluster of any size, written at once and without journal: nobody follows it yet."""

from __future__ import annotations

import time

from django.db import transaction

from clusterviz.cluster import bulk
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.services import capacity
from clusterviz.cluster.services.errors import Invalid
from clusterviz.cluster.services.scaffold import check_cluster, save_cluster
from clusterviz.engine.generate import Size, flaws, generate, settings_for
from clusterviz.engine.loading import no_collections
from clusterviz.engine.manifests.problem import Problem

# Beside nodes and pods: Services, slices, workloads, flows and policies, so many for each Service.
OBJECTS_A_SERVICE = 3.6


def create_generated(name: str, size: Size, *, seed: int, tell: bulk.Tell) -> Cluster:
    """A cluster of this size, at rest. ``tell`` hears now and then which part of the work is done.

    Raises `Invalid` for a size that is impossible and a name that is taken.
    """
    if found := flaws(size, capacity.MAX_PODS):
        raise Invalid([Problem(message=one) for one in found])
    title = f"{size.nodes:,} nodes, {size.pods:,} pods"
    cluster = Cluster(name=name, title=title, settings=settings_for(size), seed=seed)
    check_cluster(cluster)
    expected = size.nodes + size.pods + round(OBJECTS_A_SERVICE * size.services)
    with no_collections():
        # Others who want to write wait for a transaction, so as little as possible happens in it.
        rows = bulk.prepared(generate(size, seed=seed, now=float(int(time.time()))), expected, tell)
        with transaction.atomic():
            save_cluster(cluster)
            rows.write(cluster, tell)
    return cluster
