"""Laws every trace obeys, on random clusters, settings and probes."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Probe, Trace, trace
from clusterviz.engine.commands import command_for
from clusterviz.engine.explain import sentence
from clusterviz.engine.packet import ICMP, IP, L4, Header, Stack
from clusterviz.engine.trace import SUCCESSES, Action, Hop
from tests.strategies import clusters, objects, probes


@st.composite
def answers(draw: st.DrawFn) -> tuple[Cluster, Trace]:
    cluster = draw(clusters())
    return cluster, trace(cluster, draw(probes(cluster)))


def walk_all(found: Trace) -> list[Hop]:
    hops = [*found.forward, *found.reverse]
    for child in found.children:
        hops += walk_all(child.trace)
    return hops


def inner(stack: Stack, kind: type) -> Header | None:
    return next((header for header in reversed(stack) if isinstance(header, kind)), None)


@given(answers())
def test_every_hop_gets_what_the_one_before_it_sent(answer: tuple[Cluster, Trace]) -> None:
    for leg in (answer[1].forward, answer[1].reverse):
        for before, after in itertools.pairwise(leg):
            assert before.headers_out == after.headers_in


def apply_step(stack: Stack, step: object) -> Stack:
    """The stack after a step's pops, field changes and pushes."""
    pop, push = step.pop, step.push  # type: ignore[attr-defined]
    assert stack[: len(pop)] == pop or not pop
    stack = stack[len(pop) :]
    for diff in step.diffs:  # type: ignore[attr-defined]
        places = [i for i, header in enumerate(stack) if type(header).__struct_config__.tag == diff.layer]
        place = places[-1]
        header = stack[place]
        assert str(getattr(header, diff.field)) == diff.old
        kind = type(getattr(header, diff.field))
        changed = msgspec.structs.replace(header, **{diff.field: kind(diff.new)})
        stack = (*stack[:place], changed, *stack[place + 1 :])
    return tuple(push) + stack


@given(answers())
def test_every_header_change_is_owned_by_exactly_one_step(answer: tuple[Cluster, Trace]) -> None:
    for hop in walk_all(answer[1]):
        stack = hop.headers_in
        for step in hop.steps:
            stack = apply_step(stack, step)
        assert stack == hop.headers_out


@given(answers())
def test_the_reply_comes_from_the_address_that_was_called(answer: tuple[Cluster, Trace]) -> None:
    found = answer[1]
    if not found.reverse or not found.forward:
        return
    asked, answered = found.forward[0].headers_in, found.reverse[-1].headers_out
    question, reply = inner(asked, IP), inner(answered, IP)
    assert isinstance(question, IP) and isinstance(reply, IP)
    assert reply.dst == question.src
    if inner(answered, ICMP) != ICMP("port-unreachable"):  # a refusal comes from whoever refused
        assert reply.src == question.dst
    ports, back = inner(asked, L4), inner(answered, L4)
    if isinstance(ports, L4) and isinstance(back, L4):
        assert (back.sport, back.dport) == (ports.dport, ports.sport)


@given(answers())
def test_wraps_and_unwraps_balance_on_the_way_to_a_pod(answer: tuple[Cluster, Trace]) -> None:
    found = answer[1]
    for leg in (found.forward, found.reverse):
        actions = [step.action for hop in leg for step in hop.steps]
        if found.verdict in SUCCESSES:
            assert actions.count(Action.ENCAPSULATED) == actions.count(Action.DECAPSULATED)


@given(st.data())
def test_the_same_question_gives_the_same_bytes(data: st.DataObject) -> None:
    made = data.draw(objects())
    cluster = Cluster.from_objects(made)
    probe = data.draw(probes(cluster))
    again = Cluster.from_objects(list(reversed(made)))
    first = msgspec.json.encode(trace(cluster, probe).to_dict())
    assert msgspec.json.encode(trace(again, probe).to_dict()) == first
    assert cluster.fingerprint == again.fingerprint


@given(answers())
def test_odds_sum_to_one(answer: tuple[Cluster, Trace]) -> None:
    found = answer[1]
    if found.branches:
        assert sum(branch.probability for branch in found.branches) == pytest.approx(1)
        assert sum(branch.chosen for branch in found.branches) == 1
    for hop in walk_all(found):
        for step in hop.steps:
            if step.action is Action.LOAD_BALANCED:
                assert sum(c.probability for c in step.candidates) == pytest.approx(1)
                assert all(bool(c.why) == (c.probability == 0) for c in step.candidates)


