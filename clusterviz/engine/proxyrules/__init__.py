"""The rules kube-proxy writes on a node, as text (IPT, NFT, IPV).

Written from the rules and from upstream's output, and not from ``datapath``: the two can disagree,
and a test compares them. ``iptables`` gives what ``iptables-save`` would show, ``nftables`` what
``nft list table`` would. ``virtual_servers`` and ``ip_sets`` report what IPVS mode keeps.
"""

from clusterviz.engine.proxyrules.iptables import NoRuleTextError, iptables
from clusterviz.engine.proxyrules.ipvs import ip_sets, virtual_servers
from clusterviz.engine.proxyrules.nftables import nftables

__all__ = ["NoRuleTextError", "ip_sets", "iptables", "nftables", "virtual_servers"]
