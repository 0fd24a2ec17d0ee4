"""The ReplicaSets of a Deployment: one a template, numbered by revision.

A ReplicaSet is named ``<deployment>-<template hash>`` and its pods bear the hash as a label, so that no two
ReplicaSets of a Deployment select the same pods.
"""

from __future__ import annotations

from collections.abc import Iterator

from clusterviz.engine.controllers.pods import HASH_LABEL, ended, reference
from clusterviz.engine.controllers.work import Owner, Work, annotation, labels, meta, owner_of, spec, with_meta
from clusterviz.engine.objects import Obj, key_of
from clusterviz.engine.pod_defaults import plain_template
from clusterviz.engine.selectors import parse_selector

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
# Annotations of a Deployment that say nothing about its ReplicaSets.
_NOT_COPIED = frozenset({REVISION, HISTORY, DESIRED, MOST, "kubectl.kubernetes.io/last-applied-configuration"})
_OF_A_PLACE = frozenset({"nodeName", "hostname", "subdomain"})


def sets_of(work: Work, deployment: Obj) -> list[Obj]:
    """A Deployment's ReplicaSets, the oldest first; those of nobody that its selector matches are adopted."""
    _, namespace, name = key_of(deployment)
    bare = work.board.sets_of(namespace, ("", ""))
    selector = parse_selector(spec(deployment).get("selector"), field="spec.selector") if bare else None
    for one in bare:
        if selector is not None and (selector.labels or selector.expressions) and selector.matches(labels(one)):
            work.put(with_meta(one, ownerReferences=[reference("Deployment", name)]))
    found = work.board.sets_of(namespace, ("Deployment", name))
    return sorted(found, key=lambda one: (str(meta(one).get("creationTimestamp") or ""), str(meta(one)["name"])))


def current_of(deployment: Obj, sets: list[Obj]) -> Obj | None:
    """The oldest ReplicaSet with the Deployment's present template."""
    template = spec(deployment).get("template") or {}
    return next((one for one in sets if same_template(spec(one).get("template") or {}, template)), None)


def same_template(theirs: Obj, template: Obj) -> bool:
    """Whether two pod templates differ at most in the hash that names one of them."""
    left, right = _unmarked(theirs), _unmarked(template)
    return left == right or plain_template(left) == plain_template(right)


def _unmarked(template: Obj) -> Obj:
    found = {name: value for name, value in labels(template).items() if name != HASH_LABEL}
    return {**template, "metadata": {**meta(template), "labels": found}}


def replicaset(deployment: Obj, name: str, replicas: int, stamp: str, *, template: Obj | None = None) -> Obj:
    """A new ReplicaSet of a Deployment; the hash is what its name ends in."""
    template = (spec(deployment).get("template") or {}) if template is None else template
    mark = {HASH_LABEL: name.rpartition("-")[2]}
    selector = spec(deployment).get("selector") or {}
    marked = {**(meta(template).get("labels") or {}), **mark}
    body: Obj = {
        "replicas": replicas,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **mark}},
        "template": {**template, "metadata": {**meta(template), "labels": marked}},
    }
    if spec(deployment).get("minReadySeconds"):
        body["minReadySeconds"] = spec(deployment)["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": key_of(deployment)[1],
            "labels": marked,
            "annotations": copied(deployment),
            "creationTimestamp": stamp,
            "ownerReferences": [reference("Deployment", str(meta(deployment)["name"]))],
        },
        "spec": body,
        "status": {"replicas": 0},
    }


def copied(deployment: Obj) -> dict[str, str]:
    """Annotations of a Deployment that its present ReplicaSet gets too, the cause of a change among them."""
    given = meta(deployment).get("annotations") or {}
    return {name: str(value) for name, value in given.items() if name not in _NOT_COPIED}


def revision_of(obj: Obj) -> int:
    """The revision a Deployment or ReplicaSet is, 0 when none was written."""
    text = annotation(obj, REVISION)
    return int(text) if text.isdecimal() else 0


def renumbered(one: Obj, deployment: Obj, revision: int) -> Obj:
    """The present ReplicaSet with the Deployment's annotations and at least this revision."""
    before = revision_of(one)
    found = {**(meta(one).get("annotations") or {}), **copied(deployment)}
    if before < revision:
        found[REVISION] = str(revision)
        if before:
            found[HISTORY] = ",".join(filter(None, [found.get(HISTORY), str(before)]))
    return one if found == (meta(one).get("annotations") or {}) else with_meta(one, annotations=found)


def unknown_sets(work: Work, deployment: Obj) -> Iterator[Obj]:
    """ReplicaSets that only pods tell of: objects that came without them.

    The one of the present template is told by its hash. Pods of a dump (their owner has a uid) bear a hash of the
    real cluster, so that only their images tell whose they are. What others were made from is read off a pod.
    """
    _, namespace, name = key_of(deployment)
    template = spec(deployment).get("template") or {}
    for owner in work.board.owners_of_base(namespace, "ReplicaSet", name):
        if work.get(("ReplicaSet", namespace, owner[1])) is not None:
            continue
        pods = [pod for pod in work.board.owned_by(namespace, owner) if not ended(pod)]
        if not pods:
            continue
        ours = owner[1] in [f"{name}-{one}" for one in work.hashes_of(template)] or _from_a_dump(pods, template, owner)
        made_from = template if ours else _template_of(pods[0])
        one = replicaset(deployment, owner[1], len(pods), work.stamp, template=made_from)
        if HASH_LABEL not in labels(pods[0]):
            body = {**spec(one), "selector": spec(deployment).get("selector") or {}}
            one = {**one, "spec": body}
        yield one


def _template_of(pod: Obj) -> Obj:
    body = {name: value for name, value in spec(pod).items() if name not in _OF_A_PLACE}
    return {"metadata": {"labels": meta(pod).get("labels") or {}}, "spec": body}


def _from_a_dump(pods: list[Obj], template: Obj, owner: Owner) -> bool:
    wanted = _images(spec(template))
    return any(
        owner_of(pod) == owner
        and any(one.get("uid") for one in meta(pod).get("ownerReferences") or ())
        and _images(spec(pod)) == wanted
        for pod in pods
    )


def _images(pod_spec: Obj) -> list[tuple[str, str]]:
    return [(str(c.get("name")), str(c.get("image"))) for c in pod_spec.get("containers") or ()]
