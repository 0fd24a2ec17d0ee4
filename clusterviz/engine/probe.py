"""The question: from where, to where, with what kind of packet."""

from __future__ import annotations

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from clusterviz.engine.addresses import on_the_wire
from clusterviz.engine.errors import ProbeError

Protocol = Literal["TCP", "UDP", "SCTP", "ICMP"]
PROTOCOLS = ("TCP", "UDP", "SCTP", "ICMP")
DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 443, "tcp": 0, "udp": 0}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends. ``kind``: container, pod, workload, node, external.

    A workload (``shop/frontend``) stands for its first ready pod.
    """

    kind: Literal["container", "pod", "workload", "node", "external"]
    namespace: str = ""
    name: str = ""
    container: str = ""
    ip: str = ""


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """What is called. ``kind``: pod, service, node, name (looked up by DNS), ip.

    ``port`` is a number, or the name of a Service or container port, or None for ICMP.
    """

    kind: Literal["pod", "service", "node", "name", "ip"]
    namespace: str = ""
    name: str = ""
    ip: str = ""
    port: int | str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The HTTP request inside, when there is one. ``scheme`` is http or https.

    ``query`` is what follows the question mark; ``headers`` are (name, value) besides Host.
    """

    scheme: str = "http"
    host: str = ""
    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``seed`` draws the backend; ``source_port`` None means derived from the seed."""

    source: Source
    destination: Destination
    protocol: Protocol = "TCP"
    request: Request | None = None
    source_port: int | None = None
    seed: int = 0
    length: int = 60
    dont_fragment: bool = True

    @classmethod
    def parse(cls, source: str, to: str, *, protocol: str = "", seed: int = 0) -> Probe:
        """Read the two ends as a person types them.

        ``source``: ``internet``, an outside IP, ``node/n1``, ``ns/pod``, ``ns/pod/container``,
        ``ns/workload``; a picture id (``pod:ns/name``) works too.
        ``to``: a URL, ``name:port``, ``ip:port``, ``[v6]:port``, ``pod:ns/name:port``,
        ``service:ns/name:port``, ``node:name:port``, ``localhost:port``, or a bare name or IP.
        Raises `ProbeError` with the field and what is allowed.
        """
        proto = (protocol or _protocol_of(to)).upper()
        if proto not in PROTOCOLS:
            raise ProbeError(f"unknown protocol {protocol!r}", field="protocol", allowed=", ".join(PROTOCOLS))
        destination, request = parse_destination(to)
        if proto != "ICMP" and destination.port in (None, 0):
            raise ProbeError(f"{to!r} has no port", field="to", allowed="host:port, a URL, or protocol ICMP")
        return cls(
            source=parse_source(source),
            destination=destination,
            protocol=proto,  # type: ignore[arg-type]
            request=request if proto == "TCP" else None,
            seed=seed,
        )


SOURCES = "internet, an IP address, node/NAME, NAMESPACE/POD, NAMESPACE/POD/CONTAINER or NAMESPACE/WORKLOAD"
TARGETS = "a URL, NAME:PORT, IP:PORT, pod:NAMESPACE/NAME:PORT, service:NAMESPACE/NAME:PORT or node:NAME:PORT"


def is_ip(text: str) -> bool:
    """Whether ``text`` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def parse_source(text: str) -> Source:
    """Read who sends; see `Probe.parse`."""
    text = text.strip()
    if not text or len(text) > 512:
        raise ProbeError("the source is empty or too long", field="from", allowed=SOURCES)
    if text == "internet":
        return Source(kind="external")
    if text.startswith("external:"):
        text = text.removeprefix("external:")
    if is_ip(text):
        return Source(kind="external", ip=on_the_wire(text))
    for prefix in ("node:", "node/"):
        if text.startswith(prefix):
            return Source(kind="node", name=text.removeprefix(prefix))
    explicit_pod = text.startswith("pod:")
    if text.startswith("workload:"):
        text = text.removeprefix("workload:").partition("/")[2]
    parts = text.removeprefix("pod:").split("/")
    if len(parts) == 1:
        parts = ["default", *parts]
    if not all(parts) or len(parts) > 3:
        raise ProbeError(f"cannot read {text!r}", field="from", allowed=SOURCES)
    if len(parts) == 3:
        return Source(kind="container", namespace=parts[0], name=parts[1], container=parts[2])
    return Source(kind="pod" if explicit_pod else "workload", namespace=parts[0], name=parts[1])


def parse_destination(text: str) -> tuple[Destination, Request | None]:
    """Read what is called; see `Probe.parse`."""
    text = text.strip()
    if not text or len(text) > 2048:
        raise ProbeError("the destination is empty or too long", field="to", allowed=TARGETS)
    if "://" in text:
        return _parse_url(text)
    for kind in ("pod", "service", "node"):
        if text.startswith(kind + ":"):
            return _parse_object(kind, text.removeprefix(kind + ":")), None
    if text.startswith("external:"):
        text = text.removeprefix("external:")
    host, port = _split_port(text)
    return _host(host, port), None


def _protocol_of(to: str) -> str:
    return "UDP" if to.startswith("udp://") else "TCP"


def _parse_url(text: str) -> tuple[Destination, Request | None]:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise ProbeError(f"cannot read the URL {text!r}: {error}", field="to", allowed=TARGETS) from None
    if url.scheme not in DEFAULT_PORTS or not url.hostname:
        raise ProbeError(f"cannot read the URL {text!r}", field="to", allowed="http, https, grpc, tcp, udp")
    host = url.hostname
    if port == 0:
        raise ProbeError("port 0 is out of range", field="to", allowed="1 to 65535")
    destination = _host(host, port or DEFAULT_PORTS[url.scheme])
    if url.scheme not in ("http", "https"):
        return destination, None
    return destination, Request(scheme=url.scheme, host=host, path=url.path or "/", query=url.query)


def _split_port(text: str) -> tuple[str, int | str | None]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, _port(rest.removeprefix(":"))
    if is_ip(text):
        return text, None
    host, colon, port = text.rpartition(":")
    return (host, _port(port)) if colon else (text, None)


def _port(text: str) -> int | str | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        return text
    number = int(text) if len(text) < 6 else 0
    if not 1 <= number <= 65535:
        raise ProbeError(f"port {text} is out of range", field="to", allowed="1 to 65535")
    return number


def _host(host: str, port: int | str | None) -> Destination:
    if not host:
        raise ProbeError("the destination has no host", field="to", allowed=TARGETS)
    if host == "localhost":
        return Destination(kind="ip", ip="127.0.0.1", port=port)
    if is_ip(host):
        return Destination(kind="ip", ip=on_the_wire(host), port=port)
    return Destination(kind="name", name=host, port=port)


def _parse_object(kind: str, rest: str) -> Destination:
    path, port = _split_port(rest)
    parts = path.split("/")
    if kind == "node":
        if len(parts) != 1 or not parts[0]:
            raise ProbeError(f"cannot read node {rest!r}", field="to", allowed=TARGETS)
        return Destination(kind="node", name=parts[0], port=port)
    if len(parts) == 1:
        parts = ["default", *parts]
    if len(parts) != 2 or not all(parts):
        raise ProbeError(f"cannot read {kind} {rest!r}", field="to", allowed=TARGETS)
    return Destination(kind=kind, namespace=parts[0], name=parts[1], port=port)  # type: ignore[arg-type]
