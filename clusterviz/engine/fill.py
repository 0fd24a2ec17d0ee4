"""What is missing in a set of objects is filled in, deterministically and as a control plane would.

`fill_services` is what kube-apiserver does on create; `complete` is for objects that come without a
running control plane (a folder of manifests): nodes, pods of workloads, placement and addresses.
Objects are replaced by changed copies, never edited in place. The order of the input does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from clusterviz.engine.addresses import (
    allocate_node_port,
    allocate_pod_cidr,
    allocate_pod_ip,
    allocate_service_ip,
    in_any,
    in_cidr,
    network,
    nth,
)
from clusterviz.engine.errors import AddressError
from clusterviz.engine.objects import Key, Obj
from clusterviz.engine.selectors import parse_selector
from clusterviz.engine.settings import Settings

Objects = dict[Key, Obj]
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def spec_of(obj: Obj) -> Obj:
    """The spec, {} when absent."""
    return obj.get("spec") or {}


def status_of(obj: Obj) -> Obj:
    """The status, {} when absent."""
    return obj.get("status") or {}


def meta_of(obj: Obj) -> Obj:
    """The metadata, {} when absent."""
    return obj.get("metadata") or {}


def merged(obj: Obj, part: str, **values: Any) -> Obj:
    """A copy of the object with fields of ``spec``, ``status`` or ``metadata`` set."""
    return {**obj, part: {**(obj.get(part) or {}), **values}}


def ordered(objects: Objects, kind: str) -> list[Key]:
    """Keys of a kind by (creation time, namespace, name)."""
    keys = [key for key in objects if key[0] == kind]
    return sorted(keys, key=lambda key: (str(meta_of(objects[key]).get("creationTimestamp") or ""), key))


def safe_hash(text: str, length: int) -> str:
    """A short hash in the alphabet Kubernetes uses for generated names."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)


def template_hash(template: Obj) -> str:
    """The pod-template-hash of a workload's template."""
    return safe_hash(msgspec.json.encode(template, order="sorted").decode(), 10)


def pod_addresses(obj: Obj) -> list[str]:
    """IPs in a pod's status."""
    status = status_of(obj)
    many = [str(entry.get("ip")) for entry in status.get("podIPs") or [] if entry.get("ip")]
    return many or ([str(status["podIP"])] if status.get("podIP") else [])


def service_addresses(obj: Obj) -> list[str]:
    """ClusterIPs a Service holds."""
    spec = spec_of(obj)
    ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [str(ip) for ip in ips if ip and ip != "None"]


def fill_services(objects: Objects, settings: Settings, keys: Iterable[Key] | None = None) -> None:
    """Give Services the ClusterIP and node ports kube-apiserver would (SVC-02..04)."""
    wanted = set(keys) if keys is not None else None
    names = [key for key in ordered(objects, "Service") if wanted is None or key in wanted]
    if not names:
        return
    every = [objects[key] for key in objects if key[0] == "Service"]
    taken_ips = {ip for obj in every for ip in service_addresses(obj)} | {settings.dns_ip}
    taken_ports = {
        int(port["nodePort"])
        for obj in every
        for port in spec_of(obj).get("ports") or []
        if isinstance(port, dict) and port.get("nodePort")
    }
    for key in names:
        obj = _with_cluster_ip(objects[key], settings, taken_ips)
        objects[key] = _with_node_ports(obj, settings, taken_ports)


def _with_cluster_ip(obj: Obj, settings: Settings, taken: set[str]) -> Obj:
    spec = spec_of(obj)
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") or spec.get("clusterIPs"):
        return obj
    meta = meta_of(obj)
    cidr = settings.service_cidr.split(",")[0]
    if meta.get("name") == "kubernetes" and meta.get("namespace", "default") == "default":
        ip = nth(cidr, 1)
    elif meta.get("name") == "kube-dns" and meta.get("namespace") == "kube-system":
        ip = settings.dns_ip
    else:
        ip = allocate_service_ip(cidr, taken)
    taken.add(ip)
    return merged(obj, "spec", clusterIP=ip, clusterIPs=[ip])


