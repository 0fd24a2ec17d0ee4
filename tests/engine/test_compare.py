"""Two snapshots compared: every kind of change, its cause, and the first decision that differs."""

import pytest

from clusterviz.engine import Cluster
from clusterviz.engine.compare import Asked, Comparison, TooManyError, compare, connections, example
from clusterviz.engine.manifests.read import read
from clusterviz.engine.objects import key_of
from tests.engine.test_lint import FLOW, SOUND

WORLD = SOUND + FLOW
NODE_PORT = "spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]}"
PLAIN = "spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}"


def made(text: str) -> Cluster:
    return Cluster.from_objects([one.object for one in read(text)])


def changed(old: str, new: str, world: str = WORLD) -> Comparison:
    """The world compared with itself where ``old`` became ``new``."""
    assert world.count(old) == 1
    return compare(made(world), made(world.replace(old, new)))


def told(found: Comparison) -> list[tuple[str, str, str, bool]]:
    return [(one.kind, *one.pair, one.called) for one in found.connections]


def test_the_same_is_the_same() -> None:
    found = compare(made(WORLD), made(WORLD))
    assert (found.objects, found.connections) == ((), ())
    assert found.same == 9  # three pods, three Service ports


def test_what_is_broken_and_what_is_allowed_are_each_others_mirror() -> None:
    guard = "{podSelector: {matchLabels: {app: web}}}"
    broken = changed(guard, "{podSelector: {matchLabels: {app: nobody}}}")
    assert told(broken) == [("broken", "shop/web", "service shop/db:5000", True)]
    assert broken.connections[0].cause == "now denied_ingress by policy:shop/db"
    assert [str(one) for one in broken.objects] == [
        "changed NetworkPolicy shop/db (spec.ingress[0].from[0].podSelector.matchLabels.app)"
    ]
    allowed = compare(made(WORLD.replace(guard, "{podSelector: {matchLabels: {app: nobody}}}")), made(WORLD))
    assert told(allowed) == [("allowed", "shop/web", "service shop/db:5000", True)]
    assert allowed.connections[0].cause == "was denied_ingress by policy:shop/db"
    shown = example(
        made(WORLD), made(WORLD.replace(guard, "{podSelector: {matchLabels: {app: x}}}")), broken.connections[0]
    )
    assert shown is not None
    assert "allowed by shop/db" in shown.before
    assert "denied by shop/db" in shown.after


def test_other_backends() -> None:
    found = changed("selector: {app: db}", "selector: {app: web}")
    # no policy guards the web pods: who was kept from the database reaches the Service now
    assert {(one.pair.sender, one.kind, one.called) for one in found.connections} == {
        ("shop/web", "other backends", True),
        ("shop/db", "other backends", False),
        ("kube-system/dns", "allowed", False),
    }
    assert "shop/db before, shop/web now" in {one.cause for one in found.connections}


def test_doors_come_and_go_and_sources_change() -> None:
    opened = changed(PLAIN, NODE_PORT)
    assert told(opened) == [("new", "internet", "node ports of shop/web:80", False)]
    local = compare(
        made(WORLD.replace(PLAIN, NODE_PORT)),
        made(WORLD.replace(PLAIN, NODE_PORT.replace("NodePort,", "NodePort, externalTrafficPolicy: Local,"))),
    )
    # only n1 has a pod: n2 answers no more, and what arrives keeps its address (SVC-05, PX-05)
    assert told(local) == [("partly broken", "internet", "node ports of shop/web:80", False)]
    lone = "{kind: Node, apiVersion: v1, metadata: {name: n2}}\n---\n"
    one_node = WORLD.replace(lone, "").replace("nodeName: n2", "nodeName: n1")
    local = compare(
        made(one_node.replace(PLAIN, NODE_PORT)),
        made(one_node.replace(PLAIN, NODE_PORT.replace("NodePort,", "NodePort, externalTrafficPolicy: Local,"))),
    )
    assert told(local) == [("other source", "internet", "node ports of shop/web:80", False)]
    assert local.connections[0].cause == "seen was a node, is the client"


def test_addresses_given_out_are_no_change_of_what_was_written() -> None:
    """A Service more moves the addresses of those after it."""
    more = "---\n{kind: Service, apiVersion: v1, metadata: {name: a, namespace: shop}, spec: {ports: [{port: 1}]}}\n"
    found = compare(made(WORLD), made(WORLD + more))
    assert [str(one) for one in found.objects] == ["added Service shop/a"]
    assert found.connections == ()
    own = {key_of(one.object): one.object for one in read(WORLD)}
    moved = {**own, ("Service", "shop", "db"): {**own["Service", "shop", "db"], "spec": {"clusterIP": "10.96.9.9"}}}
    written = compare(made(WORLD), made(WORLD), Asked(), (own, moved)).objects
    assert [(one.verb, one.key[2], one.fields) for one in written] == [
        ("changed", "db", ("spec.selector", "spec.ports", "spec.clusterIP"))
    ]


def test_namespaces_narrow_it_and_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compare(made(WORLD), made(WORLD), Asked(frozenset({"kube-system"}))).same == 5
    monkeypatch.setattr(connections, "MOST", 3)
    with pytest.raises(TooManyError, match="9 connections are too many: at most 3"):
        compare(made(WORLD), made(WORLD))
