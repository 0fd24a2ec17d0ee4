"""Every mechanism asked alone, from plain and partial objects.

Each function takes Kubernetes objects as dicts (or a `Cluster`) and plain values, and answers with a
record whose `to_dict` is plain data. Nothing has to be complete: a Service may have only an address and
ports, a pod only an IP, an EndpointSlice no pods behind it, and no Node need exist. What is missing is
not invented beyond what the question needs: names for the nameless, and the node that is asked about.

``settings`` is a `Settings`, or a dict of the fields that differ from what the objects reveal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from clusterviz.engine.addresses import family as family_of
from clusterviz.engine.addresses import host_port, on_the_wire
from clusterviz.engine.answers import AffinityAnswer, Connection, HealthCheck, ServiceAnswer, Target
from clusterviz.engine.cluster import Cluster, unpack
from clusterviz.engine.datapath.affinity import Affinity
from clusterviz.engine.datapath.dns import Answer, query
from clusterviz.engine.datapath.health import health_answer
from clusterviz.engine.datapath.ingress import IngressMatch, route_request
from clusterviz.engine.datapath.lookup import is_local
from clusterviz.engine.datapath.place import Route, route_for
from clusterviz.engine.datapath.policy import ConnectionVerdict, policy_verdict
from clusterviz.engine.datapath.resolver import Resolution, ResolvConf, resolv_conf, resolve
from clusterviz.engine.datapath.service import HAIRPIN, decide, port_name
from clusterviz.engine.errors import ObjectError, ProbeError
from clusterviz.engine.gateway import GatewayAnswer, match_http
from clusterviz.engine.objects import Node, Obj, Pod, key_of
from clusterviz.engine.probe import PROTOCOLS, Request
from clusterviz.engine.proxyrules import iptables, nftables
from clusterviz.engine.settings import Settings
from clusterviz.engine.settings_check import check_value, fields

Objects = Cluster | Iterable[Obj]
Wish = Settings | Mapping[str, Any] | None
MODES = ("iptables", "nftables")
LAST_PORT = 65535
_SETTINGS = ", ".join(Settings.__struct_fields__)
_URLS = "http://HOST/PATH, https://HOST/PATH, or /PATH for a request without a host"


def world(objects: Objects, settings: Wish = None, *, node: str = "") -> Cluster:
    """The snapshot a question is asked of. ``node`` is added when no object describes it.

    Workloads are not expanded: only pods that are there exist, and only node ports that are given. Of
    objects with one name the last counts, as if each had been applied. Raises `ObjectError` for what cannot be read.
    """
    if not isinstance(objects, Iterable | Cluster):
        raise ObjectError(f"{objects!r} is no list of objects")
    if isinstance(objects, Cluster):
        known = objects
        if node and node not in known.nodes:
            return world(list(known.objects.values()), settings or known.settings, node=node)
        return known if settings is None else known.with_settings(_settings(settings, known.settings))
    given = list({key_of(obj): obj for obj in _named(unpack(objects))}.values())
    if node and not any(_is_node(one, node) for one in given):
        given.append({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
    if isinstance(settings, Settings):
        return _snapshot(given, settings)
    inferred = _snapshot(given)
    if not settings:
        return inferred
    return _snapshot(given, _settings(settings, inferred.settings))


def _is_node(obj: Obj, name: str) -> bool:
    metadata = obj.get("metadata")
    return obj.get("kind") == "Node" and isinstance(metadata, dict) and metadata.get("name") == name


def _snapshot(objects: Iterable[Obj], settings: Settings | None = None) -> Cluster:
    return Cluster.from_objects(objects, settings, expand=False, node_ports=False)


def _settings(wish: Settings | Mapping[str, Any], base: Settings) -> Settings:
    if isinstance(wish, Settings):
        return wish
    if not isinstance(wish, Mapping):
        raise ProbeError(f"settings: {wish!r} is not a map", field="settings", allowed=_SETTINGS)
    flaw = next((flaw for name, value in wish.items() if name in fields() for flaw in check_value(name, value)), None)
    if flaw:
        raise ProbeError(f"settings.{flaw.field}: {flaw.message}", field="settings", allowed=_SETTINGS)
    try:
        return msgspec.convert({**msgspec.to_builtins(base), **wish}, Settings)
    except msgspec.ValidationError as error:
        raise ProbeError(str(error), field="settings", allowed=_SETTINGS) from None


def _named(objects: Iterable[Obj]) -> Iterator[Obj]:
    """Objects that have a name each; the nameless are called after their kind and place in the list."""
    for index, obj in enumerate(objects):
        metadata = obj.get("metadata") or {}
        if isinstance(metadata, dict) and not metadata.get("name"):
            metadata = {**metadata, "name": f"{str(obj.get('kind', '')).lower()}-{index}"}
        yield {**obj, "metadata": metadata}


def service(
    objects: Objects,
    *,
    source: str,
    destination: str,
    port: int,
    protocol: str = "TCP",
    node: str = "",
    from_node: bool | None = None,
    settings: Wish = None,
) -> ServiceAnswer:
    """What the rules on ``node`` (the first one without it) do with ``source`` -> ``destination``:``port``.

    ``from_node``: a process of the node itself opened the connection; None decides by whose address the
    source is. Raises `ProbeError` for what is not an address.
    """
    cluster, place = _at(objects, settings, node)
    sender, target = _pair(source, destination)
    _check_port(port, protocol)
    own = is_local(cluster, place, sender) if from_node is None else from_node
    found = decide(cluster, place, sender, target, _protocol(protocol), port, from_node=own)
    if found is None:
        return ServiceAnswer(verdict="not_a_service", effect="none")
    hidden = "" if found.masquerade == HAIRPIN else found.masquerade
    name = "/".join(filter(None, (found.service.namespace, found.service.name)))
    return ServiceAnswer(
        verdict=found.verdict,
        effect=found.effect,
        service=port_name(found.service, found.port) if found.port else name,
        via=found.via,
        targets=tuple(
            Target(
                address=one.address,
                port=one.port,
                probability=one.probability,
                masquerade=bool(hidden) or one.address == sender,
                pod=one.pod.removeprefix("pod:"),
                node=one.node,
            )
            for one in found.candidates
            if one.probability
        ),
        excluded=tuple((host_port(one.address, one.port), one.why) for one in found.candidates if not one.probability),
        masquerade=hidden,
        rules=found.rules,
    )


def affinity(
    objects: Objects,
    *,
    connections: Iterable[tuple[str, float]],
    destination: str,
    port: int,
    protocol: str = "TCP",
    node: str = "",
    remembered: Affinity | None = None,
    settings: Wish = None,
) -> AffinityAnswer:
    """Where connections go that come one after the other, each a source and a time in seconds (SVC-14, SVC-15).

    ``remembered`` is what the node knows from before: the answer's, when the objects changed meanwhile. Connections
    that are not kept are drawn by their place in the list. Raises `ProbeError`.
    """
    cluster, place = _at(objects, settings, node)
    _check_port(port, protocol)
    table, made = remembered or Affinity(), []
    for index, (source, now) in enumerate(connections):
        sender, target = _pair(source, destination)
        own = is_local(cluster, place, sender)
        found = decide(
            cluster,
            place,
            sender,
            target,
            _protocol(protocol),
            port,
            from_node=own,
            seed=index,
            affinity=table,
            now=now,
        )
        table = (found.affinity if found else None) or table
        end = found.endpoint if found else None
        endpoint = host_port(end.ip, found.target_port) if found and end else ""
        verdict = found.verdict if found else "not_a_service"
        made.append(
            Connection(source=sender, at=now, verdict=verdict, endpoint=endpoint, sticky=found.sticky if found else "")
        )
    return AffinityAnswer(connections=tuple(made), remembered=table)


def health(
    objects: Objects, *, port: int, node: str = "", address: str = "", settings: Wish = None
) -> HealthCheck | None:
    """What kube-proxy on ``node`` answers a balancer on a healthCheckNodePort (PX-14); None when nobody listens.

    ``address`` is one of the node's, any of them without it. Raises `ProbeError`.
    """
    cluster, place = _at(objects, settings, node)
    _check_port(port, "TCP")
    found = health_answer(cluster, place, port, _address(address, "address") if address else "")
    if found is None:
        return None
    name = f"{found.service.namespace}/{found.service.name}"
    return HealthCheck(service=name, status=found.status, local_endpoints=found.local_endpoints)


def policy(
    objects: Objects,
    *,
    source: str,
    destination: str,
    port: int | None,
    protocol: str = "TCP",
    settings: Wish = None,
) -> ConnectionVerdict:
    """Whether NetworkPolicies let ``source`` open a connection to ``destination``:``port`` (NP).

    Addresses are those after Service translation (NP-13); ``port`` None for ICMP. Raises `ProbeError`.
    """
    found = world(objects, settings)
    sender, target = _pair(source, destination)
    _check_port(port, protocol)
    return policy_verdict(found, sender, target, port, _protocol(protocol))


def dns(objects: Objects, name: str, type: str = "A", *, settings: Wish = None) -> Answer:  # noqa: A002 - dig's word
    """What the cluster's DNS answers to one question: rcode, records, authority, additional (DNS)."""
    _check_text(name, "name")
    _check_text(type, "type")
    return query(world(objects, settings), name, type)


