"""The command line: `manage.py` of a checkout, `clusterviz` where the package is installed."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clusterviz.settings")
    if not (Path(__file__).parent.parent / "manage.py").exists():
        # Installed: what is written goes to the person's own folder, never among the packages.
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        os.environ.setdefault("CLUSTERVIZ_DATA", str(Path(home) / "clusterviz"))
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        sys.exit(f"{error}. Run `make setup` and use .venv/bin/python, or `make run`.")
    try:
        execute_from_command_line(sys.argv)
    except BrokenPipeError:
        # Whoever read our output has seen enough; without this Python complains once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
