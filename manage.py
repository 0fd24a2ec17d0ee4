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
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
