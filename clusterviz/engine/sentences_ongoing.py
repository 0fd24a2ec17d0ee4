"""Sentences about packets of connections that are open: novice, operator."""

from __future__ import annotations

ONGOING: dict[str, tuple[str, str]] = {
    "translated_on": (
        "Node {node} remembers this connection to {service}: {old} becomes {new}, as for its first packet.",
        "conntrack entry on {node}: DNAT {old} -> {new}; no rule of kube-proxy is asked again.",
    ),
    "policy_spares": (
        "This connection is open already: policies looked at its first packet only.",
        "{way} of {pod}, isolated by {policies}: conntrack state established is accepted first.",
    ),
    "proxied_on": (
        "The {proxy} reads this request by the rules of now, and sends it over the connection it has open to {target}.",
        "Keepalive connection {source} -> {target}; X-Forwarded-For: {client}.",
    ),
    "connection_unknown": (
        "Nobody at this address knows the connection any more: {why}.",
        "No socket for the connection, RST: {why}.",
    ),
    "session_followed": (
        "Node {node} knows this connection and lets the packet pass.",
        "conntrack hit on {node} ({nat}), established.",
    ),
}
