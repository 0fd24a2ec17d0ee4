"""Service environment variables of a container, as kubelet sets them when it starts (SVC-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterviz.engine.addresses import host_port
from clusterviz.engine.objects import Obj, Pod, Service

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

API_SERVICE = ("default", "kubernetes")


def service_environment(cluster: Cluster, pod: Pod, container: str = "") -> dict[str, str]:
    """Variables of ``container`` (the first one when none is named), by name.

    Services of the pod's namespace with an address, created before the container started, and always the API
    server's; ``enableServiceLinks: false`` leaves only that. Without times in the objects everything counts as
    old enough.
    """
    obj = cluster.objects.get(("Pod", pod.namespace, pod.name), {})
    started = _started(obj, container)
    links = (obj.get("spec") or {}).get("enableServiceLinks", True)
    found: dict[str, str] = {}
    for (namespace, name), service in sorted(cluster.services.items()):
        api = (namespace, name) == API_SERVICE
        near = links and namespace == pod.namespace
        if not (api or near) or not service.ip or service.headless or service.type == "ExternalName":
            continue
        if service.created and started and service.created > started:
            continue
        found |= _variables(service)
    return dict(sorted(found.items()))


def _started(obj: Obj, container: str) -> str:
    """When the container started, else its pod, as RFC 3339 in UTC; "" when the objects do not say."""
    status: dict[str, Any] = obj.get("status") or {}
    for entry in status.get("containerStatuses") or []:
        if entry.get("name") == container or not container:
            running = (entry.get("state") or {}).get("running") or {}
            if running.get("startedAt"):
                return str(running["startedAt"])
            break
    return str(status.get("startTime") or (obj.get("metadata") or {}).get("creationTimestamp") or "")


def _variables(service: Service) -> dict[str, str]:
    """NAME_SERVICE_HOST and _PORT, one more a named port, and the names Docker's links had."""
    prefix = _upper(service.name)
    found = {f"{prefix}_SERVICE_HOST": service.ip}
    for index, port in enumerate(service.ports):
        url = f"{port.protocol.lower()}://{host_port(service.ip, port.port)}"
        if index == 0:
            found[f"{prefix}_SERVICE_PORT"] = str(port.port)
            found[f"{prefix}_PORT"] = url
        if port.name:
            found[f"{prefix}_SERVICE_PORT_{_upper(port.name)}"] = str(port.port)
        link = f"{prefix}_PORT_{port.port}_{port.protocol.upper()}"
        found |= {
            link: url,
            f"{link}_PROTO": port.protocol.lower(),
            f"{link}_PORT": str(port.port),
            f"{link}_ADDR": service.ip,
        }
    return found


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
