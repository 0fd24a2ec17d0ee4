"""One immutable snapshot of a cluster, with the indexes the datapath asks.

`Cluster.from_objects` builds it, `Cluster.apply` makes the next one and shares what did not change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any, Literal

import msgspec

from clusterviz.engine import index_services, index_strays, indexes
from clusterviz.engine.addresses import sortable
from clusterviz.engine.classes import Classes
from clusterviz.engine.complete import complete
from clusterviz.engine.endpoints import derive_endpoints
from clusterviz.engine.errors import AddressError, ObjectError
from clusterviz.engine.fill import Objects, fill_nodes, fill_services, lacks
from clusterviz.engine.gateway.attach import MADE_OF, attach_all
from clusterviz.engine.gateway.attached import Attached
from clusterviz.engine.hashing import Hashed
from clusterviz.engine.infer_settings import infer
from clusterviz.engine.loading import load, load_again, no_collections, unpack
from clusterviz.engine.lookups import Lookups, Name, Records
from clusterviz.engine.notices import Notice, collect
from clusterviz.engine.objects import (
    WORKLOAD_KINDS,
    Endpoint,
    Key,
    Obj,
    Pod,
    Service,
    key_of,
)
from clusterviz.engine.overlay import GONE, changed
from clusterviz.engine.parse import Interned, parse
from clusterviz.engine.settings import Settings

__all__ = ["Change", "Cluster", "unpack"]


class Change(msgspec.Struct, frozen=True):
    """One change: ``set`` an object (create or replace) or ``unset`` a key."""

    verb: Literal["set", "unset"]
    value: Any

    @property
    def key(self) -> Key:
        """Key of the object concerned."""
        return key_of(self.value) if self.verb == "set" else tuple(self.value)


class Cluster(Lookups):
    """A snapshot. Never mutated; equal content gives an equal `fingerprint`."""

    def __init__(
        self,
        settings: Settings,
        objects: Mapping[Key, Obj],
        records: Records,
        warnings: tuple[Notice, ...] = (),
        hashed: Hashed | None = None,
    ) -> None:
        self.settings = settings
        self.objects = objects
        super().__init__(records)
        self._hashed = hashed
        self.fill_warnings = warnings

    @classmethod
    def from_objects(
        cls, objects: Iterable[Obj], settings: Settings | None = None, *, expand: bool = True, node_ports: bool = True
    ) -> Cluster:
        """Build a snapshot from plain objects, any mix of kinds, ``List`` kinds unpacked.

        Given addresses are kept, missing ones allocated. ``expand`` also fills in what a control
        plane would add: nodes when none are given, pods of workloads that have none, their
        placement and addresses. Without ``node_ports`` a Service has only those it was given. Raises
        `ObjectError` for an object that cannot be read or stands twice.
        """
        with no_collections():
            keyed: Objects = {}
            records: dict[str, dict[Name, Any]] = {}
            interned: Interned = {}
            load(objects, keyed, records, interned)  # types are checked before anything is filled in
            given = dict(keyed) if expand else {key: keyed[key] for key in _fillable(records)}
            notes: list[tuple[str, str, str]] = []
            if settings is None:
                inferred = infer(keyed)
                settings, notes = inferred.settings, inferred.notices
            try:
                fill_services(keyed, settings, ports=node_ports)
                if expand:
                    notes += complete(keyed, settings, records.get("Pod", {}))
                else:
                    fill_nodes(keyed, settings, notes)
            except AddressError as error:
                raise ObjectError(f"Internal error: failed to allocate: {error}") from None
            filled = keyed.items() if expand else [(key, keyed[key]) for key in given]
            load_again([(key, obj) for key, obj in filled if given.get(key) is not obj], records, interned)
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
        for key, record in parsed.items():
            kind, name = key[0], (key[1], key[2])
            before = self._records.get(kind, {}).get(name)
            if record is not None or before is not None:
                deltas.append(indexes.Delta(kind, name, before, record))
                over.setdefault(kind, {})[name] = GONE if record is None else record
        records = self._records | {kind: changed(self._records.get(kind, {}), some) for kind, some in over.items()}
        hashed = self._hashed.after(self.objects, wanted) if self._hashed is not None else None
        new = Cluster(self.settings, changed(self.objects, wanted), records, self.fill_warnings, hashed)
        kinds = {delta.kind for delta in deltas} | ({"Secret"} & {key[0] for key in wanted})
        self._hand_on(new, deltas, frozenset(kinds))
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
        new = Cluster(settings, self.objects, self._records, self.fill_warnings, self._hashed)
        apart = {"settings", "fingerprint", "warnings", "choices", "classes", "passable", "parties"}
        if settings.encapsulated != self.settings.encapsulated:
            apart.add("node_by_ip")  # addresses of overlay devices are among them
        shared = (_INDEXES.keys() | {"namespace_names"}) - apart
        new.__dict__.update({name: kept for name, kept in self.__dict__.items() if name in shared})
        return new

    def warm(self) -> None:
        """Work out every index now instead of when it is first asked for; takes seconds for a large cluster."""
        for name in (*_INDEXES, "namespace_names"):
            getattr(self, name)

    def _hand_on(self, new: Cluster, deltas: list[indexes.Delta], kinds: frozenset[str]) -> None:
        """Give the next snapshot every index that was built here, changed where the deltas concern it."""
        mine, others = self.__dict__, new.__dict__
        untouched, touched_by = _concerned(kinds)
        others.update([(name, mine[name]) for name in untouched if name in mine])
        for name, made_of, follow in touched_by:
            if (index := mine.get(name)) is not None:
                some = [delta for delta in deltas if delta.kind in made_of] if made_of is not None else deltas
                index = follow(index, some, new)
                if index is not None:
                    others[name] = index
        if "_labelled" in mine:
            others["_labelled"] = mine["_labelled"].copy()
        if (touched := index_services.touched_services(deltas, self)) is not None:
            new._endpoints = self._endpoints.without(touched) if touched else self._endpoints
            new.choices = self.choices.without(touched) if touched else self.choices
            new.extents = self.extents.without(touched) if touched else self.extents

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content: objects and settings."""
        if self._hashed is None:
            self._hashed = Hashed.of(self.objects)
        elif self._hashed.behind is not None:
            self._hashed = self._hashed.caught_up(self.objects)
        seed = msgspec.json.encode(self.settings) + self._hashed.total.to_bytes(16)
        return hashlib.blake2b(seed, digest_size=8).hexdigest()

    @cached_property
    def classes(self) -> Classes:
        """Policy verdicts by class of pods."""
        return Classes(self)

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
            found = tuple(sorted(found, key=lambda e: (":" in e.ip, sortable(e.ip), e.pod, e.ports)))
            self._endpoints.put(name, found)
        return found

    @cached_property
    def classed_pods(self) -> frozenset[Name]:
        """Pods whose processes name the class of Ingresses they work for (ING-01)."""
        return indexes.classed_pods(self)

    @cached_property
    def attached(self) -> Attached:
        """HTTPRoutes with the listeners they ask for, by Gateway and host."""
        return Attached(attach_all(self))

    @cached_property
    def secrets(self) -> frozenset[Name]:
        """Secrets there are; they have no records of their own."""
        return frozenset([(key[1], key[2]) for key in self.objects if key[0] == "Secret"])

    @cached_property
    def strays(self) -> frozenset[str]:
        """Addresses of pods that lie in no pod CIDR of their node."""
        return index_strays.strays(self)

    @cached_property
    def pods_of_workload(self) -> Mapping[Key, list[Pod]]:
        """Pods by the key of the workload on top, oldest first."""
        return indexes.pods_of_workload(self)

    @cached_property
    def warnings(self) -> tuple[Notice, ...]:
        """Everything legal and useless in this snapshot."""
        return self.fill_warnings + collect(self)

    def services_behind(self, ip: str) -> list[Service]:
        """Services that have an endpoint with this address, by name."""
        node, pod = self.node_by_ip.get(ip), self.pod_by_ip.get(ip)
        pods = [*([pod] if pod else []), *(self.host_pods.get(node.name, ()) if node else ())]
        names = {(one.namespace, one.name) for each in pods for one in self.services_selecting(each)}
        found = [self.services.get(name) for name in sorted(names.union(self._sliced.get(ip, ())))]
        return [one for one in found if one and any(entry.ip == ip for entry in self.endpoints(one))]


