"""The rules of the network plugins: flannel's masquerade and portmap's host ports, as they write them."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family, in_cidr, network
from clusterviz.engine.datapath.place import home
from clusterviz.engine.objects import Node, Pod

MARK = "0x2000/0x2000"


def _nat(chains: Iterable[str], rules: Iterable[str]) -> str:
    return "\n".join(["*nat", *(f":{chain} - [0:0]" for chain in chains), *rules, "COMMIT", ""])


def flannel(cluster: Cluster, node: Node, version: int) -> str:
    """Flannel's rules of POSTROUTING (EGR-02), "" when it does not masquerade."""
    settings = cluster.settings
    pods = [cidr for cidr in settings.cluster_cidr.split(",") if cidr and family(cidr) == version]
    blocks = [cidr for cidr in node.pod_cidrs if family(cidr) == version]
    if not settings.egress_nat or not pods or not blocks:
        return ""
    everything, own = str(network(pods[0])), str(network(blocks[0]))
    multicast = "224.0.0.0/4" if version == 4 else "ff00::/8"
    rules = [
        "-m mark --mark 0x4000/0x4000 -j RETURN",
        f"-s {own} -d {everything} -j RETURN",
        f"-s {everything} -d {own} -j RETURN",
        f"! -s {everything} -d {own} -j RETURN",
        f"-s {everything} ! -d {multicast} -j MASQUERADE --random-fully",
        f"! -s {everything} -d {everything} -j MASQUERADE --random-fully",
    ]
    chain = "FLANNEL-POSTRTG"
    return _nat([chain], [f"-A POSTROUTING -j {chain}", *(f"-A {chain} {rule}" for rule in rules)])


def portmap(cluster: Cluster, node: Node, version: int) -> str:
    """The hostPorts of a node's pods (NET-02), "" when there are none or no plugin forwards them.

    A pod's rules are put before those of older pods.
    """
    pods = sorted(cluster.pods.values(), key=lambda pod: (pod.created, pod.namespace, pod.name), reverse=True)
    rules = [
        rule
        for pod in pods
        if home(cluster, pod) is node and not pod.host_network and not pod.ended
        for rule in _host_ports(node, pod, version)
    ]
    if not rules or not cluster.settings.host_ports:
        return ""
    dnat, mark, masquerade = "CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"
    frame = [
        f"-A PREROUTING -m addrtype --dst-type LOCAL -j {dnat}",
        f"-A OUTPUT -m addrtype --dst-type LOCAL -j {dnat}",
        f"-I POSTROUTING -j {masquerade}",
        f"-A {mark} -j MARK --set-xmark {MARK}",
        f"-A {masquerade} -m mark --mark {MARK} -j MASQUERADE",
    ]
    return _nat([dnat, mark, masquerade], [*frame, *(f"-A {dnat} {rule}" for rule in rules)])


def _host_ports(node: Node, pod: Pod, version: int) -> Iterable[str]:
    """For each hostPort: mark what comes from the pod's own block or from loopback, then translate."""
    own = next((ip for ip in pod.ips if family(ip) == version), "")
    block = next((cidr for cidr in node.pod_cidrs if own and in_cidr(own, cidr)), own)
    for declared in pod.ports:
        anywhere = declared.host_ip in ("", "0.0.0.0", "::")
        if not declared.host_port or not own or declared.protocol not in ("TCP", "UDP"):
            continue
        if declared.host_ip and family(declared.host_ip) != version:
            continue
        proto = declared.protocol.lower()
        match = f"-p {proto} -m {proto} --dport {declared.host_port}" + ("" if anywhere else f" -d {declared.host_ip}")
        yield f"-s {block} {match} -j CNI-HOSTPORT-SETMARK"
        if version == 4:
            yield f"-s 127.0.0.1/32 {match} -j CNI-HOSTPORT-SETMARK"
        target = f"[{own}]:{declared.port}" if version == 6 else f"{own}:{declared.port}"
        yield f"{match} -j DNAT --to-destination {target}"
