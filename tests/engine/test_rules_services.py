"""Rules PX, SVC and EPS: what kube-proxy on one node decides, asked alone with `decide`."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Probe, Settings, trace
from clusterviz.engine.datapath.service import ServiceDecision, decide
from clusterviz.engine.proxyrules.used import lines_used
from tests.engine.world import Obj, build, landed, node, pod, service

LOCAL = {"externalTrafficPolicy": "Local"}
POD, NODE, OUTSIDE = "10.244.0.3", "192.168.0.11", "203.0.113.7"
VIP, PORT, LB, EXTERNAL = "10.96.0.20", 30080, "198.51.100.20", "192.0.2.50"


def world(*, settings: Settings | None = None, pods: tuple[Obj, ...] = (), **spec: Any) -> Cluster:
    """Three nodes; two backends on n2; a client pod on n1; one Service with every kind of address."""
    web = service("shop/web", app="web", clusterIP=VIP, type="LoadBalancer", externalIPs=[EXTERNAL], **spec)
    web["spec"]["ports"][0]["nodePort"] = PORT
    web["status"] = {"loadBalancer": {"ingress": [{"ip": LB}]}}
    made = [node(f"n{i}", podCIDR=f"10.244.{i - 1}.0/24") for i in (1, 2, 3)]
    made += pods or (pod("shop/a", "10.244.1.2", "n2", app="web"), pod("shop/b", "10.244.1.3", "n2", app="web"))
    return Cluster.from_objects([*made, pod("shop/c", POD, "n1", app="c"), web], settings or Settings())


def ask(
    cluster: Cluster, source: str, ip: str, port: int = 80, on: str = "n1", proto: str = "TCP"
) -> ServiceDecision | None:
    return decide(cluster, cluster.nodes[on], source, ip, proto, port, from_node=source == NODE and on == "n1")


def outcome(found: ServiceDecision | None) -> str:
    if found is None:
        return "none"
    return found.verdict + ("+masquerade" if found.masquerade else "")


SOURCES = {"pod": POD, "node": NODE, "outside": OUTSIDE}
ENTRIES = {"vip": (VIP, 80), "nodeport": (NODE, PORT), "lb": (LB, 80), "external": (EXTERNAL, 80)}
MASQ, KEEP, DROP = "accept+masquerade", "accept", "drop"
# (internal, external) -> entry -> pod, node, outside; all backends are on another node
MATRIX = {
    ("Cluster", "Cluster"): {"vip": (KEEP, MASQ, MASQ), "nodeport": (MASQ,) * 3, "lb": (MASQ,) * 3},
    ("Cluster", "Local"): {"vip": (KEEP, MASQ, MASQ), "nodeport": (KEEP, MASQ, DROP), "lb": (KEEP, MASQ, DROP)},
    ("Local", "Cluster"): {"vip": (DROP,) * 3, "nodeport": (MASQ,) * 3, "lb": (MASQ,) * 3},
    ("Local", "Local"): {"vip": (DROP,) * 3, "nodeport": (KEEP, MASQ, DROP), "lb": (KEEP, MASQ, DROP)},
}


@pytest.mark.parametrize("detector", ["cluster-cidr", "none", "masquerade-all"])
@pytest.mark.parametrize("policies", MATRIX, ids="-".join)
@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("who", SOURCES)
def test_the_masquerade_matrix(who: str, entry: str, policies: tuple[str, str], detector: str) -> None:
    """PX-03, PX-04, PX-05, PX-07, PX-08, EPS-08: 108 flows and the externalIP, which is like the balancer."""
    settings = Settings(detect_local=detector != "none", masquerade_all=detector == "masquerade-all")
    cluster = world(settings=settings, internalTrafficPolicy=policies[0], externalTrafficPolicy=policies[1])
    table = MATRIX[policies]
    expected = table["lb" if entry == "external" else entry][list(SOURCES).index(who)]
    if detector == "none" and entry == "vip" and expected == MASQ:
        expected = KEEP
    if detector == "none" and entry != "vip" and policies[1] == "Local" and who == "pod":
        expected = DROP
    if detector == "masquerade-all" and entry == "vip" and expected == KEEP:
        expected = MASQ
    assert outcome(ask(cluster, SOURCES[who], *ENTRIES[entry])) == expected


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_without_any_endpoint_every_entry_refuses_and_policies_do_not_matter(policy: str, mode: Any) -> None:
    """PX-07, IPT-01: but iptables' OUTPUT has no rule for outside addresses, so a node's own packet leaves."""
    cluster = world(
        settings=Settings(proxy_mode=mode),
        pods=(pod("shop/x", "10.244.1.9", "n2", app="x"),),
        internalTrafficPolicy=policy,
        externalTrafficPolicy=policy,
    )
    for entry, (ip, port) in ENTRIES.items():
        for who, source in SOURCES.items():
            passes = mode == "iptables" and who == "node" and entry in ("lb", "external")
            found = ask(cluster, source, ip, port)
            assert found is not None
            assert (found.verdict, found.effect) == (("untouched", "none") if passes else ("reject", "reject"))


def aged(name: str, ip: str, on: str, *, ready: bool = True, going: bool = False) -> Obj:
    made = pod(name, ip, on, app="web")
    made["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]
    if going:
        made["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return made


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([(True, False), (True, False)], {"10.244.1.2", "10.244.1.3"}),
        ([(True, False), (True, True)], {"10.244.1.2"}),
        ([(True, True), (False, True)], {"10.244.1.2"}),
        ([(False, False), (True, True)], {"10.244.1.3"}),
        ([(False, False), (False, True)], set()),
    ],
)
def test_the_cluster_list_falls_back_to_those_that_still_serve(
    states: list[tuple[bool, bool]], expected: set[str]
) -> None:
    """EPS-02, EPS-05, EPS-07."""
    made = tuple(aged(f"shop/p{i}", f"10.244.1.{i + 2}", "n2", ready=r, going=g) for i, (r, g) in enumerate(states))
    found = ask(world(pods=made), POD, VIP)
    assert found is not None
    assert {c.address for c in found.candidates if c.probability} == expected
    assert all(bool(c.why) != bool(c.probability) for c in found.candidates)
    assert found.verdict == ("accept" if expected else "reject")


def test_the_local_list_falls_back_here_and_drops_where_only_others_have_some() -> None:
    """EPS-06, PX-07: a terminating one here beats a ready one elsewhere."""
    made = (aged("shop/a", "10.244.0.9", "n1", going=True), aged("shop/b", "10.244.1.9", "n2"))
    cluster = world(pods=made, internalTrafficPolicy="Local")
    found = ask(cluster, POD, VIP)
    assert found is not None and found.endpoint is not None and found.endpoint.ip == "10.244.0.9"
    assert outcome(ask(cluster, POD, VIP, on="n3")) == "drop"


@pytest.mark.parametrize(
    ("mode", "localhost", "allowed", "answers"),
    [
        ("iptables", True, (), {"127.0.0.1", "127.0.0.9", "192.168.0.11", "10.244.0.1", "10.244.0.0"}),
        ("iptables", False, (), {"192.168.0.11", "10.244.0.1", "10.244.0.0"}),
        ("iptables", True, ("192.168.0.0/24",), {"192.168.0.11"}),
        ("iptables", True, ("127.0.0.0/8",), {"127.0.0.1"}),
        ("iptables", False, ("127.0.0.0/8",), set()),
        ("iptables", True, ("fd00::/8",), {"127.0.0.1", "127.0.0.9", "192.168.0.11", "10.244.0.1", "10.244.0.0"}),
        (
            "iptables",
            True,
            ("10.244.0.0/16", "0.0.0.0/0"),
            {"127.0.0.1", "127.0.0.9", "192.168.0.11", "10.244.0.1", "10.244.0.0"},
        ),
        ("nftables", True, ("fd00::/8",), {"192.168.0.11", "10.244.0.1", "10.244.0.0"}),
        ("nftables", True, ("0.0.0.0/0",), {"192.168.0.11", "10.244.0.1", "10.244.0.0"}),
        ("nftables", True, (), {"192.168.0.11"}),
        ("nftables", True, ("10.244.0.0/16", "127.0.0.0/8"), {"10.244.0.1", "10.244.0.0"}),
        ("nftables", True, ("primary",), {"192.168.0.11"}),
        ("ipvs", True, (), {"192.168.0.11", "10.244.0.1", "10.244.0.0"}),
    ],
)
def test_addresses_node_ports_answer_on(
    mode: Any, localhost: bool, allowed: tuple[str, ...], answers: set[str]
) -> None:
    """PX-12, PX-13."""
    cluster = world(settings=Settings(proxy_mode=mode, localhost_nodeports=localhost, nodeport_addresses=allowed))
    asked = {"127.0.0.1", "127.0.0.9", "192.168.0.11", "192.168.0.12", "10.244.0.1", "10.244.0.0", "::1"}
    assert {ip for ip in asked if ask(cluster, NODE, ip, PORT)} == answers


@pytest.mark.parametrize(
    ("source", "entry", "expected"),
    [
        (OUTSIDE, "lb", "source_range"),
        (POD, "lb", "source_range"),
        ("192.0.2.9", "lb", "accept+masquerade"),
        (OUTSIDE, "nodeport", "accept+masquerade"),
        (OUTSIDE, "external", "accept+masquerade"),
        (POD, "vip", "accept"),
    ],
)
def test_source_ranges_guard_the_balancer_address_only(source: str, entry: str, expected: str) -> None:
    """SVC-17."""
    cluster = world(loadBalancerSourceRanges=[" 192.0.2.0/24 "])
    assert outcome(ask(cluster, source, *ENTRIES[entry])) == expected


def test_a_balancer_that_hands_back_is_admitted_through_the_nodes_address() -> None:
    """PX-20."""
    cluster = world(loadBalancerSourceRanges=["192.168.0.0/24"])
    assert outcome(ask(cluster, LB, LB)) == "accept+masquerade"


def test_an_ip_mode_proxy_address_is_nothing_to_kube_proxy() -> None:
    """SVC-07."""
    cluster = world()
    made = dict(cluster.objects[("Service", "shop", "web")])
    made["status"] = {"loadBalancer": {"ingress": [{"ip": LB, "ipMode": "Proxy"}]}}
    changed = Cluster.from_objects(
        [made if o["kind"] == "Service" else o for o in cluster.objects.values()], Settings()
    )
    assert ask(changed, POD, LB) is None
    assert outcome(ask(changed, POD, NODE, PORT)) == "accept+masquerade"


def test_protocols_on_one_number_are_different_ports() -> None:
    """SVC-11, PX-11."""
    cluster = Cluster.from_objects(
        [
            node("n1", podCIDR="10.244.0.0/24"),
            pod("shop/a", "10.244.0.2", "n1", app="web"),
            service(
                "shop/web",
                app="web",
                clusterIP=VIP,
                ports=[
                    {"name": "t", "port": 53, "protocol": "TCP", "targetPort": 8080},
                    {"name": "u", "port": 53, "protocol": "UDP", "targetPort": 9090},
                    {"name": "s", "port": 81, "protocol": "SCTP", "targetPort": 9091},
                ],
            ),
        ],
        Settings(),
    )
    targets = {
        (proto, port): found.target_port if (found := ask(cluster, POD, VIP, port, proto=proto)) else None
        for proto, port in (("TCP", 53), ("UDP", 53), ("SCTP", 81), ("TCP", 81), ("UDP", 54))
    }
    assert targets == {("TCP", 53): 8080, ("UDP", 53): 9090, ("SCTP", 81): 9091, ("TCP", 81): 0, ("UDP", 54): 0}
    assert outcome(ask(cluster, POD, VIP, 81)) == "unknown_port"


def test_an_address_in_two_slices_counts_once() -> None:
    """EPS-01: an address may stand in two slices for a moment."""
    endpoint = {"addresses": ["10.244.1.2"], "nodeName": "n2"}
    other = {"addresses": ["10.244.1.3"], "nodeName": "n2"}
    slices = [
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        }
        for name, endpoints in (("web-1", [endpoint, other]), ("web-2", [endpoint]))
    ]
    cluster = Cluster.from_objects([*world().objects.values(), *slices], Settings())
    found = ask(cluster, POD, VIP)
    assert found is not None
    assert [(c.address, c.probability) for c in found.candidates] == [("10.244.1.2", 0.5), ("10.244.1.3", 0.5)]


def test_affinity_keeps_a_source_with_its_pod_whatever_the_seed() -> None:
    """SVC-14."""
    cluster = world(sessionAffinity="ClientIP")
    for last in range(2, 40):
        picks = [
            decide(cluster, cluster.nodes["n1"], f"10.244.0.{last}", VIP, "TCP", 80, seed=seed) for seed in range(5)
        ]
        assert len({one.endpoint.ip for one in picks if one and one.endpoint}) == 1
    spread = {decide(cluster, cluster.nodes["n1"], f"10.244.0.{n}", VIP, "TCP", 80).endpoint.ip for n in range(2, 40)}
    assert spread == {"10.244.1.2", "10.244.1.3"}


def test_unready_pods_serve_where_the_service_says_so() -> None:
    """SVC-13."""
    made = (aged("shop/a", "10.244.1.2", "n2", ready=False), aged("shop/b", "10.244.1.3", "n2", going=True))
    found = ask(world(pods=made, publishNotReadyAddresses=True), POD, VIP)
    assert found is not None
    assert [c.probability for c in found.candidates] == [0.5, 0.5]


def test_a_node_port_is_served_for_the_families_of_its_service_only() -> None:
    """SVC-16, PX-12: the other family's kube-proxy knows no such Service."""
    made = [
        node("n1", podCIDR="fd00:10:1::/64")
        | {"status": {"addresses": [{"type": "InternalIP", "address": "fd00:1::1"}]}},
        pod("shop/web", "fd00:10:1::7", "n1", app="web"),
        service("shop/web", app="web", type="NodePort", clusterIP="fd00:99::5"),
    ]
    cluster = Cluster.from_objects(made)
    assert outcome(ask(cluster, "fd00:1::1", "fd00:1::1", 30086)) == "accept+masquerade"
    assert ask(cluster, "127.0.0.1", "127.0.0.1", 30086) is None


