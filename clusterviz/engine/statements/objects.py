"""The object a statement names, and every way a client could try to get to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.addresses import host_port
from clusterviz.engine.endpoints import pods_behind
from clusterviz.engine.gateway.objects import HTTPRoute, RouteMatch
from clusterviz.engine.objects import Endpoint, Pod, Service
from clusterviz.engine.origin import pods_named
from clusterviz.engine.probe import Destination, Probe, Request, Source, is_ip
from clusterviz.engine.statements.grammar import StatementError

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

#: The host of a request where a rule takes any: a name of the documentation domain.
ANY_HOST = "any.example.org"
SCHEMES = {"http": 80, "https": 443}


class Way(NamedTuple):
    """One connection to try: ``to`` says it in words, ``door`` without addresses, which differ between snapshots."""

    to: str
    destination: Destination
    protocol: str = "TCP"
    request: Request | None = None
    door: str = ""

    def probe(self, source: Source) -> Probe:
        """The question of this way."""
        return Probe(
            source=source,
            destination=self.destination,
            protocol=self.protocol,  # type: ignore[arg-type]
            request=self.request,
        )


class Named(NamedTuple):
    """What a statement is about: a Service, or the pods of a workload; ``port`` is one port of it.

    ``others`` are further Services with the same endpoints: doors to the same processes.
    """

    name: str
    service: Service | None
    pods: tuple[Pod, ...]
    endpoints: tuple[Endpoint, ...]
    port: int | str | None = None
    others: tuple[Service, ...] = ()

    @property
    def behind(self) -> frozenset[str]:
        """Addresses of the processes meant."""
        return frozenset([ip for pod in self.pods for ip in pod.ips] + [one.ip for one in self.endpoints])

    def leads_to(self, number: int) -> bool:
        """Whether a port of the processes is meant."""
        if self.port is None:
            return True
        if self.service is None:
            return any(
                number == one.port and self.port in (one.port, one.name) for pod in self.pods for one in pod.ports
            )
        names = {(one.name, one.protocol) for one in self.service.ports if self.port in (one.port, one.name)}
        return any(number == one and (name, proto) in names for end in self.endpoints for name, one, proto in end.ports)

    def doors(self, *, every: bool) -> list[tuple[Service, int | str | None]]:
        """Services to go through, with the port to take: None for all."""
        own = [(self.service, self.port)] if self.service else []
        return own + [(one, None) for one in self.others if every or self.port is None]


def find_named(cluster: Cluster, text: str, near: str, port: int | str | None = None) -> Named | None:
    """The Service, workload or pod of a name, looked for in namespace ``near`` first; None when it names none.

    ``text``: NAME, NAMESPACE/NAME, NAME.NAMESPACE (with .svc and the domain), service:…, pod:…. Raises
    `StatementError` where it could mean several.
    """
    only = next((kind for kind in ("service", "pod") if text.startswith(kind + ":")), "")
    text = text.removeprefix(only + ":") if only else text
    space, slash, name = text.rpartition("/")
    if not slash:
        short = text.lower().rstrip(".").removesuffix("." + cluster.settings.cluster_domain.rstrip(".")).split(".")
        name, spaces = short[0], _spaces(cluster, short[1:], near, short[0])
    else:
        spaces = [space]
    found = [one for each in spaces if (one := _in_namespace(cluster, each, name, only, port)) is not None]
    if len(found) > 1:
        raise StatementError(f"{name!r} is in several namespaces", ", ".join(one.name for one in found[:20]))
    return found[0] if found else None


def _spaces(cluster: Cluster, rest: list[str], near: str, name: str) -> list[str]:
    if rest:
        return rest[:1] if rest[1:] in ([], ["svc"]) else []
    here = _in_namespace(cluster, near, name, "", None)
    everywhere = sorted({space for space, _ in (*cluster.services, *cluster.pods)})
    return [near] if here is not None else everywhere


def _in_namespace(cluster: Cluster, space: str, name: str, only: str, port: int | str | None) -> Named | None:
    service = cluster.services.get((space, name)) if only != "pod" else None
    if service is not None:
        endpoints = tuple(cluster.endpoints(service))
        pods = tuple(pods_behind(cluster, service))
        found = Named(f"{space}/{name}", service, pods, endpoints, port)
    else:
        source = Source(kind="pod" if only == "pod" else "workload", namespace=space, name=name)
        pods = tuple(pods_named(cluster, source)) if only != "service" else ()
        if not pods:
            return None
        found = Named(f"{space}/{name}", None, pods, (), port)
    others = {one.ref: one for ip in sorted(found.behind) for one in cluster.services_behind(ip) if one is not service}
    return found._replace(others=tuple(others.values()))


def by_service(named: Named, *, every: bool) -> Iterator[Way]:
    """Services' ports, as a client in the cluster calls them."""
    for service, wanted in named.doors(every=every) if every else named.doors(every=False)[:1]:
        for port in service.ports:
            if wanted in (None, port.port, port.name):
                to = Destination(kind="service", namespace=service.namespace, name=service.name, port=port.port)
                name = f"service {service.namespace}/{service.name}:{port.port}"
                yield Way(name, to, port.protocol, door=name)


