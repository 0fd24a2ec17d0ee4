"""Rules NET-02 and LIF: host ports, hostNetwork pods, and containers that do not run."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings, Verdict
from clusterviz.engine.datapath.hostport import host_port_of
from clusterviz.engine.packet import IP, L4
from tests.engine.world import Obj, ask, base, build, header, node, pod, service

HOST, OTHER = "192.168.0.11", "192.168.0.12"


def hosted(name: str = "shop/edge", ip: str = "10.244.0.9", *, port: int = 8080, **declared: Any) -> Obj:
    """A pod on n1 whose container port is forwarded from port 9000 of the node."""
    made = pod(name, ip, "n1", app="edge", ports=(port,))
    made["spec"]["containers"][0]["ports"][0] |= {"hostPort": 9000, **declared}
    return made


def of(cluster: Cluster, ip: str, source: str = "203.0.113.7", on: str = "n1", proto: str = "TCP") -> str:
    found = host_port_of(cluster, cluster.nodes[on], source, ip, proto, 9000)
    return f"{found.ip}:{found.port}{'+masquerade' if found.masquerade else ''}" if found else ""


@pytest.mark.parametrize(
    ("declared", "ip", "on", "expected"),
    [
        ({}, HOST, "n1", "10.244.0.9:8080"),
        ({}, "10.244.0.1", "n1", "10.244.0.9:8080"),
        ({}, "127.0.0.1", "n1", "10.244.0.9:8080"),
        ({}, "::1", "n1", ""),
        ({}, OTHER, "n1", ""),
        ({}, OTHER, "n2", ""),
        ({"hostIP": "0.0.0.0"}, HOST, "n1", "10.244.0.9:8080"),
        ({"hostIP": "::"}, HOST, "n1", ""),
        ({"hostIP": HOST}, HOST, "n1", "10.244.0.9:8080"),
        ({"hostIP": HOST}, "10.244.0.1", "n1", ""),
        ({"protocol": "UDP"}, HOST, "n1", ""),
    ],
)
def test_which_addresses_a_host_port_answers_on(declared: Obj, ip: str, on: str, expected: str) -> None:
    """NET-02."""
    assert of(build(hosted(**declared)), ip, on=on) == expected


@pytest.mark.parametrize(
    ("source", "hidden"),
    [
        ("203.0.113.7", False),
        (HOST, False),
        ("10.244.1.2", False),
        ("10.244.0.9", True),
        ("10.244.0.3", True),
        ("127.0.0.1", True),
    ],
)
def test_who_is_masqueraded_on_the_way_to_a_host_port(source: str, hidden: bool) -> None:
    """NET-02: the pod itself, its neighbours on the bridge, and localhost."""
    assert of(build(hosted()), HOST, source).endswith("+masquerade") is hidden


def test_of_two_pods_with_one_host_port_the_younger_has_it() -> None:
    """NET-02."""
    old, young = hosted(), hosted("shop/young", "10.244.0.8", port=8081)
    old["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    young["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    assert of(build(old, young), HOST) == "10.244.0.8:8081"
    young["status"]["phase"] = "Succeeded"
    assert of(build(old, young), HOST) == "10.244.0.9:8080"
    assert of(build(old, settings=Settings(host_ports=False)), HOST) == ""


def test_a_trace_goes_through_a_host_port_and_back() -> None:
    """NET-02, PX-10: outsiders keep their address, neighbours do not, and the answer comes from the node's address."""
    cluster = build(hosted())
    for source, seen in (("internet", "203.0.113.7"), ("shop/client", "10.244.0.1"), ("shop/web-2", "192.168.0.12")):
        found = ask(cluster, source, f"{HOST}:9000")
        assert found.success, (source, found.blockers)
        got = found.forward[-1].headers_in
        assert (header(got, IP).src, header(got, IP).dst, header(got, L4).dport) == (seen, "10.244.0.9", 8080)
        assert header(found.reverse[-1].headers_in, IP).src == HOST
    assert ask(cluster, "internet", f"{OTHER}:9000").verdict is Verdict.NOBODY_LISTENING


def test_a_service_on_the_same_node_port_comes_before_a_host_port() -> None:
    """PX-01: kube-proxy's rules stand before portmap's."""
    web = service("shop/np", app="web", type="NodePort", clusterIP="10.96.0.60")
    web["spec"]["ports"][0]["nodePort"] = 30087
    taken = hosted()
    taken["spec"]["containers"][0]["ports"][0]["hostPort"] = 30087
    found = ask(build(web, taken), "internet", f"{HOST}:30087")
    assert found.success and found.waypoints[-1].ref in ("pod:shop/web-1", "pod:shop/web-2")


def crashed(reason: str = "CrashLoopBackOff") -> list[Obj]:
    made = base()
    made[3]["status"]["containerStatuses"] = [
        {"name": "main", "ready": False, "state": {"waiting": {"reason": reason}}}
    ]
    return made


def test_a_container_that_does_not_run_refuses() -> None:
    """LIF-04, NET-03: the sandbox keeps the address, nobody listens on it."""
    found = ask(Cluster.from_objects(crashed()), "shop/client", "pod:shop/web-1:8080")
    assert found.verdict is Verdict.NOBODY_LISTENING
    assert found.blockers[0].why == "container main is not running: CrashLoopBackOff"


def test_one_container_of_two_that_does_not_run_closes_its_own_ports() -> None:
    """LIF-04, NET-03."""
    made = crashed()
    made[3]["spec"]["containers"].append({"name": "sidecar", "ports": [{"containerPort": 9090}]})
    made[3]["status"]["containerStatuses"].append({"name": "sidecar", "ready": True, "state": {"running": {}}})
    cluster = Cluster.from_objects(made)
    assert ask(cluster, "shop/client", "pod:shop/web-1:8080").verdict is Verdict.NOBODY_LISTENING
    assert ask(cluster, "shop/client", "pod:shop/web-1:9090").success


def test_pods_that_want_one_host_port_go_to_different_nodes() -> None:
    """NET-02, LIF-10: the one for which no node is left stays Pending."""
    waiting = []
    for index in range(3):
        made = hosted(f"shop/w{index}", "")
        made["spec"].pop("nodeName")
        made["status"] = {}
        waiting.append(made)
    waiting[2]["spec"] |= {"hostNetwork": True}
    waiting[2]["spec"]["containers"][0]["ports"] = [{"containerPort": 9000}]
    cluster = Cluster.from_objects([node("n1"), node("n2"), *waiting], Settings())
    placed = [cluster.pods[("shop", f"w{index}")] for index in range(3)]
    assert sorted(one.node for one in placed) == ["", "n1", "n2"]
    assert [one.phase for one in placed if not one.node] == ["Pending"]


def test_the_masquerade_on_the_way_to_a_host_port_is_portmaps() -> None:
    """NET-02: the plugin marks and masquerades with chains of its own."""
    found = ask(build(hosted()), "shop/client", f"{HOST}:9000")
    (step,) = [step for hop in found.forward for step in hop.steps if step.reason == "masqueraded"]
    assert (step.component, step.chain, step.settings) == ("portmap", "CNI-HOSTPORT-MASQ", ("host_ports",))
