"""Manifests that are only asked: what import would refuse is refused, in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, describe, is_foreign
from clusterviz.cluster.services.apply import Wishes, held, read_wishes, refused
from clusterviz.cluster.services.errors import Invalid, Summary
from clusterviz.cluster.services.notices import why_ignored
from clusterviz.engine import Cluster
from clusterviz.engine.manifests.problem import Problem
from clusterviz.engine.manifests.read import Document
from clusterviz.engine.reader import Reader
from clusterviz.engine.settings_check import KIND as SETTINGS_KIND
from clusterviz.engine.validation import API_VERSIONS, Flaws, check_allocation

# What is only left out is told and does not stop the question: whoever asks may write no more than it needs.
LEFT_OUT = "Required value"


def ask_documents(documents: Sequence[Document]) -> tuple[Cluster, list[str]]:
    """The snapshot of some manifests, and what to tell of them.

    Raises `Invalid` with every value kube-apiserver would refuse, `EngineError` when they make no snapshot.
    Warnings are fields left out, addresses and ports outside the ranges of the cluster, and kinds without effect.
    """
    settings = [document.object for document in documents if document.object.get("kind") == SETTINGS_KIND]
    problems, summary = list[Problem](), Summary()
    named = [_named(one, problems) for one in documents if one.object.get("kind") != SETTINGS_KIND]
    wishes = read_wishes(named, summary, problems)
    refused(wishes, {}, problems)
    if wrong := [problem for problem in problems if not problem.message.startswith(LEFT_OUT)]:
        raise Invalid(wrong)
    ours = {key: obj for key, (_, obj) in wishes.items() if not is_foreign(obj)}
    cluster = Cluster.from_objects([*settings, *ours.values()])
    told = [*problems, *_out_of_range(cluster, wishes, ours)]
    # no controller runs here, so that a CronJob starts nothing
    ignored = Counter(key[0] for key, (_, obj) in wishes.items() if why_ignored(key, obj) or key[0] == "CronJob")
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(ignored.items()))
    notes = [f"no effect on the simulated network: {kinds}"] if kinds else []
    return cluster, [*map(str, told), *map(str, summary.warnings), *notes]


def _named(document: Document, problems: list[Problem]) -> Document:
    """A document whose kind alone says which version it means has that version."""
    obj = document.object
    version = API_VERSIONS.get(str(obj.get("kind")))
    if obj.get("apiVersion") or version is None:
        return document
    problems.append(document.problem(LEFT_OUT, object_=str(obj.get("kind")), field="apiVersion"))
    return msgspec.structs.replace(document, object={**obj, "apiVersion": version})


def _out_of_range(cluster: Cluster, wishes: Wishes, objects: dict[Key, Obj]) -> list[Problem]:
    """Addresses and node ports that are out of range or somebody else's."""
    services = {key: obj for key, obj in objects.items() if key[0] == "Service"}
    ips, ports = held(services)
    found = []
    for key, obj in services.items():
        flaws = Flaws()
        check_allocation(flaws, Reader(obj, ""), cluster.settings, ips, ports, key)
        found += [wishes[key][0].problem(flaw.message, object_=describe(key), field=flaw.field) for flaw in flaws]
    return found
