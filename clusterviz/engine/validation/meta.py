"""Metadata, label maps and label selectors."""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.parse import Reader
from clusterviz.engine.selectors import OPERATORS
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaws

_NAMES: dict[str, Callable[[str], str]] = {
    "Service": names.label_1035,
    "Namespace": names.label,
    "Role": names.path_segment,
    "RoleBinding": names.path_segment,
    "ClusterRole": names.path_segment,
    "ClusterRoleBinding": names.path_segment,
}


def check_metadata(flaws: Flaws, obj: Reader, kind: str) -> None:
    """Name, namespace, labels and annotations."""
    meta = obj.child("metadata")
    name = meta.get("name", str, "")
    if not name:
        flaws.required("metadata.name", "name or generateName is required")
    else:
        flaws.check("metadata.name", name, _NAMES.get(kind, names.subdomain)(name))
    namespace = meta.get("namespace", str, "")
    if namespace:
        flaws.check("metadata.namespace", namespace, names.label(namespace))
    check_labels(flaws, meta, "labels")
    annotations = meta.get("annotations", dict, {})
    for key, value in annotations.items():
        flaws.check(meta.at("annotations"), key, names.label_key(key.lower()))
        if not isinstance(value, str):
            flaws.invalid(meta.at(f"annotations[{key}]"), value, "must be a string")
    for owner in meta.children("ownerReferences"):
        for field in ("kind", "name"):
            if not owner.get(field, str, ""):
                flaws.required(owner.at(field), "must not be empty")


def check_labels(flaws: Flaws, parent: Reader, field: str) -> dict[str, str]:
    """A map of labels."""
    labels = parent.mapping(field)
    for key, value in labels.items():
        flaws.check(parent.at(field), key, names.label_key(key))
        flaws.check(parent.at(field), value, names.label_value(value))
    return labels


def check_selector(flaws: Flaws, parent: Reader, field: str) -> None:
    """A label selector: matchLabels and matchExpressions."""
    selector = parent.child(field)
    check_labels(flaws, selector, "matchLabels")
    for entry in selector.children("matchExpressions"):
        key, operator, values = entry.text("key"), entry.text("operator"), entry.texts("values")
        flaws.check(entry.at("key"), key, names.label_key(key))
        if operator not in OPERATORS:
            flaws.invalid(entry.at("operator"), operator, "not a valid selector operator")
        elif operator in ("In", "NotIn") and not values:
            flaws.required(entry.at("values"), "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist") and values:
            flaws.forbidden(entry.at("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        for index, value in enumerate(values):
            flaws.check(entry.at(f"values[{index}]"), value, names.label_value(value))
