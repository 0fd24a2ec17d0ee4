"""Ingress paths that lead nowhere, or that two claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clusterviz.engine.datapath.ordered import every_ingress
from clusterviz.engine.lint.finding import Finding
from clusterviz.engine.objects import Ingress, IngressBackend, Key

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster


def ingresses(cluster: Cluster) -> Iterator[Finding]:
    """Findings about every Ingress, the one that goes first in front (ING-12)."""
    claimed: dict[tuple[str, str, str, str], Ingress] = {}
    for ingress in every_ingress(cluster):
        key: Key = ("Ingress", ingress.namespace, ingress.name)
        if ingress.default_backend is not None:
            yield from _backend(cluster, key, "spec.defaultBackend.service", ingress.default_backend)
        for rule in ingress.rules:
            for one in rule.paths:
                path = f"spec.rules[{one.index[0]}].http.paths[{one.index[1]}]"
                yield from _backend(cluster, key, f"{path}.backend.service", one.backend)
                claim = ingress.ingress_class, rule.host, one.path, one.type
                first = claimed.setdefault(claim, ingress)
                if first is not ingress:
                    name = f"{first.namespace}/{first.name}"
                    claimed_path = f"{rule.host or '(any host)'}{one.path}"
                    text = f"{claimed_path} belongs to the older Ingress {name}: here it is never used (ING-12)."
                    yield Finding(code="ingress-duplicate", key=key, field=f"{path}.path", text=text)


def _backend(cluster: Cluster, key: Key, field: str, backend: IngressBackend) -> Iterator[Finding]:
    if not backend.service:
        return
    service = cluster.services.get((key[1], backend.service))
    if service is None:
        text = f"There is no Service {backend.service} in namespace {key[1]}: requests get 503 (ING-09)."
        yield Finding(code="ingress-no-service", key=key, field=f"{field}.name", text=text)
    elif not any(backend.port in (port.port, port.name) for port in service.ports):
        known = ", ".join(f"{port.port}{f' ({port.name})' if port.name else ''}" for port in service.ports)
        text = f"Service {service.name} has no port {backend.port}, but {known}: requests get 503 (ING-09)."
        yield Finding(code="ingress-no-port", key=key, field=f"{field}.port", text=text)