def _with_node_ports(obj: Obj, settings: Settings, taken: set[int]) -> Obj:
    spec = spec_of(obj)
    wants = spec.get("type") == "NodePort" or (
        spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False
    )
    ports = spec.get("ports") or []
    if not wants or all(not isinstance(port, dict) or port.get("nodePort") for port in ports):
        return obj
    filled = []
    for port in ports:
        if isinstance(port, dict) and not port.get("nodePort"):
            number = allocate_node_port(settings.nodeport_range, taken)
            taken.add(number)
            port = {**port, "nodePort": number}
        filled.append(port)
    return merged(obj, "spec", ports=filled)


def complete(objects: Objects, settings: Settings) -> list[tuple[str, str, str]]:
    """Nodes, load balancer addresses, pods of workloads, placement and pod IPs.

    Returns warnings as (code, ref, sentence).
    """
    warnings: list[tuple[str, str, str]] = []
    _complete_nodes(objects, settings, warnings)
    _complete_load_balancers(objects, settings)
    expand_workloads(objects)
    _complete_pods(objects, warnings)
    return warnings


def _complete_nodes(objects: Objects, settings: Settings, warnings: list[tuple[str, str, str]]) -> None:
    named = {str(spec_of(objects[key]).get("nodeName") or "") for key in objects if key[0] == "Pod"} - {""}
    named |= {
        str(entry.get("nodeName"))
        for key in objects
        if key[0] == "EndpointSlice"
        for entry in objects[key].get("endpoints") or []
        if isinstance(entry, dict) and entry.get("nodeName")
    }
    if not named and not any(key[0] == "Node" for key in objects):
        named = {"n1", "n2", "n3"}
        warnings.append(
            ("nodes-assumed", "", "No Node objects were given: three nodes n1, n2, n3 are assumed.")
        )
    for name in named:
        key = ("Node", "", name)
        objects.setdefault(
            key, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}, "status": {}}
        )
    fill_nodes(objects, settings, warnings)


def fill_nodes(objects: Objects, settings: Settings, warnings: list[tuple[str, str, str]]) -> None:
    """Give nodes the InternalIP and pod CIDR they lack (IPM-01, IPM-05)."""
    keys = ordered(objects, "Node")
    taken = {entry.get("address") for key in keys for entry in status_of(objects[key]).get("addresses") or []}
    blocks = {str(spec_of(objects[key]).get("podCIDR")) for key in keys}
    hosts = _host_ips(objects)
    for key in keys:
        obj = objects[key]
        if not any(e.get("type") == "InternalIP" for e in status_of(obj).get("addresses") or []):
            ip = hosts.get(key[2]) or _node_ip(settings.node_cidr, taken)
            taken.add(ip)
            others = list(status_of(obj).get("addresses") or [])
            obj = merged(obj, "status", addresses=[{"type": "InternalIP", "address": ip}, *others])
        if not spec_of(obj).get("podCIDR") and not spec_of(obj).get("podCIDRs"):
            try:
                block = _block_in_use(objects, key[2], settings, blocks) or allocate_pod_cidr(
                    settings.cluster_cidr.split(",")[0], settings.node_mask, blocks
                )
            except AddressError as error:
                warnings.append(("cidr-not-available", f"node:{key[2]}", str(error)))
            else:
                blocks.add(block)
                obj = merged(obj, "spec", podCIDR=block, podCIDRs=[block])
        objects[key] = obj


def _host_ips(objects: Objects) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, obj in objects.items():
        host = status_of(obj).get("hostIP") if key[0] == "Pod" else None
        if host:
            found[str(spec_of(obj).get("nodeName"))] = str(host)
    return found


def _block_in_use(objects: Objects, node: str, settings: Settings, blocks: set[str]) -> str:
    """The pod CIDR a node must have, told by the addresses its pods already hold."""
    for key in sorted(objects):
        obj = objects[key]
        if key[0] != "Pod" or spec_of(obj).get("nodeName") != node or spec_of(obj).get("hostNetwork"):
            continue
        for ip in pod_addresses(obj):
            if in_any(ip, settings.cluster_cidr):
                block = str(network(f"{ip}/{settings.node_mask if '.' in ip else 64}"))
                return "" if block in blocks else block
    return ""


