"""What must hold for every file in the repository, and for the docs."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import find_commands

from tests.rules.test_sizes import tracked

# Spelled so that this file does not name them itself.
REGISTRIES = [
    re.compile(rf"{host}\.{top}", re.IGNORECASE)
    for host, top in (
        ("files\\.pythonhosted", "org"),
        ("pypi", "org"),
        ("npmjs", "(?:org|com)"),
        ("yarnpkg", "com"),
        ("deb\\.debian", "org"),
    )
]
BINARY = {".png", ".woff2", ".ico", ".jpg", ".gz"}


def test_no_file_names_a_package_registry(repository: Path) -> None:
    files = [path for path in tracked(repository, ".") if path.suffix not in BINARY]
    assert any(path.name == "package-lock.json" for path in files)
    assert any(path.parent.name == "requirements" for path in files)
    named = {
        f"{path.relative_to(repository)}: {registry.pattern}"
        for path in files
        for registry in REGISTRIES
        if registry.search(path.read_text(errors="replace"))
    }
    assert not named


def test_every_python_package_is_pinned_by_hash(repository: Path) -> None:
    for lock in (repository / "requirements").glob("*.txt"):
        wanted = re.findall(r"^[a-z0-9._-]+==.*$", lock.read_text(), re.MULTILINE)
        assert wanted, lock
        assert all(line.endswith("\\") for line in wanted), f"{lock.name} has a package without a hash"


def our_commands() -> list[str]:
    """The management commands of our own apps."""
    folders = {app.split(".")[-1]: settings.BASE_DIR / app.replace(".", "/") for app in settings.INSTALLED_APPS}
    ours = [folder for folder in folders.values() if folder.is_dir()]
    return sorted(name for folder in ours for name in find_commands(str(folder / "management")))


def test_there_are_commands_to_document() -> None:
    assert "serve" in our_commands()


@pytest.mark.parametrize("command", our_commands())
def test_the_readme_mentions_every_command(repository: Path, command: str) -> None:
    assert f"manage.py {command}" in (repository / "README.md").read_text()


@pytest.mark.parametrize(
    "setting",
    sorted(set(re.findall(r'"(CLUSTERVIZ_[A-Z_]+)"', Path(settings.BASE_DIR, "clusterviz/settings.py").read_text()))),
)
def test_the_readme_mentions_every_environment_variable(repository: Path, setting: str) -> None:
    assert setting in (repository / "README.md").read_text()


def test_every_make_target_in_the_docs_exists(repository: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    texts = [path.read_text() for path in tracked(repository, "*.md")]
    named = {target for text in texts for target in re.findall(r"(?:`|^\s*)make ([a-z-]+)", text, re.MULTILINE)}
    assert {"run", "test"} <= named
    assert named <= targets


def test_every_link_in_the_docs_leads_somewhere(repository: Path) -> None:
    broken = {
        f"{path.relative_to(repository)}: {link}"
        for path in tracked(repository, "*.md")
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / link).exists()
    }
    assert not broken
