"""Who calls whom in a large cluster, as sums: what the views by service, by namespace and the matrix are drawn from.

A flow leads from card to card. Cards are workloads, Services, what stands at the edge, or whole namespaces; what leads
over the same cards is one route, with its connections a second by what becomes of them.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from clusterviz.engine import Cluster
from clusterviz.engine.objects import WORKLOAD_KINDS, Workload
from clusterviz.live.asked import AskedError
from clusterviz.live.bulk import rates_of
from clusterviz.live.bulkflows import Line
from clusterviz.live.heat import window_of
from clusterviz.live.keeper import Replica
from clusterviz.live.mass import FAILING, PENDING, READY, state_of
from clusterviz.live.protocol import Entity
from clusterviz.live.refs import key_of_ref
from clusterviz.live.relations import entity_of, flows_of

# Cards in one answer, routes between them, namespaces that may be open, and endpoints told of a Service.
MOST_CARDS, MOST_ROUTES, MOST_OPEN, ENDPOINTS = 150, 1_500, 60, 20
# Connections a second a way that mostly fails counts more when the busiest are chosen: trouble is not left out.
TROUBLE = 50.0
# Seconds of the simulator an answer serves everybody who asks the same, and how many are kept.
FRESH, KEPT = 2.0, 8
BY = ("service", "workload", "namespace")
# Addresses outside with a card of their own in the picture by namespace, and the card of the others.
ADDRESSES, OTHERS = 8, "external:others"
BRIEF = ("id", "kind", "name", "namespace", "type", "label")

Way = tuple[str, ...]


class Question(NamedTuple):
    """What is asked: the kind of card, a namespace or one object to stay with, and namespaces that are open."""

    by: str
    namespace: str = ""
    around: str = ""
    open: frozenset[str] = frozenset()


class Sum(NamedTuple):
    """One way and what runs on it: connections a second delivered, refused, dropped; its busiest flow."""

    way: Way
    rates: list[float]
    flow: str
    planned: float


def asked_of(cluster: Cluster, query: Mapping[str, str]) -> Question:
    """The question in a query. Raises `AskedError`."""
    by, namespace, around = query.get("by", ""), query.get("namespace", ""), query.get("around", "")
    opened = frozenset(filter(None, query.get("open", "").split(",")))
    if by not in BY:
        raise AskedError(f"unknown cards {by[:40]!r}", field="by", allowed=", ".join(BY))
    if namespace and namespace not in cluster.namespace_names:
        raise AskedError(f"no namespace {namespace[:63]!r}", field="namespace", allowed="the name of a namespace")
    if around and (key := key_of_ref(around)) is not None and key not in cluster.objects and key[0] != "Namespace":
        raise AskedError(f"no object {around[:100]!r}", field="around", allowed="the id of an object")
    if len(opened) > MOST_OPEN:
        raise AskedError(f"{len(opened)} namespaces", field="open", allowed=f"at most {MOST_OPEN}")
    return Question(by, namespace, around, opened)


_lock = threading.Lock()
_kept: dict[tuple[str, Question, bool], tuple[tuple[int, float], dict[str, Any]]] = {}


def sums(replica: Replica, query: Mapping[str, str], *, now: bool) -> dict[str, Any]:
    """Cards, routes between them and their rates; of the past (not ``now``) without rates.

    Raises `AskedError`, also for a cluster that is told in full.
    """
    if replica.mass is None:
        raise AskedError("this cluster is told in full", field="by", allowed="clusters of more than 3,000 pods")
    question = asked_of(replica.cluster, query)
    # State has its own time, which stands while nothing but traffic changes.
    time = max((line.rates[3] for line in list(replica.mass.lines.values())), default=replica.time)
    moment = replica.epoch, int(max(time, replica.time) / FRESH) if now else replica.time
    key = replica.name, question, now
    with _lock:
        known = _kept.get(key)
    if known is not None and known[0] == moment:
        return known[1]
    body = _answer(replica, question, time if now else None)
    with _lock:
        _kept.pop(key, None)
        _kept[key] = moment, body
        while len(_kept) > KEPT:
            del _kept[next(iter(_kept))]
    return body


def _answer(replica: Replica, question: Question, now: float | None) -> dict[str, Any]:
    mass = replica.mass
    assert mass is not None
    window = window_of(mass.sampled)
    lines = list(mass.lines.values())
    if question.around:
        entity = entity_of(replica, question.around)
        near = set(flows_of(replica, entity)) if entity is not None else set()
        lines = [line for line in lines if line.ref in near]
    told = [(line, [0.0, 0.0, 0.0] if now is None else _rates(line, now, window)) for line in lines]
    found, others = _bundled(_summed(replica.cluster, told, question), question)
    cards, chosen = _chosen(found, list(_extra(replica, question)), question)
    flows = sorted({one.flow for one in chosen}) if question.by == "service" else []
    entities = [*_entities(replica, cards, brief=question.by == "workload"), *_entities(replica, flows, brief=False)]
    return {
        "epoch": replica.epoch,
        "seq": replica.seq,
        "time": replica.time,
        "sampled": mass.sampled,
        "measured": now is not None,
        "entities": entities + ([_others(others)] if others else []),
        "routes": [
            {"way": one.way, "kind": _kind(one.way), "flow": one.flow, "rates": [round(rate, 2) for rate in one.rates]}
            for one in chosen
        ],
        "left": {"routes": len(found) - len(chosen), "all": len(found)},
    }


def _chosen(found: list[Sum], cards: list[str], question: Question) -> tuple[list[str], list[Sum]]:
    """The cards in the picture, beginning with those given, and the busiest ways between them."""
    chosen: list[Sum] = []
    seen = set(cards)
    for one in sorted(found, key=_weight):
        fresh = dict.fromkeys(ref for ref in one.way if ref not in seen)
        if len(chosen) >= MOST_ROUTES or (question.by == "service" and len(seen) + len(fresh) > MOST_CARDS):
            continue
        seen.update(fresh)
        cards += fresh
        chosen.append(one)
    return cards, chosen


def _bundled(found: list[Sum], question: Question) -> tuple[list[Sum], int]:
    """By namespace the busiest addresses outside stay, the others are one card; how many those are."""
    if question.by != "namespace":
        return found, 0
    load: Counter[str] = Counter()
    for one in found:
        for ref in one.way:
            if ref.startswith("external:"):
                load[ref] += max(1, round(one.planned * 100))
    few = {ref for ref, _ in load.most_common(ADDRESSES)}
    merged: dict[Way, Sum] = {}
    for one in found:
        way = tuple(ref if ref in few or not ref.startswith("external:") else OTHERS for ref in one.way)
        merged[way] = _plus(merged.get(way), way, one)
    return list(merged.values()), len(load) - len(few)


def _plus(known: Sum | None, way: Way, one: Sum) -> Sum:
    if known is None:
        return one._replace(way=way)
    total = [a + b for a, b in zip(known.rates, one.rates, strict=True)]
    return Sum(way, total, known.flow, known.planned + one.planned)


def _others(count: int) -> Entity:
    label = f"and {count} more"
    return {"id": OTHERS, "kind": "external", "name": "others", "ip": "", "label": label, "labels": {}, "created": 0}


def _weight(one: Sum) -> tuple[float, Way]:
    """The busiest first by the manifests, which do not flicker; what mostly fails before them."""
    failing = sum(one.rates[1:]) > one.rates[0]
    return -(one.planned + TROUBLE * failing), one.way


def _rates(line: Line, now: float, window: float) -> list[float]:
    found = rates_of(line.rates, now, window)
    return [found.ok, found.refused, found.dropped]


def _summed(cluster: Cluster, told: Iterable[tuple[Line, list[float]]], question: Question) -> list[Sum]:
    cards = Cards(cluster, question)
    found: dict[Way, Sum] = {}
    for line, rates in told:
        way = cards.way(line)
        if len(way) > 1:
            found[way] = _plus(found.get(way), way, Sum(way, rates, line.ref, line.rps))
    return list(found.values())


class Cards:
    """Which cards a flow leads over."""

    def __init__(self, cluster: Cluster, question: Question) -> None:
        self._cluster, self._question = cluster, question
        self._behind: dict[str, str] = {}

    def way(self, line: Line) -> Way:
        """The cards in the order a packet meets them, () when they are not asked for."""
        origin, target = self._worker(line.origin), line.called
        namespace = self._question.namespace
        if not origin or not target:
            return ()
        if namespace and namespace not in (_space(origin), _space(target)):
            return ()
        refs = [origin, target]
        if line.passed and not target.startswith("service:"):
            # Through a door: the pods and Services an earlier connection really passed.
            refs = [self._worker(ref) for ref in line.passed if not ref.startswith(("node:", "wire"))]
            refs = [origin, *(ref for ref in refs if ref != origin)]
        elif target.startswith("service:") and self._inside(_space(target)):
            refs.append(self.behind(target))
        shown = [self._card(ref) for ref in refs if ref]
        way = [ref for at, ref in enumerate(shown) if ref and (at == 0 or ref != shown[at - 1])]
        if self._question.by == "workload" and len(way) > 2:
            way = [way[0], way[-1]]
        return (way[0], way[0]) if len(way) == 1 and self._question.by == "namespace" else tuple(way)

    def _inside(self, space: str) -> bool:
        """Whether single workloads of a namespace are cards."""
        return self._question.by != "namespace" or space in self._question.open

    def _card(self, ref: str) -> str:
        """What stands for it in the picture."""
        space = _space(ref)
        if not space or not self._inside(space):
            return f"namespace:{space}" if space else ref
        return ref if self._question.by != "namespace" or ref.startswith(("workload:", "pod:")) else ""

    def _worker(self, ref: str) -> str:
        """The workload of a pod, if it has one."""
        key = key_of_ref(ref) if ref.startswith("pod:") else None
        pod = self._cluster.pods.get((key[1], key[2])) if key else None
        work = self._cluster.workload_of(pod) if pod is not None else None
        return work.ref if work is not None else ref

    def behind(self, service: str) -> str:
        """The first workload behind a Service, "" without any."""
        if service not in self._behind:
            self._behind[service] = next(workloads_behind(self._cluster, service), "")
        return self._behind[service]


def workloads_behind(cluster: Cluster, service: str) -> Iterator[str]:
    """The workloads (or bare pods) of a Service's endpoints, each once, in the order of the endpoints."""
    key = key_of_ref(service)
    record = cluster.services.get((key[1], key[2])) if key else None
    seen = set()
    for endpoint in cluster.endpoints(record) if record is not None else ():
        pod_key = key_of_ref(endpoint.pod)
        pod = cluster.pods.get((pod_key[1], pod_key[2])) if pod_key else None
        work = cluster.workload_of(pod) if pod is not None else None
        ref = work.ref if work is not None else endpoint.pod
        if ref and ref not in seen:
            seen.add(ref)
            yield ref


