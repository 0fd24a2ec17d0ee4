"""The printed ``ip route`` and the route a trace takes are one answer."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any, NamedTuple

from hypothesis import event, given
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.addresses import family, in_cidr, nth
from clusterviz.engine.datapath.draw import mac
from clusterviz.engine.datapath.place import Route, route_for
from clusterviz.engine.nodeview.links import devices, forwarding_entries, neighbours
from clusterviz.engine.nodeview.pod import pod_routes
from clusterviz.engine.nodeview.routes import local_routes, routes
from clusterviz.engine.objects import Node

V6: dict[str, Any] = {"cluster_cidr": "10.244.0.0/16,fd00:244::/56", "service_cidr": "10.96.0.0/12,fd00:96::/112"}


class Printed(NamedTuple):
    """One line of ``ip route``."""

    prefix: str
    via: str
    dev: str


def read(line: str) -> Printed:
    words = line.removeprefix("local ").split(" ")
    after = dict(itertools.pairwise(words))
    return Printed(words[0], after.get("via", ""), after["dev"])


def longest(lines: list[str], ip: str) -> Printed | None:
    """The line with the longest prefix that holds the address."""
    zero = "::/0" if family(ip) == 6 else "0.0.0.0/0"
    found = [read(line) for line in lines]
    fitting = [one for one in found if in_cidr(ip, zero if one.prefix == "default" else one.prefix)]
    return max(fitting, key=lambda one: length(one.prefix), default=None)


def length(prefix: str) -> int:
    return -1 if prefix == "default" else ipaddress.ip_network(prefix).prefixlen


def node(name: str, *ips: str, **meta: Any) -> dict[str, Any]:
    addresses = [{"type": "InternalIP", "address": ip} for ip in ips]
    return {"kind": "Node", "metadata": {"name": name, **meta}, "status": {"addresses": addresses}}


def pod(name: str, on: str, *ips: str) -> dict[str, Any]:
    status = {"phase": "Running", "podIPs": [{"ip": ip} for ip in ips]} if ips else {"phase": "Running"}
    spec = {"nodeName": on, "containers": [{"name": "c"}]}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": spec, "status": status}


@st.composite
def clusters(draw: Any) -> Cluster:
    """Two or three nodes, perhaps with IPv6, a second address, in a second segment; pods in and out of the blocks."""
    six = draw(st.booleans())
    objects = []
    for index in range(1, draw(st.integers(2, 3)) + 1):
        ips = [f"192.168.{draw(st.sampled_from([0, 0, 1]))}.{10 + index}"]
        ips += [f"fd00:1::{index}"] if six else []
        ips += [f"172.16.0.{index}"] if draw(st.integers(0, 3)) == 0 else []
        objects.append(node(f"n{index}", *ips))
        objects.append(pod(f"p{index}", f"n{index}"))
        if draw(st.integers(0, 3)) == 0:
            objects.append(pod(f"stray{index}", f"n{index}", f"10.9.0.{index}"))
    settings = Settings(
        network=draw(st.sampled_from(["vxlan", "vxlan", "host-gw", "wireguard"])),
        direct_routing=draw(st.booleans()),
        vni=draw(st.sampled_from([1, 1, 7])),
        node_cidr=draw(
            st.sampled_from(["192.168.0.0/16", "192.168.0.0/16", "192.168.0.0/24", "192.168.0.0/24,192.168.1.0/24"])
        ),
        **(V6 if six else {}),
    )
    return Cluster.from_objects(objects, settings)


def addresses(made: Cluster) -> list[str]:
    """Those somebody has, neighbours of theirs, and those nobody has."""
    found = {"10.96.0.10", "10.250.3.4", "203.0.113.9", "2001:db8::9", "fd00:96::a"}
    for one in made.nodes.values():
        found |= {*one.ips, *made.bridge_ips(one), *made.overlay_ips(one)}
        found |= {nth(cidr, 77) for cidr in one.pod_cidrs}
    return sorted(found | set(made.pod_by_ip))


@given(st.data())
def test_the_table_gives_the_route_of_a_trace(data: st.DataObject) -> None:
    """NET-04, NET-09, NET-11: longest prefix in the text against `route_for`, for any address."""
    made = data.draw(clusters())
    here = data.draw(st.sampled_from(list(made.nodes.values())))
    for ip in addresses(made):
        if not any(family(own) == family(ip) for own in here.ips):
            continue
        compare(here, ip, route_for(made, here, ip), made)


def compare(here: Node, ip: str, route: Route, made: Cluster) -> None:
    version = family(ip)
    own = longest(local_routes(made, here, version), ip)
    event(route.kind)
    assert (own is not None) == (route.kind == "local"), (ip, route, own)
    if own is not None:
        return
    line = longest(routes(made, here, version), ip)
    assert line is not None, (ip, route)
    if route.kind in ("default", "unreachable"):
        assert line.prefix == "default", (ip, route, line)
    elif route.kind == "onlink":
        assert (line.prefix, line.dev) == (route.prefix, route.dev), (ip, route, line)
    else:
        assert line == (route.prefix, route.via, route.dev), (ip, route, line)


@given(clusters())
def test_what_routes_name_is_there(made: Cluster) -> None:
    """NET-09: every device of a route exists, every overlay gateway has an ARP entry and an FDB entry to its node."""
    for here in made.nodes.values():
        names = {device.name for device in devices(made, here)}
        known = {line.split(" ")[0]: line.split(" ")[4] for line in neighbours(made, here)}
        tunnels = {line.split(" ")[0]: line.split(" ")[2] for line in forwarding_entries(made, here)}
        for line in [line for version in (4, 6) for line in routes(made, here, version)]:
            printed = read(line)
            assert printed.dev in names, (line, names)
            if made.settings.network == "vxlan" and printed.dev == made.settings.overlay_device:
                assert known[printed.via] == mac(printed.via)
                owner = made.node_by_ip[printed.via]
                assert tunnels[mac(printed.via)] == owner.ip
        assert made.settings.network == "vxlan" or not tunnels


def test_vxlan_and_host_gw() -> None:
    """NET-09, NET-11: what flannel writes, in the reference world."""
    three = [node(f"n{index}", f"192.168.0.1{index}") for index in (1, 2, 3)]
    made = Cluster.from_objects(three, Settings())
    assert routes(made, made.nodes["n1"]) == [
        "default via 192.168.0.1 dev eth0",
        "192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.11",
        "10.244.0.0/24 dev cni0 proto kernel scope link src 10.244.0.1",
        "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink",
        "10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink",
    ]
    assert forwarding_entries(made, made.nodes["n1"]) == [
        "0a:58:0a:f4:01:00 dst 192.168.0.12 self permanent",
        "0a:58:0a:f4:02:00 dst 192.168.0.13 self permanent",
    ]
    assert "10.244.1.0 dev flannel.1 lladdr 0a:58:0a:f4:01:00 PERMANENT" in neighbours(made, made.nodes["n1"])
    routed = Cluster.from_objects(three, Settings(network="host-gw"))
    assert routes(routed, routed.nodes["n1"])[-2:] == [
        "10.244.1.0/24 via 192.168.0.12 dev eth0",
        "10.244.2.0/24 via 192.168.0.13 dev eth0",
    ]
    assert forwarding_entries(routed, routed.nodes["n1"]) == []


def test_a_pod_has_one_way_out() -> None:
    """NET-04, NET-05: its own block is next door, everything else behind the bridge."""
    made = Cluster.from_objects([node("n1", "192.168.0.11", "fd00:1::1"), pod("p", "n1")], Settings(**V6))
    one = made.pods["shop", "p"]
    assert pod_routes(made, one) == [
        "default via 10.244.0.1 dev eth0",
        "10.244.0.0/16 via 10.244.0.1 dev eth0",
        "10.244.0.0/24 dev eth0 proto kernel scope link src 10.244.0.2",
    ]
    assert pod_routes(made, one, 6) == [
        "default via fd00:244::1 dev eth0",
        "fd00:244::/56 via fd00:244::1 dev eth0",
        "fd00:244::/64 dev eth0 proto kernel scope link src fd00:244::2",
    ]
