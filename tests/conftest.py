"""What every test gets: a data folder of its own, static files without collecting, Hypothesis profiles."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

hypothesis_settings.register_profile("small", max_examples=25, deadline=None, derandomize=True)
hypothesis_settings.register_profile("default", max_examples=60, deadline=None)
hypothesis_settings.register_profile(
    "thorough", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("small" if os.environ.get("CI") else "default")
)


@pytest.fixture(scope="session", autouse=True)
def isolated_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep tests out of the developer's data folder and let templates link static files as they lie on disk."""
    data = tmp_path_factory.mktemp("data")
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        CLUSTERVIZ_DATA=data,
        STORAGES={**settings.STORAGES, "staticfiles": plain},
        SERVESTATIC_USE_FINDERS=True,
        SERVESTATIC_AUTOREFRESH=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ):
        yield data


@pytest.fixture(scope="session")
def django_db_modify_db_settings(isolated_settings: Path) -> None:
    """Test on a database file: an SQLite in memory neither locks nor keeps a log like the real one."""
    connections.databases["default"]["TEST"]["NAME"] = isolated_settings / "test.sqlite3"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds manage.py."""
    return Path(settings.BASE_DIR)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last: while Playwright runs, its event loop blocks asyncio tests and the ORM."""
    browser = Path(__file__).parent / "browser"
    for item in items:
        if browser in item.path.parents:
            item.add_marker("browser")
    items.sort(key=lambda item: browser in item.path.parents)
