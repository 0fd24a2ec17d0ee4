"""Pods, and the workloads that make them."""

from __future__ import annotations

from clusterviz.engine.parse import Reader
from clusterviz.engine.selectors import parse_selector
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaws
from clusterviz.engine.validation.meta import check_labels, check_selector

PROTOCOLS = ("TCP", "UDP", "SCTP")
MAX_REPLICAS = 500


def check_pod(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """A pod; its node never changes once it has one."""
    spec = obj.child("spec")
    check_pod_spec(flaws, spec)
    node = spec.text("nodeName")
    if node:
        flaws.check("spec.nodeName", node, names.subdomain(node))
    status = obj.child("status")
    if status.text("podIP"):
        flaws.check("status.podIP", status.text("podIP"), names.ip(status.text("podIP")))
    for entry in status.children("podIPs"):
        flaws.check(entry.at("ip"), entry.text("ip"), names.ip(entry.text("ip")))
    before = old.child("spec").text("nodeName") if old else ""
    if before and node and node != before:
        flaws.forbidden("spec.nodeName", f"pod updates may not change the node a pod is bound to ({before})")


def check_pod_spec(flaws: Flaws, spec: Reader) -> None:
    """Containers and their ports."""
    containers = spec.children("containers")
    if not containers:
        flaws.required(spec.at("containers"))
    seen: set[str] = set()
    for container in [*spec.children("initContainers"), *containers]:
        name = container.get("name", str, "")
        if not name:
            flaws.required(container.at("name"))
        elif name in seen:
            flaws.duplicate(container.at("name"), name)
        else:
            flaws.check(container.at("name"), name, names.label(name))
        seen.add(name)
        if not container.text("image").strip():
            flaws.required(container.at("image"))
        _check_ports(flaws, container, host_network=spec.flag("hostNetwork"))
        for entry in container.children("env"):
            if not entry.text("name"):
                flaws.required(entry.at("name"))
    flaws.choice(
        spec.at("dnsPolicy"),
        spec.text("dnsPolicy"),
        ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    )
    flaws.choice(spec.at("restartPolicy"), spec.text("restartPolicy"), ("Always", "OnFailure", "Never"))


def _check_ports(flaws: Flaws, container: Reader, *, host_network: bool) -> None:
    seen: set[str] = set()
    for port in container.children("ports"):
        name = port.text("name")
        if name and name in seen:
            flaws.duplicate(port.at("name"), name)
        elif name:
            flaws.check(port.at("name"), name, names.port_name(name))
        seen.add(name)
        number = port.number("containerPort")
        if not number:
            flaws.required(port.at("containerPort"))
        else:
            flaws.port(port.at("containerPort"), number)
        host = port.number("hostPort")
        if host:
            flaws.port(port.at("hostPort"), host)
        if host and host_network and host != number:
            flaws.invalid(port.at("hostPort"), host, "must match `containerPort` when `hostNetwork` is true")
        flaws.choice(port.at("protocol"), port.text("protocol"), PROTOCOLS)


def check_workload(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """Deployment, ReplicaSet, StatefulSet, DaemonSet."""
    spec = obj.child("spec")
    check_replicas(flaws, "spec.replicas", spec.number("replicas", 0))
    if not spec.data.get("template"):
        flaws.required("spec.template")
        return
    template = spec.child("template")
    labels = check_labels(flaws, template.child("metadata"), "labels")
    if not spec.data.get("selector"):
        flaws.required("spec.selector")
    else:
        _check_selector_of(flaws, spec, labels, old)
    check_pod_spec(flaws, template.child("spec"))
    policy = template.child("spec").text("restartPolicy")
    if policy in ("OnFailure", "Never"):
        flaws.unsupported("spec.template.spec.restartPolicy", policy, ("Always",))


def check_replicas(flaws: Flaws, field: str, replicas: int) -> None:
    """Kubernetes only forbids negative numbers; the upper limit is ours."""
    if replicas < 0:
        flaws.invalid(field, replicas, "must be greater than or equal to 0")
    elif replicas > MAX_REPLICAS:
        flaws.invalid(field, replicas, f"must be at most {MAX_REPLICAS}: a limit of this simulator, not of Kubernetes")


def _check_selector_of(flaws: Flaws, spec: Reader, labels: dict[str, str], old: Reader | None) -> None:
    before = len(flaws)
    check_selector(flaws, spec, "selector")
    if len(flaws) > before:
        return
    selector = parse_selector(spec.data["selector"], field="spec.selector")
    if not selector.labels and not selector.expressions:
        flaws.invalid("spec.selector", spec.data["selector"], "empty selector is invalid for workloads")
    elif not selector.matches(labels):
        flaws.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    previous = old.child("spec").data.get("selector") if old else None
    if previous and parse_selector(previous, field="spec.selector") != selector:
        flaws.invalid("spec.selector", spec.data["selector"], "field is immutable")
