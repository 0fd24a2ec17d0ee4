"""The mission's kinds of communication, one by one, on the classroom cluster of `world`."""

from __future__ import annotations

import pytest

from clusterviz.engine import Cluster, ProbeError, Settings, Verdict
from clusterviz.engine.packet import ICMP, IP, L4, Ethernet, Vxlan
from clusterviz.engine.trace import Action
from tests.engine.world import actions, ask, build, header, landed, node, places, pod, seen, service

ROUTED = Settings(network="host-gw")


def test_containers_of_a_pod_talk_over_loopback_and_never_leave_it() -> None:
    """NET-03."""
    found = ask(build(), "shop/web-1/main", "localhost:8080")
    assert found.verdict is Verdict.DELIVERED_IN_POD
    assert places(found) == ["pod:shop/web-1"]
    assert header(found.forward[0].headers_out).src == "127.0.0.1"


def test_a_pods_own_address_is_loopback_too() -> None:
    found = ask(build(), "shop/web-1", "10.244.0.2:8080")
    assert found.verdict is Verdict.DELIVERED_IN_POD


def test_two_containers_cannot_bind_one_port() -> None:
    """NET-03: one port space."""
    twin = pod("shop/twin", "10.244.0.9", "n1", app="twin")
    twin["spec"]["containers"].append({"name": "sidecar", "ports": [{"containerPort": 8080}]})
    found = ask(build(twin), "shop/twin/sidecar", "localhost:8080")
    assert "port-collision" in [assumption.code for assumption in found.assumptions]
    assert "sidecar" in next(a.text for a in found.assumptions if a.code == "port-collision")


def test_a_port_open_on_localhost_only_is_closed_from_outside_the_pod() -> None:
    private = pod("shop/private", "10.244.0.9", "n1", app="private")
    private["metadata"]["annotations"] = {"clusterviz.dev/listen": "127.0.0.1:8080"}
    cluster = build(private)
    assert ask(cluster, "shop/private", "localhost:8080").success
    found = ask(cluster, "shop/client", "10.244.0.9:8080")
    assert found.verdict is Verdict.NOBODY_LISTENING
    assert "refused" in found.symptom


def test_same_node_is_switched_at_layer_two() -> None:
    """NET-05: MACs are the pods' own, TTL unchanged, nothing encapsulated."""
    found = ask(build(), "shop/client", "10.244.0.2:8080")
    assert places(found) == ["pod:shop/client", "node:n1", "pod:shop/web-1"]
    assert header(found.forward[-1].headers_in).ttl == 64
    frame = header(found.forward[0].headers_out, Ethernet)
    assert frame == header(found.forward[-1].headers_in, Ethernet)
    assert frame.dst == "0a:58:0a:f4:00:02"
    assert "switched" in actions(found) and "encapsulated" not in actions(found)


def test_other_node_travels_inside_a_packet_of_the_nodes() -> None:
    """NET-06, NET-07, NET-08."""
    found = ask(build(), "shop/client", "10.244.1.2:8080")
    assert places(found) == ["pod:shop/client", "node:n1", "wire", "node:n2", "pod:shop/web-2"]
    outer = found.forward[2].headers_in
    assert [type(part).__name__ for part in outer] == ["Ethernet", "IP", "L4", "Vxlan", "Ethernet", "IP", "L4"]
    assert (outer[1].src, outer[1].dst) == ("192.168.0.11", "192.168.0.12")
    assert outer[2].dport == 8472 and isinstance(outer[3], Vxlan) and outer[3].vni == 1
    assert seen(found) == "10.244.0.3"
    assert header(found.forward[-1].headers_in).ttl == 62


def test_routed_network_wraps_nothing() -> None:
    """NET-11."""
    found = ask(build(settings=ROUTED), "shop/client", "10.244.1.2:8080")
    assert len([part for part in found.forward[2].headers_in if isinstance(part, IP)]) == 1
    assert seen(found) == "10.244.0.3"
    rules = [step.rule.text for step in found.forward[1].steps if step.rule]
    assert "10.244.1.0/24 via 192.168.0.12 dev eth0" in rules


