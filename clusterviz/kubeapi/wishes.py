"""The blocking half of a write: one call of `cluster.services`, run away from the loop."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.db import transaction

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.models import Cluster
from clusterviz.engine.objects import Key, Obj
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.status import Refusal, conflict, invalid

# What the controllers made a moment ago is in the database within so many seconds.
CHECKPOINTED = 4.0


class GoneError(Exception):
    """The cluster, or the object, was deleted meanwhile."""


def _cluster(identity: int) -> Cluster:
    try:
        return Cluster.objects.get(pk=identity)
    except Cluster.DoesNotExist:
        raise GoneError from None


def apply(
    identity: int, resource: Resource, name: str, objects: Sequence[Obj], *, actor: str, dry_run: bool
) -> tuple[int, list[str]]:
    """Create or replace objects; answers the journal's last line and warnings. Raises a 422 `Refusal`."""
    cluster = _cluster(identity)
    try:
        summary = services.apply_objects(cluster, objects, actor=actor, dry_run=dry_run, more=True)
    except services.Invalid as error:
        raise refused(resource, name, error) from None
    warnings = [str(entry.why) for entry in summary.warnings if entry.why]
    return (0 if dry_run else snapshot.head(cluster)), warnings


def delete(
    identity: int,
    keys: Sequence[Key],
    *,
    actor: str,
    resource: Resource,
    grace: int | None = None,
    orphans: Sequence[Obj] | None = None,
    foreground: bool = False,
) -> tuple[int, None]:
    """Delete objects, also those the database does not have yet; ``orphans`` lose their owner first."""
    cluster, name = _cluster(identity), keys[0][2]
    until = time.monotonic() + CHECKPOINTED
    while True:
        try:
            with transaction.atomic():  # between the two the owner would adopt its orphans again
                if orphans:
                    apply(identity, resource, name, orphans, actor=actor, dry_run=False)
                services.delete_objects(
                    cluster, keys, actor=actor, grace=grace, orphan=orphans is not None, foreground=foreground
                )
        except services.Invalid as error:
            if not str(error).endswith("not found"):
                raise _forbidden(resource, name, error) from None
            if time.monotonic() > until:
                raise GoneError from None
            time.sleep(0.1)
        else:
            return snapshot.head(cluster), None


def refused(resource: Resource, name: str, error: services.Invalid) -> Refusal:
    """What the write path found wrong, as kube-apiserver says it."""
    causes = [
        {
            "reason": reason_of(problem.message),
            "message": problem.message.removeprefix(f"{problem.field}: ") if problem.field else problem.message,
            "field": problem.field or "",
        }
        for problem in error.problems[:100]
    ]
    return invalid(resource, name, causes)


_REASONS = {
    "Required value": "FieldValueRequired",
    "Duplicate value": "FieldValueDuplicate",
    "Forbidden": "FieldValueForbidden",
    "Unsupported value": "FieldValueNotSupported",
    "Too many": "FieldValueTooMany",
    "Too long": "FieldValueTooLong",
}


def reason_of(message: str) -> str:
    """The machine's word for a message."""
    return next((reason for words, reason in _REASONS.items() if words in message), "FieldValueInvalid")


def _forbidden(resource: Resource, name: str, error: services.Invalid) -> Refusal:
    words = str(error)
    if "forbidden" in words:
        return Refusal(403, "Forbidden", words, details={"name": name, "kind": resource.plural})
    return conflict(resource, name, words)
