"""Frames as they pass: AF_PACKET sockets in the namespaces that are watched."""

import socket
import time

ETH_P_ALL = 0x0003


class Watch:
    """Open sockets by namespace, in the order they were opened."""

    def __init__(self):
        self.open_ones = []

    def open(self, name):
        """Listen to all devices of the namespace the process is in."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.setblocking(False)
        self.open_ones.append((name, sock))

    def read(self):
        """All frames so far as ``{"ns", "device", "out", "data"}``, then stop listening."""
        time.sleep(0.05)
        frames = []
        for name, sock in self.open_ones:
            while True:
                try:
                    data, (device, _, kind, _, _) = sock.recvfrom(2048)
                except BlockingIOError:
                    break
                outgoing = kind == socket.PACKET_OUTGOING
                frames.append({"ns": name, "device": device, "out": outgoing, "data": data.hex()})
            sock.close()
        self.open_ones.clear()
        return frames
