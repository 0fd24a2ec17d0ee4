"""Ask from the shell: which rules does kube-proxy keep on this node?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from clusterviz.cluster.management.ask import add_cluster_arguments, asked_cluster, asked_node
from clusterviz.engine import Cluster
from clusterviz.engine.proxyrules import ip_sets, iptables, nftables, virtual_servers

MODES = ("iptables", "nftables", "ipvs")


class Command(BaseCommand):
    """Exit status 0 printed, 2 a question that cannot be answered."""

    help = "Print kube-proxy's rules on a node: as iptables-save, as nft list table, or as ipvsadm -Ln and ipset list."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The node, and where the cluster comes from."""
        parser.add_argument("node", metavar="NODE")
        add_cluster_arguments(parser)
        parser.add_argument("--mode", choices=MODES, help="as if kube-proxy ran in this mode (default: the cluster's)")
        parser.add_argument("--service", metavar="NS/NAME", help="only this Service, beside what every node has")
        parser.add_argument("--family", type=int, choices=(4, 6), default=4, help="IPv4 (default) or IPv6")
        parser.add_argument(
            "--no-accounting", action="store_true", help="without nfacct counters, for iptables-restore elsewhere"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the text, or say in one sentence why there is none."""
        cluster = asked_cluster(options, self.stderr.write)
        if options["mode"]:
            cluster = cluster.with_settings(msgspec.structs.replace(cluster.settings, proxy_mode=options["mode"]))
        node, only, family = (
            asked_node(cluster, options["node"]),
            _service(cluster, options["service"]),
            options["family"],
        )
        mode = cluster.settings.proxy_mode
        if mode == "ipvs":
            text = virtual_servers(cluster, node, family, only=only) + "\n" + ip_sets(cluster, node, family, only=only)
        elif mode == "nftables":
            text = nftables(cluster, node, family, only=only)
        else:
            text = iptables(cluster, node, family, only=only, accounting=not options["no_accounting"])
        self.stdout.write(text, ending="")


def _service(cluster: Cluster, wanted: str | None) -> tuple[str, str] | None:
    """The Service meant by ``NS/NAME``; without a namespace the default one."""
    if wanted is None:
        return None
    namespace, slash, name = wanted.rpartition("/")
    key = (namespace if slash else "default", name)
    if key not in cluster.services:
        raise CommandError(f"there is no Service {'/'.join(key)!r}", returncode=2)
    return key
