"""Pods that fare alike: of each class one is asked, and its answer holds for all.

What a connection meets depends on the policies that isolate the sender, on address blocks some policy or Service names,
on how it looks names up, and on the kind of its node; towards one Service also on which peers the sender is of the
policies guarding it, on whether it is behind it, and on the endpoints on the sender's node.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from clusterviz.engine.datapath.place import home
from clusterviz.engine.endpoints import pods_behind

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster
    from clusterviz.engine.objects import Endpoint, Node, Pod, PolicyPeer, Service

Class = Hashable
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: Endpoints of one kind on a node: none, one, or more; that many more makes no difference.
SEVERAL = 2


class _Ends(NamedTuple):
    """What a Service's endpoints are to senders: where they are and whether a node may be named in a hint."""

    ips: frozenset[str]
    on: dict[str, Class]
    hinted: bool


class Alike:
    """The classes of one snapshot."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._labels = sorted(set(_named_labels(cluster)))
        self._networks = sorted(set(_named_networks(cluster)), key=str)
        self._selected = sorted({label for one in cluster.services.values() for label in one.selector or ()})
        self._by_hand: dict[str, tuple[str, ...]] = {}
        for service in cluster.services.values():
            for one in cluster.endpoints(service) if service.selector is None else ():
                self._by_hand[one.ip] = (*self._by_hand.get(one.ip, ()), service.ref)
        self._called: dict[str, Class] = {}
        self._by_name = any(node.cut for node in cluster.nodes.values())
        self._nodes: dict[str, Class] = {}
        self._ends: dict[tuple[str, str], _Ends] = {}
        self._guards: dict[tuple[str, str], tuple[list[tuple[str, PolicyPeer]], dict[Class, Class]]] = {}
        dns = cluster.services_by_ip.get(cluster.settings.dns_ip) or ()
        self._dns = [service for service, _ in dns]

    def sender(self, pod: Pod) -> Class:
        """The class of a pod that opens connections, whatever it calls."""
        node = pod.node if pod.host_network else self._place(pod)
        look_up = pod.dns_policy, pod.searches, pod.ndots, tuple([self.toward(pod, one) for one in self._dns])
        egress = self._cluster.classes.group(self._cluster, pod).policies["Egress"]
        held = tuple([policy.ref for policy in egress]), pod.host_network, self._addresses(pod)
        return held, look_up, node, tuple([one.running for one in pod.containers]), pod.hung

    def toward(self, pod: Pod, service: Service) -> Class:
        """What else counts when it calls this Service."""
        ends = self._ends_of(service)
        own = None if ends.ips.isdisjoint(pod.ips) else (self.receiver(pod), self._owner(pod))
        return own, ends.on.get(pod.node), pod.node if ends.hinted else "", self._peers(pod, service)

    def called(self, pod: Pod) -> Class:
        """What decides behind which Services a pod is, and how it is called there."""
        labels = tuple([pod.labels.get(label) for label in self._selected])
        return self.receiver(pod), labels, tuple([self._by_hand.get(ip) for ip in pod.ips])

    def nodes_of(self, service: Service, nodes: Collection[str]) -> Iterator[str]:
        """Of these nodes those that differ towards a Service: with an endpoint of it, and one without."""
        ends = self._ends_of(service)
        if ends.hinted:
            yield from nodes
            return
        some = nodes if len(nodes) < len(ends.on) else ends.on
        yield from (node for node in some if node in nodes and node in ends.on)
        bare = next((node for node in nodes if node not in ends.on), None)
        if bare is not None:
            yield bare

    def receiver(self, pod: Pod) -> Class:
        """The class of a pod that is called."""
        ports = tuple((one.name, one.protocol, one.port, one.host_port) for one in pod.ports)
        state = pod.ready, pod.terminating, pod.phase, pod.hung, tuple(one.running for one in pod.containers)
        return self._face(pod), ports, pod.listen, state, self._place(pod)

    def backends(self, near: str, own: Collection[str] = ()) -> Callable[[str], Class]:
        """What tells the class of an address behind a Service.

        ``near`` is the node its callers come by, ``own`` are the caller's addresses: itself it meets in its own way.
        """
        return partial(self._backend, near, own)

    def _backend(self, near: str, own: Collection[str], ip: str) -> Class:
        pod = self._cluster.pod_by_ip.get(ip)
        if pod is None or pod.host_network or ip in own:
            return ip
        if ip not in self._called:
            self._called[ip] = self._owner(pod), self.receiver(pod)
        return self._called[ip], pod.node == near

    def door(self, ip: str, service: Service) -> Class:
        """The class of a node's address as a way to a Service; the address itself when it is no node's."""
        node = self._cluster.node_by_ip.get(ip)
        if node is None:
            return ip
        ends = self._ends_of(service)
        return self._kind(node), node.ips.index(ip) if ip in node.ips else ip, ends.on.get(node.name)

    # -- what a class is made of -----------------------------------------------------------------------------------

    def _face(self, pod: Pod) -> Class:
        """What policies and Services can tell of a pod."""
        return pod.namespace, pod.host_network, self._told(pod), self._addresses(pod)

    def _told(self, pod: Pod) -> tuple[str | None, ...]:
        return tuple([pod.labels.get(label) for label in self._labels])

    def _addresses(self, pod: Pod) -> Class:
        return tuple([self._address(pod, ip) for ip in pod.ips])

    def _peers(self, pod: Pod, service: Service) -> Class:
        """Which peers of the policies that guard the Service's pods it is (NP-08)."""
        name = service.namespace, service.name
        if name not in self._guards:
            self._guards[name] = _guards(self._cluster, service), {}
        guards, known = self._guards[name]
        if not guards:
            return ()
        who = pod.namespace, self._told(pod)
        if who not in known:
            spaces = self._cluster.namespace_labels(pod.namespace)
            known[who] = tuple([_matches(space, peer, pod, spaces) for space, peer in guards])
        return known[who]

    def _owner(self, pod: Pod) -> str:
        owner = self._cluster.workload_of(pod)
        return owner.ref if owner is not None else pod.ref

    def _address(self, pod: Pod, ip: str) -> Class:
        odd = ip in self._cluster.strays or self._cluster.pod_by_ip.get(ip) is not pod
        if not self._networks:
            return ":" in ip, odd
        address = ipaddress.ip_address(ip)
        return ":" in ip, odd, tuple([address in network for network in self._networks])

    def _place(self, pod: Pod) -> Class:
        node = home(self._cluster, pod)
        return self._kind(node) if node is not None else pod.node

    def _kind(self, node: Node) -> Class:
        known = self._nodes.get(node.name)
        if known is None:
            families = tuple(":" in ip for ip in node.ips), tuple(":" in one for one in node.pod_cidrs)
            state = node.down, node.ready, node.network_ready, node.zone, families
            odd = self._by_name or node.down or not node.ready or not node.network_ready
            known = self._nodes[node.name] = (*state, node.name if odd else "")
        return known

    def _ends_of(self, service: Service) -> _Ends:
        name = service.namespace, service.name
        found = self._ends.get(name)
        if found is None:
            every = self._cluster.endpoints(service)
            counts: dict[str, dict[Class, int]] = {}
            for one in every:
                on = counts.setdefault(one.node, {})
                on[_state(one)] = min(SEVERAL, on.get(_state(one), 0) + 1)
            hinted = any(one.node_hints for one in every)
            on_node = {node: tuple(sorted(some.items())) for node, some in counts.items()}
            found = self._ends[name] = _Ends(frozenset(one.ip for one in every), dict(on_node), hinted)
        return found


