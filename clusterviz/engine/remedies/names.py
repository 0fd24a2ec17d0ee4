"""Remedies against a name that leads nowhere, and against an address nobody outside reaches."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.resolver import uses_cluster_dns
from clusterviz.engine.objects import Key, Obj, Pod, Service
from clusterviz.engine.probe import Probe
from clusterviz.engine.remedies.edit import Edit, Situation, calling, creating, patching
from clusterviz.engine.remedies.look import (
    aim,
    called,
    near,
    outside_ends,
    pod_named,
    rename,
    service_of,
    services_of,
    typed,
)
from clusterviz.engine.remedies.service import key, no_endpoints

Found = Iterator[Edit]


def not_found(situation: Situation) -> Found:
    """The full name, the name that was meant, the resolver that knows it, or pods behind a headless Service."""
    if service_of(situation) is not None:
        yield from no_endpoints(situation)
        return
    probe, cluster = situation.asked.probe, situation.cluster
    if probe.destination.kind != "name":
        return
    name = probe.destination.name.rstrip(".").removesuffix("." + cluster.settings.cluster_domain).removesuffix(".svc")
    first, _, namespace = name.partition(".")
    pod = _asker(situation)
    if pod is None:
        yield from _from_outside(situation, first, namespace)
        return
    if not uses_cluster_dns(cluster, pod):
        yield from _use_cluster_dns(situation, pod)
    yield from _meant(situation, pod, first, namespace)
    headless = cluster.services.get((namespace or pod.namespace, first))
    if headless is not None:
        blocker = msgspec.structs.replace(situation.trace.blockers[0], ref=headless.ref)
        yield from no_endpoints(Situation(cluster, situation.trace.but(blockers=(blocker,)), situation.asked))


def _asker(situation: Situation) -> Pod | None:
    source = situation.asked.probe.source
    if source.kind in ("external", "node"):
        return None
    return pod_named(situation.cluster, situation.ref) or situation.cluster.pods.get((source.namespace, source.name))


def _meant(situation: Situation, pod: Pod, first: str, namespace: str) -> Found:
    """Services of the same name elsewhere, then names that look like it (DNS-12, DNS-13)."""
    services, probe = situation.cluster.services, situation.asked.probe
    elsewhere = [ns for ns, name in sorted(services) if name == first and ns not in (pod.namespace, namespace)]
    for other in elsewhere[:3]:
        yield _call_name(
            probe, f"{first}.{other}", f"A short name is looked for in the caller's own namespace, {pod.namespace}."
        )
    own = namespace or pod.namespace
    for name in near(first, sorted(name for ns, name in services if ns == own and name != first)):
        yield _call_name(probe, f"{name}.{namespace}" if namespace else name, "That Service exists.")
    spaces = sorted({ns for ns, name in services if name == first})
    for other in near(namespace, spaces, 1) if namespace else ():
        if other not in elsewhere:
            yield _call_name(probe, f"{first}.{other}", "That Service exists.")
    full = sorted(f"{name}.{ns}" for ns, name in services)
    for name in near(f"{first}.{own}", full, 1):
        yield _call_name(probe, name, "That Service exists.")


def _call_name(probe: Probe, name: str, why: str) -> Edit:
    other = rename(probe, name)
    return calling(other, typed(other), f"Call it by the name {name}.", why)


def _use_cluster_dns(situation: Situation, pod: Pod) -> Found:
    """DnsPolicy of the caller (DNS-15); the field of a running pod cannot be changed."""
    value = "ClusterFirstWithHostNet" if pod.host_network else "ClusterFirst"
    why = f"With dnsPolicy {pod.dns_policy} the pod asks its node's resolver, which knows no name of the cluster."
    own: Key = ("Pod", pod.namespace, pod.name)
    workload = situation.cluster.workload_of(pod)
    if workload is None:
        obj = situation.cluster.objects[own]
        spec: Obj = {**(obj.get("spec") or {}), "dnsPolicy": value}
        title = f"Make pod {pod.namespace}/{pod.name} anew with dnsPolicy {value}."
        yield creating({**obj, "spec": spec}, title, why, replace=True)
        return
    template = {"spec": {"template": {"spec": {"dnsPolicy": value}}}}
    yield patching(
        (workload.kind, workload.namespace, workload.name),
        template,
        f"Set dnsPolicy {value} in {workload.kind} {workload.namespace}/{workload.name}.",
        why,
        then=((own, {"spec": {"dnsPolicy": value}}),),
    )


def _from_outside(situation: Situation, first: str, namespace: str) -> Found:
    for (ns, name), service in sorted(situation.cluster.services.items()):
        if name == first and namespace in ("", ns):
            yield from _expose(situation, service)


def no_route(situation: Situation) -> Found:
    """Another address of the same thing: of the family the caller has, or one that is routed outside (SVC-16)."""
    source, target = called(situation)
    if not target:
        return
    if family(source) != family(target):
        yield from _other_family(situation, family(source), target)
        return
    if situation.asked.probe.source.kind != "external":
        return
    service = next((one for one, _ in situation.cluster.services_by_ip.get(target, ())), None)
    pod = situation.cluster.pod_by_ip.get(target)
    for one in [service] if service else services_of(situation.cluster, pod) if pod else []:
        yield from _expose(situation, one)


def _other_family(situation: Situation, version: int, target: str) -> Found:
    cluster, probe = situation.cluster, situation.asked.probe
    pod, node = cluster.pod_by_ip.get(target), cluster.node_by_ip.get(target)
    services = [one for one, via in cluster.services_by_ip.get(target, ()) if via == "cluster"]
    ips = pod.ips if pod else node.ips if node else services[0].cluster_ips if services else ()
    port = probe.destination.port if isinstance(probe.destination.port, int) else None
    for ip in [ip for ip in ips if family(ip) == version][:1]:
        other = aim(probe, ip=ip, port=port)
        why = f"The caller has IPv{version} only; this is the same one's IPv{version} address."
        yield calling(other, typed(other), f"Call {ip} instead.", why)
    if not any(family(ip) == version for ip in ips) and services:
        families = (4, 6) if version == 6 else (6, 4)
        if set(families) == set(cluster.settings.families):
            yield _second_family(services[0])


def _second_family(service: Service) -> Edit:
    """A Service with addresses of both families; what is allocated is kube-apiserver's work."""
    return patching(
        key(service),
        {"spec": {"ipFamilyPolicy": "PreferDualStack"}},
        f"Make Service {service.namespace}/{service.name} dual-stack.",
        "Then it gets an address of the other family too, if the cluster has a range for it (SVC-16).",
    )


