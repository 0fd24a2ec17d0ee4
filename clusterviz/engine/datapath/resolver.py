"""How a pod's resolver turns a name into addresses: `resolv_conf` is the file, `resolve` asks (DNS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.datapath.dns import FORWARDED, Answer, ResourceRecord, in_domain, query
from clusterviz.engine.objects import Pod, Service

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

MOST_NAMESERVERS, MOST_SEARCHES, LONGEST_SEARCH, LONGEST_SUFFIX = 3, 32, 2048, 253
MOST_NDOTS = 15


class ResolvConf(msgspec.Struct, frozen=True):
    """A resolv.conf: ``options`` as written there, ``left_out`` what kubelet's limits cut off (DNS-15)."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def ndots(self) -> int:
        """Dots a name needs to be asked as it is first; 1 where no option says (DNS-12)."""
        found = [one.partition(":")[2] for one in self.options if one.startswith("ndots:")]
        return min(int(found[-1]), MOST_NDOTS) if found and found[-1].isdecimal() else 1

    @property
    def text(self) -> str:
        """The file, as the container runtime writes it."""
        lines = [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"nameserver {ip}" for ip in self.nameservers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(line + "\n" for line in lines)


class Resolution(msgspec.Struct, frozen=True):
    """What came of a name: the names tried in order with what came back, and the addresses found.

    A try ends with NOERROR, NODATA, NXDOMAIN, SERVFAIL, or FORWARDED where a nameserver outside answers; each
    was asked as A and as AAAA. ``service`` is the Service the name belongs to; ``outside`` when the address is
    for public DNS to say, of ``name``; ``truncated`` when an answer needed TCP.
    """

    name: str
    tries: tuple[tuple[str, str], ...]
    addresses: tuple[str, ...] = ()
    rcode: str = "NXDOMAIN"
    service: Service | None = None
    outside: bool = False
    rules: tuple[str, ...] = ()
    records: tuple[ResourceRecord, ...] = ()
    truncated: bool = False


def resolv_conf(cluster: Cluster, pod: Pod | None) -> ResolvConf:
    """The /etc/resolv.conf in a pod, by its dnsPolicy and dnsConfig; None stands for a node (DNS-11, DNS-15)."""
    settings = cluster.settings
    host = ResolvConf(settings.nameservers, settings.dns_search)
    if pod is None:
        return _limited(host)
    found = host
    if pod.dns_policy == "None":
        found = ResolvConf()
    elif settings.dns_ip and (
        pod.dns_policy == "ClusterFirstWithHostNet" or (pod.dns_policy == "ClusterFirst" and not pod.host_network)
    ):
        domain = settings.cluster_domain.rstrip(".")
        suffixes = (f"{pod.namespace}.svc.{domain}", f"svc.{domain}", domain, *settings.dns_search)
        found = ResolvConf((settings.dns_ip,), _once(suffixes), (f"ndots:{settings.ndots}",))
    spec = cluster.objects.get(("Pod", pod.namespace, pod.name), {}).get("spec") or {}
    return _limited(_with_config(found, spec.get("dnsConfig") or {}))


def _with_config(found: ResolvConf, config: dict[str, Any]) -> ResolvConf:
    """dnsConfig is added: servers and suffixes at the end, options of one name replaced."""
    options = {one.partition(":")[0]: one for one in found.options}
    for one in config.get("options") or []:
        name, value = str(one.get("name")), one.get("value")
        options[name] = name if value is None else f"{name}:{value}"
    return ResolvConf(
        _once((*found.nameservers, *(str(one) for one in config.get("nameservers") or () if one))),
        _once((*found.searches, *(str(one).rstrip(".") for one in (config.get("searches") or ())))),
        tuple(options.values()),
    )


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _limited(found: ResolvConf) -> ResolvConf:
    """What kubelet lets through: 3 nameservers; 32 suffixes of 253 and together 2048 characters (DNS-15)."""
    searches = [one for one in found.searches[:MOST_SEARCHES] if len(one) <= LONGEST_SUFFIX]
    while len(" ".join(searches)) > LONGEST_SEARCH:
        searches.pop()
    lost = (*found.nameservers[MOST_NAMESERVERS:], *(one for one in found.searches if one not in searches))
    return ResolvConf(found.nameservers[:MOST_NAMESERVERS], tuple(searches), found.options, lost)


def uses_cluster_dns(cluster: Cluster, pod: Pod | None) -> bool:
    """Whether the first nameserver of the pod is the cluster's DNS: a resolver asks another only after a time-out."""
    servers = resolv_conf(cluster, pod).nameservers
    return bool(servers) and is_cluster_dns(cluster, servers[0])


def is_cluster_dns(cluster: Cluster, ip: str) -> bool:
    """Whether CoreDNS answers at an address: the DNS Service's own, or an endpoint of it (DNS-14)."""
    if ip == cluster.settings.dns_ip:
        return True
    return any(
        ip in service.cluster_ips or any(endpoint.ip == ip for endpoint in cluster.endpoints(service))
        for service, via in cluster.services_by_ip.get(cluster.settings.dns_ip, ())
        if via == "cluster"
    )


def lookup_order(cluster: Cluster, pod: Pod | None, name: str) -> tuple[str, ...]:
    """The names asked, in order, until one answers (DNS-12)."""
    if name.endswith("."):
        return (name.rstrip("."),)
    found = resolv_conf(cluster, pod)
    suffixed = tuple(f"{name}.{suffix}" for suffix in found.searches)
    return (name, *suffixed) if name.count(".") >= found.ndots else (*suffixed, name)


def resolve(cluster: Cluster, pod: Pod | None, name: str) -> Resolution:
    """Look a name up as the resolver of a pod, or of a node (None), does (DNS-12, DNS-13, EGR-04).

    What a nameserver outside would answer is not known: a name with a dot that is not the cluster's is taken to
    be found there (``outside``), one with a search suffix of the nodes' own not.
    """
    ours = uses_cluster_dns(cluster, pod)
    tries: list[tuple[str, str]] = []
    asked_outside = 0  # tries up to the name as it is, when that question left the cluster
    plain = name.rstrip(".")
    for one in lookup_order(cluster, pod, name):
        answer, truncated = _both(cluster, one) if ours else (Answer(FORWARDED, rules=("DNS-15",)), False)
        tries.append((one, _outcome(answer)))
        if answer.addresses or answer.alias:
            return _found(cluster, name, tuple(tries), answer, truncated=truncated)
        if answer.rcode == FORWARDED and one == plain:
            asked_outside = len(tries)
    rcodes = [rcode for _, rcode in tries]
    if asked_outside and not in_domain(cluster, plain) and "." in plain:
        return Resolution(name, tuple(tries[:asked_outside]), rcode="NOERROR", outside=True, rules=("EGR-04",))
    worst = next((one for one in ("SERVFAIL", "NODATA") if one in rcodes), "NXDOMAIN")
    rules = ("DNS-10",) if worst == "SERVFAIL" else ("DNS-15",) if not ours else ("DNS-06",)
    return Resolution(name, tuple(tries), rcode=worst, rules=rules)


def _both(cluster: Cluster, name: str) -> tuple[Answer, bool]:
    """The answers for A and for AAAA in one, and whether one of them was too long for UDP."""
    first = query(cluster, name, "A")
    if first.rcode != "NOERROR":
        return first, False
    second = query(cluster, name, "AAAA")
    records = tuple(dict.fromkeys((*first.records, *second.records)))
    both = msgspec.structs.replace(first, records=records, upstream=first.upstream or second.upstream)
    return both, first.truncated or second.truncated


def _outcome(answer: Answer) -> str:
    return answer.rcode if answer.records or answer.rcode != "NOERROR" else "NODATA"


def _found(
    cluster: Cluster, name: str, tries: tuple[tuple[str, str], ...], answer: Answer, *, truncated: bool
) -> Resolution:
    """The resolution of a try that answered; an alias that leads outside takes over the name (DNS-05)."""
    outside = not answer.addresses
    return Resolution(
        answer.alias if outside else name,
        tries,
        answer.addresses,
        "NOERROR",
        service_of(cluster, tries[-1][0]),
        outside,
        answer.rules,
        answer.records,
        truncated,
    )


def service_of(cluster: Cluster, name: str) -> Service | None:
    """The Service a full name is of, its pods' names included."""
    parts = name.lower().removesuffix("." + cluster.settings.cluster_domain.rstrip(".")).split(".")
    if len(parts) >= 3 and parts[-1] == "svc":
        return cluster.services.get((parts[-2], parts[-3]))
    return None
