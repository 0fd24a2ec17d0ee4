"""Objects without a running control plane (a folder of manifests) are completed as one would.

Nodes when none are given, load balancer addresses, pods of workloads, their placement and addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clusterviz.engine.addresses import allocate_pod_ip, in_any, in_cidr, network, plain_address
from clusterviz.engine.errors import AddressError
from clusterviz.engine.fill import (
    Objects,
    fill_nodes,
    merged,
    meta_of,
    oldest_first,
    ordered,
    pod_addresses,
    safe_hash,
    spec_of,
    status_of,
    template_hash,
)
from clusterviz.engine.host_ports import HostPorts, wanted_ports
from clusterviz.engine.objects import Key, Obj, Pod, ref_of
from clusterviz.engine.probe import is_ip
from clusterviz.engine.reader import Reader
from clusterviz.engine.selectors import parse_selector, text
from clusterviz.engine.settings import Settings

# More than any cluster holds; a slip of the pen must not eat the memory.
MOST_REPLICAS = 5000
EXPANDED = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")
NOT_RUN = "A CronJob is not run: it has no effect on the simulated network (LIF-08)."
Pods = Mapping[tuple[str, str], Pod]


def complete(objects: Objects, settings: Settings, pods: Pods) -> list[tuple[str, str, str]]:
    """Nodes, load balancer addresses, pods of workloads, placement and pod IPs.

    ``pods`` are the records of the Pods among the objects. Returns warnings as (code, ref, sentence).
    """
    warnings: list[tuple[str, str, str]] = []
    _complete_nodes(objects, settings, pods, warnings)
    _complete_load_balancers(objects, settings)
    expand_workloads(objects, pods)
    warnings += [("cronjob-not-run", ref_of(key), NOT_RUN) for key in ordered(objects, "CronJob")]
    _complete_endpoints(objects, settings, pods, warnings)
    _complete_pods(objects, pods, warnings)
    return warnings


def _complete_nodes(objects: Objects, settings: Settings, pods: Pods, warnings: list[tuple[str, str, str]]) -> None:
    named = {pod.node for pod in pods.values()} - {""}
    named |= {
        str(entry.get("nodeName"))
        for key in objects
        if key[0] == "EndpointSlice"
        for entry in objects[key].get("endpoints") or []
        if isinstance(entry, dict) and entry.get("nodeName")
    }
    if not named and not any(key[0] == "Node" for key in objects):
        named = {"n1", "n2", "n3"}
        warnings.append(("nodes-assumed", "", "No Node objects were given: three nodes n1, n2, n3 are assumed."))
    for name in named:
        key = ("Node", "", name)
        objects.setdefault(
            key, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}, "status": {}}
        )
    fill_nodes(objects, settings, warnings)


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


def expand_workloads(objects: Objects, pods: Pods) -> None:
    """Pods for workloads that have none among the objects; a snapshot with pods is left as it is."""
    workloads = [key for kind in EXPANDED for key in ordered(objects, kind)]
    if not workloads:
        return
    owned = {
        (key[0], str(owner.get("kind")), str(owner.get("name")))
        for key in pods
        for owner in meta_of(objects["Pod", *key]).get("ownerReferences") or []
    }
    looks: dict[str, dict[int, dict[str, str]]] = {}  # of a namespace's pods; equal labels are one object mostly
    for pod in pods.values():
        looks.setdefault(pod.namespace, {})[id(pod.labels)] = pod.labels
    nodes = [key[2] for key in ordered(objects, "Node")]
    for key in workloads:
        obj, (kind, space, name) = objects[key], key
        controlled = any(owner.get("kind") for owner in meta_of(obj).get("ownerReferences") or [])
        if controlled or (space, kind, name) in owned or _selects_any(obj, looks.get(space, {}).values()):
            continue
        for pod_obj in workload_pods(key, obj, nodes):
            meta = pod_obj["metadata"]
            made = ("Pod", meta["namespace"], meta["name"])
            objects[made] = pod_obj
            looks.setdefault(made[1], {})[id(pod_obj)] = _labels(pod_obj)


def _selects_any(workload: Obj, looks: Iterable[Mapping[str, str]]) -> bool:
    selector = parse_selector(spec_of(workload).get("selector"), field="spec.selector")
    return bool(selector.labels or selector.expressions) and any(selector.matches(labels) for labels in looks)


def _labels(obj: Obj) -> dict[str, str]:
    return {str(name): text(value) for name, value in (meta_of(obj).get("labels") or {}).items()}


def _complete_endpoints(objects: Objects, settings: Settings, pods: Pods, warnings: list[tuple[str, str, str]]) -> None:
    """Pods for endpoints that lie in the pod network while no object says what they are (SVC-12)."""
    slices = ordered(objects, "EndpointSlice")
    if not slices:
        return
    known = {ip for pod in pods.values() for ip in pod.ips}
    nodes = {key[2]: objects[key] for key in objects if key[0] == "Node"}
    known |= {str(e.get("address")) for node in nodes.values() for e in status_of(node).get("addresses") or []}
    for key in slices:
        for entry in objects[key].get("endpoints") or []:
            target = entry.get("targetRef") or {}
            for ip in map(str, entry.get("addresses") or []):
                if (plain_address(ip) or ip) in known:
                    continue
                inside = is_ip(ip) and (entry.get("nodeName") or in_any(ip, settings.cluster_cidr))
                name = str(target.get("name") or "") if target.get("kind") == "Pod" else ""
                pod = ("Pod", key[1], name or "endpoint-" + ip.replace(".", "-").replace(":", "-"))
                if not inside or pod in objects:
                    continue
                known.add(ip)
                objects[pod] = _endpoint_pod(pod, ip, str(entry.get("nodeName") or ""))
                warnings.append(
                    (
                        "pod-assumed",
                        f"pod:{pod[1]}/{pod[2]}",
                        f"No pod has {ip}, an endpoint in {key[2]}: one is assumed.",
                    )
                )


def _endpoint_pod(key: Key, ip: str, node: str) -> Obj:
    spec = {"nodeName": node} if node else {}
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}
    meta = {"name": key[2], "namespace": key[1]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def workload_pods(key: Key, obj: Obj, nodes: list[str]) -> list[Obj]:
    """The pods a workload wants, with deterministic names; a DaemonSet one a node, a Job as many as run at once."""
    kind, namespace, name = key
    template = spec_of(obj).get("template") or {}
    meta = dict(meta_of(template))
    owner_kind, owner_name = kind, name
    names: list[tuple[str, str]] = []
    if kind == "StatefulSet":
        names = [(f"{name}-{index}", "") for index in range(_replicas(obj))]
    elif kind == "DaemonSet":
        names = [(f"{name}-{safe_hash(f'{namespace}/{name}/{node}', 5)}", node) for node in nodes]
    else:
        base = name
        if kind == "Deployment":
            owner_kind, base = "ReplicaSet", f"{name}-{template_hash(template)}"
            owner_name = base
        count = _replicas(obj)
        if kind == "Job":
            count = 0 if has_finished(obj) else min(parallelism(obj), MOST_REPLICAS)
            meta["labels"] = {**(meta.get("labels") or {}), **job_labels(name)}
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


def _replicas(obj: Obj) -> int:
    replicas = spec_of(obj).get("replicas")
    return 1 if replicas is None else min(int(replicas), MOST_REPLICAS)


def parallelism(job: Obj) -> int:
    """How many pods of a Job may run at once; a suspended one runs none."""
    spec = Reader(job, "").child("spec")
    if spec.flag("suspend"):
        return 0
    most = max(0, spec.number("parallelism", 1))
    return min(most, max(0, spec.number("completions", most)))


def has_finished(job: Obj) -> bool:
    """Whether a Job is over, well or not."""
    return any(
        entry.get("type") in ("Complete", "Failed") and entry.get("status") == "True"
        for entry in status_of(job).get("conditions") or ()
    )


def job_labels(name: str) -> dict[str, str]:
    """What the Job controller writes on a Job's pods."""
    return {"batch.kubernetes.io/job-name": name, "job-name": name}


