"""Remedies in how the cluster is set up, on its nodes, and in what is sent."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from clusterviz.engine.objects import CUT_ANNOTATION, DOWN_ANNOTATION, HUNG_ANNOTATION
from clusterviz.engine.remedies.edit import Edit, Situation, calling, patching, setting
from clusterviz.engine.remedies.look import aim, behind, called, pod_named, service_of, services_of, typed

Found = Iterator[Edit]


def hairpin(_: Situation) -> Found:
    """Let the bridge send a frame back through the port it came from (PX-06)."""
    yield setting(
        "hairpin",
        True,
        "Switch hairpin mode on at the bridge ports of pods.",
        "The pod drew itself behind its own Service; only in hairpin mode the bridge hands the packet back to it.",
    )


def egress_nat(_: Situation) -> Found:
    """Masquerade what leaves the pod network (EGR-01, EGR-05)."""
    yield setting(
        "egress_nat",
        True,
        "Masquerade what leaves the cluster.",
        "Outside, nobody has a route to pod addresses; with the node's address as sender the answer comes back.",
    )


def mtu(situation: Situation) -> Found:
    """Smaller packets, or a wire that carries larger ones (NET-07, NET-13)."""
    settings, probe = situation.cluster.settings, situation.asked.probe
    largest = settings.pod_mtu
    why = f"The encapsulation adds {settings.mtu - largest} bytes, and the wire carries {settings.mtu}."
    smaller = msgspec.structs.replace(probe, length=largest)
    yield calling(smaller, "", f"Send packets of at most {largest} bytes: MTU {largest} in the pods.", why)
    wanted = probe.length + settings.mtu - largest
    yield setting("mtu", wanted, f"Raise the MTU of the node network to {wanted}.", why)


def node_down(situation: Situation) -> Found:
    """The node comes back (NOD-05)."""
    name = situation.ref.removeprefix("node:")
    node = situation.cluster.nodes.get(name)
    if node is None or not node.down:
        return
    yield patching(
        ("Node", "", name),
        {"metadata": {"annotations": {DOWN_ANNOTATION: None}}},
        f"Bring node {name} back.",
        "The annotation is ClusterViz's way to switch a machine off; a real node has to be started.",
        weight=1000,
    )


def link(situation: Situation) -> Found:
    """The cut link between two nodes is joined again (NOD-08)."""
    ends = [str(situation.fact(end)) for end in ("near", "target")]
    for name, other in (ends, ends[::-1]):
        node = situation.cluster.nodes.get(name)
        if node is None or other not in node.cut:
            continue
        left = ", ".join(one for one in node.cut if one != other)
        yield patching(
            ("Node", "", name),
            {"metadata": {"annotations": {CUT_ANNOTATION: left or None}}},
            f"Repair the link between {name} and {other}.",
            "The annotation is ClusterViz's way to cut a link. No object of a real cluster mends one: "
            "look at cables, switches and the rules of the network between the two nodes.",
            weight=1000,
        )


def ping(situation: Situation) -> Found:
    """What a virtual address does answer (PX-11)."""
    service = service_of(situation)
    _, target = called(situation)
    if service is None or not target:
        return
    for port in service.ports[:2]:
        other = aim(situation.asked.probe, ip=target, port=port.port, protocol=port.protocol)
        yield calling(
            other,
            typed(other),
            f"Try port {port.port}/{port.protocol} instead of a ping.",
            "A Service address is only a rule for its ports; that a ping fails says nothing about the Service.",
            ref=service.ref,
        )


def other_pods(situation: Situation) -> Found:
    """The Service in front of a pod that cannot answer: it knows which pods can (PX-16)."""
    pod = pod_named(situation.cluster, situation.ref) if situation.ref.startswith("pod:") else None
    port = situation.asked.probe.destination.port
    for service in services_of(situation.cluster, pod) if pod is not None else ():
        fitting = [one for one in service.ports if port in (one.target, one.port)] or list(service.ports)
        for ip in service.cluster_ips[:1]:
            other = aim(situation.asked.probe, ip=ip, port=fitting[0].port)
            name = f"{service.namespace}/{service.name}"
            why = "It sends to pods that are ready."
            yield calling(other, typed(other), f"Call Service {name} instead of one pod.", why, ref=service.ref)


def restart(situation: Situation) -> Found:
    """The process is started anew (EPS-04)."""
    pod = pod_named(situation.cluster, situation.ref) if situation.ref.startswith("pod:") else None
    if pod is None:
        return
    yield patching(
        ("Pod", pod.namespace, pod.name),
        {"metadata": {"annotations": {HUNG_ANNOTATION: None}}},
        f"Restart the process of pod {pod.namespace}/{pod.name}.",
        "The annotation is ClusterViz's way to let a process hang; a real one has to be restarted.",
        weight=500,
    )


def gone(situation: Situation) -> Found:
    """A hand-written endpoint nobody has, or a pod that got another address (PX-17)."""
    _, first = called(situation)
    address = str(situation.fact("address"))
    for (namespace, name), slices in sorted(situation.cluster.slices_by_service.items()):
        for one in slices:
            key = ("EndpointSlice", namespace, one.name)
            entries = (situation.cluster.objects.get(key) or {}).get("endpoints") or []
            left = [entry for entry in entries if address not in map(str, entry.get("addresses") or ())]
            if first != address and left and len(left) < len(entries):
                yield patching(
                    key,
                    {"endpoints": left},
                    f"Take {address} out of EndpointSlice {namespace}/{one.name}.",
                    f"No pod has that address, yet Service {namespace}/{name} sends to it.",
                )
    port = situation.asked.probe.destination.port
    known = [
        service
        for _, service in sorted(situation.cluster.services.items())
        if service.cluster_ips and any(one.target == port for one in service.ports)
        if any(pod.ready for pod in behind(situation.cluster, service))
    ]
    if first == address and len(known) == 1:
        number = next(one.port for one in known[0].ports if one.target == port)
        other = aim(situation.asked.probe, ip=known[0].ip, port=number)
        title = f"Call Service {known[0].namespace}/{known[0].name}, the only one whose pods have port {port}."
        yield calling(other, typed(other), title, "Addresses of pods change whenever one is replaced.")