def _node_ip(cidr: str, taken: set[Any]) -> str:
    net = network(cidr)
    for offset in range(11, min(net.num_addresses - 1, 1 << 16)):
        if str(net[offset]) not in taken:
            return str(net[offset])
    raise AddressError(f"no free node address in {cidr}")


def _complete_load_balancers(objects: Objects, settings: Settings) -> None:
    if not settings.load_balancer_provider:
        return
    keys = [key for key in ordered(objects, "Service") if spec_of(objects[key]).get("type") == "LoadBalancer"]
    taken = {
        str(entry.get("ip"))
        for key in keys
        for entry in (status_of(objects[key]).get("loadBalancer") or {}).get("ingress") or []
    }
    net = network(settings.load_balancer_cidr)
    for key in keys:
        if not (status_of(objects[key]).get("loadBalancer") or {}).get("ingress"):
            offsets = range(20, min(net.num_addresses - 1, 1 << 16))
            ip = next((str(net[n]) for n in offsets if str(net[n]) not in taken), "")
            taken.add(ip)
            if ip:
                objects[key] = merged(objects[key], "status", loadBalancer={"ingress": [{"ip": ip}]})


def expand_workloads(objects: Objects) -> None:
    """Pods for workloads that have none among the objects; a snapshot with pods is left as it is."""
    owned = {
        (key[1], str(owner.get("kind")), str(owner.get("name")))
        for key in objects
        if key[0] == "Pod"
        for owner in meta_of(objects[key]).get("ownerReferences") or []
    }
    nodes = [key[2] for key in ordered(objects, "Node")]
    for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        for key in ordered(objects, kind):
            obj = objects[key]
            controlled = any(owner.get("kind") for owner in meta_of(obj).get("ownerReferences") or [])
            if controlled or (key[1], kind, key[2]) in owned or _has_pods(objects, key):
                continue
            for pod in workload_pods(key, obj, nodes):
                meta = pod["metadata"]
                objects[("Pod", meta["namespace"], meta["name"])] = pod


def _has_pods(objects: Objects, key: Key) -> bool:
    selector = parse_selector(spec_of(objects[key]).get("selector"), field="spec.selector")
    if not selector.labels and not selector.expressions:
        return False
    return any(
        other[0] == "Pod" and other[1] == key[1] and selector.matches(meta_of(objects[other]).get("labels") or {})
        for other in objects
    )


def workload_pods(key: Key, obj: Obj, nodes: list[str]) -> list[Obj]:
    """The pods a workload wants, with deterministic names; a DaemonSet one a node."""
    kind, namespace, name = key
    template = spec_of(obj).get("template") or {}
    meta = dict(meta_of(template))
    owner_kind, owner_name = kind, name
    names: list[tuple[str, str]] = []
    if kind == "StatefulSet":
        names = [(f"{name}-{index}", "") for index in range(int(spec_of(obj).get("replicas", 1)))]
    elif kind == "DaemonSet":
        names = [(f"{name}-{safe_hash(f'{namespace}/{name}/{node}', 5)}", node) for node in nodes]
    else:
        base = name
        if kind == "Deployment":
            owner_kind, base = "ReplicaSet", f"{name}-{template_hash(template)}"
            owner_name = base
        replicas = spec_of(obj).get("replicas")
        count = 1 if replicas is None else int(replicas)
        names = [(f"{base}-{safe_hash(f'{namespace}/{base}/{i}', 5)}", "") for i in range(count)]
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **meta,
                "name": pod_name,
                "namespace": namespace,
                "ownerReferences": [{"kind": owner_kind, "name": owner_name, "controller": True}],
            },
            "spec": _pod_spec(spec_of(template), kind, name, pod_name, spec_of(obj), node),
            "status": {},
        }
        for pod_name, node in names
    ]


