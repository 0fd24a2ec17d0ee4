"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from clusterviz.engine.lint import CODES, Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class Located(NamedTuple):
    """A finding with its file and line, "" and 0 where it has none."""

    finding: Finding
    file: str = ""
    line: int = 0


def sarif(found: Sequence[Located]) -> bytes:
    """One run with the rules that found something."""
    codes = sorted({one.finding.code for one in found})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].title},
            "help": {"text": CODES[code].fix},
            "defaultConfiguration": {"level": CODES[code].severity},
        }
        for code in codes
    ]
    driver = {"name": "clusterviz lintnet", "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(one, codes) for one in found]}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2).encode()


def _result(one: Located, codes: list[str]) -> dict[str, Any]:
    finding = one.finding
    location: dict[str, Any] = {}
    if one.file:
        location["physicalLocation"] = {"artifactLocation": {"uri": one.file}, "region": {"startLine": one.line or 1}}
    if finding.key:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.object, "kind": "object"}]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": finding.severity,
        "message": {"text": f"{finding.object}: {finding.text}" if finding.key else finding.text},
    }
    return {**result, "locations": [location]} if location else result
