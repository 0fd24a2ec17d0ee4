"""The few things the live side wants from the database; all of them block, so never in the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Max

from clusterviz.cluster import snapshot, store
from clusterviz.cluster.keys import presented
from clusterviz.cluster.models import ApiAccess, Cluster, Namespace, Node, Pod
from clusterviz.cluster.models import Change as Line
from clusterviz.cluster.services import capacity, changed
from clusterviz.cluster.services import checkpoint as write_checkpoint
from clusterviz.engine import Settings
from clusterviz.engine.cluster import Change

Listener = Callable[[], None]
_receivers: dict[Listener, Callable[..., None]] = {}


class ClusterGoneError(Exception):
    """The cluster was deleted."""


class Stored(msgspec.Struct, frozen=True):
    """A cluster as the database has it, and the journal's last line it includes."""

    objects: list[dict[str, Any]]
    settings: Settings
    seed: int
    head: int


class Weight(msgspec.Struct, frozen=True):
    """How many pods a cluster wants and how many it has."""

    wanted: int
    stored: int

    @property
    def too_heavy(self) -> bool:
        """Whether it wants more than the simulator runs; only an old database can."""
        return self.wanted > capacity.MAX_PODS

    @property
    def overgrown(self) -> bool:
        """Whether it has more than a rolling update of everything could explain."""
        return self.stored > 2 * capacity.MAX_PODS


class Head(msgspec.Struct, frozen=True):
    """How far a cluster has come: which one it is, the journal's last line, its settings.

    ``grants`` are the generations of the kubeconfigs that open it, by role; a role without one has 1.
    """

    identity: int
    line: int
    settings: Settings
    grants: dict[str, int] = {}


def heads() -> dict[str, Head]:
    """The heads of all clusters by name."""
    lines = dict(Line.objects.values_list("cluster_id").annotate(last=Max("sequence")).order_by())
    grants: dict[int, dict[str, int]] = {}
    for pk, role, generation in ApiAccess.objects.values_list("cluster_id", "role", "generation").order_by():
        grants.setdefault(pk, {})[role] = generation
    return {
        cluster.name: Head(cluster.pk, lines.get(cluster.pk, 0), cluster.engine_settings, grants.get(cluster.pk, {}))
        for cluster in Cluster.objects.all()
    }


def _find(name: str) -> Cluster:
    try:
        return Cluster.objects.get(name=name)
    except Cluster.DoesNotExist:
        raise ClusterGoneError(name) from None


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside belongs together; unlike in `transaction.atomic` nobody waits who wants to write."""
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def load(name: str) -> Stored:
    """All objects of a cluster, at one moment."""
    with one_moment():
        cluster = _find(name)
        return Stored(snapshot.load_served(cluster), cluster.engine_settings, cluster.seed, snapshot.head(cluster))


def weigh(name: str) -> Weight:
    """The number of pods, without loading one."""
    cluster = _find(name)
    return Weight(capacity.wanted_pods(cluster), Pod.objects.filter(cluster=cluster).count())


@transaction.atomic
def outline(name: str) -> Stored:
    """Nodes and namespaces alone: the picture of a cluster that is too heavy to be simulated."""
    cluster = _find(name)
    objects = store.load(cluster, (Namespace, Node))
    return Stored(objects, cluster.engine_settings, cluster.seed, snapshot.head(cluster))


@transaction.atomic
def clear_pods(name: str, count: int) -> int:
    """Delete up to ``count`` pods that controllers made; answers how many."""
    return capacity.remove_made_pods(_find(name), count)


def changes(name: str, after: int) -> tuple[int, list[Change]]:
    """Wishes after a line of the journal, and the last line read."""
    lines = snapshot.load_changes(_find(name), after)
    wishes = [
        Change("set", presented(line.object or {})) if line.verb == "set" else Change("unset", line.key)
        for line in lines
    ]
    return (lines[-1].sequence if lines else after), wishes


def checkpoint(name: str, position: int, made: Iterable[Change]) -> None:
    """Save what a simulator made that has seen the journal up to ``position``."""
    made = list(made)
    write_checkpoint(
        _find(name),
        set=[change.value for change in made if change.verb == "set"],
        unset=[change.key for change in made if change.verb == "unset"],
        seen=position,
    )


def listen(listener: Listener) -> None:
    """Call ``listener`` after each commit of a wish in this process."""

    def receive(**_: Any) -> None:
        listener()

    _receivers[listener] = receive
    changed.connect(receive, weak=False)


def ignore(listener: Listener) -> None:
    """Stop calling it."""
    changed.disconnect(_receivers.pop(listener))
