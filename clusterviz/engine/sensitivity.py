"""Which settings of the cluster mattered: the probe asked again, one setting changed at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from clusterviz.engine.errors import EngineError
from clusterviz.engine.packet import IP
from clusterviz.engine.settings import Settings
from clusterviz.engine.trace import Snapshot, Trace, Verdict
from clusterviz.engine.walk import trace as walk
from clusterviz.engine.walk import walk_on

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# Nobody chooses this; it is how a cluster starts.
NOT_CHOSEN = frozenset({("dns_synced", False)})
# What decides about a packet of an open connection.
ONGOING = frozenset({"enforce_policies", "policies_cut_connections"})


class Alternative(msgspec.Struct, frozen=True):
    """A setting that would have changed the answer.

    ``name`` is the field of `Settings`, ``value`` what it is, ``other`` what it could be, ``verdict`` what would
    come of the packet then, ``changes`` what differs (verdict, endpoints, source), ``why`` one sentence.
    """

    name: str
    value: bool | str
    other: bool | str
    verdict: Verdict
    changes: str
    why: str


class _Outcome(NamedTuple):
    """What counts as an answer: the verdict, the endpoints that could be picked, the source seen at the end."""

    verdict: Verdict
    endpoints: tuple[str, ...]
    source: str


@lru_cache(maxsize=1)
def choices() -> dict[str, tuple[bool | str, ...]]:
    """Settings with a closed list of values, and the values; addresses and numbers have none."""
    found: dict[str, tuple[bool | str, ...]] = {}
    for name, kind in get_type_hints(Settings).items():
        if get_origin(kind) is Literal:
            found[name] = get_args(kind)
        elif kind is bool:
            found[name] = (True, False)
    return found


def settings_that_matter(cluster: Cluster, trace: Trace) -> list[dict[str, Any]]:
    """The alternatives of ``trace`` as plain data; see `alternatives`."""
    return [msgspec.to_builtins(one) for one in alternatives(cluster, trace)]


def alternatives(cluster: Cluster, trace: Trace) -> list[Alternative]:
    """The values of every setting of `choices` under which the probe would have another answer, once an answer.

    ``cluster`` is the snapshot ``trace`` was made in. Costs a trace a value. A connection that is open follows its
    entry whatever kube-proxy does: only `ONGOING` is tried for it.
    """
    now, opened = _outcome(trace), trace.made_in.opened
    found: list[Alternative] = []
    for name, values in choices().items():
        if opened is not None and name not in ONGOING:
            continue
        value = getattr(cluster.settings, name)
        outcomes = {now}
        for other in values:
            if other == value or (name, other) in NOT_CHOSEN:
                continue
            world = _under(cluster, trace, name, other)
            if world is None:
                continue
            try:
                again = _again(world, trace)
            except EngineError:
                continue
            then = _outcome(again)
            if then not in outcomes:
                outcomes.add(then)
                found.append(_told(name, value, other, now, then, again))
    return found


def _again(world: Cluster, trace: Trace) -> Trace:
    """The same question in a cluster with other settings."""
    opened = trace.made_in.opened
    if opened is None:
        return walk(world, trace.probe)
    return Trace(trace.probe, Snapshot(world, opened=opened), walk_on(world, trace.probe, opened))


def _under(cluster: Cluster, trace: Trace, name: str, other: bool | str) -> Cluster | None:
    """The same cluster with one setting changed; None when that cannot touch this packet."""
    settings = msgspec.structs.replace(cluster.settings, **{name: other})
    if name != "load_balancer_provider":
        return cluster.with_settings(settings)
    # Addresses of load balancers are filled in when a cluster is built, so it is built again.
    places = {hop.place.kind for hop in trace.forward}
    if trace.verdict is not Verdict.NO_LB_PROVIDER and "loadbalancer" not in places:
        return None
    return type(cluster).from_objects([_without_balancer(dict(obj)) for obj in cluster.objects.values()], settings)


def _without_balancer(obj: dict[str, Any]) -> dict[str, Any]:
    if obj.get("kind") == "Service" and (obj.get("status") or {}).get("loadBalancer"):
        obj["status"] = {key: value for key, value in obj["status"].items() if key != "loadBalancer"}
    return obj


def _outcome(trace: Trace) -> _Outcome:
    source = ""
    if trace.success and trace.forward:
        source = next((one.src for one in reversed(trace.forward[-1].headers_in) if isinstance(one, IP)), "")
    return _Outcome(trace.verdict, tuple(sorted(branch.address for branch in trace.branches)), source)


def _told(name: str, value: bool | str, other: bool | str, now: _Outcome, then: _Outcome, again: Trace) -> Alternative:
    if then.verdict is not now.verdict:
        changes, what = "verdict", again.symptom
        if again.blockers:
            what = f"{again.symptom} ({again.blockers[0].why})"
    elif then.endpoints != now.endpoints:
        changes, what = "endpoints", f"it could reach {', '.join(then.endpoints) or 'none'}"
    else:
        changes, what = "source", f"the receiver would see {then.source} as the source instead of {now.source}"
    return Alternative(name, value, other, then.verdict, changes, f"With {_setting(name, other)}: {what}.")


def _setting(name: str, value: bool | str) -> str:
    words = name.replace("_", " ")
    return f"{words} {'on' if value else 'off'}" if isinstance(value, bool) else f"{words} {value}"
