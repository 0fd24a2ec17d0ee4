"""The two ends of a flow as ids of the picture."""

from __future__ import annotations

from clusterviz.engine import Cluster
from clusterviz.engine.datapath.gateways import named
from clusterviz.engine.objects import Key, Obj
from clusterviz.engine.probe import is_ip


def ends_of(cluster: Cluster, key: Key, obj: Obj) -> tuple[str, str]:
    """Who calls (a workload, a pod, somebody outside), and whom (a Service, an Ingress, a Gateway, outside)."""
    spec = obj.get("spec") or {}
    origin = spec.get("from") or {}
    namespace = str(origin.get("namespace") or key[1])
    kind, name, ip = origin.get("kind"), str(origin.get("name") or ""), str(origin.get("ip") or "")
    if kind == "External":
        source = f"external:{ip}" if ip and ip != cluster.settings.client_ip else "internet"
    elif kind == "Pod":
        source = f"pod:{namespace}/{name}"
    else:
        source = f"workload:{kind}/{namespace}/{name}"
    return source, target_of(cluster, str((spec.get("to") or {}).get("host") or ""), namespace)


def target_of(cluster: Cluster, host: str, namespace: str) -> str:
    """What a host leads to, seen from a namespace; "" when nobody knows the name."""
    if is_ip(host):
        return _address(cluster, host)
    parts = host.rstrip(".").removesuffix(f".{cluster.settings.cluster_domain}").split(".")
    if len(parts) <= 3 and parts[2:] in ([], ["svc"]):
        service = cluster.services.get((parts[1] if len(parts) > 1 else namespace, parts[0]))
        if service is not None:
            return service.ref
    for ingress in cluster.ingresses.values():
        if any(rule.host == host for rule in ingress.rules):
            return ingress.ref
    gateway = named(cluster, host)
    return gateway.ref if gateway is not None else ""


def _address(cluster: Cluster, ip: str) -> str:
    for service, _ in cluster.services_by_ip.get(ip, ()):
        return service.ref
    if (pod := cluster.pod_by_ip.get(ip)) is not None:
        return pod.ref
    if (node := cluster.node_by_ip.get(ip)) is not None:
        return node.ref
    return f"external:{ip}"
