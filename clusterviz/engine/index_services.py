"""Services and EndpointSlices as the datapath asks for them. See `indexes` for the two functions of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clusterviz.engine.indexes import Delta, Name
from clusterviz.engine.objects import EndpointSlice, Pod, Service
from clusterviz.engine.overlay import GONE, changed

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# A Service with this label is left to another proxy than kube-proxy.
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
NodePort = tuple[str, int]
Item = tuple[str, str, str]


def by_ip(services: Iterable[Service]) -> dict[str, list[tuple[Service, str]]]:
    """Every virtual address with its Services by name, and what it is: cluster, external or lb."""
    found: dict[str, list[tuple[Service, str]]] = {}
    for service in sorted(services, key=_by_name):
        for ip, via in _virtual_ips(service):
            found.setdefault(ip, []).append((service, via))
    return found


def _by_name(service: Service) -> Name:
    return service.namespace, service.name


def _virtual_ips(service: Service) -> list[tuple[str, str]]:
    if service.headless or service.type == "ExternalName" or PROXY_NAME_LABEL in service.labels:
        return []
    found = [(ip, "cluster") for ip in service.cluster_ips]
    if service.external_ips:
        found += [(ip, "external") for ip in service.external_ips]
    if service.load_balancer:
        found += [(ip, "lb") for ip in service.lb_ips]
    return found


def follow_by_ip(
    old: Mapping[str, list[tuple[Service, str]]], deltas: Sequence[Delta], _new: Cluster
) -> Mapping[str, list[tuple[Service, str]]] | None:
    """The lists of the addresses concerned."""
    over: dict[str, Any] = {}
    for delta in deltas:
        for service, _ in delta.sides:
            for ip, _ in _virtual_ips(service):
                known = over.get(ip, old.get(ip, ()))
                over[ip] = [entry for entry in known if _by_name(entry[0]) != delta.name]
        for ip, via in _virtual_ips(delta.new) if delta.new is not None else ():
            over[ip].append((delta.new, via))
    for ip, entries in over.items():
        over[ip] = sorted(entries, key=lambda entry: _by_name(entry[0])) or GONE
    return changed(old, over)


def by_node_port(services: Mapping[Name, Service]) -> dict[NodePort, tuple[Service, int]]:
    """(protocol, node port) -> Service and index of its port; the last by name has it."""
    return {
        key: (service, index)
        for _, service in sorted(services.items())
        for index, key in enumerate(_ports(service))
        if key is not None
    }


def _ports(service: Service) -> list[NodePort | None]:
    if service.type not in ("NodePort", "LoadBalancer") or PROXY_NAME_LABEL in service.labels:
        return []
    return [(port.protocol, port.node_port) if port.node_port else None for port in service.ports]


def follow_by_node_port(
    old: Mapping[NodePort, tuple[Service, int]], deltas: Sequence[Delta], _new: Cluster
) -> Mapping[NodePort, tuple[Service, int]] | None:
    """None when a port passes from one Service to another."""
    over: dict[NodePort, Any] = {}
    for delta in deltas:
        for service, present in delta.sides:
            for index, key in enumerate(_ports(service)):
                if key is None:
                    continue
                holder = over.get(key, old.get(key, GONE))
                if holder is not GONE and _by_name(holder[0]) != delta.name:
                    return None
                over[key] = (service, index) if present else GONE
    return changed(old, over) if over else old


def balancers(services: Iterable[Service]) -> dict[str, tuple[Service, str]]:
    """Address of a load balancer -> its Service and ipMode (SVC-07); the first by name has it."""
    found: dict[str, tuple[Service, str]] = {}
    for service in sorted((one for one in services if one.load_balancer), key=_by_name):
        for entry in service.load_balancer:
            if entry.address:
                found.setdefault(entry.address, (service, entry.mode if entry.ip else "Proxy"))
    return found


def follow_balancers(
    old: dict[str, tuple[Service, str]], deltas: Sequence[Delta], _new: Cluster
) -> dict[str, tuple[Service, str]] | None:
    """Few Services have one, so the index is small and quickly built."""
    return None if any(one.load_balancer for delta in deltas for one, _ in delta.sides) else old


def health_checks(services: Iterable[Service]) -> dict[int, list[Service]]:
    """healthCheckNodePort -> Services whose external policy is Local (PX-14)."""
    found: dict[int, list[Service]] = {}
    for service in services:
        if service.health_check_port and service.external_policy == "Local":
            found.setdefault(service.health_check_port, []).append(service)
    return found


def follow_health_checks(
    old: dict[int, list[Service]], deltas: Sequence[Delta], _new: Cluster
) -> dict[int, list[Service]] | None:
    """As balancers."""
    return None if any(one.health_check_port for delta in deltas for one, _ in delta.sides) else old


def slices_by_service(
    slices: Iterable[EndpointSlice], mirrored: Iterable[EndpointSlice]
) -> dict[Name, list[EndpointSlice]]:
    """Given EndpointSlices by Service; Endpoints are mirrored where no slice is given."""
    found: dict[Name, list[EndpointSlice]] = {}
    slices = list(slices)
    named = {(one.namespace, one.service) for one in slices}
    slices += [one for one in mirrored if (one.namespace, one.service) not in named]
    for one in sorted(slices, key=lambda s: s.name):
        if one.service:
            found.setdefault((one.namespace, one.service), []).append(one)
    return found


def follow_slices(
    old: Mapping[Name, list[EndpointSlice]], deltas: Sequence[Delta], new: Cluster
) -> Mapping[Name, list[EndpointSlice]] | None:
    """None where Endpoints of old clients are mirrored."""
    if new.mirrored or any(delta.kind == "Endpoints" for delta in deltas):
        return None
    over: dict[Name, Any] = {}
    for delta in deltas:
        for one, present in delta.sides:
            if one.service:
                key = one.namespace, one.service
                others = [other for other in over.get(key, old.get(key, ())) if other.name != one.name]
                over[key] = [*others, one] if present else others
    for key, some in over.items():
        over[key] = sorted(some, key=lambda s: s.name) or GONE
    return changed(old, over)


def sliced(slices: Mapping[Name, list[EndpointSlice]]) -> dict[str, tuple[Name, ...]]:
    """Address -> Services in whose slices it stands."""
    found: dict[str, tuple[Name, ...]] = {}
    for name, some in slices.items():
        for ip in {endpoint.ip for one in some for endpoint in one.endpoints}:
            found[ip] = (*found.get(ip, ()), name)
    return found


def follow_sliced(
    old: Mapping[str, tuple[Name, ...]], deltas: Sequence[Delta], new: Cluster
) -> Mapping[str, tuple[Name, ...]] | None:
    """The addresses of the slices concerned."""
    over: dict[str, Any] = {}
    for delta in deltas:
        for one, _ in delta.sides:
            name = one.namespace, one.service
            here = {entry.ip for each in new.slices_by_service.get(name, ()) for entry in each.endpoints}
            for ip in {entry.ip for entry in one.endpoints}:
                others = tuple(known for known in over.get(ip, old.get(ip, ())) if known != name)
                over[ip] = (*others, name) if ip in here else others
    return changed(old, {ip: names or GONE for ip, names in over.items()})


def selectors(services: Iterable[Service]) -> dict[Item, tuple[Name, ...]]:
    """Services under one (namespace, label, value) of their selector, the one fewest share."""
    chosen = [service for service in services if service.selector and service.type != "ExternalName"]
    counts = Counter(item for service in chosen for item in _items(service))
    found: dict[Item, list[Name]] = {}
    for service in chosen:
        found.setdefault(min(_items(service), key=lambda item: (counts[item], item)), []).append(_by_name(service))
    return {item: tuple(names) for item, names in found.items()}


def _items(service: Service) -> list[Item]:
    if service.type == "ExternalName":
        return []
    return [(service.namespace, key, value) for key, value in (service.selector or {}).items()]


def follow_selectors(
    old: Mapping[Item, tuple[Name, ...]], deltas: Sequence[Delta], _new: Cluster
) -> Mapping[Item, tuple[Name, ...]] | None:
    """Taken out from wherever it stands, put where fewest are."""
    over: dict[Item, Any] = {}
    for delta in deltas:
        for service, _ in delta.sides:
            for item in _items(service):
                known = over.get(item, old.get(item, ()))
                over[item] = tuple(name for name in known if name != delta.name)
        if delta.new is not None and (items := _items(delta.new)):
            item = min(items, key=lambda one: (len(over[one]), one))
            over[item] = (*over[item], delta.name)
    return changed(old, {item: names or GONE for item, names in over.items()})


def selecting(index: Mapping[Item, tuple[Name, ...]], services: Mapping[Name, Service], pod: Pod) -> list[Service]:
    """Services whose selector matches the pod's labels (EPS-01)."""
    found = []
    labels = pod.labels.items()
    for key, value in labels:
        for name in index.get((pod.namespace, key, value), ()):
            service = services[name]
            if (service.selector or {}).items() <= labels:
                found.append(service)
    return found


def touched_services(deltas: Sequence[Delta], old: Cluster) -> set[Name] | None:
    """Services whose endpoints or choices may differ after the deltas; None: any."""
    found: set[Name] = set()
    for delta in deltas:
        if delta.kind == "Service":
            found.add(delta.name)
        elif delta.kind in ("EndpointSlice", "Endpoints"):
            found |= {(one.namespace, one.service) for one, _ in delta.sides}
        elif delta.kind == "Pod":
            same = delta.old is not None and delta.new is not None and delta.old.labels == delta.new.labels
            for pod, present in delta.sides:
                if present or not same:  # Services that changed too are in the deltas themselves
                    found.update([_by_name(one) for one in old.services_selecting(pod)])
        elif delta.kind == "Node" and (
            delta.old is None or delta.new is None or (delta.old.zone, delta.old.ips) != (delta.new.zone, delta.new.ips)
        ):
            return None
    return found
