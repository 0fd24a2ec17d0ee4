"""The demo cluster: a small shop that shows every way a packet can take."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster

TITLE = "Demo shop"


def files() -> list[tuple[str, bytes]]:
    """The manifests in order."""
    folder = Path(__file__).parent
    return [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.yaml"))]


@transaction.atomic
def load(name: str = "demo", *, actor: str) -> Cluster:
    """Make the demo cluster. Raises `Invalid` when the name is taken."""
    cluster = services.create_cluster(name, title=TITLE, nodes=3, actor=actor)
    services.apply_objects(cluster, services.read_files(files()), actor=actor)
    return cluster
