"""NetworkPolicies as nftables rules of a node, written from the rules (NP) and not from the engine's decision.

Egress is judged in FORWARD, after kube-proxy's own refusals and before any masquerade, on the real
endpoint (NP-13, NP-14, EGR-03); ingress behind POSTROUTING's source NAT, on the address the pod
will see (NP-13).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.place import home
from clusterviz.engine.objects import Node, Pod

Obj = dict[str, Any]
TABLE = """table inet netpol {{
chain egress {{
type filter hook forward priority 10;
ct state established,related accept
meta l4proto != {{ tcp, udp, sctp }} accept
{egress}
}}
chain ingress {{
type filter hook postrouting priority 200;
ct state established,related accept
meta l4proto != {{ tcp, udp, sctp }} accept
{ingress}
}}
}}
"""


def policy_table(cluster: Cluster, node: Node) -> str:
    """The table of one node: its pods' egress and ingress."""
    chains: list[str] = []
    jumps: dict[str, list[str]] = {"Egress": [], "Ingress": []}
    pods = [pod for _, pod in sorted(cluster.pods.items()) if home(cluster, pod) is node and _protected(pod)]
    for index, pod in enumerate(pods if cluster.settings.enforce_policies else ()):
        for direction, side in (("Egress", "saddr"), ("Ingress", "daddr")):
            policies = [one for one in _policies(cluster, pod) if direction in _types(one["spec"])]
            if not policies:
                continue
            name = f"{direction.lower()}-{index}"
            body = [*_always(cluster, node, pod, direction)]
            for policy in policies:
                body += _allows(cluster, policy, pod, direction)
            chains.append(f"chain {name} {{\n" + "\n".join([*body, "drop"]) + "\n}")
            jumps[direction] += [f"{_word(ip)} {side} {ip} goto {name}" for ip in pod.ips]
    text = TABLE.format(egress="\n".join(jumps["Egress"]), ingress="\n".join(jumps["Ingress"]))
    head = "table inet netpol {\n"
    return text.replace(head, head + "\n".join(chains) + "\n", 1)


def _protected(pod: Pod) -> bool:
    """NP-21: hostNetwork pods are not."""
    return bool(pod.ips) and not pod.host_network and not pod.ended


def _word(ip: str) -> str:
    return "ip6" if ":" in ip else "ip"


def _policies(cluster: Cluster, pod: Pod) -> list[Obj]:
    """NP-02: policies of the pod's own namespace whose podSelector matches."""
    found = [obj for key, obj in sorted(cluster.objects.items()) if key[:2] == ("NetworkPolicy", pod.namespace)]
    return [obj for obj in found if selects(obj["spec"].get("podSelector"), pod.labels)]


def _types(spec: Obj) -> list[str]:
    """NP-04: absent means Ingress, and Egress when there are egress rules."""
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def selects(selector: Obj | None, labels: dict[str, str]) -> bool:
    """NP-18: all of matchLabels and matchExpressions hold; an empty selector matches everything."""
    wanted = (selector or {}).get("matchLabels") or {}
    if any(labels.get(key) != str(value) for key, value in wanted.items()):
        return False
    for one in (selector or {}).get("matchExpressions") or []:
        key, values = one["key"], [str(value) for value in one.get("values") or []]
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds[one["operator"]]:
            return False
    return True


def _always(cluster: Cluster, node: Node, pod: Pod, direction: str) -> Iterator[str]:
    """NP-19 and NP-20: the pod itself, and its own node."""
    side = "daddr" if direction == "Egress" else "saddr"
    for ip in (*pod.ips, *node.ips, *cluster.bridge_ips(node), *cluster.overlay_ips(node)):
        yield f"{_word(ip)} {side} {ip} accept"


def _allows(cluster: Cluster, policy: Obj, pod: Pod, direction: str) -> Iterator[str]:
    """One accept for each peer and port of each rule (NP-08)."""
    side, key = ("daddr", "to") if direction == "Egress" else ("saddr", "from")
    for rule in policy["spec"].get(direction.lower()) or []:
        for peer in rule.get(key) or [None]:
            for port in rule.get("ports") or [None]:
                yield from _accepts(cluster, policy, pod, side, peer, port)


