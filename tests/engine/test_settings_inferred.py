"""Settings read from a cluster's own configuration objects (point 2: settings are data)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml

from clusterviz.engine import Cluster, Settings, Verdict
from clusterviz.engine.config_objects import corefile, seconds
from clusterviz.engine.datapath.place import route_for
from clusterviz.engine.errors import ObjectError
from clusterviz.engine.infer_settings import infer
from clusterviz.engine.objects import key_of
from clusterviz.engine.settings_check import differing, document
from tests.engine.world import Obj, ask, base, node, policy


def config_map(name: str, namespace: str = "kube-system", **data: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key.replace("_", "."): value for key, value in data.items()},
    }


def kube_proxy(**config: Any) -> Obj:
    return config_map("kube-proxy", config_conf=yaml.safe_dump({"kind": "KubeProxyConfiguration", **config}))


def flannel(backend: dict[str, Any], **more: Any) -> Obj:
    made = config_map("kube-flannel-cfg", "kube-flannel")
    made["data"] = {"net-conf.json": json.dumps({"Network": "10.5.0.0/16", "Backend": backend, **more})}
    return made


def coredns(inside: str, outside: str = "forward . /etc/resolv.conf") -> Obj:
    text = f".:53 {{\n  errors\n  kubernetes cluster.local in-addr.arpa ip6.arpa {{\n{inside}\n  }}\n  {outside}\n}}\n"
    return config_map("coredns", Corefile=text)


def daemon_set(name: str, env: dict[str, str] | None = None) -> Obj:
    variables = [{"name": key, "value": value} for key, value in (env or {}).items()]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{"name": name, "env": variables}]}}},
    }


def told(*objects: Obj) -> dict[str, Any]:
    """What is inferred besides the defaults."""
    return differing(infer({key_of(obj): obj for obj in objects}).settings)


CILIUM = {"tunnel-protocol": "geneve", "enable-policy": "default", "cluster-pool-ipv4-cidr": "10.9.0.0/16"}


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param([kube_proxy(mode="ipvs", clusterCIDR="10.244.0.0/16")], {"proxy_mode": "ipvs"}, id="PX-11 mode"),
        pytest.param([kube_proxy(mode="", clusterCIDR="")], {"detect_local": False}, id="PX-08 no CIDR, no detector"),
        pytest.param([kube_proxy(clusterCIDR="10.7.0.0/16")], {"cluster_cidr": "10.7.0.0/16"}, id="PX-08 cluster CIDR"),
        pytest.param(
            [kube_proxy(detectLocalMode="NodeCIDR")], {"detect_local_mode": "NodeCIDR"}, id="PX-08 another detector"
        ),
        pytest.param(
            [kube_proxy(detectLocalMode="NodeCIDR", iptables={"masqueradeAll": True, "localhostNodePorts": False})],
            {"detect_local_mode": "NodeCIDR", "masquerade_all": True, "localhost_nodeports": False},
            id="PX-08 PX-12 iptables options",
        ),
        pytest.param(
            [kube_proxy(mode="nftables", detectLocalMode="NodeCIDR", nodePortAddresses=["primary"])],
            {"detect_local_mode": "NodeCIDR", "proxy_mode": "nftables", "nodeport_addresses": ["primary"]},
            id="PX-12 node port addresses",
        ),
        pytest.param(
            [kube_proxy(mode="ipvs", detectLocalMode="NodeCIDR", ipvs={"scheduler": "sh", "minSyncPeriod": "5s"})],
            {"detect_local_mode": "NodeCIDR", "proxy_mode": "ipvs", "ipvs_scheduler": "sh", "min_sync_period": 5.0},
            id="IPV-01 PX-18",
        ),
        pytest.param(
            [
                kube_proxy(
                    detectLocalMode="InterfaceNamePrefix",
                    detectLocal={"interfaceNamePrefix": "cali", "bridgeInterface": "cbr0"},
                )
            ],
            {"detect_local_mode": "InterfaceNamePrefix", "detect_local_interface": "cali"},
            id="PX-08 by interface",
        ),
        pytest.param(
            [kube_proxy(mode="userspace", detectLocalMode="NodeCIDR")],
            {"detect_local_mode": "NodeCIDR"},
            id="unknown mode",
        ),
        pytest.param([config_map("kube-proxy", config_conf="a: [")], {}, id="no YAML"),
        pytest.param(
            [coredns("pods verified\nttl 10\nignore empty_service\nendpoint_pod_names")],
            {
                "dns_pod_mode": "verified",
                "dns_ttl": 10,
                "dns_ignore_empty_service": True,
                "dns_endpoint_pod_names": True,
            },
            id="DNS-03 DNS-08 DNS-09 DNS-10 options",
        ),
        pytest.param(
            [coredns("pods insecure\nttl 30\nfallthrough in-addr.arpa ip6.arpa.")],
            {"dns_fallthrough": ["in-addr.arpa", "ip6.arpa"]},
            id="DNS-07 fallthrough",
        ),
        pytest.param(
            [coredns("pods insecure\nttl 30\nfallthrough")], {"dns_fallthrough": ["."]}, id="DNS-07 every zone"
        ),
        pytest.param([config_map("coredns", Corefile="{\n{\n.:53 {\nkubernetes {\n")], {}, id="a torn Corefile"),
        pytest.param(
            [config_map("kubeadm-config", ClusterConfiguration="networking: {serviceSubnet: 10.2.0.0/30}")],
            {"service_cidr": "10.2.0.0/30"},
            id="SVC-02 too small for DNS's tenth address",
        ),
        pytest.param([coredns("")], {"dns_pod_mode": "disabled", "dns_ttl": 5}, id="DNS-08 DNS-09 CoreDNS's defaults"),
        pytest.param(
            [coredns("pods insecure\nttl 30", "forward . 9.9.9.9:53 tls://[2620:fe::fe]:853 dns.example")],
            {"dns_upstream": ["9.9.9.9", "2620:fe::fe"]},
            id="DNS-15 upstream",
        ),
        pytest.param(
            [
                config_map(
                    "kubeadm-config",
                    ClusterConfiguration="networking: {podSubnet: 10.1.0.0/16, "
                    "serviceSubnet: 10.2.0.0/16, dnsDomain: k8s.lan}",
                )
            ],
            {
                "cluster_cidr": "10.1.0.0/16",
                "service_cidr": "10.2.0.0/16",
                "dns_ip": "10.2.0.10",
                "cluster_domain": "k8s.lan",
            },
            id="IPM-01 SVC-02 DNS-01 kubeadm",
        ),
        pytest.param(
            [flannel({"Type": "vxlan", "Port": 4789, "VNI": 4096, "DirectRouting": True})],
            {
                "cluster_cidr": "10.5.0.0/16",
                "vxlan_port": 4789,
                "vni": 4096,
                "direct_routing": True,
                "enforce_policies": False,
            },
            id="NET-08 NET-11 NP-24 flannel",
        ),
        pytest.param(
            [flannel({"Type": "wireguard"}, EnableIPv6=True, IPv6Network="fd00::/56")],
            {"cluster_cidr": "10.5.0.0/16,fd00::/56", "network": "wireguard", "enforce_policies": False},
            id="NET-12 dual stack flannel",
        ),
        pytest.param(
            [flannel({"Type": "host-gw"}), daemon_set("kube-network-policies")],
            {"cluster_cidr": "10.5.0.0/16", "network": "host-gw"},
            id="NP-24 somebody else enforces",
        ),
        pytest.param(
            [flannel({"Type": "alivpc"})], {"cluster_cidr": "10.5.0.0/16", "enforce_policies": False}, id="cloud"
        ),
        pytest.param([daemon_set("kube-flannel-ds")], {"enforce_policies": False}, id="NP-24 flannel by its pods"),
        pytest.param(
            [
                daemon_set(
                    "calico-node", {"CALICO_IPV4POOL_IPIP": "CrossSubnet", "CALICO_IPV4POOL_CIDR": "192.168.0.0/16"}
                )
            ],
            {
                "node_cidr": "172.16.0.0/24",
                "cluster_cidr": "192.168.0.0/16",
                "network": "ipip",
                "direct_routing": True,
            },
            id="NET-11 NET-12 Calico, nodes beside the pods",
        ),
        pytest.param(
            [
                {
                    "apiVersion": "operator.tigera.io/v1",
                    "kind": "Installation",
                    "metadata": {"name": "default"},
                    "spec": {
                        "calicoNetwork": {
                            "ipPools": [
                                {"cidr": "10.8.0.0/16", "encapsulation": "VXLANCrossSubnet", "natOutgoing": "Disabled"}
                            ]
                        }
                    },
                }
            ],
            {"cluster_cidr": "10.8.0.0/16", "vxlan_port": 4789, "direct_routing": True, "egress_nat": False},
            id="NET-11 EGR-05 Calico's operator",
        ),
        pytest.param(
            [
                {
                    "apiVersion": "crd.projectcalico.org/v1",
                    "kind": "IPPool",
                    "metadata": {"name": "pool"},
                    "spec": {"cidr": "10.8.0.0/16", "ipipMode": "Never", "vxlanMode": "Never", "natOutgoing": True},
                }
            ],
            {"cluster_cidr": "10.8.0.0/16", "network": "host-gw"},
            id="NET-11 Calico routed",
        ),
        pytest.param(
            [{**config_map("cilium-config"), "data": CILIUM}],
            {"cluster_cidr": "10.9.0.0/16", "network": "geneve", "policies_cut_connections": True},
            id="NET-12 Cilium",
        ),
        pytest.param(
            [{**config_map("cilium-config"), "data": {"routing-mode": "native", "enable-policy": "never"}}],
            {"network": "host-gw", "enforce_policies": False},
            id="NP-24 Cilium enforces nothing",
        ),
        pytest.param(
            [flannel({}, Network="10.5.0.0/25")],
            {"cluster_cidr": "10.5.0.0/25", "node_mask": 25, "enforce_policies": False},
            id="IPM-01 a small pod network",
        ),
        pytest.param(
            [node("a", podCIDR="10.244.0.0/26"), node("b", podCIDRs=["10.244.0.64/26"])],
            {"node_mask": 26},
            id="IPM-01 blocks of given nodes",
        ),
        pytest.param([document({"proxy_mode": "nftables"})], {"proxy_mode": "nftables"}, id="document"),
        pytest.param(
            [kube_proxy(mode="ipvs", detectLocalMode="NodeCIDR"), document({"proxy_mode": "iptables"})],
            {"detect_local_mode": "NodeCIDR"},
            id="the document wins",
        ),
    ],
)
def test_what_objects_tell(objects: list[Obj], expected: dict[str, Any]) -> None:
    """Each option of each program, by the rule its setting stands for."""
    assert told(*objects) == expected


def test_every_told_setting_says_where_it_comes_from() -> None:
    """Origins and notices name the object."""
    objects = [kube_proxy(mode="ipvs", detectLocalMode="BridgeInterface"), flannel({"Type": "alloc"})]
    found = infer({key_of(obj): obj for obj in objects})
    assert found.origins["proxy_mode"] == "ConfigMap kube-system/kube-proxy"
    assert found.origins["cluster_cidr"] == "ConfigMap kube-flannel/kube-flannel-cfg"
    texts = [text for _, _, text in found.notices]
    assert any('proxy_mode "ipvs"' in text for text in texts)
    assert any("BridgeInterface" in text for text in texts)
    assert any('Unsupported value: "alloc"' in text for text in texts)


def test_a_snapshot_without_settings_takes_what_its_objects_tell() -> None:
    """NP-24: under plain flannel a policy stops nobody; the snapshot says why."""
    closed = policy("shop/none", "web", policyTypes=["Ingress"])
    plain = Cluster.from_objects([*base(), closed])
    under = Cluster.from_objects([*base(), closed, flannel({"Type": "vxlan"}, Network="10.244.0.0/16")])
    assert ask(plain, "shop/client", "10.244.1.2:8080").verdict is Verdict.DENIED_INGRESS
    assert ask(under, "shop/client", "10.244.1.2:8080").verdict is Verdict.DELIVERED
    assert any(notice.code == "settings-told" and "flannel" in notice.text for notice in under.warnings)


def test_a_document_brings_back_any_settings() -> None:
    """What `differing` writes, `infer` reads."""
    settings = Settings(
        proxy_mode="nftables",
        nodeport_addresses=("primary",),
        min_sync_period=2.0,
        dns_search=("corp.example",),
        mtu=9000,
    )
    found = document(differing(settings))
    assert infer({key_of(found): msgspec.json.decode(msgspec.json.encode(found))}).settings == settings


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"proxy_mod": "ipvs"}, "spec.proxy_mod", "unknown field"),
        ({"proxy_mode": "ebpf"}, "spec.proxy_mode", 'supported values: "iptables"'),
        ({"mtu": 10}, "spec.mtu", "between 576 and 65535"),
        ({"dns_ip": "1.1.1.1"}, "spec.dns_ip", "valid IPs is 10.96.0.0/12"),
    ],
)
def test_a_wrong_document_is_refused(spec: dict[str, Any], field: str, message: str) -> None:
    """A misspelt setting never counts for nothing."""
    with pytest.raises(ObjectError) as refused:
        Cluster.from_objects([*base(), document(spec)])
    assert refused.value.field == field and message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "length"), [("1s", 1), ("500ms", 0.5), ("1m30s", 90), ("0s", 0), ("soon", 0), (None, 0)]
)
def test_durations(text: str | None, length: float) -> None:
    """PX-18: Go's way to write them."""
    assert seconds(text) == length


