"""nft itself reads the text, and lists it back as it was written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings

from clusterviz.engine import Cluster
from clusterviz.engine.proxyrules import nftables
from tests.proxyrules.test_agreement import worlds
from tests.proxyrules.test_kernel import CASES, everything
from tests.proxyrules.test_nft_agreement import in_nftables_mode
from tests.proxyrules.world import cluster


def why_not() -> str:
    """What keeps this machine from loading nftables rules into a network namespace of its own."""
    if not shutil.which("nft") or not shutil.which("unshare"):
        return "nft or unshare not found: apt-get install -y --no-install-recommends nftables util-linux"
    if os.geteuid():
        return "loading rules needs root: sudo make test"
    made = subprocess.run(["unshare", "--net", "nft", "list", "ruleset"], capture_output=True, text=True, check=False)
    return f"no network namespace with nftables can be made here: {made.stderr.strip()}" if made.returncode else ""


REASON = why_not()
REQUIRED = bool(os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI")) and "apt-get" in REASON
pytestmark = pytest.mark.skipif(bool(REASON) and not REQUIRED, reason=REASON)


def listed(text: str, version: int = 4) -> str:
    """Load the text into a fresh network namespace and list the table again."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", f"nft -f - && nft list table ip{'6' * (version == 6)} kube-proxy"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + text
    return done.stdout


def comparable(text: str) -> str:
    """The kernel keeps elements of a set in an order of its own, and nft puts several on a line."""

    def ordered(found: re.Match[str]) -> str:
        elements = ", ".join(sorted(re.split(r",\s+", found[1])))
        return f"elements = {{ {elements} }}"

    return re.sub(r"elements = \{ (.*?) \}$", ordered, text, flags=re.DOTALL | re.MULTILINE)


OTHER_CASES: list[dict[str, object]] = [
    {"nodeport_addresses": ("0.0.0.0/0", "::/0")},
    {"nodeport_addresses": ("203.0.113.0/24",), "service_cidr": "10.9.0.0/16,10.96.0.0/12,fd00:96::/112"},
]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("options", [*CASES, *OTHER_CASES])
def test_the_text_is_what_nft_lists(options: dict[str, object], version: int) -> None:
    """NFT-01 to NFT-06: loaded into the kernel and listed again, line by line the same."""
    ranges = {"cluster_cidr": "10.244.0.0/16,fd00:244::/56", "proxy_mode": "nftables"}
    made = cluster(*everything(), **ranges, **options)
    for node in made.nodes.values():
        text = nftables(made, node, version)
        assert comparable(listed(text, version)) == comparable(text)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_any_cluster_can_be_loaded(made: Cluster) -> None:
    made = in_nftables_mode(made)
    for node in made.nodes.values():
        text = nftables(made, node)
        assert comparable(listed(text)) == comparable(text)


def test_names_of_every_length_can_be_loaded() -> None:
    """NFT-03: the longest names Kubernetes allows, and a comment longer than nft takes."""
    spec, slices = everything()[0], everything()[2:]
    for obj in (spec, *slices):
        obj["metadata"] |= {"namespace": "n" * 63}
    spec["metadata"]["name"] = "s" * 63
    for one in slices:
        one["metadata"]["labels"] = {"kubernetes.io/service-name": "s" * 63}
        one["ports"] = [{"name": "p" * 15, "port": 80, "protocol": "TCP"}]
    spec["spec"]["ports"] = [{"name": "p" * 15, "port": 80, "nodePort": 30080}]
    empty = {**spec, "metadata": {**spec["metadata"], "name": "e" * 63}}
    empty["spec"] = {"clusterIP": "10.96.0.50", "ports": spec["spec"]["ports"][:1]}
    made = cluster(spec, empty, *slices, proxy_mode="nftables", cluster_cidr="10.244.0.0/16,fd00:244::/56")
    for version in (4, 6):
        text = nftables(made, made.nodes["a"], version)
        assert comparable(listed(text, version)) == comparable(text)
