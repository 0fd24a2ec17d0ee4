"""Workloads: what makes pods."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from clusterviz.cluster.columns import Column, JsonColumn
from clusterviz.cluster.models.base import ANNOTATIONS, LABELS, OWNERS, OwnedRow, unique

_COMMON: tuple[Column, ...] = (
    LABELS,
    ANNOTATIONS,
    OWNERS,
    JsonColumn("selector", ("spec", "selector"), dict, absent=None),
    JsonColumn("template", ("spec", "template"), dict, absent=None),
)
_REPLICAS = Column("replicas", ("spec", "replicas"), int, absent=None, least=0)


class Workload(OwnedRow):
    """What all workloads share: which pods are theirs, and how they look."""

    API_VERSION = "apps/v1"
    COLUMNS = _COMMON

    selector = models.JSONField(null=True, blank=True)
    template = models.JSONField("pod template", null=True, blank=True)

    class Meta:
        abstract = True


class ReplicatedWorkload(Workload):
    """A workload with a number of replicas."""

    COLUMNS = (*_COMMON, _REPLICAS)

    replicas = models.PositiveIntegerField(null=True, blank=True, default=1)

    class Meta:
        abstract = True


class Deployment(ReplicatedWorkload):
    """Replicas that may be exchanged for one another, updated through ReplicaSets."""

    KIND = "Deployment"

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("deployment")]


class ReplicaSet(ReplicatedWorkload):
    """A number of equal pods."""

    KIND = "ReplicaSet"

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("replicaset")]


class StatefulSet(ReplicatedWorkload):
    """Pods with a stable name and order."""

    KIND = "StatefulSet"
    COLUMNS = (*_COMMON, _REPLICAS, Column("service_name", ("spec", "serviceName"), str))

    service_name = models.CharField("headless Service", max_length=253, blank=True)

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("statefulset")]


class DaemonSet(Workload):
    """One pod on every node."""

    KIND = "DaemonSet"

    class Meta:
        ordering: ClassVar = ["namespace__name", "name"]
        constraints: ClassVar = [unique("daemonset")]