def _pod_spec(template: Obj, kind: str, name: str, pod_name: str, spec: Obj, node: str) -> Obj:
    result = dict(template)
    if node:
        result["nodeName"] = node
    if kind == "StatefulSet":
        result["hostname"] = pod_name
        result["subdomain"] = str(spec.get("serviceName") or name)
    return result


def _complete_pods(objects: Objects, warnings: list[tuple[str, str, str]]) -> None:
    nodes = {key[2]: objects[key] for key in ordered(objects, "Node")}
    keys = ordered(objects, "Pod")
    taken: set[str] = {ip for key in keys for ip in pod_addresses(objects[key])}
    load = dict.fromkeys(nodes, 0)
    for key in keys:
        if (node := spec_of(objects[key]).get("nodeName")) in load:
            load[node] += 1
    last: dict[str, str] = {}
    for key in keys:
        obj = objects[key]
        if status_of(obj).get("phase") in ("Pending", "Succeeded", "Failed"):
            continue
        obj = _placed(obj, nodes, load)
        try:
            objects[key] = _addressed(obj, nodes, taken, last)
        except AddressError as error:
            objects[key] = merged(obj, "status", phase="Pending", reason="ContainerCreating")
            warnings.append(("no-pod-ip", f"pod:{key[1]}/{key[2]}", str(error)))


def _placed(obj: Obj, nodes: dict[str, Obj], load: dict[str, int]) -> Obj:
    if spec_of(obj).get("nodeName"):
        return obj
    for ip in pod_addresses(obj):
        for name, node in nodes.items():
            spec = spec_of(node)
            if any(in_cidr(ip, cidr) for cidr in spec.get("podCIDRs") or [spec.get("podCIDR")] if cidr):
                return merged(obj, "spec", nodeName=name)
    if pod_addresses(obj):
        return obj
    fit = [name for name in nodes if _fits(obj, nodes[name])]
    if not fit:
        return obj
    name = min(fit, key=lambda node: load[node])
    load[name] += 1
    return merged(obj, "spec", nodeName=name)


def _fits(obj: Obj, node: Obj) -> bool:
    labels = meta_of(node).get("labels") or {}
    wanted = spec_of(obj).get("nodeSelector") or {}
    if spec_of(node).get("unschedulable") or any(labels.get(k) != v for k, v in wanted.items()):
        return False
    tolerated = spec_of(obj).get("tolerations") or []
    taints = [t for t in spec_of(node).get("taints") or [] if t.get("effect") != "PreferNoSchedule"]
    return all(any(_tolerates(toleration, taint) for toleration in tolerated) for taint in taints)


def _tolerates(toleration: Obj, taint: Obj) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("operator") == "Exists":
        return not toleration.get("key") or toleration["key"] == taint.get("key")
    return bool(
        toleration.get("key") == taint.get("key")
        and (toleration.get("value") or "") == (taint.get("value") or "")
    )


def _addressed(obj: Obj, nodes: dict[str, Obj], taken: set[str], last: dict[str, str]) -> Obj:
    name = str(spec_of(obj).get("nodeName") or "")
    if not name:
        if pod_addresses(obj):
            return merged(obj, "status", phase=status_of(obj).get("phase") or "Running")
        return merged(obj, "status", phase="Pending", reason="Unschedulable")
    phase = status_of(obj).get("phase") or "Running"
    if pod_addresses(obj):
        return merged(obj, "status", phase=phase)
    node = nodes.get(name) or {}
    if spec_of(obj).get("hostNetwork"):
        ips = [e["address"] for e in status_of(node).get("addresses") or [] if e.get("type") == "InternalIP"]
        ip = str(ips[0]) if ips else ""
    else:
        spec = spec_of(node)
        block = str((spec.get("podCIDRs") or [spec.get("podCIDR")])[0] or "")
        if not block:
            raise AddressError(f"node {name} has no pod CIDR")
        ip = allocate_pod_ip(block, taken, last.get(name, ""))
        last[name] = ip
        taken.add(ip)
    return merged(obj, "status", phase=phase, podIP=ip, podIPs=[{"ip": ip}])
