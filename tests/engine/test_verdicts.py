"""How a verdict is felt: docs/verdicts.md, the table in the code, and traces that end so (TRC-03)."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterviz.engine import Probe, Settings, Verdict, trace
from clusterviz.engine.symptoms import KINDS, NEVER, TABLE, Kind, feels
from clusterviz.engine.trace import SUCCESSES
from clusterviz.engine.verdicts import VERDICTS
from tests.engine.world import Obj, ask, build, policy, service

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verdicts.md"


def test_the_page_is_the_table_of_the_code() -> None:
    """TRC-03: each verdict, its words, and what a client of each protocol feels."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert head == ["verdict", "success", "in words", "usual cause", *KINDS]
    assert [row[0].strip("`") for row in rows] == [verdict.value for verdict in Verdict]
    for row, verdict in zip(rows, Verdict, strict=True):
        assert row[1] == ("yes" if verdict in SUCCESSES else "no")
        assert row[2] == VERDICTS[verdict.value] and row[3]
        assert row[4:] == [feels(verdict, kind) for kind in KINDS]


def test_every_verdict_is_felt_somehow() -> None:
    assert TABLE.keys() == set(Verdict)
    for verdict, row in TABLE.items():
        assert row.keys() == set(KINDS) and set(row.values()) != {NEVER}, verdict


EMPTY = service("shop/empty", app="nobody")


@pytest.mark.parametrize(
    ("extra", "to", "protocol", "words"),
    [
        pytest.param([], "10.244.0.2:8080", "TCP", "connected", id="TCP-answered"),
        pytest.param([], "http://web/", "", "HTTP 200", id="HTTP-answered"),
        pytest.param([service("shop/tls", app="web", port=443)], "https://tls/", "", "TLS handshake", id="HTTPS"),
        pytest.param([], "10.244.0.2", "ICMP", "ping answered", id="ICMP-answered"),
        pytest.param([], "10.244.2.2:81", "TCP", "connection refused, at once", id="TCP-refused"),
        pytest.param([], "10.244.2.2:81", "UDP", "ICMP port unreachable, at once", id="UDP-refused"),
        pytest.param([], "10.244.2.2:81", "SCTP", "aborted, at once", id="SCTP-no-socket"),
        pytest.param([EMPTY], "service:shop/empty:80", "TCP", "connection refused, at once", id="TCP-reject"),
        pytest.param([], "10.96.0.20", "ICMP", "while TCP works", id="ICMP-vip"),
        pytest.param([], "10.244.0.99:80", "TCP", "no route to host after some seconds", id="TCP-gone"),
        pytest.param([], "10.244.0.99", "ICMP", "destination host unreachable", id="ICMP-gone"),
        pytest.param([], "[fd00::1]:80", "TCP", "network is unreachable, at once", id="TCP-no-family"),
    ],
)
def test_what_the_client_feels(extra: list[Obj], to: str, protocol: str, words: str) -> None:
    """TRC-03, PX-07, PX-11, SVC-16."""
    assert words in ask(build(*extra), "shop/client", to, protocol=protocol).symptom


@pytest.mark.parametrize(
    ("protocol", "words"),
    [("TCP", "connection times out"), ("UDP", "a lost packet"), ("SCTP", "association"), ("ICMP", "packet loss")],
)
def test_a_dropped_packet_is_silence(protocol: str, words: str) -> None:
    """NP-23, TRC-03."""
    deny = policy("shop/deny", "db", policyTypes=["Ingress"])
    found = ask(build(deny), "shop/client", "10.244.2.2" + ("" if protocol == "ICMP" else ":5432"), protocol=protocol)
    assert found.verdict is Verdict.DENIED_INGRESS and found.symptom.startswith("no answer")
    assert words in found.symptom and not found.reverse


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_symptom_is_a_cell_of_the_table(mode: str, kind: Kind) -> None:
    """Whatever ends a trace of this protocol, its cell is not empty."""
    protocol = "TCP" if kind.startswith("HTTP") else kind
    cluster = build(EMPTY, settings=Settings(proxy_mode=mode))  # type: ignore[arg-type]
    for ip, port in (
        ("10.96.0.20", 80),
        ("10.96.0.20", 99),
        ("10.244.2.2", 81),
        ("203.0.113.9", 443),
        ("127.0.0.1", 1),
    ):
        to = f"{kind.lower()}://{ip}:{port}/" if kind.startswith("HTTP") else ip if kind == "ICMP" else f"{ip}:{port}"
        found = trace(cluster, Probe.parse("shop/client", to, protocol=protocol))
        assert found.symptom and found.symptom != NEVER
