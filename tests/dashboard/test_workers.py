"""A worker's address is hashed like an import's: a page of today never starts the worker of yesterday."""

from pathlib import Path

from clusterviz.assets import HashedStaticFiles


def test_the_address_of_a_worker_is_rewritten(tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text('new Worker(new URL("./deep/work.js", import.meta.url), { type: "module" });\n')
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "work.js").write_text('import { a } from "../a.js";\na();\n')
    (tmp_path / "a.js").write_text("export const a = () => 1;\n")
    storage = HashedStaticFiles(location=str(tmp_path), base_url="/static/")
    paths = {name: (storage, name) for name in ("page.js", "deep/work.js", "a.js")}
    hashed = {name: new for name, new, _ in storage.post_process(paths) if new}
    assert hashed["deep/work.js"] != "deep/work.js"
    source = next(tmp_path.glob("page.*.js")).read_text()
    assert source.startswith(f'new Worker(new URL("./{hashed["deep/work.js"]}", import.meta.url)')
