"""What the lab is made of for a cluster: namespaces, links, addresses, routes, servers.

```
 internet ── router ── lan ─┬─ node n1: eth0  flannel.1  cni0 ─┬─ pod
                            └─ node n2 ...                     └─ pod
```
The router knows the nodes, the addresses outside, and leads load balancer addresses to the nodes
that pass their health check and externalIPs to the first ready node; it loses everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from clusterviz.engine import Cluster
from clusterviz.engine.addresses import family, in_any, in_cidr, network
from clusterviz.engine.datapath.place import home, veth
from clusterviz.engine.objects import Node, Pod, Service
from tests.kernel.listening import host_sockets, outside_sockets, pod_sockets
from tests.kernel.rules import node_rules

GATEWAYS = {4: "169.254.0.1", 6: "fe80::1"}
UPLINKS = {4: "169.254.0.2", 6: "fe80::2"}
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
CLIENTS = ("203.0.113.7", "2001:db8::7")

QUIET = {
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv4/icmp_msgs_per_sec": "1000000",
    "net/ipv4/icmp_msgs_burst": "1000000",
    "net/ipv6/icmp/ratelimit": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv6/conf/default/accept_dad": "0",
}
FORWARDING = {
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/fib_multipath_hash_policy": "1",
    "net/ipv6/fib_multipath_hash_policy": "1",
}
BRIDGED = {"net/bridge/bridge-nf-call-iptables": "1", "net/bridge/bridge-nf-call-ip6tables": "1"}


def live_pods(cluster: Cluster) -> list[Pod]:
    """Pods with a network namespace of their own on a node of the cluster."""
    return [
        pod
        for _, pod in sorted(cluster.pods.items())
        if pod.ips and not pod.ended and not pod.host_network and home(cluster, pod) is not None
    ]


def on(cluster: Cluster, node: Node, pods: Iterable[Pod]) -> list[Pod]:
    """Those of the pods that are on a node."""
    return [pod for pod in pods if home(cluster, pod) is node]


def outside_addresses(cluster: Cluster, asked: Iterable[str] = ()) -> list[str]:
    """Addresses the host on the internet has: clients, servers that are asked, endpoints outside."""
    settings = cluster.settings
    known = {endpoint.ip for service in cluster.services.values() for endpoint in cluster.endpoints(service)}
    virtual = {ip for service in cluster.services.values() for ip in (*service.lb_ips, *service.external_ips)}
    found = {*CLIENTS, settings.client_ip, *asked, *known} - virtual
    inside = {ip for pod in cluster.pods.values() for ip in pod.ips} | set(cluster.node_by_ip)
    ours = f"{settings.cluster_cidr},{settings.service_cidr}"
    ours += f",{settings.node_cidr}"
    return sorted(ip for ip in found - inside if not in_any(ip, ours) and not network(ip).is_loopback)


def plan(cluster: Cluster, ports: Iterable[int], asked: Iterable[str] = ()) -> dict[str, Any]:
    """Everything `Lab.build` needs.

    ``ports`` are those anybody may call: on them stands a server wherever the engine takes one to
    listen. ``asked`` are outside addresses that must exist.
    """
    pods, nodes, outside = live_pods(cluster), list(cluster.nodes.values()), outside_addresses(cluster, asked)
    ports = sorted(set(ports))
    names = ["router", "internet", *(node.ref for node in nodes), *(pod.ref for pod in pods)]
    sysctls = dict.fromkeys(names, QUIET)
    sysctls["router"] = QUIET | FORWARDING | dict.fromkeys(BRIDGED, "0")
    for node in nodes:
        sysctls[node.ref] = QUIET | FORWARDING | BRIDGED | _localnet(cluster)
    links = [_ip(node.ref, _node_links(index, on(cluster, node, pods))) for index, node in enumerate(nodes)]
    links.append(_ip("internet", ["link add eth0 type veth peer name inet0 netns <router>"]))
    configs = [
        _ip("router", _router(cluster, nodes, outside)),
        _ip("internet", _internet(outside)),
        *(_ip(node.ref, _node(cluster, node, pods)) for node in nodes),
        *(_ip(pod.ref, _pod(cluster, pod)) for pod in pods),
    ]
    tables = [["router", ["nft", "-f", "-"], _router_filter(cluster)]]
    tables += [[node.ref, ["bridge", "-batch", "-"], _fdb(cluster, node)] for node in nodes if _overlay(cluster)]
    return {
        "namespaces": names,
        "sysctls": sysctls,
        "stages": [links, configs, tables, *node_rules(cluster)],
        "listen": [
            *pod_sockets(cluster, pods, ports),
            *host_sockets(cluster, nodes, ports),
            *outside_sockets(outside, ports),
        ],
    }


def _localnet(cluster: Cluster) -> dict[str, str]:
    """What kube-proxy and portmap switch on for ports of 127.0.0.1 (PX-13, NET-02)."""
    settings = cluster.settings
    node_ports = settings.proxy_mode == "iptables" and settings.localhost_nodeports
    host_ports = settings.host_ports and any(port.host_port for pod in cluster.pods.values() for port in pod.ports)
    return {"net/ipv4/conf/all/route_localnet": "1"} if node_ports or host_ports else {}


def _ip(namespace: str, lines: Iterable[str]) -> list[Any]:
    return [namespace, ["ip", "-batch", "-"], "\n".join(lines) + "\n"]


def _host(ip: str) -> str:
    return f"{ip}/128 nodad" if ":" in ip else f"{ip}/32"


def _neighbours(*devices: str) -> Iterator[str]:
    """A neighbour that does not answer is given up after 0.4 s instead of 3, and many may wait for one."""
    for device in devices:
        for table in ("arp_cache", "ndisc_cache"):
            yield f"ntable change name {table} dev {device} retrans 140 queue 4000"


def _route(ip: str, rest: str) -> str:
    return f"route replace {ip}{'' if '/' in ip else '/128' if ':' in ip else '/32'} {rest}"


def _overlay(cluster: Cluster) -> bool:
    return cluster.settings.network == "vxlan"


def _hardware(index: int) -> str:
    return f"0a:58:ff:00:{index >> 8:02x}:{index & 255:02x}"


def _node_links(index: int, pods: list[Pod]) -> Iterator[str]:
    yield f"link add eth0 type veth peer name p{index} netns <router>"
    for pod in pods:
        yield f"link add {veth(pod)} type veth peer name eth0 netns <{pod.ref}>"


def _segments(cluster: Cluster) -> list[str]:
    return [part.strip() for part in cluster.settings.node_cidr.split(",") if part.strip()]


def _segment(cluster: Cluster, ip: str) -> str:
    """The node network an address lies in; one outside of all is alone on its card."""
    return next((part for part in _segments(cluster) if in_cidr(ip, part)), "")


def _beside(cluster: Cluster, own: str, ip: str) -> bool:
    """Whether another node hears this one without a router: unless several node networks part them (NET-11).

    Inside one segment the connected route says so already.
    """
    mine, theirs = _segment(cluster, own), _segment(cluster, ip)
    if family(own) != family(ip) or mine == theirs != "":
        return False
    return not mine or len([part for part in _segments(cluster) if family(part) == family(own)]) < 2


def _neighbours_by(cluster: Cluster, node: Node, other: Node, version: int) -> bool:
    """Whether the primary addresses of a family are on one segment."""
    own, far = ([ip for ip in one.ips if family(ip) == version][:1] for one in (node, other))
    if not own or not far:
        return True
    return _segment(cluster, own[0]) == _segment(cluster, far[0]) != "" or _beside(cluster, own[0], far[0])


def _underlay(cluster: Cluster, node: Node) -> str:
    """The node's own end of the overlay: a family all nodes have."""
    nodes = cluster.nodes.values()
    for ip in node.ips:
        if all(any(family(other) == family(ip) for other in one.ips) for one in nodes):
            return ip
    return node.ip


