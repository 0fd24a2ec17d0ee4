"""One immutable snapshot of a cluster, with the indexes the datapath asks.

`Cluster.from_objects` builds it, `Cluster.apply` makes the next one and shares what did not change.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

from clusterviz.engine.addresses import family, network, nth
from clusterviz.engine.complete import complete
from clusterviz.engine.endpoints import derive_endpoints
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.fill import Objects, fill_nodes, fill_services
from clusterviz.engine.gateway.objects import Gateway, GatewayClass, HTTPRoute, ReferenceGrant
from clusterviz.engine.infer_settings import infer_settings
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
    Record,
    Service,
    Workload,
    key_of,
)
from clusterviz.engine.parse import parse
from clusterviz.engine.settings import Settings

Name = tuple[str, str]
# A Service with this label is left to another proxy than kube-proxy.
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
Records = dict[str, dict[Name, Any]]


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
        objects: Objects,
        records: Records,
        digests: dict[Key, int],
        warnings: tuple[Notice, ...] = (),
    ) -> None:
        self.settings = settings
        self.objects: Mapping[Key, Obj] = objects
        self._records = records
        self._digests = digests
        self.fill_warnings = warnings
        self.namespaces: dict[Name, Namespace] = records.get("Namespace", {})
        self.pods: dict[Name, Pod] = records.get("Pod", {})
        self.services: dict[Name, Service] = records.get("Service", {})
        self.ingresses: dict[Name, Ingress] = records.get("Ingress", {})
        self.ingress_classes: dict[Name, IngressClass] = records.get("IngressClass", {})
        self.policies: dict[Name, NetworkPolicy] = records.get("NetworkPolicy", {})
        self.gateway_classes: dict[Name, GatewayClass] = records.get("GatewayClass", {})
        self.gateways: dict[Name, Gateway] = records.get("Gateway", {})
        self.routes: dict[Name, HTTPRoute] = records.get("HTTPRoute", {})
        self.grants: dict[Name, ReferenceGrant] = records.get("ReferenceGrant", {})

    @classmethod
    def from_objects(cls, objects: Iterable[Obj], settings: Settings | None = None, *, expand: bool = True) -> Cluster:
        """Build a snapshot from plain objects, any mix of kinds, ``List`` kinds unpacked.

        Given addresses are kept, missing ones allocated. ``expand`` also fills in what a control
        plane would add: nodes when none are given, pods of workloads that have none, their
        placement and addresses. Raises `ObjectError` for an object that cannot be read or stands
        twice.
        """
        keyed: Objects = {}
        for obj in unpack(objects):
            key = key_of(obj)
            if key in keyed:
                raise ObjectError("Duplicate value", field="metadata.name", ref="/".join(filter(None, key)))
            keyed[key] = obj
        for obj in keyed.values():
            parse(obj)  # types are checked before anything is filled in
        settings = settings or infer_settings(keyed)
        notes: list[tuple[str, str, str]] = []
        try:
            fill_services(keyed, settings)
            if expand:
                notes = complete(keyed, settings)
            else:
                fill_nodes(keyed, settings, notes)
        except AddressError as error:
            raise ObjectError(f"Internal error: failed to allocate: {error}") from None
        records: Records = {}
        digests: dict[Key, int] = {}
        for key, obj in keyed.items():
            _add(records, digests, key, obj)
        return cls(settings, keyed, records, digests, tuple(Notice(*note) for note in notes))

    def apply(self, changes: Iterable[Change]) -> Cluster:
        """The snapshot after these changes; this one stays as it is."""
        changes = list(changes)
        if not changes:
            return self
        objects = dict(self.objects)
        records, digests = dict(self._records), dict(self._digests)
        touched: set[str] = set()
        keys = []
        for change in changes:
            key = change.key
            keys.append(key)
            if change.verb == "set":
                parse(change.value)
                objects[key] = change.value
            else:
                objects.pop(key, None)
        if any(key[0] == "Service" for key in keys):
            fill_services(objects, self.settings, [key for key in keys if key in objects])
        if any(key[0] == "Node" for key in keys):
            fill_nodes(objects, self.settings, [])
            keys += [key for key in objects if key[0] == "Node"]
        for key in dict.fromkeys(keys):
            kind = key[0]
            if kind not in touched:
                touched.add(kind)
                records[kind] = dict(records.get(kind, {}))
            _remove(records, digests, key)
            if key in objects:
                _add(records, digests, key, objects[key])
        new = Cluster(self.settings, objects, records, digests, self.fill_warnings)
        self._share_indexes(new, touched)
        return new

    def with_settings(self, settings: Settings) -> Cluster:
        """The same objects under other settings."""
        return Cluster(settings, dict(self.objects), self._records, self._digests, self.fill_warnings)

    def _share_indexes(self, new: Cluster, touched: set[str]) -> None:
        for name, kinds in _INDEX_KINDS.items():
            if name in self.__dict__ and not touched & kinds:
                new.__dict__[name] = self.__dict__[name]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content: objects and settings."""
        total = 0
        for digest in self._digests.values():
            total ^= digest
        seed = msgspec.json.encode(self.settings) + total.to_bytes(16)
        return hashlib.blake2b(seed, digest_size=8).hexdigest()

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Nodes by name, oldest first."""
        found: dict[Name, Node] = self._records.get("Node", {})
        return {node.name: node for node in sorted(found.values(), key=lambda n: (n.created, n.name))}

    @cached_property
    def workloads(self) -> dict[Key, Workload]:
        """Workloads by key."""
        return {
            (kind, *name): workload for kind in WORKLOAD_KINDS for name, workload in self._records.get(kind, {}).items()
        }

    @cached_property
    def pod_by_ip(self) -> dict[str, Pod]:
        """Live pods by each of their addresses; hostNetwork pods share the node's and stay out (NET-02)."""
        return {
            ip: pod for _, pod in sorted(self.pods.items()) if not pod.host_network and not pod.ended for ip in pod.ips
        }

    @cached_property
    def node_by_ip(self) -> dict[str, Node]:
        """Nodes by every address they own: InternalIPs, bridge and overlay addresses."""
        found: dict[str, Node] = {}
        for node in self.nodes.values():
            found |= dict.fromkeys((*self.overlay_ips(node), *self.bridge_ips(node)), node)
        for node in self.nodes.values():
            found |= dict.fromkeys(node.ips, node)
        return found

    @cached_property
    def host_pods(self) -> dict[str, list[Pod]]:
        """Running hostNetwork pods by node name (NET-02)."""
        found: dict[str, list[Pod]] = {}
        for _, pod in sorted(self.pods.items()):
            if pod.host_network and not pod.ended:
                found.setdefault(pod.node, []).append(pod)
        return found

    @cached_property
    def pods_by_host_port(self) -> dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]]:
        """(node, protocol, host port) -> pods that have it, the youngest first; host pods need none (NET-02)."""
        found: dict[tuple[str, str, int], list[tuple[Pod, ContainerPort]]] = {}
        for pod in sorted(self.pods.values(), key=lambda one: (one.created, one.namespace, one.name), reverse=True):
            for declared in pod.ports:
                if declared.host_port and pod.ips and not pod.ended and not pod.host_network:
                    found.setdefault((pod.node, declared.protocol, declared.host_port), []).append((pod, declared))
        return found

    def bridge_ips(self, node: Node) -> tuple[str, ...]:
        """Addresses of cni0: the first of each pod CIDR (NET-04)."""
        return tuple(nth(cidr, 1) for cidr in node.pod_cidrs if network(cidr).num_addresses > 1)

    def overlay_ips(self, node: Node) -> tuple[str, ...]:
        """Addresses of the overlay device: .0 of each pod CIDR (NET-10); none when routed."""
        return tuple(nth(cidr, 0) for cidr in node.pod_cidrs) if self.settings.encapsulated else ()

    @cached_property
    def slices_by_service(self) -> dict[Name, list[EndpointSlice]]:
        """Given EndpointSlices (and mirrored Endpoints) by Service."""
        found: dict[Name, list[EndpointSlice]] = {}
        slices: list[EndpointSlice] = list(self._records.get("EndpointSlice", {}).values())
        named = {(one.namespace, one.service) for one in slices}
        mirrored: list[EndpointSlice] = [
            one for one in self._records.get("Endpoints", {}).values() if (one.namespace, one.service) not in named
        ]
        for one in sorted([*slices, *mirrored], key=lambda s: s.name):
            if one.service:
                found.setdefault((one.namespace, one.service), []).append(one)
        return found

    @cached_property
    def _endpoints(self) -> dict[Name, tuple[Endpoint, ...]]:
        return {}

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
            found = tuple(sorted(found, key=lambda e: (family(e.ip), _sortable(e.ip), e.pod, e.ports)))
            self._endpoints[name] = found
        return found

    @cached_property
    def services_by_ip(self) -> dict[str, list[tuple[Service, str]]]:
        """Every virtual address with its Services and what it is: cluster, external or lb."""
        found: dict[str, list[tuple[Service, str]]] = {}
        for service in sorted(self.services.values(), key=lambda s: (s.namespace, s.name)):
            if service.headless or service.type == "ExternalName" or PROXY_NAME_LABEL in service.labels:
                continue
            for ip in service.cluster_ips:
                found.setdefault(ip, []).append((service, "cluster"))
            for ip in service.external_ips:
                found.setdefault(ip, []).append((service, "external"))
            for ip in service.lb_ips:
                found.setdefault(ip, []).append((service, "lb"))
        return found

    @cached_property
    def services_by_node_port(self) -> dict[tuple[str, int], tuple[Service, int]]:
        """(protocol, node port) -> Service and index of its port."""
        return {
            (port.protocol, port.node_port): (service, index)
            for _, service in sorted(self.services.items())
            if service.type in ("NodePort", "LoadBalancer") and PROXY_NAME_LABEL not in service.labels
            for index, port in enumerate(service.ports)
            if port.node_port
        }

    @cached_property
    def policies_by_namespace(self) -> dict[str, list[NetworkPolicy]]:
        """Policies of each namespace by name."""
        found: dict[str, list[NetworkPolicy]] = {}
        for policy in sorted(self.policies.values(), key=lambda p: p.name):
            found.setdefault(policy.namespace, []).append(policy)
        return found

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
    def pods_of_workload(self) -> dict[Key, list[Pod]]:
        """Pods by the key of the workload on top, oldest first."""
        found: dict[Key, list[Pod]] = {}
        for pod in sorted(self.pods.values(), key=lambda p: (p.created, p.name)):
            workload = self.workload_of(pod)
            if workload is not None:
                found.setdefault((workload.kind, workload.namespace, workload.name), []).append(pod)
        return found

    @cached_property
    def warnings(self) -> tuple[Notice, ...]:
        """Everything legal and useless in this snapshot."""
        return self.fill_warnings + collect(self)