def _pod_spec(template: Obj, kind: str, name: str, pod_name: str, spec: Obj, node: str) -> Obj:
    result = dict(template)
    if node:
        result["nodeName"] = node
    if kind == "StatefulSet":
        result["hostname"] = pod_name
        result["subdomain"] = str(spec.get("serviceName") or name)
    return result


def _complete_pods(objects: Objects, pods: Pods, warnings: list[tuple[str, str, str]]) -> None:
    keys = [key for key in objects if key[0] == "Pod" and _wants(pods.get((key[1], key[2])), objects[key])]
    if not keys:
        return
    nodes = {key[2]: objects[key] for key in ordered(objects, "Node")}
    keys = oldest_first(objects, keys)
    taken = {ip for pod in pods.values() for ip in pod.ips}
    taken |= {ip for key in keys for ip in pod_addresses(objects[key])}
    load = dict.fromkeys(nodes, 0)
    for pod in pods.values():
        if pod.node in load:
            load[pod.node] += 1
    for key in keys:
        if (key[1], key[2]) not in pods and (node := spec_of(objects[key]).get("nodeName")) in load:
            load[node] += 1
    last: dict[str, str] = {}
    asked = any(wanted_ports(objects[key]) for key in keys)
    ports = HostPorts(obj for key, obj in objects.items() if key[0] == "Pod") if asked else HostPorts()
    for key in keys:
        obj = objects[key]
        if status_of(obj).get("phase") in ("Pending", "Succeeded", "Failed"):
            continue
        obj = _placed(obj, nodes, load, ports)
        try:
            objects[key] = _addressed(obj, nodes, taken, last)
        except AddressError as error:
            objects[key] = merged(obj, "status", phase="Pending", reason="ContainerCreating")
            warnings.append(("no-pod-ip", f"pod:{key[1]}/{key[2]}", str(error)))


