"""Settings of a cluster: who may change what, and where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import describe, is_foreign, key_of
from clusterviz.cluster.models import Cluster, Node, Service
from clusterviz.cluster.services.errors import Entry, Invalid, Summary
from clusterviz.engine.addresses import family, in_any, listed
from clusterviz.engine.config_objects import KINDS, told
from clusterviz.engine.manifests.problem import Problem
from clusterviz.engine.manifests.read import Document
from clusterviz.engine.settings_check import (
    KIND,
    check_settings,
    fields,
    is_document,
    plain,
    read_document,
)

# Given out already: a cluster's objects hold such addresses, so that only people may change them.
ADDRESSES = frozenset({"node_cidr", "cluster_cidr", "node_mask", "service_cidr", "dns_ip"})
HOLDERS = {"Service": ("service_cidr", "clusterIPs", "clusterIP"), "Node": ("cluster_cidr", "podCIDRs", "podCIDR")}
MOST_HELD = 20


def settings_problems(cluster: Cluster, changes: Mapping[str, Any]) -> list[Problem]:
    """Why ``changes`` (values by name, None for the default) cannot be made; empty when they can."""
    after = _after(cluster, changes)
    unknown = {name: value for name, value in changes.items() if name not in fields()}
    flaws = check_settings(unknown | after)
    found = [Problem(object=f"Cluster {cluster.name}", field=flaw.field, message=flaw.message) for flaw in flaws]
    if not found and ADDRESSES & changes.keys() and Cluster.objects.filter(pk=cluster.pk).exists():
        found = _held(cluster, after)
    return found


@transaction.atomic
def change_settings(cluster: Cluster, changes: Mapping[str, Any], *, origin: str) -> list[str]:
    """Set values by name, None for the default; the names that changed. Raises `Invalid`, then nothing changed.

    ``origin`` is kept beside each value: who or what set it.
    """
    row = Cluster.objects.select_for_update().get(pk=cluster.pk)
    problems = settings_problems(row, changes)
    if problems:
        raise Invalid(problems)
    before = row.engine_settings
    row.settings = _after(row, changes)
    changed = [name for name in fields() if getattr(before, name) != getattr(row.engine_settings, name)]
    kept = {name: source for name, source in row.origins.items() if name in row.settings}
    row.origins = kept | {name: origin for name in changed if name in row.settings}
    row.save(update_fields=["settings", "origins"])
    cluster.settings, cluster.origins = row.settings, row.origins
    return changed


def described(cluster: Cluster) -> list[dict[str, Any]]:
    """Every setting with its value, meaning, limits and origin, as plain data for people to look at."""
    values = plain(cluster.engine_settings)
    usual = plain(type(cluster.engine_settings)())
    return [
        {
            "name": name,
            "label": field.label,
            "group": field.group,
            "kind": field.kind,
            "value": values[name],
            "default": usual[name],
            "meaning": field.meaning,
            "rules": field.rules,
            "choices": field.choices,
            "least": field.least,
            "most": field.most,
            "origin": cluster.origins.get(name, "set by hand" if name in cluster.settings else "default"),
        }
        for name, field in fields().items()
    ]


def take_settings(cluster: Cluster, documents: Sequence[Document], summary: Summary) -> list[Document]:
    """Take over what configuration objects among ``documents`` tell; the documents that are objects.

    What a person set stays, and so do addresses, unless a ClusterSettings document says otherwise.
    """
    written = [document for document in documents if is_document(document.object)]
    others = [document for document in documents if not is_document(document.object)]
    _take_told(cluster, others, summary)
    problems: list[Problem] = []
    for document in written:
        values, flaws = read_document(document.object)
        problems += [document.problem(flaw.message, object_=KIND, field=flaw.field) for flaw in flaws]
        if flaws:
            continue
        try:
            changed = change_settings(cluster, values, origin=f"{KIND} in {document.file or 'a file'}")
        except Invalid as error:
            found = error.problems
            problems += [document.problem(one.message, object_=KIND, field=f"spec.{one.field}") for one in found]
            continue
        summary.changed += [_entry(cluster, name, KIND, document) for name in changed]
    if problems:
        raise Invalid(problems)
    return others


def _take_told(cluster: Cluster, documents: Sequence[Document], summary: Summary) -> None:
    objects = {
        key_of(obj): obj
        for document in documents
        if (obj := document.object).get("kind") in KINDS and isinstance(obj.get("metadata"), dict) and _named(obj)
    }
    reading = told(objects)
    values = plain(cluster.engine_settings)
    for name, value in reading.values.items():
        if value == values[name]:
            continue
        source = reading.origins[name]
        by_hand = cluster.origins.get(name, "").startswith("set by ")
        if name in ADDRESSES or by_hand:
            why = "addresses are given out already" if name in ADDRESSES else cluster.origins[name]
            text = f"{source} says {value}, it stays {values[name]}: {why}"
            summary.warnings.append(Entry(kind=KIND, namespace="", name=name, why=text))
            continue
        try:
            change_settings(cluster, {name: value}, origin=source)
        except Invalid as error:
            summary.warnings.append(Entry(kind=KIND, namespace="", name=name, why=str(error)))
            continue
        summary.changed.append(_entry(cluster, name, source))
    for note in reading.notes:
        summary.warnings.append(Entry(kind=KIND, namespace="", name="cluster", why=note))


def _named(obj: Obj) -> bool:
    return isinstance(obj["metadata"].get("name"), str) and not is_foreign(obj)


def _entry(cluster: Cluster, name: str, source: str, document: Document | None = None) -> Entry:
    why = f"{plain(cluster.engine_settings)[name]}, from {source}"
    if document is None:
        return Entry(kind=KIND, namespace="", name=name, why=why)
    place = document.file, document.document, document.line
    return Entry(kind=KIND, namespace="", name=name, file=place[0], document=place[1], line=place[2], why=why)


def _after(cluster: Cluster, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The stored values as they would be: what equals the default is not kept."""
    values = {name: value for name, value in {**cluster.settings, **changes}.items() if value is not None}
    return {name: value for name, value in values.items() if name not in fields() or not _usual(name, value)}


def _usual(name: str, value: Any) -> bool:
    """Whether a value is the default; 1 is not True, though Python says so."""
    default = fields()[name].default
    given = tuple(value) if isinstance(value, list) else value
    return bool(given == default) and isinstance(value, bool) == isinstance(default, bool)


def _held(cluster: Cluster, after: Mapping[str, Any]) -> list[Problem]:
    """Addresses that would lie outside their range; a second family the range does not name is no contradiction."""
    found = []
    for obj in store.load(cluster, (Service, Node)):
        name, many, one = HOLDERS[obj["kind"]]
        cidrs = str(after.get(name, fields()[name].default))
        spec = obj.get("spec") or {}
        given = [str(held) for held in spec.get(many) or [spec.get(one)] if held and held != "None"]
        outside = [held for held in given if not in_any(held.partition("/")[0], cidrs)]
        if len(outside) < len(given):
            named = {family(cidr) for cidr in listed(cidrs)}
            outside = [held for held in outside if family(held) in named]
        if outside:
            message = f"Forbidden: {describe(key_of(obj))} has {outside[0]}, which is outside {cidrs}"
            found.append(Problem(object=f"Cluster {cluster.name}", field=name, message=message))
    return found[:MOST_HELD]
