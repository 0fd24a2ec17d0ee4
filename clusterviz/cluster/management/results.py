"""Results of checks: for people as lines, for build servers as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from django.core.management.base import CommandError


def write_file(path: str, content: bytes) -> None:
    """Write results where a person said; a `CommandError` with status 2 says why they cannot be."""
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}", returncode=2) from None


class Result(NamedTuple):
    """One check: what ``place`` (file:line) claims, what was found (``said``), what shows it (``details``)."""

    name: str
    place: str
    why: str = ""
    said: str = ""
    failed: bool = False
    error: str = ""
    details: tuple[str, ...] = ()


def table(results: Sequence[Result]) -> str:
    """A line for each result, evidence under those that fail, and a last line with the counts."""
    return "\n".join(_lines(results))


def _lines(results: Sequence[Result]) -> Iterator[str]:
    for one in results:
        word = "ERROR" if one.error else "FAIL" if one.failed else "ok"
        yield f"{word:<6}{one.name}  ({one.error or one.said})"
        if one.error or one.failed:
            yield f"      {one.place}" + (f": {one.why}" if one.why else "")
            yield from (f"      {line}" for line in one.details)
    bad, wrong = sum(one.failed for one in results), sum(bool(one.error) for one in results)
    total = f"{len(results)} {'statement' if len(results) == 1 else 'statements'}"
    yield f"{total}: {len(results) - bad - wrong} hold, {bad} fail, {wrong} cannot be asked"


def junit(results: Sequence[Result], suite: str) -> bytes:
    """The results as the JUnit XML build servers read, one suite a file."""
    root = ET.Element("testsuites", name=suite)
    files: dict[str, list[Result]] = {}
    for one in results:
        files.setdefault(one.place.rpartition(":")[0], []).append(one)
    for name, some in files.items():
        counts = {"failures": sum(one.failed for one in some), "errors": sum(bool(one.error) for one in some)}
        numbers = {key: str(value) for key, value in {"tests": len(some), **counts}.items()}
        element = ET.SubElement(root, "testsuite", {"name": name, **numbers})
        for one in some:
            _case(element, one, name)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _case(suite: ET.Element, one: Result, file: str) -> None:
    case = ET.SubElement(suite, "testcase", name=_xml(one.name), classname=file, file=file)
    case.set("line", one.place.rpartition(":")[2])
    if one.error:
        ET.SubElement(case, "error", message=_xml(one.error))
    elif one.failed:
        failure = ET.SubElement(case, "failure", message=_xml(one.said))
        failure.text = _xml("\n".join((one.place, *([one.why] if one.why else ()), *one.details)))


def _xml(text: str) -> str:
    """Without the characters XML cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ")
