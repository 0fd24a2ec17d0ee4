"""Nodes, pods and Services as commands on a real machine would show them.

`node_texts`, `pod_texts` and `service_texts` give every text of an object; the single tables are in the modules.
They are told by the datapath's own facts: routes, addresses, MACs, names.
"""

from clusterviz.engine.nodeview.text import Text
from clusterviz.engine.nodeview.texts import node_texts, pod_texts, service_texts

__all__ = ["Text", "node_texts", "pod_texts", "service_texts"]
