"""What a gateway does with one request: the answer of `match_http`."""

from __future__ import annotations

from typing import Literal

import msgspec

from clusterviz.engine.gateway.attach import Attachment
from clusterviz.engine.gateway.objects import HeaderChange
from clusterviz.engine.gateway.refs import BackendReason
from clusterviz.engine.trace import Assumption, Considered

Outcome = Literal["accepted", "redirect", "not_found", "error", "unavailable", "no_listener"]


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """The redirect a client gets. ``port`` is the one meant even where ``location`` leaves it out (GW-11)."""

    status: int
    location: str
    scheme: str
    hostname: str
    port: int
    path: str


class Forwarded(msgspec.Struct, frozen=True, kw_only=True):
    """The request as it leaves for a backend (GW-12).

    ``headers`` are all there are besides Host; ``set``, ``added`` and ``removed`` what was changed.
    """

    host: str
    path: str
    query: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """One backendRef: ``share`` of the requests (0 to 1) it is meant to get (GW-09).

    ``status`` is what that share gets from the gateway itself: 500 or 503, 0 when the backend answers,
    or the redirect of the backend's own filter. ``ready`` is None when the objects say nothing of endpoints.
    """

    namespace: str
    name: str
    kind: str = "Service"
    port: int = 0
    weight: int = 1
    share: float = 0.0
    reason: BackendReason = ""
    why: str = ""
    status: int = 0
    ready: int | None = None
    request: Forwarded
    redirect: Redirect | None = None
    response: HeaderChange = HeaderChange()

    @property
    def ref(self) -> str:
        """Picture id."""
        return f"{self.kind.lower()}:{self.namespace}/{self.name}"


class GatewayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a request (GW-05 to GW-12).

    ``outcome``: accepted (some share reaches a backend), redirect, not_found (404), error (500),
    unavailable (503), no_listener (the port is closed). ``status`` is the gateway's own status, 0 when a
    backend answers. ``errors`` maps a status to the share of requests that gets it instead of a backend.
    ``gateway`` and ``route`` are (namespace, name) or None; ``rule`` and ``match`` are indexes into the route.
    ``considered`` begins with the nearest miss and has at most 50 entries. ``nearest`` is, of a 404,
    what the rule nearest to the request would do. ``rules`` are ids of docs/rules.md.
    """

    outcome: Outcome
    status: int = 0
    gateway: tuple[str, str] | None = None
    listener: str = ""
    route: tuple[str, str] | None = None
    rule: int | None = None
    match: int | None = None
    hostname: str = ""
    backends: tuple[Backend, ...] = ()
    errors: dict[int, float] = {}
    redirect: Redirect | None = None
    request: Forwarded | None = None
    response: HeaderChange = HeaderChange()
    mirrors: tuple[Backend, ...] = ()
    considered: tuple[Considered, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    rules: tuple[str, ...] = ()
    why: str = ""
    nearest: GatewayAnswer | None = None
