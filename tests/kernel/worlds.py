"""Random clusters for the lab: the shared strategies, with all that a kernel can tell apart added."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from clusterviz.engine import Settings
from tests.strategies import nodes, pods, policies, services

Obj = dict[str, Any]
BOTH = {"cluster_cidr": "10.244.0.0/16,fd00:244::/56", "service_cidr": "10.96.0.0/12,fd00:96::/108"}
RANGES = ("203.0.113.0/24", "10.244.0.0/24", "192.168.0.0/24", "198.51.100.20/32", "fd00:244::/64", "2001:db8::/32")
ZONES = ("east", "east", "west")


def _rarely(draw: Any, one_in: int) -> bool:
    return bool(draw(st.integers(1, one_in)) == 1)


@st.composite
def worlds(draw: Any, *, dual: bool = False) -> list[Obj]:
    """Objects of a small cluster; ``dual`` gives nodes, pods and Services a second family."""
    made = draw(nodes(wide=not dual))
    parts = [*draw(pods(len(made))), *draw(services(by_hand=True)), *draw(policies())]
    for index, obj in enumerate(made, 1):
        others = [entry["address"] for entry in obj.get("status", {}).get("addresses", [])][1:]
        ips = [f"192.168.0.{9 + index}", *([f"fd00:168::{9 + index}"] if dual else []), *others]
        obj["status"] = {"addresses": [{"type": "InternalIP", "address": ip} for ip in ips]}
        if _rarely(draw, 2):
            labels = obj["metadata"].setdefault("labels", {})
            labels["topology.kubernetes.io/zone"] = ZONES[index - 1]
    for index, obj in enumerate(parts):
        if obj["kind"] == "Pod":
            _pod(draw, obj)
        if obj["kind"] == "Service":
            _service(draw, obj, index, dual=dual)
        if obj["kind"] == "EndpointSlice":
            _at_home(obj, len(made))
    return [*made, *parts]


def _at_home(piece: Obj, count: int) -> None:
    """Flannel knows only pods that have an address of their own node's block, so those are the only ones here."""
    homes = {"10.244.0.": 1, "10.244.1.": 2, "192.168.0.11": 2}
    kept = []
    for endpoint in piece["endpoints"]:
        number = next((home for start, home in homes.items() if endpoint["addresses"][0].startswith(start)), 0)
        endpoint.pop("nodeName", None)
        if number:
            endpoint["nodeName"] = f"n{number}"
        if number <= count:
            kept.append(endpoint)
    piece["endpoints"] = kept


def _pod(draw: Any, pod: Obj) -> None:
    ports = pod["spec"]["containers"][0]["ports"]
    if _rarely(draw, 4):
        ports.append({"containerPort": draw(st.sampled_from([53, 8080])), "protocol": "UDP", "name": "udp"})
    if ports and _rarely(draw, 6):
        ports[0]["hostPort"] = ports[0]["containerPort"] if pod["spec"].get("hostNetwork") else 8888
    if _rarely(draw, 6):
        pod["metadata"]["annotations"] = {"clusterviz.dev/listen": draw(st.sampled_from(["80", "8080, 127.0.0.1:80"]))}


def _service(draw: Any, service: Obj, index: int, *, dual: bool) -> None:
    spec = service["spec"]
    if dual and spec.get("clusterIP") != "None":
        spec["ipFamilyPolicy"] = draw(st.sampled_from(["PreferDualStack", "SingleStack"]))
        if _rarely(draw, 3):
            spec["ipFamilies"] = ["IPv6", "IPv4"] if spec["ipFamilyPolicy"] != "SingleStack" else ["IPv6"]
    if _rarely(draw, 4):
        spec["sessionAffinity"] = "ClientIP"
    if _rarely(draw, 4) and spec.get("clusterIP") != "None":
        spec["externalIPs"] = [f"198.18.0.{index}", *([f"2001:db8:18::{index}"] if dual else [])]
        spec.setdefault("externalTrafficPolicy", draw(st.sampled_from(["Cluster", "Local"])))
    if spec["type"] == "LoadBalancer":
        _balancer(draw, service, index, dual=dual)
    if _rarely(draw, 5):
        spec["publishNotReadyAddresses"] = True
    if _rarely(draw, 5):
        spec["trafficDistribution"] = draw(st.sampled_from(["PreferClose", "PreferSameNode"]))
    if "selector" in spec:
        _selecting(draw, spec)


def _balancer(draw: Any, service: Obj, index: int, *, dual: bool) -> None:
    spec = service["spec"]
    if _rarely(draw, 2):
        spec["loadBalancerSourceRanges"] = draw(st.lists(st.sampled_from(RANGES), min_size=1, max_size=2))
    if _rarely(draw, 5):
        spec["allocateLoadBalancerNodePorts"] = False
    if spec["externalTrafficPolicy"] == "Local":
        spec["healthCheckNodePort"] = 32000 + index
    if dual:
        ips = [f"198.51.100.{100 + index}", f"2001:db8:51::{index}"]
        service["status"] = {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips]}}


def _selecting(draw: Any, spec: Obj) -> None:
    if _rarely(draw, 4):
        spec["ports"][0]["name"] = "main"
        spec["ports"].append({"name": "udp", "port": 53, "targetPort": 53, "protocol": "UDP"})
    if _rarely(draw, 6):
        spec["selector"] = {"app": "nobody"}


def settings(*, dual: bool = False) -> st.SearchStrategy[Settings]:
    """Everything in the settings that changes what a kernel does."""
    rarely = st.sampled_from([True, True, True, False])
    return st.builds(
        Settings,
        network=st.sampled_from(["vxlan", "host-gw"]),
        proxy_mode=st.sampled_from(["iptables", "nftables"]),
        masquerade_all=rarely.map(lambda usual: not usual),
        detect_local=rarely,
        enforce_policies=rarely,
        hairpin=rarely,
        host_ports=rarely,
        egress_nat=rarely,
        localhost_nodeports=rarely,
        nodeport_addresses=st.sampled_from([(), (), (), ("primary",), ("192.168.0.0/16",), ("10.244.0.0/16",)]),
        node_cidr=st.sampled_from(["192.168.0.0/24"] * 4 + ["192.168.0.10/31,192.168.0.12/31"]),
        **{key: st.just(value) for key, value in (BOTH if dual else {}).items()},
    )
