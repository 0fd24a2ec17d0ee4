"""Server-side Tables: what `kubectl get` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi import cells
from clusterviz.kubeapi.cells import age, at, jsonpath
from clusterviz.kubeapi.registry import Resource


class Column(NamedTuple):
    """One column; a priority above 0 is only shown with ``-o wide``."""

    name: str
    read: Callable[[Obj, float], Any]
    type: str = "string"
    priority: int = 0
    format: str = ""
    description: str = ""


def _name(obj: Obj, _now: float) -> str:
    return str(obj["metadata"]["name"])


def _age(obj: Obj, now: float) -> str:
    return age(str(obj["metadata"].get("creationTimestamp", "")), now)


NAME = Column("Name", _name, format="name", description="Name must be unique within a namespace.")
AGE = Column("Age", _age, description="Time since the object was created.")


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """The columns of a kind."""
    if resource.columns:
        return NAME, *(_custom(dict(column)) for column in resource.columns)
    if resource.custom or resource.kind not in _COLUMNS:
        return NAME, AGE
    return _COLUMNS[resource.kind]


def _custom(column: Obj) -> Column:
    path, kind = str(column.get("jsonPath", "")), str(column.get("type", "string"))

    def read(obj: Obj, now: float) -> Any:
        value = jsonpath(obj, path)
        if kind == "date":
            return age(value, now) if isinstance(value, str) else "<none>"
        return value if value is None or isinstance(value, str | int | float | bool) else str(value)

    priority = column.get("priority")
    return Column(
        str(column.get("name", "")),
        read,
        "string" if kind == "date" else kind,
        priority if isinstance(priority, int) else 0,
        description=str(column.get("description", "")),
    )


def table(resource: Resource, objects: Iterable[Obj], *, include: str, now: float, head: bool = True) -> dict[str, Any]:
    """A Table of objects; ``include`` is None, Metadata or Object, ``head`` False leaves out the definitions."""
    columns = columns_of(resource)
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in columns
    ]
    rows = []
    for obj in objects:
        row: dict[str, Any] = {"cells": [column.read(obj, now) for column in columns]}
        if include == "Object":
            row["object"] = obj
        elif include != "None":
            row["object"] = partial(obj)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": definitions if head else [],
        "rows": rows,
    }


def partial(obj: Obj) -> dict[str, Any]:
    """The metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _field(name: str, path: str, *, kind: str = "string", absent: Any = "", priority: int = 0) -> Column:
    names = path.split(".")

    def read(obj: Obj, _now: float) -> Any:
        value = at(obj, *names)
        return absent if value is None else value

    return Column(name, read, kind, priority)


def _made(name: str, read: Callable[[Obj], Any], *, kind: str = "string", priority: int = 0) -> Column:
    return Column(name, lambda obj, _now: read(obj), kind, priority)


def _since(name: str, path: str) -> Column:
    names = path.split(".")

    def read(obj: Obj, now: float) -> str:
        found = at(obj, *names)
        return age(found, now) if isinstance(found, str) else "<unknown>"

    return Column(name, read)


