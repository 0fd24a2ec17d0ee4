"""Which of the four patches a request is, and who manages the fields it writes."""

from __future__ import annotations

import time
from typing import Any

from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import Obj
from clusterviz.kubeapi import schemas
from clusterviz.kubeapi.asgi import Request
from clusterviz.kubeapi.bodies import from_json, from_yaml
from clusterviz.kubeapi.patch import (
    ApplyConflict,
    PatchError,
    json_patch,
    managed,
    merge_patch,
    server_side_apply,
    strategic_merge,
)
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.schema import schema_for
from clusterviz.kubeapi.session import Session
from clusterviz.kubeapi.status import Refusal, bad_request, fields_conflict, unsupported

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_SCALE = ("autoscaling", "v1", "Scale")


def patched(request: Request, session: Session, resource: Resource | None, before: Obj | None) -> Obj:
    """The object after the patch in the body; ``resource`` None means a Scale, ``before`` None that there is none.

    Raises 400, 409, 415 or 422.
    """
    media = request.media
    try:
        if media == APPLY and resource is not None:
            return _applied(request, session, resource, before)
        assert before is not None
        body = from_json(request.body)
        if media == JSON:
            found = json_patch(before, body)
        elif media == MERGE:
            found = merge_patch(before, body)
        elif media == STRATEGIC and resource is not None and resource.defined:
            raise unsupported(media, (JSON, MERGE, APPLY))
        elif media == STRATEGIC:
            place = schema_for(_SCALE) if resource is None else schemas.walker(session.store, resource)
            found = strategic_merge(before, body, place)
        else:
            raise unsupported(media, (JSON, MERGE, STRATEGIC, APPLY))
    except PatchError as error:
        raise refused(error) from None
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        raise Refusal(422, "Invalid", "the patch leaves no object with metadata")
    return found


def _applied(request: Request, session: Session, resource: Resource, before: Obj | None) -> Obj:
    """Server-side apply."""
    manager = request.query.get("fieldManager")
    if not manager:
        raise bad_request(
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
        )
    wish = from_yaml(request.body)
    if not isinstance(wish, dict):
        raise bad_request("the body must be an object")
    try:
        found, owners = server_side_apply(
            before,
            wish,
            manager[:128],
            request.flag("force"),
            schemas.walker(session.store, resource),
            now=timestamp(time.time()),
        )
    except ApplyConflict as error:
        causes = [
            {"reason": "FieldManagerConflict", "message": one.message, "field": one.field} for one in error.conflicts
        ]
        raise fields_conflict(str(error), causes) from None
    return {**found, "metadata": {**found["metadata"], "managedFields": owners}}


def remembered(request: Request, resource: Resource, before: Obj | None, after: Obj, sub: str = "") -> Obj:
    """The object with its managedFields after an ordinary write."""
    try:
        owners = managed.update(
            before,
            after,
            request.manager,
            schema_for(schemas.gvk(resource)),
            now=timestamp(time.time()),
            subresource=sub,
        )
    except PatchError as error:
        raise refused(error) from None
    meta: dict[str, Any] = {name: value for name, value in after["metadata"].items() if name != "managedFields"}
    if owners:
        meta["managedFields"] = owners
    return {**after, "metadata": meta}


def refused(error: PatchError) -> Refusal:
    """A patch that cannot be carried out."""
    code = {"Invalid": 422, "RequestEntityTooLarge": 413}.get(error.reason, 400)
    return Refusal(code, error.reason, str(error))