def test_one_flow_keeps_one_outer_source_port() -> None:
    """NET-08: a hash of the inner flow."""
    first = ask(build(), "shop/client", "10.244.1.2:8080")
    again = ask(build(), "shop/client", "10.244.1.2:8080")
    assert first.forward[2].headers_in[2] == again.forward[2].headers_in[2]


def test_cluster_ip_is_rewritten_on_the_clients_node_and_back() -> None:
    """PX-02, PX-03, TRC-04."""
    found = ask(build(), "shop/client", "http://web/")
    node = next(hop for hop in found.forward if hop.place.ref == "node:n1")
    assert header(node.headers_in).dst == "10.96.0.20"
    assert header(node.headers_out).dst in ("10.244.0.2", "10.244.1.2")
    assert landed(found).endswith(":8080") and seen(found) == "10.244.0.3"
    back = found.reverse[-1].headers_out
    assert header(back).src == "10.96.0.20" and header(back, L4).sport == 80


def test_a_service_spreads_over_all_its_pods_evenly() -> None:
    """PX-16: uniform a connection."""
    cluster = build()
    hits = [landed(ask(cluster, "shop/client", "10.96.0.20:80", seed=seed)) for seed in range(400)]
    assert set(hits) == {"10.244.0.2:8080", "10.244.1.2:8080"}
    assert 150 < hits.count("10.244.0.2:8080") < 250


def test_nobody_owns_a_virtual_ip() -> None:
    found = ask(build(), "shop/client", "10.96.0.20:80")
    assert found.forward[0].owners["10.96.0.20"] == "nobody: virtual IP of Service shop/web"


def test_chain_names_are_upstreams() -> None:
    """IPT-14, the published vector."""
    from clusterviz.engine.datapath.service import chain_hash

    cluster = build(
        service("ns1/svc1", app="web", ports=[{"name": "p80", "port": 80, "protocol": "TCP"}]),
    )
    svc = cluster.services[("ns1", "svc1")]
    assert chain_hash(svc, svc.ports[0]) == "XPGD46QRK7WJZT7O"
    assert chain_hash(svc, svc.ports[0], "10.180.0.1:80") == "SXIVWICOYRO3J4NJ"


def test_hairpin_is_masqueraded_to_the_bridge() -> None:
    """PX-06, SRC-2."""
    cluster = build(service("shop/self", app="db", port=80, target=5432))
    found = ask(cluster, "shop/db-0", "http://self/")
    assert found.success
    assert seen(found) == "10.244.2.1"
    assert header(found.reverse[-1].headers_out).src == cluster.services[("shop", "self")].ip


def test_without_hairpin_mode_a_pod_cannot_reach_itself_through_its_service() -> None:
    """M23: with two pods behind it, one call in two fails."""
    cluster = build(settings=Settings(hairpin=False))
    found = [ask(cluster, "shop/web-1", "10.96.0.20:80", seed=seed) for seed in range(60)]
    failed = [one for one in found if one.verdict is Verdict.HAIRPIN_DROPPED]
    assert 15 < len(failed) < 45
    assert all(one.success or one in failed for one in found)


def test_no_endpoints_is_refused_at_once() -> None:
    """PX-07: the REJECT target answers with ICMP port unreachable, to a pod from the bridge."""
    found = ask(build(service("shop/none", app="nobody")), "shop/client", "http://none/")
    assert found.verdict is Verdict.NO_ENDPOINTS_REJECTED
    assert found.symptom == "connection refused, at once"
    back = found.reverse[-1].headers_out
    assert header(back, ICMP) == ICMP("port-unreachable")
    assert (header(back).src, header(back).dst, header(back).proto) == ("10.244.0.1", "10.244.0.3", "ICMP")


@pytest.mark.parametrize(("protocol", "answer"), [("TCP", "RST,ACK"), ("UDP", "port-unreachable")])
def test_a_socket_nobody_has_answers_in_the_way_of_its_protocol(protocol: str, answer: str) -> None:
    """IMP-04."""
    found = ask(build(), "shop/client", "10.244.1.2:9", protocol=protocol)
    assert found.verdict is Verdict.NOBODY_LISTENING
    back = found.reverse[-1].headers_out
    said = back[-1]
    assert isinstance(said, L4 | ICMP) and answer == (said.flags if isinstance(said, L4) else said.type)
    assert (header(back).src, header(back).dst) == ("10.244.1.2", "10.244.0.3")


