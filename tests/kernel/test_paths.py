"""The rules a packet met, one by one, as the kernel traces them: the very lines a trace of ours points to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from clusterviz.engine import Cluster, trace
from clusterviz.engine.proxyrules import nftables
from clusterviz.engine.proxyrules.used import lines_used
from tests.kernel.conftest import Labs
from tests.kernel.judge import Question
from tests.kernel.lab import Lab

pytestmark = pytest.mark.kernel

Line = tuple[str, str]
OUT = "203.0.113.7"
# Services with one endpoint to draw, so that both draw the same.
CASES = [
    ("IPT-02 IPT-04 IPT-08", "vxlan", "pod:shop/client", "10.96.0.111", 80, "n1"),
    ("IPT-04 IPT-12", "vxlan", "node:n1", "10.96.0.111", 80, "n1"),
    ("IPT-05", "vxlan", "pod:shop/client", "10.96.0.102", 80, "n1"),
    ("IPT-08 hairpin", "vxlan", "pod:shop/web-1", "10.96.0.102", 80, "n1"),
    ("IPT-03 IPT-06 IPT-12", "vxlan", OUT, "192.168.0.11", 30088, "n1"),
    ("IPT-06 Local", "vxlan", OUT, "192.168.0.11", 30089, "n1"),
    ("IPT-06 short cut", "vxlan", "pod:shop/db", "192.168.0.13", 30089, "n3"),
    ("IPT-11 REJECT", "vxlan", "pod:shop/client", "10.96.0.103", 80, "n1"),
    ("IPT-11 DROP", "vxlan", "pod:shop/client", "10.96.0.113", 80, "n1"),
    ("IPT-11 outside", "vxlan", OUT, "192.168.0.11", 30083, "n1"),
    ("NFT-01 NFT-04 NFT-05", "nftables", "pod:shop/client", "10.96.0.111", 80, "n1"),
    ("NFT-05 node", "nftables", "node:n1", "10.96.0.111", 80, "n1"),
    ("NFT-05 hairpin", "nftables", "pod:shop/web-1", "10.96.0.102", 80, "n1"),
    ("NFT-01 node port", "nftables", OUT, "192.168.0.11", 30088, "n1"),
    ("NFT-05 Local", "nftables", OUT, "192.168.0.11", 30089, "n1"),
    ("NFT-01 REJECT", "nftables", "pod:shop/client", "10.96.0.103", 80, "n1"),
    ("NFT-07", "nftables", "pod:shop/client", "10.96.0.100", 81, "n1"),
]
TRACED = {
    "iptables": """*raw
-A PREROUTING -p tcp --syn -j TRACE
-A OUTPUT -p tcp --syn -j TRACE
COMMIT
""",
    "nftables": """table inet tracing {
chain in { type filter hook prerouting priority -350; tcp flags & (syn|ack) == syn meta nftrace set 1; }
chain out { type filter hook output priority -350; tcp flags & (syn|ack) == syn meta nftrace set 1; }
}
""",
}
LOADED = {"iptables": ["iptables-restore", "--noflush"], "nftables": ["nft", "-f", "-"]}
FOLLOWED = {"iptables": ["xtables-monitor", "--trace"], "nftables": ["nft", "monitor", "trace"]}
PRINTED = {
    "iptables": re.compile(r"TRACE: 2 \S+ (?P<table>\w+):(?P<chain>[\w-]+):rule:.*?-t \w+ (?P<text>-A .*)"),
    "nftables": re.compile(r"trace id \S+ ip (?P<table>kube-proxy) (?P<chain>\S+) rule (?P<text>.*) \(verdict .*"),
}
# Chains where a packet is looked up and translated: there every rule it met must have been foreseen.
TRANSLATING = re.compile(
    r"KUBE-(SERVICES|NODEPORTS|MARK-MASQ|SVC|SVL|EXT|FW|SEP)"
    r"|(nat-prerouting|nat-output|services|mark-for-masquerade|service-\w+-.*|external-.*|endpoint-.*)$"
)


@cache
def traced(labs: Labs, settings: str) -> tuple[Cluster, Lab]:
    """A lab whose nodes tell of every first packet."""
    made, lab = labs(settings)
    mode = made.settings.proxy_mode
    lab.run([[node.ref, LOADED[mode], TRACED[mode]] for node in made.nodes.values()])
    for node in sorted({case[-1] for case in CASES if case[1] == settings}):
        lab.follow(f"node:{node}", FOLLOWED[mode])
    return made, lab


def told(made: Cluster, question: Question, node: str) -> list[Line]:
    """The lines of the node's rules the engine says the packet used; elements of maps are no rules."""
    answer = trace(made, question.probe())
    text = nftables(made, made.nodes[node]) if made.settings.proxy_mode == "nftables" else ""
    return [
        (line.chain, same(line.text))
        for hop in answer.forward
        if hop.node == node
        for step in hop.steps
        for line in lines_used(made, hop, step)
        if not text or f"chain {line.chain} {{" in text
    ]


def same(text: str) -> str:
    """The kernel keeps odds in 31 bits, and iptables prints one digit more of them."""
    return re.sub(r"--probability (\S+)", lambda odds: f"--probability {float(odds[1]):.8f}", text.strip())


def met(printed: str, mode: str, *, translated: bool) -> Iterator[Line]:
    """The rules of the kernel's trace."""
    for found in PRINTED[mode].finditer(printed):
        chain, table = found["chain"], found["table"]
        if not translated or table in ("nat", "kube-proxy"):
            yield chain, same(found["text"])


@pytest.mark.parametrize(
    ("settings", "source", "ip", "port", "node"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_packet_met_these_rules(settings: str, source: str, ip: str, port: int, node: str, labs: Labs) -> None:
    made, built = traced(labs, settings)
    mode, question = made.settings.proxy_mode, Question(source, ip, port)
    built.followed(f"node:{node}")  # what other questions left behind
    outcome = built.fire([question.shot()])[0]["outcome"]
    printed = built.followed(f"node:{node}")
    expected, found = told(made, question, node), list(met(printed, mode, translated=False))
    assert expected
    rest = iter(found)
    missing = [line for line in expected if line not in rest]
    assert not missing, f"{missing}\n{printed}"
    if outcome == "answered":
        looked_up = [line for line in met(printed, mode, translated=True) if TRANSLATING.match(line[0])]
        assert [line for line in looked_up if line not in expected] == []
