"""The far end of a probe: which address and port the name or object it is for means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.addresses import family, public_address
from clusterviz.engine.datapath import gateways
from clusterviz.engine.datapath.controllers import controller_of, host_nodes, status_addresses
from clusterviz.engine.datapath.dns import in_domain
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.datapath.ordered import every_ingress
from clusterviz.engine.datapath.public import handed_on, unknown_outside
from clusterviz.engine.datapath.resolver import Resolution, resolve, service_of, uses_cluster_dns
from clusterviz.engine.endpoints import pod_name, target_port
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.gateway.objects import Gateway
from clusterviz.engine.objects import Endpoint, Ingress, Service
from clusterviz.engine.origin import Origin
from clusterviz.engine.probe import Destination, Probe, is_ip
from clusterviz.engine.trace import Candidate, Verdict

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Target(NamedTuple):
    """What the destination turned out to be.

    ``failed`` is a verdict reached before any packet could be sent; ``why`` and ``ref`` go with it, and an address
    is then the one that would be called next, for what else would stop the call.
    ``assumed`` are (code, text) simplifications used to find the address, ``drawn_from`` the addresses the
    client itself chose from, all with the same odds (SVC-08).
    """

    ip: str = ""
    port: int | None = None
    resolution: Resolution | None = None
    drawn_from: tuple[str, ...] = ()
    failed: Verdict | None = None
    ref: str = ""
    why: str = ""
    assumed: tuple[tuple[str, str], ...] = ()


def find_target(cluster: Cluster, origin: Origin, probe: Probe) -> Target:
    """The address and port a client would put into its packet."""
    to = probe.destination
    if to.kind == "ip":
        ip, assumed = (to.ip, ()) if origin.pod or origin.node else handed_on(cluster, to.ip)
        return Target(ip, _number(to.port), assumed=assumed)
    if to.kind == "node":
        node = cluster.nodes.get(to.name)
        if node is None:
            raise ProbeError(f'nodes "{to.name}" not found', field="to", allowed=", ".join(list(cluster.nodes)[:20]))
        return Target(reachable(origin, node.ips), _number(to.port))
    if to.kind == "pod":
        return _pod_target(cluster, origin, to)
    if to.kind == "service":
        return _service_target(cluster, origin, probe)
    return _name_target(cluster, origin, probe)


def reachable(origin: Origin, ips: tuple[str, ...]) -> str:
    """The first address of a family the sender has, in the sender's order of families."""
    for own in origin.ips:
        for ip in ips:
            if family(ip) == family(own):
                return ip
    return ips[0] if ips else ""


def _number(port: int | str | None) -> int | None:
    if isinstance(port, str):
        raise ProbeError(f"port {port!r} must be a number here", field="to", allowed="1 to 65535")
    return port


def _missing(kind: str, to: Destination, known: Iterable[tuple[str, str]]) -> ProbeError:
    names = sorted(name for namespace, name in known if namespace == to.namespace)
    allowed = ", ".join(names[:20]) or f"namespace {to.namespace} has none"
    return ProbeError(f'{kind} "{to.name}" not found in namespace {to.namespace}', field="to", allowed=allowed)


def _pod_target(cluster: Cluster, origin: Origin, to: Destination) -> Target:
    pod = cluster.pods.get((to.namespace, to.name))
    if pod is None:
        raise _missing("pods", to, cluster.pods)
    if not pod.ips:
        return Target(failed=Verdict.POD_NOT_RUNNING, ref=pod.ref, why=f"pod {pod.name} has no address yet")
    ip = reachable(origin, pod.ips)
    if isinstance(to.port, str):
        for declared in pod.ports:
            if declared.name == to.port:
                return Target(ip, declared.port)
        raise ProbeError(
            f"pod {pod.name} has no port named {to.port}",
            field="to",
            allowed=", ".join(p.name for p in pod.ports if p.name),
        )
    return Target(ip, to.port)


def _service_target(cluster: Cluster, origin: Origin, probe: Probe) -> Target:
    to = probe.destination
    service = cluster.services.get((to.namespace, to.name))
    if service is None:
        raise _missing("services", to, cluster.services)
    port = service_port(service, to.port)
    if origin.ip:
        return _from_outside(cluster, origin, service, port)
    if service.type == "ExternalName":
        name = f"{service.name}.{service.namespace}.svc.{cluster.settings.cluster_domain}."
        asked = msgspec.structs.replace(to, kind="name", name=name, port=port)
        return _name_target(cluster, origin, msgspec.structs.replace(probe, destination=asked))
    if service.headless:
        return _headless(cluster, origin, probe, service)
    return Target(reachable(origin, service.cluster_ips), port)


def service_port(service: Service, port: int | str | None) -> int | None:
    """A Service port by name; numbers pass as they are."""
    if not isinstance(port, str):
        return port
    for one in service.ports:
        if one.name == port:
            return one.port
    raise ProbeError(
        f"Service {service.name} has no port named {port}",
        field="to",
        allowed=", ".join(one.name for one in service.ports if one.name),
    )


