"""The text of ``iptables-save`` as a `Ruleset`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from clusterviz.engine.proxyrules.walk import Action, Chain, Condition, Rule, Ruleset

# table and built-in chain of each hook, in the order of their priorities
HOOKS: dict[str, tuple[str, ...]] = {
    "prerouting": ("nat PREROUTING",),
    "output": ("nat OUTPUT", "filter OUTPUT"),
    "input": ("filter INPUT",),
    "forward": ("filter FORWARD",),
    "postrouting": ("nat POSTROUTING",),
}
ASKED = {
    "-s": "saddr",
    "-d": "daddr",
    "-i": "interface",
    "-p": "protocol",
    "--dport": "dport",
    "--src-type": "saddr_local",
    "--dst-type": "daddr_local",
    "--ctstate": "state",
    "--mark": "mark",
    "--rcheck": "never",
}
SWITCHES = frozenset({"--rcheck", "--reap", "--rsource", "--set", "--random-fully"})
SILENT = frozenset({"--comment", "--mode", "--seconds", "--name", "--mask", "--nfacct-name", "-m"})
WORD = re.compile(r'"[^"]*"|\S+')
TARGETED = frozenset({"--to-destination", "--set-xmark", "--reject-with"})


def read_iptables(text: str) -> Ruleset:
    """Every chain of every table. Reading a rule raises `ValueError` for a word it does not know."""
    rules: dict[str, list[tuple[int, str]]] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            rules[f"{table} {line[1:].split()[0]}"] = []
        elif line.startswith("-A "):
            rules[f"{table} {line.split(' ', 2)[1]}"].append((number, line))
    chains = {key: Chain(key.split(" ")[0], key.split(" ")[1], found, _rule) for key, found in rules.items()}
    return Ruleset(chains, HOOKS, {})


def _rule(number: int, line: str) -> Rule:
    conditions: list[Condition] = []
    negated, chance, target, options = False, 1.0, "", {}
    words: Iterator[str] = iter(WORD.findall(line)[2:])
    for word in words:
        if word == "!":
            negated = True
            continue
        value = "" if word in SWITCHES else next(words)
        if word in ASKED:
            values = tuple(value.split(",")) if word == "--ctstate" else (value,)
            conditions.append(Condition(ASKED[word], values, negated))
        elif word == "--probability":
            chance = float(value)
        elif word == "-j":
            target = value
        elif word in TARGETED:
            options[word] = value
        elif word not in SILENT | SWITCHES:
            raise ValueError(f"line {number}: unknown option {word}")
        negated = False
    return Rule(number, line, tuple(conditions), (_action(target, options),), chance)


def _xmark(options: dict[str, str]) -> Action:
    """``--set-xmark value/mask`` clears the mask's bits and flips the value's."""
    value, mask = (int(part, 16) for part in options["--set-xmark"].split("/"))
    return Action("mark", f"{~mask & 0xFFFFFFFF:#x}/{value:#x}")


TARGETS: dict[str, Callable[[dict[str, str]], Action]] = {
    "": lambda _: Action("next"),
    "RETURN": lambda _: Action("return"),
    "ACCEPT": lambda _: Action("accept"),
    "DROP": lambda _: Action("drop"),
    "REJECT": lambda _: Action("reject"),
    "MASQUERADE": lambda _: Action("masquerade"),
    "MARK": _xmark,
    "DNAT": lambda options: Action("dnat", options["--to-destination"]),
}


def _action(target: str, options: dict[str, str]) -> Action:
    made = TARGETS.get(target)
    return made(options) if made else Action("jump", target)
