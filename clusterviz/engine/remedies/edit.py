"""One change that may help, as data that can be carried out on a snapshot and shown to a person."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from clusterviz.engine.cluster import Change, Cluster
from clusterviz.engine.datapath.lacking import is_managed
from clusterviz.engine.manifests.write import dump
from clusterviz.engine.objects import CLUSTER_SCOPED, WORKLOAD_KINDS, Key, Obj, key_of, ref_of
from clusterviz.engine.probe import Probe
from clusterviz.engine.settings import Settings
from clusterviz.engine.trace import Fix, Step, Trace

# How an edit weighs against others: a line of YAML weighs its length, what changes more than one object weighs more.
OBJECT, SETTING, CALL = 200, 1200, 400


class Situation(msgspec.Struct, frozen=True):
    """What a remedy looks at: the snapshot, and a trace that failed in it.

    ``asked`` is the trace of the probe itself; ``trace`` may be one it needed first, its DNS query.
    """

    cluster: Cluster
    trace: Trace
    asked: Trace

    @property
    def step(self) -> Step | None:
        """The step at which the packet ended."""
        place = self.trace.first_failing_step
        if place is None or place[0] >= len(self.trace.forward):
            return None
        steps = self.trace.forward[place[0]].steps
        return steps[place[1]] if place[1] < len(steps) else None

    def fact(self, name: str) -> Any:
        """A fact of that step, "" when it has none of this name."""
        return self.step.facts.get(name, "") if self.step else ""

    @property
    def ref(self) -> str:
        """Picture id of the object that stopped the packet."""
        return self.trace.blockers[0].ref if self.trace.blockers else ""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One change. Exactly one of ``patches``, ``create``, ``settings`` and ``probe`` is set.

    ``patches`` are merge patches by key: the first is the one a person applies, the others follow from it
    when controllers have done their work. ``grow`` says that pods and addresses may have to be made.
    ``also`` is a second change without which this one helps nobody.
    """

    fix: Fix
    size: int
    patches: tuple[tuple[Key, Obj], ...] = ()
    create: Obj | None = None
    settings: Mapping[str, Any] = {}
    probe: Probe | None = None
    grow: bool = False
    also: Edit | None = None

    def applied(self, cluster: Cluster) -> Cluster:
        """The snapshot after this change, controllers done."""
        if self.settings:
            after: Settings = msgspec.structs.replace(cluster.settings, **self.settings)
            cluster = cluster.with_settings(after)
        made = [self.create] if self.create is not None else []
        changed = [merge(cluster.objects[key], patch) for key, patch in self.patches if key in cluster.objects]
        cluster = cluster.apply([Change("set", obj) for obj in (*changed, *made)])
        cluster = cluster.apply([Change("unset", key) for key in self._stale(cluster)])
        if self.grow:
            return Cluster.from_objects(cluster.objects.values(), cluster.settings)
        return cluster

    def _stale(self, cluster: Cluster) -> list[Key]:
        """EndpointSlices their controller writes anew; without them endpoints follow from the selector (EPS-01)."""
        services = {key[1:] for key, _ in self.patches if key[0] == "Service"}
        spaces = {key[1] for key, _ in self.patches if key[0] in ("Pod", *WORKLOAD_KINDS)}
        return [
            ("EndpointSlice", one.namespace, one.name)
            for name, slices in cluster.slices_by_service.items()
            if name in services or name[0] in spaces
            for one in slices
            if is_managed(one)
        ]


def merge(obj: Any, patch: Any) -> Any:
    """RFC 7386, as ``kubectl patch --type merge`` does it: null removes, lists are replaced."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(obj) if isinstance(obj, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def patching(
    key: Key,
    patch: Obj,
    title: str,
    why: str,
    *,
    weight: int = 0,
    then: tuple[tuple[Key, Obj], ...] = (),
    grow: bool = False,
) -> Edit:
    """Patch an object; ``then`` are the patches its controllers make of it."""
    text = dump([patch])
    kind, namespace, name = key
    scope = "" if kind in CLUSTER_SCOPED else f" -n {namespace}"
    inline = shlex.quote(msgspec.json.encode(patch).decode())
    fix = Fix(
        title=title,
        kind="patch",
        ref=ref_of(key),
        patch=text,
        why=why,
        command=f"kubectl patch {kind.lower()} {name}{scope} --type merge -p {inline}",
    )
    return Edit(fix=fix, size=OBJECT + len(text) + weight, patches=((key, patch), *then), grow=grow)


def creating(obj: Obj, title: str, why: str, *, weight: int = 0, replace: bool = False) -> Edit:
    """Make a new object; ``replace`` deletes the one of this name first."""
    text = dump([obj])
    fix = Fix(
        title=title,
        kind="create",
        ref=ref_of(key_of(obj)),
        patch=text,
        why=why,
        command=f"kubectl {'replace --force' if replace else 'apply'} -f - <<'EOF'\n{text}EOF",
    )
    return Edit(fix=fix, size=2 * OBJECT + len(text) + weight, create=obj)


def setting(name: str, value: Any, title: str, why: str, *, grow: bool = False) -> Edit:
    """Set up the cluster in another way."""
    fix = Fix(title=title, kind="setting", setting=name, value=msgspec.json.encode(value).decode(), why=why)
    return Edit(fix=fix, size=SETTING, settings={name: value}, grow=grow)


def calling(probe: Probe, value: str, title: str, why: str, *, ref: str = "", weight: int = 0) -> Edit:
    """Ask for something else: no object changes, the caller does."""
    fix = Fix(title=title, kind="call", ref=ref, value=value, protocol=probe.protocol, why=why)
    return Edit(fix=fix, size=CALL + weight, probe=probe)
