"""What remedies look up: the objects a failed trace speaks of, and other ends to aim at."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.cluster import Cluster
from clusterviz.engine.datapath.controllers import selected
from clusterviz.engine.objects import Pod, Service, ServicePort
from clusterviz.engine.packet import IP
from clusterviz.engine.probe import Destination, Probe
from clusterviz.engine.remedies.edit import Situation
from clusterviz.engine.trace import Action

# Labels that controllers write: different on every pod, or after every roll-out.
PASSING = frozenset(
    {
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
    }
)


def stable_labels(pod: Pod) -> dict[str, str]:
    """The labels of a pod that its replacement will have too."""
    return {name: value for name, value in pod.labels.items() if name not in PASSING}


def service_of(situation: Situation) -> Service | None:
    """The Service that stopped the packet."""
    kind, _, rest = situation.ref.partition(":")
    namespace, _, name = rest.partition("/")
    return situation.cluster.services.get((namespace, name)) if kind == "service" else None


def pod_named(cluster: Cluster, text: str) -> Pod | None:
    """A pod by ``namespace/name``, or by its picture id."""
    namespace, _, name = text.removeprefix("pod:").partition("/")
    return cluster.pods.get((namespace, name))


def services_of(cluster: Cluster, pod: Pod) -> list[Service]:
    """The Services that select a pod, by name."""
    return [service for _, service in sorted(cluster.services.items()) if service.selector and _is_behind(service, pod)]


def _is_behind(service: Service, pod: Pod) -> bool:
    wanted = (service.selector or {}).items()
    return service.namespace == pod.namespace and all(pod.labels.get(name) == value for name, value in wanted)


def behind(cluster: Cluster, service: Service) -> list[Pod]:
    """Pods a Service selects that have not ended."""
    return [pod for pod in selected(cluster, service) if not pod.ended] if service.selector else []


def last_service(situation: Situation) -> tuple[Service, int] | None:
    """The Service whose rule rewrote the destination last, and the index of its port."""
    for hop in reversed(situation.trace.forward):
        for step in reversed(hop.steps):
            if step.action is Action.DNAT and step.rule is not None and step.rule.path.startswith("spec.ports["):
                namespace, _, name = step.rule.ref.removeprefix("service:").partition("/")
                service = situation.cluster.services.get((namespace, name))
                index = int(step.rule.path.removeprefix("spec.ports[").partition("]")[0])
                return (service, index) if service is not None and index < len(service.ports) else None
    return None


def called(situation: Situation) -> tuple[str, str]:
    """Source and destination address of the packet as it was sent first, "" when none was."""
    for hop in situation.trace.forward:
        for header in hop.headers_out or hop.headers_in:
            if isinstance(header, IP):
                return header.src, header.dst
    return "", ""


def near(wanted: str, known: Iterable[str], count: int = 2) -> list[str]:
    """Names that look like the wanted one, the likest first."""
    return difflib.get_close_matches(wanted, list(dict.fromkeys(known)), count, 0.6)


def aim(probe: Probe, *, ip: str, port: int | None, protocol: str = "") -> Probe:
    """The same call to another address; the host it asks for stays."""
    return msgspec.structs.replace(
        probe,
        destination=Destination(kind="ip", ip=ip, port=port),
        protocol=protocol or probe.protocol,
        request=probe.request if (protocol or probe.protocol) == "TCP" else None,
    )


def rename(probe: Probe, name: str) -> Probe:
    """The same call to another name."""
    request = msgspec.structs.replace(probe.request, host=name) if probe.request else None
    destination = Destination(kind="name", name=name, port=probe.destination.port)
    return msgspec.structs.replace(probe, destination=destination, request=request)


def typed(probe: Probe) -> str:
    """The destination as a person types it."""
    to = probe.destination
    host = to.ip or (f"{to.kind}:{to.namespace}/{to.name}" if to.kind in ("pod", "service") else to.name)
    host = f"node:{host}" if to.kind == "node" else host
    end = host_port(host, to.port) if isinstance(to.port, int) and to.ip else f"{host}:{to.port}" if to.port else host
    if probe.request is None or to.kind not in ("ip", "name"):
        return end
    return f"{probe.request.scheme}://{end}{probe.request.path}"


def outside_ends(cluster: Cluster, service: Service, version: int = 4) -> list[tuple[str, int, ServicePort]]:
    """Addresses and ports at which a client outside reaches a Service: balancer, externalIP, node port."""
    ips = [entry.address for entry in service.load_balancer if entry.address] + list(service.external_ips)
    found = [(ip, port.port, port) for ip in ips if family(ip) == version for port in service.ports]
    node = next((one for one in cluster.nodes.values() if one.ready and not one.down), None)
    own = [ip for ip in node.ips if family(ip) == version] if node else []
    return found + [(ip, port.node_port, port) for ip in own[:1] for port in service.ports if port.node_port]
