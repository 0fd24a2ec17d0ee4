"""Names: what CoreDNS answers for the cluster domain, and how a pod's resolver asks (DNS).

`query` answers one question, `lookup_order` lists the names a resolver tries, `resolve` does both.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import msgspec

from clusterviz.engine.addresses import family
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
    return (f"{pod.namespace}.svc.{domain}", f"svc.{domain}", domain)


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
    if name.count(".") >= cluster.settings.ndots:
        return (name, *suffixed)
    return (*suffixed, name)


def resolve(cluster: Cluster, pod: Pod | None, name: str) -> Resolution:
    """Look a name up as the pod's resolver does; None is a client outside the cluster's DNS."""
    tries: list[tuple[str, str]] = []
    if pod is not None and uses_cluster_dns(pod):
        for one in lookup_order(cluster, pod, name):
            answer = query(cluster, one, "A")
            if answer.rcode == "NOERROR" and not answer.addresses:
                other = query(cluster, one, "AAAA")
                answer = other if other.addresses else answer
            if answer.rcode == "REFUSED":
                break
            tries.append((one, answer.rcode))
            if answer.addresses or _alias(answer):
                return _resolved(cluster, name, tuple(tries), answer)
    return Resolution(name, tuple(tries), outside=not in_domain(cluster, name) and "." in name)


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


def query(cluster: Cluster, qname: str, qtype: str = "A") -> Answer:
    """What CoreDNS answers; the owner name keeps the question's case (DNS-09)."""
    owner = qname.rstrip(".")
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
    return _service_name(cluster, owner, qtype, parts[:-1])


def _service_name(cluster: Cluster, owner: str, qtype: str, parts: list[str]) -> Answer:
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
        return _external_name(cluster, owner, qtype, service)
    if len(leaf) == 2 and leaf[0].startswith("_"):
        return _srv(cluster, owner, qtype, service, leaf[0][1:], leaf[1].lstrip("_"))
    if len(leaf) == 1:
        return _endpoint_name(cluster, owner, qtype, service, leaf[0])
    if leaf:
        return Answer("NXDOMAIN", rules=("DNS-06",))
    if qtype == "SRV":
        return _srv(cluster, owner, qtype, service, "", "")
    if service.headless:
        found = sorted({e.ip for e in answering(cluster, service)}, key=_order)
        if not found:
            return Answer("NXDOMAIN", rules=("DNS-02",))
        return _addresses(owner, found, qtype, ("DNS-02",))
    return _addresses(owner, list(service.cluster_ips), qtype, ("DNS-01",))


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


def _external_name(cluster: Cluster, owner: str, qtype: str, service: Service) -> Answer:
    records: tuple[tuple[str, str, str], ...] = ((owner, "CNAME", service.external_name),)
    if qtype in ("A", "AAAA") and in_domain(cluster, service.external_name):
        target = query(cluster, service.external_name, qtype)
        records += target.records
    return Answer("NOERROR", records, rules=("DNS-05",))


def endpoint_label(endpoint: Endpoint) -> str:
    """The endpoint's hostname, else its IP with dashes (DNS-03)."""
    return endpoint.hostname or endpoint.ip.replace(".", "-").replace(":", "-")


def _endpoint_name(cluster: Cluster, owner: str, qtype: str, service: Service, label: str) -> Answer:
    found = sorted({e.ip for e in answering(cluster, service) if endpoint_label(e).lower() == label}, key=_order)
    if not found:
        return Answer("NXDOMAIN", rules=("DNS-03",))
    return _addresses(owner, found, qtype, ("DNS-03",))


def _srv(cluster: Cluster, owner: str, qtype: str, service: Service, port: str, proto: str) -> Answer:
    base = f"{service.name}.{service.namespace}.svc.{cluster.settings.cluster_domain}"
    records: list[tuple[str, str, str]] = []
    additional: list[tuple[str, str, str]] = []
    if service.headless:
        found = [
            (endpoint, number)
            for endpoint in answering(cluster, service)
            for name, number, protocol in endpoint.ports
            if not port or (name == port and protocol.lower() == proto)
        ]
        weight = max(1, 100 // len(found)) if found else 0
        for endpoint, number in found:
            target = f"{endpoint_label(endpoint)}.{base}"
            records.append((owner, "SRV", f"0 {weight} {number} {target}"))
            additional.append((target, "AAAA" if family(endpoint.ip) == 6 else "A", endpoint.ip))
    else:
        records += [
            (owner, "SRV", f"0 100 {one.port} {base}")
            for one in service.ports
            if not port or (one.name == port and one.protocol.lower() == proto)
        ]
        additional = [(base, "AAAA" if family(ip) == 6 else "A", ip) for ip in service.cluster_ips]
    if not records:
        return Answer("NXDOMAIN", rules=("DNS-04",))
    if qtype != "SRV":
        return Answer("NOERROR", rules=("DNS-04",))
    return Answer("NOERROR", tuple(records), tuple(additional), ("DNS-04",))


def _pod_name(cluster: Cluster, owner: str, qtype: str, parts: list[str]) -> Answer:
    mode = cluster.settings.dns_pod_mode
    if mode == "disabled":
        return Answer("NXDOMAIN", rules=("DNS-08",))
    if len(parts) == 1:
        known = parts[0] in known_namespaces(cluster)
        return Answer("NOERROR" if known else "NXDOMAIN", rules=("DNS-06",))
    ip = parts[0].replace("-", ".") if parts[0].count("-") == 3 else parts[0].replace("-", ":")
    if len(parts) != 2 or not is_ip(ip) or parts[1] not in known_namespaces(cluster):
        return Answer("NXDOMAIN", rules=("DNS-08",))
    pod = cluster.pod_by_ip.get(ip)
    if mode == "verified" and (pod is None or pod.namespace != parts[1]):
        return Answer("NXDOMAIN", rules=("DNS-08",))
    return _addresses(owner, [ip], qtype, ("DNS-08",))


def _reverse(cluster: Cluster, owner: str) -> Answer:
    ip = _from_arpa(owner)
    domain = cluster.settings.cluster_domain
    names = []
    for service, via in cluster.services_by_ip.get(ip, ()):
        if via == "cluster":
            names.append(f"{service.name}.{service.namespace}.svc.{domain}")
    if not names:
        for service in sorted(cluster.services.values(), key=lambda s: (s.namespace, s.name)):
            names += [
                f"{endpoint_label(endpoint)}.{service.name}.{service.namespace}.svc.{domain}"
                for endpoint in cluster.endpoints(service)
                if endpoint.ip == ip
            ]
    if not names:
        return Answer("NXDOMAIN", rules=("DNS-07",))
    return Answer("NOERROR", tuple((owner, "PTR", name) for name in dict.fromkeys(names)), rules=("DNS-07",))


def _from_arpa(name: str) -> str:
    name = name.rstrip(".").lower()
    if name.endswith(".in-addr.arpa"):
        return ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    if name.endswith(".ip6.arpa"):
        digits = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
        text = ":".join(digits[i : i + 4] for i in range(0, len(digits), 4))
        return str(ipaddress.ip_address(text)) if is_ip(text) else ""
    return name
