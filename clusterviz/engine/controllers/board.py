"""All objects as controllers look at them: by kind and namespace, by owner, by node, by selector.

A `Board` outlives a reconciliation: it follows every change, so that finding what belongs together costs no walk over
everything. Whatever is iterated comes in the order of the keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from clusterviz.engine.controllers.affinity import pinned_to
from clusterviz.engine.controllers.usage import Usage, count
from clusterviz.engine.controllers.work import (
    Owner,
    annotation,
    labels,
    meta,
    owner_of,
    spec,
    status,
)
from clusterviz.engine.fill import pod_addresses
from clusterviz.engine.host_ports import HostPorts, wanted_ports
from clusterviz.engine.objects import DOWN_ANNOTATION, Key, Obj

SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_LABEL = "endpointslice.kubernetes.io/managed-by"
FOREGROUND = "foregroundDeletion"
MANAGER = "endpointslice-controller.k8s.io"
Name = tuple[str, str]


class Touch(NamedTuple):
    """One object that changed; None where there was or is none."""

    key: Key
    old: Obj | None
    new: Obj | None

    @property
    def sides(self) -> list[Obj]:
        """What there was and what there is."""
        return [obj for obj in (self.old, self.new) if obj is not None]


class Board:
    """The objects and their indexes."""

    def __init__(self, objects: Mapping[Key, Obj]) -> None:
        self._spaces: dict[Name, dict[Key, Obj]] = {}
        self._owned: dict[tuple[str, Owner], dict[Key, None]] = {}
        self._bases: dict[tuple[str, Owner], set[Owner]] = {}
        self._sets: dict[tuple[str, Owner], dict[Key, None]] = {}
        self._revisions: dict[tuple[str, Owner], dict[Key, None]] = {}
        self._on_node: dict[str, dict[Key, None]] = {}
        self._ported: dict[str, dict[Key, Obj]] = {}
        self._slices: dict[Name, dict[Key, None]] = {}
        self.many_owners: dict[str, dict[Key, None]] = {}
        self.selection = Selection(self)
        self.usage = Usage()
        self.pod_ips: Counter[str] = Counter()
        self.balancer_ips: Counter[str] = Counter()
        self.unbalanced: dict[Key, None] = {}
        self.waiting: dict[Key, None] = {}
        self._waiting_for: dict[str, dict[Key, None]] = {}
        # Pods that wait for a node others were sent away from.
        self.nominated: dict[str, dict[Key, Obj]] = {}
        self.down: set[str] = set()
        # Namespaces that are being deleted, and objects that go after what they own.
        self.ending: set[str] = set()
        self.foreground: dict[Key, None] = {}
        self.daemonsets: dict[Name, None] = {}
        # The scheduler's own, and the EndpointSlice controller's.
        self.memory: object = None
        self.entries: dict[tuple[str, ...], dict[Key, Any]] = {}
        # Services first: each pod then finds those that select it.
        for key in sorted(objects, key=lambda one: one[0] == "Pod"):
            self.set(key, objects[key])

    def get(self, key: Key) -> Obj | None:
        """One object."""
        return self._spaces.get(key[:2], {}).get(key)

    def all(self, kind: str, namespace: str = "") -> list[Obj]:
        """Objects of a kind in one namespace; ``""`` for what has none."""
        found = self._spaces.get((kind, namespace), {})
        return [found[key] for key in sorted(found)]

    def keys(self, kind: str, namespace: str) -> Iterator[Key]:
        """Their keys, in any order."""
        return iter(self._spaces.get((kind, namespace), ()))

    def everywhere(self, kind: str) -> Iterator[Obj]:
        """Objects of a kind in all namespaces, in any order."""
        for (one, _), found in self._spaces.items():
            if one == kind:
                yield from found.values()

    def node(self, name: str) -> Obj | None:
        """A node."""
        return self.get(("Node", "", name))

    def pods_on(self, node: str) -> list[Obj]:
        """Pods bound to a node, whether it exists or not."""
        return self._pods(self._on_node.get(node, ()))

    def waiting_for(self, node: str) -> list[Obj]:
        """Pods on no node yet that may run on this one alone."""
        return self._pods(self._waiting_for.get(node, ()))

    def placed(self) -> Iterator[Obj]:
        """All pods that are bound to a node, in any order."""
        return (self._spaces["Pod", key[1]][key] for keys in self._on_node.values() for key in keys)

    def keys_on(self, node: str) -> list[Key]:
        """Their keys, in any order."""
        return list(self._on_node.get(node, ()))

    def owned_by(self, namespace: str, owner: Owner) -> list[Obj]:
        """Pods of a namespace whose controlling owner this is; ("", "") finds bare pods."""
        return self._pods(self._owned.get((namespace, owner), ()))

    def keys_owned_by(self, namespace: str, owner: Owner) -> list[Key]:
        """Their keys, in any order."""
        return list(self._owned.get((namespace, owner), ()))

    def sets_of(self, namespace: str, owner: Owner) -> list[Obj]:
        """ReplicaSets of a Deployment; ("", "") finds those of nobody."""
        return [self._spaces["ReplicaSet", namespace][key] for key in sorted(self._sets.get((namespace, owner), ()))]

    def revisions_of(self, namespace: str, owner: Owner) -> list[Obj]:
        """ControllerRevisions of a workload."""
        space = self._spaces.get(("ControllerRevision", namespace), {})
        return [space[key] for key in sorted(self._revisions.get((namespace, owner), ()))]

    def content(self, namespace: str) -> Iterator[Obj]:
        """All objects of a namespace."""
        for kind in sorted(kind for kind, space in self._spaces if space == namespace):
            yield from self.all(kind, namespace)

    def dependents(self, owner: Key) -> Iterator[Obj]:
        """Objects of a namespace with an owner reference to one of it."""
        named = owner[0].partition(".")[0], owner[2]
        yield from self.owned_by(owner[1], named)
        for kind in sorted(kind for kind, space in self._spaces if space == owner[1] and kind != "Pod"):
            yield from (obj for obj in self.all(kind, owner[1]) if owner_of(obj) == named)

    def owners_of_base(self, namespace: str, kind: str, base: str) -> list[Owner]:
        """Owners of pods named ``<base>-<hash>``: the ReplicaSets of a Deployment."""
        return sorted(self._bases.get((namespace, (kind, base)), ()))

    def slices_of(self, namespace: str, service: str) -> list[Key]:
        """Slices of a Service that the controller manages."""
        return sorted(self._slices.get((namespace, service), ()))

    def ports_on(self, node: str) -> HostPorts:
        """Host ports in use on a node."""
        return HostPorts(self._ported.get(node, {}).values())

    def _pods(self, keys: Any) -> list[Obj]:
        return [self._spaces["Pod", key[1]][key] for key in sorted(keys)]

    def set(self, key: Key, obj: Obj | None) -> Touch | None:
        """Create, replace or, with None, remove; None when nothing changes by it."""
        old = self.get(key)
        if old is obj:
            return None
        space = self._spaces.setdefault(key[:2], {})
        if obj is None:
            del space[key]
        else:
            space[key] = obj
        self._deletion(key, obj)
        match key[0]:
            case "Pod":
                self._pod(key, old, obj)
            case "ReplicaSet":
                _by_owner(self._sets, key, old, obj)
            case "ControllerRevision":
                _by_owner(self._revisions, key, old, obj)
            case "Service":
                self._service(key, old, obj)
            case "EndpointSlice":
                self._slice(key, old, obj)
            case "Node":
                self._node(key, obj)
            case "DaemonSet":
                self._daemonset(key, there=obj is not None)
        return Touch(key, old, obj)

    def _deletion(self, key: Key, obj: Obj | None) -> None:
        goes = obj is not None and bool(meta(obj).get("deletionTimestamp"))
        if key[0] == "Namespace":
            (self.ending.add if goes else self.ending.discard)(key[2])
        if goes and obj is not None and FOREGROUND in (meta(obj).get("finalizers") or ()):
            self.foreground[key] = None
        else:
            self.foreground.pop(key, None)

    def _daemonset(self, key: Key, *, there: bool) -> None:
        if there:
            self.daemonsets[key[1:]] = None
        else:
            del self.daemonsets[key[1:]]

    def _node(self, key: Key, obj: Obj | None) -> None:
        lost = obj is not None and annotation(obj, DOWN_ANNOTATION) == "true"
        (self.down.add if lost else self.down.discard)(key[2])
        if (obj is not None) != (key[2] in self.usage):
            (self.usage.drop if obj is None else self.usage.add)(key[2])

    def _pod(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        for obj, there in ((old, False), (new, True)):
            if obj is not None:
                self._owner(key, owner_of(obj), there=there)
                self._place(key, obj, there=there)
        several = new is not None and len(meta(new).get("ownerReferences") or ()) > 1
        _put(self.many_owners, key[1], key, there=several)
        self._wait(key, old, new)
        self.selection.pod(key, old, new)

    def _wait(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        for obj, there in ((old, False), (new, True)):
            if obj is not None and (node := str(status(obj).get("nominatedNodeName") or "")):
                self.nominated.get(node, {}).pop(key, None)
                if there and _waits(obj):
                    self.nominated.setdefault(node, {})[key] = obj
            if obj is not None and _waits(obj) and (node := pinned_to(obj)):
                _put(self._waiting_for, node, key, there=there)
        if new is not None and _waits(new):
            self.waiting[key] = None
        else:
            self.waiting.pop(key, None)

    def _owner(self, key: Key, owner: Owner, *, there: bool) -> None:
        place = key[1], owner
        base = key[1], (owner[0], owner[1].rpartition("-")[0])
        _put(self._owned, place, key, there=there)
        if there:
            self._bases.setdefault(base, set()).add(owner)
        elif place not in self._owned:
            self._bases[base].discard(owner)
            if not self._bases[base]:
                del self._bases[base]

    def _place(self, key: Key, pod: Obj, *, there: bool) -> None:
        node = str(spec(pod).get("nodeName") or "")
        lives = status(pod).get("phase") not in ("Succeeded", "Failed")
        if node:
            _put(self._on_node, node, key, there=there)
            if lives:
                self.usage.count(node, (key[1], owner_of(pod)), 1 if there else -1)
                self.usage.claim(node, pod, 1 if there else -1)
                if wanted_ports(pod):
                    ported = self._ported.setdefault(node, {})
                    ported.pop(key, None)
                    if there:
                        ported[key] = pod
        if lives and not spec(pod).get("hostNetwork"):
            for ip in pod_addresses(pod):
                count(self.pod_ips, ip, 1 if there else -1)

    def _service(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        for obj, step in ((old, -1), (new, 1)):
            for entry in balancer_entries(obj or {}):
                count(self.balancer_ips, str(entry.get("ip")), step)
        if new is not None and spec(new).get("type") == "LoadBalancer" and not balancer_entries(new):
            self.unbalanced[key] = None
        else:
            self.unbalanced.pop(key, None)
        self.selection.service(key, new)

    def _slice(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        for obj, there in ((old, False), (new, True)):
            if obj is not None and is_managed(obj):
                _put(self._slices, (key[1], labels(obj).get(SERVICE_LABEL, "")), key, there=there)


class Selection:
    """Which pods each Service selects, by labels alone (EPS-01)."""

    def __init__(self, board: Board) -> None:
        self._board = board
        # (namespace, label, value) -> Services that have it in their selector, under one of its pairs only.
        self._by_pair: dict[tuple[str, str, str], dict[Name, None]] = {}
        self._selectors: dict[Name, dict[str, str]] = {}
        self._pairs: dict[Name, tuple[str, str, str]] = {}
        self._members: dict[Name, dict[Key, None]] = {}

    def members(self, service: Name) -> list[Key]:
        """Keys of the pods a Service selects."""
        return sorted(self._members.get(service, ()))

    def services_of(self, namespace: str, found: Mapping[str, str]) -> list[Name]:
        """Services that select pods with these labels."""
        return [
            name
            for pair in found.items()
            for name in self._by_pair.get((namespace, *pair), ())
            if self._selectors[name].items() <= found.items()
        ]

    def service(self, key: Key, new: Obj | None) -> None:
        """A Service came, changed or went."""
        name = key[1:]
        wanted = selector_of(new) if new is not None else {}
        before = self._selectors.get(name, {})
        if wanted == before:
            return
        if before:
            _put(self._by_pair, self._pairs.pop(name), name, there=False)
            del self._selectors[name]
            self._members.pop(name, None)
        if wanted:
            pairs = [(key[1], *pair) for pair in sorted(wanted.items())]
            self._pairs[name] = min(pairs, key=lambda pair: len(self._by_pair.get(pair, ())))
            _put(self._by_pair, self._pairs[name], name, there=True)
            self._selectors[name] = wanted
            for pod in self._board.keys("Pod", key[1]):
                if wanted.items() <= labels(self._board.get(pod) or {}).items():
                    _put(self._members, name, pod, there=True)

    def pod(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        """A pod came, changed or went."""
        was, now = (labels(obj) if obj is not None else {} for obj in (old, new))
        if was == now and old is not None and new is not None:
            return
        for found, there in ((was, False), (now, True)):
            for name in self.services_of(key[1], found):
                _put(self._members, name, key, there=there)


def selector_of(service: Obj) -> dict[str, str]:
    """A Service's selector as text; empty when nobody is selected (SVC-12)."""
    if spec(service).get("type") == "ExternalName":
        return {}
    return {label: str(value) for label, value in (spec(service).get("selector") or {}).items()}


def balancer_entries(service: Obj) -> list[dict[str, Any]]:
    """What the provider wrote (SVC-06)."""
    return (status(service).get("loadBalancer") or {}).get("ingress") or []


def is_managed(one: Obj) -> bool:
    """Whether the EndpointSlice controller made a slice."""
    return labels(one).get(MANAGED_LABEL) == MANAGER


def _waits(pod: Obj) -> bool:
    """For the scheduler."""
    ended = status(pod).get("phase") in ("Succeeded", "Failed")
    return not spec(pod).get("nodeName") and not ended and not meta(pod).get("deletionTimestamp")


def _by_owner(index: dict[tuple[str, Owner], dict[Key, None]], key: Key, old: Obj | None, new: Obj | None) -> None:
    for obj, there in ((old, False), (new, True)):
        if obj is not None:
            _put(index, (key[1], owner_of(obj)), key, there=there)


def _put(index: dict[Any, dict[Any, None]], place: Any, key: Any, *, there: bool) -> None:
    if there:
        index.setdefault(place, {})[key] = None
    elif place in index:
        index[place].pop(key, None)
        if not index[place]:
            del index[place]