def _wants(pod: Pod | None, obj: Obj) -> bool:
    """Whether a pod that was given lacks its node, its address or its phase; one that was made lacks them all."""
    return pod is None or not (pod.node and pod.ips and status_of(obj).get("phase"))


def _placed(obj: Obj, nodes: dict[str, Obj], load: dict[str, int], ports: HostPorts) -> Obj:
    if spec_of(obj).get("nodeName"):
        return obj
    for ip in pod_addresses(obj):
        for name, node in nodes.items():
            spec = spec_of(node)
            if any(in_cidr(ip, cidr) for cidr in spec.get("podCIDRs") or [spec.get("podCIDR")] if cidr):
                return merged(obj, "spec", nodeName=name)
    if pod_addresses(obj):
        return obj
    fit = [name for name in nodes if _fits(obj, nodes[name]) and ports.free(name, obj)]
    if not fit:
        return obj
    name = min(fit, key=lambda node: load[node])
    load[name] += 1
    ports.take(name, obj)
    return merged(obj, "spec", nodeName=name)


def _fits(obj: Obj, node: Obj) -> bool:
    labels = _labels(node)
    wanted = spec_of(obj).get("nodeSelector") or {}
    if spec_of(node).get("unschedulable") or any(labels.get(k) != text(v) for k, v in wanted.items()):
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
        toleration.get("key") == taint.get("key") and (toleration.get("value") or "") == (taint.get("value") or "")
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
        ips = [str(e["address"]) for e in status_of(node).get("addresses") or [] if e.get("type") == "InternalIP"]
    else:
        spec = spec_of(node)
        blocks = [str(block) for block in spec.get("podCIDRs") or [spec.get("podCIDR")] if block]
        if not blocks:
            raise AddressError(f"node {name} has no pod CIDR")
        ips = []
        for block in blocks:
            ip = allocate_pod_ip(block, taken, last.get(block, ""))
            last[block] = ip
            ips.append(ip)
        taken.update(ips)
    return merged(obj, "status", phase=phase, podIP=ips[0] if ips else "", podIPs=[{"ip": ip} for ip in ips])
