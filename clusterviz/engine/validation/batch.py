"""Jobs and PodDisruptionBudgets."""

from __future__ import annotations

import re

from clusterviz.engine.reader import Reader
from clusterviz.engine.validation.flaws import Flaws
from clusterviz.engine.validation.meta import check_selector
from clusterviz.engine.validation.pods import check_pod_spec, check_replicas

_PERCENT = re.compile(r"[0-9]{1,9}%")


def check_job(flaws: Flaws, obj: Reader, old: Reader | None) -> None:
    """A Job; its template and completions never change."""
    spec = obj.child("spec")
    check_replicas(flaws, "spec.parallelism", spec.number("parallelism", 0))
    for field in ("completions", "backoffLimit"):
        if (value := spec.number(field, 0)) < 0:
            flaws.invalid(f"spec.{field}", value, "must be greater than or equal to 0")
    if not spec.data.get("template"):
        flaws.required("spec.template")
        return
    template = spec.child("template").child("spec")
    check_pod_spec(flaws, template)
    if template.text("restartPolicy", "Always") == "Always":
        flaws.unsupported("spec.template.spec.restartPolicy", "Always", ("Never", "OnFailure"))
    if old is not None and old.child("spec").data.get("template") != spec.data["template"]:
        flaws.invalid("spec.template", spec.data["template"], "field is immutable")


def check_budget(flaws: Flaws, obj: Reader, _old: Reader | None) -> None:
    """A PodDisruptionBudget: a number or a percentage, not both bounds."""
    spec = obj.child("spec")
    given = [field for field in ("minAvailable", "maxUnavailable") if spec.data.get(field) is not None]
    if len(given) > 1:
        flaws.invalid("spec", given, "minAvailable and maxUnavailable cannot be both set")
    for field in given:
        _check_share(flaws, f"spec.{field}", spec.data[field])
    if spec.data.get("selector") is not None:
        check_selector(flaws, spec, "selector")
    flaws.choice(
        "spec.unhealthyPodEvictionPolicy", spec.text("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget")
    )


def _check_share(flaws: Flaws, field: str, value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            flaws.invalid(field, value, "must be greater than or equal to 0")
    elif not isinstance(value, str) or not _PERCENT.fullmatch(value):
        flaws.invalid(field, value, "a valid percent string must be a numeric string followed by an ending '%'")
    elif int(value[:-1]) > 100:
        flaws.invalid(field, value, "must not be greater than 100%")
