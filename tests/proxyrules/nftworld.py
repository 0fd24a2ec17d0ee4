"""The nftables text of the same small world, cut into its blocks."""

from __future__ import annotations

from clusterviz.engine.proxyrules import nftables
from tests.proxyrules.world import Obj, cluster


def table(*objects: Obj, on: str = "a", family: int = 4, **settings: object) -> dict[str, list[str]]:
    """Lines by the name of their set, map or chain."""
    made = cluster(*objects, proxy_mode="nftables", **settings)
    return blocks(nftables(made, made.nodes[on], family))


def blocks(text: str) -> dict[str, list[str]]:
    """The elements of sets and maps stand alone, without commas."""
    found: dict[str, list[str]] = {}
    name, inside = "", False
    for line in text.splitlines():
        words = line.strip()
        if words.startswith(("set ", "map ", "chain ")):
            name = words.split(" ")[1]
            found[name], inside = [], False
        elif words and words != "}" and name:
            inside = inside or words.startswith("elements = {")
            element = words.removeprefix("elements = { ").removesuffix(" }").removesuffix(",")
            found[name].append(element if inside else words)
    return found
