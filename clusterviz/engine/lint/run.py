"""All findings about a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterviz.engine.lint.calls import calls
from clusterviz.engine.lint.entries import ingresses
from clusterviz.engine.lint.finding import CODES, SEVERITIES, Finding
from clusterviz.engine.lint.policies import policies
from clusterviz.engine.lint.services import services
from clusterviz.engine.objects import ref_of

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

#: Pods of a cluster that is looked through while somebody waits for a page: more takes a minute.
WHILE_WAITING = 500


def lint(cluster: Cluster) -> list[Finding]:
    """Everything legal and useless, worst first, then by object.

    What the snapshot had to assume (`Cluster.fill_warnings`) is not about the author's objects and stays out.
    """
    keys = {ref_of(key): key for key in cluster.objects}
    found = [
        Finding(code=one.code, key=keys.get(one.ref, ()), text=one.text)
        for one in cluster.warnings
        if one.code in CODES
    ]
    for look in (services, policies, ingresses, calls):
        found += look(cluster)
    return sorted(
        set(found), key=lambda one: (SEVERITIES.index(one.severity), one.object, one.field, one.code, one.text)
    )
