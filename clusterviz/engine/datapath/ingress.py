"""HTTP routing by an Ingress controller: host, then path, then the backend (ING).

`match_request` asks Ingress records alone; `route_request` also looks at Services and endpoints.
Both work on partial objects: no pod, node or controller is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.datapath import nginx
from clusterviz.engine.datapath.controllers import app_name, served
from clusterviz.engine.datapath.ordered import Ordered, Ruled, every_ingress, oldest_first
from clusterviz.engine.gateway.hosts import plain
from clusterviz.engine.gateway.match import shared
from clusterviz.engine.gateway.refs import endpoints_known, usable
from clusterviz.engine.objects import Ingress, IngressBackend, IngressPath, Service, ServicePort
from clusterviz.engine.probe import Request
from clusterviz.engine.trace import Assumption, Considered

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Located = tuple[Ingress, IngressPath]
# The nearest misses are told; hundreds of other hosts would tell nothing more.
MOST_CONSIDERED = 50


class IngressMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes.

    ``status`` is what the controller answers itself: 404 (``backend`` None), 308 with ``location``, 503; 0 when
    a backend answers. ``path`` None: a default backend took it (ING-08). ``rewritten`` is the path the backend
    gets. ``certificate`` is "" for plain HTTP, ``default``, or the Secret of the host as namespace/name (ING-10).
    ``considered`` begins with the nearest miss and has at most 50 entries; ``nearest`` is, of a 404, the rule of this
    host whose path is nearest; ``rules`` are ids of docs/rules.md.
    """

    status: int = 0
    ingress: Ingress | None = None
    host: str = ""
    path: IngressPath | None = None
    backend: IngressBackend | None = None
    location: str = ""
    rewritten: str = ""
    certificate: str = ""
    why: str = ""
    considered: tuple[Considered, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    rules: tuple[str, ...] = ()
    nearest: Located | None = None


def host_matches(rule: str, host: str) -> bool:
    """Exact, or one more label for ``*.``; no host matches any (ING-02)."""
    if not rule:
        return True
    if rule.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and rest == rule[2:]
    return rule == host


def path_matches(kind: str, rule: str, path: str) -> bool:
    """Exact is byte-equal, Prefix goes by elements; ImplementationSpecific as Prefix (ING-04..06)."""
    if kind == "Exact":
        return rule == path
    wanted = [part for part in rule.split("/") if part]
    return [part for part in path.split("/") if part][: len(wanted)] == wanted


def route_request(
    cluster: Cluster,
    request: Request,
    ingresses: Iterable[Ingress] | None = None,
    *,
    ingress_nginx: bool | None = None,
) -> IngressMatch:
    """The whole answer of a controller to a request, down to 503 for a backend that cannot be used (ING-09).

    ``ingresses`` are those of one controller; None takes all in the cluster whose class the settings say is
    served (ING-01). ``ingress_nginx`` says whether that controller's own behaviour counts; None: where its class
    or annotations are used, or nothing says who serves the class.
    """
    chosen = every_ingress(cluster) if ingresses is None else oldest_first(ingresses)
    if ingresses is None:
        chosen = Ordered(one for one in chosen if served(cluster, one))
    special, guessed = ingress_nginx, False
    if special is None:
        apps = {app_name(cluster, one) for one in chosen}
        own = nginx.has_own(chosen)
        guessed = apps == {""} and not own
        special = guessed or own or "ingress-nginx" in apps
    found = match_request(
        chosen, request.host, request.path, scheme=request.scheme, query=request.query, ingress_nginx=special
    )
    if guessed and found.status == 308:
        note = Assumption(
            "controller-assumed", "Nothing says which controller serves the class: ingress-nginx is taken."
        )
        found = msgspec.structs.replace(found, assumptions=(*found.assumptions, note))
    return backed(cluster, found)


def backed(cluster: Cluster, found: IngressMatch) -> IngressMatch:
    """Down to the backend: 503 when it cannot be used (ING-09)."""
    if found.status or found.backend is None or found.ingress is None:
        return found
    service, port, why = backend_port(cluster, found.ingress, found.backend)
    rules = (*found.rules, "ING-09")
    if service is not None and service.type == "ExternalName":
        text = f"The controller is taken to call {service.external_name}, the name Service {service.name} stands for."
        note = Assumption("external-backend", text)
        return msgspec.structs.replace(found, assumptions=(*found.assumptions, note), rules=rules)
    if service is None or port is None:
        return msgspec.structs.replace(found, status=503, why=why, rules=rules)
    if not endpoints_known(cluster):
        note = Assumption(
            "endpoints-unknown", "The objects tell nothing of endpoints; the Service is taken to be ready."
        )
        return msgspec.structs.replace(found, assumptions=(*found.assumptions, note), rules=rules)
    if not usable(cluster, service, port):
        why = f"Service {service.namespace}/{service.name} has no ready endpoint"
        return msgspec.structs.replace(found, status=503, why=why, rules=rules)
    return msgspec.structs.replace(found, rules=rules)


def backend_port(
    cluster: Cluster, ingress: Ingress, backend: IngressBackend
) -> tuple[Service | None, ServicePort | None, str]:
    """The Service and port a backend means, by the port's number or name (ING-09); else why there is none."""
    if not backend.service:
        return None, None, "the backend is no Service"
    service = cluster.services.get((ingress.namespace, backend.service))
    if service is None:
        return None, None, "no such Service"
    if service.type == "ExternalName" and isinstance(backend.port, int):
        return service, ServicePort(port=backend.port, target=backend.port), ""
    port = next((one for one in service.ports if one.protocol == "TCP" and backend.port in (one.port, one.name)), None)
    return service, port, "" if port else "the Service has no such port"


def match_request(
    ingresses: Sequence[Ingress],
    host: str,
    path: str,
    *,
    scheme: str = "http",
    query: str = "",
    ingress_nginx: bool = False,
) -> IngressMatch:
    """The backend for a request among the Ingresses of one controller, oldest first (ING-03, 07, 12).

    ``host`` is the Host header (a port is ignored), ``path`` may carry a query. ``ingress_nginx`` adds what that
    controller does: regular expressions, rewrites (ING-14), the redirect to HTTPS (ING-10).
    """
    host = plain(host)
    path, mark, asked = path.partition("#")[0].partition("?")
    path, query = path or "/", asked if mark else query
    ingresses = ingresses if isinstance(ingresses, Ordered) else Ordered(ingresses)
    best = next(iter(ingresses.fitting(host)), None)
    ruling = [] if best is None else ingresses.by_host[best]
    inside = [(ruled.ingress, one) for ruled in ruling for one in ruled.rule.paths]
    regex = ingress_nginx and nginx.regex_mode(inside)
    fitting = [pair for pair in inside if _fits(pair[1], path, regex=regex)]
    winner = _winner(fitting, regex=regex)
    base = IngressMatch(
        considered=_considered(ingresses, inside, winner, (host, best, path), regex=regex),
        certificate=certificate(ingresses, host) if scheme == "https" else "",
        host=best or "",
        rewritten=path,
        rules=("ING-02", "ING-03", *(("ING-10",) if scheme == "https" else ())),
    )
    if winner is None:
        return _default(ingresses, base, best, f"no rule for {host or 'no host'}{path}", _nearest(inside, path))
    ingress, rule_path = winner
    kind = ("ING-14",) if regex else ({"Exact": "ING-04", "Prefix": "ING-05"}.get(rule_path.type, "ING-06"),)
    found = msgspec.structs.replace(
        base,
        ingress=ingress,
        path=rule_path,
        backend=rule_path.backend,
        rewritten=nginx.rewritten(ingress, rule_path, path) if ingress_nginx else path,
        assumptions=_notes(inside, ingress, regex=regex, ingress_nginx=ingress_nginx),
        rules=(*base.rules, *kind, "ING-07", *(("ING-12",) if len({one.ref for one, _ in inside}) > 1 else ())),
    )
    listed = certificate(ingresses, host) != "default"
    if ingress_nginx and scheme == "http" and nginx.redirects(ingress, path, listed=listed):
        location = f"https://{host}{path}{f'?{query}' if query else ''}"
        why = f"redirect to {location}"
        return msgspec.structs.replace(found, status=308, location=location, why=why, rules=(*found.rules, "ING-10"))
    return found


def certificate(ingresses: Ordered, host: str) -> str:
    """The Secret (namespace/name) whose TLS entry lists a host, exact before wildcard; else ``default`` (ING-10)."""
    for exact in (True, False):
        for ingress in ingresses.with_tls:
            for entry in ingress.tls:
                fits = host in entry.hosts if exact else any(host_matches(one, host) for one in entry.hosts if one)
                if fits:
                    return f"{ingress.namespace}/{entry.secret}" if entry.secret else f"{ingress.namespace}/(default)"
    return "default"


def _fits(one: IngressPath, path: str, *, regex: bool) -> bool:
    return nginx.regex_fits(one.path, path) if regex else path_matches(one.type, one.path, path)


def _winner(fitting: list[Located], *, regex: bool) -> Located | None:
    """Longest path, Exact before Prefix, then the older Ingress, which stands first (ING-07, ING-12)."""
    if regex:
        return max(fitting, key=lambda pair: nginx.regex_order(pair[1]), default=None)
    return max(fitting, key=lambda pair: (len(pair[1].path.rstrip("/")), pair[1].type == "Exact"), default=None)


def _nearest(inside: list[Located], path: str) -> Located | None:
    return max(inside, key=lambda pair: shared(pair[1].path, path), default=None)


def _default(
    ingresses: Ordered, base: IngressMatch, best: str | None, why: str, nearest: Located | None
) -> IngressMatch:
    """The default backend of an Ingress for this host first, then of one without rules, then any; else 404 (ING-08)."""

    def distance(ingress: Ingress) -> int:
        if any(rule.host == best for rule in ingress.rules):
            return 0
        return 1 if not ingress.rules else 2

    rules = (*base.rules, "ING-08")
    if not ingresses.with_default:
        return msgspec.structs.replace(base, status=404, why=why, nearest=nearest, rules=rules)
    taking = min(ingresses.with_default, key=distance)
    return msgspec.structs.replace(base, ingress=taking, backend=taking.default_backend, rules=rules)


def _considered(
    ingresses: Ordered,
    inside: list[Located],
    winner: Located | None,
    asked: tuple[str, str | None, str],
    *,
    regex: bool,
) -> tuple[Considered, ...]:
    """Rules that did not take the request, nearest miss first: beaten paths, other paths, other hosts."""
    host, best, path = asked
    found: list[tuple[int, int, Considered]] = []
    for ingress, one in inside:
        if winner is not None and one is winner[1]:
            continue
        kind = "regular expression" if regex else one.type
        name = f"{ingress.namespace}/{ingress.name} {kind} {one.path}"
        if _fits(one, path, regex=regex):
            why = f"fits too, but {_beaten(one, winner)}"
            found.append((0, -len(one.path), Considered(name, why, ingress.ref)))
        else:
            readable = not regex or nginx.readable(one.path)
            why = f"{path} does not fit" if readable else "its regular expression is not one RE2 can read"
            found.append((1, -shared(one.path, path), Considered(name, why, ingress.ref)))
    paths = [one for _, _, one in sorted(found, key=lambda entry: entry[:2])][:MOST_CONSIDERED]
    hosts = _other_hosts(ingresses, host, best)
    return (*paths, *islice(hosts, MOST_CONSIDERED - len(paths)))


def _other_hosts(ingresses: Ordered, host: str, best: str | None) -> Iterator[Considered]:
    """Rules of hosts that fit less well, then of hosts that do not fit."""
    fitting = ingresses.fitting(host)
    for one in ingresses.of_hosts(fits for fits in fitting if fits != best):
        yield _passed(one, f"{best} is more specific")
    for one in ingresses.rules:
        if one.rule.host not in fitting:
            yield _passed(one, f"{host or 'no host'} is another host")


def _passed(one: Ruled, why: str) -> Considered:
    name = f"{one.ingress.namespace}/{one.ingress.name} host {one.rule.host or 'any'}"
    return Considered(name, why, one.ingress.ref)


def _beaten(loser: IngressPath, winner: Located | None) -> str:
    assert winner is not None
    best = winner[1]
    if len(best.path.rstrip("/")) > len(loser.path.rstrip("/")):
        return f"{best.path} is longer (ING-07)"
    if best.type == "Exact" and loser.type != "Exact":
        return f"Exact {best.path} goes before {loser.type} (ING-07)"
    return f"{winner[0].namespace}/{winner[0].name} is older or stands first (ING-12)"


def _notes(inside: list[Located], winner: Ingress, *, regex: bool, ingress_nginx: bool) -> tuple[Assumption, ...]:
    found = []
    if regex and not all(nginx.readable(one.path) for _, one in inside):
        text = "A path is a regular expression only PCRE can read; it is taken not to match."
        found.append(Assumption("regex-dialect", text))
    if ingress_nginx and (names := nginx.unfollowed(winner)):
        text = f"The effect of {', '.join(names)} on Ingress {winner.namespace}/{winner.name} is not modelled."
        found.append(Assumption("annotations-not-modelled", text))
    return tuple(found)
