"""Create, update, patch, delete, and the sub-resources that write."""

from __future__ import annotations

import random
import string
import time
from typing import Any

from clusterviz.engine.controllers.priority import is_known, no_class
from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import WORKLOAD_KINDS, Obj
from clusterviz.kubeapi import logs, removing, scale, wishes
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.bodies import read_object
from clusterviz.kubeapi.checks import checked
from clusterviz.kubeapi.conversion import kept, retyped
from clusterviz.kubeapi.naming import key_for, shown
from clusterviz.kubeapi.patching import patched, remembered
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.session import Session, Target
from clusterviz.kubeapi.status import (
    Refusal,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_allowed,
    not_found,
)
from clusterviz.kubeapi.undress import undressed

# What the server says of an object; the cluster does not store it.
_SERVED = ("resourceVersion", "generation", "selfLink")
_ALPHABET = "".join(c for c in string.ascii_lowercase + string.digits if c not in "aeiou013l")
# Of these a person writes the status too: the addresses of a machine.
_STATUS_KEPT = frozenset({"Node"})


async def answer(request: Request, session: Session, target: Target, verb: str) -> Answer:
    """Answer a request that changes something."""
    dry = dry_run(request)
    match verb, target.sub:
        case ("create", "eviction"):
            return await removing.evict(request, session, target, dry_run=dry)
        case (_, sub) if sub in logs.WORDS:
            raise logs.no_processes(target.resource, target.name, sub)
        case ("create", ""):
            return await create(request, session, target, dry_run=dry)
        case ("delete", ""):
            return await removing.delete(request, session, target, dry_run=dry)
        case ("deletecollection", ""):
            return await removing.delete_collection(request, session, target, dry_run=dry)
        case ("update" | "patch", "" | "status" | "scale"):
            return await change(request, session, target, verb, dry_run=dry)
    raise not_allowed()


def dry_run(request: Request) -> bool:
    """Whether nothing shall be stored. Raises 422 for another word than All."""
    word = request.query.get("dryRun", "")
    if word not in ("", "All"):
        raise bad_request(f'dryRun: Unsupported value: "{word[:40]}": supported values: "All"')
    return word == "All"


async def create(request: Request, session: Session, target: Target, *, dry_run: bool) -> Answer:
    """POST to a collection."""
    resource, store = target.resource, session.store
    obj = placed(target, read_object(request))
    meta = obj["metadata"]
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = _generated(session, resource, target.namespace, str(meta["generateName"]))
    name = str(meta.get("name") or "")
    if not name:
        raise invalid(resource, "", [_required("metadata.name", "name or generateName is required")])
    if store.find(resource, target.namespace, name) is not None:
        raise already_exists(resource, name)
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    check_namespace(session, target, name)
    check_priority(session, target, name, obj)
    obj, warnings = checked(request, session, resource, obj)
    if "status" in resource.subresources and resource.stored not in _STATUS_KEPT:
        obj.pop("status", None)
    obj = remembered(request, resource, None, obj)
    return await stored(session, target, name, obj, code=201, dry_run=dry_run, warnings=warnings)


async def change(request: Request, session: Session, target: Target, verb: str, *, dry_run: bool) -> Answer:
    """PUT or PATCH of an object or of its status or scale."""
    resource = target.resource
    before = session.store.find(resource, target.namespace, target.name)
    if before is None:
        if verb == "patch" and request.media == "application/apply-patch+yaml" and not target.sub:
            return await create_applied(request, session, target, dry_run=dry_run)
        raise not_found(resource, target.name)
    if target.sub == "scale":
        return await _scale(request, session, target, before, verb, dry_run=dry_run)
    if verb == "update":
        after = placed(target, read_object(request))
        after["metadata"].setdefault("name", target.name)
    else:
        after = placed(target, patched(request, session, resource, before))
    after = retyped(resource, before, _allowed(target, before, after))
    after, warnings = checked(request, session, resource, after)
    after = _parts(target, before, after)
    if request.media != "application/apply-patch+yaml":
        after = remembered(request, resource, before, after, sub=target.sub)
    if _same(before, after):
        return Answer(before, headers=_warned(warnings))
    return await stored(session, target, target.name, after, code=200, dry_run=dry_run, warnings=warnings)


