"""Calls of the application, declared or read from its manifests, that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.draws import fates
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.lint.finding import Finding
from clusterviz.engine.manifests.infer import INFERRED_FROM
from clusterviz.engine.objects import Key
from clusterviz.engine.traffic import FLOW, Flow
from clusterviz.engine.verdicts import VERDICTS

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def calls(cluster: Cluster) -> Iterator[Finding]:
    """One finding a TrafficFlow that some sender cannot make, with what becomes of it."""
    for key in sorted(key for key in cluster.objects if key[0] == FLOW):
        flow = Flow(key, cluster.objects[key])
        text = _failure(cluster, flow) if flow.destination else ""
        if not text:
            continue
        caller = _caller(flow)
        why = (flow.obj["metadata"].get("annotations") or {}).get(INFERRED_FROM)
        if why and caller in cluster.objects:
            yield Finding(code="call-fails", key=caller, text=f"{text} Read from {why}.")
        else:
            yield Finding(code="call-fails", key=key, field="spec.to", text=text)


def _caller(flow: Flow) -> Key:
    origin = flow.origin
    return str(origin.get("kind")), str(origin.get("namespace") or flow.key[1]), str(origin.get("name"))


def _failure(cluster: Cluster, flow: Flow) -> str:
    for source in flow.sources(cluster):
        try:
            bad = [one for one in fates(cluster, flow.probe(cluster, source, 0)) if not one.success]
        except ProbeError as error:
            return f"It cannot be asked: {error}."
        if bad:
            who = f"{source.namespace}/{source.name}" if source.namespace else "the Internet"
            target = flow.obj["spec"]["to"]
            by = f" ({bad[0].by})" if bad[0].by else ""
            what = VERDICTS[bad[0].verdict.value]
            return f"From {who} to {target.get('host')}:{target.get('port')}: {bad[0].verdict.value}: {what}{by}."
    return ""
