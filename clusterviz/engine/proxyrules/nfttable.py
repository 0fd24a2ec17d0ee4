"""One nftables table as ``nft list table`` prints it, one element of a set a line."""

from __future__ import annotations

INDENT = "\t"
ELEMENTS = f"{INDENT * 2}elements = {{ "
NEXT_ELEMENT = f",\n{INDENT * 3}     "


class NftTable:
    """Sets and maps first, then chains, each kind in the order it was made."""

    def __init__(self, version: int, name: str, comment: str) -> None:
        self.family = "ip6" if version == 6 else "ip"
        self.address = f"ipv{version}_addr"
        self._head = [f"table {self.family} {name} {{", f'{INDENT}comment "{comment}"']
        self._sets: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {}
        self._chains: dict[str, list[str]] = {}

    def collect(self, word: str, name: str, *lines: str) -> None:
        """Make a set or map (``word``) with what stands before its elements."""
        self._sets.setdefault(name, (word, lines, {}))

    def put(self, name: str, key: str, rest: str = "") -> None:
        """Put an element in; the first with a key stays. ``rest`` is its comment or verdict."""
        self._sets[name][2].setdefault(key, rest)

    def chain(self, name: str, *lines: str) -> None:
        """Make a chain that may stay empty."""
        self._chains.setdefault(name, []).extend(lines)

    def add(self, chain: str, *words: str) -> None:
        """Append a rule; empty words are left out."""
        self._chains.setdefault(chain, []).append(" ".join(word for word in words if word))

    def sets(self) -> tuple[str, ...]:
        """Its sets and maps, in order."""
        return tuple(self._sets)

    def names(self) -> frozenset[str]:
        """Its chains."""
        return frozenset(self._chains)

    def elements(self) -> tuple[tuple[str, str], ...]:
        """Every set or map with every key in it."""
        return tuple((name, key) for name, (_, _, elements) in self._sets.items() for key in elements)

    def height(self) -> int:
        """How many lines the chains take, each with the blank one before it."""
        return sum(len(lines) + 3 for lines in self._chains.values())

    def text(self) -> str:
        """The table from ``table`` to its last brace, with a line feed at the end."""
        blocks = [self._set(name) for name in self._sets]
        blocks += [
            "\n".join([f"{INDENT}chain {name} {{", *(f"{INDENT * 2}{line}" for line in lines), f"{INDENT}}}"])
            for name, lines in self._chains.items()
        ]
        return "\n".join([*self._head, "\n\n".join(blocks), "}", ""])

    def _set(self, name: str) -> str:
        word, lines, elements = self._sets[name]
        block = [f"{INDENT}{word} {name} {{", *(f"{INDENT * 2}{line}" for line in lines)]
        if elements:
            words = [f"{key} {rest}".rstrip() for key, rest in elements.items()]
            block.append(f"{ELEMENTS}{NEXT_ELEMENT.join(words)} }}")
        return "\n".join([*block, f"{INDENT}}}"])
