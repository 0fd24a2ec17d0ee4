"""Wireshark's own dissectors read the captures: nothing malformed, every checksum right, every header as traced."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.capture import packets
from clusterviz.capture.frames import pcap_file
from clusterviz.capture.talk import Packet
from clusterviz.engine import trace
from clusterviz.engine.packet import IP
from tests.capture.test_frames import TRACES
from tests.capture.wire import ERROR, Facts, dissect, expected, facts_of, tshark_or_skip
from tests.strategies import clusters, probes


def judge(folder: Path, found: list[Packet]) -> None:
    """A file of all frames and one of all bare packets, a run of tshark each, every frame compared with its stack."""
    program = tshark_or_skip()
    for bare in (False, True):
        some = sorted((one for one in found if isinstance(one.sight.stack[0], IP) is bare), key=lambda one: one.at)
        file = folder / f"{bare}.pcap"
        file.write_bytes(pcap_file(some, dont_fragment=True))
        rows = dissect(program, file) if some else []
        assert len(rows) == len(some)
        for row, packet in zip(rows, some, strict=True):
            compare(row, packet)


def compare(row: dict[str, list[str]], packet: Packet) -> None:
    """Nothing worse than a warning, no wrong checksum, and the headers of the stack."""
    what = f"frame {row['frame.number'][0]} at {packet.sight.point.id}: {row['_ws.expert.message']}"
    assert all(int(one) < ERROR for one in row["_ws.expert.severity"]), what
    assert all("0" not in row[name] for name in row if name.endswith("checksum.status")), what
    wanted = expected(packet.sight.stack)
    if wanted.ports[:1] == ((8285, 8285),):  # Wireshark has no dissector for flannel's UDP backend
        wanted = wanted._replace(ips=wanted.ips[:1], ports=wanted.ports[:1])
    assert without_quotation(facts_of(row), packet) == wanted, what


def without_quotation(facts: Facts, packet: Packet) -> Facts:
    """An ICMP error carries the headers of the packet it means, after its own."""
    if packet.quoted is None:
        return facts
    own = expected(packet.sight.stack)
    return facts._replace(ips=facts.ips[: len(own.ips)], ports=facts.ports[: len(own.ports)])


def test_tshark_reads_every_kind_of_path(tmp_path: Path) -> None:
    judge(tmp_path, [packet for one in TRACES.values() for packet in packets(one)])


def test_tshark_reads_captures_of_random_clusters(tmp_path: Path) -> None:
    found: list[Packet] = []

    @given(st.data())
    @settings(max_examples=25, database=None)
    def collect(data: st.DataObject) -> None:
        world = data.draw(clusters())
        found.extend(packets(trace(world, data.draw(probes(world)))))

    collect()
    assert found
    judge(tmp_path, found)


def test_tshark_knows_the_messages(tmp_path: Path) -> None:
    """What a person sees in the list: names asked, the request, and the refusal with its reason."""
    program = tshark_or_skip()
    file = tmp_path / "all.pcap"
    fields = (
        "dns.qry.name",
        "dns.a",
        "http.request.full_uri",
        "http.response.code",
        "icmp.code",
        "http.x_forwarded_for",
    )
    said: dict[str, set[str]] = {name: set() for name in fields}
    for title in ("service by name", "ingress", "ingress 404", "udp refused"):
        file.write_bytes(pcap_file(packets(TRACES[title]), dont_fragment=True))
        for row in dissect(program, file, fields):
            for name in fields:
                said[name] |= set(row[name])
    assert "web.shop.svc.cluster.local" in said["dns.qry.name"]
    assert "10.96.0.20" in said["dns.a"]
    assert {"http://web/", "http://web.example.com/"} <= said["http.request.full_uri"]
    assert {"200", "404"} <= said["http.response.code"]
    assert said["icmp.code"] == {"3"}
    assert said["http.x_forwarded_for"]