def _fillable(records: Mapping[str, Mapping[Name, Any]]) -> list[Key]:
    """Keys of what is given addresses also in a cluster that is not expanded."""
    return [(kind, *name) for kind in ("Service", "Node") for name in records.get(kind, ())]


_WORKLOADS = frozenset(WORKLOAD_KINDS)
_POLICIES = frozenset({"NetworkPolicy", "Namespace"})
_PODS, _NODES, _SERVICES = frozenset({"Pod"}), frozenset({"Node"}), frozenset({"Service"})
# Index -> the kinds it is made of, and the function that follows their changes. Nodes come first: others ask for them.
_INDEXES: dict[str, tuple[frozenset[str], Any]] = {
    "nodes": (_NODES, indexes.follow_nodes),
    "workloads": (_WORKLOADS, indexes.follow_workloads),
    "_addresses": (_PODS, indexes.follow_addresses),
    "node_by_ip": (_NODES, indexes.follow_node_by_ip),
    "_blocks": (_NODES, indexes.follow_blocks),
    "strays": (_PODS | _NODES, index_strays.follow_strays),
    "host_pods": (_PODS, indexes.follow_host_pods),
    "pods_by_host_port": (_PODS, indexes.follow_pods_by_host_port),
    "_label_sets": (_PODS, indexes.follow_label_sets),
    "classed_pods": (_PODS, indexes.follow_classed_pods),
    "slices_by_service": (frozenset({"EndpointSlice", "Endpoints"}), index_services.follow_slices),
    "_sliced": (frozenset({"EndpointSlice", "Endpoints"}), index_services.follow_sliced),
    "services_by_ip": (_SERVICES, index_services.follow_by_ip),
    "services_by_node_port": (_SERVICES, index_services.follow_by_node_port),
    "_selectors": (_SERVICES, index_services.follow_selectors),
    "balancers": (_SERVICES, index_services.follow_balancers),
    "health_checks": (_SERVICES, index_services.follow_health_checks),
    "parties": (_PODS | _NODES | _POLICIES, indexes.follow_parties),
    "classes": (_POLICIES, lambda *_: None),
    "passable": (_NODES, lambda *_: None),
    "policies_by_namespace": (frozenset({"NetworkPolicy"}), indexes.follow_policies),
    "secrets": (frozenset({"Secret"}), lambda *_: None),
    "attached": (MADE_OF, lambda *_: None),
    "pods_of_workload": (_PODS | _WORKLOADS, indexes.follow_pods_of_workload),
}


@cache
def _concerned(kinds: frozenset[str]) -> tuple[list[str], list[tuple[str, frozenset[str] | None, Any]]]:
    """Indexes that changes of these kinds leave alone; those they do not, with the kinds to pick out (None: all)."""
    alone, touched = [], []
    for name, (made_of, follow) in _INDEXES.items():
        if kinds.isdisjoint(made_of):
            alone.append(name)
        else:
            touched.append((name, None if kinds <= made_of else made_of, follow))
    return alone, touched
