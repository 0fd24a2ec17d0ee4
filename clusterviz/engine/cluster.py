"""One immutable snapshot of a cluster, with the indexes the datapath asks.

`Cluster.from_objects` builds it, `Cluster.apply` makes the next one and shares what did not change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

from clusterviz.engine import index_services, indexes
from clusterviz.engine.addresses import family, network, nth, sortable
from clusterviz.engine.complete import complete
from clusterviz.engine.endpoints import derive_endpoints
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.fill import Objects, fill_nodes, fill_services, lacks
from clusterviz.engine.gateway.objects import Gateway, GatewayClass, HTTPRoute, ReferenceGrant
from clusterviz.engine.infer_settings import infer
from clusterviz.engine.loading import digest, no_collections, parse_all, unpack
from clusterviz.engine.notices import Notice, collect
from clusterviz.engine.objects import (
    WORKLOAD_KINDS,
    ContainerPort,
    Endpoint,
    EndpointSlice,
    Ingress,
    IngressClass,
    Key,
    Namespace,
    NetworkPolicy,
    Node,
    Obj,
    Pod,
    Service,
    Workload,
    key_of,
)
from clusterviz.engine.overlay import GONE, Kept, changed
from clusterviz.engine.parse import Interned, parse
from clusterviz.engine.settings import Settings

__all__ = ["Change", "Cluster", "unpack"]

Name = tuple[str, str]
Records = dict[str, Mapping[Name, Any]]


class Change(msgspec.Struct, frozen=True):
    """One change: ``set`` an object (create or replace) or ``unset`` a key."""

    verb: Literal["set", "unset"]
    value: Any

    @property
    def key(self) -> Key:
        """Key of the object concerned."""
        return key_of(self.value) if self.verb == "set" else tuple(self.value)


class Cluster:
    """A snapshot. Never mutated; equal content gives an equal `fingerprint`."""

    def __init__(
        self,
        settings: Settings,
        objects: Mapping[Key, Obj],
        records: Records,
        warnings: tuple[Notice, ...] = (),
        total: int | None = None,
    ) -> None:
        self.settings = settings
        self.objects = objects
        self._records = records
        self._known_total = total
        self.fill_warnings = warnings
        self.namespaces: Mapping[Name, Namespace] = records.get("Namespace", {})
        self.pods: Mapping[Name, Pod] = records.get("Pod", {})
        self.services: Mapping[Name, Service] = records.get("Service", {})
        self.ingresses: Mapping[Name, Ingress] = records.get("Ingress", {})
        self.ingress_classes: Mapping[Name, IngressClass] = records.get("IngressClass", {})
        self.policies: Mapping[Name, NetworkPolicy] = records.get("NetworkPolicy", {})
        self.gateway_classes: Mapping[Name, GatewayClass] = records.get("GatewayClass", {})
        self.gateways: Mapping[Name, Gateway] = records.get("Gateway", {})
        self.routes: Mapping[Name, HTTPRoute] = records.get("HTTPRoute", {})
        self.grants: Mapping[Name, ReferenceGrant] = records.get("ReferenceGrant", {})

    @classmethod
    def from_objects(cls, objects: Iterable[Obj], settings: Settings | None = None, *, expand: bool = True) -> Cluster:
        """Build a snapshot from plain objects, any mix of kinds, ``List`` kinds unpacked.

        Given addresses are kept, missing ones allocated. ``expand`` also fills in what a control
        plane would add: nodes when none are given, pods of workloads that have none, their
        placement and addresses. Raises `ObjectError` for an object that cannot be read or stands
        twice.
        """
        with no_collections():
            keyed: Objects = {}
            for obj in unpack(objects):
                key = key_of(obj)
                if key in keyed:
                    raise ObjectError("Duplicate value", field="metadata.name", ref="/".join(filter(None, key)))
                keyed[key] = obj
            given = dict(keyed)
            records: dict[str, dict[Name, Any]] = {}
            interned: Interned = {}
            parse_all(keyed.items(), records, interned)  # types are checked before anything is filled in
            notes: list[tuple[str, str, str]] = []
            if settings is None:
                inferred = infer(keyed)
                settings, notes = inferred.settings, inferred.notices
            try:
                fill_services(keyed, settings)
                if expand:
                    notes += complete(keyed, settings, records.get("Pod", {}))
                else:
                    fill_nodes(keyed, settings, notes)
            except AddressError as error:
                raise ObjectError(f"Internal error: failed to allocate: {error}") from None
            filled = [(key, obj) for key, obj in keyed.items() if given.get(key) is not obj]
            parse_all(filled, records, interned)
        return cls(settings, keyed, dict(records), tuple(Notice(*note) for note in notes))

    def apply(self, changes: Iterable[Change]) -> Cluster:
        """The snapshot after these changes; this one stays as it is."""
        wanted: dict[Key, Any] = {}
        parsed: dict[Key, Any] = {}
        for change in changes:
            key = change.key
            wanted[key] = change.value if change.verb == "set" else GONE
            parsed[key] = parse(change.value, key) if change.verb == "set" else None
        if not wanted:
            return self
        self._fill(wanted, parsed)
        deltas: list[indexes.Delta] = []
        over: dict[str, dict[Name, Any]] = {}
        total = self._known_total
        for key, record in parsed.items():
            kind, name = key[0], (key[1], key[2])
            if total is not None:
                total ^= digest(key, self.objects.get(key)) ^ digest(key, wanted[key])
            before = self._records.get(kind, {}).get(name)
            if record is not None or before is not None:
                deltas.append(indexes.Delta(kind, name, before, record))
                over.setdefault(kind, {})[name] = GONE if record is None else record
        records = self._records | {kind: changed(self._records.get(kind, {}), some) for kind, some in over.items()}
        new = Cluster(self.settings, changed(self.objects, wanted), records, self.fill_warnings, total)
        self._hand_on(new, deltas)
        if "namespace_names" in self.__dict__ and GONE not in wanted.values():
            spaces = {key[1] or (key[2] if key[0] == "Namespace" else "") for key in wanted} - {""}
            new.__dict__["namespace_names"] = self.namespace_names | spaces
        return new

    def _fill(self, wanted: dict[Key, Any], parsed: dict[Key, Any]) -> None:
        """Addresses the changed objects lack, and nodes that could get none before."""
        services = [key for key, obj in wanted.items() if key[0] == "Service" and obj is not GONE and lacks(obj)]
        nodes = [parsed[key] for key in wanted if key[0] == "Node"]
        starved = nodes and any(not node.ips or not node.pod_cidrs for node in [*self.nodes.values(), *nodes] if node)
        if not services and not starved:
            return
        objects = dict(changed(self.objects, wanted))
        before = dict(objects)
        if services:
            fill_services(objects, self.settings, services)
        if starved:
            fill_nodes(objects, self.settings, [])
        for key, obj in objects.items():
            if before[key] is not obj:
                wanted[key], parsed[key] = obj, parse(obj, key)

    def with_settings(self, settings: Settings) -> Cluster:
        """The same objects under other settings."""
        new = Cluster(settings, self.objects, self._records, self.fill_warnings, self._known_total)
        apart = {"settings", "fingerprint", "warnings", "node_by_ip", "choices"}
        new.__dict__.update({name: kept for name, kept in self.__dict__.items() if name in _INDEXES.keys() - apart})
        return new

    def _hand_on(self, new: Cluster, deltas: list[indexes.Delta]) -> None:
        """Give the next snapshot every index that was built here, changed where the deltas concern it."""
        kinds = {delta.kind for delta in deltas}
        for name, (made_of, follow) in _INDEXES.items():
            index = self.__dict__.get(name)
            if index is not None and not kinds.isdisjoint(made_of):
                index = follow(index, [delta for delta in deltas if delta.kind in made_of], new)
            if index is not None:
                new.__dict__[name] = index
        if (touched := index_services.touched_services(deltas, self, new)) is not None:
            new._endpoints = self._endpoints.without(touched) if touched else self._endpoints
            new.choices = self.choices.without(touched) if touched else self.choices

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content: objects and settings."""
        if self._known_total is None:
            total = 0
            for key, obj in self.objects.items():
                total ^= digest(key, obj)
            self._known_total = total
        seed = msgspec.json.encode(self.settings) + self._known_total.to_bytes(16)
        return hashlib.blake2b(seed, digest_size=8).hexdigest()

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Nodes by name, oldest first."""
        return indexes.nodes(self._records.get("Node", {}))

    @cached_property
    def workloads(self) -> Mapping[Key, Workload]:
        """Workloads by key."""
        return {
            (kind, *name): workload for kind in WORKLOAD_KINDS for name, workload in self._records.get(kind, {}).items()
        }

    @cached_property
    def _addresses(self) -> indexes.Addresses:
        return indexes.addresses(self.pods)

    @property
    def pod_by_ip(self) -> Mapping[str, Pod]:
        """Live pods by each of their addresses; hostNetwork pods share the node's and stay out (NET-02)."""
        return self._addresses.pods

    @cached_property
    def node_by_ip(self) -> Mapping[str, Node]:
        """Nodes by every address they own: InternalIPs, bridge and overlay addresses."""
        found: dict[str, Node] = {}
        for node in self.nodes.values():
            found |= dict.fromkeys((*self.overlay_ips(node), *self.bridge_ips(node)), node)
        for node in self.nodes.values():
            found |= dict.fromkeys(node.ips, node)
        return found

    @cached_property
    def _blocks(self) -> indexes.Blocks:
        return indexes.Blocks(self.nodes)

    def block_of(self, ip: str) -> tuple[Node, str] | None:
        """The first node one of whose pod CIDRs holds the address, and that CIDR."""
        found = self._blocks.find(ip)
        return (self.nodes[found[0]], found[1]) if found else None

    @cached_property
    def host_pods(self) -> Mapping[str, list[Pod]]:
        """Running hostNetwork pods by node name (NET-02)."""
        return indexes.host_pods(self.pods)

    @cached_property
    def pods_by_host_port(self) -> dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]]:
        """(node, protocol, host port) -> pods that have it, the youngest first; host pods need none (NET-02)."""
        return indexes.pods_by_host_port(self.pods)

    def bridge_ips(self, node: Node) -> tuple[str, ...]:
        """Addresses of cni0: the first of each pod CIDR (NET-04)."""
        return tuple(nth(cidr, 1) for cidr in node.pod_cidrs if network(cidr).num_addresses > 1)

    def overlay_ips(self, node: Node) -> tuple[str, ...]:
        """Addresses of the overlay device: .0 of each pod CIDR (NET-10); none when routed."""
        return tuple(nth(cidr, 0) for cidr in node.pod_cidrs) if self.settings.encapsulated else ()

    @property
    def mirrored(self) -> Mapping[Name, EndpointSlice]:
        """Endpoints objects of old clients, read as slices."""
        return self._records.get("Endpoints", {})

    @cached_property
    def slices_by_service(self) -> Mapping[Name, list[EndpointSlice]]:
        """Given EndpointSlices (and mirrored Endpoints) by Service."""
        return index_services.slices_by_service(self._records.get("EndpointSlice", {}).values(), self.mirrored.values())

    @cached_property
    def _endpoints(self) -> Kept[Name, tuple[Endpoint, ...]]:
        return Kept()

    @cached_property
    def choices(self) -> Kept[Name, dict[Any, Any]]:
        """What `datapath.service` chose for a Service, kept until its endpoints change."""
        return Kept()

    def endpoints(self, service: Service) -> tuple[Endpoint, ...]:
        """All endpoints of a Service, ready or not, by address (IPT-16).

        Slices that are given are the truth; without any they are derived from the selector (EPS-01).
        """
        name = (service.namespace, service.name)
        found = self._endpoints.get(name)
        if found is None:
            given = self.slices_by_service.get(name)
            if given is None:
                found = derive_endpoints(self, service)
            else:
                found = tuple(endpoint for one in given for endpoint in one.endpoints)
            found = tuple(sorted(found, key=lambda e: (family(e.ip), sortable(e.ip), e.pod, e.ports)))
            self._endpoints.put(name, found)
        return found

    @cached_property
    def _label_sets(self) -> indexes.LabelSets:
        return indexes.label_sets(self.pods)

    def pods_selected(self, namespace: str, selector: Mapping[str, str]) -> list[Pod]:
        """Pods of a namespace that have all these labels."""
        wanted = selector.items()
        return [
            self.pods[name]
            for labels, names in self._label_sets.get(namespace, {}).items()
            if wanted <= dict(labels).items()
            for name in names
        ]

    @cached_property
    def _selectors(self) -> Mapping[index_services.Item, tuple[Name, ...]]:
        return index_services.selectors(self.services.values())

    def services_selecting(self, pod: Pod) -> list[Service]:
        """Services whose selector matches the pod's labels (EPS-01)."""
        return index_services.selecting(self._selectors, self.services, pod)

    @cached_property
    def _sliced(self) -> Mapping[str, tuple[Name, ...]]:
        return index_services.sliced(self.slices_by_service)

    def services_behind(self, ip: str) -> list[Service]:
        """Services that have an endpoint with this address, by name."""
        node, pod = self.node_by_ip.get(ip), self.pod_by_ip.get(ip)
        pods = [*([pod] if pod else []), *(self.host_pods.get(node.name, ()) if node else ())]
        names = {(one.namespace, one.name) for each in pods for one in self.services_selecting(each)}
        found = [self.services.get(name) for name in sorted(names.union(self._sliced.get(ip, ())))]
        return [one for one in found if one and any(entry.ip == ip for entry in self.endpoints(one))]

    @cached_property
    def services_by_ip(self) -> Mapping[str, list[tuple[Service, str]]]:
        """Every virtual address with its Services and what it is: cluster, external or lb."""
        return index_services.by_ip(self.services.values())

    @cached_property
    def services_by_node_port(self) -> Mapping[tuple[str, int], tuple[Service, int]]:
        """(protocol, node port) -> Service and index of its port."""
        return index_services.by_node_port(self.services)

    @cached_property
    def balancers(self) -> dict[str, tuple[Service, str]]:
        """Address of a load balancer -> its Service and ipMode (SVC-07)."""
        return index_services.balancers(self.services.values())

    @cached_property
    def health_checks(self) -> dict[int, list[Service]]:
        """healthCheckNodePort -> its Services (PX-14)."""
        return index_services.health_checks(self.services.values())

    @cached_property
    def policies_by_namespace(self) -> Mapping[str, list[NetworkPolicy]]:
        """Policies of each namespace by name."""
        return indexes.policies_by_namespace(self.policies)

    @cached_property
    def namespace_names(self) -> frozenset[str]:
        """Namespaces that exist as objects or by what lies in them."""
        return frozenset({key[1] for key in self.objects if key[1]} | {name for _, name in self.namespaces})

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Labels of a namespace, its own name among them even when no object was given (NP-11)."""
        namespace = self.namespaces.get(("", name))
        return namespace.labels if namespace else {"kubernetes.io/metadata.name": name}

    def workload_of(self, pod: Pod) -> Workload | None:
        """The workload on top: the Deployment of the ReplicaSet that owns the pod."""
        kind, name = pod.owner
        workload = self.workloads.get((kind, pod.namespace, name))
        if workload is not None and workload.owner[1]:
            return self.workloads.get((workload.owner[0], pod.namespace, workload.owner[1]), workload)
        if workload is None and kind == "ReplicaSet":
            return self.workloads.get(("Deployment", pod.namespace, name.rpartition("-")[0]))
        return workload

    @cached_property
    def pods_of_workload(self) -> Mapping[Key, list[Pod]]:
        """Pods by the key of the workload on top, oldest first."""
        return indexes.pods_of_workload(self)

    @cached_property
    def warnings(self) -> tuple[Notice, ...]:
        """Everything legal and useless in this snapshot."""
        return self.fill_warnings + collect(self)


_WORKLOADS = frozenset(WORKLOAD_KINDS)
_PODS, _NODES, _SERVICES = frozenset({"Pod"}), frozenset({"Node"}), frozenset({"Service"})
# Index -> the kinds it is made of, and the function that follows their changes. Nodes come first: others ask for them.
_INDEXES: dict[str, tuple[frozenset[str], Any]] = {
    "nodes": (_NODES, indexes.follow_nodes),
    "workloads": (_WORKLOADS, indexes.follow_workloads),
    "_addresses": (_PODS, indexes.follow_addresses),
    "node_by_ip": (_NODES, indexes.follow_node_by_ip),
    "_blocks": (_NODES, indexes.follow_blocks),
    "host_pods": (_PODS, indexes.follow_host_pods),
    "pods_by_host_port": (_PODS, indexes.follow_pods_by_host_port),
    "_label_sets": (_PODS, indexes.follow_label_sets),
    "slices_by_service": (frozenset({"EndpointSlice", "Endpoints"}), index_services.follow_slices),
    "_sliced": (frozenset({"EndpointSlice", "Endpoints"}), index_services.follow_sliced),
    "services_by_ip": (_SERVICES, index_services.follow_by_ip),
    "services_by_node_port": (_SERVICES, index_services.follow_by_node_port),
    "_selectors": (_SERVICES, index_services.follow_selectors),
    "balancers": (_SERVICES, index_services.follow_balancers),
    "health_checks": (_SERVICES, index_services.follow_health_checks),
    "policies_by_namespace": (frozenset({"NetworkPolicy"}), indexes.follow_policies),
    "pods_of_workload": (_PODS | _WORKLOADS, indexes.follow_pods_of_workload),
}
