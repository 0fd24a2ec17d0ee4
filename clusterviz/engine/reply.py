"""The way back: the forward hops in reverse, every rewrite undone by conntrack (PX-10, TRC-04)."""

from __future__ import annotations

import msgspec

from clusterviz.engine.packet import ICMP, IP, L4, Ethernet, Header, Http, Rewrite, Stack, wrapping
from clusterviz.engine.symptoms import HTTP, UNADDRESSED, answered_status, refused
from clusterviz.engine.trace import SUCCESSES, Action, Hop, Rule, Session, Step, Verdict

# Ends where the node itself sends word, which is not followed hop by hop.
TOLD = {
    Verdict.POD_GONE: "host unreachable, after some seconds",
    Verdict.MTU_EXCEEDED: "fragmentation needed",
}
BACK = Rule(name="reply", rules=("TRC-04",))
ESTABLISHED = Rule(name="established", rules=("NP-07",))
ROLES = {"sender": "receiver", "receiver": "sender"}


class Answer(msgspec.Struct, frozen=True):
    """What comes back: TCP flags, an HTTP status (0: none), or ICMP port unreachable, from ``source`` if given.

    ``kernel``: only the kernel answers, for a process that hangs.
    """

    flags: str = "SYN,ACK"
    status: int = 200
    unreachable: bool = False
    source: str = ""
    kernel: bool = False

    @property
    def refusal(self) -> bool:
        """Whether it says no at once."""
        return self.unreachable or "RST" in self.flags


def reply(hops: tuple[Hop, ...], verdict: Verdict, proxy_hop: int | None) -> tuple[tuple[Hop, ...], str]:
    """Reply hops from where the answer is made back to the client, or () and why there is none."""
    if not hops:
        return (), "No packet was sent, so there is no reply."
    last, answer = len(hops) - 1, Answer()
    if verdict not in SUCCESSES:
        if verdict in HTTP or (proxy_hop is not None and last > proxy_hop):
            last = proxy_hop if proxy_hop is not None else last
            status = answered_status(hops) if verdict in HTTP else 502 if refused(verdict, hops) else 504
            answer = Answer(status=status)
        elif refused(verdict, hops):
            answer = _refusal(hops)
        elif verdict is Verdict.NO_ANSWER and any(type(header) is Http for header in hops[-1].headers_in):
            answer = Answer(status=0, kernel=True)
        else:
            return (), _silence(verdict, hops)
    if verdict is Verdict.DELIVERED_IN_POD or last == 0:
        return _one(hops[0], answer), ""
    return _mirror(_bridged_back(hops[: last + 1]), answer), ""


def _bridged_back(hops: tuple[Hop, ...]) -> tuple[Hop, ...]:
    """The hops with the cards their reply will name, where a rewritten packet stayed on the bridge (NET-05).

    The receiver answers whoever owns the source it saw: the sender, or the bridge that masqueraded. What comes to the
    sender still has the receiver's card as its source.
    """
    found = list(hops)
    for index in range(1, len(hops) - 1):
        hop = hops[index]
        came, gone = hop.headers_in[:1], hop.headers_out[:1]
        actions = [step.action for step in hop.steps]
        if Action.SWITCHED not in actions or came == gone or not came or not gone:
            continue
        old, new = came[0], gone[0]
        if type(old) is Ethernet and type(new) is Ethernet:
            answered = old.dst if Action.MASQUERADED in actions else new.src
            entry = (Ethernet(new.src, new.dst, new.type), *hop.headers_in[1:])
            exit_ = (Ethernet(answered, new.dst, new.type), *hop.headers_out[1:])
            found[index - 1] = msgspec.structs.replace(found[index - 1], headers_out=entry)
            found[index] = msgspec.structs.replace(hop, headers_in=entry, headers_out=exit_)
            found[index + 1] = msgspec.structs.replace(hops[index + 1], headers_in=exit_)
    return tuple(found)


def _refusal(hops: tuple[Hop, ...]) -> Answer:
    """A socket nobody has resets TCP; kube-proxy's REJECT, and UDP, are told by ICMP port unreachable."""
    refusals = [step for step in hops[-1].steps if step.action is Action.REJECTED]
    protocol = next((header.proto for header in reversed(hops[0].headers_in) if type(header) is L4), "")
    refusers = [str(step.facts["refuser"]) for step in refusals if "refuser" in step.facts]
    if not refusers:
        return Answer(flags="RST,ACK", status=0, unreachable=protocol == "UDP")
    return Answer(flags="", status=0, unreachable=True, source=refusers[0])