def _state(one: Endpoint) -> tuple[bool, bool, bool]:
    return one.ready, one.serving, one.terminating


def _guards(cluster: Cluster, service: Service) -> list[tuple[str, PolicyPeer]]:
    """Peers by selector of all policies that isolate pods behind a Service, with the policy's namespace."""
    policies = {
        policy.ref: policy
        for pod in pods_behind(cluster, service)
        for policy in cluster.classes.group(cluster, pod).policies["Ingress"]
    }
    rules = [(one.namespace, rule) for _, one in sorted(policies.items()) for rule in one.ingress]
    return [(space, peer) for space, rule in rules for peer in rule.peers if not peer.cidr]


def _matches(space: str, peer: PolicyPeer, pod: Pod, namespace_labels: Mapping[str, str]) -> bool:
    there = pod.namespace == space if peer.namespaces is None else peer.namespaces.matches(namespace_labels)
    return there and (peer.pods is None or peer.pods.matches(pod.labels))


def _named_labels(cluster: Cluster) -> Iterator[str]:
    """Labels of pods that some policy's selector names."""
    for policy in cluster.policies.values():
        peers = [peer.pods for rule in (*policy.ingress, *policy.egress) for peer in rule.peers]
        for selector in (policy.selector, *peers):
            if selector is not None:
                yield from (label for label, _ in selector.labels)
                yield from (one.key for one in selector.expressions)


def _named_networks(cluster: Cluster) -> Iterator[Network]:
    """Address blocks that some policy or Service names."""
    texts = [text for service in cluster.services.values() for text in service.source_ranges]
    for policy in cluster.policies.values():
        for rule in (*policy.ingress, *policy.egress):
            texts += [text for peer in rule.peers if peer.cidr for text in (peer.cidr, *peer.excepts)]
    for text in texts:
        yield ipaddress.ip_network(text, strict=False)
