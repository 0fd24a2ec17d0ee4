"""Rules NET, SRC, EGR, PX-09..15: the way a packet takes and the address the receiver sees."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, ProbeError, Settings, Verdict
from clusterviz.engine.packet import IP
from tests.engine.world import Obj, actions, ask, base, build, header, landed, node, places, pod, seen, service

VXLAN, ROUTED = Settings(), Settings(network="host-gw")


def agent(name: str, on: str, port: int = 9100, **spec: Any) -> Obj:
    made = pod(name, "", on, app="agent", ports=(port,), hostNetwork=True, **spec)
    made["status"] = {"phase": "Running"}
    return made


def balanced(**spec: Any) -> Obj:
    web = service("shop/lb", app="web", type="LoadBalancer", externalIPs=["192.0.2.50"], **spec)
    web["spec"]["ports"][0]["nodePort"] = 30100
    web["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.20"}]}}
    return web


NEAR, FAR = "10.244.0.2", "10.244.1.2"


def landing(cluster: Cluster, source: str, to: str, ip: str) -> Any:
    """The answer of a seed that picks this pod."""
    for seed in range(60):
        found = ask(cluster, source, to, seed=seed)
        if header(found.forward[-1].headers_out).dst == ip:
            return found
    raise AssertionError(f"{ip} is never picked")


@pytest.mark.parametrize(
    ("settings", "source", "to", "picked", "external", "expected"),
    [
        (VXLAN, "shop/client", "10.96.0.20:80", FAR, "Cluster", "10.244.0.3"),
        (VXLAN, "shop/web-1", "10.96.0.20:80", NEAR, "Cluster", "10.244.0.1"),
        (VXLAN, "node/n1", "10.96.0.20:80", NEAR, "Cluster", "10.244.0.1"),
        (VXLAN, "node/n1", "10.96.0.20:80", FAR, "Cluster", "10.244.0.0"),
        (ROUTED, "node/n1", "10.96.0.20:80", FAR, "Cluster", "192.168.0.11"),
        (VXLAN, "shop/agent", "10.96.0.20:80", FAR, "Cluster", "10.244.0.0"),
        (VXLAN, "shop/client", "192.168.0.11:30100", FAR, "Cluster", "10.244.0.0"),
        (VXLAN, "shop/client", "192.168.0.11:30100", FAR, "Local", "10.244.0.3"),
        (VXLAN, "shop/client", "198.51.100.20:80", NEAR, "Cluster", "10.244.0.1"),
        (VXLAN, "shop/client", "198.51.100.20:80", FAR, "Local", "10.244.0.3"),
        (VXLAN, "shop/client", "192.0.2.50:80", FAR, "Local", "10.244.0.3"),
        (VXLAN, "node/n1", "127.0.0.1:30100", NEAR, "Cluster", "10.244.0.1"),
        (VXLAN, "node/n1", "127.0.0.1:30100", FAR, "Local", "10.244.0.0"),
        (VXLAN, "node/n1", "192.168.0.11:30100", FAR, "Local", "10.244.0.0"),
        (VXLAN, "internet", "192.168.0.11:30100", FAR, "Cluster", "10.244.0.0"),
        (ROUTED, "internet", "192.168.0.11:30100", FAR, "Cluster", "192.168.0.11"),
        (VXLAN, "internet", "192.168.0.11:30100", NEAR, "Local", "203.0.113.7"),
        (VXLAN, "internet", "198.51.100.20:80", FAR, "Local", "203.0.113.7"),
        (VXLAN, "node/n1", "10.244.1.2:8080", FAR, "Cluster", "10.244.0.0"),
        (VXLAN, "node/n1", "10.244.0.2:8080", NEAR, "Cluster", "10.244.0.1"),
    ],
)
def test_the_source_the_pod_sees(
    settings: Settings, source: str, to: str, picked: str, external: str, expected: str
) -> None:
    """SRC-1, SRC-2, SRC-3, SRC-4, SRC-5, PX-06, PX-09, PX-13, NET-10."""
    cluster = build(balanced(externalTrafficPolicy=external), agent("shop/agent", "n1"), settings=settings)
    found = landing(cluster, source, to, picked)
    assert found.success and seen(found) == expected
    assert found.reverse
    question, answer = header(found.forward[0].headers_in), header(found.reverse[-1].headers_out)
    assert (answer.src, answer.dst) == (question.dst, question.src)


@pytest.mark.parametrize("protocol", ["UDP", "SCTP"])
def test_other_protocols_take_the_same_way(protocol: str) -> None:
    """SVC-11: and the TCP port of the same number is none of theirs."""
    extra = service("shop/game", app="web", clusterIP="10.96.0.70", type="NodePort")
    extra["spec"]["ports"] = [{"port": 99, "targetPort": 8080, "protocol": protocol, "nodePort": 30200}]
    gamer = [one for one in base() if one["metadata"]["name"] != "web-1"]
    cluster = Cluster.from_objects([*gamer, extra], Settings())
    for source, to in (("shop/client", "10.96.0.70:99"), ("internet", "192.168.0.11:30200")):
        found = ask(cluster, source, to, protocol=protocol)
        assert landed(found) == "10.244.1.2:8080" and header(found.forward[-1].headers_in).proto == protocol
    assert ask(cluster, "shop/client", "10.96.0.70:99").verdict is Verdict.VIP_PORT_UNKNOWN
    found = ask(cluster, "internet", "192.168.0.11:30200")
    assert found.verdict is Verdict.NOBODY_LISTENING


def test_what_a_node_keeps_for_itself_is_not_masqueraded() -> None:
    """PX-09: INPUT never passes POSTROUTING, so the hostNetwork endpoint here sees the caller."""
    agents = service("shop/agents", app="agent", port=80, target=9100, type="NodePort")
    agents["spec"]["ports"][0]["nodePort"] = 30300
    cluster = build(agent("shop/agent", "n1"), agents)
    for source, address in (("shop/client", "10.244.0.3"), ("internet", "203.0.113.7")):
        found = ask(cluster, source, "192.168.0.11:30300")
        assert found.success and "masqueraded" not in actions(found)
        assert header(found.forward[-1].headers_out).src == address


def test_the_api_server_behind_its_service_answers() -> None:
    """EPS-09, SVC-12: an endpoint that is a node's own address and no pod's."""
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.168.0.13"]}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    }
    api = service("default/kubernetes", ports=[{"name": "https", "port": 443, "targetPort": 6443}])
    cluster = build(slices, api)
    assert cluster.services[("default", "kubernetes")].ip == "10.96.0.1"
    found = ask(cluster, "shop/client", "https://kubernetes.default.svc/")
    assert found.success and landed(found) == "192.168.0.13:6443"
    assert "endpoint-listens" in [one.code for one in found.assumptions]


def test_a_balancer_opens_the_ports_of_its_service_only() -> None:
    """SVC-11: nothing leaves the cluster as if somebody else had the address."""
    cluster = build(balanced())
    for source in ("internet", "shop/client", "node/n1"):
        for ip in ("198.51.100.20", "192.0.2.50"):
            assert ask(cluster, source, f"{ip}:99").verdict is Verdict.VIP_PORT_UNKNOWN


@pytest.mark.parametrize("entry", [{"ip": "198.51.100.99", "ipMode": "Proxy"}, {"hostname": "a.elb.example.com"}])
@pytest.mark.parametrize("source", ["internet", "shop/client", "node/n2"])
def test_a_balancer_that_proxies_is_called_where_it_stands(entry: dict[str, str], source: str) -> None:
    """SVC-07: also from inside, where the packet leaves and comes back through a node port."""
    web = balanced()
    web["status"] = {"loadBalancer": {"ingress": [entry]}}
    found = ask(build(web), source, f"{entry.get('ip') or entry['hostname']}:80")
    assert found.success
    assert any(place.startswith("loadbalancer:") for place in places(found))
    assert found.reverse[-1].place.ref == found.forward[0].place.ref


def test_health_check_port_counts_the_ready_pods_of_the_node() -> None:
    """PX-14."""
    cluster = build(balanced(externalTrafficPolicy="Local", healthCheckNodePort=32000))
    for name, status in (("n1", 200), ("n3", 503)):
        step = ask(cluster, "internet", f"node:{name}:32000").forward[-1].steps[-1]
        assert (step.reason, step.facts["status"]) == ("health_check", status)


def test_addresses_of_the_pod_range_nobody_has_are_no_way_out() -> None:
    """EGR-01, NET-09: they are lost, not outside."""
    cluster = build()
    assert ask(cluster, "shop/client", "10.244.77.7:80").verdict is Verdict.NO_ROUTE
    assert ask(cluster, "shop/client", "10.244.2.99:80").verdict is Verdict.POD_GONE
    assert ask(cluster, "shop/client", "10.96.77.77:80").verdict is Verdict.NO_ROUTE


@pytest.mark.parametrize(
    ("source", "to"),
    [("shop/client", "[2001:db8::5]:80"), ("node/n1", "[2001:db8::5]:80"), ("192.0.2.1", "[fd00::1]:80")],
)
def test_without_an_address_of_the_family_there_is_no_way(source: str, to: str) -> None:
    """SVC-16."""
    found = ask(build(), source, to)
    assert found.verdict is Verdict.NO_ROUTE and "IPv6" in found.blockers[0].why


def test_dual_stack_from_nothing_but_two_ranges() -> None:
    """SVC-16, IPM-01: both families are handed out and carried."""
    settings = Settings(cluster_cidr="10.42.0.0/16,fd42::/56", service_cidr="10.43.0.0/16,fd43::/108")
    made = [node("a"), node("b")]
    for name, on in (("shop/web", "a"), ("shop/client", "b")):
        one = pod(name, "", on, app=name.partition("/")[2])
        one["status"] = {}
        made.append(one)
    made += [
        service("shop/both", app="web", ipFamilyPolicy="PreferDualStack"),
        service("shop/six", app="web", ipFamilyPolicy="SingleStack", ipFamilies=["IPv6"]),
        service("shop/four", app="web"),
    ]
    cluster = Cluster.from_objects(made, settings)
    assert [len(cluster.services[("shop", name)].cluster_ips) for name in ("both", "six", "four")] == [2, 1, 1]
    for name, versions in (("both", {4, 6}), ("six", {6}), ("four", {4})):
        for ip in cluster.services[("shop", name)].cluster_ips:
            found = ask(cluster, "shop/client", f"[{ip}]:80" if ":" in ip else f"{ip}:80")
            assert found.success and header(found.forward[-1].headers_in, IP).version in versions
    assert ask(cluster, "shop/client", "http://six/").success


def test_a_pod_that_ended_sends_nothing_and_a_short_name_is_nothing_outside() -> None:
    """IPM-04, DNS-15."""
    done = pod("shop/job", "10.244.0.40", "n1", app="job")
    done["status"]["phase"] = "Succeeded"
    cluster = build(done, agent("shop/agent", "n1"))
    with pytest.raises(ProbeError, match="ended"):
        ask(cluster, "shop/job", "http://web/")
    for source in ("shop/agent", "node/n1", "internet"):
        assert ask(cluster, source, "http://web.shop/").verdict is Verdict.NAME_NOT_FOUND


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ("web.shop.svc.cluster.local", Verdict.DELIVERED),
        ("nothing.shop.svc.cluster.local", Verdict.NAME_NOT_FOUND),
        ("192.0.2.1", Verdict.NAME_NOT_FOUND),
        ("", Verdict.NAME_NOT_FOUND),
        ("pay.example.com", Verdict.EXITED_CLUSTER),
    ],
)
def test_an_external_name_called_as_a_service_is_its_name(target: str, verdict: Verdict) -> None:
    """SVC-09, DNS-05."""
    alias = service("shop/alias", type="ExternalName", externalName=target)
    found = ask(build(alias), "shop/client", "service:shop/alias:80")
    assert found.verdict is verdict
    assert found.success == ask(build(alias), "shop/client", "http://alias/").success


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName", "externalName": "x.example"}])
def test_names_only_the_cluster_knows_have_no_address_outside(spec: dict[str, Any]) -> None:
    """SVC-08, SVC-09."""
    found = ask(build(service("shop/inner", app="web", **spec)), "internet", "service:shop/inner:80")
    assert found.verdict is Verdict.NAME_NOT_FOUND
