"""What a change of the cluster does to a connection that is open: `trace` with ``opened``."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Probe, ProbeError, Settings, Verdict, trace
from clusterviz.engine.fixes import suggest
from clusterviz.engine.packet import L4
from clusterviz.engine.sensitivity import settings_that_matter
from clusterviz.engine.trace import Action, Trace
from tests.engine.world import Obj, base, build, header, pod, policy, service

WALL = policy("shop/wall", "web", policyTypes=["Ingress"])
MUTE = policy("shop/mute", "client", policyTypes=["Egress"])
BALANCED = service("shop/edge", app="web", type="LoadBalancer")


def without(*names: str, and_: tuple[Obj, ...] = ()) -> Cluster:
    kept = [one for one in base() if one["metadata"]["name"] not in names]
    return Cluster.from_objects([*kept, *and_], Settings())


def later(
    now: Cluster, to: str = "http://web/", *, source: str = "shop/client", opened: Cluster | None = None
) -> Trace:
    """A later packet of a call that was made in the classroom as it is at first."""
    return trace(now, Probe.parse(source, to), opened=opened or build())


def reasons(found: Trace) -> list[str]:
    return [step.reason for hop in found.forward for step in hop.steps]


def there(found: Trace) -> str:
    return found.forward[-1].place.ref


FIRST = there(trace(build(), Probe.parse("shop/client", "http://web/"))).rpartition("/")[2]
OTHER = {"web-1": "web-2", "web-2": "web-1"}[FIRST]


@pytest.mark.parametrize("wall", [WALL, MUTE])
def test_a_policy_that_came_later_spares_an_open_connection(wall: Obj) -> None:
    """NP-07, NP-22: that is the plugin's choice, and the trace says that a new connection would be stopped."""
    now = build(wall)
    assert trace(now, Probe.parse("shop/client", "http://web/")).verdict in ("denied_ingress", "denied_egress")
    found = later(now)
    assert found.success and found.symptom == "the connection goes on"
    assert "policy_spares" in reasons(found)
    (told,) = [one.text for one in found.assumptions if one.code == "open-connections-spared"]
    assert wall["metadata"]["name"] in told and "some cut it" in told
    assert "over its open connection" in found.to_dict()["forward"][0]["steps"][0]["explain"]["novice"]
    assert found.reverse and header(found.forward[0].headers_out, L4).flags == "ACK"
    assert {header(hop.headers_out, L4).flags for hop in found.reverse if hop.headers_out} == {"ACK"}


