"""A reader of iptables-save text that follows one packet through it, knowing nothing of Kubernetes.

Random choices are followed on both sides, each with its weight; nobody is remembered by ``recent``.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections import defaultdict
from dataclasses import dataclass, field, replace

MARK = 0x4000


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection on one node."""

    source: str
    to: str
    protocol: str
    port: int
    local: frozenset[str]
    from_node: bool = False
    translated: bool = False
    mark: int = 0

    def is_local(self, ip: str) -> bool:
        return ip in self.local or ipaddress.ip_address(ip).is_loopback


@dataclass
class Rule:
    """Conditions as (option, value, negated), in the order they stand."""

    conditions: list[tuple[str, str, bool]] = field(default_factory=list)
    chance: float = 1.0
    target: str = ""
    options: dict[str, str] = field(default_factory=dict)


TESTED = {"-s", "-d", "-p", "--dport", "--src-type", "--dst-type", "--ctstate", "--mark", "--rcheck"}
SWITCHES = {"--rcheck", "--reap", "--rsource", "--set", "--random-fully"}
SPOKEN = {"--comment", "--mode", "--seconds", "--name", "--mask", "--nfacct-name", "-m"}
TARGETED = {"--to-destination", "--set-xmark", "--reject-with"}


def parse_rule(text: str) -> Rule:
    """One ``-A`` line after the chain; an option nobody knows is an error."""
    rule, negated, words = Rule(), False, iter(shlex.split(text))
    for word in words:
        if word == "!":
            negated = True
            continue
        value = "" if word in SWITCHES else next(words)
        if word in TESTED:
            rule.conditions.append((word, value, negated))
        elif word == "--probability":
            rule.chance = float(value)
        elif word == "-j":
            rule.target = value
        elif word in TARGETED:
            rule.options[word] = value
        else:
            assert word in SPOKEN | SWITCHES, word
        negated = False
    return rule


class Ruleset:
    """The tables of one text."""

    def __init__(self, text: str) -> None:
        self.tables: dict[str, dict[str, list[Rule]]] = {}
        for line in text.splitlines():
            if line.startswith("*"):
                chains = self.tables.setdefault(line[1:], {})
            elif line.startswith(":"):
                chains[line[1:].split()[0]] = []
            elif line.startswith("-A "):
                _, name, rest = line.split(" ", 2)
                chains[name].append(parse_rule(rest))

    def send(self, packet: Packet) -> dict[tuple[str, str, bool], float]:
        """(verdict, endpoint, masqueraded) with the odds of each: accept, REJECT or DROP."""
        hook = "OUTPUT" if packet.from_node else "PREROUTING"
        found: dict[tuple[str, str, bool], float] = defaultdict(float)
        for now, weight, target, _ in self._start("nat", hook, packet):
            verdict = self._filter(now)
            masqueraded = verdict == "accept" and any(
                done == "MASQUERADE" for *_, done in self._start("nat", "POSTROUTING", now)
            )
            found[verdict, target, masqueraded] += weight
        return dict(found)

    def _filter(self, packet: Packet) -> str:
        hooks = ["OUTPUT"] if packet.from_node else []
        if packet.is_local(packet.to):
            hooks.append("INPUT")
        elif not packet.from_node:
            hooks.append("FORWARD")
        for hook in hooks:
            ((_, _, _, verdict),) = self._start("filter", hook, packet)
            if verdict not in ("", "ACCEPT"):
                return verdict
        return "accept"

    def _start(self, table: str, chain: str, packet: Packet) -> list[tuple[Packet, float, str, str]]:
        """Every way through a hook: the packet as it leaves, weight, new destination, what ended it."""
        ends: list[tuple[Packet, float, str, str]] = []
        for left, weight in self._walk(table, chain, packet, 1.0, ends):
            ends.append((left, weight, "", ""))
        return ends

    def _walk(
        self, table: str, chain: str, packet: Packet, weight: float, ends: list[tuple[Packet, float, str, str]]
    ) -> list[tuple[Packet, float]]:
        """Those that come back from a chain."""
        back: list[tuple[Packet, float]] = []
        inside = [(packet, weight)]
        for rule in self.tables[table][chain]:
            after: list[tuple[Packet, float]] = []
            for now, left in inside:
                if not all(matches(now, *condition) for condition in rule.conditions):
                    after.append((now, left))
                    continue
                taken = left * rule.chance
                if rule.chance < 1:
                    after.append((now, left - taken))
                after += self._jump(table, rule, now, taken, ends, back)
            inside = after
        return back + inside

    def _jump(
        self,
        table: str,
        rule: Rule,
        now: Packet,
        weight: float,
        ends: list[tuple[Packet, float, str, str]],
        back: list[tuple[Packet, float]],
    ) -> list[tuple[Packet, float]]:
        if rule.target in self.tables[table]:
            return self._walk(table, rule.target, now, weight, ends)
        if rule.target == "RETURN":
            back.append((now, weight))
            return []
        if rule.target == "MARK":
            value, mask = (int(part, 16) for part in rule.options["--set-xmark"].split("/"))
            return [(replace(now, mark=now.mark & ~mask ^ value), weight)]
        if rule.target == "DNAT":
            new = rule.options["--to-destination"]
            ip, _, port = new.rpartition(":")
            moved = replace(now, to=ip.strip("[]"), port=int(port), translated=True)
            ends.append((moved, weight, new, "DNAT"))
            return []
        if rule.target:
            ends.append((now, weight, "", rule.target))
            return []
        return [(now, weight)]


def matches(packet: Packet, option: str, value: str, negated: bool) -> bool:
    """One condition of one rule."""
    return _plain(packet, option, value) != negated


def _plain(packet: Packet, option: str, value: str) -> bool:
    if option in ("-s", "-d"):
        address = ipaddress.ip_address(packet.source if option == "-s" else packet.to)
        return address in ipaddress.ip_network(value)
    if option == "--src-type":
        return packet.is_local(packet.source)
    if option == "--dst-type":
        return packet.is_local(packet.to)
    if option == "--ctstate":
        states = {"NEW", "DNAT"} if packet.translated else {"NEW"}
        return bool(states & set(value.split(",")))
    if option == "--mark":
        wanted, mask = (int(part, 16) for part in value.split("/"))
        return packet.mark & mask == wanted
    plain = {"-p": packet.protocol, "--dport": str(packet.port)}
    return plain.get(option) == value
