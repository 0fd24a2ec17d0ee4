"""A further request over an open connection to a proxy, and policies that cut connections: `trace` with ``opened``."""

from __future__ import annotations

import msgspec
import pytest

from clusterviz.capture.sights import flows
from clusterviz.capture.talk import conversation
from clusterviz.engine import Cluster, Probe, Settings, Verdict, trace
from clusterviz.engine.packet import L4
from clusterviz.engine.sensitivity import settings_that_matter
from clusterviz.engine.trace import Trace
from tests.engine.gateway_world import gateway, route, rule
from tests.engine.test_ongoing import FIRST, WALL, reasons, there, without
from tests.engine.test_rules_gateway_traces import data_plane
from tests.engine.test_rules_ingress import KIND, front, ingress
from tests.engine.world import Obj, base, build, header, pod

URL = "http://shop.example.com/"
SITE = ingress("site", ("shop.example.com", "Prefix", "/", "web"))
INGRESS = (SITE, KIND, front())
GATEWAY = (gateway("shop/gw"), route("shop/web", rule("web"), hosts=["shop.example.com"]), *data_plane())
CUTS = Settings(policies_cut_connections=True)


def further(now: Cluster, *before: Obj, source: str = "internet") -> Trace:
    """The next request over a connection opened when there was nothing else but these objects."""
    return trace(now, Probe.parse(source, URL), opened=build(*before))


def flags(found: Trace) -> set[str]:
    return {header(hop.headers_out, L4).flags for hop in found.forward if hop.headers_out}


@pytest.mark.parametrize("way", [INGRESS, GATEWAY])
@pytest.mark.parametrize("source", ["internet", "spy/spy-1"])
def test_a_proxy_sends_a_further_request_over_the_connection_it_has(way: tuple[Obj, ...], source: str) -> None:
    """ING-11, GW-13, NP-07: both legs are open, so a policy that came spares both."""
    for extra in ((), (WALL,)):
        found = further(build(*way, *extra), *way, source=source)
        assert found.success and found.symptom == "the connection goes on" and flags(found) == {"ACK"}
        assert "proxied_on" in reasons(found) and not {"proxied", "session_made"} & set(reasons(found))
        assert ("policy_spares" in reasons(found)) == bool(extra)
        assert [one.code for one in found.assumptions].count("proxy-keeps") == 1
        assert found.reverse and there(found) == there(trace(build(*way), found.probe))
    assert msgspec.json.encode(found.to_dict())