def _far(cluster: Cluster, node: Node, ip: str) -> str:
    """The gateway to a remote node's pods of the family of ``ip``: its overlay device, or the node."""
    same = [own for own in cluster.overlay_ips(node) or node.ips if family(own) == family(ip)]
    index = list(cluster.nodes).index(node.name) + 1
    return same[0] if same else (f"fe80::100:{index:x}" if ":" in ip else f"169.254.100.{index}")


def _node(cluster: Cluster, node: Node, pods: list[Pod]) -> Iterator[str]:
    settings = cluster.settings
    yield "link set lo up"
    for ip in node.ips:
        segment = _segment(cluster, ip)
        yield f"addr add {ip}/{network(segment).prefixlen} dev eth0" if segment else f"addr add {_host(ip)} dev eth0"
    yield f"link set eth0 mtu {settings.mtu} up"
    yield "link add cni0 type bridge forward_delay 0 mcast_snooping 0"
    for cidr, ip in zip((cidr for cidr in node.pod_cidrs if _wide(cidr)), cluster.bridge_ips(node), strict=True):
        yield f"addr add {ip}/{network(cidr).prefixlen}{' nodad' if ':' in ip else ''} dev cni0"
    yield f"link set cni0 mtu {settings.pod_mtu} up"
    for pod in on(cluster, node, pods):
        yield f"link set {veth(pod)} master cni0 mtu {settings.pod_mtu} up"
        yield f"link set {veth(pod)} type bridge_slave hairpin {'on' if settings.hairpin else 'off'}"
    if _overlay(cluster):
        yield from _overlay_device(cluster, node)
    yield from _neighbours("eth0", "cni0")
    yield from _node_routes(cluster, node, pods)


