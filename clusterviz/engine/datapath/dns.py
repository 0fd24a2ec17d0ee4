"""What CoreDNS answers for the cluster domain: `query` asks one question, of plain and partial objects too (DNS).

A pod's resolver, which asks several of these for one name, is in `resolver`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.addresses import canonical, family
from clusterviz.engine.datapath.reverse_names import from_arpa, reverse_zone
from clusterviz.engine.objects import Endpoint, Service
from clusterviz.engine.probe import is_ip
from clusterviz.engine.settings import Settings

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

SCHEMA_VERSION, SCHEMA_TTL = "1.1.0", 28800
MOST_ALIASES = 8
FORWARDED = "FORWARDED"
# Bytes of an answer over UDP without EDNS, which C libraries do not use by themselves (DNS-14).
LARGEST_UDP = 512
_FAMILIES = {"A": 4, "AAAA": 6}


class ResourceRecord(NamedTuple):
    """One record: names without the final dot, ``value`` as dig prints it, ``ttl`` in seconds."""

    owner: str
    type: str
    value: str
    ttl: int

    @property
    def size(self) -> int:
        """Bytes on the wire, its owner compressed to a pointer."""
        return 12 + {"A": 4, "AAAA": 16}.get(self.type, len(self.value) + 2)

    @property
    def text(self) -> str:
        """As dig prints it."""
        value = f'"{self.value}"' if self.type == "TXT" else self.value
        if self.type == "SOA":
            server, mailbox, numbers = self.value.split(" ", 2)
            value = f"{server}. {mailbox}. {numbers}"
        dot = "." if self.type in ("CNAME", "NS", "PTR", "SRV") else ""
        return f"{self.owner}.\t{self.ttl}\tIN\t{self.type}\t{value}{dot}"


class Answer(msgspec.Struct, frozen=True):
    """What comes back for one question.

    ``rcode``: NOERROR (without records: NODATA), NXDOMAIN, SERVFAIL (DNS-10), or FORWARDED: the name is in
    no zone of the cluster and ``upstream`` answers. ``upstream`` is also set when an alias leads outside.
    ``authority`` holds the zone's SOA when there is no record. ``rules`` are rule ids.
    """

    rcode: str
    records: tuple[ResourceRecord, ...] = ()
    authority: tuple[ResourceRecord, ...] = ()
    additional: tuple[ResourceRecord, ...] = ()
    upstream: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """A and AAAA values."""
        return tuple(one.value for one in self.records if one.type in _FAMILIES)

    @property
    def truncated(self) -> bool:
        """Whether the records do not fit a UDP answer, so that they are asked again by TCP (DNS-14)."""
        question = 12 + len(self.records[0].owner) + 6 if self.records else 0
        return question + sum(one.size for one in self.records) > LARGEST_UDP

    @property
    def alias(self) -> str:
        """The name the last CNAME points at, "" without one."""
        return next((one.value for one in reversed(self.records) if one.type == "CNAME"), "")


class _Question(NamedTuple):
    """``owner`` and ``zone`` keep the case of the question (DNS-09); ``labels`` are lower case, without the zone."""

    owner: str
    type: str
    zone: str
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.owner.lower()


class _Found(NamedTuple):
    """One thing a name leads to: the name it stands under, an address or another name, a port (0: none)."""

    name: str
    host: str
    port: int = 0


def query(cluster: Cluster, qname: str, qtype: str = "A") -> Answer:
    """What CoreDNS answers to one question (DNS-01 to DNS-10).

    ``qname`` may end in a dot; for PTR it may be an address. Any record type can be asked.
    """
    owner, qtype = qname.rstrip("."), qtype.upper()
    if qtype == "PTR" and is_ip(owner):
        owner = ipaddress.ip_address(owner).reverse_pointer
    asked = _question(cluster.settings, owner, qtype)
    if qtype == "PTR":
        found = _reverse(cluster, owner)
        if found:
            return Answer("NOERROR", found, rules=("DNS-07",))
    if asked is None:
        rule = "DNS-07" if owner.lower().endswith(".arpa") else "DNS-12"
        return Answer(FORWARDED, upstream=cluster.settings.nameservers, rules=(rule,))
    return _in_zone(cluster, asked)


def in_domain(cluster: Cluster, name: str) -> bool:
    """Whether a full name lies in the cluster domain."""
    domain = cluster.settings.cluster_domain.rstrip(".").lower()
    name = name.rstrip(".").lower()
    return name == domain or name.endswith("." + domain)


def _question(settings: Settings, owner: str, qtype: str) -> _Question | None:
    """The question with its zone; None when no zone of the cluster holds the name."""
    name, domain = owner.lower(), settings.cluster_domain.rstrip(".").lower()
    zone = domain if name == domain or name.endswith("." + domain) else reverse_zone(settings, name)
    if not zone:
        return None
    labels = name.removesuffix(zone).removesuffix(".").split(".")
    return _Question(owner, qtype, owner[len(owner) - len(zone) :], tuple(labels) if labels != [""] else ())


def _in_zone(cluster: Cluster, asked: _Question) -> Answer:
    settings, ttl = cluster.settings, cluster.settings.dns_ttl
    if not asked.labels and asked.type == "SOA":
        return Answer("NOERROR", (_soa(settings, asked.zone),), rules=("DNS-06",))
    if not asked.labels and asked.type == "NS":
        servers = _name_servers(cluster, asked.zone)
        records = tuple(dict.fromkeys(ResourceRecord(asked.owner, "NS", one.name, ttl) for one in servers))
        return Answer("NOERROR", records, additional=_glue(servers, ttl), rules=("DNS-06", "DNS-14"))
    if asked.type == "TXT":
        known = asked.labels == ("dns-version",)
        version = (ResourceRecord(asked.owner, "TXT", SCHEMA_VERSION, SCHEMA_TTL),)
        return _told(settings, asked, version if known else (), ("DNS-06",))
    if asked.labels == ("ns", "dns"):
        found: list[_Found] | None = _name_servers(cluster, asked.zone)
        rule = "DNS-06"
    else:
        found, rule = _lookup(cluster, asked)
    if found is None and _passed_on(settings, asked.name):
        return Answer(FORWARDED, upstream=settings.nameservers, rules=(rule, "DNS-07"))
    if found is None:
        rcode = "NXDOMAIN" if settings.dns_synced else "SERVFAIL"
        return Answer(rcode, authority=(_soa(settings, asked.zone),), rules=(rule,))
    if asked.type == "SRV":
        return _srv(settings, asked, found)
    if asked.type == "CNAME":
        aliases = (ResourceRecord(asked.owner, "CNAME", one.host, ttl) for one in found[:1] if not is_ip(one.host))
        return _told(settings, asked, tuple(aliases), (rule,))
    records, outside = _addresses(cluster, asked, found, ())
    return _told(settings, asked, records, (rule,), settings.nameservers if outside else ())


def _passed_on(settings: Settings, name: str) -> bool:
    """Whether the plugin leaves a name it does not know to the next one, which asks the nameservers."""
    return any(zone in (".", name) or name.endswith("." + zone) for zone in settings.dns_fallthrough)


def _told(
    settings: Settings,
    asked: _Question,
    records: tuple[ResourceRecord, ...],
    rules: tuple[str, ...],
    upstream: tuple[str, ...] = (),
) -> Answer:
    """NOERROR; without a record it is NODATA and the SOA comes along (DNS-06)."""
    authority = () if records else (_soa(settings, asked.zone),)
    return Answer("NOERROR", records, authority, upstream=upstream, rules=rules)


def _soa(settings: Settings, zone: str) -> ResourceRecord:
    """The zone's SOA. CoreDNS counts its serial in seconds of wall time, which the engine does not have: 0."""
    ttl = settings.dns_ttl
    return ResourceRecord(zone, "SOA", f"ns.dns.{zone} hostmaster.{zone} 0 7200 1800 86400 {ttl}", min(ttl, 300))