@given(answers())
def test_what_does_not_arrive_names_who_stopped_it(answer: tuple[Cluster, Trace]) -> None:
    found = answer[1]
    if found.success:
        assert not found.blockers and found.first_failing_step is None
    else:
        assert found.blockers
        assert all(blocker.rule and blocker.why and blocker.ref for blocker in found.blockers)
        assert found.blockers[0].verdict == found.verdict


@given(answers())
def test_ttl_falls_by_one_at_each_routed_hop_and_nowhere_else(answer: tuple[Cluster, Trace]) -> None:
    for hop in answer[1].forward:
        came, gone = inner(hop.headers_in, IP), inner(hop.headers_out, IP)
        if not isinstance(came, IP) or not isinstance(gone, IP) or gone.ttl == 64:
            continue
        routed = any(diff.field == "ttl" for step in hop.steps if step.action is Action.ROUTED for diff in step.diffs)
        assert came.ttl - gone.ttl == (1 if routed else 0)


@given(answers())
def test_every_step_has_words_and_every_word_is_filled_in(answer: tuple[Cluster, Trace]) -> None:
    for hop in walk_all(answer[1]):
        for step in hop.steps:
            for level in ("novice", "operator"):
                text = sentence(step, hop, level)
                assert text and "?" not in text and "None" not in text
            assert "{" not in command_for(step, hop).replace("{.items", "")
            assert command_for(step, hop)


@given(answers())
def test_pod_to_pod_is_never_rewritten(answer: tuple[Cluster, Trace]) -> None:
    """NET-01: the receiver sees the sender's pod IP."""
    cluster, found = answer
    probe = found.probe
    if probe.source.kind != "pod" or probe.destination.kind != "pod" or not found.forward:
        return
    sender = cluster.pods[(probe.source.namespace, probe.source.name)]
    receiver = cluster.pods[(probe.destination.namespace, probe.destination.name)]
    if sender.host_network or receiver.host_network:
        return
    for hop in found.forward:
        for stack in (hop.headers_in, hop.headers_out):
            header = inner(stack, IP)
            assert isinstance(header, IP)
            assert (header.src, header.dst) == (sender.ip, receiver.ip)


@given(objects())
def test_every_pod_has_its_own_address(made: list[dict[str, object]]) -> None:
    cluster = Cluster.from_objects(made)
    own = [ip for pod in cluster.pods.values() if not pod.host_network for ip in pod.ips]
    assert len(own) == len(set(own))
    for pod in cluster.pods.values():
        if pod.host_network:
            assert pod.ip == cluster.nodes[pod.node].ip


@given(answers())
def test_waypoints_start_at_the_sender_and_point_at_hops(answer: tuple[Cluster, Trace]) -> None:
    found = answer[1]
    assert found.waypoints
    for waypoint in found.waypoints:
        assert 0 <= waypoint.hop <= len(found.forward)
    refs = [waypoint.ref for waypoint in found.waypoints]
    assert all(a != b for a, b in itertools.pairwise(refs))


@given(clusters(), st.data())
def test_applying_changes_equals_building_anew(cluster: Cluster, data: st.DataObject) -> None:
    from clusterviz.engine import Change

    if not cluster.pods:
        return
    gone = data.draw(st.sampled_from(sorted(cluster.pods)))
    probe = data.draw(probes(cluster))
    cluster.warnings  # noqa: B018 - fill the lazy indexes, so that a stale one would be seen
    trace(cluster, probe)
    changed = cluster.apply([Change("unset", ("Pod", *gone))])
    rebuilt = Cluster.from_objects(changed.objects.values(), changed.settings, expand=False)
    assert changed.fingerprint == rebuilt.fingerprint
    assert gone not in changed.pods and gone in cluster.pods
    other = Probe.parse("internet", "203.0.113.80:443")
    assert trace(changed, other) == trace(rebuilt, other)
    for service in changed.services.values():
        assert changed.endpoints(service) == rebuilt.endpoints(service)
