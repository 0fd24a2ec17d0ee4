"""The cluster somebody asks about, as one JSON document: run as the person who owns it, not as root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import django
import msgspec
from django.core.management.base import CommandError

from clusterviz.engine import Cluster, Settings


class GivenError(Exception):
    """There is no such cluster; the message says why."""


def given(cluster: str, manifests: str) -> Cluster:
    """A stored cluster, or one of manifests. Raises `GivenError`."""
    who: dict[str, Any] = {}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID"):
        # the database and its log must stay files of the person who called sudo
        who = {"user": int(os.environ["SUDO_UID"]), "group": int(os.environ["SUDO_GID"]), "extra_groups": []}
    words = [sys.executable, "-m", "tests.kernel.given", cluster, manifests]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, **who)
    if done.returncode:
        raise GivenError(done.stderr.strip())
    document = json.loads(done.stdout)
    return Cluster.from_objects(document["objects"], msgspec.convert(document["settings"], Settings))


def main(cluster: str, manifests: str) -> None:
    """Print the objects and settings; the demo is there before anybody has run the dashboard."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clusterviz.settings")
    django.setup()
    from clusterviz.cluster import demo
    from clusterviz.cluster.management.ask import asked_cluster

    def ask(folder: str) -> Cluster:
        return asked_cluster({"cluster": cluster, "manifests": folder}, lambda _: None)

    try:
        found = ask(manifests)
    except CommandError as error:
        if manifests or cluster != "demo":
            sys.exit(str(error))
        found = ask(str(Path(demo.__file__).parent))
    settings = msgspec.to_builtins(found.settings)
    sys.stdout.write(json.dumps({"objects": list(found.objects.values()), "settings": settings}))


if __name__ == "__main__":
    main(*sys.argv[1:])
