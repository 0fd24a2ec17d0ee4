"""Synthetic clusters of any size as plain objects, and questions into them. Always the same for the same size."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from clusterviz.engine import Cluster, Destination, Probe, Settings, Source

Obj = dict[str, Any]


class Size(NamedTuple):
    """How many of each kind."""

    nodes: int
    pods: int
    services: int
    policies: int

    def __str__(self) -> str:
        """As the tables print it."""
        return f"{self.nodes:,}/{self.pods:,}/{self.services:,}"


SMALL = Size(3, 30, 10, 5)
MIDDLE = Size(100, 3_000, 300, 100)
LARGE = Size(5_000, 150_000, 10_000, 1_000)
SETTINGS = Settings(
    node_cidr="172.16.0.0/16", cluster_cidr="10.128.0.0/9", service_cidr="10.64.0.0/16", dns_ip="10.64.255.10"
)
SERVICES_A_NAMESPACE = 10


def cluster_objects(size: Size) -> list[Obj]:
    """Namespaces, nodes, Services, policies and pods as ``kubectl get -o json`` gives them.

    Pods come by namespace and name, as kube-apiserver lists them.
    """
    spaces = max(1, size.services // SERVICES_A_NAMESPACE)
    found: list[Obj] = [_object("Namespace", "v1", f"team-{i}", labels={"team": f"t{i % 7}"}) for i in range(spaces)]
    found += [node(index) for index in range(size.nodes)]
    found += [service(index, spaces) for index in range(size.services)]
    found += [policy(index, spaces) for index in range(size.policies)]
    listed = sorted(range(size.pods), key=lambda index: _pod_name(index, size, spaces))
    found += [pod(index, size, spaces) for index in listed]
    return found


def _object(kind: str, api: str, name: str, namespace: str = "", **meta: Any) -> Obj:
    where = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **where, "creationTimestamp": "2026-01-01T00:00:00Z", **meta}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def node(index: int) -> Obj:
    """A node with its InternalIP, a /24 of pod addresses and one of three zones."""
    block = f"10.{128 + index // 256}.{index % 256}.0/24"
    name = f"node-{index:05}"
    return {
        **_object("Node", "v1", name, labels={"topology.kubernetes.io/zone": f"z{index % 3}"}),
        "spec": {"podCIDR": block, "podCIDRs": [block]},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": f"172.16.{index // 250}.{index % 250 + 2}"},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def service(index: int, spaces: int) -> Obj:
    """Every tenth is a NodePort, every tenth keeps to its own node, one of them outside."""
    ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    ip = f"10.64.{index // 250}.{index % 250 + 1}"
    spec: Obj = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "ports": ports}
    spec["selector"] = {"app": f"app-{index}"}
    if index % 10 == 3 and index < 20_000:
        spec["type"] = "NodePort"
        spec["externalTrafficPolicy"] = "Local" if index % 20 == 3 else "Cluster"
        ports[0] = {**ports[0], "nodePort": 30_000 + index // 10 % 2_700}
    if index % 10 == 7:
        spec["trafficDistribution"] = "PreferClose"
    return {**_object("Service", "v1", f"svc-{index}", f"team-{index % spaces}"), "spec": spec}


def policy(index: int, spaces: int) -> Obj:
    """Ingress by label, by namespace and port, and egress by address, in turn."""
    number = index % spaces + spaces * (index // spaces)
    spec: Obj = {"podSelector": {"matchLabels": {"app": f"app-{number}"}}, "policyTypes": ["Ingress"]}
    if index % 3 == 0:
        spec["ingress"] = [{"from": [{"podSelector": {"matchLabels": {"tier": "front"}}}]}]
    elif index % 3 == 1:
        spec["ingress"] = [
            {"from": [{"podSelector": {"matchLabels": {"tier": "none"}}}]},
            {
                "from": [{"namespaceSelector": {"matchLabels": {"team": "t1"}}}, {"podSelector": {}}],
                "ports": [{"port": "http", "protocol": "TCP"}],
            },
        ]
    else:
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["ingress"] = [{}]
        spec["egress"] = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.99.0.0/16"]}}]}]
    return {**_object("NetworkPolicy", "networking.k8s.io/v1", f"np-{index}", f"team-{index % spaces}"), "spec": spec}


def _pod_name(index: int, size: Size, spaces: int) -> tuple[str, str]:
    """Namespace and name."""
    app = index % size.services
    return f"team-{app % spaces}", f"app-{app}-7c9d8b6f5-{index:06}"


def pod(index: int, size: Size, spaces: int) -> Obj:
    """A ready pod of Service ``index % services``; its address follows from its node."""
    app, home = index % size.services, index % size.nodes
    ip = f"10.{128 + home // 256}.{home % 256}.{index // size.nodes + 2}"
    namespace, name = _pod_name(index, size, spaces)
    tier = "front" if index % 2 else "back"
    labels = {"app": f"app-{app}", "tier": tier, "pod-template-hash": "7c9d8b6f5"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"app-{app}-7c9d8b6f5", "controller": True}
    return {
        **_object("Pod", "v1", name, namespace, labels=labels, ownerReferences=[owner]),
        "spec": {
            "nodeName": f"node-{home:05}",
            "containers": [
                {
                    "name": "main",
                    "image": f"registry/app-{app}:1.0",
                    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "main", "ready": True, "restartCount": 0}],
        },
    }


def questions(cluster: Cluster, count: int, seed: int = 1) -> list[Probe]:
    """70 % to a Service, 20 % straight to a pod, 10 % to the Internet, all from pods."""
    rng = random.Random(seed)
    pods = sorted(cluster.pods)
    services = sorted(cluster.services)
    found = []
    for number in range(count):
        namespace, name = rng.choice(pods)
        kind = rng.random()
        if kind < 0.7:
            space, service_name = rng.choice(services)
            to = Destination(kind="ip", ip=cluster.services[space, service_name].ip, port=80)
        elif kind < 0.9:
            to = Destination(kind="ip", ip=cluster.pods[rng.choice(pods)].ip, port=8080)
        else:
            to = Destination(kind="ip", ip=f"203.0.113.{rng.randrange(1, 250)}", port=443)
        found.append(Probe(source=Source(kind="pod", namespace=namespace, name=name), destination=to, seed=number))
    return found
