"""From a path to an answer: who asks, about what, and may they."""

from __future__ import annotations

import msgspec

from clusterviz.kubeapi import discovery, logs, published, reading, reviews, tokens, writing
from clusterviz.kubeapi.asgi import Answer, Request
from clusterviz.kubeapi.registry import REVIEWS, Resource
from clusterviz.kubeapi.session import Session, Target
from clusterviz.kubeapi.status import Refusal, forbidden, no_such_path, not_allowed, not_simulated, unavailable
from clusterviz.kubeapi.store import Store
from clusterviz.kubeapi.stores import store_of
from clusterviz.live import instance

_ROOTS = ("/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version")
# What kube-apiserver says whenever somebody asks for these.
_DEPRECATED = {
    ("", "v1", "Endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


async def handle(request: Request) -> Answer:
    """Answer one request. Raises `Refusal`."""
    session = await open_session(request)
    path = request.path[1:]
    match path:
        case ():
            return Answer({"paths": list(_ROOTS)})
        case ("version",):
            return Answer(discovery.VERSION)
        case ("healthz" | "livez" | "readyz", *_):
            return Answer(b"ok", media="text/plain; charset=utf-8")
        case ("openapi", *rest):
            return await published.answer(request, session.store, tuple(rest))
        case ("api" | "apis",):
            return roots(request, session.store, core=path == ("api",))
        case ("apis", group):
            found = discovery.group(session.store.registry, group)
        case ("api", version):
            found = discovery.resource_list(session.store.registry, "", version)
        case ("apis", group, version):
            found = discovery.resource_list(session.store.registry, group, version)
        case ("api", version, *rest):
            return await resource(request, session, "", version, rest)
        case ("apis", group, version, *rest):
            return await resource(request, session, group, version, rest)
        case _:
            found = None
    if found is None:
        raise no_such_path()
    return Answer(found)


async def open_session(request: Request) -> Session:
    """The cluster and role behind the token. Raises 401, or 503 while the cluster is loading."""
    claim = tokens.read(request.path[0]) if request.path else None
    refused = Refusal(401, "Unauthorized", "Unauthorized: this address is not (or no longer) one of a kubeconfig")
    if claim is None:
        raise refused
    live = instance.current()
    if not await live.crew.ensure(claim.cluster):
        raise refused
    keeper = live.crew.keepers[claim.cluster]
    if not tokens.proven(claim, keeper.identity, keeper.grants):
        raise refused
    store = await store_of(keeper)
    if store is None:
        raise unavailable(f"{keeper.loading or 'the cluster is loading'}: try again soon")
    return Session(claim=claim, keeper=keeper, store=store, live=live)


def roots(request: Request, store: Store, *, core: bool) -> Answer:
    """``/api`` and ``/apis``, aggregated for clients that know it."""
    if request.method not in ("GET", "HEAD"):
        raise not_allowed()
    if version := discovery.wants_aggregated(request.accept):
        document = discovery.aggregated(store.registry, core=core, version=version)
        return Answer(document, media=discovery.AGGREGATED.format(version), headers=(("Vary", "Accept"),))
    return Answer(discovery.api_versions() if core else discovery.group_list(store.registry))


async def resource(request: Request, session: Session, group: str, version: str, rest: list[str]) -> Answer:
    """A request about objects."""
    if (kind := REVIEWS.get((f"{group}/{version}", rest[0]))) and len(rest) == 1:
        return reviews.answer(request, session, kind)
    target = locate(session.store, group, version, rest)
    verb = verb_of(request, target)
    permit(session, target, verb)
    if verb not in target.resource.verbs:
        raise not_simulated(target.resource)
    done = reading.answer if verb in ("get", "list", "watch") else writing.answer
    found = await done(request, session, target, verb)
    if (old := _DEPRECATED.get((group, version, target.resource.kind))) is None:
        return found
    return msgspec.structs.replace(found, headers=(*found.headers, ("Warning", f'299 - "{old}"')))


def locate(store: Store, group: str, version: str, rest: list[str]) -> Target:
    """Which objects a path means. Raises 404."""
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    found = store.registry.find(group, version, rest[0])
    if found is None or (namespace and not found.namespaced):
        raise no_such_path()
    name = rest[1] if len(rest) > 1 else ""
    sub = rest[2] if len(rest) > 2 else ""
    if (sub and sub not in found.subresources) or (len(rest) > 3) or (name and found.namespaced and not namespace):
        raise no_such_path()
    return Target(resource=found, namespace=namespace, name=name, sub=sub)


def verb_of(request: Request, target: Target) -> str:
    """What Kubernetes calls the request."""
    if request.method in ("GET", "HEAD"):
        if target.name:
            return "get"
        return "watch" if request.flag("watch") else "list"
    verb = _WRITES.get(request.method)
    if verb is None:
        raise not_allowed()
    if not target.name and verb in ("update", "patch"):
        raise not_allowed()
    if target.name and not target.sub and verb == "create":
        raise not_allowed()
    if verb == "delete" and not target.name:
        return "deletecollection"
    return verb


def permit(session: Session, target: Target, verb: str) -> None:
    """Roles: a viewer reads everything but Secrets. Raises 403."""
    reads = verb in ("get", "list", "watch") and target.sub not in logs.WORDS
    allowed = session.role.may_change or reads
    if target.resource.stored == "Secret" and not session.role.may_read_secrets:
        allowed = False
    if not allowed:
        raise forbidden(target.resource, target.name, refusal_words(session, target.resource, verb, target))


def refusal_words(session: Session, resource: Resource, verb: str, target: Target) -> str:
    """As RBAC words it."""
    sub = f"/{target.sub}" if target.sub else ""
    where = f' in the namespace "{target.namespace}"' if target.namespace else " at the cluster scope"
    return (
        f'User "{session.role}" cannot {verb} resource "{resource.plural}{sub}" in API group "{resource.group}"{where}'
    )
