"""Third-party browser files from `node_modules`, and what is done to every static file before it is served."""

import fcntl
import posixpath
import re
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder, get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from servestatic.storage import CompressedManifestStaticFilesStorage

MONO = "@fontsource/jetbrains-mono/files/jetbrains-mono-latin"
#: Address below /static/ -> file below node_modules. Only what the pages really load.
VENDOR_FILES = {
    "vendor/cytoscape/cytoscape.esm.min.mjs": "cytoscape/dist/cytoscape.esm.min.mjs",
    "vendor/inter/inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    # one weight: the variable file is twice the size, and addresses are written in one weight
    "vendor/jetbrains-mono/jetbrains-mono.woff2": f"{MONO}-500-normal.woff2",
}

#: What stands before the `import(` of a type in a comment.
NOT_A_TYPE = r"(?<![{<|(&])(?<!typeof )(?<!, )(?<!\| )(?<!& )"


def missing_vendor_files() -> list[str]:
    """The files of VENDOR_FILES that are not installed."""
    return [source for source in VENDOR_FILES.values() if not (settings.NODE_MODULES / source).is_file()]


class VendorStorage(FileSystemStorage):
    """Reads the files of VENDOR_FILES by their public address."""

    prefix = ""

    def path(self, name: str) -> str:
        """Where the file with this public address lies on disk."""
        return super().path(VENDOR_FILES[name])


class VendorFinder(BaseFinder):
    """Offers exactly VENDOR_FILES to Django's staticfiles, and nothing else a package happens to ship."""

    @property
    def storages(self) -> dict[str, VendorStorage]:
        """The folders we find files in; servestatic asks every finder for them."""
        return {"": VendorStorage(location=settings.NODE_MODULES)}

    def find(self, path: str, find_all: bool = False, **_: Any) -> str | list[str]:  # type: ignore[override]
        """The file on disk for one public address; an empty list when it is not ours."""
        if path not in VENDOR_FILES:
            return []
        found = self.storages[""].path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, VendorStorage]]:
        """Every file with the storage that reads it."""
        del ignore_patterns  # nothing to leave out: the table names single files
        storage = self.storages[""]
        return ((name, storage) for name in VENDOR_FILES)


#: A worker is named by its address, not by an import.
WORKER = (
    r"""(?P<matched>new URL\(["'](?P<url>\./[^"']+\.js)["'], import\.meta\.url\))""",
    'new URL("%(url)s", import.meta.url)',
)


#: What may name another file from within a module or a style sheet.
NAMED = re.compile(r"""["'(](\.{0,2}/?[\w./-]+\.\w+)["')]""")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Content hashes in file names, imports and addresses of workers rewritten to them, gzip and brotli copies."""

    support_js_module_import_aggregation = True
    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("*.js", (WORKER,)))
    # Types in comments are written `import("./x.js")` too. They load nothing, and two modules may name each other's.
    _js_module_import_aggregation_patterns = (
        "*.js",
        tuple(
            (pattern.replace(r"(?P<matched>import\(", rf"{NOT_A_TYPE}(?P<matched>import\("), template)
            for pattern, template in CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]  # noqa: SLF001
        ),
    )

    def _post_process(self, paths: dict[str, Any], *known: Any) -> Iterator[Any]:
        # Django goes by folders and starts anew until no name changes; in this order none does after the first time.
        for name in named_first(paths):
            yield from super()._post_process({name: paths[name]}, *known)


def named_first(paths: dict[str, tuple[Any, str]]) -> list[str]:
    """The names of ``paths`` (name -> storage and path in it), each after all that its file names.

    Raises ImproperlyConfigured when files name each other in a circle: then none has a final hash.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, (storage, path) in paths.items():
        sorter.add(name)
        if name.endswith((".js", ".mjs", ".css")):
            with storage.open(path) as file:
                words = NAMED.findall(re.sub(r"/\*.*?\*/", "", file.read().decode(), flags=re.DOTALL))
            there = (posixpath.normpath(posixpath.join(posixpath.dirname(name), word)) for word in words)
            sorter.add(name, *(other for other in there if other in paths and other != name))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise ImproperlyConfigured(f"Static files name each other in a circle: {' -> '.join(error.args[1])}") from error


def collect_if_changed() -> bool:
    """Collect the static files unless STATIC_ROOT already holds exactly what the sources hold now."""
    root = Path(settings.STATIC_ROOT)
    root.parent.mkdir(parents=True, exist_ok=True)
    stamp = root.with_suffix(".stamp")
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two servers that start together must not write the same files
        wanted = _fingerprint()
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    """A digest over name, size and time of every static file, and over this module, which decides how they end up."""
    sources = sorted(
        (f"{getattr(storage, 'prefix', None)}/{name}", storage.path(name))
        for finder in get_finders()
        for name, storage in finder.list(None)
    )
    digest = sha256(Path(__file__).read_bytes())
    for name, path in sources:
        status = Path(path).stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