def test_a_corefile_is_a_tree() -> None:
    """Comments and braces that do not match do no harm."""
    found = corefile("# top\n.:53 {\n errors\n kubernetes a.b {\n pods verified # yes\n }\n}\n}\nx {")
    assert [one.words for one in found] == [[".:53"]]
    assert found[0].inside[1].inside[0].words == ["pods", "verified"]


V6_NODE = {
    "kind": "Node",
    "metadata": {"name": "m1"},
    "spec": {"podCIDR": "fd10:0:0:1::/64"},
    "status": {"addresses": [{"type": "InternalIP", "address": "2001:db8:1::1"}]},
}


def asking(**spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "w"}, "spec": {"ports": [{"port": 80}], **spec}}


def test_where_pods_have_one_family_services_have_it_too() -> None:
    """SVC-16: nobody would give IPv4 addresses to Services of an IPv6 cluster."""
    made = Cluster.from_objects([V6_NODE, asking()])
    assert made.settings.families == (6,) and made.settings.dns_ip == "fd00:10:96::a"
    assert made.services["default", "w"].cluster_ips == ("fd00:10:96::101",)


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ({"clusterIP": "10.96.0.9", "ipFamilyPolicy": "PreferDualStack"}, (4, 6)),
        ({"clusterIP": "10.96.0.9", "ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv4"]}, (4,)),
        ({"clusterIP": "10.96.0.9"}, (4,)),
        ({"clusterIPs": ["fd00:96::9", "10.96.0.9"]}, (6, 4)),
        ({"ipFamilyPolicy": "RequireDualStack"}, (4, 6)),
    ],
)
def test_a_service_that_asks_for_both_families_gets_both_where_pods_have_them(
    spec: dict[str, Any], families: tuple[int, ...]
) -> None:
    """SVC-16: unless a kube-apiserver answered it with one."""
    both = {"kind": "Node", "metadata": {"name": "n1"}, "spec": {"podCIDRs": ["10.50.0.0/24", "fd10::/64"]}}
    made = Cluster.from_objects([both, asking(**spec)])
    assert made.settings.families == families
    wants = "ipFamilyPolicy" in spec and "ipFamilies" not in spec
    assert len(made.services["default", "w"].cluster_ips) == (2 if wants or len(families) > 1 else 1)


def test_every_address_of_the_nodes_has_its_network() -> None:
    """NET-11: not one network that covers them all."""
    nodes = [
        {
            "kind": "Node",
            "metadata": {"name": f"n{number}"},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": f"10.9.0.{number}"},
                    {"type": "InternalIP", "address": f"172.16.3.{number}"},
                    {"type": "InternalIP", "address": f"fd00:9::{number}"},
                ]
            },
        }
        for number in (1, 2)
    ]
    made = Cluster.from_objects(nodes)
    assert made.settings.node_cidr == "10.9.0.0/24,172.16.3.0/24,fd00:9::/64"
    assert route_for(made, made.nodes["n1"], "172.16.3.2").text == "172.16.3.0/24 dev eth0"
