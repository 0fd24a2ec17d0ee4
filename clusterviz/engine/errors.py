"""Everything the engine raises.

EngineError
├── ObjectError      an object kube-apiserver would refuse: field path, value, what is allowed
├── ProbeError       a question that cannot be asked: field and what is allowed
└── AddressError     a CIDR has no free address, or a wanted one is taken
"""

from __future__ import annotations


class EngineError(Exception):
    """Base of all errors of the engine."""


class ObjectError(EngineError):
    """An object that kube-apiserver would refuse.

    ``field`` is a path as kube-apiserver prints it (``spec.ports[0].port``).
    """

    def __init__(self, message: str, *, field: str = "", ref: str = "") -> None:
        self.field, self.ref, self.detail = field, ref, message
        place = ": ".join(part for part in (ref, field) if part)
        super().__init__(f"{place}: {message}" if place else message)


class ProbeError(EngineError):
    """A question that cannot be asked; ``field`` is ``from``, ``to``, ``protocol`` ..."""

    def __init__(self, message: str, *, field: str = "", allowed: str = "") -> None:
        self.field, self.allowed = field, allowed
        super().__init__(message)


class AddressError(EngineError):
    """No free address in a range, or a wanted one is taken or outside."""
