"""A trace as text for a terminal: hops, decisions, what changed, the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterviz.engine.addresses import host_port
from clusterviz.engine.assumptions import standing
from clusterviz.engine.explain import sentence, summary
from clusterviz.engine.packet import IP, L4, Stack
from clusterviz.engine.proxyrules.used import lines_used
from clusterviz.engine.sensitivity import alternatives
from clusterviz.engine.trace import Fix, Hop, Step, Trace

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

CAUSES = {"dns": "the look-up of the name"}
MOST_MISSES = 10


def readable(
    trace: Trace, level: str = "operator", fixes: tuple[Fix, ...] = (), *, cluster: Cluster | None = None
) -> str:
    """The whole answer, a few lines a hop; ``level`` is novice or operator, ``fixes`` what `fixes.suggest` found.

    With ``cluster``, the snapshot the trace was made in, also the lines of the nodes' rules and the settings that
    mattered; that costs some dozen traces.
    """
    lines = [summary(trace), ""]
    lines += [f"first, {CAUSES.get(child.cause, child.cause)}: {summary(child.trace)}" for child in trace.children]
    lines += _leg("forward", trace.forward, level, cluster)
    lines += _leg("reply", trace.reverse, level, None)
    if trace.reverse_reason:
        lines.append(trace.reverse_reason)
    if len(trace.branches) > 1:
        odds = ", ".join(
            f"{branch.label} {branch.probability:.0%}{' (drawn)' if branch.chosen else ''}" for branch in trace.branches
        )
        lines.append(f"could have gone to: {odds}")
    lines += [f"stopped by: {blocker.rule}: {blocker.why}" for blocker in trace.blockers]
    lines += _fixes(fixes)
    lines += _settings(cluster, trace) if cluster is not None else []
    lines += [f"assumed: {assumption.text}" for assumption in trace.assumptions]
    always = ", ".join(one.code for one in standing(trace))
    lines += [f"assumed as always: {always} (docs/assumptions.md)"] if always else []
    lines.append(f"verdict: {trace.verdict.value}; the client sees: {trace.symptom}")
    return "\n".join(lines)


def _fixes(fixes: tuple[Fix, ...]) -> list[str]:
    """What would help, with the command or the text to type; fixes of one group belong together."""
    lines: list[str] = []
    for number, fix in enumerate(fixes):
        again = number and fix.group == fixes[number - 1].group and fix.verified
        first = "would help" if fix.verified else "might help, not enough alone"
        word = "to do by hand" if fix.kind == "work" else "and" if again else "or" if number else first
        lines.append(f"{word}: {fix.title}")
        told = f"--to {fix.value}" if fix.value else ""
        shown = fix.command or (f"{fix.setting} = {fix.value}" if fix.setting else told)
        lines += [f"    {line}" for line in shown.splitlines()]
    return lines


def _settings(cluster: Cluster, trace: Trace) -> list[str]:
    """Settings some step followed, with their values, and those that would have changed the answer."""
    asked = dict.fromkeys(name for hop in trace.forward for step in hop.steps for name in step.settings)
    followed = ", ".join(f"{name} {_value(getattr(cluster.settings, name))}" for name in sorted(asked))
    lines = [f"settings followed: {followed}"] if followed else []
    return lines + [f"would differ: {one.why}" for one in alternatives(cluster, trace)]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _leg(name: str, hops: tuple[Hop, ...], level: str, cluster: Cluster | None) -> list[str]:
    if not hops:
        return []
    lines, before = [f"{name}:"], ""
    for hop in hops:
        devices = " -> ".join(part for part in (hop.in_iface, hop.out_iface) if part)
        lines.append(f"  {hop.seq + 1}. {hop.place.kind} {hop.place.label}" + (f" [{devices}]" if devices else ""))
        for step in hop.steps:
            lines.append(f"       {_step(step, hop, level)}")
            lines += [f"         {line}" for line in _alternatives(step)]
            used = lines_used(cluster, hop, step) if cluster is not None else ()
            lines += [f"         line {line.number} of {hop.node}: {line.text}" for line in used]
        flow = _flow(hop.headers_out)
        if flow != before:
            lines.append(f"       {flow}")
        before = flow
    return lines


def _step(step: Step, hop: Hop, level: str) -> str:
    rules = f" ({', '.join(step.rule.rules)})" if step.rule and step.rule.rules else ""
    return f"{step.action.value}: {sentence(step, hop, level)}{rules}"


def _alternatives(step: Step) -> list[str]:
    """Who was excluded and why; which rules did not fit and why, the nearest first."""
    out = [one for one in step.candidates if not one.probability]
    excluded = [f"excluded: {one.pod.removeprefix('pod:') or one.node or one.address}: {one.why}" for one in out]
    return _some(excluded) + _some([f"not {one.rule}: {one.why}" for one in step.considered])


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_MISSES
    return [*lines[:MOST_MISSES], f"and {more} more; --json has all"] if more > 0 else lines


def _flow(stack: Stack) -> str:
    """``src:port > dst:port`` of every IP header, outermost first."""
    parts: list[str] = []
    for index, header in enumerate(stack):
        if isinstance(header, IP):
            ports = next((h for h in stack[index + 1 : index + 2] if isinstance(h, L4)), None)
            src = host_port(header.src, ports.sport) if ports else header.src
            dst = host_port(header.dst, ports.dport) if ports else header.dst
            parts.append(f"{header.proto} {src} > {dst} ttl {header.ttl}")
    return " carrying ".join(parts)
