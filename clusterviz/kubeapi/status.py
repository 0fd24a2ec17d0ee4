"""Every error is a Status, worded as kube-apiserver words it; kubectl prints its message as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clusterviz.kubeapi.registry import Resource

Cause = dict[str, str]


class Refusal(Exception):  # noqa: N818 - it is an answer
    """A request that is answered with a Status of this HTTP code."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        retry: int = 0,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.code, self.reason, self.message, self.retry = code, reason, message, retry
        self.metadata = metadata or {}
        self.details = {**(details or {}), **({"retryAfterSeconds": retry} if retry else {})}
        super().__init__(message)

    def to_status(self) -> dict[str, Any]:
        """The object kubectl reads."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        return {**status, "details": self.details} if self.details else status


def success(resource: Resource, name: str, uid: str) -> dict[str, Any]:
    """What a deletion that is done answers."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": _details(resource, name) | {"uid": uid},
    }


def _details(resource: Resource, name: str) -> dict[str, Any]:
    return {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.plural}


def not_found(resource: Resource, name: str) -> Refusal:
    """404 for one object."""
    return Refusal(404, "NotFound", f'{resource.qualified} "{name}" not found', details=_details(resource, name))


def no_such_path() -> Refusal:
    """404 for a path nobody serves; `kubectl debug` reads the details without asking whether there are any."""
    return Refusal(404, "NotFound", "the server could not find the requested resource", details={"name": ""})


def already_exists(resource: Resource, name: str) -> Refusal:
    """409 for a name that is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return Refusal(409, "AlreadyExists", message, details=_details(resource, name))


def conflict(resource: Resource, name: str, why: str = "", causes: Iterable[Cause] = ()) -> Refusal:
    """409 for a write that builds on something older."""
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Refusal(409, "Conflict", message, details=_details(resource, name) | _caused(causes))


def fields_conflict(message: str, causes: list[Cause]) -> Refusal:
    """409 of a server-side apply: fields that others manage."""
    return Refusal(409, "Conflict", message, details={"causes": causes})


def invalid(resource: Resource, name: str, causes: list[Cause]) -> Refusal:
    """422: the object as a whole was understood and is wrong."""
    words = [f"{cause['field']}: {cause['message']}" if cause["field"] else cause["message"] for cause in causes]
    text = words[0] if len(words) == 1 else "[" + ", ".join(words) + "]"
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = _details(resource, name) | {"kind": resource.kind} | _caused(causes)
    return Refusal(422, "Invalid", f'{kind} "{name}" is invalid: {text}', details=details)


def bad_request(message: str) -> Refusal:
    """400."""
    return Refusal(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str) -> Refusal:
    """403."""
    named = f' "{name}"' if name else ""
    message = f"{resource.qualified}{named} is forbidden: {why}"
    return Refusal(403, "Forbidden", message, details=_details(resource, name))


def not_simulated(resource: Resource) -> Refusal:
    """405 for a kind that is only listed."""
    return Refusal(405, "MethodNotAllowed", f"{resource.plural} are not simulated: use deployments.apps")


def not_allowed() -> Refusal:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return Refusal(405, "MethodNotAllowed", message)


def unsupported(media: str, allowed: Iterable[str]) -> Refusal:
    """415."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(allowed)}"
    return Refusal(415, "UnsupportedMediaType", f"{message}; it came as {media[:100]!r}" if media else message)


def too_large(limit: int) -> Refusal:
    """413."""
    message = f"Request entity too large: limit is {limit}"
    return Refusal(413, "RequestEntityTooLarge", message)


def expired(asked: int, oldest: int) -> Refusal:
    """410: a watch or a page that begins too long ago."""
    return Refusal(410, "Expired", f"too old resource version: {asked} ({oldest})")


def unavailable(why: str, retry: int = 1) -> Refusal:
    """503."""
    return Refusal(503, "ServiceUnavailable", why, retry=retry)


def _caused(causes: Iterable[Cause]) -> dict[str, Any]:
    found = list(causes)
    return {"causes": found} if found else {}
