"""Every mechanism alone, from plain and partial objects."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from clusterviz.engine import Cluster, Probe, Settings, ask
from clusterviz.engine.errors import ObjectError, ProbeError

VIP = "172.30.0.41"


def service(**spec):
    return {
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"clusterIP": VIP, "ports": [{"port": 80}], **spec},
    }


def endpoints(*addresses, port=8080, **more):
    return {
        "kind": "EndpointSlice",
        "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"addresses": [address], **more} for address in addresses],
        "ports": [{"port": port}],
    }


def call(objects, **more):
    return ask.service(objects, **{"source": "10.244.3.9", "destination": VIP, "port": 80, **more})


def test_a_service_and_slices_without_pods_or_nodes():
    """SVC-12, PX-03, PX-16."""
    found = call([service(), endpoints("10.180.0.1", "192.0.2.7")])
    assert (found.verdict, found.effect, found.via, found.service) == ("accept", "dnat", "cluster", "shop/web")
    assert found.endpoints == ("10.180.0.1:8080", "192.0.2.7:8080")
    assert [one.probability for one in found.targets] == [0.5, 0.5]
    assert json.loads(json.dumps(found.to_dict()))["endpoints"] == list(found.endpoints)


def test_nobody_and_what_is_no_service():
    """PX-07, PX-11."""
    assert call([service()]).effect == "reject"
    assert call([service()], port=81).verdict == "unknown_port"
    assert call([service()], port=81, settings={"proxy_mode": "nftables"}).effect == "reject"
    assert call([service()], destination="203.0.113.5").verdict == "not_a_service"


def test_only_the_hairpin_is_masqueraded():
    """PX-06: the other endpoints see the caller."""
    found = call([service(), endpoints("10.244.3.9", "10.244.3.10")])
    assert {one.address: one.masquerade for one in found.targets} == {"10.244.3.10": False, "10.244.3.9": True}
    assert found.masquerade == ""


@pytest.mark.parametrize("source", ["10.244.3.9", "10.244.3.10", "192.0.2.1"])
@pytest.mark.parametrize("masquerade_all", [False, True])
def test_masquerade_is_told_whatever_endpoint_would_be_drawn(source, masquerade_all):
    """PX-06, PX-08."""
    found = call(
        [service(), endpoints("10.244.3.9", "10.244.3.10")], source=source, settings={"masquerade_all": masquerade_all}
    )
    outside = masquerade_all or source == "192.0.2.1"
    assert [one.masquerade for one in found.targets] == [outside or one.address == source for one in found.targets]
    assert bool(found.masquerade) == outside


def test_a_node_that_is_only_a_name():
    """PX-12: a node port on the node asked about; another node's endpoint is not local to it (PX-05)."""
    node = {
        "kind": "Node",
        "metadata": {"name": "a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    }
    local = service(type="NodePort", externalTrafficPolicy="Local", ports=[{"port": 80, "nodePort": 30123}])
    objects = [
        node,
        local,
        endpoints("10.180.0.1", nodeName="a"),
    ]
    here = call(objects, node="a", source="203.0.113.9", destination="192.0.2.1", port=30123)
    assert (here.via, here.endpoints, here.masquerade) == ("nodeport", ("10.180.0.1:8080",), "")
    own = ask.world(objects, node="b").nodes["b"].ip
    there = call(objects, node="b", source="203.0.113.9", destination=own, port=30123)
    assert there.verdict == "drop"


def test_from_node_is_known_by_the_address():
    """PX-05, PX-08."""
    node = {
        "kind": "Node",
        "metadata": {"name": "a"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    }
    objects = [
        node,
        service(externalIPs=["198.18.0.1"], externalTrafficPolicy="Local", type="NodePort"),
        endpoints("10.180.0.1"),
    ]
    assert call(objects, source="192.0.2.1", destination="198.18.0.1").endpoints
    assert call(objects, source="192.0.2.2", destination="198.18.0.1").verdict == "drop"


def test_pods_that_have_only_an_address():
    """NP-02, NP-10, NP-12: with labels, without names, nodes or namespaces."""
    pod = {"kind": "Pod", "metadata": {"labels": {"app": "db"}}, "status": {"podIP": "10.1.2.3"}}
    other = {"kind": "Pod", "metadata": {"labels": {"app": "web"}}, "status": {"podIP": "10.1.2.4"}}
    policy = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "db"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "db"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 5432}]}],
        },
    }
    objects = [pod, other, policy]
    assert ask.policy(objects, source="10.1.2.4", destination="10.1.2.3", port=5432).allowed
    assert not ask.policy(objects, source="10.1.2.4", destination="10.1.2.3", port=80).allowed
    assert not ask.policy(objects, source="192.0.2.9", destination="10.1.2.3", port=5432).allowed
    assert not ask.policy(objects, source="10.1.2.4", destination="10.1.2.3", port=5432, protocol="udp").allowed
    assert ask.policy(objects, source="10.1.2.3", destination="10.1.2.4", port=1).allowed