def _wide(cidr: str) -> bool:
    return network(cidr).num_addresses > 1


def _overlay_device(cluster: Cluster, node: Node) -> Iterator[str]:
    settings, index = cluster.settings, list(cluster.nodes).index(node.name)
    yield (
        f"link add {_device(cluster)} address {_hardware(index)} mtu {settings.pod_mtu} type vxlan id {settings.vni}"
        f" local {_underlay(cluster, node)} dev eth0 dstport {settings.vxlan_port} nolearning"
    )
    for ip in cluster.overlay_ips(node):
        yield f"addr add {_host(ip)} dev {_device(cluster)}"
    yield f"link set {_device(cluster)} up"


def _device(cluster: Cluster) -> str:
    return f"flannel.{cluster.settings.vni}"


def _node_routes(cluster: Cluster, node: Node, pods: list[Pod]) -> Iterator[str]:
    for version, gateway in GATEWAYS.items():
        if any(family(ip) == version for ip in node.ips):
            yield f"route add {EVERYWHERE[version]} via {gateway} dev eth0 {'onlink' if version == 4 else ''}"
    for index, other in enumerate(cluster.nodes.values()):
        if other.name != node.name:
            yield from _routes_to(cluster, node, index, other, pods)
    for pod in on(cluster, node, pods):
        for ip in _strange(node, pod):
            yield _route(ip, "dev cni0")


def _routes_to(cluster: Cluster, node: Node, index: int, other: Node, pods: list[Pod]) -> Iterator[str]:
    """To another node, and to its pods: into the overlay, or to the node where no router lies between (NET-11)."""
    for ip in other.ips:
        if any(_beside(cluster, own, ip) for own in node.ips):
            yield _route(ip, "dev eth0")
    overlay = _overlay(cluster)
    device = _device(cluster) if overlay else "eth0"
    for ip in ("0.0.0.0", "::") if overlay else ():
        yield f"neigh replace {_far(cluster, other, ip)} lladdr {_hardware(index)} dev {device} nud permanent"
    strangers = [ip for pod in on(cluster, other, pods) for ip in _strange(other, pod)]
    for block in [*other.pod_cidrs, *strangers]:
        if overlay or _neighbours_by(cluster, node, other, family(block)):
            yield _route(block, f"via {_far(cluster, other, block)} dev {device} onlink")


def _strange(node: Node, pod: Pod) -> list[str]:
    """Addresses of a pod that are not cut from its node's pod CIDRs."""
    return [ip for ip in pod.ips if not any(in_cidr(ip, cidr) for cidr in node.pod_cidrs)]


def _fdb(cluster: Cluster, node: Node) -> str:
    """Which node an overlay device is on; nothing is learnt (NET-09)."""
    return "".join(
        f"fdb replace {_hardware(index)} dev {_device(cluster)} dst {_underlay(cluster, other)} self permanent\n"
        for index, other in enumerate(cluster.nodes.values())
        if other.name != node.name
    )


