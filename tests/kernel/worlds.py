"""Random clusters for the lab: the shared strategies, with all that a kernel can tell apart added."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from clusterviz.engine import Settings
from tests.strategies import NAMESPACES, nodes, pods, policies, services

Obj = dict[str, Any]
BOTH = {"cluster_cidr": "10.244.0.0/16,fd00:244::/56", "service_cidr": "10.96.0.0/12,fd00:96::/108"}
RANGES = ("203.0.113.0/24", "10.244.0.0/24", "192.168.0.0/24", "198.51.100.20/32", "fd00:244::/64", "2001:db8::/32")
ZONES = ("east", "east", "west")
NODEPORT_ADDRESSES: tuple[tuple[str, ...], ...] = (
    (),
    (),
    (),
    ("primary",),
    ("192.168.0.0/16",),
    ("10.244.0.0/16",),
    ("192.168.0.10/31", "172.31.0.0/24"),
    ("127.0.0.0/8", "192.168.0.11/32"),
    ("0.0.0.0/0",),
)
NODEPORT_ADDRESSES_6: tuple[tuple[str, ...], ...] = (
    ("fd00:168::/64",),
    ("192.168.0.10/31", "fd00:168::a/127"),
    ("10.244.0.0/16", "fd00:244::/56"),
)
BLOCKS = (
    {"cidr": "10.244.0.3/30"},
    {"cidr": "10.244.0.0/16", "except": ["10.244.1.0/24", "10.244.0.2/32"]},
    {"cidr": "192.168.0.0/24"},
    {"cidr": "203.0.113.0/24", "except": ["203.0.113.80/32"]},
)
BLOCKS_6 = (
    {"cidr": "::/0", "except": ["fd00:244::/64"]},
    {"cidr": "fd00:244:0:1::/64"},
    {"cidr": "2001:db8::/32"},
)
POLICY_PORTS = (
    {"protocol": "UDP", "port": 53},
    {"protocol": "UDP"},
    {"protocol": "TCP"},
    {"port": 8000, "endPort": 8090},
    {"port": 79, "endPort": 80, "protocol": "TCP"},
    {"port": "udp", "protocol": "UDP"},
    {"port": "udp"},
)
# Where hand-written endpoints are at home: addresses begin so, number of the node.
HOMES = {"10.244.0.": 1, "10.244.1.": 2, "192.168.0.11": 2, "fd00:244::": 1, "fd00:244:0:1::": 2, "fd00:168::b": 2}
BY_HAND_6 = ("fd00:244::2", "fd00:244:0:1::2", "fd00:244::200", "2001:db8::10", "fd00:168::b")


def _rarely(draw: Any, one_in: int) -> bool:
    return bool(draw(st.integers(1, one_in)) == 1)


@st.composite
def worlds(draw: Any, *, dual: bool = False) -> list[Obj]:
    """Objects of a small cluster; ``dual`` gives nodes, pods and Services a second family."""
    made = draw(nodes(wide=not dual))
    parts = [*draw(pods(len(made))), *draw(services(by_hand=True)), *draw(policies())]
    parts += [draw(_other(part, dual=dual)) for part in parts if part["kind"] == "EndpointSlice" and _rarely(draw, 2)]
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
        if obj["kind"] == "Service" and "selector" in obj["spec"] and not _rarely(draw, 3):
            _aim(draw, obj, [one for one in parts if one["kind"] == "Pod"])
        if obj["kind"] == "Service":
            _service(draw, obj, index, dual=dual)
        if obj["kind"] == "EndpointSlice":
            _at_home(draw, obj, len(made))
        if obj["kind"] == "NetworkPolicy":
            _policy(draw, obj, BLOCKS + BLOCKS_6 * dual)
    return [*made, *parts]


@st.composite
def _other(draw: Any, piece: Obj, *, dual: bool) -> Obj:
    """A second slice of a Service: of the other family, or one that names another port (EPS-01, SVC-12)."""
    meta = {**piece["metadata"], "name": f"{piece['metadata']['name']}-other"}
    made = {**piece, "metadata": meta, "ports": [{"name": "", "port": 80, "protocol": "TCP"}]}
    ips: tuple[str, ...] = ("10.244.0.3", "10.244.1.3", "192.0.2.11")
    if dual and draw(st.booleans()):
        made |= {"addressType": "IPv6", "ports": piece["ports"]}
        ips = BY_HAND_6
    conditions = st.fixed_dictionaries({}, optional=dict.fromkeys(("ready", "serving", "terminating"), st.booleans()))
    chosen = draw(st.lists(st.sampled_from(ips), max_size=3, unique=True))
    made["endpoints"] = [{"addresses": [ip], "conditions": draw(conditions)} for ip in chosen]
    return made


def _at_home(draw: Any, piece: Obj, count: int) -> None:
    """Flannel knows only pods that have an address of their own node's block, so those are the only ones here."""
    kept = []
    for endpoint in piece["endpoints"]:
        number = next((home for start, home in HOMES.items() if endpoint["addresses"][0].startswith(start)), 0)
        endpoint.pop("nodeName", None)
        if number:
            endpoint["nodeName"] = f"n{number}"
        if _rarely(draw, 3):
            endpoint["hints"] = {"forZones": [{"name": draw(st.sampled_from(ZONES))}]}
        if number <= count:
            kept.append(endpoint)
    piece["endpoints"] = kept