def _space(ref: str) -> str:
    key = key_of_ref(ref)
    return key[1] if key is not None else ""


def _kind(way: Way) -> str:
    if _outside(way[0]):
        return "ingress"
    if _outside(way[-1]):
        return "egress"
    return "service" if any(ref.startswith("service:") for ref in way) or way[0].startswith("namespace:") else "pod"


def _outside(ref: str) -> bool:
    return ref == "internet" or ref.startswith("external:")


def _extra(replica: Replica, question: Question) -> Iterator[str]:
    """Cards that are there whether anybody calls them or not."""
    if question.by == "namespace":
        yield from (ref for ref, entity in replica.scene.items() if entity["kind"] == "namespace")
    if question.around and not question.around.startswith(("pod:", "node:")):
        yield question.around
    spaces = question.open if question.by == "namespace" else {question.namespace}
    if question.by == "workload" or not spaces - {""}:
        return
    records: list[Workload] = [one for one in replica.cluster.workloads.values() if one.namespace in spaces]
    yield from [one.ref for one in records if not one.owner[1] and one.kind in WORKLOAD_KINDS][:MOST_CARDS]


def _entities(replica: Replica, refs: Iterable[str], *, brief: bool) -> Iterator[Entity]:
    for ref in refs:
        entity = replica.scene.get(ref) or entity_of(replica, ref)
        if entity is None:
            continue
        dress = _DRESS.get(entity["kind"])
        if brief:
            yield {name: entity[name] for name in BRIEF if name in entity}
        else:
            yield dress(replica.cluster, entity) if dress else entity


def _workload(cluster: Cluster, entity: Entity) -> Entity:
    """With its pods by state."""
    states = [state_of(pod) for pod in cluster.pods_of_workload.get(
        (entity["type"], entity["namespace"], entity["name"]), ())]  # fmt: skip
    names = {"ready": READY, "pending": PENDING, "failing": FAILING}
    return {**entity, "counts": {name: states.count(state) for name, state in names.items()}}


def _service(cluster: Cluster, entity: Entity) -> Entity:
    """With the workloads behind it, and only some of its endpoints, those that are ready first."""
    endpoints = sorted(entity["endpoints"], key=lambda one: not one["ready"])
    return {**entity, "endpoints": endpoints[:ENDPOINTS], "workloads": list(workloads_behind(cluster, entity["id"]))}


_DRESS: dict[str, Callable[[Cluster, Entity], Entity]] = {"workload": _workload, "service": _service}