def test_external_ip_on_a_nodes_own_address_leaves_its_other_ports_alone() -> None:
    """SVC-05, PX-11: an unknown port of a real machine is that machine's business."""
    cluster = world()
    made = dict(cluster.objects[("Service", "shop", "web")])
    made["spec"] = {**made["spec"], "externalIPs": ["192.168.0.12"]}
    changed = Cluster.from_objects(
        [made if o["kind"] == "Service" else o for o in cluster.objects.values()], Settings()
    )
    assert outcome(ask(changed, POD, "192.168.0.12")) == "accept+masquerade"
    assert ask(changed, POD, "192.168.0.12", 22) is None
    assert outcome(ask(cluster, POD, EXTERNAL, 22)) == "unknown_port"


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_two_services_with_one_address_and_port_are_told_of(mode: Any) -> None:
    """SVC-05, NFT-01: text and decision take the same one, and the trace says that a real one has no order."""
    twins = [service(f"shop/{name}", app=app, externalIPs=["198.18.0.9"]) for name, app in (("a", "web"), ("b", "db"))]
    cluster = build(*twins, settings=Settings(proxy_mode=mode))
    found = trace(cluster, Probe.parse("internet", "198.18.0.9:80"))
    assert landed(found).endswith(":8080")
    steps = [(hop, step) for hop in found.forward for step in hop.steps if step.reason in ("load_balanced", "dnat")]
    assert len(steps) == 2 and all(lines_used(cluster, hop, step) for hop, step in steps)
    assert "shop/a, shop/b claim 198.18.0.9:80" in next(a.text for a in found.assumptions if a.code == "claimed-twice")
    once = trace(cluster, Probe.parse("shop/client", "10.96.0.20:80"))
    assert not any(one.code == "claimed-twice" for one in once.assumptions)


def test_where_detectors_differ_the_trace_says_which_is_taken() -> None:
    """PX-05, PX-08: a pod's own address that comes from another node."""
    door = service("shop/door", app="web", type="NodePort", clusterIP="10.96.0.70")
    door["spec"]["ports"][0]["nodePort"] = 30070
    probe = Probe.parse("shop/client", "node:n2:30070")
    kept, hidden = (trace(build(door, settings=Settings(egress_nat=nat)), probe) for nat in (False, True))
    assert "10.244.0.3" in next(one.text for one in kept.assumptions if one.code == "pods-by-cidr")
    assert not any(one.code == "pods-by-cidr" for one in hidden.assumptions)
