"""Manifests in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from clusterviz.cluster import snapshot
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, is_foreign, key_of
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.services.apply import apply_objects
from clusterviz.cluster.services.cluster_settings import take_settings
from clusterviz.cluster.services.errors import Entry, Invalid, Summary
from clusterviz.cluster.services.scaffold import create_cluster
from clusterviz.engine.config_objects import KINDS
from clusterviz.engine.errors import ObjectError
from clusterviz.engine.infer_settings import infer
from clusterviz.engine.manifests.convert import normalize
from clusterviz.engine.manifests.infer import INFERRED_FROM, Call, infer_calls
from clusterviz.engine.manifests.problem import ManifestError, Problem
from clusterviz.engine.manifests.read import Document, Limits, read
from clusterviz.engine.objects import WORKLOAD_KINDS
from clusterviz.engine.settings_check import KIND as SETTINGS_KIND
from clusterviz.engine.settings_check import differing
from clusterviz.engine.validation import validate

# Without one of these an import brings no call with it.
CALLING = frozenset({*WORKLOAD_KINDS, "Pod", "Service", "Ingress", "HTTPRoute"})


def read_files(files: Iterable[tuple[str, bytes | str]], limits: Limits | None = None) -> list[Document]:
    """The objects of several files. Raises `Invalid` with everything that cannot be read."""
    limits = limits or Limits()
    problems: list[Problem] = []
    documents: list[Document] = []
    size = 0
    for name, text in files:
        size += len(text)
        if size > limits.size:
            problems.append(Problem(file=name, message=f"too large: at most {limits.size // 2**20} MiB at once"))
            break
        try:
            documents += read(text, name, limits)
        except ManifestError as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)
    return documents


def import_files(
    cluster: Cluster, files: Iterable[tuple[str, bytes | str]], *, actor: str, dry_run: bool = False
) -> Summary:
    """Read files and apply what is in them, all or nothing; see `import_documents`."""
    return import_documents(cluster, read_files(files), actor=actor, dry_run=dry_run)


def import_documents(cluster: Cluster, documents: Sequence[Document], *, actor: str, dry_run: bool = False) -> Summary:
    """Apply ``documents`` and add the calls they give away as inferred flows.

    A flow that somebody edited, or that already describes the same call, stays as it is.
    """
    before = cluster.settings, cluster.origins
    try:
        with transaction.atomic():
            summary = _apply_all(cluster, documents, actor)
            # A dry run is the real thing, taken back: what it tells cannot differ from what would happen.
            if dry_run:
                transaction.set_rollback(True)
    except Invalid:
        cluster.settings, cluster.origins = before
        raise
    if dry_run:
        cluster.settings, cluster.origins = before
    summary.dry_run = dry_run
    return summary


def _apply_all(cluster: Cluster, documents: Sequence[Document], actor: str) -> Summary:
    """Settings first, for addresses are given out by them; then objects, then the calls they give away."""
    settled = Summary()
    documents = take_settings(cluster, documents, settled)
    summary = apply_objects(cluster, documents, actor=actor)
    summary.extend(settled)
    imported = {
        entry.key
        for part in (summary.created, summary.changed, summary.unchanged)
        for entry in part
        if entry.kind != SETTINGS_KIND
    }
    flows = _new_flows(cluster, imported)
    if not flows:
        return summary
    added = apply_objects(cluster, flows, actor=actor)
    why = {key_of(flow): f"inferred from {flow['metadata']['annotations'][INFERRED_FROM]}" for flow in flows}
    for part in (added.created, added.changed):
        part[:] = [_because(entry, why[entry.key]) for entry in part if entry.key in why]
    summary.extend(added)
    return summary


def create_for(name: str, documents: Sequence[Document], *, actor: str) -> Cluster:
    """A cluster in which ``documents`` fit: with the address ranges they reveal, without nodes if they bring some."""
    objects: dict[Key, Obj] = {}
    for document in documents:
        obj, _ = normalize(document.object)
        if obj.get("kind") in ("Node", "Pod", "Service", *KINDS) and not validate(obj) and not is_foreign(obj):
            objects[key_of(obj)] = obj
    try:
        found = infer(objects)
    except ObjectError as error:
        raise Invalid([Problem(object=error.ref, field=error.field, message=str(error))]) from None
    settings = differing(found.settings)
    origins = {name: source for name, source in found.origins.items() if name in settings}
    nodes = 0 if any(kind == "Node" for kind, _, _ in objects) else 3
    return create_cluster(name, settings=settings, origins=origins, nodes=nodes, actor=actor)


def _new_flows(cluster: Cluster, imported: set[Key]) -> list[Obj]:
    if not any(key[0] in CALLING for key in imported):
        return []
    objects = snapshot.load_calling(cluster)
    existing = {key_of(obj): obj for obj in objects if obj.get("kind") == "TrafficFlow"}
    edited = {key: obj for key, obj in existing.items() if not (obj.get("spec") or {}).get("inferred")}
    described = {_ends(obj) for obj in edited.values()}
    return [
        flow
        for call, flow in infer_calls(objects)
        if _concerns(call, imported) and key_of(flow) not in edited and _ends(flow) not in described
    ]


def _concerns(call: Call, imported: set[Key]) -> bool:
    return call.target in imported or (call.caller is not None and call.caller in imported)


def _ends(flow: Obj) -> tuple[object, ...]:
    """What makes two flows the same call."""
    spec = flow.get("spec") or {}
    source, target = spec.get("from") or {}, spec.get("to") or {}
    namespace = "" if source.get("kind") == "External" else source.get("namespace") or flow["metadata"]["namespace"]
    name = "" if source.get("kind") == "External" else source.get("name")
    return source.get("kind"), namespace, name, target.get("host"), target.get("port"), target.get("path")


def _because(entry: Entry, why: str) -> Entry:
    return Entry(kind=entry.kind, namespace=entry.namespace, name=entry.name, why=why)
