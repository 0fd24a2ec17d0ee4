"""Forms that ask the write path whether kube-apiserver would take the object."""

from __future__ import annotations

import copy
import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clusterviz.cluster import services
from clusterviz.cluster.admin.fields import YamlField, line_in
from clusterviz.cluster.admin.generic import InlineFormSet, ModelForm
from clusterviz.cluster.columns import Obj, join
from clusterviz.cluster.keys import key_of
from clusterviz.cluster.models import ObjectRow
from clusterviz.engine.manifests.problem import Problem

ACTOR_FOR_CHECKS = "admin"
_INDEX = re.compile(r"\[(\d+)\](?:\.(.+))?$")
_SHORTCUTS = {"metadata.name": "name", "metadata.namespace": "namespace", "spec.clusterIPs": "cluster_ip"}


class ObjectForm(ModelForm):
    """One object: its columns, and the rest as YAML. A sound one leaves the whole object in ``wish``."""

    instance: ObjectRow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Controllers write the status while somebody looks at the form: it is not sent to and fro.
        self.status = {"status": self.instance.rest["status"]} if "status" in self.instance.rest else {}
        if self.status:
            self.initial["rest"] = {key: value for key, value in self.instance.rest.items() if key != "status"}

    def clean(self) -> dict[str, Any]:
        """Namespace and node belong to the cluster; the status is the one of this moment."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "rest" in data:
            data["rest"] = {**self.status, **data["rest"]}
            for part in {c.path[0] for c in self.instance.COLUMNS if len(c.path) > 1} & data["rest"].keys():
                if not isinstance(data["rest"][part], dict):
                    self.add_error("rest", f"{part}: must be a mapping")
        cluster_id = data["cluster"].pk if data.get("cluster") else self.instance.cluster_id
        for name in ("namespace", "node"):
            if data.get(name) is not None and data[name].cluster_id != cluster_id:
                self.add_error(name, f"{name} {data[name].name} belongs to cluster {data[name].cluster.name}")
        return data

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.admin_form = self  # type: ignore[attr-defined]
        if not self.instance.CHILDREN and not self.errors:
            self.try_out([])

    def try_out(self, lists: list[list[Obj]]) -> list[Problem]:
        """Apply the object for show; answers problems that concern its children."""
        obj = self.complete(self.instance.to_object(lists))
        if key_of(obj) != self.instance.key:
            self.add_error("rest", "kind, apiVersion, name and namespace have fields of their own")
            return []
        self.instance.wish = obj  # type: ignore[attr-defined]
        try:
            services.apply_objects(self.instance.cluster, [obj], actor=ACTOR_FOR_CHECKS, dry_run=True)
        except services.Invalid as error:
            paths = tuple(".".join(children.path) for children in self.instance.CHILDREN)
            mine = [problem for problem in error.problems if not problem.field.startswith(paths or ("\0",))]
            for problem in mine:
                self.place(problem)
            return [problem for problem in error.problems if problem not in mine]
        return []

    def complete(self, obj: Obj) -> Obj:
        """The object as it is wished; a kind may still adjust it."""
        return obj

    def place(self, problem: Problem) -> None:
        """Show a problem at the form field that holds the object's field."""
        path = re.sub(r"\[\d+\]$", "", problem.field)
        name, inside = _SHORTCUTS.get(path, ""), ""
        if not name:
            name, inside = self._column_of(problem.field)
        if name not in self.fields:
            name, inside = ("rest", problem.field) if "rest" in self.fields and problem.field else ("", "")
        message = problem.sentence
        if name and inside and isinstance(self.fields[name], YamlField):
            line = line_in(str(self.data.get(self.add_prefix(name), "")), inside)
            message = f"line {line}: {message}" if line else message
        self.add_error(name or None, message)

    def _column_of(self, field: str) -> tuple[str, str]:
        """The column whose path leads to a field, and the way on inside it."""
        for column in self.instance.COLUMNS:
            if field == column.field or field.startswith((f"{column.field}.", f"{column.field}[")):
                return column.attr.removesuffix("__name"), field[len(column.field) :].lstrip(".")
        return "", ""


class ChildFormSet(InlineFormSet):
    """Children of an object; checked together with it."""

    def clean(self) -> None:
        """Put the object together and show each problem where it belongs."""
        super().clean()
        parent: ObjectForm | None = getattr(self.instance, "admin_form", None)
        if any(self.errors) or parent is None or parent.errors:
            return
        kept = [form for form in self.forms if self._is_kept(form)]
        kept.sort(key=lambda form: (form.instance.pk is None, form.instance.position))
        lists = [[form for form in kept if self._belongs(form, dict(c.mark))] for c in self.instance.CHILDREN]
        objects = [
            [_child_object(form, children.columns) for form in forms_]
            for forms_, children in zip(lists, self.instance.CHILDREN, strict=True)
        ]
        for problem in parent.try_out(objects):
            self._place(problem, lists)
        if parent.errors or any(self.errors):
            raise ValidationError("Nothing was saved: see what is marked.")

    def _is_kept(self, form: forms.ModelForm[Any]) -> bool:
        data = form.cleaned_data
        return bool(data) and not data.get("DELETE") and (form.has_changed() or form.instance.pk is not None)

    def _belongs(self, form: forms.ModelForm[Any], mark: dict[str, Any]) -> bool:
        return all(form.cleaned_data.get(name) == value for name, value in mark.items())

    def _place(self, problem: Problem, lists: list[list[forms.ModelForm[Any]]]) -> None:
        """The row and the form field a problem is about."""
        for children, rows in zip(self.instance.CHILDREN, lists, strict=True):
            path = ".".join(children.path)
            found = _INDEX.match(problem.field.removeprefix(path))
            if not problem.field.startswith(path) or not found or int(found[1]) >= len(rows):
                continue
            form, inside = rows[int(found[1])], found[2] or ""
            names = {column.field: column.attr for column in children.columns}
            name = names.get(re.split(r"[.\[]", inside)[0])
            form.add_error(name if name in form.fields else None, problem.sentence)
            return
        parent: ObjectForm = self.instance.admin_form
        parent.add_error(None, problem.sentence)


def _child_object(form: forms.ModelForm[Any], columns: Any) -> Obj:
    data = form.cleaned_data
    rest = copy.deepcopy(data.get("rest") or {})
    return join(rest, columns, {column.attr: data.get(column.attr, column.absent) for column in columns})