def _policy(draw: Any, policy: Obj, blocks: tuple[Obj, ...]) -> None:
    """Ranges, other protocols, names of UDP ports, expressions, no types (NP-04, NP-12, NP-15, NP-18)."""
    spec = policy["spec"]
    if _rarely(draw, 3):
        del spec["policyTypes"]
    if _rarely(draw, 4):
        operator = draw(st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]))
        one = {"key": "tier", "operator": operator} | ({"values": ["front"]} if operator.endswith("In") else {})
        spec["podSelector"] = {**spec["podSelector"], "matchExpressions": [one]}
    for kind, key in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(kind, ()):
            if _rarely(draw, 2):
                rule["ports"] = [*rule["ports"], draw(st.sampled_from(POLICY_PORTS))]
            if _rarely(draw, 2):
                rule[key] = [*rule[key], {"ipBlock": draw(st.sampled_from(blocks))}]
            if _rarely(draw, 4):
                rule[key], rule["ports"] = draw(st.sampled_from([[], [{"namespaceSelector": {}}]])), []
            if _rarely(draw, 5):
                named = {"matchLabels": {"kubernetes.io/metadata.name": draw(st.sampled_from(NAMESPACES))}}
                rule[key] = [*rule[key], {"namespaceSelector": named}]


def _pod(draw: Any, pod: Obj) -> None:
    ports = pod["spec"]["containers"][0]["ports"]
    if _rarely(draw, 4):
        ports.append({"containerPort": draw(st.sampled_from([53, 8080])), "protocol": "UDP", "name": "udp"})
    if ports and _rarely(draw, 6):
        ports[-1]["hostPort"] = ports[-1]["containerPort"] if pod["spec"].get("hostNetwork") else 8888
        if _rarely(draw, 3) and not pod["spec"].get("hostNetwork"):
            ports[-1]["hostIP"] = draw(st.sampled_from(["127.0.0.1", "192.168.0.10", "0.0.0.0"]))
    if _rarely(draw, 6):
        pod["metadata"]["annotations"] = {"clusterviz.dev/listen": draw(st.sampled_from(["80", "8080, 127.0.0.1:80"]))}


def _aim(draw: Any, service: Obj, found: list[Obj]) -> None:
    """A Service of pods that are there, at a port they have: what is refused needs no luck, what is answered does."""
    serving = [pod for pod in found if pod["spec"]["containers"][0]["ports"]]
    if serving:
        pod = draw(st.sampled_from(serving))
        service["metadata"]["namespace"] = pod["metadata"]["namespace"]
        service["spec"]["selector"] = {"app": pod["metadata"]["labels"]["app"]}
        service["spec"]["ports"][0]["targetPort"] = pod["spec"]["containers"][0]["ports"][0]["containerPort"]


def _service(draw: Any, service: Obj, index: int, *, dual: bool) -> None:
    spec = service["spec"]
    if dual and spec.get("clusterIP") != "None":
        spec["ipFamilyPolicy"] = draw(st.sampled_from(["PreferDualStack", "SingleStack"]))
        if _rarely(draw, 3):
            spec["ipFamilies"] = ["IPv6", "IPv4"] if spec["ipFamilyPolicy"] != "SingleStack" else ["IPv6"]
    if _rarely(draw, 2):
        spec["sessionAffinity"] = "ClientIP"
    if _rarely(draw, 4) and spec.get("clusterIP") != "None":
        spec["externalIPs"] = [f"198.18.0.{index}", *([f"2001:db8:18::{index}"] if dual else [])]
        spec["externalIPs"] += ["192.168.0.10"] if _rarely(draw, 6) else []
        spec.setdefault("externalTrafficPolicy", draw(st.sampled_from(["Cluster", "Local"])))
    if spec["type"] == "LoadBalancer":
        _balancer(draw, service, index, dual=dual)
    if _rarely(draw, 5):
        spec["publishNotReadyAddresses"] = True
    if _rarely(draw, 5):
        spec["trafficDistribution"] = draw(st.sampled_from(["PreferClose", "PreferSameZone", "PreferSameNode"]))
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
        detect_local_mode=st.sampled_from(
            ["ClusterCIDR"] * 3 + ["NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"],
        ),
        detect_local_interface=st.sampled_from(["cni0", "cni", "veth", "eth0"]),
        nodeport_addresses=st.sampled_from(NODEPORT_ADDRESSES + NODEPORT_ADDRESSES_6 * dual),
        node_cidr=st.sampled_from(["192.168.0.0/24"] * 4 + ["192.168.0.10/31,192.168.0.12/31"]),
        **{key: st.just(value) for key, value in (BOTH if dual else {}).items()},
    )
