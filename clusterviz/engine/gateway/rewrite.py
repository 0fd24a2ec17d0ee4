"""Filters that change a request or answer it with a redirect (GW-11, GW-12)."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.gateway.answer import Forwarded, Redirect
from clusterviz.engine.gateway.hosts import plain
from clusterviz.engine.gateway.objects import Filter, HeaderChange, Listener, PathChange, RouteMatch
from clusterviz.engine.probe import Request

PORTS = {"http": 80, "https": 443}


def new_path(change: PathChange | None, match: RouteMatch, path: str) -> str:
    """The path after a change; a trailing slash of the matched prefix does not count (GW-12)."""
    if change is None:
        return path
    if change.type == "ReplaceFullPath":
        return change.value or "/"
    prefix = match.path.rstrip("/") if match.path_type == "PathPrefix" else ""
    rest = path[len(prefix) :]
    made = change.value.rstrip("/") + rest if rest else change.value
    return made if made.startswith("/") else f"/{made}"


def redirect(spec: Filter, match: RouteMatch, request: Request, path: str, listener: Listener) -> Redirect:
    """Where a RequestRedirect sends the client (GW-11).

    Without a port of its own: the well-known one of the scheme it sets, else the listener's.
    """
    scheme = spec.scheme or listener.scheme
    hostname = spec.hostname or plain(request.host)
    port = spec.port or (PORTS.get(spec.scheme) if spec.scheme else None) or listener.port
    path = new_path(spec.path, match, path)
    shown = f"[{hostname}]" if ":" in hostname else hostname
    place = shown if PORTS.get(scheme) == port else f"{shown}:{port}"
    query = f"?{request.query}" if request.query else ""
    return Redirect(
        status=spec.status,
        location=f"{scheme}://{place}{path}{query}",
        scheme=scheme,
        hostname=hostname,
        port=port,
        path=path,
    )


def changed(headers: Iterable[tuple[str, str]], change: HeaderChange) -> tuple[tuple[str, str], ...]:
    """Headers after set, add (joined with a comma) and remove; names are compared without case (GW-12)."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = (found[key][0], f"{found[key][1]},{value}") if key in found else (name, value)
    for name, value in change.set:
        found[name.lower()] = (name, value)
    for name, value in change.add:
        old = found.get(name.lower())
        found[name.lower()] = (old[0], f"{old[1]},{value}") if old else (name, value)
    for name in change.remove:
        found.pop(name.lower(), None)
    return tuple(found.values())


def forwarded(request: Forwarded, filters: Iterable[Filter], match: RouteMatch) -> Forwarded:
    """The request after the filters, in the order given."""
    for one in filters:
        if one.type == "RequestHeaderModifier":
            request = Forwarded(
                host=request.host,
                path=request.path,
                query=request.query,
                method=request.method,
                headers=changed(request.headers, one.headers),
                set=request.set + one.headers.set,
                added=request.added + one.headers.add,
                removed=request.removed + one.headers.remove,
            )
        elif one.type == "URLRewrite":
            request = Forwarded(
                host=one.hostname or request.host,
                path=new_path(one.path, match, request.path),
                query=request.query,
                method=request.method,
                headers=request.headers,
                set=request.set,
                added=request.added,
                removed=request.removed,
            )
    return request


def response(filters: Iterable[Filter]) -> HeaderChange:
    """What ResponseHeaderModifiers do to the answer, all together."""
    found = [one.headers for one in filters if one.type == "ResponseHeaderModifier"]
    return HeaderChange(
        set=tuple(pair for one in found for pair in one.set),
        add=tuple(pair for one in found for pair in one.add),
        remove=tuple(name for one in found for name in one.remove),
    )
