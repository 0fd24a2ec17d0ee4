"""What commands on a real machine would show of a selected object, cut to what a browser should get."""

from __future__ import annotations

from typing import Any

import msgspec

from clusterviz.engine import Cluster
from clusterviz.engine.nodeview import Text, node_texts, pod_texts, service_texts
from clusterviz.live.refs import key_of_ref

# With more Services a node's rules are only written one Service at a time: all of them are tens of megabytes.
MOST_SERVICES = 1000
LONGEST = 400_000


class UnknownNodeError(LookupError):
    """The node that was asked for is not there; the message says which there are."""


def has_texts(cluster: Cluster, ref: str) -> bool:
    """Whether the object is a node, a pod or a Service of the cluster."""
    key = key_of_ref(ref)
    return key is not None and key[0] in ("Node", "Pod", "Service") and key in cluster.objects


def texts_of(cluster: Cluster, ref: str, node: str) -> list[dict[str, Any]]:
    """The texts of a node, a pod, or a Service on ``node`` ("": its names alone), as plain data.

    ``ref`` is one that `has_texts`. Raises `UnknownNodeError`.
    """
    kind, _, name = ref.partition(":")
    namespace, _, plain = name.partition("/")
    if kind == "node":
        found = node_texts(cluster, cluster.nodes[name], rules=len(cluster.services) <= MOST_SERVICES)
        command = f"manage.py nodeview {name}"
    elif kind == "pod":
        found = pod_texts(cluster, cluster.pods[namespace, plain])
        command = f"manage.py nodeview {name}"
    else:
        here = cluster.nodes.get(node)
        if node and here is None:
            raise UnknownNodeError(f"There is no node {node[:200]!r}.")
        found = service_texts(cluster, cluster.services[namespace, plain], here)
        command = f"manage.py nodeview {ref}{f' --node {node}' if node else ''}"
    texts: list[dict[str, Any]] = msgspec.to_builtins([shortened(text, command) for text in found])
    return texts


def shortened(text: Text, command: str) -> Text:
    """The text, or its beginning up to a whole line with a last line that says what is missing and who prints it."""
    if len(text.text) <= LONGEST:
        return text
    lines = text.text.splitlines()
    kept = text.text[:LONGEST].rpartition("\n")[0]
    count = kept.count("\n") + 1
    last = f"# {count:,} of {len(lines):,} lines; all of them: python {command} --what {text.id}"
    return msgspec.structs.replace(text, text=f"{kept}\n{last}\n")
