"""What all admin pages of Kubernetes objects share: they look like Django's and save through services."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.paginator import Page, Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html

from clusterviz.cluster import services
from clusterviz.cluster.admin.fields import LabelsField, SelectorField, TextYamlField, YamlField
from clusterviz.cluster.admin.forms import ObjectForm
from clusterviz.cluster.admin.generic import ModelAdmin
from clusterviz.cluster.models import ObjectRow
from clusterviz.engine.objects import ref_of

# A longer list of links beside a table helps nobody; the search box finds by node and namespace too.
MOST_LINKS = 200


class NarrowPaginator(Paginator):
    """Sorts the ids alone and then reads one page of rows: a large table's rows are not dragged through the sorter."""

    def page(self, number: Any) -> Page:
        """One page."""
        rows: Any = self.object_list
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        ids = list(rows.values_list("pk", flat=True)[start : start + self.per_page])
        return Page(rows.filter(pk__in=ids), number, self)


class NamedFilter(admin.AllValuesFieldListFilter):
    """A filter over a related object's name, called after the object; none where there are very many."""

    def __init__(self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = field_path.partition("__")[0]

    def has_output(self) -> bool:
        """Whether there is something to choose from."""
        return len(self.lookup_choices) <= MOST_LINKS and super().has_output()


NAMESPACE = ("namespace__name", NamedFilter)
NODE = ("node__name", NamedFilter)


def dashboard_url(row: ObjectRow) -> str:
    """The dashboard with this object selected."""
    return f"/clusters/{row.cluster.name}/#select={quote(ref_of(row.key), safe=':/')}"


def actor(request: HttpRequest) -> str:
    """Who is behind a request, for the journal."""
    return request.user.get_username()


class YamlMixin:
    """JSON columns become YAML fields, maps of labels become lines."""

    label_fields: ClassVar[tuple[str, ...]] = ("labels", "annotations")
    selector_fields: ClassVar[tuple[str, ...]] = ()
    mapping_fields: ClassVar[tuple[str, ...]] = ("rest",)
    help_texts: ClassVar[dict[str, str]] = {"rest": "Everything else of the object, as YAML."}

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Choose the form field by the column's meaning."""
        if not isinstance(db_field, models.JSONField):
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if db_field.name in self.label_fields:
            return db_field.formfield(form_class=LabelsField)
        if db_field.name in self.selector_fields:
            return db_field.formfield(form_class=SelectorField)
        form_class = TextYamlField if db_field.name in self.mapping_fields else YamlField
        field: Any = db_field.formfield(form_class=form_class, empty=None if db_field.null else {})
        field.help_text = self.help_texts.get(db_field.name, field.help_text)
        return field


class ObjectAdmin(YamlMixin, ModelAdmin):
    """One kind of object."""

    form = ObjectForm
    list_filter: ClassVar[Any] = ("cluster", NAMESPACE)
    search_fields: ClassVar[Any] = ("name", "namespace__name", "labels")
    autocomplete_fields: ClassVar[Any] = ("cluster", "namespace")
    list_per_page = 50
    paginator = NarrowPaginator
    identity: ClassVar[tuple[str, ...]] = ("cluster", "namespace", "name")
    status_fields: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With what every line shows."""
        related = [name for name in ("cluster", "namespace", "node") if hasattr(self.model, name)]
        return super().get_queryset(request).select_related(*related)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        """An object keeps its name for life, and its status is not edited."""
        return (*self.status_fields, *(self.identity if obj else ()), *(("dashboard",) if obj else ()))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who it is, what it does, what controllers say of it, and everything else."""
        rest = ("annotations", "rest")
        first = (
            *self.identity,
            *(("dashboard",) if obj and "dashboard" in self.get_readonly_fields(request, obj) else ()),
        )
        fields = [name for name in self.get_fields(request, obj) if name not in (*first, *self.status_fields, *rest)]
        parts: list[Any] = [(None, {"fields": [*first, *fields]})]
        if obj and self.status_fields:
            parts.append(("Status", {"fields": self.status_fields}))
        return [*parts, ("Everything else", {"fields": rest, "classes": ("collapse",)})]

    @admin.display(description="namespace", ordering="namespace__name")
    def space(self, row: Any) -> str:
        """The namespace's name."""
        return str(row.namespace_name)

    @admin.display(description="picture")
    def dashboard(self, row: ObjectRow) -> str:
        """A link that selects the object in the picture."""
        return format_html('<a href="{}" title="View on dashboard">show</a>', dashboard_url(row))

    @admin.display(description="labels")
    def label_list(self, row: ObjectRow) -> str:
        """Labels on one line."""
        return ", ".join(f"{key}={value}" for key, value in sorted(row.labels.items()))

    def view_on_site(self, obj: ObjectRow) -> str:
        """The button at the top of the page."""
        return dashboard_url(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ARG002
        """Through the write path, children included."""
        summary = services.apply_objects(obj.cluster, [obj.wish], actor=actor(request))
        if obj.pk is None:
            obj.pk = type(obj).objects.get(**{name: getattr(obj, name) for name in self.identity}).pk
        for warning in summary.warnings:
            messages.warning(request, str(warning))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ARG002
        """Children are written with their object; only Django's history wants to hear of them."""
        for formset in formsets:
            formset.new_objects = [f.instance for f in formset.extra_forms if f.has_changed()]
            formset.changed_objects = [(f.instance, f.changed_data) for f in formset.initial_forms if f.has_changed()]
            formset.deleted_objects = [f.instance for f in formset.deleted_forms]

    def delete_model(self, request: HttpRequest, obj: ObjectRow) -> None:
        """Delete one object."""
        services.delete_objects(obj.cluster, [obj.key], actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Delete many, cluster by cluster."""
        keys: dict[Any, list[Any]] = {}
        for row in queryset:
            keys.setdefault(row.cluster, []).append(row.key)
        for cluster, names in keys.items():
            services.delete_objects(cluster, names, actor=actor(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ARG002
        """What the confirmation page lists: the objects themselves, Kubernetes takes care of the rest."""
        rows = list(objs)
        protected = [f"{row} is forbidden: it may not be deleted" for row in rows if not self.may_go(row)]
        return [str(row) for row in rows], {self.opts.verbose_name_plural: len(rows)}, set(), protected

    def may_go(self, row: ObjectRow) -> bool:  # noqa: ARG002
        """Whether Kubernetes would delete it."""
        return True


class ReplicasActionForm(ActionForm):
    """A number beside the list of actions."""

    replicas = forms.IntegerField(min_value=0, max_value=500, required=False, label="Replicas")


def run(request: HttpRequest, action: str, queryset: models.QuerySet[Any], **params: Any) -> None:
    """Do an action to every chosen object and say what came of it."""
    for row in queryset.select_related("cluster"):
        try:
            messages.success(request, services.act(row.cluster, action, row.key, actor=actor(request), **params))
        except services.Invalid as error:
            messages.error(request, f"{row}: {error}")
