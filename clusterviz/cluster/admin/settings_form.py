"""A form field for every setting of a cluster, with its meaning, choices and limits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clusterviz.cluster import services
from clusterviz.cluster.admin.generic import ModelForm
from clusterviz.cluster.models import Cluster
from clusterviz.engine.settings_check import Field, fields, plain

PREFIX = "setting_"


class ListField(forms.CharField):
    """Several values with commas between."""

    def prepare_value(self, value: Any) -> Any:
        """Show a list on one line."""
        return ", ".join(value) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> Any:
        """The values, without empty ones."""
        return [part.strip() for part in str(value or "").split(",") if part.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists."""
        return bool(list(initial or []) != self.to_python(data))


class RangeField(forms.CharField):
    """Two numbers with a hyphen between."""

    def prepare_value(self, value: Any) -> Any:
        """Show both ends."""
        return "-".join(map(str, value)) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> Any:
        """Read both ends."""
        first, _, last = str(value or "").partition("-")
        if not (first.strip().isdecimal() and last.strip().isdecimal()):
            raise ValidationError("must be two whole numbers such as 30000-32767")
        return [int(first), int(last)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as text."""
        return bool(self.prepare_value(initial) != data)


def form_field(field: Field) -> forms.Field:
    """The form field of a setting; limits are checked with all other settings in `SettingsForm.clean`."""
    usual = "-".join(map(str, field.default)) if field.kind == "range" else field.default
    said = ("on" if usual else "off") if field.kind == "bool" else (", ".join(usual) if field.kind == "list" else usual)
    rules = ", ".join(field.rules)
    more: dict[str, Any] = {
        "label": field.label,
        "help_text": f"{field.meaning} Default: {said if said != '' else 'none'}. ({rules})",
        "required": False,
    }
    if field.kind == "bool":
        return forms.BooleanField(**more)
    more["required"] = field.kind not in ("list", "str") or (field.default != "" and field.kind == "str")
    if field.kind == "choice":
        return forms.ChoiceField(choices=[(one, one) for one in field.choices], **more)
    if field.kind == "int":
        return forms.IntegerField(min_value=int(field.least or 0), max_value=int(field.most or 0), **more)
    if field.kind == "float":
        return forms.FloatField(min_value=field.least, max_value=field.most, **more)
    kinds: dict[str, type[forms.CharField]] = {"list": ListField, "range": RangeField}
    return kinds.get(field.kind, forms.CharField)(max_length=2048, **more)


class SettingsForm(ModelForm):
    """A cluster with its settings."""

    instance: Cluster

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in plain(self.instance.engine_settings).items():
            self.initial.setdefault(PREFIX + name, value)

    def clean(self) -> dict[str, Any]:
        """Check the settings together, as the write path will."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        given = {name: data[PREFIX + name] for name in fields() if PREFIX + name in data}
        for problem in services.settings_problems(self.instance, given):
            name = PREFIX + problem.field.partition("[")[0]
            self.add_error(name if name in self.fields else None, problem.message)
        return data

    def changes(self) -> dict[str, Any]:
        """Settings that are not what they were."""
        now = plain(self.instance.engine_settings)
        given = {name: self.cleaned_data[PREFIX + name] for name in fields()}
        return {name: value for name, value in given.items() if value != now[name]}


# As if they stood in the class: forms made from this one inherit what it declares.
SettingsForm.declared_fields.update({PREFIX + name: form_field(field) for name, field in fields().items()})
SettingsForm.base_fields.update(SettingsForm.declared_fields)
