"""Every text of a node, a pod or a Service, with the command that prints it on a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.nodeview.links import bridge_ports, devices, forwarding_entries, neighbours, wireguard_peers
from clusterviz.engine.nodeview.own import filled_sets, own_blocks, own_rules
from clusterviz.engine.nodeview.pod import environment, pod_devices, pod_routes, resolv_text
from clusterviz.engine.nodeview.routes import local_routes, routes
from clusterviz.engine.nodeview.service import dns_answers
from clusterviz.engine.nodeview.text import Text, joined
from clusterviz.engine.objects import Node, Pod, Service
from clusterviz.engine.proxyrules.iptables import iptables
from clusterviz.engine.proxyrules.ipvs import ip_sets, virtual_servers
from clusterviz.engine.proxyrules.nftables import nftables

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Name = tuple[str, str]

LIFETIMES = "Lifetimes of addresses and queueing are left out; the indexes of real devices differ."
KEYS = "Keys, counters and the last handshake are left out."
NEIGHBOURS = "On a real node only those are listed that were talked to lately."
OTHERS = "Rules of the network plugin stand beside these."
MAIN_ONLY = "The first address of the node network is taken for its gateway."
OWN_ONLY = "Only what is there for this Service; the node's own panel has all of it."
TOO_MANY = "Only what stands there without any Service; the rules of all Services would be too long to show"
NOBODY = ("", "")
NO_IPVS = "Told by rule and not compared with a kernel: no machine of ours has IPVS."


def node_texts(cluster: Cluster, node: Node, *, rules: bool = True) -> tuple[Text, ...]:
    """Rules of kube-proxy, devices, routes and neighbours of a node, both families where it has both.

    ``rules`` False writes no Service into kube-proxy's rules, and says so: in a large cluster they are long.
    """
    if rules:
        found = rule_texts(cluster, node)
    else:
        said = f"{TOO_MANY} (there are {len(cluster.services):,}): look at a Service for its own."
        found = [msgspec.structs.replace(one, note=said) for one in rule_texts(cluster, node, NOBODY)]
    lines = [line for device in devices(cluster, node) for line in device.lines]
    found.append(Text(id="addresses", title="Addresses", command="ip addr", text=joined(lines), note=LIFETIMES))
    for version in (4, 6):
        found += _node_routes(cluster, node, version)
    found.append(
        Text(
            id="neighbours",
            title="Neighbours",
            command="ip neigh",
            text=joined(neighbours(cluster, node)),
            note=NEIGHBOURS,
        )
    )
    if cluster.settings.network == "wireguard":
        command = f"wg show {cluster.settings.overlay_device}"
        text = joined(wireguard_peers(cluster, node))
        found.append(Text(id="wireguard", title="WireGuard peers", command=command, text=text, note=KEYS))
    elif cluster.settings.carries_frames:
        command = f"bridge fdb show dev {cluster.settings.overlay_device}"
        text = joined(forwarding_entries(cluster, node))
        found.append(Text(id="fdb", title="Overlay forwarding", command=command, text=text))
    ports = joined(bridge_ports(cluster, node))
    found.append(Text(id="bridge", title="Bridge ports", command="bridge -d link", text=ports))
    return tuple(found)


def rule_texts(cluster: Cluster, node: Node, only: Name | None = None) -> list[Text]:
    """What kube-proxy keeps on a node, in the mode of the cluster, for each family it has Service addresses of.

    ``only`` leaves out every Service but one.
    """
    mode = cluster.settings.proxy_mode
    return [
        text for version in cluster.settings.families or (4,) for text in _rules(cluster, node, mode, version, only)
    ]


def _rules(cluster: Cluster, node: Node, mode: str, version: int, only: Name | None) -> list[Text]:
    suffix, six, said = ("", "", "") if version == 4 else ("-6", "6", " (IPv6)")
    if mode == "ipvs":
        servers, sets = virtual_servers(cluster, node, version, only=only), ip_sets(cluster, node, version, only=only)
        return [
            Text(id=f"ipvs{suffix}", title=f"IPVS{said}", command="ipvsadm -Ln", text=servers, note=NO_IPVS),
            Text(id=f"ipset{suffix}", title=f"IP sets{said}", command="ipset list", text=sets, note=NO_IPVS),
        ]
    if mode == "nftables":
        command, text = f"nft list table ip{six} kube-proxy", nftables(cluster, node, version, only=only)
        return [Text(id=f"nftables{suffix}", title=f"nftables{said}", command=command, text=text, note=OTHERS)]
    command, text = f"ip{six}tables-save", iptables(cluster, node, version, only=only)
    return [Text(id=f"iptables{suffix}", title=f"iptables{said}", command=command, text=text, note=OTHERS)]


def own_texts(cluster: Cluster, node: Node, service: Name) -> list[Text]:
    """What of a node's rules is there for one Service; nothing that stands there without it."""
    found = []
    frames = {text.id: text.text for text in rule_texts(cluster, node, NOBODY)}
    for text in rule_texts(cluster, node, service):
        kind = text.id.partition("-")[0]
        if kind == "iptables":
            own = own_rules(text.text, frames[text.id])
        elif kind == "nftables":
            own = own_blocks(text.text, frames[text.id])
        else:
            own = filled_sets(text.text) if kind == "ipset" else text.text
        found.append(
            msgspec.structs.replace(text, text=own, note=OWN_ONLY if kind in ("iptables", "nftables") else text.note)
        )
    return found


