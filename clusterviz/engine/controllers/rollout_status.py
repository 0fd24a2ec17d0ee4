"""What a Deployment says of itself: how many replicas there are, and whether its rollout gets on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clusterviz.engine.controllers.pods import FAILURE, replicas_of
from clusterviz.engine.controllers.replicasets import REVISION, revision_of
from clusterviz.engine.controllers.work import Work, annotation, condition, meta, seconds, spec, status, with_meta
from clusterviz.engine.objects import Obj, key_of

PROGRESS_DEADLINE = 600
DONE, LATE, PAUSED = "NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"
_COUNTS = ("replicas", "readyReplicas", "availableReplicas")
# kube-controller-manager takes the largest number there is for "no deadline".
_NEVER = 2**31 - 1


def write(
    work: Work, deployment: Obj, sets: Mapping[str, Obj], new: Obj | None, unavailable: int, *, fresh: bool
) -> None:
    """Write status and revision; ``new`` is the present ReplicaSet, just made if ``fresh``.

    A paused Deployment may have none.
    """
    total = {name: sum(int(status(one).get(name) or 0) for one in sets.values()) for name in _COUNTS}
    counts = {
        **total,
        "updatedReplicas": int(status(new or {}).get("replicas") or 0),
        "unavailableReplicas": max(0, sum(map(replicas_of, sets.values())) - total["availableReplicas"]),
    }
    if meta(deployment).get("generation"):
        counts["observedGeneration"] = meta(deployment)["generation"]
    conditions = _Conditions(work, deployment)
    conditions.availability(enough=total["availableReplicas"] >= replicas_of(deployment) - unavailable)
    conditions.progress(counts, new, fresh=fresh)
    conditions.failure(condition(one, FAILURE) for one in ([new] if new else []) + list(sets.values()))
    current = deployment
    if new and (revision := revision_of(new)) and annotation(current, REVISION) != str(revision):
        given = meta(current).get("annotations") or {}
        current = with_meta(current, annotations={**given, REVISION: str(revision)})
    told = {**status(current), **counts, "conditions": conditions.entries}
    if told != status(current):
        current = {**current, "status": told}
    if current is not deployment:
        work.put(current)


def is_complete(deployment: Obj) -> bool:
    """Whether every replica there is has the present template and is available."""
    return _complete(replicas_of(deployment), status(deployment))


def _complete(wanted: int, counts: Mapping[str, Any]) -> bool:
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(counts.get(name, 0) == wanted for name in names)


def _progressed(before: Mapping[str, Any], counts: Mapping[str, Any]) -> bool:
    def outdated(found: Mapping[str, Any]) -> int:
        return int(found.get("replicas") or 0) - int(found.get("updatedReplicas") or 0)

    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return outdated(counts) < outdated(before) or any(counts[name] > (before.get(name) or 0) for name in more)


class _Conditions:
    """The conditions of a Deployment while they are worked out."""

    def __init__(self, work: Work, deployment: Obj) -> None:
        self.work, self.deployment = work, deployment
        self.entries: list[dict[str, Any]] = list(status(deployment).get("conditions") or ())

    def availability(self, *, enough: bool) -> None:
        """Available: at least ``replicas`` less maxUnavailable pods are."""
        if enough:
            self._set("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        else:
            text = "Deployment does not have minimum availability."
            self._set("Available", "False", "MinimumReplicasUnavailable", text)

    def progress(self, counts: Mapping[str, Any], new: Obj | None, *, fresh: bool) -> None:
        """Progressing: whether the rollout gets on, is done, is paused, or did not get on for too long (LIF-06)."""
        given = spec(self.deployment).get("progressDeadlineSeconds")
        deadline = PROGRESS_DEADLINE if given is None else int(given)
        if deadline >= _NEVER:
            self.entries = [entry for entry in self.entries if entry.get("type") != "Progressing"]
            return
        now = condition(self.deployment, "Progressing")
        if spec(self.deployment).get("paused"):
            if now.get("reason") != LATE:
                self._set("Progressing", "Unknown", PAUSED, "Deployment is paused")
            return
        if now.get("reason") == PAUSED:
            self._set("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
        if new is None or (counts["replicas"] == counts["updatedReplicas"] and now.get("reason") == DONE):
            return
        name = key_of(new)[2]
        if _complete(replicas_of(self.deployment), counts):
            self._set("Progressing", "True", DONE, f'ReplicaSet "{name}" has successfully progressed.')
        elif fresh:
            self._set("Progressing", "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
        elif not now:
            self._set("Progressing", "True", "FoundNewReplicaSet", f'Found new replica set "{name}"')
        elif _progressed(status(self.deployment), counts):
            self._set("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', again=True)
        self._patience(deadline, name)

    def failure(self, found: Iterable[Mapping[str, Any]]) -> None:
        """ReplicaFailure: what the present ReplicaSet, or else an older one, says of pods it may not make."""
        said = next(filter(None, found), None)
        if said is None:
            self.entries = [entry for entry in self.entries if entry.get("type") != FAILURE]
        else:
            self._set(FAILURE, "True", str(said.get("reason")), str(said.get("message")))

    def _patience(self, deadline: int, name: str) -> None:
        now = next(entry for entry in self.entries if entry.get("type") == "Progressing")
        since = seconds(str(now.get("lastUpdateTime") or "")) or self.work.now
        if now.get("reason") not in (DONE, LATE) and self.work.due(since + deadline):
            self._set("Progressing", "False", LATE, f'ReplicaSet "{name}" has timed out progressing.')

    def _set(self, kind: str, value: str, reason: str, message: str, *, again: bool = False) -> None:
        """Set one; the same status for the same reason changes nothing, unless ``again``."""
        old = next((entry for entry in self.entries if entry.get("type") == kind), {})
        if not again and (old.get("status"), old.get("reason")) == (value, reason):
            return
        stamp = self.work.stamp
        moved = old.get("lastTransitionTime") if old.get("status") == value else None
        entry = {
            "type": kind, "status": value, "reason": reason, "message": message,
            "lastUpdateTime": stamp, "lastTransitionTime": moved or stamp,
        }  # fmt: skip
        self.entries = [*(one for one in self.entries if one.get("type") != kind), entry]