def _name_servers(cluster: Cluster, zone: str) -> list[_Found]:
    """The DNS Service by name; where it is not among the objects, ns.dns with the address of the settings."""
    settings = cluster.settings
    named = [
        _Found(f"{service.name}.{service.namespace}.svc.{settings.cluster_domain}", ip)
        for service, via in cluster.services_by_ip.get(settings.dns_ip, ())
        if via == "cluster" and settings.dns_synced
        for ip in service.cluster_ips
    ]
    return named or [_Found(f"ns.dns.{zone}", settings.dns_ip)]


def _lookup(cluster: Cluster, asked: _Question) -> tuple[list[_Found] | None, str]:
    """What a name leads to and the rule: None is a name that does not exist, [] one without records."""
    labels = asked.labels
    if labels in ((), ("svc",), ("pod",)):
        return [], "DNS-06"
    if labels[-1] not in ("svc", "pod"):
        return None, "DNS-07" if asked.zone.lower().endswith(".arpa") else "DNS-06"
    if not cluster.settings.dns_synced:
        return None, "DNS-10"
    namespace, leaf = labels[-2], labels[:-2]
    if labels[-1] == "pod" and cluster.settings.dns_pod_mode == "disabled":
        return None, "DNS-08"
    if len(leaf) > 3 or namespace not in cluster.namespace_names:
        return None, "DNS-06"
    if not leaf:
        return [], "DNS-06"
    if labels[-1] == "pod":
        return _pod_name(cluster, leaf[-1], namespace), "DNS-08"
    service = cluster.services.get((namespace, leaf[-1]))
    if service is None:
        return None, "DNS-06"
    return _service_name(cluster, asked, service, leaf[:-1])


