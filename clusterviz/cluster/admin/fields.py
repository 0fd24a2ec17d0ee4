"""Form fields for what Kubernetes nests: labels as lines, rules as YAML with line numbers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clusterviz.engine.manifests.problem import ManifestError
from clusterviz.engine.manifests.read import Document, read_value
from clusterviz.engine.manifests.write import dump


class CodeArea(forms.Textarea):
    """A text area as tall as its text."""

    def __init__(self) -> None:
        super().__init__(attrs={"cols": 100, "spellcheck": "false"})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Three to thirty lines."""
        rows = min(max(str(value or "").count("\n") + 2, 3), 30)
        return super().get_context(name, value, {"rows": rows, **(attrs or {})})


class LabelsField(forms.CharField):
    """A map of strings, one ``key=value`` a line."""

    def __init__(self, **kwargs: Any) -> None:
        for name in ("encoder", "decoder", "max_length"):
            kwargs.pop(name, None)
        kwargs["widget"] = CodeArea()
        kwargs["help_text"] = "One key=value a line."
        kwargs["required"] = False
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show a map as lines."""
        if isinstance(value, dict):
            return "\n".join(f"{key}={item}" for key, item in sorted(value.items()))
        return value

    def to_python(self, value: Any) -> Any:
        """Read lines; a line without ``=`` is refused with its number."""
        found: dict[str, str] = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            key, equals, item = line.partition("=")
            key = key.strip()
            if not equals or not key:
                raise ValidationError(f"line {number}: {line.strip()[:80]!r} is not key=value")
            if key in found:
                raise ValidationError(f"line {number}: key {key!r} stands twice")
            found[key] = item.strip()
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as maps, so that order and blank lines do not count."""
        try:
            return bool((initial or {}) != self.to_python(data))
        except ValidationError:
            return True


class SelectorField(LabelsField):
    """Labels that may be absent altogether, which is not the same as empty."""

    def to_python(self, value: Any) -> Any:
        """No line: no selector."""
        return super().to_python(value) or None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Absent and empty look alike here."""
        return super().has_changed(initial, data) if initial else bool(str(data or "").strip())


class YamlField(forms.CharField):
    """Any nested value as YAML. ``lines`` maps a field path inside it to its line."""

    def __init__(self, *, empty: Any = None, **kwargs: Any) -> None:
        for name in ("encoder", "decoder", "max_length"):
            kwargs.pop(name, None)
        kwargs["widget"] = CodeArea()
        kwargs.setdefault("help_text", "YAML.")
        kwargs["required"] = False
        super().__init__(**kwargs)
        self.empty = empty

    def prepare_value(self, value: Any) -> Any:
        """Show data as YAML; what was typed stays as it was typed."""
        if isinstance(value, str):
            return value
        return "" if value is None or value == self.empty else dump([value]).removesuffix("...\n")

    def to_python(self, value: Any) -> Any:
        """Read YAML; a mistake is told with its line."""
        if not str(value or "").strip():
            return self.empty
        try:
            data, _ = read_value(str(value))
        except ManifestError as error:
            raise ValidationError(
                [f"line {p.line}: {p.message}" if p.line else p.message for p in error.problems]
            ) from None
        return self.empty if data is None else data

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as data, so that formatting does not count."""
        try:
            return bool((self.empty if initial is None else initial) != self.to_python(data))
        except ValidationError:
            return True


class TextYamlField(YamlField):
    """YAML whose top is a mapping."""

    def to_python(self, value: Any) -> Any:
        """Refuse anything but a mapping."""
        data = super().to_python(value)
        if data is not self.empty and not isinstance(data, dict):
            raise ValidationError("line 1: expected a mapping (name: value)")
        return data


class TargetPortField(forms.Field):
    """A port number or the name of a container port."""

    widget = forms.TextInput(attrs={"size": 12, "maxlength": 15})

    def __init__(self, **kwargs: Any) -> None:
        for name in ("encoder", "decoder"):
            kwargs.pop(name, None)
        super().__init__(**kwargs | {"required": False})

    def to_python(self, value: Any) -> Any:
        """Digits are a number; nothing is nothing."""
        text = str(value if value is not None else "").strip()
        return int(text) if text.isdecimal() and len(text) < 10 else text or None


def line_in(text: str, path: str) -> int:
    """Line of a field path in YAML text, 0 when it cannot be read."""
    try:
        _, document = read_value(text)
    except ManifestError:
        return 0
    found: Document = document
    return found.line_at(path)
