"""The journal: every wish is a line, written with the rows it changes."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.dispatch import Signal

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, key_of
from clusterviz.cluster.models import Change, Cluster
from clusterviz.cluster.snapshot import head

# Sent after commit with ``cluster`` and ``sequence``; a simulator in this process wakes up.
changed = Signal()


def record(cluster: Cluster, *, actor: str, sets: Iterable[Obj] = (), unsets: Iterable[Key] = ()) -> int:
    """Append wishes and tell listeners once they are committed; answers the last sequence number."""
    # Two writers of one cluster take turns, so sequence numbers have neither gaps nor doubles.
    Cluster.objects.select_for_update().get(pk=cluster.pk)
    sequence = head(cluster)
    wishes: list[tuple[str, Key, Obj | None]] = [("unset", key, None) for key in unsets]
    wishes += [("set", key_of(obj), obj) for obj in sets]
    if not wishes:
        return sequence
    rows = [
        Change(
            cluster=cluster,
            sequence=sequence + number,
            verb=verb,
            kind=key[0],
            namespace=key[1],
            name=key[2],
            object=obj,
            actor=actor[:150],
        )
        for number, (verb, key, obj) in enumerate(wishes, start=1)
    ]
    Change.objects.bulk_create(rows, batch_size=200)
    last = rows[-1].sequence
    transaction.on_commit(lambda: _tell(cluster, last))
    return last


def _tell(cluster: Cluster, sequence: int) -> None:
    changed.send_robust(sender=Cluster, cluster=cluster, sequence=sequence)