def _service_name(
    cluster: Cluster, asked: _Question, service: Service, leaf: tuple[str, ...]
) -> tuple[list[_Found] | None, str]:
    """``leaf`` is (), (endpoint,) or (_port, _protocol)."""
    name = f"{service.name}.{service.namespace}.svc.{asked.zone}"
    if service.type == "ExternalName":
        target = service.external_name.rstrip(".")
        wrong = len(leaf) == 1 or not target or is_ip(target)
        return (None if wrong else [_Found(name, target)]), "DNS-05"
    if cluster.settings.dns_ignore_empty_service and not service.headless and not _answering(cluster, service):
        return None, "DNS-10"
    wanted = (_stripped(leaf[0]), _stripped(leaf[1])) if len(leaf) == 2 else ("", "")
    rule = "DNS-04" if len(leaf) == 2 else "DNS-03" if leaf else "DNS-02" if service.headless else "DNS-01"
    if service.headless or len(leaf) == 1:
        only = leaf[0] if len(leaf) == 1 else ""
        return list(_endpoint_names(cluster, service, name, wanted, only)) or None, rule
    ports = [(one.name, one.port, one.protocol) for one in service.ports] or [("", 0, "")]
    matching = [number for port, number, protocol in ports if _matches(wanted, port, protocol)]
    return [_Found(name, ip, number) for number in matching for ip in service.cluster_ips] if matching else None, rule


def _endpoint_names(
    cluster: Cluster, service: Service, name: str, wanted: tuple[str, str], only: str
) -> Iterator[_Found]:
    """Each endpoint DNS tells of, once a port; ``only`` asks for one endpoint name (DNS-02, DNS-03)."""
    for endpoint in _answering(cluster, service):
        label = endpoint_label(cluster, endpoint)
        if only in ("", label.lower()):
            for port, number, protocol in endpoint.ports or (("", 0, ""),):
                if _matches(wanted, port, protocol):
                    yield _Found(f"{label}.{name}", endpoint.ip, number)


def _stripped(label: str) -> str:
    return label.removeprefix("_")


def _matches(wanted: tuple[str, str], port: str, protocol: str) -> bool:
    return wanted[0] in ("", port.lower()) and wanted[1] in ("", protocol.lower())


def _answering(cluster: Cluster, service: Service) -> list[Endpoint]:
    """Endpoints DNS tells of: the ready ones (DNS-02, SVC-13)."""
    return [endpoint for endpoint in cluster.endpoints(service) if endpoint.ready]


def endpoint_label(cluster: Cluster, endpoint: Endpoint) -> str:
    """The endpoint's hostname, else its pod's name where that is set so, else its IP with dashes (DNS-03)."""
    if endpoint.hostname:
        return endpoint.hostname
    if cluster.settings.dns_endpoint_pod_names and endpoint.pod:
        return endpoint.pod.rpartition("/")[2]
    return endpoint.ip.replace(".", "-").replace(":", "-")