_COUNTS = (
    _field("Desired", "spec.replicas", kind="integer", absent=0),
    _field("Current", "status.replicas", kind="integer", absent=0),
    _field("Ready", "status.readyReplicas", kind="integer", absent=0),
)
_TEMPLATE = (
    _made("Containers", cells.containers, priority=1),
    _made("Images", cells.images, priority=1),
    _made("Selector", cells.selector, priority=1),
)
_BINDING = (
    NAME,
    _made("Role", cells.role),
    AGE,
    _made("Users", lambda obj: cells.subjects(obj, "User"), priority=1),
    _made("Groups", lambda obj: cells.subjects(obj, "Group"), priority=1),
    _made("ServiceAccounts", lambda obj: cells.subjects(obj, "ServiceAccount"), priority=1),
)
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Pod": (
        NAME,
        _made("Ready", cells.pod_ready),
        _made("Status", cells.pod_status),
        Column("Restarts", cells.pod_restarts),
        AGE,
        _field("IP", "status.podIP", absent="<none>", priority=1),
        _field("Node", "spec.nodeName", absent="<none>", priority=1),
        _field("Nominated Node", "status.nominatedNodeName", absent="<none>", priority=1),
        _made("Readiness Gates", cells.readiness_gates, priority=1),
    ),
    "Node": (
        NAME,
        _made("Status", cells.node_status),
        _made("Roles", cells.node_roles),
        AGE,
        _field("Version", "status.nodeInfo.kubeletVersion"),
        _made("Internal-IP", lambda obj: cells.node_address(obj, "InternalIP"), priority=1),
        _made("External-IP", lambda obj: cells.node_address(obj, "ExternalIP"), priority=1),
        _field("OS-Image", "status.nodeInfo.osImage", absent="<unknown>", priority=1),
        _field("Kernel-Version", "status.nodeInfo.kernelVersion", absent="<unknown>", priority=1),
        _field("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", absent="<unknown>", priority=1),
    ),
    "Namespace": (NAME, _field("Status", "status.phase", absent="Active"), AGE),
    "Service": (
        NAME,
        _field("Type", "spec.type", absent="ClusterIP"),
        _made("Cluster-IP", cells.cluster_ip),
        _made("External-IP", cells.external_ip),
        _made("Port(s)", cells.service_ports),
        AGE,
        _made("Selector", cells.service_selector, priority=1),
    ),
    "Deployment": (
        NAME,
        _made("Ready", cells.ready_of),
        _field("Up-to-date", "status.updatedReplicas", kind="integer", absent=0),
        _field("Available", "status.availableReplicas", kind="integer", absent=0),
        AGE,
        *_TEMPLATE,
    ),
    "ReplicaSet": (NAME, *_COUNTS, AGE, *_TEMPLATE),
    "StatefulSet": (NAME, _made("Ready", cells.ready_of), AGE, *_TEMPLATE[:2]),
    "DaemonSet": (
        NAME,
        _field("Desired", "status.desiredNumberScheduled", kind="integer", absent=0),
        _field("Current", "status.currentNumberScheduled", kind="integer", absent=0),
        _field("Ready", "status.numberReady", kind="integer", absent=0),
        _field("Up-to-date", "status.updatedNumberScheduled", kind="integer", absent=0),
        _field("Available", "status.numberAvailable", kind="integer", absent=0),
        _made("Node Selector", cells.node_selector),
        AGE,
        *_TEMPLATE,
    ),
    "Job": (
        NAME,
        _made("Status", cells.job_status),
        _made("Completions", cells.completions),
        Column("Duration", cells.duration),
        AGE,
        *_TEMPLATE,
    ),
    "CronJob": (
        NAME,
        _field("Schedule", "spec.schedule"),
        _field("Timezone", "spec.timeZone", absent="<none>"),
        _field("Suspend", "spec.suspend", kind="boolean", absent=False),
        _made("Active", lambda obj: len(at(obj, "status", "active") or ()), kind="integer"),
        Column("Last Schedule", cells.last_schedule),
        AGE,
        _made("Containers", lambda obj: cells.containers(at(obj, "spec", "jobTemplate") or {}), priority=1),
        _made("Images", lambda obj: cells.images(at(obj, "spec", "jobTemplate") or {}), priority=1),
        _made("Selector", lambda obj: cells.selector(at(obj, "spec", "jobTemplate") or {}), priority=1),
    ),
    "ConfigMap": (NAME, _made("Data", lambda obj: len(obj.get("data") or {}) + len(obj.get("binaryData") or {})), AGE),
    "Secret": (
        NAME,
        _field("Type", "type", absent="Opaque"),
        _made("Data", lambda obj: len(obj.get("data") or {})),
        AGE,
    ),
    "ServiceAccount": (NAME, _made("Secrets", lambda obj: len(obj.get("secrets") or ())), AGE),
    "Endpoints": (NAME, _made("Endpoints", cells.endpoints), AGE),
    "EndpointSlice": (
        NAME,
        _field("AddressType", "addressType"),
        _made("Ports", cells.slice_ports),
        _made("Endpoints", cells.slice_endpoints),
        AGE,
    ),
    "Ingress": (
        NAME,
        _made("Class", cells.ingress_class),
        _made("Hosts", cells.ingress_hosts),
        _made("Address", cells.balancer),
        _made("Ports", lambda obj: "80, 443" if at(obj, "spec", "tls") else "80"),
        AGE,
    ),
    "IngressClass": (
        NAME,
        _field("Controller", "spec.controller"),
        _made("Parameters", lambda _obj: "<none>"),
        AGE,
    ),
    "NetworkPolicy": (NAME, _made("Pod-Selector", cells.pod_selector), AGE),
    "PodDisruptionBudget": (
        NAME,
        _field("Min Available", "spec.minAvailable", absent="N/A"),
        _field("Max Unavailable", "spec.maxUnavailable", absent="N/A"),
        _field("Allowed Disruptions", "status.disruptionsAllowed", kind="integer", absent=0),
        AGE,
    ),
    "Event": (
        Column("Last Seen", cells.last_seen),
        _field("Type", "type"),
        _field("Reason", "reason"),
        _made("Object", cells.involved),
        _made("Subobject", lambda obj: at(obj, "involvedObject", "fieldPath") or "", priority=1),
        _made("Source", lambda obj: at(obj, "source", "component") or "", priority=1),
        _field("Message", "message"),
        Column(
            "First Seen",
            lambda obj, now: age(str(obj.get("firstTimestamp") or ""), now),
            priority=1,
        ),
        _field("Count", "count", absent=1, priority=1),
        NAME._replace(priority=1),
    ),
    "Lease": (NAME, _field("Holder", "spec.holderIdentity"), AGE),
    "ControllerRevision": (
        NAME,
        _made("Controller", cells.controller),
        _field("Revision", "revision", kind="integer", absent=0),
        AGE,
    ),
    "CustomResourceDefinition": (NAME, _field("Created At", "metadata.creationTimestamp")),
    "PersistentVolumeClaim": (
        NAME,
        _field("Status", "status.phase", absent="Pending"),
        _field("Volume", "spec.volumeName"),
        _field("Capacity", "status.capacity.storage"),
        _made("Access Modes", cells.access_modes),
        _field("StorageClass", "spec.storageClassName"),
        _field("VolumeAttributesClass", "spec.volumeAttributesClassName", absent="<unset>"),
        AGE,
        _field("VolumeMode", "spec.volumeMode", absent="<unset>", priority=1),
    ),
    "PersistentVolume": (
        NAME,
        _field("Capacity", "spec.capacity.storage"),
        _made("Access Modes", cells.access_modes),
        _field("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
        _field("Status", "status.phase", absent="Available"),
        _made("Claim", cells.claim),
        _field("StorageClass", "spec.storageClassName"),
        _field("VolumeAttributesClass", "spec.volumeAttributesClassName", absent="<unset>"),
        _field("Reason", "status.reason"),
        AGE,
        _field("VolumeMode", "spec.volumeMode", absent="<unset>", priority=1),
    ),
    "LimitRange": (NAME, _field("Created At", "metadata.creationTimestamp")),
    "ResourceQuota": (
        NAME,
        _made("Request", lambda obj: cells.quota(obj, limits=False)),
        _made("Limit", lambda obj: cells.quota(obj, limits=True)),
        AGE,
    ),
    "ReplicationController": (NAME, *_COUNTS, AGE, *_TEMPLATE),
    "HorizontalPodAutoscaler": (
        NAME,
        _made("Reference", cells.scale_target),
        _made("Targets", cells.targets),
        _field("MinPods", "spec.minReplicas", absent="<unset>"),
        _field("MaxPods", "spec.maxReplicas", kind="integer", absent=0),
        _field("Replicas", "status.currentReplicas", kind="integer", absent=0),
        AGE,
    ),
    "Role": (NAME, _field("Created At", "metadata.creationTimestamp")),
    "ClusterRole": (NAME, _field("Created At", "metadata.creationTimestamp")),
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "StorageClass": (
        NAME,
        _field("Provisioner", "provisioner"),
        _field("ReclaimPolicy", "reclaimPolicy", absent="Delete"),
        _field("VolumeBindingMode", "volumeBindingMode", absent="Immediate"),
        _field("AllowVolumeExpansion", "allowVolumeExpansion", kind="boolean", absent=False),
        AGE,
    ),
    "PriorityClass": (
        NAME,
        _field("Value", "value", kind="integer", absent=0),
        _field("Global-Default", "globalDefault", kind="boolean", absent=False),
        AGE,
        _field("PreemptionPolicy", "preemptionPolicy", absent="PreemptLowerPriority"),
    ),
    "RuntimeClass": (NAME, _field("Handler", "handler"), AGE),
    "GatewayClass": (NAME, _field("Controller", "spec.controllerName"), AGE),
    "Gateway": (
        NAME,
        _field("Class", "spec.gatewayClassName"),
        _made("Address", cells.gateway_address),
        _made("Programmed", lambda obj: cells.condition(obj, "Programmed")),
        AGE,
    ),
    "HTTPRoute": (NAME, _made("Hostnames", lambda obj: cells.listed(at(obj, "spec", "hostnames"))), AGE),
    "TrafficFlow": (
        NAME,
        _made("From", cells.flow_from),
        _made("To", cells.flow_to),
        _field("Rps", "spec.requestsPerSecond", absent=1),
        AGE,
    ),
}
