"""The rules kube-proxy writes on a node, as text (IPT).

Written from the rules and from upstream's output, and not from ``datapath``: the two can disagree,
and a test compares them. ``iptables`` gives what ``iptables-save`` would show.
"""

from clusterviz.engine.proxyrules.iptables import NoRuleTextError, iptables

__all__ = ["NoRuleTextError", "iptables"]
