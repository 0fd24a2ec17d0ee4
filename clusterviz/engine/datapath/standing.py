"""A proxy that decides about a request, and the endpoint it calls: Ingress controllers and gateways alike."""

from __future__ import annotations

from typing import NamedTuple

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.choose import every
from clusterviz.engine.endpoints import number_of
from clusterviz.engine.gateway.answer import Forwarded
from clusterviz.engine.gateway.refs import usable
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Endpoint, Service, ServicePort
from clusterviz.engine.probe import is_ip
from clusterviz.engine.trace import Action, Rule


class Standing(NamedTuple):
    """The proxy that decides: picture id, what to call it, its addresses."""

    ref: str
    name: str
    ips: tuple[str, ...]

    def within_reach(self, endpoints: list[tuple[Endpoint, int]]) -> list[tuple[Endpoint, int]]:
        """Endpoints of a family the proxy has an address of; all when there is none such."""
        own = {family(ip) for ip in self.ips}
        return [one for one in endpoints if family(one[0].ip) in own] or endpoints


class Picked(NamedTuple):
    """The endpoint a proxy calls, its port, and the request it sends."""

    endpoint: Endpoint
    number: int
    sent: Forwarded
    rules: tuple[str, ...]


def ready_or_not(j: Journey, service: Service, port: ServicePort, at: Standing) -> list[tuple[Endpoint, int]]:
    """The endpoints a proxy draws from; where a ghost goes on past a refusal, those that are not ready, too.

    Only the network's own ways are followed: nothing for a Service that has no endpoint at all.
    """
    ready = usable(j.cluster, service, port)
    if not ready and j.ghost:
        ready = [(one, number) for one in every(j.cluster, service, port) if (number := number_of(one, port))]
    return at.within_reach(ready)


def first_port(service: Service) -> ServicePort | None:
    """The TCP port a ghost goes on by where a backend names one the Service does not have."""
    return next((one for one in service.ports if one.protocol == "TCP"), None)


def unfit(endpoint: Endpoint, number: int) -> str:
    """Why a proxy does not call an endpoint."""
    if not endpoint.ready:
        return "terminating" if endpoint.terminating else "not ready"
    return "the proxy has no address of its family" if number else "has no port for this Service port"


def tls_ended(j: Journey, component: str, place: str, certificate: str) -> None:
    """TLS ends at the proxy; behind it the request is plain HTTP (ING-10)."""
    j.step(
        Action.RECEIVED,
        "tls_ended",
        layer=7,
        hook="userspace",
        component=component,
        certificate=certificate,
        proxy=component,
        rule=Rule(name="TLS", ref=place, path="spec.tls", rules=("ING-10",)),
        command=f"openssl s_client -connect {host_port(j.packet.ip.dst, j.packet.dport or 443)}" + _server_name(j),
    )


def _server_name(j: Journey) -> str:
    """What a client names in its handshake: a host, never an address (ING-10)."""
    host = j.probe.request.host.partition(":")[0] if j.probe.request else ""
    return f" -servername {host}" if host and not is_ip(host) else ""
