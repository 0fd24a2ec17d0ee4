"""What the API says about a cluster: its objects with the metadata a server adds, and every change in order.

A `Store` follows the keeper of one cluster and reads nothing but the snapshot in memory. Each change has a
resourceVersion. They start from the clock in microseconds, so what an earlier process gave out is too old.
"""

from __future__ import annotations

import asyncio
import bisect
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence

from clusterviz.cluster.keys import stored_kind
from clusterviz.engine import Cluster
from clusterviz.engine.controllers.suitability import node_labels
from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, Obj
from clusterviz.kubeapi import happened, mirrors, standing
from clusterviz.kubeapi.defaults import with_defaults
from clusterviz.kubeapi.naming import belongs, key_for, owner_key, shown
from clusterviz.kubeapi.registry import Registry, Resource
from clusterviz.kubeapi.selectors import Wanted
from clusterviz.live.protocol import Event

KEPT = 10_000
# After more changes at once the names of a kind are sorted anew when they are asked for.
MANY = 1000
_SPACE = uuid.UUID("6b2f3c0e-5a0d-4f6b-9a36-1d1a8c1f7e55")
_OBSERVERS = frozenset({*WORKLOAD_KINDS, "PodDisruptionBudget"})


class Entry:
    """One change: ADDED, MODIFIED or DELETED; ``raw`` as it is stored (or was), ``old`` before, at version ``was``."""

    __slots__ = ("_dressed", "_generation", "_seen", "_store", "key", "old", "raw", "type", "version", "was")

    def __init__(self, store: Store, what: str, key: Key, raw: Obj, old: Obj | None, was: int) -> None:
        self._store, self.version, self.type, self.key = store, store.head, what, key
        self.raw, self.old, self.was = raw, old, was
        self._generation, self._seen = store.generation(key, raw), store.observed(key)
        self._dressed: Obj | None = None

    @property
    def obj(self) -> Obj:
        """The object as the API shows it: made when the first watch asks."""
        if self._dressed is None:
            self._dressed = self._store.dress(self.key, self.raw, self.version, self._generation, self._seen)
        return self._dressed


