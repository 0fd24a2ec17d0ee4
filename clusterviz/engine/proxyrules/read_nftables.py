"""The text of ``nft list table`` as a `Ruleset`: as much of nft's language as kube-proxy's rules speak."""

from __future__ import annotations

import re
from functools import partial

from clusterviz.engine.proxyrules.walk import Action, Chain, Condition, Element, Rule, Ruleset

PRIORITIES = {"dstnat - 10": -110, "dstnat": -100, "filter": 0, "srcnat": 100}
COMMENT = re.compile(r' ?comment "[^"]*"')
BLOCK = re.compile(r"(set|map|chain) (\S+) \{$")
HOOK = re.compile(r"type \w+ hook (\w+) priority (.+?);")
ELEMENT = re.compile(r"^(.*?) : (.*?),?$")
ADDRESS = re.compile(r"^ip6? ([sd]addr) (!= )?(\{ .*? \}|\S+) ?")
VMAP = re.compile(r"^(?:ip6? daddr \. )?meta l4proto \. th dport vmap @(\S+)$")
PICK = re.compile(r"^numgen random mod \d+ vmap \{ (.*) \}$")
FIB = re.compile(r"^fib ([sd]addr) type local ?")
INTERFACE = re.compile(r'^iifname (!= )?"(\S+)" ?')
STATE = re.compile(r"^ct state (\S+) ?")
PROTOCOL = re.compile(r"^meta l4proto (\w+) (?=dnat)")
UNMARKED = re.compile(r"^meta mark & (\S+) == (\S+) ?")
SET_MARK = re.compile(r"^meta mark set meta mark ([|^]) (\S+)$")
ALL_BITS = 0xFFFFFFFF


class _Reader:
    """Gathers blocks while the lines go by."""

    def __init__(self) -> None:
        self.sets: dict[str, list[str]] = {}
        self.maps: dict[str, dict[tuple[str, ...], Element]] = {}
        self.chains: dict[str, list[tuple[int, str]]] = {}
        self.hooks: dict[str, list[tuple[int, str]]] = {}
        self.word, self.name = "", ""

    def line(self, number: int, text: str) -> None:
        """One line without what stands before and after it."""
        block = BLOCK.match(text)
        if block:
            self._begin(block[1], block[2])
        elif text == "}":
            self.word = ""
        elif self.word == "chain":
            self._rule(number, text)
        elif self.word in ("set", "map"):
            self._element(number, text)

    def _begin(self, word: str, name: str) -> None:
        self.word, self.name = word, name
        if word == "set":
            self.sets.setdefault(name, [])
        elif word == "map":
            self.maps.setdefault(name, {})
        else:
            self.chains.setdefault(name, [])

    def _rule(self, number: int, text: str) -> None:
        hook = HOOK.match(text)
        if hook:
            priority = PRIORITIES.get(hook[2])
            order = int(hook[2]) if priority is None else priority
            self.hooks.setdefault(hook[1], []).append((order, self.name))
        elif not text.startswith("comment "):
            self.chains[self.name].append((number, text))

    def _element(self, number: int, text: str) -> None:
        if text.startswith(("type ", "flags ", "timeout ", "size ", "comment ")):
            return
        text = text.removeprefix("elements = { ").removesuffix(" }").removesuffix(",")
        plain = COMMENT.sub("", text)
        if self.word == "set":
            self.sets[self.name] += plain.split(", ")
            return
        found = ELEMENT.match(plain)
        if not found:
            raise ValueError(f"line {number}: no key and verdict in {text!r}")
        self.maps[self.name][tuple(found[1].split(" . "))] = Element(_action(found[2]), number, text)


def read_nftables(text: str) -> Ruleset:
    """Every chain, set and map of one table. Reading a rule raises `ValueError` for an unknown expression."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), 1):
        reader.line(number, line.strip())
    return Ruleset(
        {name: Chain("", name, lines, partial(_rule, reader.sets)) for name, lines in reader.chains.items()},
        {hook: tuple(name for _, name in sorted(found)) for hook, found in reader.hooks.items()},
        reader.maps,
    )


def _rule(sets: dict[str, list[str]], number: int, line: str) -> Rule:
    conditions: list[Condition] = []
    rest = COMMENT.sub("", line)
    while not VMAP.match(rest):
        condition, rest = _condition(rest, sets)
        if condition is None:
            break
        conditions.append(condition)
    pick = PICK.match(rest)
    choices = tuple(_action(way.partition(" : ")[2]) for way in pick[1].split(", ")) if pick else (_action(rest),)
    return Rule(number, line, tuple(conditions), choices)


def _condition(text: str, sets: dict[str, list[str]]) -> tuple[Condition | None, str]:
    """The first condition of a rule and what stands after it."""
    if found := ADDRESS.match(text):
        return Condition(found[1], _values(found[3], sets), bool(found[2])), text[found.end() :]
    if found := INTERFACE.match(text):
        return Condition("interface", (found[2],), bool(found[1])), text[found.end() :]
    if found := FIB.match(text):
        return Condition(f"{found[1]}_local"), text[found.end() :]
    if found := STATE.match(text):
        return Condition("state", tuple(found[1].split(","))), text[found.end() :]
    if found := PROTOCOL.match(text):
        return Condition("protocol", (found[1],)), text[found.end() :]
    if found := UNMARKED.match(text):
        return Condition("mark", (f"{found[2]}/{found[1]}",)), text[found.end() :]
    return None, text


def _values(text: str, sets: dict[str, list[str]]) -> tuple[str, ...]:
    """The addresses and CIDRs of a set, named or written out."""
    if text.startswith("@"):
        return tuple(sets[text[1:]])
    return tuple(text.strip("{ }").split(", "))


def _action(text: str) -> Action:
    if found := VMAP.match(text):
        return Action("lookup", found[1])
    if found := SET_MARK.match(text):
        mask = int(found[2], 0)
        keep = ALL_BITS & ~mask if found[1] == "|" else ALL_BITS
        return Action("mark", f"{keep:#x}/{mask:#x}")
    word, _, value = text.partition(" ")
    if word in ("jump", "goto"):
        return Action(word, value)
    if text in ("return", "accept", "drop", "reject"):
        return Action(text)
    if text == "masquerade fully-random":
        return Action("masquerade")
    if word == "dnat":
        return Action("dnat", value.removeprefix("to "))
    if word == "update":
        return Action("next")
    raise ValueError(f"unknown expression {text!r}")
