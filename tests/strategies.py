"""Hypothesis strategies: small clusters of plain objects, settings, and probes into them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Destination, Probe, Request, Settings, Source

LABELS = st.fixed_dictionaries(
    {"app": st.sampled_from(["web", "api", "db"])}, optional={"tier": st.sampled_from(["front", "back"])}
)
NAMESPACES = ("shop", "spy")
PORTS = (80, 8080, 5432)
HOST_PORT = 9000
DUAL_STACK = {"service_cidr": "10.96.0.0/12,fd00:96::/108", "cluster_cidr": "10.244.0.0/16,fd00:10:244::/56"}
# Families of a cluster: mostly one; two, the second one first; Services of two where kube-proxy knows pods of one.
STACKS: list[dict[str, str]] = [
    {},
    {},
    {},
    DUAL_STACK,
    DUAL_STACK,
    {**DUAL_STACK, "service_cidr": "fd00:96::/108,10.96.0.0/12"},
    {"service_cidr": DUAL_STACK["service_cidr"]},
]


def _named(kind: str, api: str, name: str, namespace: str = "") -> dict[str, Any]:
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": meta}


@st.composite
def nodes(draw: Any, dual: bool = False, wide: bool = False) -> list[dict[str, Any]]:
    """Up to three nodes, some of them down; ``wide``: some with a second address; ``dual``: most with an IPv6 one."""
    found = []
    for index in range(1, draw(st.integers(1, 3)) + 1):
        made = _named("Node", "v1", f"n{index}")
        if draw(st.integers(0, 9)) == 0:
            made["metadata"]["annotations"] = {"clusterviz.dev/down": "true"}
        ips = [f"192.168.0.{index + 10}"]
        ips += [f"172.31.0.{index}"] if wide and draw(st.integers(0, 5)) == 0 else []
        ips += [f"fd00:1::{index + 10}"] if dual and draw(st.integers(0, 7)) else []
        if len(ips) > 1:
            made["status"] = {"addresses": [{"type": "InternalIP", "address": ip} for ip in ips]}
        found.append(made)
    return found


@st.composite
def pods(draw: Any, node_count: int, wide: bool = False) -> list[dict[str, Any]]:
    """Up to seven pods; ``wide``: some with a host port."""
    found = []
    for index in range(draw(st.integers(1, 7))):
        namespace = draw(st.sampled_from(NAMESPACES))
        pod = _named("Pod", "v1", f"p{index}", namespace)
        pod["metadata"]["labels"] = draw(LABELS)
        ports = draw(st.lists(st.sampled_from(PORTS), max_size=2, unique=True))
        pod["spec"] = {
            "nodeName": f"n{draw(st.integers(1, node_count))}",
            "containers": [{"name": "c", "ports": [{"containerPort": p, "name": f"p{p}"} for p in ports]}],
        }
        if draw(st.integers(0, 9)) == 0:
            pod["spec"]["hostNetwork"] = True
        elif wide and ports and draw(st.integers(0, 7)) == 0:
            pod["spec"]["containers"][0]["ports"][0]["hostPort"] = HOST_PORT
        ready = draw(st.sampled_from(["True", "True", "True", "False"]))
        pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}
        if draw(st.integers(0, 7)) == 0:
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        found.append(pod)
    return found


@st.composite
def services(draw: Any, by_hand: bool = False, dual: bool = False) -> list[dict[str, Any]]:
    found = []
    for index in range(draw(st.integers(1, 3))):
        service = _named("Service", "v1", f"s{index}", draw(st.sampled_from(NAMESPACES)))
        port: dict[str, Any] = {
            "port": draw(st.sampled_from(PORTS)),
            "targetPort": draw(st.sampled_from([80, 8080, "p8080"])),
        }
        spec: dict[str, Any] = {
            "type": draw(st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"])),
            "selector": draw(LABELS),
            "ports": [port],
            "internalTrafficPolicy": draw(st.sampled_from(["Cluster", "Cluster", "Local"])),
        }
        if spec["type"] != "ClusterIP":
            spec["externalTrafficPolicy"] = draw(st.sampled_from(["Cluster", "Local"]))
        elif draw(st.integers(0, 4)) == 0:
            spec["clusterIP"] = "None"
        if dual:
            spec["ipFamilyPolicy"] = draw(st.sampled_from(["SingleStack", "PreferDualStack", "RequireDualStack"]))
        if by_hand and draw(st.integers(0, 3)) == 0:
            del spec["selector"]
            found.append(draw(slices(service)))
        service["spec"] = spec
        found.append(service)
    return found


@st.composite
def slices(draw: Any, service: dict[str, Any]) -> dict[str, Any]:
    """A hand-written EndpointSlice: addresses of pods, of nobody, and outside (SVC-12)."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    made = _named("EndpointSlice", "discovery.k8s.io/v1", f"{name}-own", namespace)
    made["metadata"]["labels"] = {"kubernetes.io/service-name": name}
    addresses = st.sampled_from(["10.244.0.2", "10.244.1.2", "10.244.0.200", "192.0.2.10", "192.168.0.11"])
    conditions = st.fixed_dictionaries({}, optional={"ready": st.booleans(), "terminating": st.booleans()})
    made["addressType"] = "IPv4"
    made["endpoints"] = [
        {"addresses": [ip], "conditions": draw(conditions), "nodeName": draw(st.sampled_from(["n1", "n2"]))}
        for ip in draw(st.lists(addresses, max_size=3, unique=True))
    ]
    made["ports"] = [{"name": "", "port": 8080, "protocol": "TCP"}]
    return made


