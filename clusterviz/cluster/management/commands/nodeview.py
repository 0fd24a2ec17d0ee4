"""Ask from the shell: what would commands on this node, or in this pod, print?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster, asked_node
from clusterviz.engine import Cluster
from clusterviz.engine.nodeview import Text, node_texts, pod_texts, service_texts


class Command(BaseCommand):
    """Exit status 0 printed, 2 a question that cannot be answered."""

    help = "Print what commands on a node, in a pod, or about a Service would show."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who is looked at, and which of the texts."""
        parser.add_argument("what_of", metavar="NODE|NS/POD|service:NS/NAME")
        add_cluster_arguments(parser)
        parser.add_argument("--what", metavar="ID", help="only this text: routes, fdb, resolv ... (default: all)")
        parser.add_argument("--node", metavar="NODE", help="the node whose rules of a Service are printed")

    def handle(self, *_: Any, **options: Any) -> None:
        """Each text under the command that prints it, with one text alone nothing but that text."""
        cluster = asked_cluster(options, self.stderr.write)
        texts = _texts(cluster, options["what_of"], options["node"])
        wanted = options["what"]
        if wanted:
            found = [text for text in texts if text.id == wanted]
            if not found:
                known = ", ".join(text.id for text in texts)
                raise CommandError(f"there is no text {wanted!r} here (known: {known})", returncode=2)
            self.stdout.write(found[0].text, ending="")
            return
        blocks = [f"# {text.command}\n{text.text}" for text in texts]
        self.stdout.write("\n".join(blocks), ending="")


def _texts(cluster: Cluster, name: str, node: str | None) -> tuple[Text, ...]:
    """The texts of what is named: a node, a pod as ``ns/name``, or a picture id."""
    kind, colon, rest = name.partition(":")
    if not colon:
        kind, rest = ("pod" if "/" in name else "node"), name
    if kind == "node":
        return node_texts(cluster, asked_node(cluster, rest))
    namespace, slash, plain = rest.rpartition("/")
    key = (namespace if slash else "default", plain)
    if kind == "pod" and key in cluster.pods:
        return pod_texts(cluster, cluster.pods[key])
    if kind == "service" and key in cluster.services:
        return service_texts(cluster, cluster.services[key], asked_node(cluster, node) if node else None)
    raise CommandError(f"there is no {kind} {'/'.join(key)!r}", returncode=2)
