"""Which kubeconfigs of a cluster still open it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from clusterviz.cluster.models.base import Cluster


class ApiAccess(models.Model):
    """The generation of a role's token; without a row it is 1. A new generation ends all earlier kubeconfigs."""

    cluster = models.ForeignKey(Cluster, models.CASCADE)
    role = models.CharField(max_length=10, choices=[("viewer", "viewer"), ("editor", "editor")])
    generation = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["cluster", "role"]
        verbose_name_plural = "API access"
        constraints: ClassVar = [models.UniqueConstraint(fields=["cluster", "role"], name="one_api_access")]

    def __str__(self) -> str:
        """``demo editor 2``."""
        return f"{self.cluster.name} {self.role} {self.generation}"
