"""What the datapath asks a snapshot: objects by kind and name, and everything that is looked up rather than searched.

Each index is worked out when it is first asked for. `Cluster.apply` hands it on, changed (see `indexes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from clusterviz.engine import index_services, indexes
from clusterviz.engine.addresses import nth, second
from clusterviz.engine.gateway.objects import Gateway, GatewayClass, HTTPRoute, ReferenceGrant
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
)
from clusterviz.engine.overlay import Kept
from clusterviz.engine.settings import Settings

Name = tuple[str, str]
Records = dict[str, Mapping[Name, Any]]


class Lookups:
    """The reading half of a `Cluster`."""

    settings: Settings
    objects: Mapping[Key, Obj]

    def __init__(self, records: Records) -> None:
        self._records = records
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

    @cached_property
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
        return tuple([ip for cidr in node.pod_cidrs if (ip := second(cidr))])

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
    def parties(self) -> Kept[str, Any]:
        """Pods by address as `decision` knows them."""
        return Kept()

    @cached_property
    def called(self) -> dict[Any, Any]:
        """Backends of a ClusterIP's port for calls from any node, as `plain` found out; of this snapshot alone."""
        return {}

    @cached_property
    def passable(self) -> dict[tuple[str, str], int]:
        """The longest packet that surely passes between two nodes, as `decision` found out."""
        return {}

    @cached_property
    def _endpoints(self) -> Kept[Name, tuple[Endpoint, ...]]:
        return Kept()

    @cached_property
    def choices(self) -> Kept[Name, dict[Any, Any]]:
        """What `datapath.service` chose for a Service, kept until its endpoints change."""
        return Kept()

    @cached_property
    def extents(self) -> Kept[Name, dict[Any, Any]]:
        """How many lines of kube-proxy's rules a Service makes, kept as `choices` are."""
        return Kept()

    @cached_property
    def _label_sets(self) -> indexes.LabelSets:
        return indexes.label_sets(self.pods)

    @property
    def pod_namespaces(self) -> Iterable[str]:
        """Namespaces with pods in them."""
        return self._label_sets.keys()

    def pods_selected(self, namespace: str, selector: Mapping[str, str]) -> list[Pod]:
        """Pods of a namespace that have all these labels."""
        sets = self._label_sets.get(namespace)
        if sets is None:
            return []
        known = self._labelled.get(namespace)
        if known is None or known.sets is not sets:
            known = self._labelled[namespace] = indexes.Labelled(sets)
        return [self.pods[name] for labels in known.matching(selector) for name in sets[labels]]

    @cached_property
    def _labelled(self) -> dict[str, indexes.Labelled]:
        """Of this snapshot; the next one begins with a copy, and works out anew where labels changed."""
        return {}

    @cached_property
    def _selectors(self) -> Mapping[index_services.Item, tuple[Name, ...]]:
        return index_services.selectors(self.services.values())

    def services_selecting(self, pod: Pod) -> list[Service]:
        """Services whose selector matches the pod's labels (EPS-01)."""
        return index_services.selecting(self._selectors, self.services, pod)

    @cached_property
    def _sliced(self) -> Mapping[str, tuple[Name, ...]]:
        return index_services.sliced(self.slices_by_service)

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
