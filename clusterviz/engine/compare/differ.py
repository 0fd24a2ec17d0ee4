"""What changed between two snapshots: objects, and the fates of connections, grouped by cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from clusterviz.engine.compare.connections import EVERYTHING, Asked, Fate, Pair, calls, survey
from clusterviz.engine.objects import Key

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Kind = Literal["broken", "partly broken", "allowed", "partly allowed", "other backends", "other source", "gone", "new"]
KINDS: tuple[Kind, ...] = (
    "broken",
    "partly broken",
    "gone",
    "allowed",
    "partly allowed",
    "new",
    "other backends",
    "other source",
)
#: What controllers and allocators make by themselves: its changes follow from changes of what people wrote.
MADE = frozenset({"Pod", "ReplicaSet", "EndpointSlice", "Endpoints", "Event", "Lease", "ControllerRevision"})
_OURS = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
ALLOCATED = frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort", "podCIDR", "podCIDRs", "nodeName"})
MOST_FIELDS = 12
Objects = Mapping[Key, dict[str, Any]]


class ObjectChange(NamedTuple):
    """An object that was added, removed or changed; ``fields`` are YAML paths of what is other."""

    verb: Literal["added", "removed", "changed"]
    key: Key
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for people."""
        kind, space, name = self.key
        fields = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.verb} {kind} {f'{space}/' if space else ''}{name}{fields}"


class Change(NamedTuple):
    """A connection that fares otherwise. ``cause``: what stops it now or stopped it before, in words.

    ``called``: a TrafficFlow of either side says that the application makes it.
    """

    kind: Kind
    pair: Pair
    cause: str
    before: Fate | None
    after: Fate | None
    called: bool = False

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.kind}: {self.pair.sender} -> {self.pair.target}: {self.cause}"


class Comparison(NamedTuple):
    """Objects by key; connections worst first. ``same`` counts connections that fare as before."""

    objects: tuple[ObjectChange, ...]
    connections: tuple[Change, ...]
    same: int


def compare(
    before: Cluster, after: Cluster, asked: Asked = EVERYTHING, written: tuple[Objects, Objects] | None = None
) -> Comparison:
    """Compare two snapshots, and of the connections those asked about. Raises `TooManyError`.

    ``written``: the objects as people wrote them, to be compared whole. Without them fields that the API server gives
    out (addresses, node ports) are left aside, for they follow from what else there is.
    """
    old, new = survey(before, asked), survey(after, asked)
    changes = [one for pair in {**old, **new} if (one := _change(pair, old.get(pair), new.get(pair))) is not None]
    known = calls(before) | calls(after)
    for index, one in enumerate(changes):
        fate = one.after or one.before
        changes[index] = one._replace(called=fate is not None and (one.pair.sender, fate.service) in known)
    changes.sort(key=lambda one: (KINDS.index(one.kind), not one.called, one.cause, one.pair))
    same = len(old.keys() & new.keys()) - sum(one.before is not None and one.after is not None for one in changes)
    old_objects, new_objects = written or (_unallocated(before), _unallocated(after))
    return Comparison(tuple(_objects(old_objects, new_objects)), tuple(changes), same)


def _change(pair: Pair, old: Fate | None, new: Fate | None) -> Change | None:
    """None when the connection fares as before, or never arrived anywhere."""
    if old is None or new is None:
        one = old or new
        if one is None or not one.arrives:
            return None
        return Change("new" if old is None else "gone", pair, "an end of it is not in the other one", old, new)
    if (old.arrives, old.fails) != (new.arrives, new.fails):
        return Change(_worse_or_better(old, new), pair, _cause(old, new), old, new)
    if new.arrives and old.backends != new.backends:
        return Change("other backends", pair, f"{_list(old.backends)} before, {_list(new.backends)} now", old, new)
    if new.arrives and old.sources != new.sources:
        return Change("other source", pair, f"seen was {_list(old.sources)}, is {_list(new.sources)}", old, new)
    return None


def _worse_or_better(old: Fate, new: Fate) -> Kind:
    if old.fails and not new.fails:
        return "allowed"
    if not new.arrives:
        return "broken"
    return "partly broken" if old.arrives and not old.fails else "partly allowed"


def _cause(old: Fate, new: Fate) -> str:
    """What stops it now that did not before, or stopped it before and does not now."""
    worse = (new.fails and not old.fails) or not new.arrives
    one, other = (new, old) if worse else (old, new)
    verdicts = _list(one.verdicts - other.verdicts or one.verdicts)
    by = f" by {_list(one.by)}" if one.by else ""
    return f"{'now' if worse else 'was'} {verdicts}{by}"


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "nobody"


def _unallocated(cluster: Cluster) -> Objects:
    return {key: {**obj, "spec": _given(obj.get("spec"))} for key, obj in cluster.objects.items()}


def _given(spec: Any) -> Any:
    if not isinstance(spec, dict):
        return spec
    given = {name: value for name, value in spec.items() if name not in ALLOCATED}
    if isinstance(ports := spec.get("ports"), list):
        given["ports"] = [{**port, "nodePort": None} if isinstance(port, dict) else port for port in ports]
    return given


def _objects(before: Objects, after: Objects) -> Iterator[ObjectChange]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if key[0] in MADE and (key[0] != "Pod" or _owned(old) or _owned(new)):
            continue
        if old is None or new is None:
            yield ObjectChange("added" if old is None else "removed", key)
        elif old != new and (fields := tuple(_fields(_wanted(old), _wanted(new), ""))):
            more = (f"and {len(fields) - MOST_FIELDS} more",) if len(fields) > MOST_FIELDS else ()
            yield ObjectChange("changed", key, fields[:MOST_FIELDS] + more)


def _owned(obj: dict[str, Any] | None) -> bool:
    return bool(obj and (obj.get("metadata") or {}).get("ownerReferences"))


def _wanted(obj: dict[str, Any]) -> dict[str, Any]:
    """Without what the API server and controllers write."""
    meta = {name: value for name, value in (obj.get("metadata") or {}).items() if name not in _OURS}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": meta}


def _fields(old: Any, new: Any, path: str) -> Iterator[str]:
    """Paths of what differs; of lists with other lengths the list."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _fields(old.get(name), new.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _fields(one, other, f"{path}[{index}]")
    elif old != new:
        yield path
