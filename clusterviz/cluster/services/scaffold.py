"""A new cluster: nodes, the namespaces every cluster has, the API's Service and cluster DNS."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.models import Cluster
from clusterviz.cluster.services.admission import namespace
from clusterviz.cluster.services.apply import apply_objects
from clusterviz.cluster.services.delete import PROTECTED_NAMESPACES
from clusterviz.cluster.services.errors import Invalid
from clusterviz.engine.manifests.problem import Problem
from clusterviz.engine.settings import Settings

MAX_NODES = 250


@transaction.atomic
def create_cluster(
    name: str,
    *,
    title: str = "",
    settings: dict[str, Any] | None = None,
    origins: dict[str, str] | None = None,
    seed: int = 1,
    nodes: int = 3,
    actor: str,
) -> Cluster:
    """A cluster with ``nodes`` nodes n1.. and what every cluster starts with. Raises `Invalid`."""
    if not 0 <= nodes <= MAX_NODES:
        raise Invalid(f"nodes: Invalid value: {nodes}: must be between 0 and {MAX_NODES}, inclusive")
    cluster = Cluster(name=name, title=title, settings=settings or {}, origins=origins or {}, seed=seed)
    save_cluster(cluster)
    furnish(cluster, nodes=nodes, actor=actor)
    return cluster


@transaction.atomic
def save_cluster(cluster: Cluster) -> None:
    """Check and save the cluster's own fields. Raises `Invalid`."""
    check_cluster(cluster)
    cluster.save()


def check_cluster(cluster: Cluster) -> None:
    """Raise `Invalid` when the cluster's own fields cannot be saved."""
    try:
        cluster.full_clean()
    except ValidationError as error:
        raise Invalid(
            [
                Problem(object=f"Cluster {cluster.name}", field=field, message=message)
                for field, messages in error.message_dict.items()
                # A slug is less than what NAME asks for: the last validator says it all.
                for message in (messages[-1:] if field == "name" else messages)
            ]
        ) from None


def furnish(cluster: Cluster, *, nodes: int, actor: str) -> None:
    """Nodes, namespaces, the kubernetes Service and DNS for an empty cluster."""
    settings = cluster.engine_settings
    objects = [namespace(name) for name in PROTECTED_NAMESPACES]
    objects += [node(f"n{number}") for number in range(1, nodes + 1)]
    objects += [_api_service(), *_dns(settings)]
    apply_objects(cluster, objects, actor=actor)


def node(name: str) -> Obj:
    """A node that has yet to get its address and pod CIDR."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {},
    }


def _api_service() -> Obj:
    """The API server as pods see it; its endpoints are outside the pod network."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
        },
    }


def _dns(settings: Settings) -> list[Obj]:
    labels = {"k8s-app": "kube-dns"}
    meta = {"namespace": "kube-system", "labels": {**labels, "kubernetes.io/name": "CoreDNS"}}
    ports = [("dns", "UDP"), ("dns-tcp", "TCP")]
    container = {
        "name": "coredns",
        "image": "registry.k8s.io/coredns/coredns:v1.12.0",
        "ports": [{"name": name, "containerPort": 53, "protocol": protocol} for name, protocol in ports],
    }
    service: Obj = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", **meta},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": settings.dns_ip,
            "selector": labels,
            "ports": [{"name": name, "protocol": protocol, "port": 53, "targetPort": 53} for name, protocol in ports],
        },
    }
    deployment: Obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coredns", **meta},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    return [service, deployment]
