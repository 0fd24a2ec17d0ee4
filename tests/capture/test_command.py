"""manage.py trace --pcap DIR writes one file a capture point."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from clusterviz.capture import captures
from clusterviz.cluster.management.ask import asked_cluster
from clusterviz.engine import Probe, trace
from clusterviz.engine.manifests.write import dump
from tests.capture.test_frames import frames
from tests.engine.world import base

ENDS = ("--from", "shop/client", "--to", "http://web/")


@pytest.fixture
def manifests(tmp_path: Path) -> str:
    """The classroom cluster as a file."""
    file = tmp_path / "cluster.yaml"
    file.write_text(dump(base()))
    return str(file)


def test_every_point_gets_its_file(manifests: str, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "captures"
    with pytest.raises(SystemExit) as ended:
        call_command("trace", *ENDS, manifests=manifests, pcap=str(folder))
    assert ended.value.code == 0
    cluster = asked_cluster({"manifests": manifests}, str)
    found = captures(trace(cluster, Probe.parse("shop/client", "http://web/")))
    written = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert written == {f"{point}.pcap": data for point, data in found.items()}
    assert all(frames(data) for data in written.values())


@pytest.mark.parametrize("more", [{"probes": "-"}, {"pcap": "/dev/null/x"}])
def test_what_cannot_be_written_is_said(manifests: str, tmp_path: Path, more: dict[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("trace", *ENDS, manifests=manifests, **({"pcap": str(tmp_path / "out")} | more))
    assert refused.value.returncode == 2
    assert "pcap" in str(refused.value) or "/dev/null/x" in str(refused.value)