def to_pods(named: Named) -> Iterator[Way]:
    """The processes themselves, on the ports the Service leads to or their pods declare."""
    for one in named.endpoints:
        for _, number, protocol in one.ports:
            if named.leads_to(number):
                yield Way(
                    f"endpoint {host_port(one.ip, number)}", Destination(kind="ip", ip=one.ip, port=number), protocol
                )
    for pod in named.pods if named.service is None else ():
        for port in pod.ports:
            if named.leads_to(port.port):
                to = Destination(kind="pod", namespace=pod.namespace, name=pod.name, port=port.port)
                yield Way(f"pod {pod.namespace}/{pod.name}:{port.port}", to, port.protocol)


def faces(cluster: Cluster, named: Named, *, every: bool) -> Iterator[Way]:
    """Every way from outside: balancer, external addresses, node ports, host ports, Ingresses, routes.

    ``every``: through any Service that leads to the same processes, not only the one named.
    """
    doors = named.doors(every=every)
    for service, port in doors:
        yield from _addresses(cluster, service, port)
    yield from _host_ports(cluster, named)
    for service, port in doors:
        yield from _ingresses(cluster, service, port)
        yield from _routes(cluster, service, port)


def _addresses(cluster: Cluster, service: Service, wanted: int | str | None) -> Iterator[Way]:
    name = f"{service.namespace}/{service.name}"
    balancers = [entry.address for entry in service.load_balancer if entry.address]
    for port in service.ports:
        if wanted not in (None, port.port, port.name, port.node_port or None):
            continue
        for ip in (*balancers, *service.external_ips):
            kind = "load balancer" if ip in balancers else "externalIP"
            to = Destination(kind="ip" if is_ip(ip) else "name", ip=ip if is_ip(ip) else "", name=ip, port=port.port)
            yield Way(f"{kind} {host_port(ip, port.port)}", to, port.protocol, door=f"{kind} of {name}:{port.port}")
        for node in cluster.nodes.values() if port.node_port else ():
            for ip in node.ips:
                to = Destination(kind="ip", ip=ip, port=port.node_port)
                shown = f"node port {node.name} {host_port(ip, port.node_port)}"
                yield Way(shown, to, port.protocol, door=f"node ports of {name}:{port.port}")


def _host_ports(cluster: Cluster, named: Named) -> Iterator[Way]:
    for pod in named.pods:
        node = cluster.nodes.get(pod.node)
        for port in pod.ports if node else ():
            number = port.port if pod.host_network else port.host_port
            if node and number and named.leads_to(port.port):
                for ip in node.ips:
                    to = Destination(kind="ip", ip=ip, port=number)
                    door = f"host port {number} of {named.name}"
                    yield Way(f"host port {pod.node} {host_port(ip, number)}", to, port.protocol, door=door)


def _ingresses(cluster: Cluster, service: Service, port: int | str | None) -> Iterator[Way]:
    numbers = (
        {None} if port is None else {one for p in service.ports if port in (p.port, p.name) for one in (p.port, p.name)}
    )
    for ingress in cluster.ingresses.values():
        if ingress.namespace != service.namespace:
            continue
        places = [(rule.host, one.path, one.backend) for rule in ingress.rules for one in rule.paths]
        places += [("", "/", ingress.default_backend)] if ingress.default_backend else []
        for host, path, backend in places:
            if backend.service == service.name and (port is None or backend.port in numbers):
                yield from _urls(f"Ingress {ingress.namespace}/{ingress.name}", host, SCHEMES, path=path or "/")


def _routes(cluster: Cluster, service: Service, port: int | str | None) -> Iterator[Way]:
    for route in cluster.routes.values():
        for rule in route.rules:
            leads = any(
                (one.kind, one.namespace, one.name) == ("Service", service.namespace, service.name)
                and (port is None or any(port in (p.port, p.name) and p.port == one.port for p in service.ports))
                for one in rule.backends
            )
            for match in rule.matches if leads else ():
                for host, ports in _listeners(cluster, route):
                    yield from _urls(f"HTTPRoute {route.namespace}/{route.name}", host, ports, match=match)


def _listeners(cluster: Cluster, route: HTTPRoute) -> Iterator[tuple[str, dict[str, int]]]:
    """Host names of a route with the ports its Gateways listen on."""
    for parent in route.parents:
        gateway = cluster.gateways.get((parent.namespace, parent.name))
        for listener in gateway.listeners if gateway else ():
            if parent.section in ("", listener.name) and parent.port in (0, listener.port):
                for host in route.hostnames or (listener.hostname,):
                    yield host, {listener.scheme: listener.port}


def _urls(
    name: str, host: str, ports: dict[str, int], *, path: str = "/", match: RouteMatch | None = None
) -> Iterator[Way]:
    host = ANY_HOST if not host else host.replace("*", "any", 1)
    for scheme, port in ports.items():
        request = Request(scheme=scheme, host=host, path=path)
        if match is not None:
            exact = [one for one in match.params if one.type == "Exact"]
            request = msgspec.structs.replace(
                request,
                path=match.path if match.path_type != "RegularExpression" else "/",
                method=match.method or "GET",
                headers=tuple((one.name, one.value) for one in match.headers if one.type == "Exact"),
                query="&".join(f"{one.name}={one.value}" for one in exact),
            )
        shown = "" if SCHEMES.get(scheme) == port else f":{port}"
        to = f"{name} {scheme}://{host}{shown}{request.path}"
        yield Way(to, Destination(kind="name", name=host, port=port), "TCP", request, door=to)
