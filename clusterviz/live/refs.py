"""Picture ids -> keys of objects."""

from __future__ import annotations

from clusterviz.engine.objects import WORKLOAD_KINDS, Key

KINDS = {
    "pod": "Pod",
    "node": "Node",
    "service": "Service",
    "ingress": "Ingress",
    "gateway": "Gateway",
    "policy": "NetworkPolicy",
    "flow": "TrafficFlow",
    "namespace": "Namespace",
}


def key_of_ref(ref: str) -> Key | None:
    """The key behind a picture id, None for what has no object (the wire, the Internet ...)."""
    kind, _, rest = ref.partition(":")
    parts = rest.split("/")
    if kind == "workload" and len(parts) == 3 and parts[0] in WORKLOAD_KINDS:
        return parts[0], parts[1], parts[2]
    if kind in ("node", "namespace") and len(parts) == 1:
        return KINDS[kind], "", rest
    if kind in KINDS and len(parts) == 2:
        return KINDS[kind], parts[0], parts[1]
    return None
