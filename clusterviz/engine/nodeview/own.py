"""The lines of one Service out of a node's rules: what is there with it and not without it."""

from __future__ import annotations

TABLE = "*"
RULE = "-A "


def own_rules(text: str, frame: str) -> str:
    """Rules of an iptables text that are not in ``frame``, the text without the Service, each under its table."""
    known, lines, table = set(frame.splitlines()), [], ""
    for line in text.splitlines():
        if line.startswith(TABLE):
            table = line
        elif line.startswith(RULE) and line not in known:
            lines += [table, line] if table else [line]
            table = ""
    return "".join(f"{line}\n" for line in lines)


def own_blocks(text: str, frame: str) -> str:
    """Sets, maps and chains of an nftables text that ``frame`` has not, or has otherwise."""
    known = set(_blocks(frame))
    return "\n".join(f"{block}\n" for block in _blocks(text) if block not in known)


def filled_sets(text: str) -> str:
    """The sets of an ``ipset list`` that have members."""
    return (
        "\n\n".join(block for block in text.strip().split("\n\n") if "\nNumber of entries: 0\n" not in f"{block}\n")
        + "\n"
    )


def _blocks(text: str) -> list[str]:
    """The blocks of a table without what stands round them, one tab less indented."""
    _, _, rest = text.partition("\n\tset ")
    inside = f"\tset {rest}".rstrip().removesuffix("}").rstrip()
    return ["\n".join(line.removeprefix("\t") for line in block.splitlines()) for block in inside.split("\n\n")]
