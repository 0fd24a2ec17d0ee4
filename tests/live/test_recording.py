"""Recordings from the command line: printed, told what is damaged, and without power over the terminal."""

import gzip
import hashlib
import io
import json

import pytest
from django.core.management import CommandError, call_command

from clusterviz.live import recording

HEAD = {"type": "recording", "version": 1, "cluster": "demo", "from": 1763845392.0, "to": 1763845399.5}
ROUTE = {"id": "r1", "waypoints": ["pod:shop/web-1", "pod:shop/db-0"], "stop": "", "effect": "dropped"}
KEYFRAME = {"type": "keyframe", "snapshot": {"time": 1763845391.5, "entities": [{"id": "node:n1"}], "routes": [ROUTE]}}
EVENT = {"type": "Warning", "reason": "Killing", "message": "Stopping\u001b[2J", "ref": "pod:shop/web-1"}
STATE = {
    "type": "state",
    "time": 1763845393.25,
    "set": [{"id": "node:n2"}],
    "unset": ["pod:shop/web-1"],
    "events": [EVENT],
}
TRAFFIC = {"type": "traffic", "time": 1763845394.0, "routes": [], "calls": [["r1", 3, "1.7"], ["r9", 1, "1.8"]]}
TRACE = {"type": "trace", "time": 1763845394.0, "question": {"connection": "1.7"}, "trace": {"verdict": "delivered"}}
ALL = [HEAD, KEYFRAME, STATE, TRAFFIC, TRACE]


@pytest.fixture
def written(tmp_path):
    """Writes lines to a file, compressed or not."""

    def write(*lines, packed=True):
        path = tmp_path / "demo.clusterviz.gz"
        data = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
        path.write_bytes(gzip.compress(data) if packed else data)
        return path, hashlib.sha256(data).hexdigest()

    return write


def printed(path, *options):
    out = io.StringIO()
    call_command("replay", str(path), *options, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("packed", [True, False])
def test_events_and_changes_are_printed_with_the_hash_of_the_lines(written, packed):
    path, digest = written(*ALL, packed=packed)
    first, second, *rest = printed(path).splitlines()
    assert first == "demo, 2025-11-22 21:03:12.000 UTC, 7.5 s, 4 lines"
    assert second == f"SHA-256 {digest}"
    assert rest == [
        "2025-11-22 21:03:11.500  the whole picture: 1 entities",
        "2025-11-22 21:03:13.250  Warning Killing pod:shop/web-1: Stopping\N{REPLACEMENT CHARACTER}[2J",
        "2025-11-22 21:03:13.250  changed node:n2 -pod:shop/web-1",
        "2025-11-22 21:03:14.000  traced {'connection': '1.7'}: delivered",
    ]


def test_connections_are_printed_when_they_are_wanted(written):
    path, _ = written(*ALL)
    lines = printed(path, "--calls", "--json").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert "3 x pod:shop/web-1 -> pod:shop/db-0: dropped (1.7)" in texts
    assert "1 x a route that is not in the recording (1.8)" in texts


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "line 1: must be of type recording"),
        ([STATE], "line 1: must be of type recording"),
        ([b"{"], "line 1: not JSON"),
        ([b"[" * 100000], "line 1: not JSON"),
        ([HEAD, {"type": "evil"}], "line 2: unknown type"),
        ([HEAD], "line 2: must be of type keyframe"),
        ([{**HEAD, "version": 2}, KEYFRAME], "version 2 cannot be read: allowed is 1"),
        ([{**HEAD, "from": "x"}, KEYFRAME], "line 1: Expected `float`"),
        ([{**HEAD, "from": 1e300}, KEYFRAME], "lacks what docs/protocol.md says"),
        ([HEAD, KEYFRAME, {"type": "state", "time": "soon"}], "lacks what docs/protocol.md says"),
        ([HEAD, KEYFRAME, {**TRAFFIC, "calls": [1]}], "lacks what docs/protocol.md says"),
    ],
)
def test_what_is_damaged_is_told_in_a_sentence(written, lines, words):
    path, _ = written(*lines)
    with pytest.raises(CommandError, match=words):
        printed(path, "--calls")


def test_damaged_compression_and_missing_files_are_told(tmp_path):
    path = tmp_path / "broken.gz"
    path.write_bytes(gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in ALL))[:-30])
    with pytest.raises(CommandError, match="compression is damaged"):
        printed(path)
    with pytest.raises(CommandError, match="No such file"):
        printed(tmp_path / "nowhere")


def test_a_small_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "MOST", 2**20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\0" * 4 * 2**20))
    with pytest.raises(CommandError, match="more than 1 MB"):
        printed(path)
