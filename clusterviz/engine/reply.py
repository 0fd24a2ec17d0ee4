"""The way back: the forward hops in reverse, every rewrite undone by conntrack (PX-10, TRC-04)."""

from __future__ import annotations

import msgspec

from clusterviz.engine.packet import (
    ICMP,
    IP,
    L4,
    Dns,
    Ethernet,
    Geneve,
    Header,
    Http,
    Rewrite,
    Stack,
    Vxlan,
    WireGuard,
    wrapping,
)
from clusterviz.engine.symptoms import HTTP, answered_status, refused
from clusterviz.engine.trace import SUCCESSES, Action, Hop, Rule, Session, Step, Verdict


def reply(hops: tuple[Hop, ...], verdict: Verdict, proxy_hop: int | None) -> tuple[tuple[Hop, ...], str]:
    """Reply hops from where the answer is made back to the client, or () and why there is none."""
    if not hops:
        return (), "No packet was sent, so there is no reply."
    last, flags, status = len(hops) - 1, "SYN,ACK", 200
    if verdict not in SUCCESSES:
        if verdict in HTTP or (proxy_hop is not None and last > proxy_hop):
            last = proxy_hop if proxy_hop is not None else last
            status = answered_status(hops) if verdict in HTTP else 502 if refused(verdict, hops) else 504
        elif refused(verdict, hops):
            flags, status = "RST,ACK", 0
        else:
            return (), _silence(verdict, hops)
    if verdict is Verdict.DELIVERED_IN_POD or (last == 0 and len(hops) == 1):
        return _one(hops[0], flags, status), ""
    return _mirror(hops[: last + 1], flags, status), ""


def _silence(verdict: Verdict, hops: tuple[Hop, ...]) -> str:
    if verdict in (Verdict.NAME_NOT_FOUND, Verdict.DNS_BLOCKED, Verdict.NO_LB_PROVIDER, Verdict.NO_INGRESS_CONTROLLER):
        return "No connection was tried, so there is no reply."
    return f"No reply: the packet ended at {hops[-1].place.label} and nobody answers for it."


def _one(hop: Hop, flags: str, status: int) -> tuple[Hop, ...]:
    stack = _turn(hop.headers_in, flags, status, 64)
    step = _answer_step(flags, status, hop)
    return (_hop(0, hop, stack, stack, (step,), "accepted"),)


def _answer_step(flags: str, status: int, hop: Hop) -> Step:
    reason = "refused_reply" if "RST" in flags else "answered" if status in (0, 200) else "answered_error"
    return Step(
        action=Action.ORIGINATED,
        reason=reason,
        layer=4,
        direction="out",
        hook="socket",
        rule=Rule(name="reply", ref=hop.place.ref, rules=("TRC-04",)),
        facts={"status": status, "place": hop.place.label},
    )


def _mirror(hops: tuple[Hop, ...], flags: str, status: int) -> tuple[Hop, ...]:
    """Walk the forward hops backwards; a hop's reply enters as its exit turned round."""
    found: list[Hop] = []
    ttl = 64
    first = len(hops) - 1
    for index in range(first, -1, -1):
        hop = hops[index]
        exit_ = hop.headers_out if index < first else hop.headers_in
        came = _turn(exit_, flags, status, ttl)
        if index == first:
            # the answer is made here: what comes in is what goes out again
            entry = came
        else:
            ttl = max(1, ttl - _hops_counted(hop))
            if _proxied(hop):
                ttl = 64
            entry = _turn(hop.headers_in, flags, status, ttl)
        if index == 0:
            entry = came
        steps = _steps(hop, came, entry, flags, status, first=index == first, last=index == 0)
        found.append(_hop(len(found), hop, came, entry, steps, "accepted" if index == 0 else "forwarded"))
    return tuple(found)


def _proxied(hop: Hop) -> bool:
    return any(step.action is Action.PROXIED for step in hop.steps)


def _hops_counted(hop: Hop) -> int:
    return sum(
        int(diff.old) - int(diff.new)
        for step in hop.steps
        if step.action is Action.ROUTED
        for diff in step.diffs
        if diff.field == "ttl"
    )


def _hop(seq: int, hop: Hop, came: Stack, gone: Stack, steps: tuple[Step, ...], state: str) -> Hop:
    roles = {"sender": "receiver", "receiver": "sender"}
    return msgspec.structs.replace(
        hop,
        seq=seq,
        role=roles.get(hop.role, hop.role),
        in_iface=hop.out_iface,
        out_iface=hop.in_iface,
        headers_in=came,
        headers_out=gone,
        steps=steps,
        state=state,
    )


def _turn(stack: Stack, flags: str, status: int, ttl: int) -> Stack:
    """The stack as the answer carries it: ends swapped, innermost TTL as counted."""
    inner = max((i for i, header in enumerate(stack) if isinstance(header, IP)), default=0)
    wrapped = len(wrapping(stack))
    return tuple(
        header
        if index < wrapped and isinstance(header, L4)  # its source port is a hash of the flow inside (NET-08)
        else _turned(header, flags, status, ttl if index == inner else 64)
        for index, header in enumerate(stack)
        if not (isinstance(header, Http) and (not status or "RST" in flags))
    )