def _pod_name(cluster: Cluster, label: str, namespace: str) -> list[_Found] | None:
    """The address in a pod's name; ``verified`` asks for a pod with that primary address (DNS-08)."""
    dotted = label.count("-") == 3 and "--" not in label
    text = label.replace("-", "." if dotted else ":")
    ip = canonical(text)
    if not ip:
        return None
    if cluster.settings.dns_pod_mode == "verified" and not any(
        pod.namespace == namespace and pod.ip == text and not pod.terminating for pod in cluster.pods.values()
    ):
        return None
    return [_Found(label, ip)]


def _addresses(
    cluster: Cluster, asked: _Question, found: list[_Found], before: tuple[str, ...]
) -> tuple[tuple[ResourceRecord, ...], bool]:
    """A or AAAA records, aliases followed inside the zone; whether one leads outside (DNS-05).

    ``before`` are the names whose aliases were followed on the way here.
    """
    wanted, ttl = _FAMILIES.get(asked.type), cluster.settings.dns_ttl
    records: list[ResourceRecord] = []
    outside = False
    for one in found if wanted else ():
        if is_ip(one.host):
            if family(one.host) == wanted:
                records.append(ResourceRecord(asked.owner, asked.type, one.host, ttl))
            continue
        # A circle is not told, and neither is a chain of more than eight.
        if one.host.lower() in (asked.name, *before) or len(before) >= MOST_ALIASES:
            continue
        alias = ResourceRecord(asked.owner, "CNAME", one.host, ttl)
        following = _question(cluster.settings, one.host, asked.type)
        if following is None or following.zone.lower() != asked.zone.lower():
            records.append(alias)
            outside = True
            continue
        more = _lookup(cluster, following)[0] or []
        chain, outside = _addresses(cluster, following, more, (*before, asked.name))
        records += [alias, *chain] if chain else []
    return tuple(sorted(dict.fromkeys(records), key=_order)), outside


def _order(record: ResourceRecord) -> tuple[bool, int]:
    """Aliases in their order, then addresses by number: CoreDNS gives them in any order."""
    address = record.type in _FAMILIES
    return address, int(ipaddress.ip_address(record.value)) if address else 0


def _srv(settings: Settings, asked: _Question, found: list[_Found]) -> Answer:
    """One record a target and port, the weight shared out over all addresses (DNS-04)."""
    found = [one for one in found if is_ip(one.host)]
    weight = max(1, 100 // max(1, len(found)))
    told = [one for one in found if one.port]
    records = [
        ResourceRecord(asked.owner, "SRV", f"0 {weight} {one.port} {one.name}", settings.dns_ttl) for one in told
    ]
    answer = _told(settings, asked, tuple(dict.fromkeys(records)), ("DNS-04",))
    return msgspec.structs.replace(answer, additional=_glue(told, settings.dns_ttl))


def _glue(found: list[_Found], ttl: int) -> tuple[ResourceRecord, ...]:
    """The addresses of the names an answer points at."""
    records = (ResourceRecord(one.name, "AAAA" if family(one.host) == 6 else "A", one.host, ttl) for one in found)
    return tuple(dict.fromkeys(records))


def _reverse(cluster: Cluster, owner: str) -> tuple[ResourceRecord, ...]:
    """The names of an address: the Service whose ClusterIP it is, else the endpoint in every Service (DNS-07)."""
    ip = from_arpa(owner)
    domain, ttl = cluster.settings.cluster_domain.rstrip("."), cluster.settings.dns_ttl
    if not ip or not cluster.settings.dns_synced:
        return ()
    for service, via in cluster.services_by_ip.get(ip, ()):
        if via == "cluster":
            return (ResourceRecord(owner, "PTR", f"{service.name}.{service.namespace}.svc.{domain}", ttl),)
    names = (
        f"{endpoint_label(cluster, endpoint)}.{service.name}.{service.namespace}.svc.{domain}"
        for service in cluster.services_behind(ip)
        for endpoint in _answering(cluster, service)
        if endpoint.ip == ip
    )
    return tuple(ResourceRecord(owner, "PTR", name, ttl) for name in dict.fromkeys(names))