class Store:
    """One cluster as the API shows it. Lives in ``loop``; it may be made, and be told a change, in another thread."""

    def __init__(
        self, identity: int, cluster: Cluster, events: Iterable[Event], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.cluster = cluster
        self._identity = identity
        self.head = self._base = int(time.time() * 1_000_000)
        self._log: list[Entry] = []
        self._first = self.head + 1
        self._versions: dict[Key, int] = {}
        self._generations: dict[Key, int] = {}
        self._unobserved: dict[Key, int] = {}
        self._events: dict[Key, Obj] = {}
        self._mirrors: dict[Key, Obj] = {}
        self._slices: dict[Key, set[Key]] = {}
        self._names: dict[str, set[tuple[str, str]]] = {}
        self._sorted: dict[str, list[tuple[str, str]]] = {}
        self._fronts: dict[Key, tuple[str, ...]] = {}
        self._registry: Registry | None = None
        # A budget is asked and the pod sent away before the next one asks.
        self.evictions = asyncio.Lock()
        self._loop = loop
        self._more = asyncio.Event()
        self._index()
        self.told(tuple(events))

    # --- told by the keeper ---------------------------------------------------------------------

    def begin(self, cluster: Cluster) -> None:
        """Another simulator: whatever is different has changed."""
        before = self.cluster.objects
        keys = {key for key in before if key not in cluster.objects}
        keys |= {key for key, obj in cluster.objects.items() if before.get(key) is not obj}
        self.change(cluster, keys)

    def change(self, cluster: Cluster, keys: set[Key]) -> None:
        """Note what is different."""
        before, self.cluster = self.cluster.objects, cluster
        if len(keys) > MANY:
            self._sorted.clear()
        for key in sorted(keys):
            old, new = before.get(key), cluster.objects.get(key)
            if new is not None:
                old = self._mirrors.pop(key, None) or old
            self._note(key, old, new)
            if new is None or old is None:
                self._stand(key)
                if key[0] == "Endpoints" and new is None:
                    self._reflect(key)
            if new is None and (parent := standing.parent_of(key)) is not None:
                self._stand(parent, again=True)
        if any(key[0] in mirrors.BEFORE_INGRESSES for key in keys):
            self._move_ingresses(keys)
        self._wake()

    def told(self, events: Sequence[Event]) -> None:
        """New events; and what the controllers have looked at by now, they have observed."""
        for event in events:
            obj = happened.event_object(self, event)
            key = ("Event", obj["metadata"]["namespace"], obj["metadata"]["name"])
            old = self._events.get(key)
            if old is not None:
                obj = happened.again(old, obj)
            self._events[key] = obj
            self._note(key, old, obj)
        while len(self._events) > happened.KEPT:
            oldest = next(iter(self._events))
            self._note(oldest, self._events.pop(oldest), None)
        observed, self._unobserved = self._unobserved, {}
        for key in observed:
            if (workload := self.cluster.objects.get(key)) is not None:
                self._append("MODIFIED", key, workload, workload)
        self._wake()

    def _note(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        if old is new or old == new:
            return
        if key[0] == "CustomResourceDefinition":
            self._registry = None
        elif key[0] == "EndpointSlice":
            self._mirror(key, old, new)
        if new is None:
            assert old is not None
            self._rename(key, there=False)
            self._append("DELETED", key, old, old)
            for known in (self._versions, self._generations, self._unobserved):
                known.pop(key, None)
            return
        if old is None:
            self._rename(key, there=True)
        elif old.get("spec") != new.get("spec"):
            given = new["metadata"].get("generation")
            self._generations[key] = max(self.generation(key, old) + 1, given if isinstance(given, int) else 1)
            if key[0] in _OBSERVERS:
                self._unobserved.setdefault(key, self._generations[key] - 1)
        self._append("ADDED" if old is None else "MODIFIED", key, new, old)

    def _rename(self, key: Key, *, there: bool) -> None:
        """Keep the names of a kind, in order where they have been put in order."""
        names, place = self._names.setdefault(key[0], set()), key[1:]
        if (place in names) == there:
            return
        (names.add if there else names.discard)(place)
        if (found := self._sorted.get(key[0])) is not None:
            at = bisect.bisect_left(found, place)
            if there:
                found.insert(at, place)
            else:
                del found[at]

    def _mirror(self, key: Key, old: Obj | None, new: Obj | None) -> None:
        """Keep the Endpoints of a slice's Service; those somebody wrote are left alone."""
        for obj, add in ((old, False), (new, True)):
            if obj is None or not (service := mirrors.service_of(obj)):
                continue
            mine: Key = ("Endpoints", key[1], service)
            known = self._slices.setdefault(mine, set())
            (known.add if add else known.discard)(key)
            if mine not in self.cluster.objects:
                self._reflect(mine)

    def _reflect(self, mine: Key, *, again: bool = False) -> None:
        """Make the Endpoints of a Service what its slices say; ``again``: others, as its controller would."""
        slices = [found for one in sorted(self._slices.get(mine, ())) if (found := self.cluster.objects.get(one))]
        before = self._mirrors.pop(mine, None)
        since = str((before or {}).get("metadata", {}).get("creationTimestamp") or "")
        if again:
            self._note(mine, before, None)
            before, since = None, timestamp(time.time())
        if slices:
            self._mirrors[mine] = mirrors.endpoints_of(mine[1], mine[2], slices, since)
        self._note(mine, before, self._mirrors.get(mine))

    def _move_ingresses(self, told: set[Key]) -> None:
        """Ingresses whose controller's address is another one now have changed too."""
        before, self._fronts = self._fronts, mirrors.fronts(self.cluster)
        for key, ips in self._fronts.items():
            if key not in told and before.get(key, ()) != ips:
                self._append("MODIFIED", key, self.cluster.objects[key], self.cluster.objects[key])

    def _stand(self, key: Key, *, again: bool = False) -> None:
        """Keep what stands beside a namespace or node, unless somebody wrote it."""
        obj = self.cluster.objects.get(key)
        for mine in standing.keys_beside(key):
            if mine in self.cluster.objects:
                continue
            old = self._mirrors.pop(mine, None)
            if obj is not None:
                self._mirrors[mine] = standing.beside(mine, obj, again=again)
            if again and old is not None:
                self._note(mine, old, None)
                old = None
            self._note(mine, old, self._mirrors.get(mine))

    def _append(self, what: str, key: Key, obj: Obj, old: Obj | None) -> None:
        was = self._versions.get(key, self._base)
        self.head += 1
        self._versions[key] = self.head
        self._log.append(Entry(self, what, key, obj, old, was))
        if len(self._log) > 2 * KEPT:
            del self._log[:KEPT]
            self._first += KEPT

    def _index(self) -> None:
        for kind, namespace, name in self.cluster.objects:
            self._names.setdefault(kind, set()).add((namespace, name))
        for kind in ("Namespace", "Node"):
            for place in sorted(self._names.get(kind, ())):
                self._stand((kind, *place))
        self._stand(standing.API_SERVER)
        self._fronts = mirrors.fronts(self.cluster)
        for place in sorted(self._names.get("EndpointSlice", ())):
            self._mirror(("EndpointSlice", *place), None, self.cluster.objects["EndpointSlice", *place])
        self._sorted = {kind: sorted(names) for kind, names in self._names.items()}

    def _wake(self) -> None:
        try:
            inside = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            inside = False
        if inside:
            self._ring()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        more, self._more = self._more, asyncio.Event()
        more.set()

    # --- asked by the API -----------------------------------------------------------------------

    @property
    def registry(self) -> Registry:
        """The kinds that are served now."""
        if self._registry is None:
            self._registry = Registry(self.definitions())
        return self._registry

    def definitions(self) -> list[Obj]:
        """The CustomResourceDefinitions."""
        names = self._names.get("CustomResourceDefinition", ())
        return [self.cluster.objects["CustomResourceDefinition", *name] for name in sorted(names)]

    def instances(self, definition: Obj) -> list[Key]:
        """The objects of the kind a CustomResourceDefinition defines."""
        spec = definition.get("spec") or {}
        kind = stored_kind(str((spec.get("names") or {}).get("kind")), str(spec.get("group")))
        return [(kind, *name) for name in sorted(self._names.get(kind, ()))]

    @property
    def oldest(self) -> int:
        """A watch may go on after this resourceVersion, not after an older one."""
        return self._first - 1

    def since(self, version: int) -> list[Entry]:
        """What changed after a resourceVersion."""
        return self._log[max(0, version + 1 - self._first) :]

    async def more(self, within: float) -> None:
        """Wait for the next change, at most so many seconds."""
        waiting = self._more
        try:
            async with asyncio.timeout(max(0.0, within)):
                await waiting.wait()
        except TimeoutError:
            return

    def raw(self, key: Key) -> Obj | None:
        """An object as it is stored."""
        return self._events.get(key) or self._mirrors.get(key) or self.cluster.objects.get(key)

    def stand_again(self, keys: Iterable[Key]) -> list[Key]:
        """Make anew what is there though nobody wrote it, as its controller would; answers the other keys."""
        others = []
        for key in keys:
            parent = standing.parent_of(key) if key in self._mirrors else None
            if parent is not None:
                self._stand(parent, again=True)
            elif key in self._mirrors:
                self._reflect(key, again=True)
            else:
                others.append(key)
        self._wake()
        return others

    def find(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """An object as the API shows it."""
        key = key_for(resource, namespace, name)
        obj = self.raw(key)
        if obj is None or not belongs(resource, obj):
            return None
        return shown(resource, self.dress(key, obj))

    def names(self, resource: Resource, namespace: str) -> list[tuple[str, str]]:
        """Namespaces and names of all objects of a kind, in order."""
        kind = resource.stored
        found = self._sorted.get(kind)
        if found is None:
            found = self._sorted[kind] = sorted(self._names.get(kind, ()))
        if not namespace:
            return found
        return found[bisect.bisect_left(found, (namespace, "")) : bisect.bisect_left(found, (namespace + "\0", ""))]

    def objects(
        self, resource: Resource, names: Iterable[tuple[str, str]], wanted: Wanted | None = None
    ) -> Iterator[Obj]:
        """The objects of a kind with these names; what a selector does not want is not dressed for it."""
        for name in names:
            key = (resource.stored, *name)
            obj = self.raw(key)
            if obj is not None and belongs(resource, obj) and (key[0] == "Node" or wanted is None or wanted(obj)):
                found = shown(resource, self.dress(key, obj))
                if wanted is None or wanted(found):
                    yield found

    def undone(self, version: int, resource: Resource, namespace: str) -> dict[tuple[str, str], Entry]:
        """What happened first to each object after a resourceVersion: its ``old`` is what there was then."""
        found: dict[tuple[str, str], Entry] = {}
        for entry in self.since(version):
            kind, space, name = entry.key
            if kind == resource.stored and namespace in ("", space):
                found.setdefault((space, name), entry)
        return found

    def before(self, resource: Resource, entry: Entry) -> Iterator[Obj]:
        """The object as it was before a change, none when it was not there."""
        if entry.old is not None and belongs(resource, entry.old):
            yield shown(resource, self.dress(entry.key, entry.old, entry.was))

    def uid(self, key: Key, obj: Obj) -> str:
        """Its own, or one made of what tells it from every other object there ever was."""
        meta = obj["metadata"]
        given = meta.get("uid")
        made = f"{self._identity}/{'/'.join(key)}/{meta.get('creationTimestamp', '')}"
        return str(given) if given else str(uuid.uuid5(_SPACE, made))

    def generation(self, key: Key, obj: Obj) -> int:
        """How often people changed the spec, and controllers in this process, and 1."""
        given = obj["metadata"].get("generation")
        return self._generations.get(key) or (given if isinstance(given, int) else 1)

    def observed(self, key: Key) -> int:
        """The generation that controllers have seen, 0 when it is the present one."""
        return self._unobserved.get(key, 0)

    def dress(self, key: Key, obj: Obj, version: int = 0, generation: int = 0, observed: int | None = None) -> Obj:
        """An object with the metadata and defaults of a server; the stored one stays as it is.

        ``version`` is its resourceVersion, ``generation`` and ``observed`` those of then, where they are not the
        present ones.
        """
        meta = {name: value for name, value in obj["metadata"].items() if value is not None}
        meta["uid"] = self.uid(key, obj)
        meta["resourceVersion"] = str(version or self._versions.get(key, self._base))
        meta.setdefault("creationTimestamp", "1970-01-01T00:00:00Z")
        if "spec" in obj:
            meta["generation"] = generation or self.generation(key, obj)
        if owners := meta.get("ownerReferences"):
            meta["ownerReferences"] = [self._owner(key, owner) for owner in owners]
        dressed = with_defaults({**obj, "metadata": meta})
        if key[0] == "Ingress":
            mirrors.addressed(self.cluster, key, dressed)
        elif key[0] == "Node":
            meta["labels"] = node_labels(obj)
        elif key[0] == "Lease" and key in self._mirrors:
            dressed = standing.renewed(dressed, self.cluster.objects.get(("Node", "", key[2])))
        if key[0] in _OBSERVERS and isinstance(status := obj.get("status"), dict):
            seen = self.observed(key) if observed is None else observed
            dressed["status"] = {**status, "observedGeneration": seen or meta.get("generation", 1)}
        return dressed

    def owner_as_stored(self, namespace: str, owner: Obj) -> Obj:
        """An owner reference without the uid that only we gave its owner."""
        obj = self.cluster.objects.get(owner_key(namespace, owner))
        if obj is None or obj["metadata"].get("uid"):
            return owner
        return {name: value for name, value in owner.items() if name != "uid"}

    def _owner(self, key: Key, owner: Obj) -> Obj:
        if owner.get("uid"):
            return owner
        theirs = owner_key(key[1], owner)
        obj = self.cluster.objects.get(theirs)
        uid = self.uid(theirs, obj) if obj is not None else str(uuid.uuid5(_SPACE, f"{self._identity}/{theirs}"))
        return {**owner, "apiVersion": owner.get("apiVersion") or "v1", "uid": uid}
