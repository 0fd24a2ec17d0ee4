"""YAML or JSON text -> Kubernetes objects that remember their lines.

The text is read as a stream of events: nothing in it can run, nesting and the growth of aliases are
bounded before anything is built, and every node knows its line.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from clusterviz.engine.manifests import scalars
from clusterviz.engine.manifests.problem import ManifestError, Problem

_MERGE = object()
Marks = tuple[int, Any]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# kube-apiserver words problems of the one field at the other.
_SINGULAR = {"clusterIPs": "clusterIP", "podCIDRs": "podCIDR", "podIPs": "podIP"}
_TOKEN = re.compile(r"\[([^\]]*)\]|([^.\[]+)")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one import may be."""

    size: int = 5 * 1024 * 1024
    documents: int = 5000
    depth: int = 100
    nodes: int = 500_000


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One object and where it stands."""

    object: dict[str, Any]
    file: str = ""
    document: int = 0
    marks: Marks = (0, None)

    @property
    def line(self) -> int:
        """Line of the object's first field."""
        return self.marks[0]

    def line_at(self, field: str) -> int:
        """Line of a field path (``spec.ports[0].port``), or of the nearest thing around it."""
        marks = self.marks
        for index, name in _TOKEN.findall(field):
            children = marks[1]
            if isinstance(children, list) and index.isdecimal() and int(index) < len(children):
                marks = children[int(index)]
            elif isinstance(children, dict) and (name or index) in children:
                marks = children[name or index]
            elif isinstance(children, dict) and name in _SINGULAR and _SINGULAR[name] in children:
                marks = children[_SINGULAR[name]]
            else:
                break
        return marks[0]

    def problem(self, message: str, *, object_: str = "", field: str = "") -> Problem:
        """A problem at a field of this object."""
        return Problem(
            message=message,
            file=self.file,
            document=self.document,
            line=self.line_at(field),
            object=object_,
            field=field,
        )


def read(text: str | bytes, file: str = "", limits: Limits | None = None) -> list[Document]:
    """All objects of a text, lists unpacked, empty documents left out. Raises `ManifestError`."""
    limits = limits or Limits()
    size = len(text.encode(errors="replace")) if isinstance(text, str) else len(text)
    if size > limits.size:
        raise _error(f"{_mebibytes(size)} is too large: at most {_mebibytes(limits.size)} at once", file)
    if isinstance(text, bytes):
        text = _decode(text, file)
    documents = [
        document
        for number, value, marks in _values(text, file, limits)
        if value is not None
        for document in _unpack(value, marks, file, number)
    ]
    if len(documents) > limits.documents:
        raise _error(f"{len(documents)} objects are too many: at most {limits.documents} at once", file)
    return documents


def read_value(text: str, limits: Limits | None = None) -> tuple[Any, Document]:
    """The one value of a YAML text, and a document that knows its lines. Raises `ManifestError`."""
    values = _values(text, "", limits or Limits())
    if len(values) > 1:
        raise _error("expected one YAML document", "", 2, values[1][2][0])
    _, value, marks = values[0] if values else (0, None, (1, None))
    return value, Document(object={}, marks=marks)


def _values(text: str, file: str, limits: Limits) -> list[tuple[int, Any, Marks]]:
    builder = _Builder(file, limits)
    json_value = _json(text, file, limits) if text.lstrip()[:1] in ("{", "[") else None
    try:
        values = list(builder.documents(yaml.parse(text, Loader=_LOADER)))
    except yaml.YAMLError as error:
        if json_value is None:
            raise _yaml_error(error, text, file, builder.number) from None
        return [(1, json_value, (1, None))]
    if json_value is None or len(values) != 1:
        return values
    return [(1, json_value, values[0][2])]


