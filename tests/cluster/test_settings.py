"""Settings through imports, exports and commands: taken over, told, read back."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster

KUBE_PROXY = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    kind: KubeProxyConfiguration
    mode: nftables
    clusterCIDR: %s
"""
DOCUMENT = """
apiVersion: clusterviz.dev/v1
kind: ClusterSettings
metadata: {name: cluster}
spec: {%s}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s, labels: {app: %s}}
spec: {nodeName: n1, containers: [{name: main, image: x, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: 10.244.0.%d}
"""


def load(cluster: Cluster, *texts: str, dry_run: bool = False) -> services.Summary:
    files = [(f"f{index}.yaml", text) for index, text in enumerate(texts)]
    return services.import_files(cluster, files, actor="test", dry_run=dry_run)


def test_an_import_takes_over_what_kube_proxy_says(shop: Cluster) -> None:
    """Told in the summary, kept with its origin; the ConfigMap does not count as ignored."""
    summary = load(shop, KUBE_PROXY % "10.244.0.0/16")
    assert shop.engine_settings.proxy_mode == "nftables"
    assert shop.origins == {"proxy_mode": "ConfigMap kube-system/kube-proxy"}
    assert "ClusterSettings proxy_mode: nftables, from ConfigMap kube-system/kube-proxy" in str(summary)
    assert not summary.ignored
    shop.refresh_from_db()
    assert shop.settings == {"proxy_mode": "nftables"}


def test_addresses_that_are_given_out_stay(shop: Cluster) -> None:
    """A told pod CIDR does not move a living cluster; the summary warns."""
    summary = load(shop, KUBE_PROXY % "10.7.0.0/16")
    assert shop.engine_settings.cluster_cidr == "10.244.0.0/16"
    assert any("addresses are given out already" in str(entry) for entry in summary.warnings)


def test_what_a_person_set_stays(shop: Cluster) -> None:
    """An import does not undo what an editor chose; a document does, for it is meant."""
    services.change_settings(shop, {"proxy_mode": "ipvs"}, origin="set by ada")
    summary = load(shop, KUBE_PROXY % "10.244.0.0/16")
    assert shop.settings == {"proxy_mode": "ipvs"}
    assert any("set by ada" in str(entry) for entry in summary.warnings)
    load(shop, DOCUMENT % "proxy_mode: nftables")
    assert shop.settings == {"proxy_mode": "nftables"}
    assert shop.origins == {"proxy_mode": "ClusterSettings in f0.yaml"}


def test_a_dry_run_and_a_refused_import_change_no_setting(shop: Cluster) -> None:
    """Neither in the database nor in the object at hand."""
    load(shop, DOCUMENT % "mtu: 9000", dry_run=True)
    with pytest.raises(services.Invalid):
        load(shop, DOCUMENT % "mtu: 9000", "kind: Service\napiVersion: v1\nmetadata: {name: Not_Good}\n")
    assert shop.settings == {}
    shop.refresh_from_db()
    assert shop.settings == {}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("proxy_mode: ebpf", 'f0.yaml:5 (document 1): ClusterSettings: spec.proxy_mode: Unsupported value: "ebpf"'),
        ("proxy_mod: ipvs", "ClusterSettings: spec.proxy_mod: unknown field"),
        ("cluster_cidr: 10.9.0.0/16", "spec.cluster_cidr: Forbidden: Node n1 has 10.244."),
    ],
)
def test_a_wrong_document_is_refused_where_it_stands(shop: Cluster, spec: str, expected: str) -> None:
    """File, line, field, and what is allowed."""
    with pytest.raises(services.Invalid) as refused:
        load(shop, DOCUMENT % spec)
    assert expected in str(refused.value)


def test_settings_go_out_and_come_back(shop: Cluster) -> None:
    """Exported beside the flows, not without them: kubectl would not take them."""
    services.change_settings(shop, {"network": "wireguard", "dns_search": ["corp.example"]}, origin="set by ada")
    assert "ClusterSettings" not in services.export_yaml(shop)
    text = services.export_yaml(shop, flows=True)
    assert text.startswith("apiVersion: clusterviz.dev/v1\nkind: ClusterSettings")
    again = services.create_for("again", services.read_files([("x.yaml", text)]), actor="test")
    services.import_files(again, [("x.yaml", text)], actor="test")
    assert again.engine_settings == shop.engine_settings
    assert again.origins["network"] == "ClusterSettings"


def test_a_new_cluster_gets_what_its_files_tell(db: None) -> None:
    """create_for: also addresses, for none is given out yet."""
    documents = services.read_files([("x.yaml", KUBE_PROXY % "10.7.0.0/16")])
    made = services.create_for("fresh", documents, actor="test")
    assert made.engine_settings.cluster_cidr == "10.7.0.0/16" and made.engine_settings.proxy_mode == "nftables"
    assert made.origins["cluster_cidr"] == "ConfigMap kube-system/kube-proxy"


def traced(path: Path, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("trace", "--manifests", str(path), "--json", *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_trace_command_honours_settings_in_files(tmp_path: Path) -> None:
    """NP-24: the same files with and without enforcement."""
    closed = (
        "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: p}\n"
        "spec: {podSelector: {}, policyTypes: [Ingress]}\n"
    )
    parts = [POD % ("a", "a", 2), POD % ("b", "b", 3), closed]
    path = tmp_path / "all.yaml"
    path.write_text("\n---\n".join(parts))
    question = ("--from", "default/a", "--to", "10.244.0.3:80")
    assert traced(path, *question)["verdict"] == "denied_ingress"
    path.write_text("\n---\n".join([*parts, DOCUMENT % "enforce_policies: false"]))
    assert traced(path, *question)["verdict"] == "delivered"


def test_a_second_family_the_ranges_do_not_name_comes_back(db: None) -> None:
    """Nodes with two blocks, ranges of one family: what was exported can be imported again."""
    made = services.create_cluster("two", nodes=0, actor="test")
    node = """
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24, "fd00:1::/64"]}
"""
    load(made, node, DOCUMENT % "cluster_cidr: 10.244.0.0/16, proxy_mode: nftables")
    load(made, DOCUMENT % "cluster_cidr: 10.244.0.0/15")
    made.refresh_from_db()
    assert made.settings["cluster_cidr"] == "10.244.0.0/15"
    for elsewhere in ("10.9.0.0/16", "fd09::/56", "10.244.0.0/16,fd09::/56"):
        with pytest.raises(services.Invalid, match="outside"):
            load(made, DOCUMENT % f'cluster_cidr: "{elsewhere}"')


def test_kinds_that_only_the_controllers_read_are_not_called_idle(shop: Cluster) -> None:
    """A Job makes pods, and a PodDisruptionBudget holds a drain (LIF-08, LIF-09)."""
    job = """
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}
"""
    budget = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: two}
spec: {minAvailable: 2, selector: {matchLabels: {app: a}}}
"""
    summary = load(shop, job, budget)
    assert summary.ignored == []
    assert {entry.kind for entry in summary.created} >= {"Job", "PodDisruptionBudget"}
