"""Objects without a model of their own, and the journal."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from clusterviz.cluster.columns import Column
from clusterviz.cluster.models.base import ANNOTATIONS, LABELS, Cluster, ObjectRow


class OtherObject(ObjectRow):
    """Any other kind, kept word for word.

    ``kind`` is written ``Kind.group`` unless the group is one of Kubernetes's own (`keys.stored_kind`).
    """

    COLUMNS = (
        LABELS,
        ANNOTATIONS,
        Column("api_version", ("apiVersion",), str, limit=300),
    )

    kind = models.CharField(max_length=320)
    api_version = models.CharField("API version", max_length=300, blank=True)
    namespace = models.ForeignKey("cluster.Namespace", models.CASCADE, null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["kind", "namespace__name", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "kind", "namespace", "name"], name="one_other"),
            models.UniqueConstraint(
                fields=["cluster", "kind", "name"],
                condition=models.Q(namespace=None),
                name="one_other_cluster_scoped",
            ),
        ]

    def __str__(self) -> str:
        """``Kind namespace/name``."""
        return f"{self.kind} {super().__str__()}"

    @property
    def key(self) -> tuple[str, str, str]:
        """``(kind, namespace, name)``."""
        return self.kind, self.namespace_name, self.name


class Change(models.Model):
    """One line of the journal: what somebody wished."""

    cluster = models.ForeignKey(Cluster, models.CASCADE)
    sequence = models.PositiveBigIntegerField()
    verb = models.CharField(max_length=5, choices=[("set", "set"), ("unset", "unset")])
    kind = models.CharField(max_length=320)
    namespace = models.CharField(max_length=253, blank=True)
    name = models.CharField(max_length=253)
    object = models.JSONField(null=True, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-sequence"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cluster", "sequence"], name="one_change")]

    def __str__(self) -> str:
        """``7 set Pod shop/api-1``."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.sequence} {self.verb} {self.kind} {place}"

    @property
    def key(self) -> tuple[str, str, str]:
        """``(kind, namespace, name)``."""
        return self.kind, self.namespace, self.name
