"""The admin page of people's arrangements: to read and to delete, the picture is where they are made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from clusterviz.cluster.admin.generic import ModelAdmin
from clusterviz.cluster.models import Layout


@admin.register(Layout)
class LayoutAdmin(ModelAdmin):
    """Who put how many things elsewhere in which view."""

    list_display = ("cluster", "view", "user", "things", "changed")
    list_filter = ("cluster", "view")
    search_fields = ("user__username", "cluster__name")
    list_select_related = ("cluster", "user")
    fields = ("cluster", "view", "user", "places", "changed")
    readonly_fields = fields

    @admin.display(description="things put")
    def things(self, row: Layout) -> int:
        """How many."""
        return len(row.places)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Things are put somewhere in the picture."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Things are put somewhere in the picture."""
        return False
