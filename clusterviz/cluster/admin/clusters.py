"""Admin pages of clusters and of the journal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.admin.base import actor
from clusterviz.cluster.admin.generic import ModelAdmin
from clusterviz.cluster.admin.settings_form import PREFIX, SettingsForm
from clusterviz.cluster.models import Change, Cluster, Pod
from clusterviz.cluster.services.scaffold import MAX_NODES
from clusterviz.engine import Cluster as Snapshot
from clusterviz.engine.lint import SEVERITIES, WHILE_WAITING, lint
from clusterviz.engine.manifests.write import dump
from clusterviz.engine.settings_check import fields


class NewClusterForm(SettingsForm):
    """A new cluster also wants nodes."""

    nodes = forms.IntegerField(min_value=0, max_value=MAX_NODES, initial=3, help_text="They are named n1, n2, ...")


@admin.register(Cluster)
class ClusterAdmin(ModelAdmin):
    """Clusters side by side, each with its network settings."""

    list_display = ("name", "title", "seed", "created", "dashboard", "look")
    search_fields = ("name", "title")

    def get_fieldsets(self, request: HttpRequest, obj: Cluster | None = None) -> Any:  # noqa: ARG002
        """The cluster itself, then its settings by what they concern."""
        groups: dict[str, list[str]] = {}
        for name, field in fields().items():
            groups.setdefault(field.group, []).append(PREFIX + name)
        own = ("name", "title", "seed", *(("dashboard", "findings") if obj else ("nodes",)))
        return [(None, {"fields": own}), *((group, {"fields": names}) for group, names in groups.items())]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """An existing cluster has its nodes."""
        kwargs["form"] = SettingsForm if obj else NewClusterForm
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        """A cluster keeps its name for life."""
        return ("name", "dashboard", "findings") if obj else ()

    @admin.display(description="dashboard")
    def dashboard(self, row: Cluster) -> str:
        """A link to the picture."""
        return format_html('<a href="/clusters/{}/">View on dashboard</a>', row.name)

    @admin.display(description="findings")
    def look(self, row: Cluster) -> str:
        """A link to what is legal here and does not work."""
        return format_html('<a href="/clusters/{}/findings/">Findings</a>', row.name)

    @admin.display(description="findings")
    def findings(self, row: Cluster) -> str:
        """How many there are, of a cluster small enough to be looked through while a page is made."""
        words = "Look for them"
        if Pod.objects.filter(cluster=row).count() <= WHILE_WAITING:
            found = lint(Snapshot.from_objects(snapshot.load_objects(row), row.engine_settings))
            counts = [(word, sum(one.severity == word for one in found)) for word in SEVERITIES]
            words = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts)
        return format_html('<a href="/clusters/{}/findings/">{}</a>', row.name, words)

    def view_on_site(self, obj: Cluster) -> str:
        """The button at the top of the page."""
        return f"/clusters/{obj.name}/"

    def save_model(self, request: HttpRequest, obj: Cluster, form: Any, change: bool) -> None:
        """Through the write path; a new cluster is furnished."""
        origin = f"set by {actor(request)}"
        changes = form.changes()
        if change:
            services.save_cluster(obj)
            services.change_settings(obj, changes, origin=origin)
            return
        made = services.create_cluster(
            obj.name,
            title=obj.title,
            settings=changes,
            origins=dict.fromkeys(changes, origin),
            seed=obj.seed,
            nodes=form.cleaned_data["nodes"],
            actor=actor(request),
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: Cluster) -> None:  # noqa: ARG002
        """Delete a cluster with everything in it."""
        services.delete_cluster(obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:  # noqa: ARG002
        """Delete several."""
        for cluster in queryset:
            services.delete_cluster(cluster)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ARG002
        """A cluster goes with all its objects and its journal."""
        rows = list(objs)
        lines = [f"{row.name}, with all its objects and its journal" for row in rows]
        return lines, {self.opts.verbose_name_plural: len(rows)}, set(), []


@admin.register(Change)
class ChangeAdmin(ModelAdmin):
    """The journal, to read."""

    list_display = ("sequence", "cluster", "verb", "kind", "namespace", "name", "actor", "at")
    list_filter = ("cluster", "verb", "kind", "actor")
    search_fields = ("name", "namespace", "kind", "actor")
    list_select_related = ("cluster",)
    date_hierarchy = "at"
    fields = ("cluster", "sequence", "verb", "kind", "namespace", "name", "actor", "at", "object_yaml")
    readonly_fields = fields

    @admin.display(description="object")
    def object_yaml(self, row: Change) -> str:
        """The object as it was wished."""
        return format_html("<pre>{}</pre>", dump([row.object])) if row.object else "-"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Only `services` writes it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """What happened has happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """What happened has happened."""
        return False
