"""Remedies at the edge: load balancers, Ingresses and their controllers."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import msgspec

from clusterviz.engine.datapath.controllers import KNOWN, is_controller
from clusterviz.engine.objects import Ingress, Key, Obj
from clusterviz.engine.probe import Destination
from clusterviz.engine.remedies.edit import Edit, Situation, calling, creating, patching, setting
from clusterviz.engine.remedies.look import near, outside_ends, service_of, typed
from clusterviz.engine.remedies.service import key, no_endpoints

Found = Iterator[Edit]


def no_provider(situation: Situation) -> Found:
    """Somebody who gives the address, or the node port that is there already (SVC-06)."""
    service, probe = service_of(situation), situation.asked.probe
    if service is None:
        return
    for ip, port, _ in outside_ends(situation.cluster, service)[:1]:
        destination = Destination(kind="ip", ip=ip, port=port)
        other = msgspec.structs.replace(probe, destination=destination)
        title = f"Call node port {port} of a node: Service {service.namespace}/{service.name} has it already."
        yield calling(other, typed(other), title, "Every LoadBalancer Service is a NodePort too.", ref=service.ref)
    if not situation.cluster.settings.load_balancer_provider:
        why = "Nobody answers type LoadBalancer here: a cloud or MetalLB would give an address."
        yield setting("load_balancer_provider", True, "Install a load balancer provider.", why, grow=True)


def no_backend(situation: Situation) -> Found:
    """Nodes that pass the balancer's health check (PX-14, PX-15)."""
    service = service_of(situation)
    if service is not None and service.external_policy == "Local":
        yield from no_endpoints(situation)
        yield patching(
            key(service),
            {"spec": {"externalTrafficPolicy": "Cluster"}},
            f"Set externalTrafficPolicy of Service {service.namespace}/{service.name} to Cluster.",
            "With Local only nodes with a ready pod of their own pass the health check.",
        )


def no_controller(situation: Situation) -> Found:
    """A class somebody serves (ING-01)."""
    ingress = _ingress(situation)
    if ingress is None:
        return
    here: Key = ("Ingress", ingress.namespace, ingress.name)
    for name in sorted(name for _, name in situation.cluster.ingress_classes if name != ingress.ingress_class)[:3]:
        yield patching(
            here,
            {"spec": {"ingressClassName": name}},
            f"Set ingressClassName of Ingress {ingress.namespace}/{ingress.name} to {name}.",
            "An Ingress does nothing until a controller serves its class; that class has one.",
        )
    pods = situation.cluster.pods.values()
    for controller, app in KNOWN.items():
        if not any(is_controller(pod, app) for pod in pods):
            continue
        name = ingress.ingress_class or app
        made: Obj = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": name},
            "spec": {"controller": controller},
        }
        if not ingress.ingress_class:
            made["metadata"]["annotations"] = {"ingressclass.kubernetes.io/is-default-class": "true"}
        why = f"Pods of {app} run, but no IngressClass gives them this Ingress."
        yield creating(made, f"Create IngressClass {name} for {controller}.", why)


def _ingress(situation: Situation) -> Ingress | None:
    kind, _, rest = situation.ref.partition(":")
    namespace, _, name = rest.partition("/")
    return situation.cluster.ingresses.get((namespace, name)) if kind == "ingress" else None


def no_rule(situation: Situation) -> Found:
    """A URL some rule fits, or one more path (ING-02, ING-05, ING-08)."""
    request, probe = situation.asked.probe.request, situation.asked.probe
    if request is None:
        return
    rules = [
        (one.namespace, one.name, rule, path)
        for _, one in sorted(situation.cluster.ingresses.items())
        for rule in one.rules
        for path in rule.paths
    ]
    known = {f"{rule.host or request.host}{path.path}": (rule, path) for _, _, rule, path in rules}
    for url in near(request.host + request.path, known) or list(known)[:1]:
        rule, path = known[url]
        host = rule.host.replace("*", "www") or request.host
        other = msgspec.structs.replace(probe, request=msgspec.structs.replace(request, host=host, path=path.path))
        if probe.destination.kind == "name":
            renamed = msgspec.structs.replace(probe.destination, name=host)
            other = msgspec.structs.replace(other, destination=renamed)
        yield calling(
            other, f"{request.scheme}://{host}{path.path}", f"Ask for {host}{path.path}.", "An Ingress rule is there."
        )
    for namespace, name, rule, path in rules:
        if rule.host in ("", request.host):
            yield _one_more_path(situation, ("Ingress", namespace, name), path.index, request.path)
            return


def _one_more_path(situation: Situation, here: Key, index: tuple[int, int], path: str) -> Edit:
    """The path that was asked for, to the backend of its neighbour."""
    rules = copy.deepcopy(situation.cluster.objects[here]["spec"]["rules"])
    paths = rules[index[0]]["http"]["paths"]
    paths.append({"path": path, "pathType": "Prefix", "backend": paths[index[1]]["backend"]})
    return patching(
        here,
        {"spec": {"rules": rules}},
        f"Add path {path} to Ingress {here[1]}/{here[2]}.",
        "No rule fits this path; it is given the backend of the rule beside it.",
        weight=500,
    )


def no_backend_service(situation: Situation) -> Found:
    """The Service behind a rule: one that exists, a port it has, pods that are ready (ING-09)."""
    service, step = service_of(situation), situation.step
    ready = str(situation.fact("why")) not in ("no such Service", "the Service has no such port")
    if service is not None and ready:
        yield from no_endpoints(situation)
        return
    if step is None or step.rule is None or not step.rule.ref.startswith("ingress:"):
        return
    namespace, _, name = step.rule.ref.removeprefix("ingress:").partition("/")
    ingress = situation.cluster.ingresses.get((namespace, name))
    found = (
        next((p for rule in ingress.rules for p in rule.paths if _at(p.index) == step.rule.path), None)
        if ingress
        else None
    )
    if found is None:
        return
    known = [one for ns, one in situation.cluster.services if ns == namespace]
    names = [service.name] if service else near(found.backend.service, known) or known[:1]
    for other in names:
        for port in situation.cluster.services[namespace, other].ports[:2]:
            yield _backend(situation, ("Ingress", namespace, name), found.index, other, port.port)


def _at(index: tuple[int, int]) -> str:
    return f"spec.rules[{index[0]}].http.paths[{index[1]}]"


def _backend(situation: Situation, here: Key, index: tuple[int, int], service: str, port: int) -> Edit:
    rules = copy.deepcopy(situation.cluster.objects[here]["spec"]["rules"])
    backend = {"service": {"name": service, "port": {"number": port}}}
    rules[index[0]]["http"]["paths"][index[1]]["backend"] = backend
    return patching(
        here,
        {"spec": {"rules": rules}},
        f"Let {_at(index)} of Ingress {here[1]}/{here[2]} lead to Service {service}, port {port}.",
        "Its backend does not exist as written; this one does.",
    )
