"""Gateway API (GW): which route takes an HTTP request, and what the gateway does with it. Pure.

Ask it alone: `match_http(cluster, gateway, request)` and `attachments(cluster)`. Both work on partial
objects; what was taken for granted is in the answer's ``assumptions``.
"""

from clusterviz.engine.gateway.answer import Backend, Forwarded, GatewayAnswer, Redirect
from clusterviz.engine.gateway.attach import Attachment, attachments
from clusterviz.engine.gateway.http import match_http
from clusterviz.engine.gateway.objects import Gateway, GatewayClass, HTTPRoute, ReferenceGrant

__all__ = [
    "Attachment",
    "Backend",
    "Forwarded",
    "Gateway",
    "GatewayAnswer",
    "GatewayClass",
    "HTTPRoute",
    "Redirect",
    "ReferenceGrant",
    "attachments",
    "match_http",
]