def test_a_name():
    """DNS-01, DNS-06, DNS-11."""
    objects = [
        service(),
        {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}, "status": {"podIP": "10.1.2.3"}},
    ]
    assert ask.dns(objects, "web.shop.svc.cluster.local").addresses == (VIP,)
    assert ask.dns(objects, "api.shop.svc.cluster.local").rcode == "NXDOMAIN"
    assert ask.dns(objects, "web.shop.svc.example.org", settings={"cluster_domain": "example.org"}).addresses == (VIP,)
    assert ask.look_up(objects, "web", pod="shop/a").addresses == (VIP,)
    assert ask.resolv(objects, pod="shop/a").searches[0] == "shop.svc.cluster.local"


def test_a_request():
    """ING-05, GW-11."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "shop.example.com", "http": {"paths": [{"path": "/a", "pathType": "Prefix", "backend": backend}]}}
    ingress = {"kind": "Ingress", "metadata": {"name": "i", "namespace": "shop"}, "spec": {"rules": [rule]}}
    found = ask.ingress([ingress], "http://shop.example.com/a/b")
    assert found.backend is not None and found.backend.service == "web"
    assert ask.ingress([ingress], "http://shop.example.com/ab").backend is None
    moved = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
    route = {"kind": "HTTPRoute", "metadata": {"name": "r"}, "spec": {"rules": [{"filters": [moved]}]}}
    answer = ask.http_route([route], "http://shop.example.com/a?b=c", headers={"X": "y"})
    assert answer.redirect is not None
    assert (answer.redirect.status, answer.redirect.location) == (302, "https://shop.example.com/a?b=c")


def test_rules_and_routes():
    """IPT-14, NFT-03, NET-09."""
    objects = [service(), endpoints("10.180.0.1")]
    assert f"-d {VIP}/32" in ask.rules(objects)
    assert f"{VIP} . tcp . 80" in ask.rules(objects, mode="nftables", service="shop/web")
    pod = {"kind": "Pod", "metadata": {}, "spec": {"nodeName": "b"}, "status": {"podIP": "10.1.2.3"}}
    node = {"kind": "Node", "metadata": {"name": "b"}, "spec": {"podCIDR": "10.1.2.0/24"}}
    assert ask.route([pod, node], destination="10.1.2.3", node="b").kind == "bridge"
    assert ask.route([pod, node], destination="10.1.2.3", node="a").kind == "overlay"


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (lambda: call([], source="here"), "source"),
        (lambda: call([], destination="x"), "destination"),
        (lambda: call([], protocol="http"), "protocol"),
        (lambda: call([], settings={"proxy_mode": "ebpf"}), "settings"),
        (lambda: call([], settings={"colour": "red"}), "settings"),
        (lambda: ask.rules([], mode="ipvs"), "mode"),
        (lambda: ask.resolv([], pod="shop/a"), "pod"),
        (lambda: ask.ingress([], "ftp://x/"), "url"),
        (lambda: ask.ingress([], "http://[x/"), "url"),
        (lambda: ask.http_route([], "example.com"), "url"),
    ],
)  # fmt: skip
def test_questions_that_cannot_be_asked(question, field):
    with pytest.raises(ProbeError) as error:
        question()
    assert error.value.field == field


def test_an_object_that_cannot_be_read():
    with pytest.raises(ObjectError):
        call([service(ports="80")])
    with pytest.raises(ObjectError):
        call(["service"])


def test_a_cluster_can_be_asked_too():
    slices = msgspec.to_builtins(endpoints("10.180.0.1"))
    slices["metadata"]["name"] = "web-1"
    cluster = Cluster.from_objects([service(), slices], Settings(), expand=False)
    assert call(cluster).endpoints == ("10.180.0.1:8080",)
    assert (
        call(cluster, port=81, settings=msgspec.structs.replace(Settings(), proxy_mode="nftables")).effect == "reject"
    )
    assert ask.world(cluster, node="n9").nodes["n9"].ip


def sticky(*ready):
    entries = [
        {"addresses": [f"10.180.0.{index}"], "nodeName": f"n{index}", "conditions": {"ready": one}}
        for index, one in enumerate(ready, 1)
    ]
    return [
        {
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "172.30.0.41",
                "externalTrafficPolicy": "Local",
                "healthCheckNodePort": 31999,
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
                "ports": [{"port": 80}],
            },
        },
        {
            "kind": "EndpointSlice",
            "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": entries,
            "ports": [{"port": 8080}],
        },
    ]


def test_session_affinity_over_time():
    """SVC-14, SVC-15: kept within the time-out, drawn anew after it and when the endpoint left."""
    one, other = "10.180.7.7", "10.180.7.8"
    calls = [(one, 0.0), (one, 59.0), (other, 60.0), (one, 119.0), (one, 180.0)]
    to: dict[str, Any] = {"destination": "172.30.0.41", "port": 80}
    found = ask.affinity(sticky(True, True, True), connections=calls, **to)
    first = found.connections[0].endpoint
    assert [each.sticky for each in found.connections] == ["new", "kept", "new", "kept", "new"]
    assert {found.connections[index].endpoint for index in (0, 1, 3)} == {first}
    left = [f"10.180.0.{index}:8080" != first for index in (1, 2, 3)]
    before = ask.affinity(sticky(True, True, True), connections=calls[:1], **to).remembered
    gone = ask.affinity(sticky(*left), connections=[(one, 10.0)], remembered=before, **to)
    assert gone.connections[0].sticky == "new" and gone.connections[0].endpoint != first
    assert gone.to_dict()["connections"][0]["endpoint"] == gone.connections[0].endpoint


def test_health_checks_alone():
    """PX-14."""
    objects = sticky(True, False)
    answers = [ask.health(objects, port=31999, node=name) for name in ("n1", "n2", "n3")]
    assert [(one.status, one.local_endpoints) for one in answers if one] == [(200, 1), (503, 0), (503, 0)]
    assert answers[0] is not None and answers[0].to_dict()["service"] == "shop/web"
    assert ask.health(objects, port=31998, node="n1") is None


def test_an_ipv4_mapped_address_is_the_ipv4_address():
    answer = ask.service(sticky(True), source="::ffff:10.180.7.7", destination="::ffff:ac1e:29", port=80)
    assert answer.verdict == "accept" and answer.endpoints == ("10.180.0.1:8080",)
    probe = Probe.parse("::ffff:203.0.113.9", "http://[::FFFF:172.30.0.41]:80/")
    assert (probe.source.ip, probe.destination.ip) == ("203.0.113.9", "172.30.0.41")
    assert Probe.parse("FD00:0::1", "[FD00:0::2]:80").destination.ip == "fd00::2"
