"""The rules kube-proxy writes on a node, as text (IPT, NFT).

Written from the rules and from upstream's output, and not from ``datapath``: the two can disagree,
and a test compares them. ``iptables`` gives what ``iptables-save`` would show, ``nftables`` what
``nft list table`` would.
"""

from clusterviz.engine.proxyrules.iptables import NoRuleTextError, iptables
from clusterviz.engine.proxyrules.nftables import nftables

__all__ = ["NoRuleTextError", "iptables", "nftables"]
