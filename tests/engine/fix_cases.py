"""What goes wrong in the tests of fixes: objects, settings, who calls what, the verdict, words of the wanted fix."""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Verdict
from tests.engine.world import Obj, node, pod, policy, service

DNS = [
    pod("kube-system/coredns-1", "10.244.2.8", "n3", app="dns", ports=()),
    {
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {
            "clusterIP": "10.96.0.10",
            "selector": {"app": "dns"},
            "ports": [{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"}],
        },
    },
]
ASLEEP = {
    "kind": "Deployment",
    "metadata": {"name": "asleep", "namespace": "shop"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "asleep"}},
        "template": {
            "metadata": {"labels": {"app": "asleep"}},
            "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 8080}]}]},
        },
    },
}


MANAGED = "endpointslice.kubernetes.io/managed-by"
WRITTEN_BY_THE_CONTROLLER = {
    "kind": "EndpointSlice",
    "metadata": {
        "name": "asleep-x",
        "namespace": "shop",
        "labels": {"kubernetes.io/service-name": "asleep", MANAGED: "endpointslice-controller.k8s.io"},
    },
    "addressType": "IPv4",
    "endpoints": [],
}


def unready(name: str) -> Obj:
    made = pod(name, "10.244.2.9", "n3", app="slow")
    made["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return made


def down(name: str) -> Obj:
    made = node(name, podCIDR="10.244.2.0/24")
    made["metadata"]["annotations"] = {"clusterviz.dev/down": "true"}
    return made


def listening(entries: str) -> Obj:
    made = pod("shop/shy", "10.244.2.9", "n3", app="shy")
    made["metadata"]["annotations"] = {"clusterviz.dev/listen": entries}
    return made


CASES: dict[str, tuple[list[Obj], dict[str, Any], str, str, Verdict, str]] = {
    "ingress policy": (
        [policy("shop/in", "db", policyTypes=["Ingress"])],
        {},
        "spy/spy-1",
        "10.244.2.2:5432",
        Verdict.DENIED_INGRESS,
        "shop/in allow ingress from pods app=spy of namespace spy, port 5432",
    ),
    "both policies": (
        [policy("shop/in", "db", policyTypes=["Ingress"]), policy("spy/out", "spy", policyTypes=["Egress"])],
        {},
        "spy/spy-1",
        "10.244.2.2:5432",
        Verdict.DENIED_EGRESS,
        "shop/in allow ingress",
    ),
    "a label is missing": (
        [policy("shop/in", "db", ingress=[{"from": [{"podSelector": {"matchLabels": {"role": "reader"}}}]}])],
        {},
        "shop/client",
        "10.244.2.2:5432",
        Verdict.DENIED_INGRESS,
        "Label pod shop/client with role=reader",
    ),
    "egress to the outside": (
        [policy("shop/out", "client", policyTypes=["Egress"])],
        {},
        "shop/client",
        "203.0.113.80:443",
        Verdict.DENIED_EGRESS,
        "allow egress to 203.0.113.80, port 443",
    ),
    "egress without DNS": (
        [*DNS, policy("shop/out", "client", policyTypes=["Egress"])],
        {},
        "shop/client",
        "http://web/",
        Verdict.DNS_BLOCKED,
        "port 53",
    ),
    "selector misspelt": (
        [service("shop/shop-web", app="webb")],
        {},
        "shop/client",
        "http://shop-web/",
        Verdict.NO_ENDPOINTS_REJECTED,
        "select app=web",
    ),
    "scaled to zero": (
        [ASLEEP, service("shop/asleep", app="asleep")],
        {},
        "shop/client",
        "http://asleep/",
        Verdict.NO_ENDPOINTS_REJECTED,
        "Scale Deployment shop/asleep up to 1",
    ),
    "scaled to zero in a running cluster": (
        [ASLEEP, service("shop/asleep", app="asleep"), WRITTEN_BY_THE_CONTROLLER],
        {},
        "shop/client",
        "http://asleep/",
        Verdict.NO_ENDPOINTS_REJECTED,
        "Scale Deployment shop/asleep up to 1",
    ),
    "not ready": (
        [unready("shop/slow"), service("shop/slow", app="slow")],
        {},
        "shop/client",
        "http://slow/",
        Verdict.NO_ENDPOINTS_REJECTED,
        "not ready",
    ),
    "headless, not ready": (
        [unready("shop/slow"), service("shop/slow", app="slow", clusterIP="None")],
        {},
        "shop/client",
        "http://slow:8080/",
        Verdict.NAME_NOT_FOUND,
        "not ready",
    ),
    "target port by a name nobody has": (
        [service("shop/named", app="web", target="http")],
        {},
        "shop/client",
        "http://named/",
        Verdict.NO_ENDPOINTS_REJECTED,
        "targetPort of port 80 of Service shop/named to 8080",
    ),
    "wrong target port": (
        [listening("8080"), service("shop/shy", app="shy", target=9090)],
        {},
        "shop/client",
        "http://shy/",
        Verdict.NOBODY_LISTENING,
        "to 8080",
    ),
    "loopback only": (
        [listening("127.0.0.1:8080"), service("shop/shy", app="shy")],
        {},
        "shop/client",
        "http://shy/",
        Verdict.NOBODY_LISTENING,
        "listen on every address",
    ),
    "wrong port of a pod": ([], {}, "shop/client", "10.244.2.2:80", Verdict.NOBODY_LISTENING, "Call port 5432"),
    "the pod's port at the Service": (
        [],
        {},
        "shop/client",
        "http://web:8080/",
        Verdict.VIP_PORT_UNKNOWN,
        "Call port 80/TCP",
    ),
    "a port in nftables mode": (
        [],
        {"proxy_mode": "nftables"},
        "shop/client",
        "10.96.0.20:81",
        Verdict.VIP_PORT_UNKNOWN,
        "a port 81/TCP",
    ),
    "short name of another namespace": (
        DNS,
        {},
        "spy/spy-1",
        "http://web/",
        Verdict.NAME_NOT_FOUND,
        "Call it by the name web.shop",
    ),
    "name misspelt": (DNS, {}, "shop/client", "http://webb/", Verdict.NAME_NOT_FOUND, "Call it by the name web"),
    "host network without cluster DNS": (
        [*DNS, pod("shop/agent", "192.168.0.11", "n1", app="agent", hostNetwork=True)],
        {},
        "shop/agent",
        "http://web.shop.svc.cluster.local/",
        Verdict.NAME_NOT_FOUND,
        "dnsPolicy ClusterFirstWithHostNet",
    ),
    "internal policy Local": (
        [service("shop/near", app="db", port=5432, target=5432, internalTrafficPolicy="Local")],
        {},
        "shop/client",
        "http://near:5432/",
        Verdict.NO_LOCAL_ENDPOINT_DROPPED,
        "internalTrafficPolicy of Service shop/near to Cluster",
    ),
    "external policy Local": (
        [service("shop/np", app="db", target=5432, type="NodePort", externalTrafficPolicy="Local")],
        {},
        "internet",
        "node:n1:30086",
        Verdict.NO_LOCAL_ENDPOINT_DROPPED,
        "externalTrafficPolicy of Service shop/np to Cluster",
    ),
    "source range": (
        [service("shop/lb", app="web", type="LoadBalancer", loadBalancerSourceRanges=["192.0.2.0/24"])],
        {},
        "internet",
        "service:shop/lb:80",
        Verdict.SOURCE_RANGE_DROPPED,
        "Add 203.0.113.7/32",
    ),
    "nobody gives addresses": (
        [service("shop/lb", app="web", type="LoadBalancer")],
        {"load_balancer_provider": False},
        "internet",
        "service:shop/lb:80",
        Verdict.NO_LB_PROVIDER,
        "Install a load balancer provider",
    ),
    "ClusterIP from outside": (
        [],
        {},
        "internet",
        "10.96.0.20:80",
        Verdict.NO_ROUTE,
        "Make Service shop/web a NodePort",
    ),
    "ping of a virtual address": ([], {}, "shop/client", "10.96.0.20", Verdict.VIP_ICMP_UNANSWERED, "Try port 80/TCP"),
    "a node is down": (
        [down("n3")],
        {},
        "shop/client",
        "10.244.2.2:5432",
        Verdict.NODE_DOWN,
        "Bring node n3 back",
    ),
    "no hairpin": (
        [service("shop/own", app="client")],
        {"hairpin": False},
        "shop/client",
        "http://own/",
        Verdict.HAIRPIN_DROPPED,
        "hairpin mode on",
    ),
    "no egress NAT": (
        [],
        {"egress_nat": False},
        "shop/client",
        "203.0.113.80:443",
        Verdict.REPLY_LOST,
        "Masquerade what leaves",
    ),
    "a hand-written endpoint is gone": (
        [
            service("shop/hand"),
            {
                "kind": "EndpointSlice",
                "metadata": {
                    "name": "hand",
                    "namespace": "shop",
                    "labels": {"kubernetes.io/service-name": "hand"},
                },
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["10.244.0.77"]}, {"addresses": ["10.244.0.2"]}],
                "ports": [{"port": 8080}],
            },
        ],
        {},
        "shop/client",
        "http://hand/",
        Verdict.POD_GONE,
        "Take 10.244.0.77 out",
    ),
}