def test_the_reply_is_turned_back_where_netfilter_does_it() -> None:
    """PX-10: the destination a masquerade hid in PREROUTING, the source a DNAT replaced in POSTROUTING."""
    found = ask(build(settings=Settings(masquerade_all=True)), "shop/client", "10.96.0.20:80", seed=1)
    turned = [step for hop in found.reverse for step in hop.steps if step.action is Action.UN_NAT]
    assert [(step.hook, {diff.field for diff in step.diffs}) for step in turned] == [
        ("prerouting", {"dst", "dport"}),
        ("postrouting", {"src", "sport"}),
    ]


def test_not_ready_pods_get_nothing_and_the_reason_is_told() -> None:
    """EPS-05."""
    waiting = pod("shop/web-3", "10.244.2.9", "n3", app="web")
    waiting["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    cluster = build(waiting)
    found = [ask(cluster, "shop/client", "10.96.0.20:80", seed=seed) for seed in range(50)]
    assert not any(landed(one).startswith("10.244.2.9") for one in found)
    step = next(s for hop in found[0].forward for s in hop.steps if s.action == "load_balanced")
    assert [c.why for c in step.candidates if c.address == "10.244.2.9"] == ["not ready"]


@pytest.mark.parametrize(
    ("source", "external_policy", "expected"),
    [
        ("shop/client", "Cluster", "masqueraded"),
        ("shop/client", "Local", "10.244.0.3"),
        ("internet", "Cluster", "masqueraded"),
        ("internet", "Local", "203.0.113.7"),
    ],
)
def test_source_address_the_pod_sees_through_a_node_port(source: str, external_policy: str, expected: str) -> None:
    """SRC-4, SRC-5."""
    cluster = build(service("shop/np", app="web", type="NodePort", externalTrafficPolicy=external_policy))
    port = cluster.services[("shop", "np")].ports[0].node_port
    assert port == 30086  # SVC-04: the static band is left free
    found = ask(cluster, source, f"node:n1:{port}")
    assert found.success
    if expected == "masqueraded":
        assert seen(found) in ("10.244.0.1", "10.244.0.0")
    else:
        assert seen(found) == expected


def test_local_policy_drops_where_no_pod_is() -> None:
    """PX-05, PX-07."""
    cluster = build(service("shop/np", app="web", type="NodePort", externalTrafficPolicy="Local"))
    port = cluster.services[("shop", "np")].ports[0].node_port
    found = ask(cluster, "internet", f"node:n3:{port}")
    assert found.verdict is Verdict.NO_LOCAL_ENDPOINT_DROPPED
    assert "times out" in found.symptom and not found.reverse


def test_a_load_balancer_with_local_policy_only_uses_nodes_with_pods() -> None:
    """PX-14, PX-15."""
    cluster = build(service("shop/lb", app="web", type="LoadBalancer", externalTrafficPolicy="Local"))
    for seed in range(20):
        found = ask(cluster, "internet", "service:shop/lb:80", seed=seed)
        assert found.success and seen(found) == "203.0.113.7"
        assert "node:n3" not in places(found)


def test_without_a_provider_a_load_balancer_stays_pending() -> None:
    """SVC-06, M17."""
    cluster = build(service("shop/lb", app="web", type="LoadBalancer"), settings=Settings(load_balancer_provider=False))
    assert ask(cluster, "internet", "service:shop/lb:80").verdict is Verdict.NO_LB_PROVIDER
    assert "no-lb-provider" in [warning.code for warning in cluster.warnings]


def test_a_headless_name_gives_a_pod_address_and_no_rewrite() -> None:
    """SVC-08, DNS-02."""
    found = ask(build(service("shop/direct", app="web", clusterIP="None")), "shop/client", "http://direct:8080/")
    assert found.success and "dnat" not in actions(found)
    assert header(found.forward[0].headers_in).dst in ("10.244.0.2", "10.244.1.2")


def test_an_external_name_leads_outside() -> None:
    """SVC-09, DNS-05."""
    made = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "pay", "namespace": "shop"},
        "spec": {"type": "ExternalName", "externalName": "payments.example.com"},
    }
    found = ask(build(made), "shop/client", "https://pay/")
    assert found.verdict is Verdict.EXITED_CLUSTER


