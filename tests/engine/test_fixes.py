"""The smallest changes that let a packet arrive: each verdict's, carried out once more from their YAML alone."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterviz.engine import Change, Cluster, EngineError, Probe, Settings, Trace, Verdict, trace
from clusterviz.engine.fixes import suggest
from clusterviz.engine.objects import ref_of
from clusterviz.engine.probe import parse_destination
from clusterviz.engine.trace import Fix
from tests.engine.world import Obj, ask, base, build, node, pod, policy, service
from tests.strategies import clusters, probes


def patched(obj: Any, patch: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    kept = {
        name: value for name, value in (obj if isinstance(obj, dict) else {}).items() if patch.get(name, 0) is not None
    }
    return kept | {name: patched(kept.get(name), value) for name, value in patch.items() if value is not None}


def carried_out(cluster: Cluster, probe: Probe, fixes: list[Fix]) -> Trace:
    """What becomes of the probe after a group of fixes, from nothing but what a person is shown."""
    for fix in fixes:
        if fix.kind == "setting":
            after = msgspec.structs.replace(cluster.settings, **{fix.setting: msgspec.json.decode(fix.value)})
            cluster = Cluster.from_objects(cluster.objects.values(), after)
        elif fix.kind == "call":
            destination, request = parse_destination(fix.value)
            protocol: Any = fix.protocol
            probe = msgspec.structs.replace(probe, destination=destination, request=request, protocol=protocol)
        elif fix.kind == "create":
            cluster = cluster.apply([Change("set", yaml.safe_load(fix.patch))])
        else:
            (key,) = [key for key in cluster.objects if ref_of(key) == fix.ref]
            cluster = cluster.apply([Change("set", patched(cluster.objects[key], yaml.safe_load(fix.patch)))])
            managed = [key for key, obj in cluster.objects.items() if key[0] == "EndpointSlice" and MANAGED in str(obj)]
            cluster = cluster.apply([Change("unset", key) for key in managed])  # their controller writes them anew
            cluster = Cluster.from_objects(cluster.objects.values(), cluster.settings)
    return trace(cluster, probe)


def groups(fixes: tuple[Fix, ...]) -> list[list[Fix]]:
    return [list(group) for _, group in groupby(fixes, key=lambda fix: fix.group)]


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


# Objects that must not be completed: a pod would be assumed behind every endpoint.
AS_THEY_ARE = ("a hand-written endpoint is gone",)


@pytest.mark.parametrize("name", CASES)
def test_each_verdict_has_a_fix_that_works(name: str) -> None:
    """The wanted fix is among the suggestions, and every suggested group makes the packet arrive."""
    extra, options, source, to, verdict, title = CASES[name]
    replaced = {(obj["kind"], obj["metadata"]["name"]) for obj in extra}
    kept = [obj for obj in base() if (obj["kind"], obj["metadata"]["name"]) not in replaced]
    cluster = Cluster.from_objects([*kept, *extra], Settings(**options), expand=name not in AS_THEY_ARE)
    probe = Probe.parse(source, to, protocol="" if ":" in to else "ICMP")
    asked = (trace(cluster, msgspec.structs.replace(probe, seed=seed)) for seed in range(8))
    failed = next(one for one in asked if not one.success)
    assert failed.verdict is verdict
    found = suggest(cluster, failed)
    assert found and all(fix.verified for fix in found)
    assert any(title in fix.title for fix in found), [fix.title for fix in found]
    for group in groups(found):
        assert carried_out(cluster, failed.probe, group).success, [fix.title for fix in group]


def test_several_blockers_make_one_set_of_changes() -> None:
    """NP-06: each of the two policies needs its rule."""
    extra, _, source, to, *_ = CASES["both policies"]
    cluster = build(*extra)
    (first, *_) = groups(suggest(cluster, ask(cluster, source, to)))
    assert [fix.ref for fix in first] == ["policy:spy/out", "policy:shop/in"]
    assert not carried_out(cluster, ask(cluster, source, to).probe, first[:1]).success


def test_a_rule_is_added_to_those_there_are() -> None:
    """NP-03: a merge patch replaces lists, so the old rules stand in it too."""
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}
    cluster = build(policy("shop/in", "db", ingress=[rule]))
    (first, *_) = suggest(cluster, ask(cluster, "spy/spy-1", "10.244.2.2:5432"))
    rules = yaml.safe_load(first.patch)["spec"]["ingress"]
    assert rules[0] == rule and len(rules) == 2
    assert rules[1]["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "spy"}},
            "podSelector": {"matchLabels": {"app": "spy"}},
        }
    ]
    assert rules[1]["ports"] == [{"protocol": "TCP", "port": 5432}]
    assert first.command.startswith("kubectl patch networkpolicy in -n shop --type merge -p '{")


def test_what_arrives_needs_no_fix() -> None:
    assert suggest(build(), ask(build(), "shop/client", "http://web/")) == ()


def test_what_cannot_be_verified_is_told_as_such() -> None:
    """A pod that is Pending has no address to call; the Service in front of it has nobody either."""
    waiting = pod("shop/late", "10.244.2.9", "n3", app="late")
    waiting["status"] = {"phase": "Pending", "podIP": "10.244.2.9"}
    cluster = build(waiting, service("shop/late", app="late"))
    found = suggest(cluster, ask(cluster, "shop/client", "10.244.2.9:8080"))
    assert [fix.verified for fix in found] == [False] * len(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_every_verified_group_lets_the_packet_arrive(data: st.DataObject) -> None:
    """Random clusters: what is told as verified is, when done from the YAML that is shown."""
    cluster = data.draw(clusters())
    probe = data.draw(probes(cluster))
    try:
        failed = trace(cluster, probe)
    except EngineError:
        return
    found = suggest(cluster, failed)
    assert not (failed.success and found)
    for group in groups(tuple(fix for fix in found if fix.verified)):
        assert carried_out(cluster, probe, group).success, [fix.title for fix in group]
