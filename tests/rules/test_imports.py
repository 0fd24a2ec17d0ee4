"""Who may import whom: dashboard and live -> cluster -> engine, and the engine nothing of the web."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN_IN_ENGINE = {"django", "channels", "daphne", "twisted", "asyncio", "datetime", "socket", "threading", "os"}
# Time and chance are values handed in; these members turn such a value into another, the rest ask the machine.
PURE_MEMBERS = {"random": {"Random"}, "time": {"gmtime", "strftime", "strptime"}}
MAY_IMPORT = {
    "engine": {"engine"},
    "capture": {"capture", "engine"},
    "cluster": {"cluster", "capture", "engine"},
    "live": {"live", "cluster", "engine", "assets"},
    "kubeapi": {"kubeapi", "live", "cluster", "engine"},
    "classroom": {"classroom", "dashboard", "live", "engine", "words"},
    "dashboard": {"dashboard", "kubeapi", "live", "cluster", "capture", "engine", "assets", "words"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_engine_loads_without_the_web() -> None:
    program = (
        "import importlib, pkgutil, sys, clusterviz.engine as engine\n"
        "for module in pkgutil.walk_packages(engine.__path__, 'clusterviz.engine.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "clusterviz" in loaded
    assert not loaded & {"django", "channels", "daphne", "twisted", "asyncio"}


def impure(path: Path) -> Iterator[str]:
    """What a file takes from the machine it runs on."""
    yield from (module for module in imports(path) if module.partition(".")[0] in FORBIDDEN_IN_ENGINE)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used = (node.value.id, node.attr)
            if node.attr not in PURE_MEMBERS.get(node.value.id, {node.attr}):
                yield ".".join(used)
        elif isinstance(node, ast.ImportFrom) and node.module in PURE_MEMBERS:
            names = {alias.name for alias in node.names} - PURE_MEMBERS[node.module]
            yield from (f"{node.module}.{name}" for name in names)


def test_the_engine_takes_time_and_chance_as_arguments(repository: Path) -> None:
    files = list((repository / "clusterviz" / "engine").rglob("*.py"))
    assert files
    assert not {f"{path.relative_to(repository)}: {name}" for path in files for name in impure(path)}


def test_the_purity_rule_sees_a_wall_clock(tmp_path: Path) -> None:
    source = tmp_path / "impure.py"
    source.write_text(
        "import random, time\nfrom random import choice\nrandom.Random(1)\ntime.gmtime(0)\n"
        "time.time()\nrandom.seed(2)\n"
    )
    assert set(impure(source)) == {"random.choice", "time.time", "random.seed"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_inwards(repository: Path, room: str) -> None:
    files = list((repository / "clusterviz" / room).rglob("*.py"))
    assert files
    offenders = {
        f"{path.relative_to(repository)}: {module}"
        for path in files
        for module in imports(path)
        if module.startswith("clusterviz.") and module.split(".")[1] not in MAY_IMPORT[room]
    }
    assert not offenders