def pod_texts(cluster: Cluster, pod: Pod) -> tuple[Text, ...]:
    """Inside a pod; one on the host's network sees the node's devices and routes instead of its own."""
    inside = f"kubectl exec -n {pod.namespace} {pod.name} -- "
    found = [
        Text(
            id="resolv",
            title="resolv.conf",
            command=f"{inside}cat /etc/resolv.conf",
            text=resolv_text(cluster, pod),
        )
    ]
    node = cluster.nodes.get(pod.node)
    if pod.host_network:
        note = "hostNetwork: the node's own devices and routes, not a pod's."
        lines = [line for device in devices(cluster, node) for line in device.lines] if node else []
        tables = {version: routes(cluster, node, version) if node else [] for version in (4, 6)}
    else:
        note = LIFETIMES
        lines = [line for device in pod_devices(cluster, pod) for line in device.lines]
        tables = {version: pod_routes(cluster, pod, version) for version in (4, 6)}
    found.append(Text(id="addresses", title="Addresses", command=f"{inside}ip addr", text=joined(lines), note=note))
    for version, table in tables.items():
        if table or version == 4:
            found.append(_routes(f"{inside}ip{' -6' * (version == 6)} route", version, table))
    command, text = f"{inside}env", joined(environment(cluster, pod))
    note = "Only what Services leave there: those of the namespace that existed before the pod, and the API's."
    return (*found, Text(id="env", title="Environment", command=command, text=text, note=note))


def service_texts(cluster: Cluster, service: Service, node: Node | None) -> tuple[Text, ...]:
    """The Service's DNS answers, and its own rules on ``node`` when one is given."""
    name = f"{service.name}.{service.namespace}.svc.{cluster.settings.cluster_domain.strip('.')}"
    answers = joined(dns_answers(cluster, service))
    found = [Text(id="dns", title="DNS answers", command=f"dig {name}", text=answers)]
    only = (service.namespace, service.name)
    return (*found, *(own_texts(cluster, node, only) if node is not None else []))


def _node_routes(cluster: Cluster, node: Node, version: int) -> list[Text]:
    table = routes(cluster, node, version)
    if not table and version == 6:
        return []
    six = " -6" * (version == 6)
    own = joined(local_routes(cluster, node, version))
    return [
        _routes(f"ip{six} route", version, table, MAIN_ONLY),
        Text(
            id="local" if version == 4 else "local-6",
            title="Own addresses" + (" (IPv6)" if version == 6 else ""),
            command=f"ip{six} route show table local",
            text=own,
            note="Broadcast lines are left out.",
        ),
    ]


def _routes(command: str, version: int, table: list[str], note: str = "") -> Text:
    if version == 6:
        return Text(id="routes-6", title="Routes (IPv6)", command=command, text=joined(table), note=note)
    return Text(id="routes", title="Routes", command=command, text=joined(table), note=note)
