"""Nodes, namespaces, and pods with their containers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from clusterviz.cluster.columns import Children, Column, JsonColumn
from clusterviz.cluster.models.base import ANNOTATIONS, LABELS, OWNERS, ChildRow, ObjectRow, OwnedRow, unique


class Namespace(ObjectRow):
    """A namespace; deleting it deletes what is in it."""

    KIND = "Namespace"
    API_VERSION = "v1"
    NAMESPACED = False

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cluster", "name"], name="one_namespace")]

    def __str__(self) -> str:
        """The name, and the cluster that tells it from its like."""
        return f"{self.name} ({self.cluster.name})"


class Node(ObjectRow):
    """A machine of the cluster."""

    KIND = "Node"
    API_VERSION = "v1"
    NAMESPACED = False
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        Column("pod_cidr", ("spec", "podCIDR"), str, limit=64),
        Column("unschedulable", ("spec", "unschedulable"), bool, absent=False),
        JsonColumn("addresses", ("status", "addresses"), list, absent=None),
    )

    pod_cidr = models.CharField("pod CIDR", max_length=64, blank=True)
    unschedulable = models.BooleanField(default=False)
    addresses = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cluster", "name"], name="one_node")]

    def __str__(self) -> str:
        """The name, and the cluster that tells it from its like."""
        return f"{self.name} ({self.cluster.name})"


class Pod(OwnedRow):
    """A pod; its containers are rows of their own."""

    KIND = "Pod"
    API_VERSION = "v1"
    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        OWNERS,
        Column("node__name", ("spec", "nodeName"), str),
        Column("host_network", ("spec", "hostNetwork"), bool, absent=False),
        Column("deleting", ("metadata", "deletionTimestamp"), str, limit=40),
        Column("phase", ("status", "phase"), str, limit=20),
        Column("ip", ("status", "podIP"), str, limit=45),
    )
    CHILDREN = (
        Children(
            "Container",
            ("spec", "containers"),
            (
                Column("name", ("name",), str, limit=63),
                Column("image", ("image",), str, limit=500),
                JsonColumn("ports", ("ports",), list, absent=None),
            ),
            ("name",),
            (("init", False),),
        ),
        Children(
            "Container",
            ("spec", "initContainers"),
            (
                Column("name", ("name",), str, limit=63),
                Column("image", ("image",), str, limit=500),
                JsonColumn("ports", ("ports",), list, absent=None),
            ),
            ("name",),
            (("init", True),),
        ),
    )

    node = models.ForeignKey(Node, models.SET_NULL, null=True, blank=True)
    host_network = models.BooleanField(default=False)
    deleting = models.CharField(max_length=40, blank=True, help_text="When its deletion was asked for.")
    phase = models.CharField(max_length=20, blank=True)
    ip = models.CharField("IP", max_length=45, blank=True)

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("pod")]
        # Pods of their own are few and counted with every wish that could make the cluster too large.
        indexes: ClassVar = [
            models.Index(fields=["cluster"], condition=models.Q(owners__isnull=True), name="pods_of_nobody")
        ]


class Container(ChildRow):
    """A container of a pod; ``ports`` is the list as Kubernetes writes it."""

    pod = models.ForeignKey(Pod, models.CASCADE)
    init = models.BooleanField("init container", default=False)
    image = models.CharField(max_length=500, blank=True)
    ports = models.JSONField(null=True, blank=True)
