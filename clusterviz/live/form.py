"""How a cluster is told: form full tells every object, form mass the pods as columns and the rest on demand.

Both keep the picture as it was told last and say what has changed since. A form is chosen by the number of pods.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from clusterviz.engine import Cluster
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, ref_of
from clusterviz.live import scene
from clusterviz.live.gateways import AFFECT
from clusterviz.live.mass import FULL_PODS, MASS_PODS, MassTable, counted
from clusterviz.live.protocol import Entity, MassState
from clusterviz.live.refs import key_of_ref
from clusterviz.live.scene import Scene

DOORS = ("Ingress", "Gateway")
# Kinds of which the numbers are told.
COUNTED = {"Service": "services", "NetworkPolicy": "policies", "Ingress": "ingresses", "Gateway": "gateways"}
COUNTED |= {"TrafficFlow": "flows", "Job": "jobs"}


class Update(NamedTuple):
    """What is to be told: entities, ids that are gone, and what changed among the pods of a large cluster."""

    set: list[Entity]
    unset: list[str]
    mass: MassState | None = None


class FullForm:
    """Every object is an entity."""

    table: MassTable | None = None

    def __init__(self, cluster: Cluster) -> None:
        self.scene = scene.build(cluster)
        self._pods = len(cluster.pods)

    def take(self, cluster: Cluster, keys: set[Key], externals: Iterable[str], now: float) -> Update:  # noqa: ARG002
        """The change since the last call: objects with these keys changed."""
        new = scene.update(self.scene, cluster, keys, externals)
        changed, gone = scene.difference(self.scene, new)
        self.scene = new
        if any(key[0] == "Pod" for key in keys):
            self._pods = len(cluster.pods)
        return Update(changed, gone)

    def watch(self, ids: frozenset[str]) -> None:
        """Everything is told anyway."""

    @property
    def stirred(self) -> bool:
        """Whether there is something to tell although no object changed."""
        return False

    @property
    def outgrown(self) -> bool:
        """Whether the other form is due."""
        return self._pods > MASS_PODS


class MassForm:
    """Pods are columns; nodes, namespaces, doors and the outside are entities; the rest is told who watches it."""

    def __init__(self, cluster: Cluster, now: float) -> None:
        self.table = MassTable()
        self.scene: Scene = {}
        self.counts: dict[str, int] = {}
        self._keys: set[Key] = set()
        self._spaces: dict[str, Counter[str]] = {}
        self._tops: set[Key] = set()
        self._named: dict[str, str] = {}
        self._beyond: set[str] = set()
        self._watched: frozenset[str] = frozenset()
        self._unseen: set[str] = set()
        self._lent: Scene = {}
        # Nodes have their places in the picture by age.
        for name in cluster.nodes:
            self.table.node_index(name)
        self.take(cluster, set(cluster.objects), (), now)

    @property
    def outgrown(self) -> bool:
        """Whether the other form is due."""
        return self.table.pods < FULL_PODS

    @property
    def stirred(self) -> bool:
        """Whether there is something to tell although no object changed."""
        return bool(self._unseen)

    def watch(self, ids: frozenset[str]) -> None:
        """Entities with these ids are told from now on whenever they change, and once at the beginning."""
        if ids is self._watched or ids == self._watched:
            return
        self._unseen = {ref for ref in ids - self._watched if key_of_ref(ref) is not None} | (self._unseen & ids)
        self._lent = {ref: entity for ref, entity in self._lent.items() if ref in ids}
        self._watched = ids

    def take(self, cluster: Cluster, keys: set[Key], externals: Iterable[str], now: float) -> Update:
        """The change since the last call: objects with these keys changed."""
        spaces = {key[1] for key in keys}
        names = [(key[1], key[2]) for key in keys if key[0] == "Pod"]
        names += self._tally(cluster, keys)
        moved = self.table.update(cluster, names, now)
        drawn: dict[str, Entity | None] = {}
        self._draw(cluster, keys, drawn)
        self._outline(cluster, keys, spaces, drawn)
        self._outside(cluster, keys, externals, drawn)
        changed, gone = self._difference(drawn)
        lent, lost = self._lend(cluster, spaces)
        return Update(changed + lent, gone + lost, self._mass(moved))

    def _difference(self, drawn: dict[str, Entity | None]) -> tuple[list[Entity], list[str]]:
        """Take over what was drawn anew; what is really different, and what is gone."""
        new = dict(self.scene)
        changed, gone = [], []
        for ref, entity in drawn.items():
            if entity is None:
                if new.pop(ref, None) is not None:
                    gone.append(ref)
            elif new.get(ref) != entity:
                changed.append(entity)
                new[ref] = entity
        if changed or gone:
            self.scene = new
        return changed, gone

    def _tally(self, cluster: Cluster, keys: set[Key]) -> list[tuple[str, str]]:
        """Count what is neither pod nor gone; returns the pods of workloads that came or went."""
        found = []
        for key in keys:
            kind, namespace, _ = key
            if kind == "Pod":
                continue
            there = key in cluster.objects
            if there != (key in self._keys):
                (self._keys.add if there else self._keys.discard)(key)
                counter = self._spaces.setdefault(namespace, Counter())
                counter[kind] += 1 if there else -1
            if kind in WORKLOAD_KINDS:
                record = cluster.workloads.get(key)
                top = record is not None and not record.owner[1]
                if top != (key in self._tops):
                    (self._tops.add if top else self._tops.discard)(key)
                    found += [(pod.namespace, pod.name) for pod in cluster.pods_of_workload.get(key, ())]
        return found

    def _draw(self, cluster: Cluster, keys: set[Key], drawn: dict[str, Entity | None]) -> None:
        """Nodes and doors among the changed objects, and doors that lead elsewhere now."""
        kinds = {key[0] for key in keys}
        touched = {key for key in keys if key[0] in ("Node", *DOORS)}
        if kinds & {"Service", "Ingress", "IngressClass", *AFFECT} or self._doorkeepers(cluster, keys):
            touched |= {key for key in self._keys if key[0] in DOORS}
        for key in sorted(touched):
            entity = scene.render(cluster, key)
            drawn[ref_of(key)] = None if entity is None else self.placed(entity)

    def _doorkeepers(self, cluster: Cluster, keys: set[Key]) -> bool:
        """Whether a changed pod carries out what Ingresses or Gateways say."""
        if not any(key[0] in DOORS for key in self._keys):
            return False
        pods = (cluster.pods.get(key[1:]) for key in keys if key[0] == "Pod")
        return any(pod is not None and scene.role_of(cluster, pod) == "ingress" for pod in pods)

    def placed(self, entity: Entity) -> Entity:
        """With the index by which the columns know a node or a pod."""
        return placed(self.table, entity, math.inf)

    def _outline(self, cluster: Cluster, keys: set[Key], spaces: set[str], drawn: dict[str, Entity | None]) -> None:
        """Namespaces with what is in them, and load balancers."""
        kinds = {key[0] for key in keys}
        if "Namespace" in kinds:
            spaces = spaces | {key[2] for key in keys if key[0] == "Namespace"}
        for name in sorted(spaces - {""}):
            drawn[f"namespace:{name}"] = self._namespace(cluster, name)
        if "Service" in kinds:
            drawn.update((ref, None) for ref, entity in self.scene.items() if entity["kind"] == "loadbalancer")
            drawn.update((entity["id"], entity) for entity in scene.balancers(cluster.services.values()))

    def _outside(
        self, cluster: Cluster, keys: set[Key], externals: Iterable[str], drawn: dict[str, Entity | None]
    ) -> None:
        """Clients and servers outside."""
        if {key[0] for key in keys} & {"TrafficFlow", "Service", "Ingress", *AFFECT}:
            self._named = scene.outside_names(cluster, [key for key in self._keys if key[0] == "TrafficFlow"])
        seen = {entity["id"]: entity for entity in scene.outside(cluster, externals, self._named)}
        drawn.update((ref, None) for ref in self._beyond - seen.keys())
        drawn.update(seen)
        self._beyond = set(seen)

    def _namespace(self, cluster: Cluster, name: str) -> Entity | None:
        kinds, pods = self._spaces.get(name, Counter()), self.table.spaces.get(name, Counter())
        numbers = counted(pods)
        if not (+kinds or numbers["pods"] or ("", name) in cluster.namespaces):
            return None
        workloads = sum(kinds[kind] for kind in WORKLOAD_KINDS if kind != "ReplicaSet")
        numbers |= {"services": kinds["Service"], "workloads": workloads, "policies": kinds["NetworkPolicy"]}
        return {**scene.namespace(cluster, name), "counts": numbers}

    def _lend(self, cluster: Cluster, spaces: set[str]) -> tuple[list[Entity], list[str]]:
        """Entities somebody watches that changed or are told for the first time."""
        found, lost = [], []
        for ref in self._watched:
            key = key_of_ref(ref)
            if key is None or ref in self.scene or not (key[1] in spaces or ref in self._unseen):
                continue
            entity = scene.render(cluster, key)
            if entity is not None:
                entity = self.placed(entity)
                if self._lent.get(ref) != entity:
                    found.append(entity)
                    self._lent[ref] = entity
            elif self._lent.pop(ref, None) is not None or ref in self._unseen:
                lost.append(ref)
        self._unseen.clear()
        return found, lost

    def _mass(self, moved: list[int]) -> MassState | None:
        counts = self._counted()
        fresh = [(index, *key) for index in self.table.take_fresh() if (key := self.table.workloads[index])]
        if not (moved or fresh or counts != self.counts):
            return None
        told = counts if counts != self.counts else {}
        self.counts = counts
        return MassState(pods=self.table.places(moved), workloads=fresh, counts=told)

    def _counted(self) -> dict[str, int]:
        numbers = counted(self.table.states)
        kinds: Counter[str] = Counter()
        for space in self._spaces.values():
            kinds.update(space)
        numbers |= {name: kinds[kind] for kind, name in COUNTED.items()}
        numbers["nodes"], numbers["workloads"] = kinds["Node"], len(self._tops)
        numbers["namespaces"] = sum(entity["kind"] == "namespace" for entity in self.scene.values())
        return numbers


def placed(table: MassTable | None, entity: Entity, time: float) -> Entity:
    """With the index by which the columns of a large cluster knew a node or a pod then; -1 for a pod they did not."""
    if table is None or entity["kind"] not in ("node", "pod"):
        return entity
    if entity["kind"] == "node":
        return {**entity, "index": table.node_index(entity["name"])}
    return {**entity, "index": table.index_at((entity["namespace"], entity["name"]), time)}


Form = FullForm | MassForm


def form_for(cluster: Cluster, now: float) -> Form:
    """The form a cluster begins with."""
    return MassForm(cluster, now) if len(cluster.pods) > MASS_PODS else FullForm(cluster)
