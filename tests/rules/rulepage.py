"""docs/rules.md, made from the rulebook and from the tests that name its rules.

`python -m tests.rules.rulepage` writes the page anew.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from clusterviz.engine.rulebook import RULES, STATUS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rules.md"
CITED = re.compile(rf"\b(?:{'|'.join(sorted({name.partition('-')[0] for name in RULES}))})-\d{{1,2}}\b")
NAMED = re.compile(r"(?<![a-z])([a-z]{2,3})_(\d{1,2})(?!\d)")
SHOWN = 2
HEAD = """# The rules

What a real Kubernetes network does. Tests, docstrings and traces cite the ids. The sentences and the
statuses are `clusterviz/engine/rulebook.py`, the last column are tests that name the rule; a test keeps this
page true, `python -m tests.rules.rulepage` writes it. *Followed* means: the engine computes it and a test
would fail if it did not.

| id | rule | status | tests |
| --- | --- | --- | --- |
"""


def tests_of_rules() -> dict[str, list[str]]:
    """For each rule the tests that cite it, as ``path::function``, the ones about fewest rules first."""
    found: dict[str, list[tuple[int, bool, str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "node_modules" not in path.parts:
            for name, rules in _cited(path):
                for rule in rules:
                    place = path.relative_to(ROOT / "tests").as_posix()
                    found.setdefault(rule, []).append((len(rules), not place.startswith("engine"), f"{place}::{name}"))
    return {rule: [entry[-1] for entry in sorted(entries)] for rule, entries in found.items()}


def _cited(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Test functions with the rules they or the tables they use name."""
    source = path.read_text(encoding="utf-8")
    tree, lines = ast.parse(source), source.splitlines()
    tables = {
        target.id: _rules(lines, node)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        parts: list[ast.stmt | ast.expr] = [node, *node.decorator_list]
        rules = set[str]().union(*(_rules(lines, part) for part in parts))
        rules |= {f"{kind.upper()}-{number}" for kind, number in NAMED.findall(node.name)} & RULES.keys()
        used = {name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name)}
        yield node.name, rules.union(*(tables[name] for name in used & tables.keys()))


def _rules(lines: list[str], node: ast.stmt | ast.expr) -> set[str]:
    return set(CITED.findall("\n".join(lines[node.lineno - 1 : node.end_lineno])))


def render() -> str:
    """The page."""
    tests = tests_of_rules()
    lines = []
    for rule, sentence in RULES.items():
        names = [f"`{name}`" for name in tests.get(rule, ())[:SHOWN]]
        lines.append(f"| {rule} | {sentence} | {STATUS.get(rule, 'followed')} | {', '.join(names)} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