def _silence(verdict: Verdict, hops: tuple[Hop, ...]) -> str:
    untried = Verdict.NAME_NOT_FOUND, Verdict.DNS_BLOCKED, Verdict.NO_LB_PROVIDER, Verdict.NO_INGRESS_CONTROLLER
    if verdict in untried or any(step.reason == UNADDRESSED for step in hops[-1].steps):
        return "No connection was tried, so there is no reply."
    place = hops[-1].place.label
    if verdict in TOLD:
        how = "the sender" if hops[0].place == hops[-1].place else "the sender by ICMP"
        return f"No reply: the packet ended at {place}, which tells {how}: {TOLD[verdict]}."
    return f"No reply: the packet ended at {place} and nobody answers for it."


def _one(hop: Hop, answer: Answer) -> tuple[Hop, ...]:
    stack = _turn(hop.headers_in, answer, 64)
    return (_hop(0, hop, stack, stack, (_answer_step(answer, hop),), "accepted"),)


def _answer_step(answer: Answer, hop: Hop) -> Step:
    reason = "refused_reply" if answer.refusal else "answered" if answer.status in (0, 200) else "answered_error"
    reason = "answered_handshake" if answer.kernel else reason
    return Step(
        action=Action.ORIGINATED,
        reason=reason,
        layer=4,
        direction="out",
        hook="socket",
        rule=Rule(name="reply", ref=hop.place.ref, rules=("TRC-04",)),
        facts={"status": answer.status, "place": hop.place.label},
    )


def _mirror(hops: tuple[Hop, ...], answer: Answer) -> tuple[Hop, ...]:
    """Walk the forward hops backwards; a hop's reply enters as its exit turned round."""
    found: list[Hop] = []
    ttl, first = 64, len(hops) - 1
    entry: Stack = ()
    for index in range(first, -1, -1):
        hop = hops[index]
        if index == first:
            # the answer is made here: what comes in is what goes out again
            came = entry = _turn(hop.headers_in, answer, ttl)
        else:
            # what one hop sends the next one gets, unless nothing of the wire lay between them
            same = hop.headers_out == hops[index + 1].headers_in
            came = entry if same else _turn(hop.headers_out, answer, ttl)
            ttl = 64 if _proxied(hop) else max(1, ttl - _hops_counted(hop))
            entry = _turn(hop.headers_in, answer, ttl) if index else came
        steps = _steps(hop, came, entry, answer, first=index == first, last=index == 0)
        found.append(_hop(len(found), hop, came, entry, steps, "accepted" if index == 0 else "forwarded"))
    return tuple(found)


def _proxied(hop: Hop) -> bool:
    return Action.PROXIED in [step.action for step in hop.steps]


def _hops_counted(hop: Hop) -> int:
    count = 0
    for step in hop.steps:
        if step.action is Action.ROUTED:
            for diff in step.diffs:
                if diff.field == "ttl":
                    count += int(diff.old) - int(diff.new)
    return count


def _hop(seq: int, hop: Hop, came: Stack, gone: Stack, steps: tuple[Step, ...], state: str) -> Hop:
    return Hop(
        seq=seq,
        place=hop.place,
        node=hop.node,
        role=ROLES.get(hop.role, hop.role),
        in_iface=hop.out_iface,
        out_iface=hop.in_iface,
        headers_in=came,
        headers_out=gone,
        steps=steps,
        owners=hop.owners,
        state=state,
        via=hop.via,
    )


def _turn(stack: Stack, answer: Answer, ttl: int) -> Stack:
    """The stack as the answer carries it: ends swapped, innermost TTL as counted."""
    inner, wrapped = _last_ip(stack), len(wrapping(stack))
    found: list[Header] = []
    for index, header in enumerate(stack):
        kind = type(header)
        if index < wrapped and kind is L4:
            found.append(header)  # its source port is a hash of the flow inside (NET-08)
        elif kind is not Http:
            found.append(_turned(header, answer, ttl if index == inner else 64, wrapped=index < wrapped))
        elif answer.status and not answer.refusal:
            found.append(Http(method="", host="", path="", status=answer.status))
    return tuple(found)


def _last_ip(stack: Stack) -> int:
    for index in range(len(stack) - 1, -1, -1):
        if type(stack[index]) is IP:
            return index
    return 0


