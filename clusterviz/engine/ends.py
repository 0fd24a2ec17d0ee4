"""The two ends of a probe: which pod or node sends, and which address the name or object means."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.controllers import controller_of
from clusterviz.engine.datapath.dns import Resolution, in_domain, resolve, uses_cluster_dns
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.datapath.ingress import host_matches
from clusterviz.engine.endpoints import target_port
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.objects import Ingress, Node, Pod, Service
from clusterviz.engine.probe import Destination, Probe, Source
from clusterviz.engine.trace import Verdict

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Origin(NamedTuple):
    """Who sends: a pod, a node, or an outside address."""

    pod: Pod | None = None
    node: Node | None = None
    ip: str = ""


class Target(NamedTuple):
    """What the destination turned out to be.

    ``failed`` is a verdict reached before any packet could be sent; ``why`` and ``ref`` go with it.
    ``assumed`` are (code, text) simplifications used to find the address.
    """

    ip: str = ""
    port: int | None = None
    resolution: Resolution | None = None
    failed: Verdict | None = None
    ref: str = ""
    why: str = ""
    assumed: tuple[tuple[str, str], ...] = ()


def find_origin(cluster: Cluster, source: Source) -> Origin:
    """Raises `ProbeError` when the sender does not exist or cannot send."""
    if source.kind == "external":
        ip = source.ip or cluster.settings.client_ip
        pod = cluster.pod_by_ip.get(ip)
        if pod is not None:
            return Origin(pod=pod)
        node = cluster.node_by_ip.get(ip)
        return Origin(node=node) if node is not None else Origin(ip=ip)
    if source.kind == "node":
        node = cluster.nodes.get(source.name)
        if node is None:
            raise ProbeError(
                f'nodes "{source.name}" not found', field="from", allowed=", ".join(list(cluster.nodes)[:20])
            )
        return Origin(node=node)
    pod = find_pod(cluster, source)
    if not pod.ips:
        raise ProbeError(f"pod {pod.namespace}/{pod.name} has no address yet ({pod.phase})", field="from")
    if source.container and source.container not in [c.name for c in pod.containers]:
        raise ProbeError(
            f"container {source.container} is not valid for pod {pod.name}",
            field="from",
            allowed=", ".join(c.name for c in pod.containers),
        )
    if pod.host_network:
        return Origin(node=cluster.nodes.get(pod.node))
    return Origin(pod=pod)


def find_pod(cluster: Cluster, source: Source) -> Pod:
    """The pod named, or the first ready pod of the workload or Service named."""
    exact = cluster.pods.get((source.namespace, source.name))
    if exact is not None:
        return exact
    if source.kind != "pod":
        for key, pods in cluster.pods_of_workload.items():
            if key[1:] == (source.namespace, source.name):
                return _first(pods)
        service = cluster.services.get((source.namespace, source.name))
        refs = [endpoint.pod for endpoint in cluster.endpoints(service)] if service else []
        pods = [cluster.pods[ref] for e in refs if (ref := _name(e)) in cluster.pods]
        if pods:
            return _first(pods)
        workload = [
            p for p in cluster.pods.values() if p.namespace == source.namespace and p.name.startswith(source.name + "-")
        ]
        if workload:
            return _first(workload)
    names = [f"{ns}/{name}" for ns, name in cluster.pods if source.namespace in (ns, "default")]
    raise ProbeError(
        f'pods "{source.name}" not found in namespace {source.namespace}',
        field="from",
        allowed=", ".join(names[:20]) or "no pod is in this namespace",
    )


def _name(ref: str) -> tuple[str, str]:
    namespace, _, name = ref.removeprefix("pod:").partition("/")
    return namespace, name


def _first(pods: list[Pod]) -> Pod:
    return min(pods, key=lambda pod: (not pod.ready, not pod.ips, pod.terminating, pod.name))


def find_target(cluster: Cluster, origin: Origin, probe: Probe) -> Target:
    """The address and port a client would put into its packet."""
    to = probe.destination
    if to.kind == "ip":
        return Target(to.ip, _number(to.port))
    if to.kind == "node":
        node = cluster.nodes.get(to.name)
        if node is None:
            raise ProbeError(f'nodes "{to.name}" not found', field="to", allowed=", ".join(list(cluster.nodes)[:20]))
        return Target(node.ip, _number(to.port))
    if to.kind == "pod":
        return _pod_target(cluster, to)
    if to.kind == "service":
        return _service_target(cluster, origin, probe)
    return _name_target(cluster, origin, probe)


def _number(port: int | str | None) -> int | None:
    if isinstance(port, str):
        raise ProbeError(f"port {port!r} must be a number here", field="to", allowed="1 to 65535")
    return port


def _pod_target(cluster: Cluster, to: Destination) -> Target:
    pod = cluster.pods.get((to.namespace, to.name))
    if pod is None:
        raise ProbeError(f'pods "{to.name}" not found in namespace {to.namespace}', field="to")
    if not pod.ips:
        return Target(failed=Verdict.POD_NOT_RUNNING, ref=pod.ref, why=f"pod {pod.name} has no address yet")
    if isinstance(to.port, str):
        for declared in pod.ports:
            if declared.name == to.port:
                return Target(pod.ip, declared.port)
        raise ProbeError(
            f"pod {pod.name} has no port named {to.port}",
            field="to",
            allowed=", ".join(p.name for p in pod.ports if p.name),
        )
    return Target(pod.ip, to.port)


def _service_target(cluster: Cluster, origin: Origin, probe: Probe) -> Target:
    to = probe.destination
    service = cluster.services.get((to.namespace, to.name))
    if service is None:
        raise ProbeError(f'services "{to.name}" not found in namespace {to.namespace}', field="to")
    port = service_port(service, to.port)
    if origin.ip:
        return _from_outside(cluster, service, port)
    if service.type == "ExternalName":
        return outside_name(cluster, service.external_name, port)
    if service.headless:
        return _headless(cluster, probe, service, port)
    return Target(service.ip, port)


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


def _headless(cluster: Cluster, probe: Probe, service: Service, port: int | None) -> Target:
    """The client picks one of the addresses DNS gave it; there is no VIP (SVC-08)."""
    ready = [endpoint for endpoint in cluster.endpoints(service) if endpoint.ready]
    if not ready:
        return Target(
            failed=Verdict.NAME_NOT_FOUND,
            ref=service.ref,
            why=f"headless Service {service.namespace}/{service.name} has no ready endpoint, "
            "so its name has no address (DNS-02)",
        )
    picked = ready[int(draw(probe.seed, "headless", service.ref) * len(ready))]
    return Target(picked.ip, port)


def _from_outside(cluster: Cluster, service: Service, port: int | None) -> Target:
    if service.lb_ips or service.load_balancer:
        ip = next((entry.ip for entry in service.load_balancer if entry.ip), "")
        if ip:
            return Target(ip, port)
    if service.external_ips:
        return Target(service.external_ips[0], port)
    if service.type == "LoadBalancer":
        return Target(
            failed=Verdict.NO_LB_PROVIDER,
            ref=service.ref,
            why=f"Service {service.namespace}/{service.name} has no address outside: EXTERNAL-IP is <pending> (SVC-06)",
        )
    node = next(iter(cluster.nodes.values()), None)
    if service.type == "NodePort" and node is not None:
        for one in service.ports:
            if port in (one.port, one.node_port):
                return Target(node.ip, one.node_port)
    return Target(service.ip, port)


def _name_target(cluster: Cluster, origin: Origin, probe: Probe) -> Target:
    name = probe.destination.name
    pod = origin.pod
    if pod is None or not uses_cluster_dns(pod):
        if in_domain(cluster, name) or "." not in name:
            return Target(
                failed=Verdict.NAME_NOT_FOUND,
                ref=origin.node.ref if origin.node else "internet",
                why=f"{name} is a name of the cluster's DNS, which this client does not ask (DNS-15)",
            )
        return outside_name(cluster, name, probe.destination.port)
    found = resolve(cluster, pod, name)
    if found.outside:
        target = outside_name(cluster, found.name, probe.destination.port)
        return target._replace(resolution=found)
    if not found.addresses:
        tried = ", ".join(f"{one} {rcode}" for one, rcode in found.tries)
        return Target(
            resolution=found, failed=Verdict.NAME_NOT_FOUND, ref=pod.ref, why=f"no address for {name}: {tried}"
        )
    port = probe.destination.port
    if found.service is not None:
        port = service_port(found.service, port)
        if found.service.headless and isinstance(probe.destination.port, str):
            port = _named_target(cluster, found.service, probe.destination.port)
    same = [ip for ip in found.addresses if family(ip) == family(pod.ip)] or list(found.addresses)
    picked = same[int(draw(probe.seed, "address", name) * len(same))]
    return Target(picked, _number(port), found)


def _named_target(cluster: Cluster, service: Service, name: str) -> int | None:
    for port in service.ports:
        if port.name == name:
            pods = [cluster.pods.get(_name(e.pod)) for e in cluster.endpoints(service) if e.pod]
            return next((target_port(port, pod) for pod in pods if pod), port.port)
    return None


def outside_name(cluster: Cluster, name: str, port: int | str | None) -> Target:
    """What public DNS is taken to say: hosts of Ingresses point at their controller."""
    host = name.lower().rstrip(".")
    for ingress in sorted(cluster.ingresses.values(), key=lambda i: (i.created, i.namespace, i.name)):
        if any(rule.host and host_matches(rule.host, host) for rule in ingress.rules):
            return _ingress_address(cluster, ingress, name, port)
    number = _number(port)
    for service in cluster.services.values():
        for entry in service.load_balancer:
            if entry.hostname == host and entry.ip:
                return Target(entry.ip, number)
    digest = hashlib.sha256(host.encode()).digest()
    return Target(
        f"203.0.113.{64 + digest[0] % 128}",
        number,
        assumed=(("outside-name", f"Public DNS is not asked; {name} is given an address of the documentation range."),),
    )


def _ingress_address(cluster: Cluster, ingress: Ingress, name: str, port: int | str | None) -> Target:
    service = controller_of(cluster, ingress)
    if service is None:
        return Target(
            failed=Verdict.NO_INGRESS_CONTROLLER,
            ref=ingress.ref,
            why=f"no controller serves Ingress {ingress.namespace}/{ingress.name}: "
            "the object alone moves no packet (ING-01)",
        )
    target = _from_outside(cluster, service, _number(port))
    note = ("public-dns", f"Public DNS is taken to point {name} at the Ingress controller's address.")
    return target._replace(assumed=(note,))
