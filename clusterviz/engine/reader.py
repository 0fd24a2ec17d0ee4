"""Typed access to the fields of a plain object, remembering where each is for error messages."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.addresses import canonical, network
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.objects import Obj
from clusterviz.engine.selectors import text


class Reader:
    """Typed access to an object's fields, remembering where it is for error messages."""

    def __init__(self, data: Any, ref: str, path: str = "") -> None:
        if not isinstance(data, dict):
            raise ObjectError("Invalid value: must be an object", field=path, ref=ref)
        self.data: Obj = data
        self.ref = ref
        self.path = path

    def at(self, name: str) -> str:
        """Field path of a child."""
        return f"{self.path}.{name}" if self.path else name

    def get(self, name: str, kind: type[Any], default: Any) -> Any:
        """A field of a type; absent and null give the default."""
        value = self.data.get(name)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ObjectError(f"Invalid value: {value!r}: must be {_WORDS[kind]}", field=self.at(name), ref=self.ref)
        return value

    def text(self, name: str, default: str = "") -> str:
        """A string field; numbers are accepted as old files write them."""
        value = self.data.get(name)
        if isinstance(value, dict | list):
            raise ObjectError(f"Invalid value: {value!r}: must be a string", field=self.at(name), ref=self.ref)
        return default if value is None else text(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean field."""
        return bool(self.get(name, bool, default))

    def number(self, name: str, default: int = 0) -> int:
        """An integer field."""
        return int(self.get(name, int, default))

    def child(self, name: str) -> Reader:
        """A nested object; absent is empty."""
        return Reader(self.data.get(name) or {}, self.ref, self.at(name))

    def children(self, name: str) -> list[Reader]:
        """A list of objects."""
        items = self.get(name, list, [])
        return [Reader(item, self.ref, f"{self.at(name)}[{index}]") for index, item in enumerate(items)]

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(text(item) for item in self.get(name, list, []))

    def address(self, name: str) -> str:
        """An IP address, "" when absent."""
        value = self.text(name)
        if value and not canonical(value):
            raise self.error(name, f"Invalid value: {value!r}: must be a valid IP address")
        return canonical(value)

    def addresses(self, name: str) -> tuple[str, ...]:
        """A list of IP addresses; ``None`` stands for itself, as in clusterIPs."""
        values = self.texts(name)
        for index, value in enumerate(values):
            if value and value != "None" and not canonical(value):
                raise self.error(f"{name}[{index}]", f"Invalid value: {value!r}: must be a valid IP address")
        return tuple(value if value == "None" else canonical(value) for value in values if value)

    def cidrs(self, name: str) -> tuple[str, ...]:
        """A list of CIDRs."""
        values = tuple(value.strip() for value in self.texts(name))
        for index, value in enumerate(values):
            self.check_cidr(f"{name}[{index}]", value)
        return values

    def check_cidr(self, name: str, value: str) -> str:
        """The value; an error when it is no CIDR."""
        try:
            network(value)
        except AddressError:
            raise self.error(name, f"Invalid value: {value!r}: must be a valid CIDR value") from None
        return value

    def mapping(self, name: str) -> dict[str, str]:
        """A map of strings."""
        return {str(key): text(value) for key, value in self.get(name, dict, {}).items()}

    def port(self, name: str) -> int | str | None:
        """An IntOrString; digits in a string stay a name's business only when not a number."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            return int(value) if value.isdecimal() else value
        raise ObjectError(f"Invalid value: {value!r}: must be a number or a name", field=self.at(name), ref=self.ref)

    def error(self, name: str, message: str) -> ObjectError:
        """An error at a child field."""
        return ObjectError(message, field=self.at(name), ref=self.ref)


_WORDS = {dict: "an object", list: "a list", int: "an integer", bool: "a boolean", str: "a string"}
