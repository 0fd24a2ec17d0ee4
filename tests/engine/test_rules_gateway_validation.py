"""Gateway API objects kube-apiserver would refuse, with its field paths (GW-01, GW-07, GW-10 to GW-13)."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine.validation import validate
from tests.engine.gateway_world import Obj, gateway, gateway_class, grant, listener, path, route, rule

REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}


def flaws(obj: Obj, old: Obj | None = None) -> list[str]:
    return [str(one) for one in validate(obj, old)]


def rewrite(value: Obj) -> Obj:
    return {"type": "URLRewrite", "urlRewrite": {"path": value}}


PREFIX = rewrite({"type": "ReplacePrefixMatch", "replacePrefixMatch": "/x"})
GOOD = [
    gateway_class(),
    gateway("infra/gw", listener(), listener("tls", "*.x.test", 443, "HTTPS")),
    gateway("infra/gw", listener(allowedRoutes={"namespaces": {"from": "Selector", "selector": {}}})),
    gateway("infra/gw", listener(protocol="example.com/own")),
    gateway("infra/gw", listener("p", port=443, protocol="TLS", tls={"mode": "Passthrough"})),
    gateway("infra/gw", listener("a"), listener("b", "x.test"), addresses=[{"type": "IPAddress", "value": "10.0.0.1"}]),
    route("infra/r", rule("a")),
    route("infra/r", rule(filters=[REDIRECT]), hosts=["*.x.test", "y.test"]),
    route("infra/r", rule("a", matches=[path("/a(b", "RegularExpression")])),
    route("infra/r", rule("a", matches=[path("/a")], filters=[PREFIX])),
    route("infra/r", rule({"name": "a", "kind": "Bucket", "group": "x.io"})),
    route("infra/r", rule("a"), parents=[{"name": "gw", "sectionName": "a"}, {"name": "gw", "sectionName": "b"}]),
    {**route("infra/r", rule("a")), "apiVersion": "gateway.networking.k8s.io/v1beta1"},
    {**grant("infra/g", "team"), "apiVersion": "gateway.networking.k8s.io/v1beta1"},
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "infra"},
        "spec": {"servers": [{}]},
    },
]


@pytest.mark.parametrize("obj", GOOD, ids=lambda obj: str(obj["kind"]))
def test_what_the_api_takes(obj: Obj) -> None:
    assert flaws(obj) == []


def bad_rule(**spec: Any) -> Obj:
    made = route("infra/r")
    made["spec"]["rules"] = [spec]
    return made


BAD: list[tuple[Obj, str]] = [
    (gateway_class(controller="no-path"), "spec.controllerName: Invalid value"),
    ({**gateway("infra/gw"), "spec": {"listeners": [listener()]}}, "spec.gatewayClassName: Required value"),
    ({**gateway("infra/gw"), "spec": {"gatewayClassName": "x"}}, "spec.listeners: Required value"),
    (
        {**gateway("infra/gw"), "spec": {"gatewayClassName": "x", "listeners": []}},
        "spec.listeners: Invalid value: 0: spec.listeners in body should have at least 1 items",
    ),
    ({**gateway("infra/gw"), "apiVersion": "gateway.networking.k8s.io/v1alpha2"}, "apiVersion: no matches for kind"),
    (gateway("infra/gw", {"name": "a", "protocol": "HTTP"}), "spec.listeners[0].port: Required value"),
    (gateway("infra/gw", listener(port=0)), "should be greater than or equal to 1"),
    (gateway("infra/gw", listener(port=65536)), "should be less than or equal to 65535"),
    (gateway("infra/gw", listener(hostname="10.0.0.1")), "must be a DNS name, not an IP address"),
    (gateway("infra/gw", listener(hostname="a.*.test")), "spec.listeners[0].hostname in body should match"),
    (gateway("infra/gw", listener(hostname="*")), "spec.listeners[0].hostname in body should match"),
    (gateway("infra/gw", listener(), listener(port=81)), "Listener name must be unique within the Gateway"),
    (gateway("infra/gw", listener("a"), listener("b")), "Combination of port, protocol and hostname must be unique"),
    (gateway("infra/gw", listener(tls={"mode": "Terminate"})), "tls must not be specified for protocols"),
    (gateway("infra/gw", listener(protocol="HTTPS", tls={"mode": "Passthrough"})), "tls mode must be Terminate"),
    (gateway("infra/gw", listener(protocol="TLS")), "tls mode must be set for protocol TLS"),
    (gateway("infra/gw", listener(protocol="HTTPS", tls={})), "certificateRefs or options must be specified"),
    (gateway("infra/gw", listener(hostname="a.test", protocol="TCP")), "hostname must not be specified"),
    (
        gateway("infra/gw", listener(allowedRoutes={"namespaces": {"from": "Some"}})),
        'namespaces.from: Unsupported value: "Some": supported values: "All", "Same", "Selector"',
    ),
    (gateway("infra/gw", listener(), addresses=[{"value": "x"}]), "spec.addresses[0].value: Invalid value"),
    (gateway("infra/gw", listener(), typo=1), 'unknown field "spec.typo"'),
    (route("infra/r", rule("a"), parents=[{"sectionName": "x"}]), "spec.parentRefs[0].name: Required value"),
    (route("infra/r", rule("a"), parents=[{"name": "gw"}, {"name": "gw"}]), "sectionName or port must be unique"),
    (route("infra/r", rule("a"), hosts=["10.0.0.1"]), "spec.hostnames[0]: Invalid value"),
    (route("infra/r", rule("a"), hosts=["X.test"]), "spec.hostnames[0] in body should match"),
    (route("infra/r", rule({"name": "a"})), "spec.rules[0].backendRefs[0]: Invalid value"),
    (route("infra/r", rule({"port": 80})), "spec.rules[0].backendRefs[0].name: Required value"),
    (route("infra/r", rule({"name": "a", "port": 80, "weight": -1})), "should be greater than or equal to 0"),
    (route("infra/r", rule({"name": "a", "port": 80, "weight": 1000001})), "should be less than or equal to 1000000"),
    (route("infra/r", rule("a", matches=[path("a")])), "value must be an absolute path and start with '/'"),
    (route("infra/r", rule("a", matches=[path("/a//b")])), "must not contain '//'"),
    (route("infra/r", rule("a", matches=[path("/a/..")])), "must not end with '/..'"),
    (route("infra/r", rule("a", matches=[path("/a b", "Exact")])), "must only contain valid characters"),
    (route("infra/r", rule("a", matches=[path("/", "Prefix")])), 'Unsupported value: "Prefix"'),
    (
        route("infra/r", rule("a", matches=[{"method": "get"}])),
        'spec.rules[0].matches[0].method: Unsupported value: "get"',
    ),
    (
        route("infra/r", rule("a", matches=[{"headers": [{"name": "x"}]}])),
        "spec.rules[0].matches[0].headers[0].value: Required value",
    ),
    (
        route("infra/r", rule("a", matches=[{"headers": [{"name": "x", "value": "1"}, {"name": "x", "value": "2"}]}])),
        "spec.rules[0].matches[0].headers[1]: Duplicate value",
    ),
    (
        route("infra/r", rule("a", filters=[REDIRECT])),
        "RequestRedirect filter must not be used together with backendRefs",
    ),
    (route("infra/r", rule("a", filters=[PREFIX])), "exactly one PathPrefix match must be specified"),
    (
        route("infra/r", rule("a", matches=[path("/a", "Exact")], filters=[PREFIX])),
        "When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified",
    ),
    (
        route("infra/r", rule("a", matches=[path("/a"), path("/b")], filters=[PREFIX])),
        "exactly one PathPrefix match must be specified",
    ),
    (bad_rule(filters=[REDIRECT, REDIRECT]), "RequestRedirect filter cannot be repeated"),
    (bad_rule(filters=[REDIRECT, rewrite({"type": "ReplaceFullPath", "replaceFullPath": "/"})]), "but not both"),
    (bad_rule(filters=[{"type": "URLRewrite"}]), "filter.urlRewrite must be specified for URLRewrite filter.type"),
    (
        bad_rule(filters=[{**REDIRECT, "urlRewrite": {}}]),
        "filter.urlRewrite must be nil if the filter.type is not URLRewrite",
    ),
    (bad_rule(filters=[{"type": "Teleport"}]), 'spec.rules[0].filters[0].type: Unsupported value: "Teleport"'),
    (bad_rule(filters=[{}]), "spec.rules[0].filters[0].type: Required value"),
    (
        bad_rule(filters=[{"type": "RequestRedirect", "requestRedirect": {"statusCode": 304}}]),
        "spec.rules[0].filters[0].requestRedirect.statusCode: Unsupported value: 304: supported values: 301, 302",
    ),
    (
        bad_rule(filters=[{"type": "RequestRedirect", "requestRedirect": {"scheme": "ftp"}}]),
        'requestRedirect.scheme: Unsupported value: "ftp"',
    ),
    (
        bad_rule(filters=[{"type": "RequestRedirect", "requestRedirect": {"hostname": "*.x.test"}}]),
        "requestRedirect.hostname in body should match",
    ),
    (bad_rule(filters=[rewrite({"type": "ReplaceFullPath"})]), "replaceFullPath must be specified when type is set"),
    (
        bad_rule(filters=[rewrite({"type": "ReplaceFullPath", "replaceFullPath": "/", "replacePrefixMatch": "/"})]),
        "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set",
    ),
    (bad_rule(filters=[{"type": "RequestMirror", "requestMirror": {}}]), "requestMirror.backendRef: Required value"),
    (bad_rule(backendRef=[]), 'unknown field "spec.rules[0].backendRef"'),
    ({**grant("infra/g", "team"), "spec": {"to": [{"group": "", "kind": "Service"}]}}, "spec.from: Required value"),
    (
        {
            **grant("infra/g", "team"),
            "spec": {"from": [{"group": "", "kind": "X", "namespace": "a"}], "to": [{"kind": "Service"}]},
        },
        "spec.to[0].group: Required value",
    ),
    ({**route("infra/r"), "spec": None}, "spec: Required value"),
    (route("infra/r", rule("a"), hosts=[f"h{i}.test" for i in range(17)]), "spec.hostnames: Too many: 17"),
]


@pytest.mark.parametrize(("obj", "message"), BAD)
def test_what_the_api_refuses(obj: Obj, message: str) -> None:
    found = flaws(obj)
    assert any(message in one for one in found), found


def test_the_controller_of_a_class_is_for_ever() -> None:
    assert "Value is immutable" in flaws(gateway_class(controller="a.io/b"), gateway_class())[0]
    assert flaws(gateway_class(), gateway_class()) == []