def look_up(objects: Objects, name: str, *, pod: str = "", settings: Wish = None) -> Resolution:
    """A pod's (``namespace/name``; a node's without it) whole look-up: every name tried, and the addresses."""
    found = world(objects, settings)
    return resolve(found, _pod(found, pod) if pod else None, name)


def resolv(objects: Objects, *, pod: str = "", settings: Wish = None) -> ResolvConf:
    """The resolv.conf of a pod (``namespace/name``), or of a node (DNS-11, DNS-15)."""
    found = world(objects, settings)
    return resolv_conf(found, _pod(found, pod) if pod else None)


def ingress(objects: Objects, url: str, *, settings: Wish = None) -> IngressMatch:
    """What the Ingress controller does with a request for ``url`` (ING); a bare path has no host."""
    return route_request(world(objects, settings), http_request(url))


def http_route(
    objects: Objects,
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    port: int | None = None,
    gateway: str = "",
    settings: Wish = None,
) -> GatewayAnswer:
    """What a gateway (``namespace/name``; all of them without it) does with a request (GW).

    ``port`` is the listener's; without it the URL's where a listener has that, since something in front may map
    ports. The answer holds the route and rule, backends with their shares, redirect, and the rewritten request.
    """
    request = http_request(url, method, headers)
    space, _, name = (gateway or "").rpartition("/")
    return match_http(world(objects, settings), (space or "default", name) if gateway else None, request, port=port)