def test_a_backend_the_proxy_was_not_connected_to_gets_a_new_connection() -> None:
    """ING-11: the client's leg goes on, the second is decided anew, and the proxy answers for what becomes of it."""
    moved = ingress("site", ("shop.example.com", "Prefix", "/", "db"))
    moved["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = {"number": 5432}
    found = further(build(moved, *INGRESS[1:]), *INGRESS)
    assert found.success and there(found) == "pod:shop/db-0" and flags(found) == {"ACK", "SYN"}
    assert "proxied" in reasons(found) and {one.state for one in found.sessions} == {"ESTABLISHED", "NEW"}
    wall = msgspec.json.decode(msgspec.json.encode(WALL))
    wall["spec"]["podSelector"] = {"matchLabels": {"app": "db"}}
    found = further(build(moved, *INGRESS[1:], wall), *INGRESS)
    assert found.verdict is Verdict.DENIED_INGRESS and found.symptom == "HTTP 504 from the Ingress controller"


def test_what_the_proxy_answers_itself_comes_over_the_open_connection() -> None:
    """ING-08."""
    other = ingress("site", ("other.example.com", "Prefix", "/", "web"))
    found = further(build(other, *INGRESS[1:]), *INGRESS)
    assert (found.verdict, found.symptom) == (Verdict.NO_INGRESS_RULE, "HTTP 404 from the Ingress controller")
    assert flags(found) == {"ACK"}


def backend() -> str:
    """The pod that the first request came to."""
    return there(trace(build(*INGRESS), Probe.parse("internet", URL))).rpartition("/")[2]


def restarted(name: str) -> list[Obj]:
    made = base()
    for one in made:
        if one["metadata"]["name"] == name:
            one["status"]["containerStatuses"] = [{"name": "main", "ready": True, "restartCount": 1}]
    return made


def test_restarts_end_connections() -> None:
    """LIF-04: the proxy saw a backend's end and calls it again; its own end the client learns by a reset."""
    found = further(Cluster.from_objects([*restarted(backend()), *INGRESS], Settings()), *INGRESS)
    assert found.success and "proxied" in reasons(found) and flags(found) == {"ACK", "SYN"}
    found = further(Cluster.from_objects([*restarted("ctl"), *INGRESS], Settings()), *INGRESS)
    assert (found.verdict, found.symptom) == (Verdict.NOBODY_LISTENING, "connection reset by peer, at once")


def test_a_balancer_that_is_a_proxy_keeps_its_own_connection() -> None:
    """SVC-07: each connection of a client has one of the balancer's."""
    proxy = front()
    proxy["status"] = {"loadBalancer": {"ingress": [{"ip": "198.51.100.7", "ipMode": "Proxy"}]}}
    way = (SITE, KIND, proxy)
    found = further(build(*way), *way)
    assert found.success and {"balancer_proxied", "proxied_on"} <= set(reasons(found)) and flags(found) == {"ACK"}


@pytest.mark.parametrize("kept", [True, False])
def test_captures_show_a_handshake_only_of_a_new_connection(kept: bool) -> None:
    found = further(Cluster.from_objects([*(base() if kept else restarted(backend())), *INGRESS], Settings()), *INGRESS)
    packets, _ = conversation(found, flows(found), 0)
    spoken = [(one.sight.point.label, one.say) for one in packets]
    assert {say.flags for label, say in spoken if label.startswith("client")} == {"PSH,ACK", "ACK"}
    assert any(say.flags == "SYN" for _, say in spoken) is not kept
    requests = [say.payload for _, say in spoken if say.payload.startswith(b"GET ")]
    assert requests and all(b"Connection: keep-alive" in one for one in requests)
    assert any(say.payload.startswith(b"HTTP/1.1 200") for _, say in spoken)


def test_a_plugin_that_cuts_connections_is_a_setting() -> None:
    """NP-22: the same packet under both; each trace names the setting."""
    now = build(WALL)
    spared = trace(now, Probe.parse("shop/client", "http://web/"), opened=build())
    cut = trace(now.with_settings(CUTS), Probe.parse("shop/client", "http://web/"), opened=build())
    assert spared.success and cut.verdict is Verdict.DENIED_INGRESS
    assert cut.symptom.startswith("the connection hangs") and not cut.reverse
    for found, world, other in ((spared, now, False), (cut, now.with_settings(CUTS), True)):
        named = {name for hop in found.forward for step in hop.steps for name in step.settings}
        assert "policies_cut_connections" in named
        (told,) = [one for one in settings_that_matter(world, found) if one["name"] == "policies_cut_connections"]
        assert (told["value"], told["other"], told["changes"]) == (other, not other, "verdict")
    allowed = trace(build(settings=CUTS), Probe.parse("shop/client", "http://web/"), opened=build())
    assert allowed.success and there(allowed).endswith(FIRST) and settings_that_matter(build(), allowed) == []
    new = trace(build(WALL, settings=CUTS), Probe.parse("shop/client", "http://web/"))
    assert not any("policies_cut_connections" in step.settings for hop in new.forward for step in hop.steps)


def test_a_cut_connection_to_a_pod_that_is_gone_says_both() -> None:
    """TRC-04: all blockers."""
    probe = Probe.parse("shop/client", "http://web/")
    mute = {"spec": {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"]}}
    deny = WALL | mute | {"metadata": {"name": "mute", "namespace": "shop"}}
    now = without(FIRST, and_=(deny, pod("shop/other", "10.244.2.77", "n3", app="x"))).with_settings(CUTS)
    found = trace(now, probe, opened=build())
    assert [one.verdict for one in found.blockers] == [Verdict.DENIED_EGRESS, Verdict.POD_GONE]