def test_a_short_name_works_only_in_its_own_namespace() -> None:
    """DNS-13, M24."""
    cluster = build()
    assert ask(cluster, "shop/client", "http://web/").success
    missed = ask(cluster, "spy/spy-1", "http://web/")
    assert missed.verdict is Verdict.NAME_NOT_FOUND and "NXDOMAIN" in missed.symptom
    assert ask(cluster, "spy/spy-1", "http://web.shop/").success


def test_a_pod_leaving_the_cluster_shows_its_nodes_address() -> None:
    """EGR-01, SRC-7."""
    found = ask(build(), "shop/client", "203.0.113.80:443")
    assert found.verdict is Verdict.EXITED_CLUSTER and seen(found) == "192.168.0.11"
    assert header(found.reverse[-1].headers_out).dst == "10.244.0.3"
    leaving = next(waypoint for waypoint in found.waypoints if waypoint.ref == "node:n1")
    assert (leaving.kind, leaving.nat) == ("egress", "snat")


def test_outsiders_cannot_call_pods_or_virtual_ips() -> None:
    cluster = build()
    assert ask(cluster, "internet", "10.244.0.2:8080").verdict is Verdict.NO_ROUTE
    assert ask(cluster, "internet", "10.96.0.20:80").verdict is Verdict.NO_ROUTE


def test_a_ping_to_a_virtual_ip_is_not_answered() -> None:
    """M1."""
    cluster = build()
    assert ask(cluster, "shop/client", "10.96.0.20", protocol="ICMP").verdict is Verdict.VIP_ICMP_UNANSWERED
    assert ask(cluster, "shop/client", "10.244.1.2", protocol="ICMP").success


@pytest.mark.parametrize(("mode", "words"), [("iptables", "times out"), ("nftables", "refused")])
def test_a_port_the_service_lacks(mode: str, words: str) -> None:
    """PX-11."""
    found = ask(build(settings=Settings(proxy_mode=mode)), "shop/client", "10.96.0.20:81")  # type: ignore[arg-type]
    assert found.verdict is Verdict.VIP_PORT_UNKNOWN and words in found.symptom


def test_a_dead_node_swallows_packets() -> None:
    """NOD-05."""
    cluster = build()
    down = dict(cluster.objects[("Node", "", "n2")])
    down["metadata"] = {**down["metadata"], "annotations": {"clusterviz.dev/down": "true"}}
    from clusterviz.engine import Change

    found = ask(cluster.apply([Change("set", down)]), "shop/client", "10.244.1.2:8080")
    assert found.verdict is Verdict.NODE_DOWN and not found.reverse


def test_a_deleted_pods_address_answers_nobody() -> None:
    """PX-17."""
    assert ask(build(), "shop/client", "10.244.0.77:80").verdict is Verdict.POD_GONE


@pytest.mark.parametrize(
    ("source", "to", "field"),
    [
        ("shop/nobody", "http://web/", "from"),
        ("node/n9", "http://web/", "from"),
        ("shop/web-1/nobox", "http://web/", "from"),
        ("shop/client", "pod:shop/nobody:80", "to"),
        ("shop/client", "10.96.0.20:70000", "to"),
        ("shop/client", "", "to"),
        ("a/b/c/d", "http://web/", "from"),
        ("shop/client", "gopher://web/", "to"),
        ("shop/client", "service:shop/web:nope", "to"),
    ],
)
def test_a_question_about_nothing_gets_a_clear_answer(source: str, to: str, field: str) -> None:
    with pytest.raises(ProbeError) as caught:
        ask(build(), source, to)
    assert caught.value.field == field and str(caught.value)


