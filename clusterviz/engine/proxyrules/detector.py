"""How the rules of a node's kube-proxy tell pods from everybody else (PX-08, IPT-04, NFT-05)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.addresses import family, listed, network
from clusterviz.engine.objects import Node

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Detector(NamedTuple):
    """How kube-proxy tells pods (PX-08): by a CIDR, by an interface or the beginning of names; by nothing."""

    cidr: str = ""
    interface: str = ""
    prefix: bool = False

    def __bool__(self) -> bool:
        """Whether it tells them at all."""
        return bool(self.cidr or self.interface)

    @property
    def iptables(self) -> str:
        """The match of a pod's packet; ``!`` before it is that of everybody else's."""
        return f"-s {self.cidr}" if self.cidr else f"-i {self.interface}{'+' * self.prefix}"

    def nftables(self, family: str, *, others: bool = False) -> str:
        """The match of a pod's packet, or of everybody else's."""
        what, value = f"{family} saddr", self.cidr
        if not self.cidr:
            what, value = "iifname", f'"{self.interface}{"*" * self.prefix}"'
        return f"{what} != {value}" if others else f"{what} {value}"


def detector(cluster: Cluster, node: Node, version: int) -> Detector:
    """What kube-proxy on the node was started with; NodeCIDR is the node's own pod CIDR of the family (PX-08)."""
    settings, mode = cluster.settings, cluster.settings.detect_local_mode
    if not settings.detect_local:
        return Detector()
    if mode in ("BridgeInterface", "InterfaceNamePrefix"):
        return Detector(interface=settings.detect_local_interface, prefix=mode == "InterfaceNamePrefix")
    given = [cidr for cidr in _cidrs(cluster, node) if family(cidr) == version]
    return Detector(cidr=str(network(given[0])) if given else "")


def _cidrs(cluster: Cluster, node: Node) -> tuple[str, ...]:
    by_node = cluster.settings.detect_local_mode == "NodeCIDR"
    return node.pod_cidrs if by_node else listed(cluster.settings.cluster_cidr)
