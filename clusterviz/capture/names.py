"""The look-up of a name as DNS messages: what a trace says was asked and answered, in the wire format."""

from __future__ import annotations

import ipaddress
from typing import Any, NamedTuple

import dpkt

from clusterviz.capture.sights import Flow
from clusterviz.capture.talk import Packet, Say, answered
from clusterviz.engine.datapath.draw import draw
from clusterviz.engine.trace import Trace

RCODES = {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}
TIMEOUT = 5_000_000
UPSTREAM = "FORWARDED"  # a try that CoreDNS passed on to an upstream server


class Question(NamedTuple):
    """One query and its answer: ``records`` are (type, value); ours is false for what an upstream server answers."""

    name: str
    qtype: str
    rcode: str
    records: tuple[tuple[str, str], ...] = ()
    ttl: int = 30
    ours: bool = True


def questions(trace: Trace) -> tuple[Question, ...]:
    """What the client's resolver asks before the trace's connection, in order."""
    for hop in trace.forward:
        for step in hop.steps:
            if step.component == "resolver" and "tries" in step.facts:
                return _asked(step.facts, _choices(trace, str(step.facts.get("address", ""))))
    return ()


def _choices(trace: Trace, address: str) -> list[str]:
    """Every address the answer held: those the client drew from, where it drew itself (SVC-08)."""
    drawn = [branch.address.rpartition(":")[0].strip("[]") for branch in trace.branches]
    return drawn if address in drawn else [address]


def _asked(facts: dict[str, Any], addresses: list[str]) -> tuple[Question, ...]:
    tries = [one.split(" ") for one in str(facts.get("tries", "")).split(", ") if " " in one and UPSTREAM not in one]
    address, ttl = str(facts.get("address", "")), int(facts.get("ttl", 30))
    qtype = "AAAA" if ":" in address else "A"
    found = [Question(name, qtype, rcode, ttl=ttl) for name, rcode in tries]
    name = str(facts.get("name", "")).rstrip(".")
    if not address:
        passed_on = (Question(name, qtype, "NXDOMAIN", ours=False),) if name else ()
        return (*found, *passed_on) if UPSTREAM in str(facts.get("tries", "")) else tuple(found) or passed_on
    if found and found[-1].rcode == "NOERROR":
        alias = (("CNAME", name),) if name and "answered" in facts and _alias(facts, found[-1].name) else ()
        found[-1] = found[-1]._replace(records=(*alias, *((qtype, one) for one in addresses)))
    else:
        found.append(Question(name, qtype, "NOERROR", ((qtype, address),), ttl, ours=False))
    return tuple(found)


def _alias(facts: dict[str, Any], asked: str) -> bool:
    """Whether the name that led to the address is another than the one asked: an ExternalName (DNS-05)."""
    name = str(facts["name"]).rstrip(".")
    return name != asked and not asked.startswith(name + ".")


def look_up(trace: Trace, flow: Flow, asked: tuple[Question, ...], start: int) -> tuple[list[Packet], int]:
    """The queries and answers at every point of the flow to the DNS Service, and when the last one arrived."""
    clock, packets = start, list[Packet]()
    rounds = [(one, number) for number, one in enumerate(asked) if _fits(one.name)]
    if not flow.back or flow.refused:
        rounds = [(rounds[0][0], 0)] * 2 if rounds else []
    for turn, (question, number) in enumerate(rounds):
        ident = 1 + int(draw(trace.probe.seed, "dns", question.name, number) * 65_534)
        query = Say(payload=_message(question, ident, answer=False), ident=ident)
        clock += TIMEOUT if turn and not flow.back else 0
        for sight in flow.there:
            clock += sight.pause
            packets.append(Packet(clock, sight, query))
        reply = Say(payload=_message(question, ident, answer=True), ident=ident ^ 0xFFFF)
        for sight in flow.back:
            clock += sight.pause
            packets.append(answered(flow, clock, sight, reply, query))
        clock += 50
    return packets, clock


def _fits(name: str) -> bool:
    return len(name) <= 253 and all(0 < len(label.encode()) <= 63 for label in name.rstrip(".").split("."))


def _message(question: Question, ident: int, *, answer: bool) -> bytes:
    types = {"A": 1, "AAAA": 28}
    asked = dpkt.dns.DNS.Q(name=question.name.rstrip("."), type=types[question.qtype], cls=1)
    message = dpkt.dns.DNS(id=ident, rd=1, qd=[asked])
    if answer:
        message.qr, message.rcode = 1, RCODES.get(question.rcode, 2)
        message.aa, message.ra = int(question.ours), int(not question.ours)
        message.an = [_record(question, kind, value) for kind, value in question.records]
    return bytes(message)


def _record(question: Question, kind: str, value: str) -> Any:
    owner = next((v for k, v in question.records if k == "CNAME"), question.name) if kind != "CNAME" else question.name
    record = dpkt.dns.DNS.RR(name=owner.rstrip("."), type={"A": 1, "AAAA": 28, "CNAME": 5}[kind], cls=1)
    record.ttl = question.ttl
    if kind == "CNAME":
        record.cname = value
    elif kind == "A":
        record.ip = ipaddress.ip_address(value).packed
    else:
        record.ip6 = ipaddress.ip_address(value).packed
    return record
