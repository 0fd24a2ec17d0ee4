"""Names: what CoreDNS answers for the cluster domain, and how a pod's resolver asks (DNS).

`query` answers one question, `lookup_order` lists the names a resolver tries, `resolve` does both.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clusterviz.engine.addresses import canonical, family, in_any
from clusterviz.engine.objects import Endpoint, Pod, Service
from clusterviz.engine.probe import is_ip

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


class Answer(msgspec.Struct, frozen=True):
    """``rcode`` NOERROR (no records: NODATA), NXDOMAIN or REFUSED (not this zone).

    ``records`` are (owner, type, value); ``rules`` the rule ids.
    """

    rcode: str
    records: tuple[tuple[str, str, str], ...] = ()
    additional: tuple[tuple[str, str, str], ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """A and AAAA values."""
        return tuple(value for _, kind, value in self.records if kind in ("A", "AAAA"))


class Resolution(msgspec.Struct, frozen=True):
    """What came of a name: the tries in order and the addresses found.

    ``service`` is the Service the name belongs to; ``outside`` when the name is not the cluster's.
    """

    name: str
    tries: tuple[tuple[str, str], ...]
    addresses: tuple[str, ...] = ()
    rcode: str = "NXDOMAIN"
    service: Service | None = None
    outside: bool = False
    rules: tuple[str, ...] = ()


def search_list(cluster: Cluster, pod: Pod | None) -> tuple[str, ...]:
    """The search suffixes of a pod's resolv.conf (DNS-11, DNS-15)."""
    if pod is None or not uses_cluster_dns(pod):
        return ()
    domain = cluster.settings.cluster_domain
    return (f"{pod.namespace}.svc.{domain}", f"svc.{domain}", domain, *pod.searches)


def uses_cluster_dns(pod: Pod) -> bool:
    """ClusterFirst, except for hostNetwork pods without ClusterFirstWithHostNet (DNS-15)."""
    if pod.dns_policy == "ClusterFirst":
        return not pod.host_network
    return pod.dns_policy == "ClusterFirstWithHostNet"


def lookup_order(cluster: Cluster, pod: Pod | None, name: str) -> tuple[str, ...]:
    """The names asked, in order, until one answers (DNS-12)."""
    if name.endswith("."):
        return (name.rstrip("."),)
    suffixed = tuple(f"{name}.{suffix}" for suffix in search_list(cluster, pod))
    enough = cluster.settings.ndots if pod is None or pod.ndots is None else pod.ndots
    if name.count(".") >= enough:
        return (name, *suffixed)
    return (*suffixed, name)


def resolve(cluster: Cluster, pod: Pod | None, name: str) -> Resolution:
    """Look a name up as the pod's resolver does, A and AAAA; None is a client outside the cluster's DNS."""
    tries: list[tuple[str, str]] = []
    before: tuple[tuple[str, str], ...] | None = None  # what was asked before a question left the cluster
    if pod is not None and uses_cluster_dns(pod):
        for one in lookup_order(cluster, pod, name):
            answer = query(cluster, one, "A")
            if answer.rcode == "REFUSED":
                before = tuple(tries) if before is None else before
                continue
            if answer.rcode == "NOERROR":
                other = query(cluster, one, "AAAA")
                found = dict.fromkeys((*answer.records, *other.records))
                answer = msgspec.structs.replace(answer, records=tuple(found))
            tries.append((one, answer.rcode))
            if answer.addresses or _alias(answer):
                return _resolved(cluster, name, tuple(tries), answer)
    asked = tuple(tries) if before is None else before
    return Resolution(name, asked, outside=not in_domain(cluster, name) and "." in name.rstrip("."))


def _alias(answer: Answer) -> str:
    return next((value for _, kind, value in answer.records if kind == "CNAME"), "")


def _resolved(cluster: Cluster, name: str, tries: tuple[tuple[str, str], ...], answer: Answer) -> Resolution:
    alias = _alias(answer)
    outside = bool(alias) and not answer.addresses
    return Resolution(
        alias if outside else name,
        tries,
        answer.addresses,
        "NOERROR",
        _service_of(cluster, tries[-1][0]),
        outside,
        answer.rules,
    )


def in_domain(cluster: Cluster, name: str) -> bool:
    """Whether a full name lies in the cluster domain."""
    domain = cluster.settings.cluster_domain
    name = name.rstrip(".").lower()
    return name == domain or name.endswith("." + domain)