def _peers() -> st.SearchStrategy[dict[str, Any]]:
    labels = st.builds(lambda found: {"matchLabels": found}, LABELS)
    return st.one_of(
        st.builds(lambda pod: {"podSelector": pod}, labels | st.just({})),
        st.builds(lambda pod: {"namespaceSelector": {}, "podSelector": pod}, labels),
        st.just({"namespaceSelector": {}}),
        st.just({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/24"]}}),
    )


@st.composite
def policies(draw: Any) -> list[dict[str, Any]]:
    found = []
    for index in range(draw(st.integers(0, 3))):
        policy = _named("NetworkPolicy", "networking.k8s.io/v1", f"np{index}", draw(st.sampled_from(NAMESPACES)))
        types = draw(st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]))
        port_list = st.lists(st.builds(lambda p: {"port": p}, st.sampled_from([80, 8080, "p8080"])), max_size=2)
        rule = {
            kind: draw(
                st.lists(
                    st.builds(
                        lambda key, peer, port: {key: peer, "ports": port},
                        st.just(key),
                        st.lists(_peers(), max_size=2),
                        port_list,
                    ),
                    max_size=2,
                )
            )
            for kind, key in (("ingress", "from"), ("egress", "to"))
        }
        policy["spec"] = {
            "podSelector": draw(st.just({}) | st.builds(lambda found: {"matchLabels": found}, LABELS)),
            "policyTypes": types,
        } | {kind: value for kind, value in rule.items() if kind.capitalize() in types}
        found.append(policy)
    return found


SETTINGS = st.builds(
    Settings,
    network=st.sampled_from(["vxlan", "host-gw"]),
    proxy_mode=st.sampled_from(["iptables", "iptables", "nftables", "nftables", "ipvs"]),
    localhost_nodeports=st.sampled_from([True, True, False]),
    nodeport_addresses=st.sampled_from([(), (), (), ("primary",), ("172.31.0.0/24", "fd00:1::/64")]),
    masquerade_all=st.booleans(),
    detect_local=st.sampled_from([True, True, False]),
    enforce_policies=st.sampled_from([True, True, False]),
    hairpin=st.sampled_from([True, True, False]),
    egress_nat=st.sampled_from([True, True, True, False]),
)


@st.composite
def objects(draw: Any, by_hand: bool = False, dual: bool = False, wide: bool = False) -> list[dict[str, Any]]:
    """Nodes, pods, Services and policies; ``by_hand`` adds Services whose EndpointSlices somebody wrote."""
    made = draw(nodes(dual, wide))
    return [*made, *draw(pods(len(made), wide)), *draw(services(by_hand, dual)), *draw(policies())]


@st.composite
def clusters(draw: Any) -> Cluster:
    """A cluster of one family or of two."""
    stack = draw(st.sampled_from(STACKS))
    settings = msgspec.structs.replace(draw(SETTINGS), **stack)
    return Cluster.from_objects(draw(objects(by_hand=True, dual=bool(stack), wide=True)), settings)


@st.composite
def probes(draw: Any, cluster: Cluster) -> Probe:
    """A probe whose ends exist in the cluster, or lie outside."""
    pod_names = sorted(name for name, pod in cluster.pods.items() if pod.ips)
    sources = [Source(kind="pod", namespace=ns, name=name) for ns, name in pod_names]
    sources += [Source(kind="external"), Source(kind="node", name=next(iter(cluster.nodes)))]
    port = draw(st.sampled_from(PORTS))
    targets = [Destination(kind="pod", namespace=ns, name=name, port=port) for ns, name in pod_names]
    targets += [
        Destination(kind="service", namespace=ns, name=name, port=port) for ns, name in sorted(cluster.services)
    ]
    targets += [Destination(kind="name", name=f"{name}.{ns}", port=port) for ns, name in sorted(cluster.services)]
    node_ports = sorted(number for _, number in cluster.services_by_node_port)
    targets += [
        Destination(kind="node", name=name, port=node_port) for name in cluster.nodes for node_port in node_ports
    ]
    targets += [Destination(kind="ip", ip=ip, port=port) for one in cluster.services.values() for ip in one.cluster_ips]
    targets += [Destination(kind="ip", ip=ip, port=HOST_PORT) for one in cluster.nodes.values() for ip in one.ips]
    targets += [Destination(kind="ip", ip="203.0.113.80", port=443), Destination(kind="ip", ip="127.0.0.1", port=port)]
    protocol = draw(st.sampled_from(["TCP", "TCP", "TCP", "UDP", "ICMP"]))
    request = draw(st.none() | st.just(Request(host="shop.example.com")))
    return Probe(
        source=draw(st.sampled_from(sources)),
        destination=draw(st.sampled_from(targets)),
        protocol=protocol,
        seed=draw(st.integers(0, 5)),
        request=request if protocol == "TCP" else None,
    )
