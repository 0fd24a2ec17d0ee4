"""Last resorts: what helps when nothing nearer does. Each is a guess at what was meant, and told as one."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from clusterviz.engine.addresses import family
from clusterviz.engine.cluster import Cluster
from clusterviz.engine.endpoints import target_port
from clusterviz.engine.objects import Pod, Service
from clusterviz.engine.remedies.edit import Edit, Situation, calling, creating, patching
from clusterviz.engine.remedies.look import (
    aim,
    behind,
    called,
    service_of,
    services_of,
    stable_labels,
    typed,
)
from clusterviz.engine.remedies.service import key

Found = Iterator[Edit]
LAST = 5000


def other_service(situation: Situation) -> Found:
    """The only Service with the port that was called, in place of an address nobody has (PX-11, PX-17)."""
    _, address = called(situation)
    to, cluster = situation.asked.probe.destination, situation.cluster
    owners = (cluster.pod_by_ip, cluster.node_by_ip, cluster.services_by_ip)
    if not address or to.ip != address or any(address in owned for owned in owners):
        return
    known = [one for one in _offering(cluster, to.port) if any(family(ip) == family(address) for ip in one.cluster_ips)]
    if len(known) == 1:
        service = known[0]
        ip = next(ip for ip in service.cluster_ips if family(ip) == family(address))
        other = aim(situation.asked.probe, ip=ip, port=to.port if isinstance(to.port, int) else None)
        title = f"Call Service {service.namespace}/{service.name}, the only one with port {to.port} and ready pods."
        yield calling(other, typed(other), title, f"Nobody has the address {address}.", ref=service.ref, weight=LAST)


def _offering(cluster: Cluster, port: int | str | None, namespace: str = "") -> list[Service]:
    """Services with the port and ready pods behind it, by name; of a namespace where one is given."""
    return [
        service
        for _, service in sorted(cluster.services.items())
        if namespace in ("", service.namespace) and any(one.port == port for one in service.ports)
        if any(pod.ready for pod in behind(cluster, service))
    ]


def named_alike(situation: Situation) -> Found:
    """A second name for the only Service of the namespace with the port that was called (DNS-01)."""
    probe, cluster = situation.asked.probe, situation.cluster
    pod = cluster.pods.get((probe.source.namespace, probe.source.name))
    if probe.destination.kind != "name" or pod is None:
        return
    name = probe.destination.name.rstrip(".").removesuffix("." + cluster.settings.cluster_domain).removesuffix(".svc")
    first, _, given = name.partition(".")
    namespace = given or pod.namespace
    if "." in namespace or (namespace, first) in cluster.services or namespace not in cluster.namespace_names:
        return
    known = _offering(cluster, probe.destination.port, namespace)
    if len(known) != 1:
        return
    spec = cluster.objects[key(known[0])]["spec"]
    ports = [{name: value for name, value in port.items() if name != "nodePort"} for port in spec["ports"]]
    made = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": first, "namespace": namespace},
        "spec": {"selector": spec["selector"], "ports": copy.deepcopy(ports)},
    }
    yield creating(
        made,
        f"Create a Service {namespace}/{first} in front of the pods of {known[0].name}.",
        f"No Service is called {first}, and {namespace}/{known[0].name} is the only one with port "
        f"{probe.destination.port}: perhaps that was meant.",
        weight=LAST,
    )


def selected(situation: Situation) -> Found:
    """The only pods of the namespace that declare the ports of a Service that selects none (SVC-10, EPS-01)."""
    cluster, source, service = situation.cluster, situation.asked.probe.source, service_of(situation)
    if service is None or not service.selector or behind(cluster, service):
        return
    known: dict[tuple[tuple[str, str], ...], Pod] = {}
    for name, pod in sorted(cluster.pods.items()):
        if pod.namespace != service.namespace or pod.ended or name == (source.namespace, source.name):
            continue
        declared = {(one.port, one.protocol) for one in pod.ports}
        fits = all((target_port(port, pod), port.protocol) in declared for port in service.ports)
        if fits and pod.labels and not pod.host_network:
            known.setdefault(tuple(sorted(stable_labels(pod).items())), pod)
    if len(known) != 1:
        return
    labels, pod = next(iter(known.items()))
    wanted = dict.fromkeys(service.selector or {}) | dict(labels)
    said = ", ".join(f"{label}={value}" for label, value in labels)
    front = [one.name for one in services_of(cluster, pod)]
    yield patching(
        key(service),
        {"spec": {"selector": wanted}},
        f"Let Service {service.namespace}/{service.name} select {said}.",
        f"No pod has the labels it selects; these are the only pods with its ports"
        f"{', those of Service ' + front[0] if front else ''}.",
        weight=LAST,
    )