def _json(text: str, file: str, limits: Limits) -> Any:
    """The value when the text is JSON, which YAML reads a little differently; else None."""
    try:
        value = json.loads(text, parse_int=scalars.plain, parse_float=scalars.plain, parse_constant=scalars.plain)
    except (ValueError, RecursionError):
        return None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > limits.depth:
            raise _error(f"nested more than {limits.depth} levels deep", file, 1, 1)
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
    return value


def _yaml_error(error: yaml.YAMLError, text: str, file: str, document: int) -> ManifestError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", None)
    line = mark.line + 1 if mark else text.count("\n", 0, position) + 1 if position is not None else 0
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    message = f"not YAML: {reason}" + (f" ({context})" if context else "")
    # At the end of the text libyaml points one line beyond it.
    line = min(line, text.rstrip("\n").count("\n") + 1)
    return ManifestError([Problem(message=message, file=file, document=document, line=line)])


def _unpack(value: Any, marks: Marks, file: str, number: int) -> Iterator[Document]:
    """The object, or the objects of a ``List``; Lists may stand in Lists."""
    pending = [(value, marks)]
    while pending:
        value, marks = pending.pop(0)
        if not isinstance(value, dict):
            raise _error(f"expected an object with apiVersion and kind, got {_kind(value)}", file, number, marks[0])
        kind = value.get("kind")
        if not isinstance(kind, str) or not kind.endswith("List") or "items" not in value:
            yield Document(object=value, file=file, document=number, marks=marks)
            continue
        pending[:0] = _items(value, marks, file, number)


def _items(value: dict[str, Any], marks: Marks, file: str, number: int) -> list[tuple[Any, Marks]]:
    """The entries of a list object; those of a ``DeploymentList`` may leave out their kind."""
    items = value["items"] or []
    if not isinstance(items, list):
        raise _error(f"items of a {value['kind']} must be a list, got {_kind(items)}", file, number, marks[0])
    inner = (marks[1] or {}).get("items", (marks[0], None))[1] or [marks] * len(items)
    kind = value["kind"].removesuffix("List")
    head = {"apiVersion": value.get("apiVersion"), "kind": kind} if kind else {}
    return [
        ({**head, **item} if isinstance(item, dict) else item, mark) for item, mark in zip(items, inner, strict=True)
    ]


class _Frame:
    """A collection being read."""

    __slots__ = ("anchor", "key", "key_line", "line", "marks", "merges", "nodes", "value")

    def __init__(self, value: Any, line: int, anchor: str | None) -> None:
        self.value, self.line, self.anchor = value, line, anchor
        self.marks: Any = {} if isinstance(value, dict) else []
        self.key: Any = None
        self.key_line = line
        self.merges: list[tuple[Any, Any]] = []
        self.nodes = 1

    @property
    def wants_key(self) -> bool:
        """Whether the next scalar names an entry."""
        return isinstance(self.value, dict) and self.key is None


