"""Django's own checks, our check for missing browser files, and what collecting makes of the static files."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from clusterviz.asgi import application
from clusterviz.assets import VENDOR_FILES, VendorFinder, collect_if_changed
from clusterviz.dashboard.checks import vendor_files_installed
from clusterviz.limits import RequestSizeMiddleware
from clusterviz.settings import secret_key
from tests import server

SECURE_ELSEWHERE = "True ['https://viz.example', 'https://*.school.example']"


def test_the_system_check_is_clean() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_the_migrations_match_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_missing_browser_files_are_an_error_with_the_cure(tmp_path: Path) -> None:
    with override_settings(NODE_MODULES=tmp_path):
        [error] = vendor_files_installed()
    assert error.id == "dashboard.E001"
    assert "cytoscape" in error.msg
    assert "make setup" in str(error.hint)


def test_the_missing_files_check_is_registered(tmp_path: Path) -> None:
    with override_settings(NODE_MODULES=tmp_path), pytest.raises(SystemCheckError, match=r"dashboard\.E001"):
        call_command("check")


def test_only_the_named_vendor_files_are_offered() -> None:
    offered = {name for name, _ in VendorFinder().list([])}
    assert offered == set(VENDOR_FILES)
    assert VendorFinder().find("vendor/cytoscape/package.json") == []
    assert Path(str(VendorFinder().find("vendor/cytoscape/cytoscape.esm.min.mjs"))).is_file()


@pytest.mark.parametrize(
    ("address", "status"),
    [("vendor/cytoscape/cytoscape.esm.min.mjs", 200), ("vendor/cytoscape/package.json", 404), ("js/nowhere.js", 404)],
)
def test_uncollected_files_are_served_too(address: str, status: int) -> None:
    """As with CLUSTERVIZ_DEBUG, where files come straight from where they lie."""
    assert Client().get(f"/static/{address}").status_code == status


@pytest.mark.parametrize(
    ("environment", "secure"),
    [
        ({}, "False []"),
        ({"CLUSTERVIZ_ALLOWED_HOSTS": "viz.example, .school.example"}, SECURE_ELSEWHERE),
        ({"CLUSTERVIZ_ALLOWED_HOSTS": "*"}, "True []"),
        ({"CLUSTERVIZ_ALLOWED_HOSTS": "*", "CLUSTERVIZ_PLAIN_HTTP": "1"}, "False []"),
    ],
)
def test_other_host_names_need_tls_unless_said_otherwise(
    environment: dict[str, str], secure: str, tmp_path: Path
) -> None:
    program = "from clusterviz.settings import *; print(SESSION_COOKIE_SECURE, CSRF_TRUSTED_ORIGINS)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**server.environment(tmp_path), **environment},
        cwd=server.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == secure


def test_the_check_for_deployment_is_clean_behind_a_proxy(tmp_path: Path) -> None:
    there = {"CLUSTERVIZ_ALLOWED_HOSTS": "viz.example", "CLUSTERVIZ_BEHIND_PROXY": "1"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level=WARNING"],
        env={**server.environment(tmp_path), **there},
        cwd=server.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as a browser gets them."""
    root = tmp_path_factory.mktemp("build") / "static"
    hashed = {"staticfiles": {"BACKEND": "clusterviz.assets.HashedStaticFiles"}}
    with override_settings(STATIC_ROOT=root, STORAGES=hashed):
        assert collect_if_changed()
    return root


def test_static_files_are_collected_only_when_they_changed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.css").write_text("p { color: red }")
    with override_settings(
        STATIC_ROOT=tmp_path / "static",
        STATICFILES_DIRS=[source],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
        STORAGES={"staticfiles": {"BACKEND": "clusterviz.assets.HashedStaticFiles"}},
    ):
        assert collect_if_changed()
        assert not collect_if_changed()
        (source / "page.css").write_text("p { color: green }")
        assert collect_if_changed()
    assert "page.css" in json.loads((tmp_path / "static" / "staticfiles.json").read_text())["paths"]


