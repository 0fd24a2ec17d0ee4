"""`/openapi/v2` and `/openapi/v3`: what kubectl validates with and explains from."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import msgspec

from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.registry import GIT_VERSION, Registry
from clusterviz.kubeapi.status import no_such_path, not_allowed
from clusterviz.kubeapi.store import Store


def answer(request: Request, store: Store, path: tuple[str, ...]) -> Answer:
    """One of the documents. Raises 404, 405 or 406."""
    if request.method not in ("GET", "HEAD"):
        raise not_allowed()
    if not path or path[0] != "v3":
        raise no_such_path()
    if len(path) == 1:
        return Answer(
            {"paths": {_path(one): {"serverRelativeURL": _link(store, request, one)} for one in versions(store)}}
        )
    named = "/".join(path[1:])
    found = next((one for one in versions(store) if _path(one) == named), None)
    if found is None:
        raise no_such_path()
    return Answer(document(store, found))


def versions(store: Store) -> list[str]:
    """``v1``, ``apps/v1`` and so on."""
    groups: Registry = store.registry
    return [f"{group}/{one}" if group else one for group, found in groups.groups().items() for one in found]


def _path(version: str) -> str:
    return f"apis/{version}" if "/" in version else f"api/{version}"


def _link(store: Store, request: Request, version: str) -> str:
    digest = hashlib.blake2b(document(store, version), digest_size=16).hexdigest()
    return f"/k8s/{request.path[0]}/openapi/v3/{_path(version)}?hash={digest.upper()}"


def document(store: Store, version: str) -> bytes:
    """The document of a group version, encoded."""
    group, _, name = version.rpartition("/")
    kinds = store.registry.in_version(group, name)
    rows = tuple((one.plural, one.kind, one.namespaced) for one in kinds)
    return _document(group, name, rows)


@lru_cache(maxsize=64)
def _document(group: str, version: str, rows: tuple[tuple[str, str, bool], ...]) -> bytes:
    paths: dict[str, Any] = {}
    for plural, kind, namespaced in rows:
        paths |= _paths(group, version, plural, kind, namespaced=namespaced)
    info = {"title": "Kubernetes", "version": GIT_VERSION}
    return msgspec.json.encode({"openapi": "3.0.0", "info": info, "paths": paths})


def _paths(group: str, version: str, plural: str, kind: str, *, namespaced: bool) -> dict[str, Any]:
    """What may be done with an object of a kind; clients look for fieldValidation here."""
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    place = f"{root}/namespaces/{{namespace}}/{plural}" if namespaced else f"{root}/{plural}"
    marked = {"x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind}}
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    answers = {"responses": {"200": {"description": "OK"}}}
    writes = {
        method: {"parameters": parameters, "x-kubernetes-action": method, **answers, **marked}
        for method in ("put", "patch")
    }
    create = {"post": {"parameters": parameters, "x-kubernetes-action": "post", **answers, **marked}}
    return {place: create, f"{place}/{{name}}": writes}
