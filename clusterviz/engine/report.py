"""A trace as text for a terminal: hops, decisions, what changed, the verdict."""

from __future__ import annotations

from clusterviz.engine.addresses import host_port
from clusterviz.engine.assumptions import standing
from clusterviz.engine.explain import sentence, summary
from clusterviz.engine.packet import IP, L4, Stack
from clusterviz.engine.trace import Fix, Hop, Step, Trace

CAUSES = {"dns": "the look-up of the name"}


def readable(trace: Trace, level: str = "operator", fixes: tuple[Fix, ...] = ()) -> str:
    """The whole answer, a few lines a hop; ``level`` is novice or operator, ``fixes`` what `fixes.suggest` found."""
    lines = [summary(trace), ""]
    lines += [f"first, {CAUSES.get(child.cause, child.cause)}: {summary(child.trace)}" for child in trace.children]
    lines += _leg("forward", trace.forward, level)
    lines += _leg("reply", trace.reverse, level)
    if trace.reverse_reason:
        lines.append(trace.reverse_reason)
    if len(trace.branches) > 1:
        odds = ", ".join(
            f"{branch.label} {branch.probability:.0%}{' (drawn)' if branch.chosen else ''}" for branch in trace.branches
        )
        lines.append(f"could have gone to: {odds}")
    lines += [f"stopped by: {blocker.rule}: {blocker.why}" for blocker in trace.blockers]
    lines += _fixes(fixes)
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
        word = "and" if again else "or" if number else "would help" if fix.verified else "might help, not enough alone"
        lines.append(f"{word}: {fix.title}")
        told = f"--to {fix.value}" if fix.value else ""
        shown = fix.command or (f"{fix.setting} = {fix.value}" if fix.setting else told)
        lines += [f"    {line}" for line in shown.splitlines()]
    return lines


def _leg(name: str, hops: tuple[Hop, ...], level: str) -> list[str]:
    if not hops:
        return []
    lines, before = [f"{name}:"], ""
    for hop in hops:
        devices = " -> ".join(part for part in (hop.in_iface, hop.out_iface) if part)
        lines.append(f"  {hop.seq + 1}. {hop.place.kind} {hop.place.label}" + (f" [{devices}]" if devices else ""))
        for step in hop.steps:
            lines.append(f"       {_step(step, hop, level)}")
            lines += [f"         {line}" for line in _alternatives(step)]
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
    return excluded + [f"not {one.rule}: {one.why}" for one in step.considered]


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
