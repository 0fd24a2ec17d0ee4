"""A packet on its way through rules as they are written: nothing here knows Kubernetes.

`read_iptables` and `read_nftables` turn a text into a `Ruleset`. `Ruleset.send` follows the first packet of a
connection through it; random choices are followed on every side, each with its weight, and nobody is remembered yet
by session affinity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import msgspec

from clusterviz.engine.addresses import family, in_cidr

MASQUERADE_MARK = 0x4000
ENDING = frozenset({"accept", "drop", "reject", "dnat", "masquerade"})


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """The first packet of a connection on one node.

    ``local`` are the node's own addresses, ``protocol`` is lower case, ``interface`` is by which the packet came in,
    "" when the node itself sends it.
    """

    source: str
    to: str
    protocol: str
    port: int
    local: frozenset[str]
    from_node: bool = False
    interface: str = ""
    translated: bool = False
    mark: int = 0

    def is_local(self, ip: str) -> bool:
        """Whether the node itself has the address."""
        return ip in self.local or ip == "::1" or in_cidr(ip, "127.0.0.0/8")


class Line(msgspec.Struct, frozen=True):
    """A line of a text that a packet met: its number counts from 1."""

    hook: str
    table: str
    chain: str
    text: str
    number: int


class Condition(msgspec.Struct, frozen=True):
    """One thing a rule asks: a field, the values it may have, and whether it must have none of them."""

    field: str
    values: tuple[str, ...] = ()
    negated: bool = False

    def holds(self, packet: Packet) -> bool:
        """Whether the packet passes."""
        return ASKED[self.field](packet, self.values) != self.negated


class Action(msgspec.Struct, frozen=True):
    """What a rule does.

    ``kind``: next, jump, goto, return, mark (``value`` is ``keep/flip``: masks kept and flipped), dnat (``ip:port``),
    lookup (``value`` is the map), or one that ends: accept, drop, reject, masquerade.
    """

    kind: str
    value: str = ""


class Rule(msgspec.Struct, frozen=True):
    """One rule; ``choices`` are drawn alike, ``chance`` is that of taking the rule at all."""

    number: int
    text: str
    conditions: tuple[Condition, ...]
    choices: tuple[Action, ...]
    chance: float = 1.0


class Element(msgspec.Struct, frozen=True):
    """What a map says of one key, and where that stands."""

    action: Action
    number: int
    text: str


class State(msgspec.Struct, frozen=True):
    """A packet somewhere inside, how likely it is there, and the lines it met."""

    packet: Packet
    weight: float = 1.0
    lines: tuple[Line, ...] = ()
    end: str = ""


class Way(msgspec.Struct, frozen=True):
    """One way through all hooks. ``verdict``: accept, drop, reject. ``target`` is the endpoint, "" untranslated.

    ``marked``: the packet is to be masqueraded if it leaves the node.
    """

    verdict: str
    target: str
    marked: bool
    weight: float
    lines: tuple[Line, ...]


class Chain:
    """The rules of one chain, read when a packet comes by: most chains of a node see none."""

    def __init__(self, table: str, name: str, lines: list[tuple[int, str]], read: Callable[[int, str], Rule]) -> None:
        self.table = table
        self.name = name
        self._lines = lines
        self._read = read

    def place(self, number: int) -> int:
        """The index of the rule that stands in this line of the text."""
        return next(index for index, (line, _) in enumerate(self._lines) if line == number)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """In the order they stand."""
        return tuple(self._read(number, line) for number, line in self._lines)


class Ruleset(msgspec.Struct, frozen=True):
    """Chains by name (``table name`` where tables share names), those of each hook in their order, and maps."""

    chains: Mapping[str, Chain]
    hooks: Mapping[str, tuple[str, ...]]
    maps: Mapping[str, Mapping[tuple[str, ...], Element]]

    def send(self, packet: Packet) -> tuple[Way, ...]:
        """Every way a new connection can take."""
        ways = []
        for state in self._hooks(packet):
            now = state.packet
            target = f"[{now.to}]:{now.port}" if family(now.to) == 6 else f"{now.to}:{now.port}"
            ways.append(
                Way(
                    state.end if lost(state) else "accept",
                    target if now.translated else "",
                    bool(now.mark & MASQUERADE_MARK) or state.end == "masquerade",
                    state.weight,
                    state.lines,
                )
            )
        return tuple(ways)

    def _hooks(self, packet: Packet) -> Iterator[State]:
        """Prerouting, then input or forward and postrouting; what the node sends itself: output, postrouting, input."""
        for state in self._hook("output" if packet.from_node else "prerouting", State(packet)):
            if state.end:
                yield state
                continue
            inward = state.packet.is_local(state.packet.to)
            hooks = ["postrouting", "input"] if packet.from_node else ["input"]
            if not inward:
                hooks = ["postrouting"] if packet.from_node else ["forward", "postrouting"]
            states = [state]
            for hook in hooks:
                states = [after for one in states for after in (self._hook(hook, one) if not lost(one) else [one])]
            yield from states

    def _hook(self, hook: str, state: State) -> list[State]:
        """The chains of a hook one after the other, until one drops."""
        states = [state]
        for name in self.hooks.get(hook, ()):
            states = [after for one in states for after in ([one] if lost(one) else self._base(hook, name, one))]
        return states

    def _base(self, hook: str, name: str, state: State) -> list[State]:
        ends: list[State] = []
        back = self._walk(hook, name, state, ends)
        return [*back, *ends]

    def _walk(self, hook: str, name: str, state: State, ends: list[State]) -> list[State]:
        """Those that come back from a chain; those that do not are added to ``ends``."""
        chain = self.chains[name]
        inside: list[State] = [state]
        back: list[State] = []
        for rule in chain.rules:
            after: list[State] = []
            for one in inside:
                if not all(condition.holds(one.packet) for condition in rule.conditions):
                    after.append(one)
                    continue
                if rule.chance < 1:
                    after.append(msgspec.structs.replace(one, weight=one.weight * (1 - rule.chance)))
                share = one.weight * rule.chance / len(rule.choices)
                met = Line(hook, chain.table, chain.name, rule.text, rule.number)
                for action in rule.choices:
                    taken = msgspec.structs.replace(one, weight=share, lines=(*one.lines, met))
                    self._do(hook, chain, action, one, taken, after, back, ends)
            inside = after
        return back + inside

    def _do(
        self,
        hook: str,
        chain: Chain,
        action: Action,
        before: State,
        taken: State,
        after: list[State],
        back: list[State],
        ends: list[State],
    ) -> None:
        """One action on one packet: it goes on (``after``), leaves the chain (``back``) or ends (``ends``)."""
        if action.kind == "lookup":
            found = self.maps[action.value].get(_key(before.packet, action.value, self.maps))
            if found is None:
                after.append(msgspec.structs.replace(before, weight=taken.weight))
                return
            element = Line(hook, chain.table, action.value, found.text, found.number)
            taken = msgspec.structs.replace(taken, lines=(*taken.lines, element))
            action = found.action
        if action.kind in ("jump", "goto"):
            returned = self._walk(hook, _sibling(chain, action.value), taken, ends)
            onward = after if action.kind == "jump" else back
            for one in returned:  # a chain in which nothing matched is not worth telling
                onward.append(msgspec.structs.replace(one, lines=before.lines) if one.lines == taken.lines else one)
        elif action.kind == "return":
            back.append(taken)
        elif action.kind in ENDING:
            ends.append(_ended(action, taken))
        else:
            after.append(_marked(action, taken) if action.kind == "mark" else taken)


def lost(state: State) -> bool:
    """Whether the packet goes no further."""
    return state.end in ("drop", "reject")


def _ended(action: Action, state: State) -> State:
    """A verdict; translation and accept end one chain only, the packet goes on."""
    if action.kind == "dnat":
        ip, _, port = action.value.rpartition(":")
        packet = msgspec.structs.replace(state.packet, to=ip.strip("[]"), port=int(port), translated=True)
        return msgspec.structs.replace(state, packet=packet)
    return state if action.kind == "accept" else msgspec.structs.replace(state, end=action.kind)


def _marked(action: Action, state: State) -> State:
    keep, flip = (int(part, 0) for part in action.value.split("/"))
    packet = msgspec.structs.replace(state.packet, mark=state.packet.mark & keep ^ flip)
    return msgspec.structs.replace(state, packet=packet)


def _sibling(chain: Chain, name: str) -> str:
    return f"{chain.table} {name}" if chain.table else name


def _key(packet: Packet, name: str, maps: Mapping[str, Mapping[tuple[str, ...], Element]]) -> tuple[str, ...]:
    """The packet as the map is keyed: with the address or without."""
    full = (packet.to, packet.protocol, str(packet.port))
    short = len(next(iter(maps[name]), full)) == 2
    return full[1:] if short else full


def _has_mark(packet: Packet, values: tuple[str, ...]) -> bool:
    wanted, mask = (int(part, 0) for part in values[0].split("/"))
    return packet.mark & mask == wanted


def _came_by(packet: Packet, values: tuple[str, ...]) -> bool:
    """The interface by name, or by its beginning: ``cni+`` in iptables, ``cni*`` in nftables."""
    wanted, came = values[0], packet.interface
    return bool(came) and (came.startswith(wanted[:-1]) if wanted[-1:] in "+*" else came == wanted)


def _has_state(packet: Packet, values: tuple[str, ...]) -> bool:
    states = {"new", "dnat"} if packet.translated else {"new"}
    return bool(states & {value.lower() for value in values})


ASKED: dict[str, Callable[[Packet, tuple[str, ...]], bool]] = {
    "saddr": lambda packet, values: any(in_cidr(packet.source, value) for value in values),
    "daddr": lambda packet, values: any(in_cidr(packet.to, value) for value in values),
    "saddr_local": lambda packet, _: packet.is_local(packet.source),
    "daddr_local": lambda packet, _: packet.is_local(packet.to),
    "interface": _came_by,
    "protocol": lambda packet, values: packet.protocol in values,
    "dport": lambda packet, values: str(packet.port) in values,
    "state": _has_state,
    "mark": _has_mark,
    "never": lambda _, __: False,
}
