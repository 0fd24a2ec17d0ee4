"""Short functions, short files: 50 lines a function, 400 a file, in Python and JavaScript alike.

The length of JavaScript functions is Biome's to check (tests/tools/biome.json): it has the parser for it.
"""

import ast
import subprocess
from pathlib import Path

import pytest

FUNCTION_LINES = 50
FILE_LINES = 400
SHOWN = 5


def tracked(repository: Path, *patterns: str) -> list[Path]:
    """The files git knows, or would take, below these patterns."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    return sorted(path for name in set(listed.splitlines()) if (path := repository / name).is_file())


def python_functions(path: Path) -> list[tuple[int, str]]:
    """Length and name of every function in a Python file, decorators not counted."""
    return [
        (node.end_lineno - node.lineno + 1, f"{path.name}:{node.lineno} {node.name}")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]


def worst(sizes: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The longest few, printed so that `pytest -s` or a failure shows where the tail is."""
    longest = sorted(sizes, reverse=True)[:SHOWN]
    print(*(f"{size:5} {name}" for size, name in longest), sep="\n")  # noqa: T201 - the point of the test
    return longest


@pytest.mark.parametrize("pattern", ["*.py", "*.js"])
def test_files_are_short(repository: Path, pattern: str) -> None:
    sizes = [
        (len(path.read_text().splitlines()), str(path.relative_to(repository)))
        for path in tracked(repository, pattern)
        if "migrations" not in path.parts
    ]
    assert sizes, f"no {pattern} file was found"
    assert worst(sizes)[0][0] <= FILE_LINES


def test_python_functions_are_short(repository: Path) -> None:
    paths = [path for path in tracked(repository, "*.py") if "migrations" not in path.parts]
    assert worst([size for path in paths for size in python_functions(path)])[0][0] <= FUNCTION_LINES
