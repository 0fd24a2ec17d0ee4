"""Laws: no configuration object and no name makes the engine stumble."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine import Settings
from clusterviz.engine.addresses import family
from clusterviz.engine.datapath.dns import query
from clusterviz.engine.infer_settings import infer
from clusterviz.engine.objects import key_of
from clusterviz.engine.settings_check import check_settings, fields, plain
from tests.engine.test_rules_dns_answers import ZONE, world
from tests.engine.world import Obj

CLUSTER = world()
LABELS = [
    "svc",
    "pod",
    "ns1",
    "one",
    "head",
    "ext",
    "twin",
    "_http",
    "_tcp",
    "x",
    "*",
    "172-0-0-2",
    "ns",
    "dns",
    "K8S",
    "void",
]
names = st.lists(st.sampled_from(LABELS), max_size=6).flatmap(
    lambda labels: st.sampled_from(
        [".".join([*labels, ZONE]), ".".join(labels), ".".join([*labels, "10.in-addr.arpa"])]
    )
)
kinds = st.sampled_from(["A", "AAAA", "SRV", "CNAME", "PTR", "NS", "SOA", "TXT", "MX", "ANY"])


@settings(max_examples=150, deadline=None)
@given(name=names, kind=kinds)
def test_every_question_has_a_sound_answer(name: str, kind: str) -> None:
    """DNS-06: a known rcode; records or an SOA, never both; addresses of the family that was asked."""
    answer = query(CLUSTER, name, kind)
    assert answer.rcode in ("NOERROR", "NXDOMAIN", "FORWARDED")
    if answer.rcode == "FORWARDED":
        assert answer.upstream and not answer.records
    else:
        assert bool(answer.records) is not bool(answer.authority)
    assert answer.rcode == "NOERROR" or not answer.records
    assert answer.rules
    for record in answer.records:
        if record.type in ("A", "AAAA"):
            assert family(record.value) == {"A": 4, "AAAA": 6}[record.type] and record.type == kind
    if answer.rcode == "NXDOMAIN" and kind != "TXT":
        others = {query(CLUSTER, name, other).rcode for other in ("A", "AAAA", "MX")}
        assert others == {"NXDOMAIN"}


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70000),
    st.sampled_from(
        ["", "vxlan", "Always", "IPIPCrossSubnet", "10.0.0.0/30", "fd00::/8", "10.0.0.0/8,fd00::/56", "1s", "x", "true"]
    ),
    st.text(max_size=5),
)
KEYS = [
    "mode", "clusterCIDR", "detectLocalMode", "iptables", "nftables", "ipvs", "masqueradeAll", "minSyncPeriod",
    "nodePortAddresses", "scheduler", "networking", "podSubnet", "serviceSubnet", "dnsDomain", "Network", "IPv6Network",
    "EnableIPv6", "Backend", "Type", "Port", "VNI", "DirectRouting", "plugins", "delegate", "type", "spec", "ipPools",
    "calicoNetwork", "cidr", "encapsulation", "ipipMode", "template", "containers", "env", "name", "value",
]  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
WORDS = [
    "kubernetes",
    "pods",
    "verified",
    "ttl",
    "{",
    "}",
    "cluster.local",
    "in-addr.arpa",
    "fallthrough",
    "forward",
    ".",
    "[::1",
    "#",
    "\n",
    ".:53",
]
texts = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(tree=trees, text=texts)
def test_no_configuration_object_stops_a_snapshot(tree: Any, text: str) -> None:
    """What cannot be used is told; what comes out are sound settings."""
    as_yaml, as_json = yaml.safe_dump(tree), json.dumps(tree)
    maps: dict[str, Any] = {
        "kube-proxy": {"config.conf": as_yaml},
        "kubeadm-config": {"ClusterConfiguration": as_yaml},
        "coredns": {"Corefile": text},
        "kube-flannel-cfg": {"net-conf.json": as_json, "cni-conf.json": as_json},
        "cilium-config": tree,
    }
    objects: list[Obj] = [
        {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "kube-system"}, "data": data}
        for name, data in maps.items()
    ]
    objects += [
        {"kind": "Installation", "metadata": {"name": "default"}, "spec": tree},
        {"kind": "IPPool", "metadata": {"name": "pool"}, "spec": tree},
        {"kind": "DaemonSet", "metadata": {"name": "calico-node", "namespace": "kube-system"}, "spec": tree},
    ]
    found = infer({key_of(obj): obj for obj in objects}).settings
    flaws = check_settings({name: value for name, value in plain(found).items() if name != "dns_ip"})
    assert [flaw for flaw in flaws if flaw.field != "dns_ip"] == []


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from([*fields(), "nope"]), trees, max_size=4))
def test_any_values_are_checked_without_stumbling(values: dict[str, Any]) -> None:
    """Sound or told; sound ones make `Settings`."""
    for flaw in check_settings(values):
        assert flaw.field and flaw.message


def test_the_defaults_are_sound() -> None:
    """What everything starts from."""
    assert check_settings(plain(Settings())) == []
