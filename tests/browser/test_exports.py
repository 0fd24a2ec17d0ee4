"""What can be taken home from the dashboard."""

import csv
import io
import json
import re
import struct
from pathlib import Path
from xml.etree import ElementTree as ET

from playwright.sync_api import Page, expect

from tests.browser.steps import ask, by

SVG = "{http://www.w3.org/2000/svg}"


def taken(page: Page, name: str) -> tuple[str, bytes]:
    """The name and the content of the file that an entry of the menu gives."""
    by(page, "export").click()
    with page.expect_download() as download:
        by(page, f"export-{name}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_everything_can_be_taken_home(shown: Page) -> None:
    page = shown
    by(page, "export").click()
    expect(by(page, "export-yaml")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(by(page, "export-csv")).to_be_focused()
    expect(by(page, "export-trace-md")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    expect(by(page, "exports")).to_have_count(0)
    name, content = taken(page, "yaml")
    assert re.fullmatch(r"demo-\d{8}-\d{6}\.yaml", name)
    assert b"kind: Service" in content
    name, content = taken(page, "csv")
    assert re.fullmatch(r"demo-\d{8}-\d{6}-flows\.csv", name)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert rows
    assert {row["protocol"] for row in rows} <= {"TCP", "UDP"}
    ask(page, "shop/frontend", "http://api.shop/")
    expect(by(page, "trace-verdict")).to_be_visible()
    name, content = taken(page, "trace-json")
    assert re.fullmatch(r"demo-\d{8}-\d{6}-trace\.json", name)
    assert json.loads(content)["verdict"] == "delivered"
    name, content = taken(page, "trace-md")
    assert name.endswith("-trace.md")
    assert content.startswith(b"# From shop/frontend to http://api.shop/\n")
    assert b"**Verdict: delivered.**" in content


def test_the_picture_is_saved_as_it_is_drawn(shown: Page) -> None:
    page = shown
    name, content = taken(page, "svg")
    assert re.fullmatch(r"demo-\d{8}-\d{6}\.svg", name)
    root = ET.fromstring(content)
    words = {element.text for element in root.iter(f"{SVG}text")}
    addresses = page.evaluate("clusterviz.cy.nodes('[kind=\"pod\"]').map(n => n.data('ip')).filter(Boolean)")
    assert addresses
    assert set(addresses) <= words
    page_colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    hexed = ground.attrib["fill"].lstrip("#")
    assert page_colour == f"rgb({int(hexed[:2], 16)}, {int(hexed[2:4], 16)}, {int(hexed[4:], 16)})"
    name, content = taken(page, "png")
    assert name.endswith(".png")
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == tuple(round(2 * float(root.attrib[side])) for side in ("width", "height"))