def _headless(cluster: Cluster, origin: Origin, probe: Probe, service: Service) -> Target:
    """The client picks one of the addresses DNS gave it; there is no VIP (SVC-08)."""
    ready = [endpoint for endpoint in cluster.endpoints(service) if endpoint.ready]
    if not ready:
        return _unready(cluster, origin, service, probe.destination.port)._replace(
            failed=Verdict.NAME_NOT_FOUND,
            ref=service.ref,
            why=f"headless Service {service.namespace}/{service.name} has no ready endpoint, "
            "so its name has no address (DNS-02)",
        )
    version = family(reachable(origin, tuple(endpoint.ip for endpoint in ready)))
    ready = [endpoint for endpoint in ready if family(endpoint.ip) == version]
    picked = ready[int(draw(probe.seed, "headless", service.ref) * len(ready))]
    port = _endpoint_port(service, picked, probe.destination.port)
    return Target(picked.ip, port, drawn_from=tuple(endpoint.ip for endpoint in ready))


def _endpoint_port(service: Service, endpoint: Endpoint, port: int | str | None) -> int | None:
    """The number a client puts into its packet: of a port by name the endpoint's own."""
    if not isinstance(port, str):
        return port
    number = service_port(service, port)
    return next((one for name, one, _ in endpoint.ports if name == port), number)


def _unready(cluster: Cluster, origin: Origin, service: Service, port: int | str | None) -> Target:
    """The endpoint a headless Service's name would lead to if it were ready."""
    known = cluster.endpoints(service)
    ip = reachable(origin, tuple(endpoint.ip for endpoint in known))
    found = next((endpoint for endpoint in known if endpoint.ip == ip), None)
    return Target(ip, _endpoint_port(service, found, port)) if found is not None else Target()


def _from_outside(cluster: Cluster, origin: Origin, service: Service, port: int | None) -> Target:
    """The address an outsider is told: the balancer's, an externalIP, a node with the node port."""
    node = next((one for one in cluster.nodes.values() if one.ready and not one.down), None)
    node = node or next(iter(cluster.nodes.values()), None)
    numbers = {one.node_port for one in service.ports if one.node_port}
    if node is not None and port in numbers:
        return Target(reachable(origin, node.ips), port)
    balancers = tuple(entry.address for entry in service.load_balancer if entry.address)
    if balancers:
        return Target(reachable(origin, balancers), port)
    if service.external_ips:
        return Target(reachable(origin, service.external_ips), port)
    name = f"Service {service.namespace}/{service.name}"
    by_node = next((one.node_port for one in service.ports if one.port == port and one.node_port), 0)
    if service.type == "LoadBalancer":
        why = f"{name} has no address outside: EXTERNAL-IP is <pending> (SVC-06)"
        ip = reachable(origin, node.ips) if node is not None and by_node else ""
        return Target(ip, by_node, failed=Verdict.NO_LB_PROVIDER, ref=service.ref, why=why)
    if service.type == "NodePort" and node is not None:
        return Target(reachable(origin, node.ips), by_node or port)
    if not service.cluster_ips:
        why = f"{name} is only a name in the cluster's DNS, which a client outside does not ask (SVC-08, SVC-09)"
        return Target(failed=Verdict.NAME_NOT_FOUND, ref=service.ref, why=why)
    return Target(reachable(origin, service.cluster_ips), port)


def _name_target(cluster: Cluster, origin: Origin, probe: Probe) -> Target:
    name = probe.destination.name
    pod = origin.asker
    if pod is None or not uses_cluster_dns(cluster, pod):
        if in_domain(cluster, name) or _short(cluster, name):
            return Target(
                failed=Verdict.NAME_NOT_FOUND,
                ref=pod.ref if pod else origin.node.ref if origin.node else "internet",
                why=f"{name} is a name of the cluster's DNS, which this client does not ask (DNS-15)",
            )
        return outside_name(cluster, origin, name, probe.destination.port)
    found = resolve(cluster, pod, name)
    if found.outside:
        target = outside_name(cluster, origin, found.name, probe.destination.port)
        return target._replace(resolution=found)
    if not found.addresses:
        tried = ", ".join(f"{one} {rcode}" for one, rcode in found.tries)
        meant = next((one for asked, _ in found.tries if (one := service_of(cluster, asked)) and one.headless), None)
        target = _unready(cluster, origin, meant, probe.destination.port) if meant is not None else Target()
        why = f"no address for {name}: {tried}"
        return target._replace(resolution=found, failed=Verdict.NAME_NOT_FOUND, ref=pod.ref, why=why)
    port = probe.destination.port
    if found.service is not None:
        port = service_port(found.service, port)
        if found.service.headless and isinstance(probe.destination.port, str):
            port = _named_target(cluster, found.service, probe.destination.port)
    version = family(reachable(origin, found.addresses))
    same = [ip for ip in found.addresses if family(ip) == version]
    picked = same[int(draw(probe.seed, "address", name) * len(same))]
    return Target(picked, _number(port), found, drawn_from=tuple(same))