def _accepts(cluster: Cluster, policy: Obj, pod: Pod, side: str, peer: Obj | None, port: Obj | None) -> Iterator[str]:
    named = port is not None and isinstance(port.get("port"), str)
    if named and side == "daddr":
        # the destination's own name counts, so every pod gets a rule of its own (NP-15, NP-16)
        for other in cluster.pods.values():
            if _protected(other) and (peer is None or _is_peer(cluster, policy, peer, other)):
                for number in _numbers(other, port):
                    yield from (f"{_word(ip)} daddr {ip} {number} accept" for ip in other.ips if _block(peer, ip))
        return
    ports = _numbers(pod, port) if named else [_port(port)]
    for match in _peers(cluster, policy, peer, side):
        for one in ports:
            yield f"{match} {one} accept".strip()


def _block(peer: Obj | None, ip: str) -> bool:
    """An ipBlock in front of a named port is judged by address (NP-12, NP-16)."""
    if peer is None or not peer.get("ipBlock"):
        return True
    from ipaddress import ip_address, ip_network

    block, address = peer["ipBlock"], ip_address(ip)
    nets = [ip_network(block["cidr"], strict=False), *(ip_network(one) for one in block.get("except") or [])]
    return address in nets[0] and not any(address in net for net in nets[1:])


def _is_peer(cluster: Cluster, policy: Obj, peer: Obj, pod: Pod) -> bool:
    """NP-08, NP-10: the selectors of one peer hold together."""
    if peer.get("ipBlock"):
        return True
    if peer.get("namespaceSelector") is None:
        if pod.namespace != policy["metadata"].get("namespace", "default"):
            return False
    elif not selects(peer["namespaceSelector"], _namespace_labels(cluster, pod.namespace)):
        return False
    return selects(peer.get("podSelector"), pod.labels)


def _namespace_labels(cluster: Cluster, name: str) -> dict[str, str]:
    """NP-11: its own name is always among them."""
    obj = cluster.objects.get(("Namespace", "", name)) or {}
    given = (obj.get("metadata") or {}).get("labels") or {}
    return {**{key: str(value) for key, value in given.items()}, "kubernetes.io/metadata.name": name}


def _peers(cluster: Cluster, policy: Obj, peer: Obj | None, side: str) -> Iterator[str]:
    """The matches of one peer; no peer is anybody (NP-09)."""
    if peer is None:
        yield ""
    elif peer.get("ipBlock"):
        cidr, excepts = peer["ipBlock"]["cidr"], peer["ipBlock"].get("except") or []
        word = _word(cidr)
        yield f"{word} {side} {cidr}" + "".join(f" {word} {side} != {one}" for one in excepts)
    else:
        pods = [pod for _, pod in sorted(cluster.pods.items()) if _protected(pod)]
        chosen = [ip for pod in pods if _is_peer(cluster, policy, peer, pod) for ip in pod.ips]
        for version in (4, 6):
            if same := [ip for ip in chosen if family(ip) == version]:
                yield f"{_word(same[0])} {side} {{ {', '.join(same)} }}"


def _port(port: Obj | None) -> str:
    """NP-15: protocol TCP unless said, all ports unless said, or a range."""
    if port is None:
        return ""
    proto = (port.get("protocol") or "TCP").lower()
    if port.get("port") is None:
        return f"meta l4proto {proto}"
    return f"{proto} dport {port['port']}" + (f"-{port['endPort']}" if port.get("endPort") else "")


def _numbers(pod: Pod, port: Obj | None) -> list[str]:
    """A named port of the destination, matched by name and protocol."""
    assert port is not None
    proto = port.get("protocol") or "TCP"
    return [
        f"{proto.lower()} dport {declared.port}"
        for declared in pod.ports
        if declared.name == port["port"] and declared.protocol == proto
    ]