async def create_applied(request: Request, session: Session, target: Target, *, dry_run: bool) -> Answer:
    """Server-side apply of an object that is not there yet."""
    check_namespace(session, target, target.name)
    obj = placed(target, patched(request, session, target.resource, None))
    obj["metadata"].setdefault("name", target.name)
    check_priority(session, target, target.name, obj)
    obj, warnings = checked(request, session, target.resource, obj)
    return await stored(session, target, target.name, obj, code=201, dry_run=dry_run, warnings=warnings)


def placed(target: Target, obj: Obj) -> Obj:
    """A copy that says kind, version and namespace as the path does. Raises 400 where they differ."""
    resource = target.resource
    for field, right in (("kind", resource.kind), ("apiVersion", resource.api_version)):
        if obj.get(field, right) != right:
            raise bad_request(
                f"the object provided has {field} {str(obj[field])[:100]!r}, and this address expects {right!r}"
            )
    meta = obj.get("metadata")
    if meta is not None and not isinstance(meta, dict):
        raise bad_request("metadata must be an object")
    meta = dict(meta or {})
    given = meta.get("namespace")
    if resource.namespaced:
        if given and given != target.namespace:
            raise bad_request(
                f"the namespace of the provided object does not match the namespace sent on the request: "
                f"{str(given)[:100]!r} and {target.namespace!r}"
            )
        meta["namespace"] = target.namespace
    else:
        meta.pop("namespace", None)
    name = meta.get("name")
    if target.name and name and name != target.name:
        raise bad_request(
            f"the name of the object ({str(name)[:100]}) does not match the name on the URL ({target.name})"
        )
    return {**obj, "kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}


def check_namespace(session: Session, target: Target, name: str) -> None:
    """Things are made in namespaces that exist and stay. Raises 404 or 403."""
    if not target.resource.namespaced:
        return
    spaces = session.store.registry.find("", "v1", "namespaces")
    assert spaces is not None
    space = session.store.find(spaces, "", target.namespace)
    if space is None:
        raise not_found(spaces, target.namespace)
    if space["metadata"].get("deletionTimestamp"):
        words = f"unable to create new content in namespace {target.namespace} because it is being terminated"
        raise forbidden(target.resource, name, words)


def check_priority(session: Session, target: Target, name: str, obj: Obj) -> None:
    """A pod's PriorityClass must be there. Raises 403 in the words of the Priority admission plugin."""
    spec = obj.get("spec")
    wanted = spec.get("priorityClassName") if target.resource.stored == "Pod" and isinstance(spec, dict) else None
    if wanted and isinstance(wanted, str):
        classes = session.store.registry.find("scheduling.k8s.io", "v1", "priorityclasses")
        assert classes is not None
        if not is_known(wanted, session.store.find(classes, "", wanted)):
            raise forbidden(target.resource, name, no_class(wanted[:253]))


def _generated(session: Session, resource: Resource, namespace: str, prefix: str) -> str:
    for _ in range(8):
        name = prefix[:58] + "".join(random.choices(_ALPHABET, k=5))  # noqa: S311 - a name, not a secret
        if session.store.find(resource, namespace, name) is None:
            return name
    raise already_exists(resource, prefix)


def _required(field: str, why: str) -> dict[str, str]:
    return {"reason": "FieldValueRequired", "message": f"Required value: {why}", "field": field}


def _allowed(target: Target, before: Obj, after: Obj) -> Obj:
    """The object a write builds on must be the present one. Raises 409."""
    meta = after["metadata"]
    meta.setdefault("name", target.name)
    present = before["metadata"]
    if meta.get("resourceVersion") and str(meta["resourceVersion"]) != present["resourceVersion"]:
        raise conflict(target.resource, target.name)
    if meta.get("uid") and meta["uid"] != present["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {present['uid']}"
        raise conflict(target.resource, target.name, why)
    return after


def _parts(target: Target, before: Obj, after: Obj) -> Obj:
    """A write of the status changes nothing else, and any other write leaves the status alone."""
    if target.sub == "status":
        kept = {**before, "metadata": {**before["metadata"]}}
        for field in ("labels", "annotations"):
            if field in after["metadata"]:
                kept["metadata"][field] = after["metadata"][field]
        return {**kept, "status": after.get("status") or {}}
    if "status" in target.resource.subresources:
        after = {name: value for name, value in after.items() if name != "status"}
        if "status" in before:
            after["status"] = before["status"]
    meta = after["metadata"]
    for field in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        meta.pop(field, None)
        if field in before["metadata"]:
            meta[field] = before["metadata"][field]
    return after


def _same(before: Obj, after: Obj) -> bool:
    def bare(obj: Obj) -> Obj:
        meta = {
            name: value
            for name, value in obj["metadata"].items()
            if name not in (*_SERVED, "managedFields") and value not in (None, {}, [])
        }
        return {**{name: value for name, value in obj.items() if value not in (None, {})}, "metadata": meta}

    def managers(obj: Obj) -> list[Any]:
        entries = obj["metadata"].get("managedFields") or []
        return [{name: value for name, value in one.items() if name != "time"} for one in entries]

    return bare(before) == bare(after) and managers(before) == managers(after)


async def stored(
    session: Session,
    target: Target,
    name: str,
    obj: Obj,
    *,
    code: int,
    dry_run: bool,
    warnings: list[str],
) -> Answer:
    """Hand the object to the one write path and answer what became of it."""
    resource, store = target.resource, session.store
    key = key_for(resource, target.namespace, name)
    raw = store.raw(key)
    obj = kept(resource, obj, raw)
    if raw is not None:
        obj = undressed(raw, store.dress(key, raw), obj)
    wish = stripped(session, resource, obj)
    if key[1] == "default" and not resource.namespaced:
        wish["metadata"]["namespace"] = "default"
    try:
        found = await session.write(
            lambda: wishes.apply(
                session.keeper.identity, resource, name, [wish], actor=f"kubectl ({session.role})", dry_run=dry_run
            )
        )
    except wishes.GoneError:
        raise not_found(resource, name) from None
    headers = _warned([*warnings, *found])
    if dry_run:
        meta = {"creationTimestamp": timestamp(time.time()), **wish["metadata"]}
        status = {"status": raw["status"]} if raw is not None and "status" in raw else {}
        answer = shown(resource, store.dress(key, {**status, **wish, "metadata": meta}))
        return Answer(answer, code, headers=headers)
    made = store.find(resource, target.namespace, name)
    if made is None and wish["metadata"].get("deletionTimestamp"):
        return Answer(shown(resource, store.dress(key, wish)), code, headers=headers)  # its last finalizer is gone
    if made is None:
        raise Refusal(500, "InternalError", f"{resource.qualified} {name!r} was stored and is gone again")
    return Answer(made, code, headers=headers)


def stripped(session: Session, resource: Resource, obj: Obj) -> Obj:
    """Without what only the server says."""
    meta = {name: value for name, value in obj["metadata"].items() if name not in _SERVED and value is not None}
    if resource.stored in WORKLOAD_KINDS:
        # Their status is the controllers'; the write path keeps it.
        obj = {name: value for name, value in obj.items() if name != "status"}
    namespace = str(meta.get("namespace") or "")
    before = session.store.raw(key_for(resource, namespace, str(meta.get("name"))))
    if before is None or not before["metadata"].get("uid"):
        meta.pop("uid", None)
    if owners := meta.get("ownerReferences"):
        meta["ownerReferences"] = [session.store.owner_as_stored(namespace, owner) for owner in owners]
    return {**obj, "metadata": meta}


def _warned(warnings: list[str]) -> tuple[tuple[str, str], ...]:
    """Warning headers, which kubectl prints; quoted as RFC 7234 wants."""
    found = []
    for text in dict.fromkeys(warnings[:20]):
        plain = " ".join(text.split())[:256].replace("\\", "\\\\").replace('"', '\\"')
        found.append(("Warning", f'299 - "{plain}"'))
    return tuple(found)


async def _scale(
    request: Request, session: Session, target: Target, before: Obj, verb: str, *, dry_run: bool
) -> Answer:
    resource = target.resource
    present = scale.scale_of(resource, before)
    wanted = read_object(request) if verb == "update" else patched(request, session, None, present)
    version = (wanted.get("metadata") or {}).get("resourceVersion")
    if version and str(version) != before["metadata"]["resourceVersion"]:
        raise conflict(resource, target.name)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        cause = {
            "reason": "FieldValueInvalid",
            "message": f"Invalid value: {replicas!r}: must be greater than or equal to 0",
            "field": "spec.replicas",
        }
        raise invalid(resource, target.name, [cause])
    after = scale.with_replicas(resource, before, replicas)
    after = remembered(request, resource, before, after, sub="scale")
    whole = Target(resource=resource, namespace=target.namespace, name=target.name)
    found = await stored(session, whole, target.name, after, code=200, dry_run=dry_run, warnings=[])
    return Answer(scale.scale_of(resource, found.body), headers=found.headers)