@pytest.mark.parametrize("name", ["db.nowhere", "web.shpo", "nothing.shop", "a..b", "-x.example.com", "nope"])
def test_a_misspelt_name_does_not_lead_outside(name: str) -> None:
    """DNS-12, DNS-13: nothing is sent, so there are no headers to show."""
    found = ask(build(), "shop/client", f"{name}:80")
    assert found.verdict is Verdict.NAME_NOT_FOUND
    assert [hop.headers_in + hop.headers_out for hop in found.forward] == [()]


def test_a_headless_service_without_ready_pods_does_not_lead_outside() -> None:
    """DNS-02."""
    found = ask(build(service("shop/direct", app="nobody", clusterIP="None")), "spy/spy-1", "direct.shop:80")
    assert found.verdict is Verdict.NAME_NOT_FOUND


@pytest.mark.parametrize("name", ["api.example.com", "db.corp", "www.kubernetes.io"])
def test_a_name_of_the_internet_leads_outside_and_says_what_is_assumed(name: str) -> None:
    found = ask(build(), "shop/client", f"{name}:443")
    assert found.verdict is Verdict.EXITED_CLUSTER
    assert "outside-name" in [assumption.code for assumption in found.assumptions]


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "240.1.2.3", "10.244.9.9"])
def test_addresses_no_router_carries(address: str) -> None:
    found = ask(build(), "shop/client", f"{address}:80")
    assert found.verdict is Verdict.NO_ROUTE
    assert address in found.blockers[0].why


@pytest.mark.parametrize("to", ["http://web:0/", "web:\u0663", "web:0", "web:65536"])
def test_ports_are_plain_numbers_in_range(to: str) -> None:
    with pytest.raises(ProbeError):
        ask(build(), "shop/client", to)


def test_source_ranges_count_for_their_own_family() -> None:
    """SVC-17: ranges of the other family close nothing."""
    made = service("shop/lb", app="web", type="LoadBalancer", loadBalancerSourceRanges=["fd00::/64"])
    assert ask(build(made), "internet", "service:shop/lb:80").success


def test_a_service_of_another_proxy_is_none_of_kube_proxys() -> None:
    made = service("shop/other", app="web", clusterIP="10.96.0.77")
    made["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "mesh"}
    assert not ask(build(made), "shop/client", "10.96.0.77:80").success


def test_slices_without_a_selector_are_hinted_by_nobody() -> None:
    """SVC-12, TD-01."""
    zones = [
        node(f"z{i}") | {"metadata": {"name": f"z{i}", "labels": {"topology.kubernetes.io/zone": f"{i}"}}}
        for i in (1, 2)
    ]
    own = service("shop/own", trafficDistribution="PreferSameZone")
    made = {
        "kind": "EndpointSlice",
        "metadata": {"name": "own-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "own"}},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8080}],
        "endpoints": [{"addresses": [f"192.0.2.{i}"], "zone": f"{i}"} for i in (1, 2)],
    }
    cluster = Cluster.from_objects([*zones, own, made])
    found = ask(cluster, "node/z1", "service:shop/own:80")
    assert [branch.probability for branch in found.branches] == [0.5, 0.5]


def test_the_look_up_of_a_name_is_told_with_every_try() -> None:
    """DNS-11, DNS-12: one question inside the namespace, two from another, and then the outside."""

    def asked(source: str, to: str) -> dict[str, object]:
        first = ask(build(), source, to).forward[0].steps[0]
        assert first.action == "resolved"
        return first.facts

    assert asked("shop/client", "http://web/")["tries"] == "web.shop.svc.cluster.local NOERROR"
    other = str(asked("spy/spy-1", "http://web.shop/")["tries"]).split(", ")
    assert other == ["web.shop.spy.svc.cluster.local NXDOMAIN", "web.shop.svc.cluster.local NOERROR"]
    assert str(asked("shop/client", "https://api.example.com/")["tries"]).count("NXDOMAIN") == 3
    assert ask(build(), "shop/client", "10.96.0.20:80").forward[0].steps[0].action == "originated"