def choices(cluster: Cluster, target: Target) -> tuple[Candidate, ...]:
    """The addresses a client could have taken, with their pods; () when there was one only."""
    if len(target.drawn_from) < 2:
        return ()
    pods = {ip: cluster.pod_by_ip.get(ip) for ip in target.drawn_from}
    return tuple(
        Candidate(
            address=ip,
            port=target.port or 0,
            pod=pod.ref if pod else "",
            node=pod.node if pod else "",
            probability=1 / len(target.drawn_from),
            picked=ip == target.ip,
        )
        for ip, pod in pods.items()
    )


def _short(cluster: Cluster, name: str) -> bool:
    """Whether only a search list could make something of the name: one label, or a Service's in short."""
    parts = name.lower().rstrip(".").removesuffix(".svc").split(".")
    return len(parts) == 1 or (len(parts) == 2 and (parts[1], parts[0]) in cluster.services)


def _named_target(cluster: Cluster, service: Service, name: str) -> int | None:
    for port in service.ports:
        if port.name == name:
            pods = [cluster.pods.get(pod_name(e.pod)) for e in cluster.endpoints(service) if e.pod]
            return next((target_port(port, pod) for pod in pods if pod), port.port)
    return None


def outside_name(cluster: Cluster, origin: Origin, name: str, port: int | str | None) -> Target:
    """What public DNS is taken to say: hosts of Ingresses and Gateways point at who serves them."""
    host = name.lower().rstrip(".")
    gateway = gateways.named(cluster, host)
    known = every_ingress(cluster)
    for _, ingress, _ in known.of_hosts(fits for fits in known.fitting(host) if fits):
        found = _ingress_address(cluster, origin, ingress, name, port)
        if gateway is None or found.failed is None:
            return found
    if gateway is not None:
        return _gateway_address(cluster, origin, gateway, name, port)
    number = _number(port)
    if is_ip(host):
        return Target(host, number)
    for _, service in sorted(cluster.services.items()):
        for entry in service.load_balancer:
            if host and entry.hostname == host:
                return Target(entry.address, number)
    why = unknown_outside(cluster, host)
    if why:
        ref = origin.asker.ref if origin.asker else "internet"
        return Target(failed=Verdict.NAME_NOT_FOUND, ref=ref, why=f"no address for {name}: {why}")
    note = f"Public DNS is not asked; {name} is given an address of the documentation range."
    return Target(public_address(host), number, assumed=(("outside-name", note),))


def _gateway_address(cluster: Cluster, origin: Origin, gateway: Gateway, name: str, port: int | str | None) -> Target:
    note = ("public-dns", f"Public DNS is taken to point {name} at the address of Gateway {gateway.name}.")
    service = gateways.front(cluster, gateway)
    known = tuple(one for one in gateway.addresses if is_ip(one))
    if known and (service is None or any(one in cluster.services_by_ip for one in known)):
        return Target(reachable(origin, known), _number(port), assumed=(note,))
    if service is not None:
        return _from_outside(cluster, origin, service, _number(port))._replace(assumed=(note,))
    ip = gateways.address(cluster, gateway)
    if ip:
        text = f"Gateway {gateway.namespace}/{gateway.name} has no address in its status; it is taken to have {ip}."
        notes = (note,) if gateway.addresses else (note, ("gateway-address", text))
        return Target(ip, _number(port), assumed=notes)
    return Target(
        failed=Verdict.NO_INGRESS_CONTROLLER,
        ref=gateway.ref,
        why=f"no controller serves Gateway {gateway.namespace}/{gateway.name}: "
        f"nobody has class {gateway.gateway_class or '(none)'} (GW-13)",
    )


def _ingress_address(cluster: Cluster, origin: Origin, ingress: Ingress, name: str, port: int | str | None) -> Target:
    note = ("public-dns", f"Public DNS is taken to point {name} at the Ingress controller's address.")
    service = controller_of(cluster, ingress)
    hosts = () if service is not None and service.type in ("LoadBalancer", "NodePort") else host_nodes(cluster, ingress)
    if hosts:
        return Target(reachable(origin, hosts[0].ips), _number(port), assumed=(note,))
    known = status_addresses(ingress)
    if service is None and known:
        return Target(reachable(origin, known), _number(port), assumed=(note,))
    if service is None:
        return Target(
            failed=Verdict.NO_INGRESS_CONTROLLER,
            ref=ingress.ref,
            why=f"no controller serves Ingress {ingress.namespace}/{ingress.name}: "
            "the object alone moves no packet (ING-01)",
        )
    return _from_outside(cluster, origin, service, _number(port))._replace(assumed=(note,))
