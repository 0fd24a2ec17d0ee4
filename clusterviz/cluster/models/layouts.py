"""Where a person put things in the picture of a cluster."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from clusterviz.cluster.models.base import Cluster

#: The views in which things can be put elsewhere.
VIEWS = ("nodes", "services", "namespaces")
PLACES = 2000
FARTHEST = 1_000_000
LONGEST = 600


def check_places(value: Any) -> None:
    """Refuse anything but ``{id: [number] or [x, y]}``, and too much of it. Raises `ValidationError`."""
    if not isinstance(value, dict):
        raise ValidationError("places: must be an object of ids and numbers")
    if len(value) > PLACES:
        raise ValidationError(f"places: {len(value)} things were put somewhere, at most {PLACES} may be")
    for ref, place in value.items():
        if not isinstance(ref, str) or not 0 < len(ref) <= LONGEST:
            raise ValidationError(f"places[{str(ref)[:80]!r}]: an id has 1 to {LONGEST} characters")
        if not isinstance(place, list) or not 1 <= len(place) <= 2 or not all(map(_fits, place)):
            raise ValidationError(
                f"places[{ref[:80]!r}]: must be one or two whole numbers from -{FARTHEST} to {FARTHEST}"
            )


def _fits(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and abs(number) <= FARTHEST


class Layout(models.Model):
    """One person's places in one view of one cluster.

    ``places`` by picture id: in the view by node the slot of a node, a Service or a machine outside, ``[slot]``;
    in the others where a card stands, ``[x, y]`` in pixels.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    cluster = models.ForeignKey(Cluster, models.CASCADE)
    view = models.CharField(max_length=20, choices=[(view, view) for view in VIEWS])
    places = models.JSONField(default=dict, validators=[check_places])
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["cluster__name", "user__username", "view"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "cluster", "view"], name="one_layout")]

    def __str__(self) -> str:
        """``demo by services, of alice``."""
        return f"{self.cluster.name} by {self.view}, of {self.user.get_username()}"
