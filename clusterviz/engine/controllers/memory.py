"""What the scheduler keeps between reconciliations, so that a pod costs no walk over everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from clusterviz.engine.controllers.affinity import node_terms, pinned_to, preference, preferred_terms
from clusterviz.engine.controllers.board import Board, Touch
from clusterviz.engine.controllers.desk import Item
from clusterviz.engine.controllers.neighbours import Peers, Term, wishes_of
from clusterviz.engine.controllers.pods import ended, terminating
from clusterviz.engine.controllers.suitability import disliked, fits, is_chosen, is_tolerant, node_labels, refusal
from clusterviz.engine.controllers.usage import count
from clusterviz.engine.controllers.work import owner_of, spec
from clusterviz.engine.host_ports import HostPorts
from clusterviz.engine.objects import Obj

# A pod that names its node is not held against the others.
ELSEWHERE = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
# What pods ask of nodes, and of each other, differs little within a cluster; more is forgotten and worked out again.
MOST_FITS = 256
MOST_GROUPS = 256


class Fit(msgspec.Struct):
    """Nodes for pods that ask the same of them, whatever runs there: why others refuse, and who is liked."""

    pod: Obj
    refused: dict[str, str] = {}
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    nodes: set[str] = set()
    chosen: set[str] = set()
    tolerated: set[str] = set()
    liked: dict[str, int] = {}
    disliked: dict[str, int] = {}
    others: int = 0
    """Nodes that are not looked at, since the pod names another one."""
    daemon: bool = False
    """Whether a DaemonSet made the pod for its node, whose state it tolerates (NOD-04)."""

    @property
    def number(self) -> int:
        """How many nodes there are."""
        return len(self.nodes) + len(self.refused) + self.others

    def judge(self, name: str, node: Obj | None) -> None:
        """Look at one node anew."""
        if before := self.refused.pop(name, ""):
            self.reasons[before] -= 1
        for sets in (self.nodes, self.chosen, self.tolerated):
            sets.discard(name)
        for scores in (self.liked, self.disliked):
            scores.pop(name, None)
        if node is None:
            return
        if reason := self._refusal(node):
            self.refused[name] = reason
            self.reasons[reason] += 1
        else:
            self.nodes.add(name)
        if is_chosen(self.pod, name, has := node_labels(node)):
            self.chosen.add(name)
        if is_tolerant(self.pod, node):
            self.tolerated.add(name)
        if weight := preference(self.pod, name, has):
            self.liked[name] = weight
        if number := disliked(self.pod, node):
            self.disliked[name] = number

    def _refusal(self, node: Obj) -> str:
        if self.daemon and fits(self.pod, node, daemon=True):
            return ""
        return refusal(self.pod, node, -1, HostPorts())


class Group(msgspec.Struct):
    """How many pods there are on each node that belong to all of some peers."""

    peers: tuple[Peers, ...]
    leaving: bool
    """Whether pods that are being deleted count."""
    counts: Counter[str] = msgspec.field(default_factory=Counter)

    def home(self, board: Board, pod: Obj | None) -> str:
        """The node on which a pod counts, "" when it does not."""
        if pod is None or ended(pod) or (terminating(pod) and not self.leaving):
            return ""
        node = str(spec(pod).get("nodeName") or "")
        return node if node and all(peers.have(board, pod) for peers in self.peers) else ""

    def touch(self, board: Board, touch: Touch) -> None:
        """A pod changed."""
        before, after = self.home(board, touch.old), self.home(board, touch.new)
        if before != after:
            for home, step in ((before, -1), (after, 1)):
                if home:
                    count(self.counts, home, step)


class Memory:
    """Fits by what pods ask, groups of pods that others ask for, what pods on nodes ask of newcomers, and who waits."""

    def __init__(self) -> None:
        self._fits: dict[bytes, Fit] = {}
        self._groups: dict[tuple[tuple[Peers, ...], bool], Group] = {}
        # Terms of pods that have a node, and how many of them there are on which.
        self.standing: dict[str, dict[Term, Counter[str]]] = {"apart": {}, "drawn": {}}
        self.places: dict[str, dict[str, str]] = {}
        # Pods that some node would take if others were not there, and those that none would.
        self.crowded_out: dict[Item, None] = {}
        self.hopeless: dict[Item, None] = {}

    def fit(self, board: Board, pod: Obj) -> Fit:
        """The nodes for a pod."""
        if name := pinned_to(pod):
            return _alone(board, pod, name)
        wishes = [spec(pod).get("nodeSelector"), spec(pod).get("tolerations"), node_terms(pod), preferred_terms(pod)]
        asked = msgspec.json.encode(wishes, order="sorted")
        found = self._fits.get(asked)
        if found is None:
            if len(self._fits) >= MOST_FITS:
                self._fits.clear()
            found = self._fits[asked] = Fit(pod)
            for key in board.keys("Node", ""):
                found.judge(key[2], board.node(key[2]))
        return found

    def group(self, board: Board, peers: tuple[Peers, ...], *, leaving: bool) -> Group:
        """The pods that belong to all of these peers."""
        found = self._groups.get((peers, leaving))
        if found is None:
            if len(self._groups) >= MOST_GROUPS:
                self._groups.clear()
            found = self._groups[peers, leaving] = Group(peers, leaving)
            for pod in board.placed():
                if home := found.home(board, pod):
                    count(found.counts, home, 1)
        return found

    def node(self, name: str, node: Obj | None) -> None:
        """A node came, changed or went."""
        self.places.pop(name, None)
        if node is not None:
            self.places[name] = node_labels(node)
        for fit in self._fits.values():
            fit.judge(name, node)

    def namespaces(self) -> None:
        """Labels of a namespace may have changed: who belongs to whom is worked out again."""
        self._groups.clear()

    def pod(self, board: Board, touch: Touch) -> None:
        """A pod came, changed or went."""
        for group in self._groups.values():
            group.touch(board, touch)
        for obj, step in ((touch.old, -1), (touch.new, 1)):
            for role, term, node in _standing(obj):
                counts = self.standing[role].setdefault(term, Counter())
                count(counts, node, step)
                if not counts:
                    del self.standing[role][term]

    def wake(self, *, hopeless: bool) -> list[Item]:
        """Those who wait and may find a place now."""
        found = list(self.crowded_out)
        self.crowded_out.clear()
        if hopeless:
            found += self.hopeless
            self.hopeless.clear()
        return found


def _alone(board: Board, pod: Obj, name: str) -> Fit:
    """The nodes for a pod that names its own; each such pod asks for another one, so nothing is kept."""
    node = board.node(name)
    others = len(board.usage) - (node is not None)
    fit = Fit(pod, others=others, daemon=owner_of(pod)[0] == "DaemonSet")
    fit.reasons[ELSEWHERE] += fit.others
    fit.judge(name, node)
    return fit


def _standing(pod: Obj | None) -> Iterator[tuple[str, Term, str]]:
    if pod is None or not spec(pod).get("affinity") or ended(pod) or not spec(pod).get("nodeName"):
        return
    for role, term in wishes_of(pod).standing:
        yield role, term, str(spec(pod)["nodeName"])


def memory_of(board: Board) -> Memory:
    """The scheduler's memory of a board."""
    if not isinstance(board.memory, Memory):
        board.memory = Memory()
    return board.memory
