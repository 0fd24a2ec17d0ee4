"""Where a pod may go and where it likes to, seen against the pods that are there.

The predicates and scores of kube-scheduler's InterPodAffinity, PodTopologySpread, NodeAffinity and TaintToleration,
with its default weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from clusterviz.engine.controllers.board import Board
from clusterviz.engine.controllers.memory import Fit, Group, Memory
from clusterviz.engine.controllers.neighbours import NONE, Peers, Spread, Term, wishes_of
from clusterviz.engine.objects import Obj

NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"
UNEVEN = "node(s) didn't match pod topology spread constraints"
NOT_NEAR = "node(s) didn't match pod affinity rules"
NOT_APART = "node(s) didn't match pod anti-affinity rules"
UNWELCOME = "node(s) didn't satisfy existing pods anti-affinity rules"
# No pod that goes helps a node that refuses for this.
FOR_GOOD = frozenset({NO_LABEL, NOT_NEAR})
_HOST = "kubernetes.io/hostname"
_TAINTS, _OTHERS = 3, 2


class Domains(msgspec.Struct, frozen=True):
    """Pods of a constraint by value of its label, and the least of them."""

    rule: Spread
    counts: Mapping[str, int]
    least: int


class Landscape:
    """One pod before all nodes, as if the pods ``without`` were gone."""

    def __init__(self, board: Board, memory: Memory, pod: Obj, fit: Fit, without: Collection[Obj] = ()) -> None:
        self._board, self._memory, self._pod, self._fit, self._without = board, memory, pod, fit, without
        self._wishes = wishes_of(pod)
        self._hard = [self._domains(rule) for rule in self._wishes.spread if rule.hard]
        self._near = self._places_near()
        self._apart = [(term.key, self._values(term.key, self._counts(term.peers))) for term in self._wishes.apart]
        self._unwelcome = [
            (term.key, self._values(term.key, self._less(counts, term)))
            for term, counts in memory.standing["apart"].items()
            if term.peers.have(board, pod)
        ]

    @property
    def is_plain(self) -> bool:
        """Whether the pod is indifferent to who is where, and everybody to it."""
        if self._wishes is not NONE or self._unwelcome or self._fit.liked or self._fit.disliked:
            return False
        return not any(term.peers.have(self._board, self._pod) for term in self._memory.standing["drawn"])

    def refusal(self, name: str) -> str:
        """Why a node does not do, in the scheduler's words; "" when it does."""
        has = self._memory.places.get(name, {})
        for domains in self._hard:
            value = has.get(domains.rule.key)
            if value is None:
                return NO_LABEL
            if domains.counts.get(value, 0) + domains.rule.counts_itself - domains.least > domains.rule.skew:
                return UNEVEN
        if self._near is not None and not all(has.get(key) in values for key, values in self._near):
            return NOT_NEAR
        if any(has.get(key) in values for key, values in self._apart):
            return NOT_APART
        return UNWELCOME if any(has.get(key) in values for key, values in self._unwelcome) else ""

    def scores(self, nodes: Collection[str]) -> dict[str, int]:
        """How much a pod likes each of the nodes it may go to; those it is indifferent to have no entry."""
        found: Counter[str] = Counter()
        _add(found, _share(self._fit.liked, nodes), _OTHERS)
        _add(found, _inverted(self._fit.disliked, nodes), _TAINTS)
        _add(found, self._attraction(nodes), _OTHERS)
        _add(found, self._evenness(nodes), _OTHERS)
        return found

    def _attraction(self, nodes: Collection[str]) -> dict[str, int]:
        drawn: dict[tuple[str, str], int] = {}

        def draw(key: str, counts: Mapping[str, int], weight: int) -> None:
            for name, number in counts.items():
                value = self._memory.places.get(name, {}).get(key)
                if value is not None:
                    drawn[key, value] = drawn.get((key, value), 0) + weight * number

        for term in self._wishes.drawn:
            draw(term.key, self._counts(term.peers), term.weight)
        for term, counts in self._memory.standing["drawn"].items():
            if term.peers.have(self._board, self._pod):
                draw(term.key, counts, term.weight)
        if not drawn:
            return {}
        sums = {name: sum(drawn.get(pair, 0) for pair in self._memory.places[name].items()) for name in nodes}
        low, high = min(sums.values(), default=0), max(sums.values(), default=0)
        return {name: 100 * (value - low) // (high - low) for name, value in sums.items()} if high > low else {}

    def _evenness(self, nodes: Collection[str]) -> dict[str, int]:
        rules = [rule for rule in self._wishes.spread if not rule.hard]
        keys = {rule.key for rule in rules}
        labelled = [name for name in nodes if keys <= self._memory.places[name].keys()]
        if not rules or not labelled:
            return {}
        costs = dict.fromkeys(labelled, 0.0)
        for rule in rules:
            domains = {self._memory.places[name][rule.key] for name in labelled}
            weight = math.log((len(labelled) if rule.key == _HOST else len(domains)) + 2)
            counts = self._domains(rule, keys).counts
            for name in labelled:
                number = counts.get(self._memory.places[name][rule.key], 0)
                costs[name] += number * weight + rule.skew - 1
        rounded = {name: math.floor(cost + 0.5) for name, cost in costs.items()}
        low, high = min(rounded.values()), max(rounded.values())
        return {name: 100 * (high + low - cost) // high if high else 100 for name, cost in rounded.items()}

    def _domains(self, rule: Spread, keys: Iterable[str] = ()) -> Domains:
        """Pods by domain on nodes that count: those the pod could ever go to, with all labels that are asked for."""
        wanted = set(keys) or {one.key for one in self._wishes.spread if one.hard}
        pods = self._counts(rule.peers, leaving=False)
        found: Counter[str] = Counter()
        for name, has in self._memory.places.items():
            if rule.by_affinity and name not in self._fit.chosen:
                continue
            if rule.by_taints and name not in self._fit.tolerated:
                continue
            if wanted <= has.keys():
                found[has[rule.key]] += pods.get(name, 0)
        least = min(found.values(), default=0) if len(found) >= rule.least else 0
        return Domains(rule, found, least)

    def _places_near(self) -> list[tuple[str, set[str]]] | None:
        """Where all that the pod must be near to is; None when it need not, or is the first of those it asks for."""
        terms = self._wishes.together
        if not terms:
            return None
        everybody = tuple(term.peers for term in terms)
        counts = self._counts(*everybody)
        near = [(term.key, self._values(term.key, counts)) for term in terms]
        if not any(values for _, values in near) and all(peers.have(self._board, self._pod) for peers in everybody):
            places = self._memory.places.values()
            return [(term.key, {has[term.key] for has in places if term.key in has}) for term in terms]
        return near

    def _counts(self, *peers: Peers, leaving: bool = True) -> Mapping[str, int]:
        group = self._memory.group(self._board, peers, leaving=leaving)
        return self._lessened(group) if self._without else group.counts

    def _lessened(self, group: Group) -> Counter[str]:
        counts = Counter(group.counts)
        counts.subtract(home for pod in self._without if (home := group.home(self._board, pod)))
        return +counts

    def _less(self, counts: Counter[str], term: Term) -> Mapping[str, int]:
        if not self._without:
            return counts
        left = Counter(counts)
        left.subtract(str(one["spec"]["nodeName"]) for one in self._without if term in wishes_of(one).apart)
        return +left

    def _values(self, key: str, counts: Mapping[str, int]) -> set[str]:
        """Values of a label on the nodes where somebody is."""
        places = (self._memory.places.get(name, {}) for name in counts)
        return {has[key] for has in places if key in has}


def _add(found: Counter[str], scores: Mapping[str, int], weight: int) -> None:
    for name, score in scores.items():
        found[name] += weight * score


def _share(points: Mapping[str, int], nodes: Collection[str]) -> dict[str, int]:
    """Points as shares of the most, in percent."""
    most = max((points.get(name, 0) for name in nodes), default=0) if points else 0
    return {name: 100 * points.get(name, 0) // most for name in nodes} if most else {}


def _inverted(points: Mapping[str, int], nodes: Collection[str]) -> dict[str, int]:
    shares = _share(points, nodes)
    return {name: 100 - share for name, share in shares.items()}
