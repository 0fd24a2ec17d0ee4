"""What a kernel did once with kube-proxy's rules, written down: the table of cases.

One cluster of objects, several settings. A row says who calls what and all that may come of it:
``web-1 10.244.0.3`` is "pod web-1 answered and saw 10.244.0.3 as client".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from clusterviz.engine import Cluster, Settings

Obj = dict[str, Any]

SETTINGS = {
    "vxlan": Settings(),
    "host-gw": Settings(network="host-gw"),
    "nftables": Settings(proxy_mode="nftables"),
    "no detector": Settings(detect_local=False),
    "node CIDR": Settings(detect_local_mode="NodeCIDR", egress_nat=False),
    "bridge": Settings(detect_local_mode="BridgeInterface"),
    "card": Settings(detect_local_mode="BridgeInterface", detect_local_interface="eth0"),
    "veth prefix": Settings(detect_local_mode="InterfaceNamePrefix", detect_local_interface="veth"),
    "nftables prefix": Settings(
        proxy_mode="nftables", detect_local_mode="InterfaceNamePrefix", detect_local_interface="cni"
    ),
    "masquerade all": Settings(masquerade_all=True),
    "no hairpin": Settings(hairpin=False),
    "no egress nat": Settings(egress_nat=False),
    "no localhost": Settings(localhost_nodeports=False),
    "primary only": Settings(nodeport_addresses=("primary",)),
    "unenforced": Settings(enforce_policies=False),
}


def _pod(name: str, ip: str, node: str, app: str, *ports: int, **spec: Any) -> Obj:
    namespace, _, short = name.partition("/")
    declared = [{"containerPort": port, "name": f"p{port}"} for port in ports]
    declared += [{"containerPort": 53, "protocol": "UDP", "name": "dns"}] if app == "db" else []
    listens = {"clusterviz.dev/listen": "8080"} if app == "web" else {}
    return {
        "kind": "Pod",
        "metadata": {"name": short, "namespace": namespace, "labels": {"app": app}, "annotations": listens},
        "spec": {"nodeName": node, "containers": [{"name": "main", "ports": declared}], **spec},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }


def _service(name: str, ip: str, app: str, *, port: Obj | None = None, lb: str = "", **spec: Any) -> Obj:
    ports = [{"port": 80, "targetPort": 8080, **(port or {})}]
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": ports, "selector": {"app": app}, **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": lb}]}} if lb else {},
    }


def _policy(name: str, app: str, **spec: Any) -> Obj:
    selector = {"matchLabels": {"app": app}}
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"podSelector": selector, **spec},
    }


def _leaving(pod: Obj) -> Obj:
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return pod


def _unready(pod: Obj) -> Obj:
    pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return pod


def _services() -> list[Obj]:
    lb: Obj = {"type": "LoadBalancer"}
    local: Obj = {"externalTrafficPolicy": "Local"}
    return [
        _service("web", "10.96.0.100", "web", port={"nodePort": 30080}, lb="198.51.100.20", **lb),
        _service(
            "local",
            "10.96.0.101",
            "web",
            port={"nodePort": 30081},
            lb="198.51.100.21",
            healthCheckNodePort=32001,
            **lb,
            **local,
        ),
        _service("here", "10.96.0.102", "web", internalTrafficPolicy="Local"),
        _service(
            "empty",
            "10.96.0.103",
            "nobody",
            port={"nodePort": 30083},
            lb="198.51.100.23",
            externalIPs=["198.18.0.3"],
            **lb,
        ),
        _service("sticky", "10.96.0.104", "web", sessionAffinity="ClientIP"),
        _service(
            "guarded",
            "10.96.0.105",
            "web",
            port={"nodePort": 30085},
            lb="198.51.100.25",
            loadBalancerSourceRanges=["203.0.113.7/32", "10.244.1.0/24"],
            **lb,
        ),
        _service("outer", "10.96.0.106", "web", externalIPs=["198.18.0.6"]),
        _service("outer-local", "10.96.0.107", "web", externalIPs=["198.18.0.7"], **local),
        _service("dns", "10.96.0.10", "db", port={"port": 53, "targetPort": 53, "protocol": "UDP"}),
        _service("host", "10.96.0.108", "host", port={"targetPort": 9100, "nodePort": 30088}, type="NodePort"),
        _service("leaving", "10.96.0.109", "leaving"),
        _service("unready", "10.96.0.110", "unready"),
        _service("anyway", "10.96.0.111", "unready", publishNotReadyAddresses=True),
        _service("closed", "10.96.0.112", "web", port={"targetPort": 7777}),
        _service("one", "10.96.0.113", "db", port={"targetPort": 5432}, internalTrafficPolicy="Local"),
        _service("alone", "10.96.0.114", "alone", port={"nodePort": 30089}, type="NodePort", **local),
    ]


def _by_hand(name: str, ip: str, target: int, *addresses: str) -> list[Obj]:
    """A Service whose endpoints somebody wrote by hand (SVC-12)."""
    service = _service(name, ip, "", port={"targetPort": target})
    del service["spec"]["selector"]
    slice_of = {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-1",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]} for address in addresses],
        "ports": [{"port": target, "protocol": "TCP"}],
    }
    return [service, slice_of]


def _policies() -> list[Obj]:
    spies: Obj = {"matchLabels": {"kubernetes.io/metadata.name": "spy"}}
    return [
        _policy(
            "db",
            "db",
            ingress=[
                {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "p5432"}]},
                {"from": [{"namespaceSelector": spies}], "ports": [{"protocol": "UDP", "port": 53}]},
            ],
        ),
        _policy(
            "alone-in",
            "alone",
            ingress=[
                {"from": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.80/32"]}}]},
            ],
        ),
        _policy(
            "caged",
            "caged",
            policyTypes=["Egress"],
            egress=[
                {"to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 8000, "endPort": 8090}]},
                {
                    "to": [
                        {
                            "namespaceSelector": {
                                "matchExpressions": [
                                    {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["shop"]}
                                ]
                            }
                        }
                    ]
                },
            ],
        ),
        _policy("sealed", "sealed", policyTypes=["Ingress", "Egress"]),
    ]


def objects() -> list[Obj]:
    """Three nodes, a dozen pods, every kind of Service."""
    nodes = [{"kind": "Node", "metadata": {"name": name}} for name in ("n1", "n2", "n3")]
    pods = [
        _pod("shop/web-1", "10.244.0.2", "n1", "web", 8080),
        _pod("shop/client", "10.244.0.3", "n1", "client", 8080),
        _pod("shop/caged", "10.244.0.4", "n1", "caged", 8080),
        _pod("shop/alone", "10.244.0.5", "n1", "alone", 8080),
        _pod("shop/web-2", "10.244.1.2", "n2", "web", 8080),
        _pod("spy/spy", "10.244.1.3", "n2", "spy", 8080),
        _leaving(_pod("shop/leaving", "10.244.1.4", "n2", "leaving", 8080)),
        _unready(_pod("shop/unready", "10.244.1.5", "n2", "unready", 8080)),
        _pod("shop/db", "10.244.2.2", "n3", "db", 5432),
        _pod("shop/sealed", "10.244.2.3", "n3", "sealed", 8080),
        _pod("shop/host", "192.168.0.13", "n3", "host", 9100, hostNetwork=True),
    ]
    by_hand = [
        *_by_hand("legacy", "10.96.0.115", 5432, "192.0.2.10"),
        *_by_hand("three", "10.96.0.116", 8080, "10.244.0.2", "10.244.1.2", "10.244.1.3"),
    ]
    return [*nodes, *pods, *_services(), *by_hand, *_policies()]


def cluster(settings: str) -> Cluster:
    """The objects under one of `SETTINGS`."""
    return Cluster.from_objects(objects(), SETTINGS[settings])


class Case(NamedTuple):
    """One row: the rules it shows, the settings, the caller, the address called, all that may come of it."""

    rules: str
    settings: str
    source: str
    to: str
    ways: set[str]


CLIENT, WEB1, WEB2, SPY = "pod:shop/client", "pod:shop/web-1", "pod:shop/web-2", "pod:spy/spy"
CAGED, DB, SEALED = "pod:shop/caged", "pod:shop/db", "pod:shop/sealed"
N1, N2, N3, OUT = "node:n1", "node:n2", "node:n3", "203.0.113.7"
BOTH = {"web-1 10.244.0.3", "web-2 10.244.0.3"}

CASES = [
    # the flat network
    Case("NET-01 NET-05 SRC-1", "vxlan", CLIENT, "10.244.0.2:8080", {"web-1 10.244.0.3"}),
    Case("NET-01 NET-06 NET-09", "vxlan", CLIENT, "10.244.1.2:8080", {"web-2 10.244.0.3"}),
    Case("NET-01 NET-11", "host-gw", CLIENT, "10.244.1.2:8080", {"web-2 10.244.0.3"}),
    Case("NET-10", "vxlan", N1, "10.244.1.2:8080", {"web-2 10.244.0.0"}),
    Case("NET-11 node", "host-gw", N1, "10.244.1.2:8080", {"web-2 192.168.0.11"}),
    Case("NET-04 node to own pod", "vxlan", N1, "10.244.0.2:8080", {"web-1 10.244.0.1"}),
    Case("NET-02 hostNetwork", "vxlan", CLIENT, "192.168.0.13:9100", {"n3 192.168.0.11"}),
    Case("NET-03 loopback", "vxlan", WEB1, "127.0.0.1:8080", {"web-1 127.0.0.1"}),
    Case("NET-03 own address", "vxlan", WEB1, "10.244.0.2:8080", {"web-1 10.244.0.2"}),
    Case("IMP-04 nobody listens", "vxlan", CLIENT, "10.244.1.2:7777", {"refused"}),
    Case("IPM-02 nobody's address", "vxlan", CLIENT, "10.244.1.77:8080", {"unreachable"}),
    # leaving the cluster
    Case("EGR-01 SRC-7", "vxlan", CLIENT, "203.0.113.80:443", {"203.0.113.80 192.168.0.11"}),
    Case("EGR-01 host-gw", "host-gw", SPY, "203.0.113.80:443", {"203.0.113.80 192.168.0.12"}),
    Case("EGR-01 node", "vxlan", N1, "203.0.113.80:443", {"203.0.113.80 192.168.0.11"}),
    Case("EGR-01 pod to other node", "vxlan", CLIENT, "192.168.0.13:9100", {"n3 192.168.0.11"}),
    Case("EGR-05", "no egress nat", CLIENT, "203.0.113.80:443", {"timed out"}),
    Case("NET-01 from outside", "vxlan", OUT, "10.244.1.2:8080", {"timed out"}),
    # ClusterIP
    Case("PX-02 PX-03 SRC-1", "vxlan", CLIENT, "10.96.0.100:80", BOTH),
    Case("PX-02 host-gw", "host-gw", CLIENT, "10.96.0.100:80", BOTH),
    Case("NFT-04 PX-03", "nftables", CLIENT, "10.96.0.100:80", BOTH),
    Case("PX-06 SRC-2", "vxlan", WEB1, "10.96.0.100:80", {"web-1 10.244.0.1", "web-2 10.244.0.2"}),
    Case("PX-06 nftables", "nftables", WEB1, "10.96.0.100:80", {"web-1 10.244.0.1", "web-2 10.244.0.2"}),
    Case("PX-06 no hairpin", "no hairpin", WEB1, "10.96.0.100:80", {"timed out", "web-2 10.244.0.2"}),
    Case("PX-08 PX-09 SRC-3", "vxlan", N1, "10.96.0.100:80", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-09 host-gw", "host-gw", N1, "10.96.0.100:80", {"web-1 10.244.0.1", "web-2 192.168.0.11"}),
    Case("PX-08 nftables", "nftables", N1, "10.96.0.100:80", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-08 masquerade-all", "masquerade all", CLIENT, "10.96.0.100:80", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-07 IPT-11", "vxlan", CLIENT, "10.96.0.103:80", {"refused"}),
    Case("PX-07 node", "vxlan", N1, "10.96.0.103:80", {"refused"}),
    Case("PX-07 nftables", "nftables", CLIENT, "10.96.0.103:80", {"refused"}),
    Case("PX-03 internalTrafficPolicy", "vxlan", CLIENT, "10.96.0.102:80", {"web-1 10.244.0.3"}),
    Case("PX-07 internalTrafficPolicy", "vxlan", CLIENT, "10.96.0.113:80", {"timed out"}),
    Case("PX-07 internal nftables", "nftables", CLIENT, "10.96.0.113:80", {"timed out"}),
    Case("PX-11", "vxlan", CLIENT, "10.96.0.100:81", {"timed out"}),
    Case("PX-11 NFT-07", "nftables", CLIENT, "10.96.0.100:81", {"refused"}),
    Case("PX-11 nobody's Service", "vxlan", CLIENT, "10.96.7.7:80", {"timed out"}),
    Case("PX-11 nobody's nftables", "nftables", CLIENT, "10.96.7.7:80", {"timed out"}),
    Case("PX-11 wrong protocol", "nftables", CLIENT, "10.96.0.100:80/UDP", {"refused"}),
    Case("SVC-11 UDP", "vxlan", SPY, "10.96.0.10:53/UDP", {"db 10.244.1.3"}),
    Case("SVC-10 PX-16 closed target", "vxlan", CLIENT, "10.96.0.112:80", {"refused"}),
    Case("EPS-09 NET-02", "vxlan", CLIENT, "10.96.0.108:80", {"n3 192.168.0.11"}),
    Case("EPS-05", "vxlan", CLIENT, "10.96.0.109:80", {"leaving 10.244.0.3"}),
    Case("EPS-07", "vxlan", CLIENT, "10.96.0.110:80", {"refused"}),
    Case("SVC-13", "vxlan", CLIENT, "10.96.0.111:80", {"unready 10.244.0.3"}),
    Case("SVC-12", "vxlan", CLIENT, "10.96.0.115:80", {"192.0.2.10 192.168.0.11"}),
    Case("IPT-07 three", "vxlan", CLIENT, "10.96.0.116:80", {"web-1 10.244.0.3", "web-2 10.244.0.3", "spy 10.244.0.3"}),
    Case("SVC-14 IPT-09", "vxlan", CLIENT, "10.96.0.104:80", BOTH),
    Case("SVC-14 NFT-06", "nftables", CLIENT, "10.96.0.104:80", BOTH),
    # node ports, balancers, externalIPs
    Case("PX-04 SRC-5", "vxlan", OUT, "192.168.0.11:30080", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-04 host-gw", "host-gw", OUT, "192.168.0.11:30080", {"web-1 10.244.0.1", "web-2 192.168.0.11"}),
    Case("PX-04 nftables", "nftables", OUT, "192.168.0.11:30080", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-04 node without one", "vxlan", OUT, "192.168.0.13:30080", {"web-1 10.244.2.0", "web-2 10.244.2.0"}),
    Case("PX-05 SRC-5 Local", "vxlan", OUT, "192.168.0.11:30081", {"web-1 203.0.113.7"}),
    Case("PX-05 nftables", "nftables", OUT, "192.168.0.12:30081", {"web-2 203.0.113.7"}),
    Case("PX-07 Local", "vxlan", OUT, "192.168.0.13:30081", {"timed out"}),
    Case("PX-07 Local nftables", "nftables", OUT, "192.168.0.13:30081", {"timed out"}),
    Case("PX-05 short cut", "vxlan", DB, "192.168.0.13:30081", {"web-1 10.244.2.2", "web-2 10.244.2.2"}),
    Case("PX-05 other node", "vxlan", DB, "192.168.0.11:30081", {"web-1 192.168.0.13"}),
    Case("PX-05 node", "vxlan", N3, "192.168.0.13:30081", {"web-1 10.244.2.0", "web-2 10.244.2.0"}),
    Case("PX-08 no detector", "no detector", DB, "192.168.0.13:30081", {"timed out"}),
    Case("PX-08 node CIDR", "node CIDR", DB, "192.168.0.11:30081", {"web-1 10.244.2.2"}),
    Case("PX-08 bridge", "bridge", DB, "192.168.0.13:30081", {"web-1 10.244.2.2", "web-2 10.244.2.2"}),
    Case("PX-08 card", "card", OUT, "192.168.0.13:30081", {"web-1 10.244.2.0", "web-2 10.244.2.0"}),
    Case("PX-08 no veth is seen", "veth prefix", DB, "192.168.0.13:30081", {"timed out"}),
    Case("PX-08 prefix", "nftables prefix", DB, "192.168.0.13:30081", {"web-1 10.244.2.2", "web-2 10.244.2.2"}),
    Case("SRC-4", "vxlan", CLIENT, "192.168.0.11:30080", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-07 NodePort", "vxlan", OUT, "192.168.0.11:30083", {"refused"}),
    Case("PX-12 PX-13", "vxlan", N1, "127.0.0.1:30080", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-12 localhost off", "no localhost", N1, "127.0.0.1:30080", {"refused"}),
    Case("PX-12 nftables", "nftables", N1, "127.0.0.1:30080", {"refused"}),
    Case("PX-12 every address", "vxlan", CLIENT, "10.244.0.1:30080", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("PX-12 primary", "primary only", CLIENT, "10.244.0.1:30080", {"refused"}),
    Case("PX-12 nftables bridge", "nftables", CLIENT, "10.244.0.1:30080", {"refused"}),
    Case("PX-14", "vxlan", OUT, "192.168.0.13:32001", {"n3 203.0.113.7"}),
    Case(
        "PX-04 PX-15 LB",
        "vxlan",
        OUT,
        "198.51.100.20:80",
        {
            "web-1 10.244.0.1",
            "web-1 10.244.1.0",
            "web-1 10.244.2.0",
            "web-2 10.244.0.0",
            "web-2 10.244.1.1",
            "web-2 10.244.2.0",
        },
    ),
    Case("PX-15 LB Local", "vxlan", OUT, "198.51.100.21:80", {"web-1 203.0.113.7", "web-2 203.0.113.7"}),
    Case("SRC-4 LB", "vxlan", CLIENT, "198.51.100.20:80", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("SRC-4 LB Local", "vxlan", CLIENT, "198.51.100.21:80", BOTH),
    Case("SVC-17 allowed", "vxlan", SPY, "198.51.100.25:80", {"web-1 10.244.1.0", "web-2 10.244.1.1"}),
    Case("SVC-17 IPT-10", "vxlan", CLIENT, "198.51.100.25:80", {"timed out"}),
    Case("SVC-17 nftables", "nftables", CLIENT, "198.51.100.25:80", {"timed out"}),
    Case("SVC-17 not the NodePort", "vxlan", CLIENT, "192.168.0.11:30085", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("SVC-17 not the ClusterIP", "vxlan", CLIENT, "10.96.0.105:80", BOTH),
    Case("SVC-05 PX-04", "vxlan", OUT, "198.18.0.6:80", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("SVC-05 PX-05", "vxlan", OUT, "198.18.0.7:80", {"web-1 203.0.113.7"}),
    Case("PX-07 externalIP", "vxlan", CLIENT, "198.18.0.3:80", {"refused"}),
    Case("PX-07 LB", "nftables", OUT, "198.51.100.23:80", {"refused"}),
    # policies
    Case("NP-03 NP-08 NP-15 named", "vxlan", WEB1, "10.244.2.2:5432", {"db 10.244.0.2"}),
    Case("NP-03 NP-23", "vxlan", CLIENT, "10.244.2.2:5432", {"timed out"}),
    Case("NP-10 NP-11 NP-17 UDP", "vxlan", SPY, "10.244.2.2:53/UDP", {"db 10.244.1.3"}),
    Case("NP-17", "vxlan", WEB1, "10.244.2.2:53/UDP", {"timed out"}),
    Case("NP-24", "unenforced", CLIENT, "10.244.2.2:5432", {"db 10.244.0.3"}),
    Case("NP-20 own node", "vxlan", N3, "10.244.2.2:5432", {"db 10.244.2.1"}),
    Case("NP-20 other node", "vxlan", N1, "10.244.2.2:5432", {"timed out"}),
    Case("NP-12 NP-13 ipBlock", "vxlan", OUT, "192.168.0.11:30089", {"alone 203.0.113.7"}),
    Case("NP-06 NP-14 egress", "vxlan", CAGED, "10.96.0.100:80", {"web-1 10.244.0.4", "web-2 10.244.0.4"}),
    Case("NP-06 egress denied", "vxlan", CAGED, "203.0.113.80:443", {"timed out"}),
    Case("NP-18 NotIn", "vxlan", CAGED, "10.244.1.3:8080", {"spy 10.244.0.4"}),
    Case("NP-10 only pods", "vxlan", CAGED, "192.168.0.13:9100", {"timed out"}),
    Case("NP-20 egress own node", "vxlan", CAGED, "192.168.0.11:30080", {"web-1 10.244.0.1", "web-2 10.244.0.0"}),
    Case("NP-05 sealed in", "vxlan", CLIENT, "10.244.2.3:8080", {"timed out"}),
    Case("NP-05 sealed out", "nftables", SEALED, "10.244.0.2:8080", {"timed out"}),
    Case("NP-19", "vxlan", SEALED, "10.244.2.3:8080", {"sealed 10.244.2.3"}),
    Case("NP-21", "vxlan", N3, "10.244.2.3:8080", {"sealed 10.244.2.1"}),
]
