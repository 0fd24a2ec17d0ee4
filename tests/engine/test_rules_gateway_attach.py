"""Rules GW-01, GW-10 and GW-13: which listener a route is attached to, and why not."""

from __future__ import annotations

import pytest

from clusterviz.engine.gateway import attachments
from tests.engine.gateway_world import Obj, build, gateway, grant, listener, route, rule, service

TEAM = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "team", "labels": {"tier": "web"}}}


def attached(*objects: Obj) -> list[tuple[str, str]]:
    """(listener, reason) of every attachment; reason "" is accepted."""
    return [(one.listener, one.reason) for one in attachments(build(*objects))]


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ({"name": "gw"}, [("http", ""), ("alt", ""), ("tls", "")]),
        ({"name": "gw", "sectionName": "alt"}, [("alt", "")]),
        ({"name": "gw", "port": 443}, [("tls", "")]),
        ({"name": "gw", "port": 443, "sectionName": "tls"}, [("tls", "")]),
        ({"name": "gw", "port": 80, "sectionName": "tls"}, [("", "NoMatchingParent")]),
        ({"name": "gw", "sectionName": "none"}, [("", "NoMatchingParent")]),
        ({"name": "gw", "port": 81}, [("", "NoMatchingParent")]),
        ({"name": "other"}, [("", "NoMatchingParent")]),
        ({"name": "gw", "namespace": "elsewhere"}, [("", "NoMatchingParent")]),
        ({"name": "web", "kind": "Service", "group": ""}, [("", "InvalidKind")]),
    ],
)
def test_gw_01_what_a_parent_ref_points_at(parent: Obj, expected: list[tuple[str, str]]) -> None:
    made = gateway("infra/gw", listener(), listener("alt", port=8080), listener("tls", port=443, protocol="HTTPS"))
    assert attached(made, route("infra/r", rule("a"), parents=[parent])) == expected


@pytest.mark.parametrize(
    ("allowed", "reason"),
    [
        ({}, "NotAllowedByListeners"),
        ({"namespaces": {"from": "Same"}}, "NotAllowedByListeners"),
        ({"namespaces": {"from": "All"}}, ""),
        ({"namespaces": {"from": "None"}}, "NotAllowedByListeners"),
        ({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"tier": "web"}}}}, ""),
        ({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"tier": "db"}}}}, "NotAllowedByListeners"),
        ({"namespaces": {"from": "Selector", "selector": {}}}, ""),
        ({"namespaces": {"from": "Selector"}}, "NotAllowedByListeners"),
        (
            {
                "namespaces": {
                    "from": "Selector",
                    "selector": {"matchLabels": {"kubernetes.io/metadata.name": "team"}},
                }
            },
            "",
        ),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "HTTPRoute"}]}, ""),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "GRPCRoute"}]}, "NotAllowedByListeners"),
        ({"namespaces": {"from": "All"}, "kinds": [{"kind": "HTTPRoute", "group": "x.io"}]}, "NotAllowedByListeners"),
        (
            {"namespaces": {"from": "All"}, "kinds": [{"kind": "TLSRoute"}, {"kind": "HTTPRoute"}]},
            "",
        ),
    ],
)
def test_gw_01_whom_a_listener_allows(allowed: Obj, reason: str) -> None:
    made = gateway("infra/gw", listener(allowedRoutes=allowed))
    other = route("team/r", rule("a"), parents=[{"name": "gw", "namespace": "infra"}])
    assert attached(TEAM, made, other) == [("http", reason)]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (listener(protocol="TCP", port=90), "NotAllowedByListeners"),
        (listener(protocol="TLS", port=443, tls={"mode": "Passthrough"}), "NotAllowedByListeners"),
        (listener(protocol="http"), ""),
        (listener(protocol="example.com/own"), "UnsupportedProtocol"),
        (
            listener(protocol="HTTPS", port=443, tls={"certificateRefs": [{"name": "c", "namespace": "certs"}]}),
            "RefNotPermitted",
        ),
    ],
)
def test_gw_01_listeners_that_take_no_http_route(made: Obj, reason: str) -> None:
    assert attached(gateway("infra/gw", made), route("infra/r", rule("a"))) == [("http", reason)]


def test_gw_10_a_certificate_of_another_namespace_needs_a_grant() -> None:
    tls = {"certificateRefs": [{"name": "c", "namespace": "certs"}]}
    made = gateway("infra/gw", listener(protocol="HTTPS", port=443, tls=tls))
    allowed = grant("certs/g", "infra", kind="Gateway", to="Secret", only="c")
    assert attached(made, allowed, route("infra/r", rule("a"))) == [("http", "")]
    other = grant("certs/g", "infra", kind="Gateway", to="Secret", only="d")
    assert attached(made, other, route("infra/r", rule("a"))) == [("http", "RefNotPermitted")]


def test_gw_13_listeners_that_cannot_be_told_apart_take_nothing() -> None:
    same = gateway("infra/gw", listener("one"), listener("two"))
    assert [reason for _, reason in attached(same, route("infra/r", rule("a")))] == ["HostnameConflict"] * 2
    mixed = gateway("infra/gw", listener("one"), listener("two", protocol="HTTPS"))
    assert [reason for _, reason in attached(mixed, route("infra/r", rule("a")))] == ["ProtocolConflict"] * 2
    hosts = gateway("infra/gw", listener("one", "a.test"), listener("two", "b.test"))
    assert [reason for _, reason in attached(hosts, route("infra/r", rule("a")))] == ["", ""]


def test_gw_10_references_that_do_not_hold_are_told_and_leave_the_route_attached() -> None:
    """GW-08: reasons of the condition ResolvedRefs, by rule and backend."""
    far = {"name": "far", "namespace": "other", "port": 80}
    made = route("infra/r", rule("a"), rule("none", {"name": "a", "kind": "Secret", "port": 80}, far))
    cluster = build(gateway("infra/gw"), service("infra/a"), made)
    found = attachments(cluster)[0]
    assert found.accepted and [(one.rule, one.backend, one.reason) for one in found.unresolved] == [
        (1, 0, "BackendNotFound"),
        (1, 1, "InvalidKind"),
        (1, 2, "RefNotPermitted"),
    ]