def _expose(situation: Situation, service: Service) -> Found:
    """The address outsiders use, and if there is none a node port (SVC-04, SVC-05, SVC-06)."""
    source, _ = called(situation)
    version = family(source) if source else 4
    name = f"{service.namespace}/{service.name}"
    ends = outside_ends(situation.cluster, service, version)
    for ip, port, _ in ends[:2]:
        other = aim(situation.asked.probe, ip=ip, port=port)
        yield calling(
            other,
            typed(other),
            f"Call {host_port(ip, port)}, where Service {name} is open to the outside.",
            "Addresses of pods and ClusterIPs are known inside the cluster only.",
            ref=service.ref,
        )
    if ends or service.headless or service.type == "ExternalName":
        return
    opened = patching(
        key(service),
        {"spec": {"type": "NodePort"}},
        f"Make Service {name} a NodePort.",
        "A ClusterIP is known inside the cluster only; a node port is open on every node's own address.",
    )
    after = opened.applied(situation.cluster)
    for ip, port, _ in outside_ends(after, after.services[service.namespace, service.name], version)[:1]:
        other = aim(situation.asked.probe, ip=ip, port=port)
        call = calling(other, typed(other), f"Call {host_port(ip, port)}.", "The node port kube-apiserver gave it.")
        yield msgspec.structs.replace(opened, also=call)