def _turned(header: Header, answer: Answer, ttl: int, *, wrapped: bool) -> Header:
    if type(header) is Ethernet:
        return Ethernet(header.dst, header.src, header.type)
    if type(header) is IP:
        if wrapped or not answer.unreachable:
            return IP(header.dst, header.src, header.proto, ttl, header.version)
        return IP(answer.source or header.dst, header.src, "ICMP", ttl, header.version)
    if answer.unreachable and type(header) in (L4, ICMP):
        return ICMP("port-unreachable")
    if type(header) is L4:
        tcp = ("RST" if answer.refusal else "ACK") if header.flags == "ACK" else answer.flags  # or the handshake's
        flags = tcp if header.flags else "ABORT" if answer.refusal and header.proto == "SCTP" else ""
        return L4(header.proto, header.dport, header.sport, flags)
    return ICMP("echo-reply") if type(header) is ICMP else header


def _steps(hop: Hop, came: Stack, gone: Stack, answer: Answer, *, first: bool, last: bool) -> tuple[Step, ...]:
    if first:
        return (_answer_step(answer, hop),)
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
    removed, added = _headers(inner_came, inner_gone)
    session = next((step.session for step in hop.steps if step.session is not None), None)
    if _proxied(hop):
        steps.append(_plain(Action.PROXIED, "reply_proxied", hop, diffs=diffs, pop=removed, push=added))
        return tuple(steps)
    translated = tuple([d for d in diffs if d.layer in ("ip", "l4") and d.field not in ("ttl", "flags")])
    rest = tuple([d for d in diffs if d.layer not in ("ip", "l4") or d.field in ("ttl", "flags")])
    if translated:
        steps += _un_nat(hop, translated, session)
    elif session is not None:
        steps.append(_plain(Action.SESSION_HIT, "reply_session", hop, session=_hit(session)))
    actions = [step.action for step in hop.steps]
    if Action.PERMITTED in actions or Action.DROPPED in actions:
        steps.append(_plain(Action.PERMITTED, "reply_permitted", hop, rule=ESTABLISHED))
    if rest or removed or added:
        steps.append(_plain(Action.FORWARDED, "reply_forwarded", hop, diffs=rest, pop=removed, push=added))
    if pushes:
        steps.append(_plain(Action.ENCAPSULATED, "reply_encapsulated", hop, push=pushes))
    return tuple(steps) or (_plain(Action.FORWARDED, "reply_forwarded", hop),)


def _un_nat(hop: Hop, diffs: tuple[Rewrite, ...], session: Session | None) -> list[Step]:
    """The destination a masquerade hid comes back in PREROUTING, the source a DNAT replaced in POSTROUTING."""
    hidden = tuple([d for d in diffs if d.field in ("dst", "dport")])
    replaced = tuple([d for d in diffs if d.field not in ("dst", "dport")])
    found = []
    for hook, some in (("prerouting", hidden), ("postrouting", replaced)):
        if some:
            found.append(_un_nat_step(hop, hook, some, session))
    return found


def _un_nat_step(hop: Hop, hook: str, diffs: tuple[Rewrite, ...], session: Session | None) -> Step:
    return Step(
        action=Action.UN_NAT,
        reason="un_nat",
        hook=hook,
        component="conntrack",
        diffs=diffs,
        session=_hit(session) if session else None,
        rule=Rule(name="conntrack entry", text=session.reply if session else "", rules=("PX-10", "TRC-04")),
        facts={
            "changes": "; ".join([f"{d.field} {d.old} -> {d.new}" for d in diffs]),
            "node": hop.node or hop.place.label,
        },
    )


def _hit(session: Session) -> Session:
    return Session(
        node=session.node,
        proto=session.proto,
        orig=session.orig,
        reply=session.reply,
        nat=session.nat,
        state="ESTABLISHED",
    )


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
        rule=rule or BACK,
        facts={"place": hop.place.label},
    )


def _headers(came: Stack, gone: Stack) -> tuple[Stack, Stack]:
    """Ethernet headers that appear or vanish: (taken off, put on)."""
    had = bool(came) and isinstance(came[0], Ethernet)
    has = bool(gone) and isinstance(gone[0], Ethernet)
    return (came[:1] if had and not has else ()), (gone[:1] if has and not had else ())


def _differences(came: Stack, gone: Stack) -> tuple[Rewrite, ...]:
    """Field differences header by header, matched by layer."""
    before = {type(header): header for header in came}
    found: list[Rewrite] = []
    for header in gone:
        old = before.get(type(header))
        if old is None or old == header:
            continue
        layer = str(header.__struct_config__.tag)
        for field in header.__struct_fields__:
            a, b = getattr(old, field), getattr(header, field)
            if a != b:
                found.append(Rewrite(layer, field, str(a), str(b), "the reply turned back"))
    return tuple(found)


def _source(stack: Stack) -> str:
    return next((header.src for header in reversed(stack) if isinstance(header, IP)), "")