class _Builder:
    """Values and marks out of a stream of YAML events."""

    def __init__(self, file: str, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self.number = 0
        self.nodes = 0
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, Marks, int]] = {}
        self.root: tuple[Any, Marks] = (None, (0, None))

    def documents(self, events: Any) -> Iterator[tuple[int, Any, Marks]]:
        """Each document's number, value and marks."""
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                self.number += 1
                self.anchors, self.root = {}, (None, (line, None))
                if self.number > self.limits.documents:
                    raise self.error(f"more than {self.limits.documents} documents", line)
            elif isinstance(event, yaml.DocumentEndEvent):
                yield self.number, *self.root
            elif isinstance(event, yaml.ScalarEvent):
                self.add(self.scalar(event, line), (line, None), 1, event.anchor)
            elif isinstance(event, yaml.CollectionStartEvent):
                self.open(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.close()
            elif isinstance(event, yaml.AliasEvent):
                self.alias(str(event.anchor), line)

    def scalar(self, event: Any, line: int) -> Any:
        """The value of a scalar; tags that would make Python objects are refused."""
        if event.tag is None and event.value == "<<" and event.implicit[0]:
            return _MERGE
        if event.tag is None:
            return scalars.plain(event.value) if event.implicit[0] else event.value
        if event.tag in scalars.TEXT_TAGS:
            return event.value
        if event.tag in scalars.TYPED_TAGS:
            return scalars.plain(event.value)
        raise self.error(f"tag {event.tag} is not allowed in a manifest", line)

    def open(self, event: Any, line: int) -> None:
        """Begin a mapping or a sequence."""
        if event.tag is not None and event.tag not in scalars.COLLECTION_TAGS:
            raise self.error(f"tag {event.tag} is not allowed in a manifest", line)
        if len(self.stack) >= self.limits.depth:
            raise self.error(f"nested more than {self.limits.depth} levels deep", line)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.stack.append(_Frame(value, line, event.anchor))

    def close(self) -> None:
        """End a mapping or a sequence and hand it to the one around it."""
        frame = self.stack.pop()
        for value, marks in frame.merges:
            for name in value.keys() - frame.value.keys():
                frame.value[name] = value[name]
                frame.marks[name] = marks[name]
        self.add(frame.value, (frame.line, frame.marks), frame.nodes, frame.anchor)

    def alias(self, anchor: str, line: int) -> None:
        """A copy of what an anchor named; its size counts again, so aliases cannot explode."""
        if anchor not in self.anchors:
            raise self.error(f"found undefined alias {anchor!r}", line)
        value, marks, nodes = self.anchors[anchor]
        if self.nodes + nodes > self.limits.nodes:
            raise self.error(f"aliases expand to more than {self.limits.nodes} values", line)
        self.nodes += nodes - 1
        self.add(copy.deepcopy(value), marks, nodes, None)

    def add(self, value: Any, marks: Marks, nodes: int, anchor: str | None) -> None:
        """Put a finished value where it belongs."""
        if value is _MERGE and not (self.stack and self.stack[-1].wants_key):
            value = "<<"
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise self.error(f"more than {self.limits.nodes} values", marks[0])
        if anchor:
            self.anchors[anchor] = (value, marks, nodes)
        if not self.stack:
            self.root = (value, marks)
            return
        frame = self.stack[-1]
        frame.nodes += nodes
        if isinstance(frame.value, list):
            frame.value.append(value)
            frame.marks.append(marks)
        elif frame.key is None:
            self.name(frame, value, marks[0])
        else:
            self.entry(frame, value, marks)

    def name(self, frame: _Frame, value: Any, line: int) -> None:
        """The key of the next entry."""
        if isinstance(value, dict | list):
            raise self.error("a key must be a scalar", line)
        frame.key, frame.key_line = value if value is _MERGE else scalars.key(value), line
        if frame.key in frame.value:
            raise self.error(f"key {json.dumps(frame.key)} already set in map", line)

    def entry(self, frame: _Frame, value: Any, marks: Marks) -> None:
        """The value of an entry; ``<<`` merges mappings in."""
        name, frame.key = frame.key, None
        if name is not _MERGE:
            frame.value[name] = value
            frame.marks[name] = (frame.key_line, marks[1])
            return
        parts = list(zip(value, marks[1], strict=True)) if isinstance(value, list) else [(value, marks)]
        for part, part_marks in parts:
            if not isinstance(part, dict):
                raise self.error("map merge requires map or sequence of maps as the value", marks[0])
            frame.merges.append((part, part_marks[1]))

    def error(self, message: str, line: int) -> ManifestError:
        """A problem at a line of the document being read."""
        return _error(message, self.file, self.number, line)


def _error(message: str, file: str, document: int = 0, line: int = 0) -> ManifestError:
    return ManifestError([Problem(message=message, file=file, document=document, line=line)])


def _decode(data: bytes, file: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(f"not text: byte {data[error.start]:#04x} is not UTF-8", file, 0, line) from None


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", bool: "a boolean"}.get(type(value), "a number")