def _pod(cluster: Cluster, pod: Pod) -> Iterator[str]:
    node = home(cluster, pod)
    assert node is not None
    yield "link set lo up"
    for ip in pod.ips:
        block = next((cidr for cidr in node.pod_cidrs if in_cidr(ip, cidr)), f"{ip}/{128 if ':' in ip else 32}")
        yield f"addr add {ip}/{network(block).prefixlen}{' nodad' if ':' in ip else ''} dev eth0"
    yield f"link set eth0 mtu {cluster.settings.pod_mtu} up"
    yield from _neighbours("eth0")
    for version in (4, 6):
        gateway = next((ip for ip in cluster.bridge_ips(node) if family(ip) == version), "")
        if gateway and any(family(ip) == version for ip in pod.ips):
            yield _route(gateway, "dev eth0")
            yield f"route add {EVERYWHERE[version]} via {gateway} dev eth0"


def _internet(outside: list[str]) -> Iterator[str]:
    yield "link set lo up"
    yield "link set eth0 up"
    yield from _neighbours("eth0")
    for ip in outside:
        yield f"addr add {_host(ip)} dev eth0"
    for version, gateway in UPLINKS.items():
        yield f"route add {EVERYWHERE[version]} via {gateway} dev eth0 {'onlink' if version == 4 else ''}"


def _router(cluster: Cluster, nodes: list[Node], outside: list[str]) -> Iterator[str]:
    yield "link set lo up"
    yield "link add lan type bridge forward_delay 0 mcast_snooping 0"
    yield "link set lan up"
    yield "link set inet0 up"
    yield from _neighbours("lan", "inet0")
    for index in range(len(nodes)):
        yield f"link set p{index} master lan up"
    for version in (4, 6):
        length = "32" if version == 4 else "64 nodad"
        yield f"addr add {GATEWAYS[version]}/{length} dev lan"
        yield f"addr add {UPLINKS[version]}/{length} dev inet0"
        yield f"route add blackhole {EVERYWHERE[version]}"
    for node in nodes:
        for ip in node.ips:
            yield _route(ip, "dev lan")
    for ip in outside:
        yield _route(ip, "dev inet0")
    for ip, ways in virtual_routes(cluster).items():
        hops = " ".join(f"nexthop via {way} dev lan onlink" for way in ways)
        yield _route(ip, hops) if ways else f"route replace blackhole {ip}"


def virtual_routes(cluster: Cluster) -> dict[str, list[str]]:
    """Load balancer addresses and externalIPs with the nodes they are led to (PX-15, SVC-05)."""
    found: dict[str, list[str]] = {}
    up = [node for node in cluster.nodes.values() if node.ready and not node.down]
    for service in sorted(cluster.services.values(), key=lambda one: (one.namespace, one.name)):
        for ip in service.external_ips:
            if ip not in cluster.node_by_ip:
                found.setdefault(ip, [way for node in up[:1] for way in _same(node, ip)])
    for service in sorted(cluster.services.values(), key=lambda one: (one.namespace, one.name)):
        for ip in service.lb_ips:
            if ip not in cluster.node_by_ip:
                found[ip] = [way for node in up if _healthy(cluster, service, node) for way in _same(node, ip)]
    return found


def _same(node: Node, ip: str) -> list[str]:
    return [own for own in node.ips if family(own) == family(ip)][:1]


def _healthy(cluster: Cluster, service: Service, node: Node) -> bool:
    """What a balancer learns from the health check node port: are there ready endpoints here (PX-14)?"""
    if service.external_policy != "Local":
        return True
    return any(one.ready and one.node == node.name for one in cluster.endpoints(service))


def _router_filter(cluster: Cluster) -> str:
    """A balancer opens the ports of its Service and no others; nothing comes back to the wire it came from."""
    rules = []
    for ip in virtual_routes(cluster):
        owners = [one for one in cluster.services.values() if ip in one.lb_ips]
        open_ports = {f"{port.protocol.lower()} . {port.port}" for one in owners for port in one.ports}
        match = f"{'ip6' if ':' in ip else 'ip'} daddr {ip}"
        rules.append(f"{match} iifname lan drop")
        if open_ports:
            rules.append(f"{match} meta l4proto . th dport {{ {', '.join(sorted(open_ports))} }} accept")
            rules.append(f"{match} drop")
    body = "\n".join(rules)
    return f"table inet router {{\nchain forward {{\ntype filter hook forward priority 0;\n{body}\n}}\n}}\n"
