"""Sentences a reader acts on: what was meant by a name, why nobody is drawn, who drops, where a node port answers."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Probe, ProbeError, Settings, Verdict, trace
from clusterviz.engine.explain import sentence
from clusterviz.engine.fixes import suggest
from tests.engine.world import ask, build, node, pod, policy, service


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("spy-1", "spy/spy-1"),  # without a namespace
        ("shop/spy-1", "spy/spy-1"),  # in the wrong one
        ("nightly", "reports/nightly"),  # a workload
        ("shop/nobody", "shop/web-1"),
    ],
)
def test_a_sender_of_another_namespace_is_offered(source: str, allowed: str) -> None:
    """The same name elsewhere comes before all pods of the namespace that was given."""
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "nightly", "namespace": "reports"}}
    labels = {"app": "nightly"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main"}]}}
    made["spec"] = {"selector": {"matchLabels": labels}, "template": template}
    with pytest.raises(ProbeError) as found:
        trace(build(made), Probe.parse(source, "10.96.0.20:80"))
    assert found.value.allowed.split(", ")[0] == allowed
    assert ("," in found.value.allowed) == (source == "shop/nobody")


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
def test_nobody_is_excluded_without_a_word(mode: str) -> None:
    """SVC-17: the endpoints stay what they are, the packet is stopped before."""
    guarded = service("shop/lb", app="web", type="LoadBalancer", loadBalancerSourceRanges=["198.51.100.0/24"])
    guarded["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}
    found = ask(build(guarded, settings=Settings(proxy_mode=mode)), "internet", "192.0.2.9:80")  # type: ignore[arg-type]
    assert found.verdict is Verdict.SOURCE_RANGE_DROPPED
    idle = [one for hop in found.forward for step in hop.steps for one in step.candidates if not one.probability]
    assert idle
    assert all("stopped before" in one.why for one in idle if one.pod)


def test_who_drops_an_address_without_service() -> None:
    """PX-11: nftables has a rule for it, so the packet is not lost on the default route."""
    for mode, words in (("nftables", "cluster-ips-check"), ("iptables", "default route")):
        found = ask(build(settings=Settings(proxy_mode=mode)), "shop/client", "10.96.77.7:80")  # type: ignore[arg-type]
        last = next(hop for hop in reversed(found.forward) if hop.steps)
        assert words in sentence(last.steps[-1], last, "operator")


def test_the_call_that_failed_is_no_remedy() -> None:
    """PX-12: on loopback nftables serves no node port; the node's own address does."""
    open_port: dict[str, Any] = service("shop/np", app="web", type="NodePort")
    open_port["spec"]["ports"][0]["nodePort"] = 30081
    cluster = build(open_port, settings=Settings(proxy_mode="nftables"))
    failed = ask(cluster, "node/n2", "127.0.0.1:30081")
    assert failed.verdict is Verdict.NOBODY_LISTENING
    calls = [fix.value for fix in suggest(cluster, failed) if fix.kind == "call"]
    assert "192.168.0.12:30081" in calls
    assert not [call for call in calls if call.startswith("127.")]


def test_no_node_port_of_a_family_the_service_lacks() -> None:
    """SVC-16: an IPv4 Service has no node port at an IPv6 address, so none is offered there."""
    first = node("n1", podCIDRs=["10.244.0.0/24", "fd00:1::/64"])
    first["status"] = {"addresses": [{"type": "InternalIP", "address": ip} for ip in ("192.168.0.11", "fd10::11")]}
    open_port: dict[str, Any] = service("shop/np", app="web", type="NodePort")
    open_port["spec"]["ports"][0]["nodePort"] = 30081
    both = pod("shop/both", "10.244.0.9", "n1", app="both")
    both["status"]["podIPs"] = [{"ip": "10.244.0.9"}, {"ip": "fd00:1::9"}]
    cluster = Cluster.from_objects([first, open_port, both, pod("shop/web-1", "10.244.0.2", "n1", app="web")])
    failed = ask(cluster, "shop/both", "[fd10::11]:30081")
    assert failed.verdict is Verdict.NOBODY_LISTENING
    assert not [fix.value for fix in suggest(cluster, failed) if "[fd10::11]" in fix.value]


def test_a_fix_that_suffices_is_not_called_too_little() -> None:
    """NP-03: among hundreds of policies one more rule in one of them is enough, and that is found and told."""
    peer = {"podSelector": {"matchLabels": {"n": "none"}}}
    many = [
        policy(f"shop/p{n:03}", "web", ingress=[{"from": [peer], "ports": [{"port": 1000 + n}]}]) for n in range(150)
    ]
    cluster = build(*many)
    failed = ask(cluster, "shop/client", "10.96.0.20:80")
    assert failed.verdict is Verdict.DENIED_INGRESS
    found = suggest(cluster, failed)
    assert found
    assert all(fix.verified for fix in found)


def test_a_pod_without_an_address_is_not_called_at_all() -> None:
    """LIF-01, IPM-03: nobody refuses what was never sent."""
    waiting = pod("shop/late", "", "n2", app="late")
    waiting["status"] = {"phase": "Pending"}
    found = ask(build(waiting), "shop/client", "pod:shop/late:8080")
    assert found.verdict is Verdict.POD_NOT_RUNNING
    assert found.symptom == "no address to call: the pod has none yet"
    assert found.reverse == () and found.reverse_reason == "No connection was tried, so there is no reply."


BOTH = Settings(cluster_cidr="10.244.0.0/16,fd00:244::/56", service_cidr="10.96.0.0/12,fd00:96::/108")


@pytest.mark.parametrize(
    ("endpoints", "ports", "lack"),
    [
        ([], [{"port": 8080}], "its EndpointSlices hold no address"),
        (["fd00:244::9"], [{"port": 8080}], "its EndpointSlices hold no IPv4 address"),
        (["10.244.1.9"], [{"name": "web", "port": 8080}], "its EndpointSlices have no TCP port without a name"),
        (["10.244.1.9"], [{"port": 8080, "protocol": "UDP"}], "its EndpointSlices have no TCP port without a name"),
    ],
)
def test_what_hand_written_endpoints_lack(endpoints: list[str], ports: list[Any], lack: str) -> None:
    """SVC-12: a ready address is not called unready."""
    slices = {
        "kind": "EndpointSlice",
        "metadata": {"name": "own", "namespace": "shop", "labels": {"kubernetes.io/service-name": "own"}},
        "addressType": "IPv6" if any(":" in ip for ip in endpoints) else "IPv4",
        "endpoints": [{"addresses": [ip]} for ip in endpoints],
        "ports": ports,
    }
    front = service("shop/own", clusterIP="10.96.0.88")
    found = ask(build(front, slices, settings=BOTH), "shop/client", "10.96.0.88:80")
    assert found.verdict is Verdict.NO_ENDPOINTS_REJECTED and found.blockers[0].why.endswith(lack)


def test_a_pod_of_the_other_family_is_not_called_unready() -> None:
    """SVC-16."""
    front = service("shop/six", app="web", clusterIP="fd00:96::88", ipFamilies=["IPv6"])
    caller = pod("shop/dual", "10.244.0.50", "n1", app="dual")
    caller["status"]["podIPs"] = [{"ip": "10.244.0.50"}, {"ip": "fd00:244::50"}]
    found = ask(build(front, caller, settings=BOTH), "shop/dual", "[fd00:96::88]:80")
    assert found.blockers[0].why.endswith("no pod behind it has an IPv6 address")
