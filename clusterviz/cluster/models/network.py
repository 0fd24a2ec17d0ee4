"""What steers traffic: Services, endpoints, Ingresses, policies, and who calls whom."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from clusterviz.cluster.columns import Children, Column, JsonColumn
from clusterviz.cluster.models.base import ANNOTATIONS, LABELS, ChildRow, NamespacedRow, unique

SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
PROTOCOLS = ("TCP", "UDP", "SCTP")


def choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    """Django choices whose label is the value."""
    return [(value, value) for value in values]


class Service(NamespacedRow):
    """A virtual address nobody owns, in front of pods."""

    KIND = "Service"
    API_VERSION = "v1"
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        Column("type", ("spec", "type"), str, limit=20),
        Column("cluster_ip", ("spec", "clusterIP"), str, limit=45),
        JsonColumn("selector", ("spec", "selector"), dict, absent=None),
        Column("external_name", ("spec", "externalName"), str),
        Column("internal_traffic_policy", ("spec", "internalTrafficPolicy"), str, limit=20),
        Column("external_traffic_policy", ("spec", "externalTrafficPolicy"), str, limit=20),
    )
    CHILDREN = (
        Children(
            "ServicePort",
            ("spec", "ports"),
            (
                Column("name", ("name",), str, limit=63),
                Column("protocol", ("protocol",), str, limit=8),
                Column("port", ("port",), int, absent=None),
                JsonColumn("target_port", ("targetPort",), int, absent=None),
                Column("node_port", ("nodePort",), int, absent=None),
            ),
            ("port",),
        ),
    )

    type = models.CharField(max_length=20, default="ClusterIP", choices=choices(SERVICE_TYPES))
    cluster_ip = models.CharField("cluster IP", max_length=45, blank=True)
    selector = models.JSONField(null=True, blank=True)
    external_name = models.CharField(max_length=253, blank=True)
    internal_traffic_policy = models.CharField(max_length=20, blank=True, choices=choices(("Cluster", "Local")))
    external_traffic_policy = models.CharField(max_length=20, blank=True, choices=choices(("Cluster", "Local")))

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("service")]


class ServicePort(ChildRow):
    """A port of a Service; ``target_port`` is a number or the name of a container port."""

    service = models.ForeignKey(Service, models.CASCADE)
    protocol = models.CharField(max_length=8, blank=True, default="TCP", choices=choices(PROTOCOLS))
    port = models.IntegerField()
    target_port = models.JSONField(null=True, blank=True)
    node_port = models.IntegerField(null=True, blank=True)


class EndpointSlice(NamespacedRow):
    """Addresses behind a Service."""

    KIND = "EndpointSlice"
    API_VERSION = "discovery.k8s.io/v1"
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        Column("address_type", ("addressType",), str, limit=10),
        JsonColumn("endpoints", ("endpoints",), list, absent=None),
        JsonColumn("ports", ("ports",), list, absent=None),
    )

    address_type = models.CharField(max_length=10, default="IPv4", choices=choices(("IPv4", "IPv6", "FQDN")))
    endpoints = models.JSONField(null=True, blank=True)
    ports = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("endpointslice")]


class Ingress(NamespacedRow):
    """Hosts and paths that lead to Services."""

    KIND = "Ingress"
    API_VERSION = "networking.k8s.io/v1"
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        Column("ingress_class", ("spec", "ingressClassName"), str),
        JsonColumn("rules", ("spec", "rules"), list, absent=None),
        JsonColumn("default_backend", ("spec", "defaultBackend"), dict, absent=None),
    )

    ingress_class = models.CharField(max_length=253, blank=True)
    rules = models.JSONField(null=True, blank=True)
    default_backend = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("ingress")]
        verbose_name_plural = "ingresses"


class NetworkPolicy(NamespacedRow):
    """Who may talk with the pods it selects."""

    KIND = "NetworkPolicy"
    API_VERSION = "networking.k8s.io/v1"
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        JsonColumn("pod_selector", ("spec", "podSelector"), dict, absent=None),
        JsonColumn("policy_types", ("spec", "policyTypes"), list, absent=None),
        JsonColumn("ingress", ("spec", "ingress"), list, absent=None),
        JsonColumn("egress", ("spec", "egress"), list, absent=None),
    )

    pod_selector = models.JSONField(null=True, blank=True)
    policy_types = models.JSONField(null=True, blank=True)
    ingress = models.JSONField(null=True, blank=True)
    egress = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("networkpolicy")]
        verbose_name_plural = "network policies"


class TrafficFlow(NamespacedRow):
    """Who calls whom, and how often."""

    KIND = "TrafficFlow"
    API_VERSION = "clusterviz.dev/v1"
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        Column("from_kind", ("spec", "from", "kind"), str, limit=20),
        Column("from_namespace", ("spec", "from", "namespace"), str, limit=63),
        Column("from_name", ("spec", "from", "name"), str),
        Column("from_ip", ("spec", "from", "ip"), str, limit=45),
        Column("to_host", ("spec", "to", "host"), str),
        Column("to_port", ("spec", "to", "port"), int, absent=None),
        Column("to_protocol", ("spec", "to", "protocol"), str, limit=8),
        Column("to_scheme", ("spec", "to", "scheme"), str, limit=8),
        Column("to_path", ("spec", "to", "path"), str, limit=2000),
        Column("requests_per_second", ("spec", "requestsPerSecond"), float, absent=None),
        Column("inferred", ("spec", "inferred"), bool, absent=False),
    )

    from_kind = models.CharField(
        "caller kind",
        max_length=20,
        default="Deployment",
        choices=choices(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Pod", "External")),
    )
    from_namespace = models.CharField("caller namespace", max_length=63, blank=True)
    from_name = models.CharField("caller name", max_length=253, blank=True)
    from_ip = models.CharField("caller IP", max_length=45, blank=True)
    to_host = models.CharField("called host", max_length=253)
    to_port = models.IntegerField("called port", null=True)
    to_protocol = models.CharField("protocol", max_length=8, default="TCP", choices=choices(("TCP", "UDP")))
    to_scheme = models.CharField("scheme", max_length=8, blank=True, choices=choices(("http", "https", "grpc", "tcp")))
    to_path = models.CharField("path", max_length=2000, blank=True)
    requests_per_second = models.FloatField("requests/s", null=True, default=1.0)
    inferred = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("trafficflow")]
