"""docs/rules.md and docs/verdicts.md say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from clusterviz.engine import Verdict
from clusterviz.engine.rulebook import RULES, STATUS
from clusterviz.engine.trace import SUCCESSES
from clusterviz.engine.verdicts import VERDICTS
from tests.rules import rulepage

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = "NET IPM SVC EPS TD PX IPT NFT IPV DNS ING GW NP EGR LIF NOD TRC IMP SRC"
CITED = re.compile(rf"\b(?:{FAMILIES.replace(' ', '|')})-\d{{1,2}}\b")


def rows(name: str) -> list[list[str]]:
    """Cells of the table of a page, without its head."""
    lines = [line for line in (ROOT / "docs" / name).read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_rule_page_is_the_rulebook_and_every_rule_has_a_test_that_names_it() -> None:
    """`python -m tests.rules.rulepage` writes the page."""
    table = rows("rules.md")
    told = {rule: (sentence, status) for rule, sentence, status, _ in table}
    assert told == {rule: (sentence, STATUS.get(rule, "followed")) for rule, sentence in RULES.items()}
    tests = rulepage.tests_of_rules()
    for rule, _, _, named in table:
        names = re.findall(r"`([^`]+)`", named)
        assert names, f"no test names {rule}"
        assert set(names) <= set(tests[rule]), f"{rule} names tests that are gone: write the page anew"


def test_every_rule_that_is_cited_can_be_looked_up() -> None:
    for path in (ROOT / "clusterviz").rglob("*.py"):
        missing = set(CITED.findall(path.read_text())) - RULES.keys()
        assert not missing, f"{path.relative_to(ROOT)} cites {sorted(missing)}"


def test_the_verdict_page_lists_every_verdict_and_its_success() -> None:
    table = {row[0].strip("`"): row for row in rows("verdicts.md")}
    assert table.keys() == {verdict.value for verdict in Verdict} == VERDICTS.keys()
    for verdict in Verdict:
        assert table[verdict.value][1] == ("yes" if verdict in SUCCESSES else "no")
        assert table[verdict.value][2] == VERDICTS[verdict.value]


def test_the_examples_in_the_engine_page_run() -> None:
    page = (ROOT / "docs" / "engine.md").read_text()
    first, second = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    found: dict[str, object] = {}
    exec(first, found)
    document = found["document"]
    assert isinstance(document, dict)
    assert document["summary"].startswith("The packet arrives")
    exec(second, {})
