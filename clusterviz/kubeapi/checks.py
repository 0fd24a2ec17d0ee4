"""What the published schema and fieldValidation say of an object before anything else looks at it."""

from __future__ import annotations

from clusterviz.cluster import custom
from clusterviz.engine.objects import Obj
from clusterviz.engine.validation import Flaw
from clusterviz.kubeapi import schemas
from clusterviz.kubeapi.asgi import Request
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.schema import ANY, duplicate_fields, strict_error, type_error, unknown_fields, validate
from clusterviz.kubeapi.session import Session
from clusterviz.kubeapi.status import bad_request, invalid
from clusterviz.kubeapi.wishes import reason_of

# Kept, and a person would expect them to act.
_NOTHING = "is kept as it is: nothing in ClusterViz"
_INERT = {
    "HorizontalPodAutoscaler": f"{_NOTHING} measures pods or scales by it",
    "LimitRange": f"{_NOTHING} enforces it",
    "MutatingWebhookConfiguration": f"{_NOTHING} calls webhooks",
    "ResourceQuota": f"{_NOTHING} counts or enforces it",
    "ValidatingAdmissionPolicy": f"{_NOTHING} enforces it",
    "ValidatingWebhookConfiguration": f"{_NOTHING} calls webhooks",
}
MODES = ("Ignore", "Warn", "Strict")


def checked(request: Request, session: Session, resource: Resource, obj: Obj) -> tuple[Obj, list[str]]:
    """The object, a custom one cut to its schema, and warnings.

    Unknown fields are refused when they are forbidden. Raises 400 or 422.
    """
    mode = request.query.get("fieldValidation") or "Warn"
    if mode not in MODES:
        raise bad_request(f"fieldValidation: Unsupported value: {mode[:40]!r}: supported values: {', '.join(MODES)}")
    place = schemas.walker(session.store, resource)
    decoding = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
    words = [] if mode == "Ignore" else unknown_fields(obj, place)
    if mode != "Ignore" and request.method != "PATCH" and request.media == "application/json":
        words = [*duplicate_fields(request.body), *words]
    if words and mode == "Strict":
        raise bad_request(decoding + strict_error(words))
    if resource.defined:
        obj, flaws = _custom(session, resource, obj)
    elif wrong := type_error(obj, place):
        raise bad_request(decoding + wrong)
    else:
        flaws = validate(obj, place)
    if flaws:
        causes = [{"reason": reason_of(one.message), "message": one.message, "field": one.field} for one in flaws]
        raise invalid(resource, str(obj["metadata"].get("name") or ""), causes)
    if not resource.custom and request.method == "POST" and (inert := _INERT.get(resource.kind)):
        words.append(f"{resource.kind} {obj['metadata'].get('name', '')} {inert}")
    return obj, words


def _custom(session: Session, resource: Resource, obj: Obj) -> tuple[Obj, list[Flaw]]:
    """An object of a kind that a definition describes; the engine checks what it knows by rules of its own.

    What has a sub-resource for its status says it there.
    """
    schema = schemas.custom_schema(session.store, resource)
    if schema is None or schemas.walker(session.store, resource) is ANY:
        return obj, []
    obj = custom.shaped(obj, schema)
    hidden = "status" if "status" in resource.subresources else ""
    return obj, custom.flaws({name: value for name, value in obj.items() if name != hidden}, schema)