def http_request(url: str, method: str = "GET", headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Request:
    """A request from its URL, or from a path alone. Raises `ProbeError` for what is not HTTP."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
        pairs = [
            (str(name), str(value)) for name, value in (headers.items() if isinstance(headers, Mapping) else headers)
        ]
    except (AttributeError, TypeError, ValueError) as error:
        raise ProbeError(f"cannot read the request to {url!r}: {error}", field="url", allowed=_URLS) from None
    if parts.scheme not in ("", "http", "https") or (parts.scheme == "" and not url.startswith("/")):
        raise ProbeError(f"cannot read the URL {url!r}", field="url", allowed=_URLS)
    return Request(
        scheme=parts.scheme or "http",
        host=parts.netloc.rpartition("@")[2],
        method=(method or "GET").upper(),
        path=parts.path or "/",
        query=parts.query,
        headers=tuple(pairs),
    )


def rules(
    objects: Objects,
    *,
    node: str = "",
    mode: str = "",
    family: int = 4,
    service: str = "",
    settings: Wish = None,
) -> str:
    """The rules kube-proxy writes on a node (IPT, NFT), of one Service (``namespace/name``) only if given."""
    cluster, place = _at(objects, settings, node)
    mode = mode or cluster.settings.proxy_mode
    if mode not in MODES:
        raise ProbeError(f"no rule text in mode {mode!r}", field="mode", allowed=", ".join(MODES))
    cluster = cluster.with_settings(msgspec.structs.replace(cluster.settings, proxy_mode=mode))
    space, _, name = (service or "").rpartition("/")
    only = (space or "default", name) if service else None
    if family not in (4, 6):
        raise ProbeError(f"no address family {family!r}", field="family", allowed="4, 6")
    if only and only not in cluster.services:
        raise ProbeError(f'services "{only[1]}" not found in namespace {only[0]}', field="service")
    write = nftables if mode == "nftables" else iptables
    return write(cluster, place, family, only=only)


def route(objects: Objects, *, destination: str, node: str = "", settings: Wish = None) -> Route:
    """The line of ``ip route`` a node sends a packet on by (NET)."""
    cluster, place = _at(objects, settings, node)
    return route_for(cluster, place, _address(destination, "destination"))


def _at(objects: Objects, settings: Wish, node: str) -> tuple[Cluster, Node]:
    """The snapshot and the node asked about; the first one, or one of no account, when none is named."""
    cluster = world(objects, settings, node=node)
    if not node and not cluster.nodes:
        cluster = world(cluster, node="node")
    return cluster, cluster.nodes[node] if node else next(iter(cluster.nodes.values()))


def _pod(cluster: Cluster, name: str) -> Pod:
    space, _, rest = name.rpartition("/")
    found = cluster.pods.get((space or "default", rest))
    if found is None:
        raise ProbeError(f'pods "{rest}" not found in namespace {space or "default"}', field="pod")
    return found


def _pair(source: str, destination: str) -> tuple[str, str]:
    """Both ends of a packet, which are of one family."""
    sender, target = _address(source, "source"), _address(destination, "destination")
    if family_of(sender) != family_of(target):
        raise ProbeError(
            f"{sender} and {target} are of different families", field="source", allowed="two IPv4 or two IPv6 addresses"
        )
    return sender, target


def _check_port(port: int | None, protocol: str) -> None:
    if _protocol(protocol) != "ICMP" and (type(port) is not int or not 0 <= port <= LAST_PORT):
        raise ProbeError(f"{port!r} is not a port", field="port", allowed=f"0-{LAST_PORT}; none for ICMP")


def _check_text(value: Any, field: str) -> None:
    if not isinstance(value, str) or not value:
        raise ProbeError(f"{value!r} is not a {field}", field=field, allowed="text as dig takes it")


def _address(text: Any, field: str) -> str:
    found = on_the_wire(text) if isinstance(text, str) else ""
    if not found:
        raise ProbeError(f"{text!r} is not an IP address", field=field, allowed="an IPv4 or IPv6 address")
    return found


def _protocol(text: Any) -> str:
    if not isinstance(text, str) or text.upper() not in PROTOCOLS:
        raise ProbeError(f"unknown protocol {text!r}", field="protocol", allowed=", ".join(PROTOCOLS))
    return text.upper()