def _turned(header: Header, flags: str, status: int, ttl: int) -> Header:
    replace = msgspec.structs.replace
    match header:
        case Ethernet():
            return replace(header, src=header.dst, dst=header.src)
        case IP():
            return replace(header, src=header.dst, dst=header.src, ttl=ttl)
        case L4():
            return replace(header, sport=header.dport, dport=header.sport, flags=flags if header.flags else "")
        case ICMP():
            return ICMP("echo-reply")
        case Http():
            return Http(method="", host="", path="", status=status)
        case Dns() | Vxlan() | Geneve() | WireGuard():
            return header


def _steps(hop: Hop, came: Stack, gone: Stack, flags: str, status: int, *, first: bool, last: bool) -> tuple[Step, ...]:
    if first:
        return (_answer_step(flags, status, hop),)
    if last:
        return (
            Step(
                action=Action.DELIVERED,
                reason="reply_delivered",
                layer=4,
                hook="socket",
                rule=Rule(name="reply", ref=hop.place.ref, rules=("TRC-04",)),
                facts={"src": _source(came), "place": hop.place.label},
            ),
        )
    if hop.place.kind == "wire":
        return (_plain(Action.FORWARDED, "reply_forwarded", hop),)
    pops, pushes = wrapping(came), wrapping(gone)
    steps: list[Step] = []
    if pops:
        steps.append(_plain(Action.DECAPSULATED, "reply_decapsulated", hop, pop=pops))
    inner_came, inner_gone = came[len(pops) :], gone[len(pushes) :]
    diffs = _differences(inner_came, inner_gone)
    translated = tuple(d for d in diffs if d.layer in ("ip", "l4") and d.field not in ("ttl", "flags"))
    rest = tuple(d for d in diffs if d not in translated)
    removed, added = _headers(inner_came, inner_gone)
    session = next((step.session for step in hop.steps if step.session is not None), None)
    if _proxied(hop):
        steps.append(_plain(Action.PROXIED, "reply_proxied", hop, diffs=diffs, pop=removed, push=added))
        return tuple(steps)
    if translated:
        steps.append(_un_nat(hop, translated, session))
    elif session is not None:
        steps.append(_plain(Action.SESSION_HIT, "reply_session", hop, session=_hit(session)))
    if any(step.action in (Action.PERMITTED, Action.DROPPED) for step in hop.steps):
        steps.append(_plain(Action.PERMITTED, "reply_permitted", hop, rule=Rule(name="established", rules=("NP-07",))))
    if rest or removed or added:
        steps.append(_plain(Action.FORWARDED, "reply_forwarded", hop, diffs=rest, pop=removed, push=added))
    if pushes:
        steps.append(_plain(Action.ENCAPSULATED, "reply_encapsulated", hop, push=pushes))
    return tuple(steps) or (_plain(Action.FORWARDED, "reply_forwarded", hop),)


def _un_nat(hop: Hop, diffs: tuple[Rewrite, ...], session: Session | None) -> Step:
    return Step(
        action=Action.UN_NAT,
        reason="un_nat",
        hook="prerouting",
        component="conntrack",
        diffs=diffs,
        session=_hit(session) if session else None,
        rule=Rule(name="conntrack entry", text=session.reply if session else "", rules=("PX-10", "TRC-04")),
        facts={
            "changes": "; ".join(f"{d.field} {d.old} -> {d.new}" for d in diffs),
            "node": hop.node or hop.place.label,
        },
    )


def _hit(session: Session) -> Session:
    return msgspec.structs.replace(session, state="ESTABLISHED")


def _plain(
    action: Action,
    reason: str,
    hop: Hop,
    *,
    diffs: tuple[Rewrite, ...] = (),
    push: Stack = (),
    pop: Stack = (),
    session: Session | None = None,
    rule: Rule | None = None,
) -> Step:
    return Step(
        action=action,
        reason=reason,
        diffs=diffs,
        push=push,
        pop=pop,
        session=session,
        rule=rule or Rule(name="reply", rules=("TRC-04",)),
        facts={"place": hop.place.label},
    )


def _headers(came: Stack, gone: Stack) -> tuple[Stack, Stack]:
    """Ethernet headers that appear or vanish: (taken off, put on)."""
    had = bool(came) and isinstance(came[0], Ethernet)
    has = bool(gone) and isinstance(gone[0], Ethernet)
    return (came[:1] if had and not has else ()), (gone[:1] if has and not had else ())


def _differences(came: Stack, gone: Stack) -> tuple[Rewrite, ...]:
    """Field differences header by header, matched by layer."""
    tag = "__struct_config__"
    before = {getattr(type(h), tag).tag: h for h in came}
    found: list[Rewrite] = []
    for header in gone:
        layer = getattr(type(header), tag).tag
        old = before.get(layer)
        if old is None:
            continue
        for field in header.__struct_fields__:
            a, b = getattr(old, field), getattr(header, field)
            if a != b:
                found.append(Rewrite(layer, field, str(a), str(b), "the reply turned back"))
    return tuple(found)


def _source(stack: Stack) -> str:
    return next((header.src for header in reversed(stack) if isinstance(header, IP)), "")
