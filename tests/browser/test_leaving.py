"""A browser that vanishes without a word is nothing the server's log has to complain about."""

import base64
import json
import os
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

from tests.server import RunningServer

PATIENCE = 60.0


class Guest:
    """A websocket of the demo cluster that speaks no more than it must."""

    def __init__(self, server: RunningServer) -> None:
        url = urlsplit(server.url)
        assert url.hostname
        assert url.port
        self._socket = socket.create_connection((url.hostname, url.port), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws/clusters/demo/ HTTP/1.1",
            f"Host: {url.netloc}",
            f"Origin: {server.url}",
            "Upgrade: websocket",
        ]
        lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._stream = self._socket.makefile("rb")
        assert b"101" in self._stream.readline()
        while self._stream.readline().strip():
            pass

    def hear(self) -> Any:
        """The next message, which the server sends unmasked and in one frame."""
        _, length = self._stream.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._stream.read(8))
        return json.loads(self._stream.read(length))

    def hear_traffic(self, frames: int) -> None:
        """Listen until so many traffic frames have come."""
        while frames:
            frames -= self.hear()["type"] == "traffic"

    def vanish(self) -> None:
        """The connection is reset, as when a laptop is shut: no closing handshake, nothing read to its end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.close()
        self._socket.close()


def test_browsers_that_vanish_leave_no_traceback(server: RunningServer) -> None:
    """Some leave at once, some in the middle of the stream; who stays goes on hearing."""
    before = server.log.stat().st_size
    stays = Guest(server)
    stays.hear_traffic(1)
    for frames in (0, 0, 1, 2):
        guest = Guest(server)
        guest.hear_traffic(frames)
        guest.vanish()
    stays.hear_traffic(4)
    stays.vanish()
    last = Guest(server)
    last.hear_traffic(2)
    last.vanish()
    said = server.log.read_bytes()[before:].decode()
    assert "Traceback" not in said, said
    assert "ERROR" not in said, said
    assert "Unhandled" not in said, said
