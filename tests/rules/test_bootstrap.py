"""The set-up script: steps run once, and whatever is missing is one sentence with its cure."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.server import ROOT

SCRIPT = ROOT / "tools" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with its stamps and environment in a folder of the test."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(module, "VENV", tmp_path / "venv")
    monkeypatch.setattr(module, "BIN", tmp_path / "venv" / "bin")
    return module


def test_a_step_is_done_again_only_when_its_lock_changes(bootstrap: ModuleType, tmp_path: Path) -> None:
    product, done = tmp_path / "product", []

    def work() -> None:
        done.append(1)
        product.touch()

    for lock in ("old", "old", "new", "new"):
        bootstrap.once("step", lock, work, product)
    assert len(done) == 2
    product.unlink()
    bootstrap.once("step", "new", work, product)
    assert len(done) == 3


def test_a_failed_step_is_tried_again(bootstrap: ModuleType, tmp_path: Path) -> None:
    def work() -> None:
        bootstrap.run([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"], "It could not be done.")

    for _ in range(2):
        with pytest.raises(bootstrap.Cure, match="It could not be done"):
            bootstrap.once("step", "lock", work, tmp_path)


def test_a_failure_shows_the_last_words_of_what_failed(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.Cure, match="ended with 3") as caught:
        bootstrap.run([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"], "Trouble.")
    assert str(caught.value).splitlines()[0] == "why"


def test_an_old_python_without_a_newer_one_is_told_what_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.Cure, match=r"needs Python 3\.11 or newer.*apt install"):
        bootstrap.newer_python()


def test_the_systems_npm_is_used_when_it_is_new_enough(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = tmp_path / "npm"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for version, usable in (("10.8.2", True), ("6.14.18", False)):
        npm.write_text(f"#!/bin/sh\necho {version}\n")
        npm.chmod(0o755)
        assert (bootstrap.npm_version(str(npm)) >= bootstrap.OLDEST_NPM) is usable
    npm.write_text("#!/bin/sh\necho 10.8.2\n")
    assert bootstrap.find_npm() == str(npm)


def test_a_venv_from_elsewhere_is_not_taken_for_ours(bootstrap: ModuleType) -> None:
    assert not bootstrap.venv_works()
    bootstrap.BIN.mkdir(parents=True)
    (bootstrap.BIN / "python").symlink_to(sys.executable)
    assert not bootstrap.venv_works()


def test_the_script_needs_nothing_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import runpy; runpy.run_path({str(SCRIPT)!r})"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
