"""Where a command that only asks gets its cluster: a stored one, or manifests without a database."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import msgspec
from django.core.management.base import CommandError

from clusterviz.cluster import models, services, snapshot
from clusterviz.cluster.management.database import ready_database
from clusterviz.cluster.management.paths import read_path
from clusterviz.engine import Cluster, EngineError, Settings
from clusterviz.engine.manifests.infer import infer
from clusterviz.engine.manifests.read import Document
from clusterviz.engine.objects import Key, Node, key_of
from clusterviz.engine.settings_check import KIND as SETTINGS_KIND

MOST_WARNINGS = 20


def add_cluster_arguments(parser: ArgumentParser) -> None:
    """The two options that say which cluster is meant."""
    parser.add_argument("--cluster", default="demo", metavar="NAME")
    parser.add_argument("--manifests", metavar="FILE|DIR|-", help="ask these manifests instead, without a database")


def asked_cluster(options: dict[str, Any], say: Callable[[str], object]) -> Cluster:
    """The cluster of `add_cluster_arguments`; a `CommandError` with status 2 says why there is none."""
    if options["manifests"]:
        return asked_manifests(options["manifests"], say)
    return asked_name(options["cluster"], say)


def asked_name(name: str, say: Callable[[str], object]) -> Cluster:
    """A stored cluster; a `CommandError` with status 2 where there is none."""
    ready_database(say)
    row = models.Cluster.objects.filter(name=name).first()
    if row is None:
        raise CommandError(f"there is no cluster {name!r}", returncode=2)
    settings = msgspec.convert(row.settings, Settings)
    return Cluster.from_objects(snapshot.load_objects(row), settings)


def asked_manifests(path: str, say: Callable[[str], object]) -> Cluster:
    """The cluster manifests describe; a `CommandError` with status 2 says why they describe none."""
    return asked_documents(path, say)[0]


def asked_documents(
    path: str, say: Callable[[str], object], *, calls: bool = False
) -> tuple[Cluster, dict[Key, Document]]:
    """The cluster of manifests, and where each object stands in them. ``calls``: with those they give away."""
    try:
        documents = services.read_files(read_path(path))
        known = {key_of(one.object) for one in documents}
        inferred = [one for one in infer(one.object for one in documents) if key_of(one) not in known] if calls else []
        cluster, warnings = services.ask_documents([*documents, *(Document(object=one) for one in inferred)])
    except services.Invalid as error:
        raise CommandError("\n".join(map(str, error.problems)), returncode=2) from None
    except EngineError as error:
        raise CommandError(str(error), returncode=2) from None
    warnings += [f"{notice.ref}: {notice.text}" if notice.ref else notice.text for notice in cluster.fill_warnings]
    for warning in warnings[:MOST_WARNINGS]:
        say(f"warning: {warning}")
    if len(warnings) > MOST_WARNINGS:
        say(f"warning: and {len(warnings) - MOST_WARNINGS} more")
    return cluster, {key_of(one.object): one for one in documents if one.object.get("kind") != SETTINGS_KIND}


def asked_node(cluster: Cluster, name: str) -> Node:
    """The node of that name; a `CommandError` with status 2 names those there are."""
    node = cluster.nodes.get(name)
    if node is None:
        known = ", ".join(cluster.nodes) or "none"
        raise CommandError(f"there is no node {name!r} (known: {known})", returncode=2)
    return node