def _service_of(cluster: Cluster, name: str) -> Service | None:
    parts = name.lower().removesuffix("." + cluster.settings.cluster_domain).split(".")
    if len(parts) >= 3 and parts[-1] == "svc":
        return cluster.services.get((parts[-2], parts[-3]))
    return None


def query(cluster: Cluster, qname: str, qtype: str = "A", *, before: frozenset[str] = frozenset()) -> Answer:
    """What CoreDNS answers; the owner name keeps the question's case (DNS-09).

    ``before`` are the aliases already followed on the way to this question.
    """
    owner, qtype = qname.rstrip("."), qtype.upper()
    name = owner.lower()
    if qtype == "PTR":
        return _reverse(cluster, owner)
    if not in_domain(cluster, name):
        return Answer("REFUSED")
    parts = name.removesuffix(cluster.settings.cluster_domain).strip(".").split(".")
    if parts == [""] or parts in (["svc"], ["pod"]):
        return Answer("NOERROR", rules=("DNS-06",))
    if parts[-1] == "pod":
        return _pod_name(cluster, owner, qtype, parts[:-1])
    if parts[-1] != "svc":
        return Answer("NXDOMAIN", rules=("DNS-06",))
    return _service_name(cluster, owner, qtype, parts[:-1], before)


def _service_name(cluster: Cluster, owner: str, qtype: str, parts: list[str], before: frozenset[str]) -> Answer:
    namespace, rest = parts[-1], parts[:-1]
    if not rest:
        known = namespace in known_namespaces(cluster)
        return Answer("NOERROR" if known else "NXDOMAIN", rules=("DNS-06",))
    service = cluster.services.get((namespace, rest[-1]))
    if service is None:
        return Answer("NXDOMAIN", rules=("DNS-06",))
    leaf = rest[:-1]
    if service.type == "ExternalName":
        if leaf:
            return Answer("NXDOMAIN", rules=("DNS-05",))
        return _external_name(cluster, owner, qtype, service, before)
    if len(leaf) > 2:
        return Answer("NXDOMAIN", rules=("DNS-06",))
    found = _found(cluster, service, leaf)
    rule = _rule(service, leaf, qtype)
    if not found:
        return Answer("NXDOMAIN", rules=(rule,))
    if qtype == "SRV":
        return _srv(owner, found)
    return _addresses(owner, sorted({one.ip for one in found}, key=_order), qtype, (rule,))


def _rule(service: Service, leaf: list[str], qtype: str) -> str:
    if len(leaf) == 2 or qtype == "SRV":
        return "DNS-04"
    if leaf:
        return "DNS-03"
    return "DNS-02" if service.headless else "DNS-01"


class _Found(NamedTuple):
    """One record the Service has: the name it stands under, its address and port (0: none)."""

    name: str
    ip: str
    port: int


def _found(cluster: Cluster, service: Service, leaf: list[str]) -> list[_Found]:
    """Everything a name under the Service leads to: leaf is [], [endpoint] or [_port, _protocol]."""
    base = f"{service.name}.{service.namespace}.svc.{cluster.settings.cluster_domain}"
    wanted = (leaf[0].removeprefix("_"), leaf[1].removeprefix("_")) if len(leaf) == 2 else None
    if service.headless or len(leaf) == 1:
        return [
            _Found(f"{endpoint_label(endpoint)}.{base}", endpoint.ip, number)
            for endpoint in answering(cluster, service)
            if len(leaf) != 1 or endpoint_label(endpoint).lower() == leaf[0]
            for name, number, protocol in endpoint.ports or (("", 0, ""),)
            if wanted is None or (name.lower(), protocol.lower()) == wanted
        ]
    ports = [(one.name, one.port, one.protocol) for one in service.ports] or [("", 0, "")]
    return [
        _Found(base, ip, number)
        for name, number, protocol in ports
        if wanted is None or (name.lower(), protocol.lower()) == wanted
        for ip in service.cluster_ips
    ]


def known_namespaces(cluster: Cluster) -> set[str]:
    """Namespaces that exist as objects or by what lies in them."""
    return {name for _, name in cluster.namespaces} | {key[1] for key in cluster.objects if key[1]}


def answering(cluster: Cluster, service: Service) -> list[Endpoint]:
    """Endpoints DNS tells of: the ready ones (DNS-02)."""
    return [endpoint for endpoint in cluster.endpoints(service) if endpoint.ready]