def test_the_entry_is_followed_and_nobody_chooses_again() -> None:
    """PX-17, TRC-04: whatever became of the Service, its endpoints or a better one."""
    unready = pod(f"shop/{FIRST}", "10.244.0.2" if FIRST == "web-1" else "10.244.1.2", "n1", app="web")
    unready["spec"]["nodeName"] = "n1" if FIRST == "web-1" else "n2"
    unready["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    worlds = [without("web", and_=(pod("shop/web-1", "10.244.0.2", "n1", app="web"),)) if FIRST == "web-1" else build()]
    worlds += [without(FIRST, and_=(unready,)), without(OTHER)]
    for now in worlds:
        found = later(now)
        assert found.success and there(found) == f"pod:shop/{FIRST}"
        assert "load_balanced" not in reasons(found) and "translated_on" in reasons(found)
        assert {one.state for one in found.sessions} == {"ESTABLISHED"}
        assert not any(step.action is Action.SESSION_MADE for hop in found.forward for step in hop.steps)


def test_affinity_and_the_open_connection_are_two_memories() -> None:
    """SVC-14, PX-17: whether stickiness came or went, the entry says where the packet goes."""
    sticky = service("shop/web", app="web", clusterIP="10.96.0.20", sessionAffinity="ClientIP")
    for opened, now in ((without("web", and_=(sticky,)), build()), (build(), without("web", and_=(sticky,)))):
        first = there(trace(opened, Probe.parse("shop/client", "http://web/")))
        found = later(now, opened=opened)
        assert found.success and there(found) == first and "load_balanced" not in reasons(found)


def test_a_service_that_is_deleted_leaves_its_connections() -> None:
    """PX-17."""
    now = Cluster.from_objects([one for one in base() if one["kind"] != "Service"], Settings())
    assert later(now).success
    with pytest.raises(ProbeError):
        later(now, "http://nowhere/")


@pytest.mark.parametrize(
    ("now", "verdict", "symptom"),
    [
        (without(FIRST), "pod_gone", "the connection hangs: TCP sends again"),
        (
            without(FIRST, and_=(pod("spy/new", "10.244.0.2" if FIRST == "web-1" else "10.244.1.2", "n1", app="x"),)),
            "nobody_listening",
            "connection reset by peer",
        ),
    ],
)
def test_an_endpoint_that_is_gone(now: Cluster, verdict: str, symptom: str) -> None:
    """PX-17, IPM-04: a TCP entry stays; nobody answers, or somebody who knows nothing of the connection."""
    found = later(now)
    assert found.verdict == verdict and found.symptom.startswith(symptom), found.symptom
    assert [(one.title, one.value, one.verified) for one in suggest(now, found)] == [
        ("Open a new connection.", "http://10.96.0.20:80/", True)
    ]
    assert settings_that_matter(now, found) == []


def restarted() -> Cluster:
    made = next(one for one in base() if one["metadata"]["name"] == FIRST)
    made["status"]["containerStatuses"] = [{"name": "main", "ready": True, "restartCount": 1}]
    return without(FIRST, and_=(made,))


def test_a_restarted_process_resets_the_connection() -> None:
    """LIF-04: the pod keeps its address, the process does not keep its sockets."""
    found = later(restarted())
    assert (found.verdict, found.symptom) == (Verdict.NOBODY_LISTENING, "connection reset by peer, at once")
    assert "was restarted" in found.blockers[0].why


def dns(**spec: Any) -> list[Obj]:
    made = service("shop/names", app="web", port=53, target=8053, clusterIP="10.96.0.53", **spec)
    made["spec"]["ports"][0]["protocol"] = "UDP"
    return [made, policy("shop/open", "web", policyTypes=["Ingress"], ingress=[{}])]


@pytest.mark.parametrize("gone", [FIRST, OTHER])
def test_udp_entries_of_endpoints_that_no_longer_serve_are_flushed(gone: str) -> None:
    """PX-17: the next packet is decided anew; that of an endpoint which stays goes on."""
    made = dns()
    opened, probe = build(*made), Probe.parse("shop/client", "udp://10.96.0.53:53")
    first = there(trace(opened, probe))
    now = without(gone, and_=tuple(made))
    found = trace(now, probe, opened=opened)
    assert found.success
    flushed = first == f"pod:shop/{gone}"
    assert [one.code for one in found.assumptions].count("entry-flushed") == flushed
    assert ("load_balanced" in reasons(found)) == flushed
    assert there(found) == (f"pod:shop/{OTHER if gone == FIRST else FIRST}" if flushed else first)


def test_a_balancer_keeps_to_its_node() -> None:
    """PX-15: whatever node is healthier now; a node that is down takes its connections with it."""
    opened = build(BALANCED)
    probe = Probe.parse("internet", "service:shop/edge:80")
    first = trace(opened, probe)
    name = next(hop.node for hop in first.forward if hop.node)
    new = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": {"podCIDR": "10.244.9.0/24"}}
    found = trace(build(BALANCED, new), probe, opened=opened)
    assert [hop.node for hop in found.forward] == [hop.node for hop in first.forward]
    broken = next(one for one in base() if one["metadata"]["name"] == name)
    broken["metadata"]["annotations"] = {"clusterviz.dev/down": "true"}
    found = trace(without(name, and_=(BALANCED, broken)), probe, opened=opened)
    assert found.verdict is Verdict.NODE_DOWN and found.symptom.startswith("the connection hangs")


@pytest.mark.parametrize(
    ("to", "protocol", "field"), [("http://web:81/", "", "opened"), ("10.244.0.2", "ICMP", "protocol")]
)
def test_what_was_never_opened_cannot_go_on(to: str, protocol: str, field: str) -> None:
    with pytest.raises(ProbeError) as caught:
        trace(build(), Probe.parse("shop/client", to, protocol=protocol), opened=build())
    assert caught.value.field == field and caught.value.allowed
