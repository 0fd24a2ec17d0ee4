"""ControllerRevisions: the templates a StatefulSet or DaemonSet has had, numbered, to go back to (LIF-08)."""

from __future__ import annotations

from collections.abc import Collection

from clusterviz.engine.controllers.pods import reference
from clusterviz.engine.controllers.replicasets import same_template
from clusterviz.engine.controllers.work import Work, changed, labels, meta, spec
from clusterviz.engine.objects import Obj, key_of

KEPT = 10
HASH = "controller.kubernetes.io/hash"
POD_HASH = "controller-revision-hash"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def number_of(revision: Obj) -> int:
    """Its place in the history."""
    value = revision.get("revision")
    return value if isinstance(value, int) else 0


def template_of(revision: Obj) -> Obj:
    """The pod template it keeps."""
    kept = ((revision.get("data") or {}).get("spec") or {}).get("template") or {}
    return {name: value for name, value in kept.items() if name != "$patch"}


def name_of(work: Work, workload: Obj) -> str:
    """What the revision of a workload's present template is called."""
    return f"{meta(workload)['name']}-{work.hash_of(spec(workload).get('template') or {})}"


def history_of(work: Work, workload: Obj) -> list[Obj]:
    """A workload's revisions, the oldest first."""
    kind, namespace, name = key_of(workload)
    found = work.board.revisions_of(namespace, (kind, name))
    return sorted(found, key=lambda one: (number_of(one), str(meta(one)["name"])))


def record(work: Work, workload: Obj) -> list[Obj]:
    """Give the present template a revision with the highest number; answers the history, which ends in it."""
    history, template = history_of(work, workload), spec(workload).get("template") or {}
    same = [one for one in history if same_template(template_of(one), template)]
    highest = number_of(history[-1]) if history else 0
    if not same:
        new = revision(workload, work.hash_of(spec(workload).get("template") or {}), highest + 1, work.stamp)
    elif same[-1] is not history[-1]:
        new = changed(same[-1], revision=highest + 1)
    else:
        return history
    work.put(new)
    return [*(one for one in history if key_of(one) != key_of(new)), new]


def revision(workload: Obj, digest: str, number: int, stamp: str) -> Obj:
    """The ControllerRevision of a workload's present template, whose hash is ``digest``."""
    kind, namespace, owner = key_of(workload)
    template = spec(workload).get("template") or {}
    mark = {HASH if kind == "StatefulSet" else POD_HASH: digest}
    given = {key: value for key, value in (meta(workload).get("annotations") or {}).items() if key != LAST_APPLIED}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{owner}-{digest}",
            "namespace": namespace,
            "labels": {**(meta(template).get("labels") or {}), **mark},
            **({"annotations": given} if given else {}),
            "creationTimestamp": stamp,
            "ownerReferences": [reference(kind, owner)],
        },
        "data": {"spec": {"template": {**template, "$patch": "replace"}}},
        "revision": number,
    }


def forget(work: Work, workload: Obj, pods: list[Obj], live: Collection[str] = ()) -> None:
    """Of the revisions nobody uses only the latest are kept; ``live`` are names that somebody does."""
    limit = spec(workload).get("revisionHistoryLimit")
    used = {labels(pod).get(POD_HASH, "") for pod in pods} | set(live)
    history = history_of(work, workload)
    idle = [
        one
        for one in history[:-1]
        if str(meta(one)["name"]) not in used and str(meta(one)["name"]).rpartition("-")[2] not in used
    ]
    for one in idle[: max(0, len(idle) - (KEPT if limit is None else int(limit)))]:
        work.remove(key_of(one))
