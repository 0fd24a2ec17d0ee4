"""Ask from the shell: what happens to this packet?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.core.management.base import BaseCommand, CommandError

from clusterviz.capture import captures
from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster, asked_manifests
from clusterviz.engine import Cluster, Probe, ProbeError, Trace, trace
from clusterviz.engine.explain import full_document
from clusterviz.engine.fixes import suggest
from clusterviz.engine.probe import PROTOCOLS, SOURCES, TARGETS
from clusterviz.engine.report import readable

LONGEST_LINE = 65_536
SHAPE = '{"from": "shop/frontend", "to": "http://web/"}, and protocol and seed'


# What a line of a file of probes may say: the type of each field, and what is allowed there.
FIELDS: dict[str, tuple[type, str]] = {
    "from": (str, SOURCES),
    "to": (str, TARGETS),
    "protocol": (str, ", ".join(PROTOCOLS)),
    "seed": (int, "an integer"),
}


class Question(NamedTuple):
    """What is asked, as it was typed."""

    source: str
    to: str
    protocol: str = ""
    seed: int = 0


class Command(BaseCommand):
    """Exit status 0 delivered, 1 not delivered, 2 a question that cannot be asked."""

    help = "Trace a packet through a cluster, or through manifests, and say which rule decided each hop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two ends, and where the cluster comes from."""
        parser.add_argument("--from", dest="source", metavar="WHO", help="shop/frontend, node/n1, internet, an IP")
        parser.add_argument("--to", metavar="WHAT", help="a URL, name:port, IP:port, service:ns/name:port")
        parser.add_argument("--protocol", default="", help="TCP (default), UDP, SCTP or ICMP")
        parser.add_argument("--seed", type=int, default=0, help="draws the backend; the same seed, the same answer")
        add_cluster_arguments(parser)
        parser.add_argument("--probes", metavar="FILE", help='many questions, a JSON {"from", "to"} a line; or -')
        parser.add_argument("--opened", metavar="FILE|DIR", help="the manifests when the connection was opened")
        parser.add_argument("--json", action="store_true", help="the whole answer as one line of JSON")
        parser.add_argument("--full", action="store_true", help="with --probes: fixes too, some dozen times slower")
        parser.add_argument("--pcap", metavar="DIR", help="write what each capture point sees into DIR, for Wireshark")
        parser.add_argument("--novice", action="store_true", help="words for beginners")

    def handle(self, *_: Any, **options: Any) -> None:
        """Answer one question or many."""
        if not options["probes"] and not (options["source"] and options["to"]):
            raise CommandError("give --from and --to, or --probes FILE", returncode=2)
        if options["probes"] and options["pcap"]:
            raise CommandError("--pcap goes with one question, not with --probes", returncode=2)
        cluster = asked_cluster(options, self.stderr.write)
        opened = asked_manifests(options["opened"], self.stderr.write) if options["opened"] else None
        if options["probes"]:
            lines = _lines(options["probes"])
            sys.exit(max((self._answer_line(cluster, line, opened, full=options["full"]) for line in lines), default=0))
        question = Question(options["source"], options["to"], options["protocol"], options["seed"])
        try:
            answer = _ask(cluster, question, opened)
        except ProbeError as error:
            allowed = f" (allowed: {error.allowed})" if error.allowed else ""
            raise CommandError(f"--{error.field or 'to'}: {error}{allowed}", returncode=2) from None
        if options["pcap"]:
            _write_captures(answer, Path(options["pcap"]))
        if options["json"]:
            self.stdout.write(msgspec.json.encode(full_document(cluster, answer)).decode())
        else:
            words = "novice" if options["novice"] else "operator"
            self.stdout.write(readable(answer, words, suggest(cluster, answer), cluster=cluster))
        sys.exit(0 if answer.success else 1)

    def _answer_line(self, cluster: Cluster, line: bytes, opened: Cluster | None, *, full: bool) -> int:
        """Print the answer to one line; its exit status."""
        try:
            answer = _ask(cluster, _question(line), opened)
        except ProbeError as error:
            self.stdout.write(json.dumps({"error": str(error), "field": error.field, "allowed": error.allowed}))
            return 2
        document = full_document(cluster, answer) if full else answer.to_dict()
        self.stdout.write(msgspec.json.encode(document).decode())
        return 0 if answer.success else 1


def _ask(cluster: Cluster, question: Question, opened: Cluster | None = None) -> Trace:
    probe = Probe.parse(question.source, question.to, protocol=question.protocol, seed=question.seed)
    return trace(cluster, probe, opened=opened)


def _write_captures(answer: Trace, folder: Path) -> None:
    """One file a capture point, named by its id; the folder is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for point, data in captures(answer).items():
            (folder / f"{point}.pcap").write_bytes(data)
    except OSError as error:
        raise CommandError(f"cannot write into {folder}: {error.strerror}", returncode=2) from None


def _question(line: bytes) -> Question:
    if len(line) > LONGEST_LINE:
        raise ProbeError("the line is too long", allowed=f"{LONGEST_LINE} bytes")
    try:
        asked = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProbeError(f"Invalid value: no JSON: {error}", allowed=SHAPE) from None
    if not isinstance(asked, dict):
        raise ProbeError("Invalid value: must be an object", allowed=SHAPE)
    for name, value in asked.items():
        kind, allowed = FIELDS.get(name, (None, ", ".join(FIELDS)))
        if kind is None:
            raise ProbeError(f"unknown field {name!r}", field=name, allowed=allowed)
        if type(value) is not kind:
            must = "a string" if kind is str else "an integer"
            raise ProbeError(f"Invalid value: {value!r}: must be {must}", field=name, allowed=allowed)
    for name in ("from", "to"):
        if name not in asked:
            raise ProbeError("Required value", field=name, allowed=FIELDS[name][1])
    return Question(asked["from"], asked["to"], asked.get("protocol", ""), asked.get("seed", 0))


def _lines(path: str) -> Iterator[bytes]:
    """Lines that are not empty."""
    if path == "-":
        yield from (line for line in sys.stdin.buffer if line.strip())
        return
    try:
        with Path(path).open("rb") as file:
            yield from (line for line in file if line.strip())
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}", returncode=2) from None
