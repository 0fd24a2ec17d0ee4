"""docs/assumptions.md lists every simplification a trace may tell of, and a trace tells of those it rests on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from clusterviz.engine import Settings
from clusterviz.engine.assumptions import STANDING, standing
from clusterviz.engine.explain import document
from tests.engine.world import ask, build

ROOT = Path(__file__).resolve().parents[2]
NOTED_IN = ("ends.py", "gateways.py", "public.py")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


def codes(path: Path) -> Iterator[str]:
    """First arguments of `assume` and `Assumption`, keys of tables of assumptions, first parts of `assumed` notes."""
    for node in ast.walk(ast.parse(path.read_text())):
        called = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called in ("assume", "Assumption"):
            found: list[ast.expr] = node.args[:1]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ASSUMPTIONS":
            found = [key for key in getattr(node.value, "keys", []) if key]
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and path.name in NOTED_IN:
            found = node.elts[:1]
        else:
            continue
        yield from (
            one.value
            for one in found
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value)
        )


def test_the_page_lists_every_code() -> None:
    lines = [line for line in (ROOT / "docs" / "assumptions.md").read_text().splitlines() if line.startswith("| `")]
    told = {row[0].strip("`"): row[1] for row in ([c.strip() for c in line.strip("|").split("|")] for line in lines)}
    noted = {code for path in (ROOT / "clusterviz" / "engine").rglob("*.py") for code in codes(path)}
    assert {"denied-is-dropped", "declared-port-listens", "public-dns"} <= noted
    assert told.keys() == noted | {one.code for one, _ in STANDING}
    assert all(told[one.code] == one.text for one, _ in STANDING)


def test_a_trace_tells_what_it_rests_on() -> None:
    """PX-16, PX-18: a drawn backend over the wire, and nothing of what did not happen."""
    answer = ask(build(), "shop/client", "http://web/", seed=1)
    found = {one.code for one in standing(answer)}
    assert {"objects-in-force", "first-packet", "drawn-from-the-seed", "neighbours-known", "node-sysctls"} <= found
    assert "masquerade-port" not in found
    assert found <= {one["code"] for one in document(answer)["assumptions"]}
    by_ipvs = [ask(build(settings=Settings(proxy_mode="ipvs")), "shop/client", to) for to in ("http://web/", "web:81")]
    assert all("ipvs-by-rules" in {one.code for one in standing(each)} for each in by_ipvs)
    assert "ipvs-by-rules" not in found
    alone = {one.code for one in standing(ask(build(), "shop/client", "127.0.0.1:8080"))}
    assert alone == {"application-answers"}
