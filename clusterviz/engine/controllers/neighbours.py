"""What pods say of the pods around them: affinity, anti-affinity, and how they want to be spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from clusterviz.engine.controllers.board import Board
from clusterviz.engine.controllers.work import labels, meta, spec
from clusterviz.engine.errors import ObjectError
from clusterviz.engine.objects import Obj, key_of
from clusterviz.engine.selectors import Requirement, Selector, parse_selector

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NAME_LABEL = "kubernetes.io/metadata.name"


class Peers(msgspec.Struct, frozen=True):
    """Pods by namespace and labels; without a selector nobody."""

    selector: Selector | None
    namespaces: tuple[str, ...]
    spaces: Selector | None = None

    def have(self, board: Board, pod: Obj) -> bool:
        """Whether a pod is one of them."""
        if self.selector is None or not self.selector.matches(labels(pod)):
            return False
        namespace = key_of(pod)[1]
        if namespace in self.namespaces:
            return True
        return self.spaces is not None and self.spaces.matches(_labels_of_space(board, namespace))


class Term(msgspec.Struct, frozen=True):
    """Near or far from these pods, by a label of their nodes; ``weight`` is negative for far."""

    key: str
    peers: Peers
    weight: int = 1


class Spread(msgspec.Struct, frozen=True):
    """One of topologySpreadConstraints."""

    key: str
    skew: int
    peers: Peers
    hard: bool
    least: int
    by_affinity: bool
    by_taints: bool
    counts_itself: bool


class Wishes(msgspec.Struct, frozen=True):
    """All a pod says of others."""

    together: tuple[Term, ...] = ()
    apart: tuple[Term, ...] = ()
    drawn: tuple[Term, ...] = ()
    spread: tuple[Spread, ...] = ()

    @property
    def standing(self) -> Iterator[tuple[str, Term]]:
        """What of it also counts for pods that come later: ``apart`` forbids, ``drawn`` attracts."""
        yield from (("apart", term) for term in self.apart)
        yield from (("drawn", term) for term in (*self.together, *self.drawn))


NONE = Wishes()


def wishes_of(pod: Obj) -> Wishes:
    """What a pod says of others."""
    affinity = spec(pod).get("affinity") or {}
    near, far = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    constraints = spec(pod).get("topologySpreadConstraints") or ()
    if not (near or far or constraints):
        return NONE
    drawn = [(one, 1) for one in near.get(PREFERRED) or ()] + [(one, -1) for one in far.get(PREFERRED) or ()]
    return Wishes(
        tuple(_term(pod, one) for one in near.get(REQUIRED) or ()),
        tuple(_term(pod, one) for one in far.get(REQUIRED) or ()),
        tuple(_term(pod, one.get("podAffinityTerm") or {}, way * whole(one.get("weight"), 1)) for one, way in drawn),
        tuple(_spread(pod, one) for one in constraints),
    )


def whole(value: object, absent: int) -> int:
    """A number of a manifest."""
    return absent if value is None or not str(value).removeprefix("-").isdecimal() else int(str(value))


def _term(pod: Obj, one: dict[str, Any], weight: int = 1) -> Term:
    named, by_label = one.get("namespaces") or (), one.get("namespaceSelector")
    own = not named and by_label is None
    spaces = None if by_label is None else _selector(by_label)
    selector = _narrowed(pod, one, one.get("labelSelector"))
    peers = Peers(selector, tuple(map(str, named)) if not own else (key_of(pod)[1],), spaces)
    return Term(str(one.get("topologyKey") or ""), peers, weight)


def _spread(pod: Obj, one: dict[str, Any]) -> Spread:
    selector = _narrowed(pod, one, one.get("labelSelector"))
    return Spread(
        key=str(one.get("topologyKey") or ""),
        skew=max(1, whole(one.get("maxSkew"), 1)),
        peers=Peers(selector, (key_of(pod)[1],)),
        hard=one.get("whenUnsatisfiable") != "ScheduleAnyway",
        least=max(1, whole(one.get("minDomains"), 1)),
        by_affinity=one.get("nodeAffinityPolicy") != "Ignore",
        by_taints=one.get("nodeTaintsPolicy") == "Honor",
        counts_itself=selector is not None and selector.matches(labels(pod)),
    )


def _narrowed(pod: Obj, one: dict[str, Any], given: object) -> Selector | None:
    """The selector with what matchLabelKeys and mismatchLabelKeys take from the pod's own labels."""
    selector = _selector(given)
    if selector is None:
        return None
    mine = labels(pod)
    more = [
        Requirement(key, operator, (mine[key],))
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in map(str, one.get(field) or ())
        if key in mine
    ]
    return Selector(selector.labels, (*selector.expressions, *more))


def _selector(given: object) -> Selector | None:
    """None selects nobody, an empty one everybody."""
    if given is None:
        return None
    try:
        return parse_selector(given, field="labelSelector")
    except ObjectError:
        return None


def _labels_of_space(board: Board, namespace: str) -> Mapping[str, str]:
    found = board.get(("Namespace", "", namespace))
    return {_NAME_LABEL: namespace, **(labels(found) if found is not None and meta(found) else {})}
