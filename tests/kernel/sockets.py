"""Servers that say who called, and clients that try: one thread, nothing blocks."""

import errno
import json
import select
import socket
import struct
import time

# Connected clients wait this long for the greeting: the server is this very process.
GREETING = 5.0
# A first packet that was lost is sent again after one second and might then meet another choice.
RESENT = 0.99
CHUNK = 64
IPV6_RECVERR = 25
TYPES = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
WORDS = {
    0: "answered",
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EACCES: "unreachable",
    errno.EINVAL: "unreachable",
    errno.ETIMEDOUT: "timed out",
}


class Client:
    """One try: ``index`` of the shot, its socket, and when it gives up."""

    def __init__(self, index, proto, sock, patience):
        self.index = index
        self.proto = proto
        self.sock = sock
        self.opened = time.monotonic()
        self.deadline = self.opened + patience
        self.connected = False


class Switchboard:
    """All sockets of the lab."""

    def __init__(self):
        self.poll = select.epoll()
        self.servers = {}
        self.clients = {}
        self.results = {}
        self.opened = 0

    def listen(self, place, proto, ip, port):
        """Answer on an address of the namespace the process is in."""
        sock = self._socket(proto, ip)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((ip, port))
        if proto == "TCP":
            sock.listen(1024)
        self.servers[sock.fileno()] = (place, proto, sock)
        self.poll.register(sock, select.EPOLLIN)

    def open(self, index, proto, source, ip, port, patience):
        """Start one connection in the namespace the process is in."""
        sock = self._socket(proto, ip)
        client = Client(index, proto, sock, patience)
        try:
            if source:
                sock.bind((source, 0))
            sock.connect((ip, port))
            if proto == "UDP":
                sock.send(b"hello")
        except (BlockingIOError, PermissionError):
            pass  # dropped in OUTPUT: an ICMP answer, if there is one, comes as the socket's error
        except OSError as error:
            self._end(client, error.errno)
            return
        self.clients[sock.fileno()] = client
        self.poll.register(sock, select.EPOLLIN | select.EPOLLOUT if proto == "TCP" else select.EPOLLIN)
        self.opened += 1
        if self.opened % CHUNK == 0:
            self._turn(0)

    def _socket(self, proto, ip):
        six = ":" in ip
        sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, TYPES[proto])
        sock.setblocking(False)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if proto == "TCP":
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        return sock

    def finish(self, count):
        """Wait until every try has ended; one result each, in order."""
        while self.clients:
            soonest = min(client.deadline for client in self.clients.values())
            self._turn(max(0.0, soonest - time.monotonic()))
            if soonest <= time.monotonic():
                while self._turn(0.002):  # what has happened already is looked at before anybody gives up
                    pass
                self._give_up()
        results = [self.results[index] for index in range(count)]
        self.results.clear()
        return results

    def _give_up(self):
        now = time.monotonic()
        for client in [one for one in self.clients.values() if one.deadline <= now]:
            self._end(client, errno.ETIMEDOUT)

    def _turn(self, wait):
        events = self.poll.poll(wait, 512)
        for number, event in events:
            if number in self.servers:
                self._serve(*self.servers[number])
            elif number in self.clients:
                self._progress(self.clients[number], event)
        return len(events)

    def _serve(self, place, proto, sock):
        while True:
            try:
                if proto == "TCP":
                    made, peer = sock.accept()
                    made.send(self._greeting(place, made.getsockname(), peer))
                    made.close()
                else:
                    _, peer = sock.recvfrom(64)
                    sock.sendto(self._greeting(place, sock.getsockname(), peer), peer)
            except BlockingIOError:
                return
            except OSError:
                continue  # the caller has hung up already, or an ICMP error of an older answer

    def _greeting(self, place, own, peer):
        return json.dumps({"place": place, "ip": own[0], "port": own[1], "from": peer[0]}).encode()

    def _progress(self, client, event):
        failed = client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if event & select.EPOLLERR and not failed:
            failed = self._queued_error(client.sock)
        if failed:
            self._end(client, failed)
            return
        if client.proto == "TCP" and not client.connected and event & select.EPOLLOUT:
            client.connected = True
            if time.monotonic() - client.opened > RESENT and not event & select.EPOLLIN:
                self._end(client, errno.ETIMEDOUT)
                return
            client.deadline = time.monotonic() + GREETING
            self.poll.modify(client.sock, select.EPOLLIN)
        if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._read(client)

    def _queued_error(self, sock):
        """The error an ICMPv6 answer left that came while connect() itself still held the socket."""
        try:
            _, ancillary, _, _ = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return 0
        for level, kind, data in ancillary:
            if (level, kind) == (socket.IPPROTO_IPV6, IPV6_RECVERR):
                return struct.unpack_from("=I", data)[0]
        return 0

    def _read(self, client):
        try:
            data = client.sock.recv(512)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(client, error.errno)
            return
        self._end(client, 0 if data else errno.ECONNRESET, data)

    def _end(self, client, number, data=b""):
        word = WORDS.get(number) or errno.errorcode.get(number, str(number))
        self.results[client.index] = {"outcome": word, **(json.loads(data) if data else {})}
        if self.clients.pop(client.sock.fileno(), None) is not None:
            self.poll.unregister(client.sock)
        client.sock.close()
