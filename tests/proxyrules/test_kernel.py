"""iptables itself reads the text, and prints it back as it was written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings

from clusterviz.engine import Cluster
from clusterviz.engine.proxyrules import iptables
from tests.proxyrules.test_agreement import worlds
from tests.proxyrules.world import THREE, Obj, cluster, endpoints, service

TOOLS = ("unshare", "iptables-restore", "iptables-save", "ip6tables-restore", "ip6tables-save")


def why_not() -> str:
    """What keeps this machine from loading rules into a network namespace of its own."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} not found: apt-get install -y --no-install-recommends iptables util-linux"
    if os.geteuid():
        return "loading rules needs root: sudo make test"
    made = subprocess.run(["unshare", "--net", "iptables-save"], capture_output=True, text=True, check=False)
    return f"no network namespace with iptables can be made here: {made.stderr.strip()}" if made.returncode else ""


REASON = why_not()
# Where everything is required, a missing tool fails; what the machine cannot do at all is skipped everywhere.
REQUIRED = bool(os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI")) and "apt-get" in REASON
pytestmark = pytest.mark.skipif(bool(REASON) and not REQUIRED, reason=REASON)


def run(script: str, text: str) -> str:
    """Run a shell line in a fresh network namespace with the rules as its input."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + text
    return done.stdout


def tables(text: str) -> dict[str, list[str]]:
    """Lines by table; the kernel keeps odds in 31 bits, so the last digits differ."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            lines = found.setdefault(line, [])
        elif line and not line.startswith("#"):
            lines.append(re.sub(r"--probability (\S+)", lambda odds: f"--probability {float(odds[1]):.8f}", line))
    return found


def everything() -> list[Obj]:
    """A Service with every kind of address, guarded, sticky and with both policies Local, in two families."""
    spec = service(
        type="LoadBalancer",
        clusterIPs=["10.96.0.41", "fd00:96::41"],
        ports=[{"name": "p80", "port": 80, "nodePort": 30080}],
        lb=("1.2.3.4", "fd00:1::4"),
        externalIPs=["198.18.0.9", "fd00:18::9"],
        loadBalancerSourceRanges=["203.0.113.0/24", "0.0.0.0/0", "fd00:7::/64"],
        sessionAffinity="ClientIP",
        externalTrafficPolicy="Local",
        internalTrafficPolicy="Local",
        healthCheckNodePort=32000,
    )
    empty = service(
        type="NodePort",
        clusterIPs=["10.96.0.42", "fd00:96::42"],
        ports=[{"port": 53, "protocol": "UDP", "nodePort": 30053}],
    )
    empty["metadata"]["name"] = "empty"
    empty["spec"]["clusterIP"] = "10.96.0.42"
    six = tuple((f"fd00:180::{index}", name) for index, (_, name) in enumerate(THREE, 1))
    return [spec, empty, endpoints(), endpoints(six)]


CASES: list[dict[str, object]] = [
    {},
    {"detect_local": False},
    {"masquerade_all": True, "localhost_nodeports": False},
    {"nodeport_addresses": ("primary",)},
]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("options", CASES)
def test_the_text_is_what_iptables_save_prints(options: dict[str, object], version: int) -> None:
    """IPT-01 to IPT-13: loaded into the kernel and printed again, line by line the same."""
    made = cluster(*everything(), cluster_cidr="10.244.0.0/16,fd00:244::/56", **options)
    tool = "iptables" if version == 4 else "ip6tables"
    for node in made.nodes.values():
        run(f"{tool}-restore --test", iptables(made, node, version))
        plain = iptables(made, node, version, accounting=False)
        assert tables(run(f"{tool}-restore && {tool}-save", plain)) == tables(plain)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_any_cluster_can_be_loaded(made: Cluster) -> None:
    for node in made.nodes.values():
        plain = iptables(made, node, accounting=False)
        assert tables(run("iptables-restore && iptables-save", plain)) == tables(plain)
