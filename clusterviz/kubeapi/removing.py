"""Delete, delete collection, and eviction, which asks the PodDisruptionBudgets first."""

from __future__ import annotations

from functools import partial
from typing import Any

from clusterviz.engine.controllers.disruption import evict as allowed_evictions
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, Obj
from clusterviz.kubeapi import listing, wishes
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.bodies import read_object
from clusterviz.kubeapi.naming import key_for, owner_key
from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.session import Session, Target
from clusterviz.kubeapi.status import Refusal, bad_request, conflict, not_found, success

# Others write between two parts of a collection, and the simulator takes each in within a moment.
AT_ONCE = 500
POLICIES = ("Background", "Foreground", "Orphan")


def options(request: Request) -> dict[str, Any]:
    """DeleteOptions of the body and the query. Raises 400."""
    found = read_object(request) if request.body else {}
    if policy := request.query.get("propagationPolicy"):
        found["propagationPolicy"] = policy
    policy = found.get("propagationPolicy") or "Background"
    if policy not in POLICIES:
        raise bad_request(
            f"propagationPolicy: Unsupported value: {str(policy)[:40]!r}: supported values: {', '.join(POLICIES)}"
        )
    grace = request.query.get("gracePeriodSeconds", found.get("gracePeriodSeconds"))
    if grace is not None:
        if not str(grace).isdecimal() or len(str(grace)) > 9:
            raise bad_request(f"gracePeriodSeconds: Invalid value: {str(grace)[:40]!r}: must be a whole number from 0")
        found["gracePeriodSeconds"] = int(grace)
    return found


def wants_dry_run(found: dict[str, Any], *, dry_run: bool) -> bool:
    """In the query or in the body."""
    return dry_run or found.get("dryRun") == ["All"]


async def delete(request: Request, session: Session, target: Target, *, dry_run: bool) -> Answer:
    """Delete one object; a pod takes leave first, so the answer is the pod."""
    resource, found = target.resource, options(request)
    obj = session.store.find(resource, target.namespace, target.name)
    if obj is None:
        raise not_found(resource, target.name)
    for field, given in (found.get("preconditions") or {}).items():
        if given and str(given) != str(obj["metadata"].get(field)):
            why = f"Precondition failed: {field} in precondition: {given}, in object meta: {obj['metadata'].get(field)}"
            raise conflict(resource, target.name, why)
    if wants_dry_run(found, dry_run=dry_run):
        return Answer(success(resource, target.name, obj["metadata"]["uid"]))
    await remove(session, resource, [obj], found)
    left = session.store.find(resource, target.namespace, target.name)
    if left is not None and left["metadata"].get("deletionTimestamp"):
        return Answer(left)
    return Answer(success(resource, target.name, obj["metadata"]["uid"]))


async def delete_collection(request: Request, session: Session, target: Target, *, dry_run: bool) -> Answer:
    """Delete what the selectors choose."""
    resource, found = target.resource, options(request)
    objects = await listing.matching(request, session.store, target)
    if objects and not wants_dry_run(found, dry_run=dry_run):
        await remove(session, resource, objects, found)
    body = {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(session.store.head)},
        "items": objects,
    }
    return Answer(body)


async def remove(session: Session, resource: Resource, objects: list[Obj], found: dict[str, Any]) -> None:
    """Ask the one write path to delete objects."""
    keys = [
        key_for(resource, str(obj["metadata"].get("namespace") or ""), str(obj["metadata"]["name"])) for obj in objects
    ]
    if resource.kind == "CustomResourceDefinition":  # and all that it defined
        keys += [key for obj in objects for key in session.store.instances(obj)]
    keys = session.store.stand_again(keys)
    if not keys:
        return
    policy = found.get("propagationPolicy")
    orphans = orphaned(session, keys) if policy == "Orphan" else None
    wish = partial(
        wishes.delete,
        session.keeper.identity,
        actor=f"kubectl ({session.role})",
        resource=resource,
        grace=found.get("gracePeriodSeconds"),
        orphans=orphans,
        foreground=policy == "Foreground",
    )
    step = len(keys) if orphans else AT_ONCE
    for start in range(0, len(keys), step):
        part = keys[start : start + step]
        try:
            await session.write(wish, part)
        except wishes.GoneError:
            raise not_found(resource, part[0][2]) from None


def orphaned(session: Session, keys: list[Key]) -> list[Obj]:
    """Dependants of what is deleted, without their owner."""
    gone = set(keys)
    found = []
    for key, obj in session.store.cluster.objects.items():
        owners = obj["metadata"].get("ownerReferences") or []
        left = [one for one in owners if owner_key(key[1], one) not in gone]
        if len(left) != len(owners):
            meta = {name: value for name, value in obj["metadata"].items() if name != "ownerReferences"}
            found.append({**obj, "metadata": {**meta, **({"ownerReferences": left} if left else {})}})
    return found


async def evict(request: Request, session: Session, target: Target, *, dry_run: bool) -> Answer:
    """POST of an Eviction: 429 while a PodDisruptionBudget forbids it."""
    resource, store = target.resource, session.store
    body = read_object(request)
    pod = store.find(resource, target.namespace, target.name)
    if pod is None:
        raise not_found(resource, target.name)
    found = body.get("deleteOptions") if isinstance(body.get("deleteOptions"), dict) else {}
    assert isinstance(found, dict)
    async with store.evictions:
        going, refused = allowed_evictions(_budgeted(store.cluster.objects), [pod])
        if refused and not pod["metadata"].get("deletionTimestamp"):
            raise _too_many(refused[0][1])
        if going and not wants_dry_run(found, dry_run=dry_run):
            await remove(session, resource, [pod], found)
    return Answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _budgeted(objects: Any) -> dict[Key, Obj]:
    kinds = {"PodDisruptionBudget", "Pod", *WORKLOAD_KINDS}
    if not any(key[0] == "PodDisruptionBudget" for key in objects):
        return {}
    return {key: obj for key, obj in objects.items() if key[0] in kinds}


def _too_many(why: str) -> Refusal:
    # Without a Retry-After: kubectl would wait and try again ten times before it says a word.
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    causes = [{"reason": "DisruptionBudget", "message": why}]
    return Refusal(429, "TooManyRequests", message, details={"causes": causes})