_INDEX_KINDS: dict[str, set[str]] = {
    "nodes": {"Node"},
    "workloads": set(WORKLOAD_KINDS),
    "pod_by_ip": {"Pod"},
    "node_by_ip": {"Node"},
    "host_pods": {"Pod"},
    "pods_by_host_port": {"Pod"},
    "slices_by_service": {"EndpointSlice", "Endpoints"},
    "_endpoints": {"EndpointSlice", "Endpoints", "Service", "Pod", "Node"},
    "services_by_ip": {"Service"},
    "services_by_node_port": {"Service"},
    "policies_by_namespace": {"NetworkPolicy"},
    "pods_of_workload": {"Pod", *WORKLOAD_KINDS},
}


def unpack(objects: Iterable[Obj]) -> Iterable[Obj]:
    """Objects with ``List`` kinds flattened (IMP-01)."""
    for obj in objects:
        if not isinstance(obj, dict):
            raise ObjectError(f"Invalid value: {obj!r}: must be an object")
        kind = obj.get("kind")
        items = obj.get("items")
        if isinstance(kind, str) and kind.endswith("List") and (isinstance(items, list) or kind == "List"):
            default = {"kind": kind.removesuffix("List"), "apiVersion": obj.get("apiVersion", "v1")}
            typed = kind != "List"
            yield from unpack({**default, **one} if typed and isinstance(one, dict) else one for one in items or ())
        else:
            yield obj


def _sortable(ip: str) -> int:
    return int(ipaddress.ip_address(ip.partition("%")[0]))


def _add(records: Records, digests: dict[Key, int], key: Key, obj: Obj) -> None:
    record: Record | None = parse(obj)
    if record is not None:
        records.setdefault(key[0], {})[(key[1], key[2])] = record
    data = repr(key).encode() + msgspec.json.encode(obj, order="sorted")
    digests[key] = int.from_bytes(hashlib.blake2b(data, digest_size=16).digest())


def _remove(records: Records, digests: dict[Key, int], key: Key) -> None:
    records.get(key[0], {}).pop((key[1], key[2]), None)
    digests.pop(key, None)
