"""Write clusterviz/kubeapi/protobuf_fields.txt: `.venv/bin/python -m tools.protobuf_fields KUBECTL > FILE`.

KUBECTL is a kubectl binary of 1.34 or before: it carries the gzipped descriptors of all Kubernetes messages, later ones
do not. Names that the published schemas do not have are left out; types come from those schemas.
"""

import re
import sys
import zlib
from pathlib import Path

from clusterviz.kubeapi.protobuf import read_fields
from clusterviz.kubeapi.schema import definitions

WANTED = re.compile(
    r"k8s\.io\.(apimachinery\.pkg\.apis\.meta\.v1|api\.(core|apps|batch|networking|rbac|policy|discovery|authentication"
    r"|authorization|coordination|scheduling|storage|node)\.v1|api\.autoscaling\.v[12])"
)
Message = dict[str, tuple[int, str]]
"""Field name to its number and the message it holds, "" for a scalar."""


def main(kubectl: Path) -> None:
    """Print a line for each message."""
    messages = read_messages(kubectl.read_bytes())
    known = definitions()
    inlined: dict[str, set[str]] = {}
    lines: dict[str, str] = {}
    for name, fields in messages.items():
        if name not in known or name.endswith("List"):
            continue
        own = known[name].properties
        spelling = {field.lower(): field for field in own}  # aPIGroup is apiGroup in JSON
        words = []
        for field, (number, held) in fields.items():
            if field.lower() in spelling:
                words.append(f"{spelling[field.lower()]}={number}")
            elif held in messages and messages[held].keys() <= own.keys():
                words.append(f"{field}={number}:{held}")
                inlined.setdefault(held, set()).update(own)
        lines[name] = " ".join([name, *words])
    for name in inlined.keys() - lines.keys():
        lines[name] = " ".join([name, *(f"{field}={number}" for field, (number, _held) in messages[name].items())])
    sys.stdout.write("".join(f"{line}\n" for _name, line in sorted(lines.items())))


def read_messages(binary: bytes) -> dict[str, Message]:
    """Every message of the wanted packages in the descriptors that a binary carries."""
    found: dict[str, Message] = {}
    for match in re.finditer(rb"\x1f\x8b\x08", binary):
        try:
            data = zlib.decompressobj(31).decompress(binary[match.start() : match.start() + 400_000])
            parts = [(field.number, field.value) for field in read_fields(data)]
        except (zlib.error, ValueError):
            continue
        package = next((value.decode() for number, value in parts if number == 2 and isinstance(value, bytes)), "")
        if WANTED.fullmatch(package):
            for number, value in parts:
                if number == 4 and isinstance(value, bytes):
                    name, fields = read_message(value)
                    found[f"{published(package)}.{name}"] = fields
    return found


def read_message(data: bytes) -> tuple[str, Message]:
    """A DescriptorProto's name and fields."""
    name, fields = "", {}
    for part in read_fields(data):
        if part.number == 1 and isinstance(part.value, bytes):
            name = part.value.decode()
        elif part.number == 2 and isinstance(part.value, bytes):
            field = {item.number: item.value for item in read_fields(part.value)}
            held = field.get(6, b"")
            label, number = field[1], field[3]
            assert isinstance(label, bytes)
            assert isinstance(number, int)
            assert isinstance(held, bytes)
            fields[label.decode()] = (number, published(held.decode().removeprefix(".")))
    return name, fields


def published(name: str) -> str:
    """The name as the schemas have it: k8s.io.api.core.v1.Pod is io.k8s.api.core.v1.Pod there."""
    return f"io.k8s.{name.removeprefix('k8s.io.')}" if name.startswith("k8s.io.") else name


if __name__ == "__main__":
    main(Path(sys.argv[1]))
