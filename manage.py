#!/usr/bin/env python
"""Django's command line for ClusterViz."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clusterviz.settings")
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


if __name__ == "__main__":
    main()
