"""Remedies at a Service: its selector, its ports, its traffic policies, the pods behind it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import msgspec

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.lacking import is_managed
from clusterviz.engine.datapath.lookup import answers
from clusterviz.engine.endpoints import target_port
from clusterviz.engine.objects import LISTEN_ANNOTATION, Key, Obj, Pod, Service, ServicePort
from clusterviz.engine.remedies.edit import Edit, Situation, calling, patching
from clusterviz.engine.remedies.look import (
    aim,
    behind,
    called,
    last_service,
    pod_named,
    service_of,
    stable_labels,
    typed,
)
from clusterviz.engine.selectors import parse_selector, text

Found = Iterator[Edit]


def key(service: Service) -> Key:
    """The key of a Service."""
    return "Service", service.namespace, service.name


def no_endpoints(situation: Situation) -> Found:
    """Nobody ready is behind the Service: other pods, more pods, or those that are not ready (EPS-01, PX-07)."""
    service = service_of(situation)
    if service is None:
        return
    slices = situation.cluster.slices_by_service.get((service.namespace, service.name), [])
    if not all(map(is_managed, slices)):
        yield from _own_slices(situation, service)
        return
    pods = behind(situation.cluster, service)
    if not pods:
        yield from _scale(situation, service)
        yield from _reselect(situation, service)
        return
    yield from _named_port(situation, service, pods)
    yield from _get_ready(situation, pods)
    if any(pod.ips and not pod.ready for pod in pods) and not service.publish_not_ready:
        yield patching(
            key(service),
            {"spec": {"publishNotReadyAddresses": True}},
            f"Let Service {_name(service)} send to pods that are not ready.",
            "Its pods fail their readiness probe; better than this is to find out why: "
            f"kubectl describe pod -n {service.namespace} {next(p.name for p in pods if not p.ready)}.",
            weight=3000,
        )


def _get_ready(situation: Situation, pods: list[Pod]) -> Found:
    """The condition kubelet writes once the readiness probe passes."""
    for pod in [pod for pod in pods if pod.ips and pod.phase == "Running" and not pod.ready][:1]:
        own: Key = ("Pod", pod.namespace, pod.name)
        given = (situation.cluster.objects[own].get("status") or {}).get("conditions") or []
        kept = [entry for entry in given if entry.get("type") != "Ready"]
        edit = patching(
            own,
            {"status": {"conditions": [*kept, {"type": "Ready", "status": "True"}]}},
            f"Make pod {pod.namespace}/{pod.name} ready.",
            "Its readiness probe fails, and its events say how; kubelet sets the condition once the probe passes.",
        )
        told = msgspec.structs.replace(edit.fix, command=f"kubectl describe pod -n {pod.namespace} {pod.name}")
        yield msgspec.structs.replace(edit, fix=told)


def _own_slices(situation: Situation, service: Service) -> Found:
    for one in situation.cluster.slices_by_service[service.namespace, service.name]:
        found: Key = ("EndpointSlice", service.namespace, one.name)
        obj = situation.cluster.objects.get(found)
        entries = (obj or {}).get("endpoints") or []
        if entries and not any((entry.get("conditions") or {}).get("ready", True) for entry in entries):
            ready = [{**entry, "conditions": {**(entry.get("conditions") or {}), "ready": True}} for entry in entries]
            yield patching(
                found,
                {"endpoints": ready},
                f"Mark the endpoints of EndpointSlice {service.namespace}/{one.name} ready.",
                "The slice was written by hand, so no controller looks after its conditions (SVC-12).",
            )


def _scale(situation: Situation, service: Service) -> Found:
    """Workloads whose template fits the selector, and that have no pods."""
    cluster = situation.cluster
    for (kind, namespace, name), workload in sorted(cluster.workloads.items()):
        obj = cluster.objects[kind, namespace, name]
        template = ((obj.get("spec") or {}).get("template") or {}).get("metadata") or {}
        labels = {str(label): text(value) for label, value in (template.get("labels") or {}).items()}
        fits = all(labels.get(label) == value for label, value in (service.selector or {}).items())
        if workload.replicas or namespace != service.namespace or workload.owner[0] or not service.selector or not fits:
            continue
        yield patching(
            (kind, namespace, name),
            {"spec": {"replicas": 1}},
            f"Scale {kind} {namespace}/{name} up to 1.",
            f"Service {_name(service)} selects its pods and it is scaled to 0.",
            grow=True,
        )


def _reselect(situation: Situation, service: Service) -> Found:
    """The selector as it would fit the pods that come nearest to it."""
    asked = service.selector or {}
    known: dict[tuple[tuple[str, str], ...], Pod] = {}
    for _, pod in sorted(situation.cluster.pods.items()):
        if pod.namespace == service.namespace and not pod.ended and pod.labels:
            known.setdefault(tuple(sorted(stable_labels(pod).items())), pod)
    near = sorted(known.values(), key=lambda pod: -_likeness(service, pod))
    for pod in near[:2]:
        labels = stable_labels(pod)
        wanted = {label: labels.get(label) for label in asked}
        if not any(wanted.values()):
            wanted |= labels
        said = ", ".join(f"{label}={value}" for label, value in wanted.items() if value is not None)
        if _likeness(service, pod) < 1.0 or not said:
            continue
        yield patching(
            key(service),
            {"spec": {"selector": wanted}},
            f"Let Service {_name(service)} select {said}.",
            f"Its selector {_said(asked)} matches no pod; these labels are those of pod {pod.namespace}/{pod.name}.",
        )


def _likeness(service: Service, pod: Pod) -> float:
    """How near the labels and the name of a pod come to what a Service selects and is called."""
    asked = service.selector or {}
    score = difflib.SequenceMatcher(None, service.name, pod.name).ratio() * 2
    for label, value in asked.items():
        ratio = difflib.SequenceMatcher(None, value, pod.labels.get(label, "")).ratio()
        score += 1 if ratio == 1 else ratio - 0.5
    return score


def _named_port(situation: Situation, service: Service, pods: list[Pod]) -> Found:
    """TargetPort is a name that no pod has (SVC-10)."""
    for index, port in enumerate(service.ports):
        if not isinstance(port.target, str) or any(target_port(port, pod) for pod in pods):
            continue
        numbers = dict.fromkeys(one.port for pod in pods for one in pod.ports if one.protocol == port.protocol)
        for number in list(numbers)[:2]:
            yield _retarget(
                situation,
                service,
                index,
                number,
                f"No container port of its pods is named {port.target}; {number} is declared (SVC-10).",
            )


def _ports(situation: Situation, service: Service) -> list[Obj]:
    obj = situation.cluster.objects[key(service)]
    return [dict(port) for port in (obj.get("spec") or {}).get("ports") or []]


def _retarget(situation: Situation, service: Service, index: int, number: int, why: str) -> Edit:
    ports = _ports(situation, service)
    ports[index]["targetPort"] = number
    return patching(
        key(service),
        {"spec": {"ports": ports}},
        f"Set targetPort of port {service.ports[index].port} of Service {_name(service)} to {number}.",
        why,
    )


def local_policy(situation: Situation) -> Found:
    """No endpoint on the node that got the packet, and only local ones are allowed (PX-05, PX-07)."""
    service = service_of(situation)
    if service is None:
        return
    for field, value in (
        ("internalTrafficPolicy", service.internal_policy),
        ("externalTrafficPolicy", service.external_policy),
    ):
        if value == "Local":
            yield patching(
                key(service),
                {"spec": {field: "Cluster"}},
                f"Set {field} of Service {_name(service)} to Cluster.",
                "With Local a node sends only to pods of its own and throws the rest away."
                + (" The pods no longer see the client's address then." if field.startswith("external") else ""),
            )


def source_range(situation: Situation) -> Found:
    """One more range for the client (SVC-17)."""
    service, source = service_of(situation), str(situation.fact("source"))
    if service is None or not source:
        return
    given = (situation.cluster.objects[key(service)].get("spec") or {}).get("loadBalancerSourceRanges") or []
    cidr = f"{source}/{32 if family(source) == 4 else 128}"
    yield patching(
        key(service),
        {"spec": {"loadBalancerSourceRanges": [*given, cidr]}},
        f"Add {cidr} to loadBalancerSourceRanges of Service {_name(service)}.",
        f"{source} is in none of the ranges that may use the load balancer address.",
    )


def unknown_port(situation: Situation) -> Found:
    """Call a port the Service has, or give it the one that was called (PX-11)."""
    service = service_of(situation)
    port = situation.trace.probe.destination.port
    if service is None or not isinstance(port, int):
        return
    probe = situation.asked.probe
    if situation.trace is situation.asked:
        wanted = sorted(
            service.ports, key=lambda one: (one.protocol != probe.protocol, one.target != port, one.port != port)
        )
        for one in wanted[:3]:
            yield _other_port(situation, service, one)
    yield _more_ports(situation, service, port)


def _other_port(situation: Situation, service: Service, one: ServicePort) -> Edit:
    probe = situation.asked.probe
    destination = msgspec.structs.replace(probe.destination, port=one.port)
    request = probe.request if one.protocol == "TCP" else None
    other = msgspec.structs.replace(probe, destination=destination, protocol=one.protocol, request=request)
    return calling(
        other,
        typed(other),
        f"Call port {one.port}/{one.protocol} of Service {_name(service)}.",
        f"That is a port it has; {one.target} is only the port of its pods."
        if one.target == probe.destination.port
        else "That is a port it has.",
        ref=service.ref,
        weight=10 * service.ports.index(one),
    )


def _more_ports(situation: Situation, service: Service, port: int) -> Edit:
    protocol = situation.trace.probe.protocol
    declared = {one.port for pod in behind(situation.cluster, service) for one in pod.ports}
    ports = _ports(situation, service)
    for one in ports:
        one.setdefault("name", f"port-{one.get('port')}-{str(one.get('protocol') or 'TCP').lower()}")
    targets = [one.target for one in service.ports if one.port == port]
    targets += [port] if port in declared or not service.ports else []
    targets += [one.target for one in service.ports if one.protocol == protocol]
    target = targets[0] if targets else port
    name = f"port-{port}-{protocol.lower()}"
    added: Obj = {"name": name, "port": port, "protocol": protocol, "targetPort": target}
    return patching(
        key(service),
        {"spec": {"ports": [*ports, added] if ports else [added]}},
        f"Give Service {_name(service)} a port {port}/{protocol}.",
        f"It has no such port; the new one leads to port {target} of its pods.",
        weight=300,
    )


def nobody_listening(situation: Situation) -> Found:
    """Aim at a port that is open (IMP-04, NET-03)."""
    pod, port = pod_named(situation.cluster, str(situation.fact("pod"))), situation.fact("port")
    protocol = situation.trace.probe.protocol
    if pod is None:
        yield from _node_port(situation)
        return
    found = last_service(situation)
    for number in _open(pod, protocol)[:3]:
        if found is not None:
            why = f"Nothing in the pod listens on {port}, but something on {number}."
            yield _retarget(situation, *found, number, why)
        else:
            own = pod.ip if not situation.trace.probe.destination.ip else situation.trace.probe.destination.ip
            other = aim(situation.asked.probe, ip=own, port=number)
            yield calling(
                other,
                host_port(own, number),
                f"Call port {number} of pod {pod.namespace}/{pod.name}.",
                f"Nothing in the pod listens on {port}, but something on {number}: another application, perhaps.",
                ref=pod.ref,
                weight=300,
            )
    yield from _bind(situation, pod, port, protocol)


def _open(pod: Pod, protocol: str) -> list[int]:
    if pod.listen is not None:
        entries = [entry.rpartition(":") for entry in pod.listen]
        return [int(number) for host, _, number in entries if host != "127.0.0.1" and number.isdecimal()]
    return list(dict.fromkeys(one.port for one in pod.ports if one.protocol == protocol))


def _bind(situation: Situation, pod: Pod, port: object, protocol: str) -> Found:
    """A process that listens on loopback only, or of which the objects say nothing."""
    name = f"{pod.namespace}/{pod.name}"
    if f"127.0.0.1:{port}" in (pod.listen or ()):
        entries = [str(port) if entry == f"127.0.0.1:{port}" else entry for entry in pod.listen or ()]
        title = f"Let the process of pod {name} listen on every address, not on 127.0.0.1 alone."
        why = "From other pods a port on loopback is closed; the annotation tells ClusterViz where the process listens."
        weight = 0
    else:
        weight = 2000
        entries = list(dict.fromkeys([*(pod.listen or (str(one.port) for one in pod.ports)), str(port)]))
        title = f"Let a process of pod {name} listen on {'' if protocol == 'TCP' else f'{protocol} '}port {port}."
        why = "No object says that one does. If one does, this annotation tells ClusterViz so."
    annotation: Obj = {"metadata": {"annotations": {LISTEN_ANNOTATION: ", ".join(entries)}}}
    pods = tuple(_same_owner(situation, pod))
    yield patching(pods[0], annotation, title, why, weight=weight, then=tuple((one, annotation) for one in pods[1:]))


def _same_owner(situation: Situation, pod: Pod) -> Iterator[Key]:
    yield "Pod", pod.namespace, pod.name
    workload = situation.cluster.workload_of(pod)
    if workload is not None:
        pods = situation.cluster.pods_of_workload.get((workload.kind, workload.namespace, workload.name), [])
        yield from (("Pod", one.namespace, one.name) for one in pods if one.name != pod.name)


def _node_port(situation: Situation) -> Found:
    """The ports of a node somebody has: those of its pods, and the node ports that come nearest (NET-02)."""
    port, probe, cluster = situation.fact("port"), situation.asked.probe, situation.cluster
    if not isinstance(port, int):
        return
    to = called(situation)[1]
    served = _serves_node_ports(situation, to)
    known = [
        (abs(number - port), number, f"node port {number}, that of Service {_name(service)}", service.ref, served)
        for (protocol, number), (service, index) in cluster.services_by_node_port.items()
        if protocol == probe.protocol
        and served
        and family(served) in map(family, service.cluster_ips)
        and (abs(number - port) <= 10 or port in (service.ports[index].port, service.ports[index].target))
    ]
    known += [
        (0, number, f"port {number} of pod {pod.namespace}/{pod.name}", pod.ref, to)
        for pod in cluster.host_pods.get(str(situation.fact("node")), ())
        for number in _open(pod, probe.protocol)
    ]
    for _, number, title, ref, ip in sorted(known)[:2]:
        if (ip, number) == (to, port):
            continue
        if ip == to:
            destination = msgspec.structs.replace(probe.destination, port=number)
            other, where = msgspec.structs.replace(probe, destination=destination), ""
            why = f"No process of the node listens on {port}."
        else:
            other, where = aim(probe, ip=ip, port=number), f", at {ip}"
            why = f"Node ports do not answer at {to} here."
        yield calling(other, typed(other), f"Call {title}{where}.", why, ref=ref)


def _serves_node_ports(situation: Situation, to: str) -> str:
    """The address that was called when node ports answer there, else one of the node where they do (PX-12)."""
    cluster = situation.cluster
    node = cluster.nodes.get(str(situation.fact("node")))
    if node is None or not to or answers(cluster, node, to):
        return to
    return next((ip for ip in node.ips if family(ip) == family(to) and answers(cluster, node, ip)), "")


def _name(service: Service) -> str:
    return f"{service.namespace}/{service.name}"


def _said(selector: dict[str, str]) -> str:
    return str(parse_selector({"matchLabels": selector}, field="spec.selector"))
