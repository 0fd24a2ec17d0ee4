"""manage.py proxyrules: what it prints and what it refuses."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from clusterviz.cluster import services
from clusterviz.engine.proxyrules import iptables
from tests.proxyrules.world import HASH, cluster, endpoints, node, service


@pytest.fixture
def manifests(tmp_path: Path) -> str:
    """Two nodes, the Service with three endpoints, and another one without any."""
    other = service(clusterIP="10.96.0.42")
    other["metadata"]["name"] = "other"
    objects = [node("a", "192.168.0.2"), node("b", "192.168.0.3"), service(), other, endpoints()]
    for obj in objects:
        obj["apiVersion"] = "discovery.k8s.io/v1" if obj["kind"] == "EndpointSlice" else "v1"
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return str(path)


def printed(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("proxyrules", *words, stdout=out, **options)
    return out.getvalue()


def test_it_prints_the_text(manifests: str) -> None:
    text = printed("a", manifests=manifests)
    assert text.startswith("*filter\n")
    assert text.endswith("\nCOMMIT\n")
    assert f"-j KUBE-SVC-{HASH}" in text
    assert "ns1/other:p80 has no endpoints" in text


def test_one_service_alone(manifests: str) -> None:
    text = printed("a", "--service", "ns1/svc1", manifests=manifests)
    assert f"-j KUBE-SVC-{HASH}" in text
    assert "ns1/other" not in text
    assert "-j KUBE-FORWARD" in text


def test_the_other_family_and_no_counters(manifests: str) -> None:
    assert "::1/128" in printed("a", "--family", "6", manifests=manifests)
    assert "nfacct" in printed("a", manifests=manifests)
    assert "nfacct" not in printed("a", "--no-accounting", manifests=manifests)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("c",), "there is no node 'c' (known: a, b)"),
        (("a", "--service", "ns1/nobody"), "there is no Service 'ns1/nobody'"),
        (("a", "--service", "svc1"), "there is no Service 'default/svc1'"),
    ],
)
def test_unknown_things_are_named(manifests: str, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        printed(*words, manifests=manifests)
    assert (str(caught.value), caught.value.returncode) == (said, 2)


@pytest.mark.django_db
def test_a_stored_cluster_and_its_proxy_mode() -> None:
    """The cluster's own mode, unless another is asked for (IPT, NFT, IPV-01)."""
    services.create_cluster("lab", nodes=1, actor="test")
    services.create_cluster("other", nodes=1, settings={"proxy_mode": "ipvs"}, actor="test")
    assert printed("n1", "--cluster", "lab").startswith("*filter\n")
    assert printed("n1", "--cluster", "other").startswith("IP Virtual Server")
    assert printed("n1", "--cluster", "other", "--mode", "nftables").startswith("table ip kube-proxy {")
    with pytest.raises(CommandError, match="there is no cluster 'nowhere'") as caught:
        printed("n1", "--cluster", "nowhere")
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("mode", "start", "line"),
    [
        ("iptables", "*filter\n", f"-j KUBE-SVC-{HASH}"),
        ("nftables", "table ip kube-proxy {\n", "10.96.0.41 . tcp . 80 : goto service-ULMVA6XW-ns1/svc1/tcp/p80"),
        ("ipvs", "IP Virtual Server", "TCP  10.96.0.41:80 rr"),
    ],
)
def test_the_modes(manifests: str, mode: str, start: str, line: str) -> None:
    """IPT, NFT, IPV-01: one node, three texts."""
    text = printed("a", "--mode", mode, "--service", "ns1/svc1", manifests=manifests)
    assert text.startswith(start)
    assert line in text
    assert "10.96.0.42" not in text


def test_only_leaves_the_frame_as_it_is() -> None:
    made = cluster(service(), endpoints())
    everything = set(iptables(made, made.nodes["a"]).splitlines())
    alone = set(iptables(made, made.nodes["a"], only=("ns1", "nobody")).splitlines())
    assert alone < everything
    assert "ns1/svc1" not in "\n".join(alone)


def test_the_page_shows_what_is_printed(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "proxyrules.md").read_text()
    path = tmp_path / "shop.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0])
    shown = [line for line in page.splitlines() if line.startswith("-A ")]
    lines = printed("n1", "--service", "shop/web", manifests=str(path)).splitlines()
    assert shown == [line for line in lines if "shop/web" in line and "KUBE-SEP-" not in line.split()[1]]
    nft = printed("n1", "--service", "shop/web", "--mode", "nftables", manifests=str(path)).splitlines()
    listed = [line for line in page.splitlines() if line.startswith("\t")]
    assert len(listed) == 8
    assert [line for line in nft if line in listed] == listed
