"""Fields that several kinds of objects have, out of their shapes."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.addresses import masked, plain_address
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.objects import Key, ref_of
from clusterviz.engine.shapes import Condition, Meta

# What many objects have alike, kept once while a snapshot is built: label maps by their items, containers and owners
# by themselves; a read pod of each workload, the first three numbers of addresses that were checked.
Interned = dict[Any, Any]


def labels(meta: Meta, interned: Interned) -> dict[str, str]:
    """Label map of an object, the same one for all that have it alike."""
    found: dict[str, str] = interned.setdefault(tuple(meta.labels.items()), meta.labels)
    return found


def condition(conditions: tuple[Condition, ...], kind: str) -> str:
    """Status of a condition, "" when absent."""
    for entry in conditions:
        if entry.type == kind:
            return entry.status
    return ""


def address(value: str, field: str, key: Key) -> str:
    """An IP address as the kernel prints it, "" when absent. Raises `ObjectError`."""
    found = plain_address(value) if value else ""
    if value and not found:
        raise ObjectError(f"Invalid value: {value!r}: must be a valid IP address", field=field, ref=ref_of(key))
    return found


def addresses(values: tuple[str, ...], field: str, key: Key) -> tuple[str, ...]:
    """A list of IP addresses; ``None`` stands for itself, as in clusterIPs."""
    if not values:
        return ()
    return tuple(
        [
            value if value == "None" else address(value, f"{field}[{index}]", key)
            for index, value in enumerate(values)
            if value
        ]
    )


def cidr(value: str, field: str, key: Key) -> str:
    """The value. Raises `ObjectError` when it is no CIDR."""
    try:
        masked(value)
    except AddressError:
        message = f"Invalid value: {value!r}: must be a valid CIDR value"
        raise ObjectError(message, field=field, ref=ref_of(key)) from None
    return value


def cidrs(values: tuple[str, ...], field: str, key: Key) -> tuple[str, ...]:
    """A list of CIDRs."""
    if not values:
        return ()
    return tuple([cidr(value.strip(), f"{field}[{index}]", key) for index, value in enumerate(values)])
