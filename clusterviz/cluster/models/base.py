"""The cluster, and what all rows of Kubernetes objects share."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from clusterviz.cluster.columns import Children, Column, LabelsColumn, ListColumn, Obj, join
from clusterviz.engine import settings_check
from clusterviz.engine.objects import Key
from clusterviz.engine.settings import Settings

NAME = RegexValidator(
    r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z",
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
)
LABELS = LabelsColumn("labels", ("metadata", "labels"), dict, absent={})
ANNOTATIONS = LabelsColumn("annotations", ("metadata", "annotations"), dict, absent={})
OWNERS = ListColumn("owners", ("metadata", "ownerReferences"), list, absent=None)


def check_settings(value: Any) -> None:
    """Refuse settings the engine does not understand."""
    if not isinstance(value, dict):
        raise ValidationError("must be a mapping of settings")
    flaws = settings_check.check_settings(value)
    if flaws:
        raise ValidationError([str(flaw) for flaw in flaws])


class Cluster(models.Model):
    """One Kubernetes cluster; several live side by side."""

    name = models.SlugField(unique=True, max_length=63, validators=[NAME])
    title = models.CharField(max_length=200, blank=True)
    settings = models.JSONField(default=dict, blank=True, validators=[check_settings])
    origins = models.JSONField(default=dict, blank=True, editable=False)
    seed = models.PositiveIntegerField(default=1, help_text="Same seed, same events.")
    created = models.DateTimeField(default=timezone.now, editable=False)
    # Of a fork: the cluster it branched off, the moment of that cluster it shows, and who wanted it.
    forked_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="forks"
    )
    forked_at = models.DateTimeField(null=True, blank=True, editable=False)
    forked_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        """The title when it has one."""
        return self.title or self.name

    @property
    def engine_settings(self) -> Settings:
        """The settings as the engine wants them."""
        return msgspec.convert(self.settings, Settings)


class ObjectRow(models.Model):
    """One Kubernetes object: typed columns, and the rest of it verbatim."""

    KIND: ClassVar[str] = ""
    API_VERSION: ClassVar[str] = ""
    NAMESPACED: ClassVar[bool] = True
    COLUMNS: ClassVar[tuple[Column, ...]] = (LABELS, ANNOTATIONS)
    CHILDREN: ClassVar[tuple[Children, ...]] = ()

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    cluster = models.ForeignKey(Cluster, models.CASCADE)
    name = models.CharField(max_length=253)
    labels = models.JSONField(default=dict, blank=True)
    annotations = models.JSONField(default=dict, blank=True)
    rest = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """``namespace/name``."""
        namespace = self.namespace_name
        return f"{namespace}/{self.name}" if namespace else self.name

    @property
    def namespace_name(self) -> str:
        """Name of the namespace, "" for a cluster-scoped object."""
        namespace = getattr(self, "namespace", None)
        return namespace.name if namespace else ""

    @property
    def key(self) -> tuple[str, str, str]:
        """``(kind, namespace, name)``."""
        return self.KIND, self.namespace_name, self.name

    def to_object(self, lists: list[list[Obj]] | None = None) -> Obj:
        """The plain Kubernetes object; ``lists`` stand in for the rows of its children."""
        values = {column.attr: resolve(self, column.attr) for column in self.COLUMNS}
        lists = [self.child_objects(children) for children in self.CHILDREN] if lists is None else lists
        head = self.KIND or resolve(self, "kind"), self.namespace_name, self.name
        return assemble(type(self), head, copy.deepcopy(self.rest), values, lists)

    def child_objects(self, children: Children) -> list[Obj]:
        """The objects of one list of children, in order."""
        rows = getattr(self, f"{children.model.lower()}_set").filter(**dict(children.mark))
        return [
            join(copy.deepcopy(row.rest), children.columns, {c.attr: getattr(row, c.attr) for c in children.columns})
            for row in rows.order_by("position")
        ]


class NamespacedRow(ObjectRow):
    """An object that lives in a namespace."""

    namespace = models.ForeignKey("cluster.Namespace", models.CASCADE)

    class Meta:
        abstract = True


class OwnedRow(NamespacedRow):
    """An object that may be made by a controller; ``owners`` are its owner references, null when it is nobody's."""

    owners = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class ChildRow(models.Model):
    """One entry of a list inside an object."""

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=63, blank=True)
    rest = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["position"]

    def __str__(self) -> str:
        """The name, or the place in the list."""
        return self.name or f"#{self.position}"


def resolve(row: models.Model, attr: str) -> Any:
    """An attribute, followed over a foreign key when it is written ``node__name``."""
    value: Any = row
    for name in attr.split("__"):
        value = getattr(value, name, None)
        if value is None:
            return "" if "__" in attr else None
    return value


def assemble(model: type[ObjectRow], key: Key, rest: Obj, values: dict[str, Any], lists: list[list[Obj]]) -> Obj:
    """Build the object from the parts of a row; takes ``rest`` over."""
    kind, namespace, name = key
    head = {"kind": kind.partition(".")[0]}
    obj: Obj = {"apiVersion": model.API_VERSION} | head | rest | head
    metadata = obj["metadata"] = {"name": name} | (obj.get("metadata") or {}) | {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    join(obj, model.COLUMNS, values)
    for children, items in zip(model.CHILDREN, lists, strict=True):
        if items:
            join(obj, [Column("items", children.path, list, absent=None)], {"items": items})
    return obj


def unique(name: str) -> models.UniqueConstraint:
    """An object's name is taken once in its namespace."""
    return models.UniqueConstraint(fields=["cluster", "namespace", "name"], name=f"one_{name}")
