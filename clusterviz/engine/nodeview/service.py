"""What CoreDNS answers for a Service, as dig prints it (DNS-01 to DNS-05, DNS-07)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.datapath.dns import Answer, query
from clusterviz.engine.objects import Service

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def dns_answers(cluster: Cluster, service: Service) -> list[str]:
    """A, AAAA and SRV of the Service's name, SRV of its named ports, PTR of its addresses: question, then answer."""
    lines: list[str] = []
    for name, kind in _questions(cluster, service):
        lines += [*_told(name, kind, query(cluster, name, kind)), ""]
    return lines[:-1]


def _questions(cluster: Cluster, service: Service) -> Iterator[tuple[str, str]]:
    base = f"{service.name}.{service.namespace}.svc.{cluster.settings.cluster_domain.strip('.')}"
    yield base, "A"
    yield base, "AAAA"
    if service.type == "ExternalName":
        return
    yield base, "SRV"
    for port in service.ports:
        if port.name:
            yield f"_{port.name}._{port.protocol.lower()}.{base}", "SRV"
    for ip in service.cluster_ips:
        yield ip, "PTR"


def _told(name: str, kind: str, answer: Answer) -> list[str]:
    status = "NOERROR, no record" if answer.rcode == "NOERROR" and not answer.records else answer.rcode
    lines = [f";; {name} {kind}: {status}", *(one.text for one in answer.records)]
    if answer.additional:
        lines += [";; additional:", *(one.text for one in answer.additional)]
    if answer.upstream:
        lines.append(f";; asked of {', '.join(answer.upstream)}")
    return lines
