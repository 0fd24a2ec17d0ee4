"""One table as ``iptables-save`` prints it."""

from __future__ import annotations


class Table:
    """Chains with their rules. Built-in chains stand first, the others in the order of their names."""

    def __init__(self, name: str, builtin: tuple[str, ...]) -> None:
        self.name = name
        self.builtin = builtin
        self._rules: dict[str, list[str]] = {chain: [] for chain in builtin}

    def chain(self, *names: str) -> None:
        """Make chains that may stay empty."""
        for name in names:
            self._rules.setdefault(name, [])

    def add(self, chain: str, *words: str) -> None:
        """Append a rule; empty words are left out."""
        self._rules.setdefault(chain, []).append(" ".join(filter(None, words)))

    def counts(self) -> dict[str, int]:
        """How many rules each chain has."""
        return {chain: len(rules) for chain, rules in self._rules.items()}

    def lines(self) -> list[str]:
        """The table from ``*name`` to ``COMMIT``."""
        own = sorted(set(self._rules) - set(self.builtin))
        return [
            f"*{self.name}",
            *(f":{chain} ACCEPT [0:0]" for chain in self.builtin),
            *(f":{chain} - [0:0]" for chain in own),
            *(f"-A {chain} {rule}" for chain in (*self.builtin, *own) for rule in self._rules[chain]),
            "COMMIT",
        ]
