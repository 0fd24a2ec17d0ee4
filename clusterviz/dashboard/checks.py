"""System checks of the dashboard; importing this module registers them."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from clusterviz.assets import missing_vendor_files


@register(Tags.staticfiles)
def vendor_files_installed(**_: Any) -> list[CheckMessage]:
    """Without its JavaScript the dashboard would be an empty box; say so before a browser finds out."""
    missing = missing_vendor_files()
    if not missing:
        return []
    return [
        Error(
            f"Browser files are missing from node_modules: {', '.join(missing)}.",
            hint="Run `make setup`: it installs exactly what package-lock.json names.",
            id="dashboard.E001",
        )
    ]