def test_modules_that_import_each_other_are_named(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.js").write_text('import { b } from "./b.js";\n')
    (tmp_path / "source" / "b.js").write_text('export const b = () => import("./a.js");\n')
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {"staticfiles": {"BACKEND": "clusterviz.assets.HashedStaticFiles"}}
    with pytest.raises(ImproperlyConfigured, match=r"in a circle: [ab]\.js -> [ab]\.js -> [ab]\.js"):
        collect_if_changed()


def test_every_module_imports_hashed_names(collected: Path) -> None:
    """Django rewrites an import only when its statement ends in a semicolon, and says nothing when it does not."""
    paths = json.loads((collected / "staticfiles.json").read_text())["paths"]
    ours = [collected / hashed for name, hashed in paths.items() if name.startswith("js/")]
    assert ours
    plain = {
        f"{path.name}: {target}"
        for path in ours
        for target in re.findall(r"""^\s*(?:import|export)\b[^"';]*["'](\.[^"']+)["']""", _code(path), re.MULTILINE)
        if not re.search(r"\.[0-9a-f]{12}\.m?js$", target)
    }
    assert not plain


def test_what_is_loaded_later_has_hashed_names_and_types_in_comments_are_left_alone(collected: Path) -> None:
    paths = json.loads((collected / "staticfiles.json").read_text())["paths"]
    later, types = set[str](), set[str]()
    for name, hashed in paths.items():
        if name.startswith("js/"):
            later |= set(re.findall(r"""import\(["'](\..*?)["']\)""", _code(collected / hashed)))
            types |= set(re.findall(r"""\{.*?import\(["'](\..*?)["']\)""", (collected / hashed).read_text()))
    assert any("tracing." in target for target in later)
    assert not {target for target in later if not re.search(r"\.[0-9a-f]{12}\.js$", target)}
    assert any(target.endswith("/store.js") for target in types)


def test_the_first_load_is_small(collected: Path) -> None:
    """The budget is 250 KiB over the wire for scripts, styles and fonts together; dialogs are loaded when opened."""
    paths = json.loads((collected / "staticfiles.json").read_text())["paths"]
    first = {name for name in paths if name.startswith(("css/", "vendor/"))} | _imported(collected, paths)
    sizes = {
        name: min(path.stat().st_size for path in (collected / hashed, collected / f"{hashed}.br") if path.exists())
        for name, hashed in paths.items()
        if name in first
    }
    assert "js/graph/picture.js" in sizes
    assert "js/panels/trace.js" not in sizes
    assert sum(sizes.values()) <= 250 * 1024, sizes


def _code(path: Path) -> str:
    """A module without its comments."""
    return re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def _imported(collected: Path, paths: dict[str, str]) -> set[str]:
    """Modules that the page's first one imports, and so on; `import()` waits until it is called."""
    found, waiting = set[str](), ["js/dashboard.js", "js/theme.js"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            source = (Path(__file__).parents[2] / "static" / name).read_text()
            folder = Path("/", name).parent
            targets = re.findall(r"""^(?:import|export)\b[^"';]*["'](\.[^"']+)["']""", source, re.MULTILINE)
            waiting += [folder.joinpath(target).resolve().relative_to("/").as_posix() for target in targets]
    assert found <= paths.keys()
    return found


def test_the_secret_key_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    first = secret_key(path)
    assert len(first) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_key(path) == first
    assert [file.name for file in tmp_path.iterdir()] == ["secret-key"]


@pytest.mark.django_db
def test_every_page_forbids_inline_code() -> None:
    policy = Client().get("/login/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_pages_without_an_icon_of_their_own_get_ours() -> None:
    assert Client().get("/favicon.ico").headers["Location"].endswith("img/logo.svg")


def test_what_is_too_large_is_refused_unread() -> None:
    request = RequestFactory().post("/clusters/demo/import", headers={"content-length": str(50 * 1024**2)})
    answer = RequestSizeMiddleware(lambda _: HttpResponse()).process_request(request)
    assert answer
    assert answer.status_code == 413
    assert json.loads(answer.content) == {"error": "That is too much: at most 5 MiB at once."}


def test_unknown_hosts_are_refused() -> None:
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400


async def test_other_sites_may_not_open_our_websockets() -> None:
    """A visitor's cookies must not speak for a page of somebody else's."""
    foreign = WebsocketCommunicator(application, "/ws/clusters/demo/", headers=[(b"origin", b"http://evil.example")])
    assert await foreign.connect() == (False, 1000)


@pytest.mark.parametrize(
    ("port", "complaint"), [("banana", "a number from 1 to 65535"), ("0", "a number from 1 to 65535")]
)
def test_serve_says_what_a_port_is(port: str, complaint: str, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", port],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
