"""Forks: a cluster branched off another one, to try something on; the original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count

from django.db import transaction
from django.utils import timezone

from clusterviz.cluster import bulk
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.services.delete import delete_cluster
from clusterviz.cluster.services.errors import Invalid
from clusterviz.cluster.services.scaffold import check_cluster, save_cluster
from clusterviz.engine.loading import no_collections
from clusterviz.engine.settings import Settings
from clusterviz.engine.settings_check import differing

#: Forks a person may have at once, and objects of a cluster that can be forked: each fork is kept and lives.
MOST_FORKS = 5
MOST_OBJECTS = 50_000
LONGEST = 63
# What others point at comes first.
_FIRST = ("Namespace", "Node")


def fork_cluster(
    original: Cluster,
    objects: Iterable[Obj],
    settings: Settings,
    *,
    name: str = "",
    moment: datetime | None = None,
    actor: str,
) -> Cluster:
    """A cluster with these objects, those of ``original`` now or at a ``moment``, in one transaction.

    Without a ``name`` it is called after the original. Raises `Invalid` for a name that is taken, a person with too
    many forks, and a cluster that is too large.
    """
    wanted = [_plain(obj) for obj in objects]
    if len(wanted) > MOST_OBJECTS:
        raise Invalid(f"{len(wanted)} objects are too many for a fork: at most {MOST_OBJECTS}")
    cluster = Cluster(
        name=name or _free_name(original.name),
        title=f"Fork of {original}"[:200],
        settings=differing(settings),
        origins=original.origins,
        seed=original.seed,
        forked_from=original,
        forked_at=moment or timezone.now(),
        forked_by=actor[:150],
    )
    check_cluster(cluster)
    wanted.sort(key=lambda obj: _FIRST.index(obj["kind"]) if obj["kind"] in _FIRST else len(_FIRST))
    with no_collections():
        rows = bulk.prepared(wanted, len(wanted) or 1, lambda _share: None)
        with transaction.atomic():
            _room(original, actor)
            save_cluster(cluster)
            rows.write(cluster, lambda _share: None)
    return cluster


def keep_fork(cluster: Cluster) -> None:
    """From here on it is a cluster like any other."""
    cluster.forked_from, cluster.forked_at, cluster.forked_by = None, None, ""
    save_cluster(cluster)


def drop_fork(cluster: Cluster) -> None:
    """Delete a fork with everything in it. Raises `Invalid` for what is no fork."""
    if cluster.forked_at is None:
        raise Invalid(f"{cluster.name} is no fork: only forks are dropped here")
    delete_cluster(cluster)


def _room(original: Cluster, actor: str) -> None:
    # Who forks the same cluster twice at once takes turns.
    Cluster.objects.select_for_update().get(pk=original.pk)
    mine = Cluster.objects.filter(forked_at__isnull=False, forked_by=actor[:150]).count()
    if mine >= MOST_FORKS:
        raise Invalid(f"{actor} has {mine} forks, and at most {MOST_FORKS} may be: keep or drop one first")


def _free_name(original: str) -> str:
    taken = set(Cluster.objects.values_list("name", flat=True))
    for number in count(1):
        suffix = f"-fork-{number}"
        name = original[: LONGEST - len(suffix)].rstrip("-") + suffix
        if name not in taken:
            return name
    raise AssertionError


def _plain(obj: Obj) -> Obj:
    """With the kind as its own API group writes it."""
    kind = str(obj["kind"])
    return obj if "." not in kind else {**obj, "kind": kind.partition(".")[0]}