def _order(ip: str) -> tuple[int, int]:
    return family(ip), int(ipaddress.ip_address(ip))


def _addresses(owner: str, ips: list[str], qtype: str, rules: tuple[str, ...]) -> Answer:
    wanted = {"A": 4, "AAAA": 6}.get(qtype)
    return Answer("NOERROR", tuple((owner, qtype, ip) for ip in ips if family(ip) == wanted), rules=rules)


def _external_name(cluster: Cluster, owner: str, qtype: str, service: Service, before: frozenset[str]) -> Answer:
    """A CNAME; one that leads to nothing in this cluster, or round in a circle, is not told (DNS-05)."""
    target = service.external_name.rstrip(".")
    if is_ip(target) or not target:
        return Answer("NXDOMAIN", rules=("DNS-05",))
    alias = (owner, "CNAME", target)
    if not in_domain(cluster, target) or qtype not in ("A", "AAAA"):
        return Answer("NOERROR", (alias,), rules=("DNS-05",))
    seen = before | {owner.lower()}
    found = () if target.lower() in seen else query(cluster, target, qtype, before=seen).records
    return Answer("NOERROR", (alias, *found) if found else (), rules=("DNS-05",))


def endpoint_label(endpoint: Endpoint) -> str:
    """The endpoint's hostname, else its IP with dashes (DNS-03)."""
    return endpoint.hostname or endpoint.ip.replace(".", "-").replace(":", "-")


def _srv(owner: str, found: list[_Found]) -> Answer:
    """One record a target and port, the weight shared out over the addresses (DNS-04)."""
    weight = max(1, 100 // len(found))
    records = [(owner, "SRV", f"0 {weight} {one.port} {one.name}") for one in found if one.port]
    additional = [(one.name, "AAAA" if family(one.ip) == 6 else "A", one.ip) for one in found if one.port]
    return Answer("NOERROR", tuple(dict.fromkeys(records)), tuple(dict.fromkeys(additional)), ("DNS-04",))


def _pod_name(cluster: Cluster, owner: str, qtype: str, parts: list[str]) -> Answer:
    mode = cluster.settings.dns_pod_mode
    if mode == "disabled":
        return Answer("NXDOMAIN", rules=("DNS-08",))
    if len(parts) == 1:
        known = parts[0] in known_namespaces(cluster)
        return Answer("NOERROR" if known else "NXDOMAIN", rules=("DNS-06",))
    if not parts:
        return Answer("NOERROR", rules=("DNS-06",))
    dotted = parts[0].count("-") == 3 and "--" not in parts[0]
    ip = canonical(parts[0].replace("-", "." if dotted else ":"))
    if len(parts) != 2 or not ip or parts[1] not in known_namespaces(cluster):
        return Answer("NXDOMAIN", rules=("DNS-08",))
    pod = cluster.pod_by_ip.get(ip)
    if mode == "verified" and (pod is None or pod.namespace != parts[1]):
        return Answer("NXDOMAIN", rules=("DNS-08",))
    return _addresses(owner, [ip], qtype, ("DNS-08",))


def _reverse(cluster: Cluster, owner: str) -> Answer:
    ip = _from_arpa(owner)
    domain = cluster.settings.cluster_domain
    names = [
        f"{service.name}.{service.namespace}.svc.{domain}"
        for service, via in cluster.services_by_ip.get(ip, ())
        if via == "cluster"
    ]
    if not names:
        names = [
            f"{endpoint_label(endpoint)}.{service.name}.{service.namespace}.svc.{domain}"
            for service in sorted(cluster.services.values(), key=lambda s: (s.namespace, s.name))
            for endpoint in answering(cluster, service)
            if endpoint.ip == ip
        ]
    if names:
        return Answer("NOERROR", tuple((owner, "PTR", name) for name in dict.fromkeys(names)), rules=("DNS-07",))
    ours = f"{cluster.settings.cluster_cidr},{cluster.settings.service_cidr}"
    return Answer("NXDOMAIN" if not ip or in_any(ip, ours) else "REFUSED", rules=("DNS-07",))


def _from_arpa(name: str) -> str:
    """The address a reverse name stands for, "" when it stands for none."""
    name = name.rstrip(".").lower()
    if name.endswith(".in-addr.arpa"):
        text = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    elif name.endswith(".ip6.arpa"):
        digits = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
        text = ":".join(digits[i : i + 4] for i in range(0, len(digits), 4))
    else:
        text = name
    return canonical(text)
