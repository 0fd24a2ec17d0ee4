"""A made-up cluster of any size, written at once and without journal: nobody follows it yet."""

from __future__ import annotations

import time

from django.db import transaction

from clusterviz.cluster import bulk
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.services import capacity
from clusterviz.cluster.services.errors import Invalid
from clusterviz.cluster.services.scaffold import save_cluster
from clusterviz.engine.generate import Size, flaws, generate, settings_for
from clusterviz.engine.loading import no_collections
from clusterviz.engine.manifests.problem import Problem


@transaction.atomic
def create_generated(name: str, size: Size, *, seed: int, tell: bulk.Tell) -> Cluster:
    """A cluster of this size, at rest. ``tell`` hears now and then how many objects are written.

    Raises `Invalid` for a size that is impossible and a name that is taken.
    """
    if found := flaws(size, capacity.MAX_PODS):
        raise Invalid([Problem(message=one) for one in found])
    title = f"{size.nodes:,} nodes, {size.pods:,} pods"
    cluster = Cluster(name=name, title=title, settings=settings_for(size), seed=seed)
    save_cluster(cluster)
    with no_collections():
        bulk.insert(cluster, generate(size, seed=seed, now=float(int(time.time()))), tell)
    return cluster
