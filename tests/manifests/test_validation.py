"""What kube-apiserver refuses, at which field, in which words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from clusterviz.engine.manifests.read import read_value
from clusterviz.engine.objects import Obj
from clusterviz.engine.validation import validate

GOOD: dict[str, str] = {
    "Service": """
apiVersion: v1
kind: Service
metadata: {name: s, namespace: shop}
spec:
  selector: {app: x}
  ports: [{name: http, port: 80, targetPort: web}, {name: dns, port: 53, protocol: UDP}]
""",
    "Deployment": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  replicas: 1
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x, tier: web}}
    spec: {containers: [{name: c, image: i, ports: [{name: web, containerPort: 80}]}]}
""",
    "Pod": """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {nodeName: n1, containers: [{name: c, image: i, env: [{name: A, value: b}]}]}
""",
    "Ingress": """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec:
  rules:
  - host: "*.example.com"
    http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}
""",
    "NetworkPolicy": """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: n}
spec:
  podSelector: {matchExpressions: [{key: app, operator: In, values: [a]}]}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{ipBlock: {cidr: 10.0.0.5/8, except: [10.1.0.0/16]}}, {podSelector: {}}], ports: [{port: web}]}, {}]
  egress: [{to: [{namespaceSelector: {}}], ports: [{port: 80, endPort: 90}]}]
""",
    "Node": """
apiVersion: v1
kind: Node
metadata: {name: n}
spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.0.11}]}
""",
    "EndpointSlice": """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: e}
addressType: IPv4
endpoints: [{addresses: [192.0.2.1]}]
ports: [{name: http, port: 80}]
""",
    "TrafficFlow": """
apiVersion: clusterviz.dev/v1
kind: TrafficFlow
metadata: {name: f}
spec:
  from: {kind: Deployment, name: web}
  to: {host: api.shop, port: 80, protocol: TCP, scheme: http, path: /x}
  requestsPerSecond: 2.5
""",
}
CASES: list[tuple[str, str, Any, str, str]] = [
    ("Deployment", "apiVersion", "v1", "apiVersion", 'no matches for kind "Deployment" in version "v1"'),
    ("Deployment", "apiVersion", "apps/v2", "apiVersion", 'expected "apps/v1"'),
    ("Ingress", "apiVersion", "networking.k8s.io/v2", "apiVersion", "no matches for kind"),
    ("Service", "metadata.name", "1st", "metadata.name", "a DNS-1035 label must consist of"),
    ("Service", "metadata.name", None, "metadata.name", "Required value: name or generateName is required"),
    ("Service", "metadata.name", "a" * 64, "metadata.name", "must be no more than 63 characters"),
    ("Service", "metadata.namespace", "Shop", "metadata.namespace", "a lowercase RFC 1123 label must consist of"),
    ("Service", "metadata.labels", {"-a": "b"}, "metadata.labels", "name part must consist of"),
    ("Service", "metadata.labels", {"a": "b c"}, "metadata.labels", "a valid label must be an empty string or"),
    ("Service", "metadata.labels", {"UPPER.example/x": "y"}, "metadata.labels", "prefix part a lowercase"),
    ("Service", "metadata.annotations", {"a": 5}, "metadata.annotations[a]", "must be a string"),
    ("Service", "spec.ports", None, "spec.ports", "Required value"),
    ("Service", "spec.ports", "http", "spec.ports", "must be a list"),
    ("Service", "spec.ports[0].port", 0, "spec.ports[0].port", "must be between 1 and 65535, inclusive"),
    ("Service", "spec.ports[0].port", 65536, "spec.ports[0].port", "must be between 1 and 65535, inclusive"),
    ("Service", "spec.ports[0].port", "80", "spec.ports[0].port", "must be an integer"),
    ("Service", "spec.ports[0].name", None, "spec.ports[0].name", "Required value"),
    ("Service", "spec.ports[1].name", "http", "spec.ports[1].name", 'Duplicate value: "http"'),
    ("Service", "spec.ports[0].protocol", "HTTP", "spec.ports[0].protocol", 'supported values: "SCTP", "TCP", "UDP"'),
    ("Service", "spec.ports[0].targetPort", "Web_1", "spec.ports[0].targetPort", "must contain only alpha-numeric"),
    ("Service", "spec.ports[0].targetPort", 99999, "spec.ports[0].targetPort", "must be between 1 and 65535"),
    (
        "Service",
        "spec.ports[0].nodePort",
        31000,
        "spec.ports[0].nodePort",
        "may not be used when `type` is 'ClusterIP'",
    ),
    ("Service", "spec.type", "Ingress", "spec.type", 'Unsupported value: "Ingress"'),
    ("Service", "spec.clusterIP", "ten", "spec.clusterIPs[0]", "must be a valid IP address"),
    (
        "Service",
        "spec.clusterIPs",
        ["10.96.0.3", "10.96.0.4"],
        "spec.clusterIPs",
        "no more than one IP for each IP family",
    ),
    ("Service", "spec.sessionAffinity", "Cookie", "spec.sessionAffinity", 'supported values: "ClientIP", "None"'),
    ("Service", "spec.externalIPs", ["x"], "spec.externalIPs[0]", "must be a valid IP address"),
    (
        "Service",
        "spec.loadBalancerSourceRanges",
        ["10.0.0.1"],
        "spec.loadBalancerSourceRanges[0]",
        "must be a valid CIDR",
    ),
    ("Deployment", "spec.replicas", -1, "spec.replicas", "must be greater than or equal to 0"),
    ("Deployment", "spec.replicas", True, "spec.replicas", "must be an integer"),
    ("Deployment", "spec.selector", None, "spec.selector", "Required value"),
    ("Deployment", "spec.selector", {"matchLabels": {}}, "spec.selector", "empty selector is invalid"),
    ("Deployment", "spec.template", None, "spec.template", "Required value"),
    (
        "Deployment",
        "spec.template.metadata.labels",
        {"app": "y"},
        "spec.template.metadata.labels",
        "`selector` does not match template `labels`",
    ),
    ("Deployment", "spec.template.spec.containers", [], "spec.template.spec.containers", "Required value"),
    (
        "Deployment",
        "spec.template.spec.containers[0].name",
        "C",
        "spec.template.spec.containers[0].name",
        "RFC 1123 label",
    ),
    (
        "Deployment",
        "spec.template.spec.containers[0].image",
        None,
        "spec.template.spec.containers[0].image",
        "Required value",
    ),
    (
        "Deployment",
        "spec.template.spec.restartPolicy",
        "Never",
        "spec.template.spec.restartPolicy",
        'supported values: "Always"',
    ),
    (
        "Deployment",
        "spec.selector.matchExpressions",
        [{"key": "a", "operator": "Is"}],
        "spec.selector.matchExpressions[0].operator",
        "not a valid selector operator",
    ),
    (
        "Pod",
        "spec.containers[0].ports",
        [{"containerPort": 0}],
        "spec.containers[0].ports[0].containerPort",
        "Required value",
    ),
    (
        "Pod",
        "spec.containers[0].ports",
        [{"containerPort": 80, "name": "x"}, {"containerPort": 81, "name": "x"}],
        "spec.containers[0].ports[1].name",
        "Duplicate value",
    ),
    ("Pod", "spec.containers[0].env", [{"value": "x"}], "spec.containers[0].env[0].name", "Required value"),
    ("Pod", "spec.initContainers", [{"name": "c", "image": "i"}], "spec.containers[0].name", 'Duplicate value: "c"'),
    ("Pod", "spec.dnsPolicy", "Mine", "spec.dnsPolicy", "Unsupported value"),
    ("Pod", "status", {"podIP": "nowhere"}, "status.podIP", "must be a valid IP address"),
    ("Ingress", "spec.rules", None, "spec", "either `defaultBackend` or `rules` must be specified"),
    ("Ingress", "spec.rules[0].host", "*", "spec.rules[0].host", "a wildcard DNS-1123 subdomain must start with"),
    ("Ingress", "spec.rules[0].host", "192.0.2.1", "spec.rules[0].host", "must be a DNS name, not an IP address"),
    ("Ingress", "spec.rules[0].host", "a_b.example", "spec.rules[0].host", "RFC 1123 subdomain"),
    ("Ingress", "spec.rules[0].http.paths", [], "spec.rules[0].http.paths", "Required value"),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].path",
        "a",
        "spec.rules[0].http.paths[0].path",
        "must be an absolute path",
    ),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].path",
        "/a//b",
        "spec.rules[0].http.paths[0].path",
        "must not contain '//'",
    ),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].pathType",
        None,
        "spec.rules[0].http.paths[0].pathType",
        "pathType must be specified",
    ),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].pathType",
        "Regex",
        "spec.rules[0].http.paths[0].pathType",
        "Unsupported value",
    ),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].backend",
        {},
        "spec.rules[0].http.paths[0].backend",
        "resource or service backend is required",
    ),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].backend.service.name",
        None,
        "spec.rules[0].http.paths[0].backend.service.name",
        "Required value",
    ),
    (
        "Ingress",
        "spec.rules[0].http.paths[0].backend.service.port",
        {},
        "spec.rules[0].http.paths[0].backend.service.port",
        "port name or number is required",
    ),
    ("NetworkPolicy", "spec.policyTypes", ["Both"], "spec.policyTypes[0]", "Unsupported value"),
    (
        "NetworkPolicy",
        "spec.ingress[0].ports[0].port",
        0,
        "spec.ingress[0].ports[0].port",
        "must be between 1 and 65535",
    ),
    (
        "NetworkPolicy",
        "spec.ingress[0].ports[0].endPort",
        9,
        "spec.ingress[0].ports[0].endPort",
        "when `port` is non-numeric",
    ),
    (
        "NetworkPolicy",
        "spec.egress[0].ports[0].endPort",
        79,
        "spec.egress[0].ports[0].endPort",
        "must be greater than or equal to `port`",
    ),
    (
        "NetworkPolicy",
        "spec.egress[0].ports[0].port",
        None,
        "spec.egress[0].ports[0].endPort",
        "when `port` is not specified",
    ),
    ("NetworkPolicy", "spec.egress[0].to[0]", {}, "spec.egress[0].to[0]", "must specify a peer"),
    (
        "NetworkPolicy",
        "spec.ingress[0].from[0].podSelector",
        {},
        "spec.ingress[0].from[0]",
        "may not specify both ipBlock and another peer",
    ),
    (
        "NetworkPolicy",
        "spec.ingress[0].from[0].ipBlock.cidr",
        "10.0.0.0",
        "spec.ingress[0].from[0].ipBlock.cidr",
        "must be a valid CIDR value",
    ),
    (
        "NetworkPolicy",
        "spec.ingress[0].from[0].ipBlock.except",
        ["192.168.0.0/16"],
        "spec.ingress[0].from[0].ipBlock.except[0]",
        "must be a strict subset of `cidr`",
    ),
    (
        "NetworkPolicy",
        "spec.podSelector.matchExpressions[0].values",
        [],
        "spec.podSelector.matchExpressions[0].values",
        "must be specified when `operator` is 'In' or 'NotIn'",
    ),
    (
        "NetworkPolicy",
        "spec.podSelector.matchExpressions[0].operator",
        "Exists",
        "spec.podSelector.matchExpressions[0].values",
        "may not be specified when `operator` is 'Exists'",
    ),
    ("Node", "spec.podCIDR", "10.244.0.0", "spec.podCIDR", "must be a valid CIDR value"),
    ("Node", "status.addresses[0].address", "here", "status.addresses[0].address", "must be a valid IP address"),
    ("EndpointSlice", "addressType", None, "addressType", "Required value"),
    ("EndpointSlice", "endpoints[0].addresses", [], "endpoints[0].addresses", "must contain at least 1 address"),
    ("EndpointSlice", "endpoints[0].addresses", ["x"], "endpoints[0].addresses[0]", "must be a valid IP address"),
    ("TrafficFlow", "spec.from.kind", "Robot", "spec.from.kind", "Unsupported value"),
    ("TrafficFlow", "spec.from.name", None, "spec.from.name", "Required value"),
    ("TrafficFlow", "spec.to.host", "a b", "spec.to.host", "RFC 1123 subdomain"),
    ("TrafficFlow", "spec.to.port", None, "spec.to.port", "must be between 1 and 65535"),
    ("TrafficFlow", "spec.to.path", "x", "spec.to.path", "must be an absolute path"),
    ("TrafficFlow", "spec.requestsPerSecond", -1, "spec.requestsPerSecond", "must be between 0 and 10000"),
    ("TrafficFlow", "spec.requestsPerSecond", "lots", "spec.requestsPerSecond", "must be a number"),
]
IMMUTABLE = [
    ("Service", "spec.clusterIP", "10.96.3.3", "10.96.3.4", "spec.clusterIPs[0]", "may not change once set"),
    ("Deployment", "spec.selector", {"matchLabels": {"tier": "web"}}, None, "spec.selector", "field is immutable"),
    ("Pod", "spec.nodeName", "n2", None, "spec.nodeName", "Forbidden"),
    ("Node", "spec.podCIDR", "10.244.9.0/24", None, "spec.podCIDR", "may not change podCIDR"),
    ("EndpointSlice", "addressType", "FQDN", None, "addressType", "field is immutable"),
]


def good(kind: str) -> Obj:
    value: Obj = read_value(GOOD[kind])[0]
    return value


def change(obj: Obj, path: str, value: Any) -> Obj:
    """A copy with one field replaced, or left out for None."""
    obj = copy.deepcopy(obj)
    at: Any = obj
    *way, last = path.replace("[", ".[").split(".")
    for step in way:
        at = at[int(step[1:-1])] if step[0] == "[" else at.setdefault(step, {})
    if last[0] == "[":
        at[int(last[1:-1])] = value
    elif value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return obj


@pytest.mark.parametrize("kind", GOOD)
def test_good_objects_pass(kind: str) -> None:
    """Nothing to complain about, neither new nor replacing itself."""
    assert validate(good(kind)) == []
    assert validate(good(kind), good(kind)) == []


@pytest.mark.parametrize(("kind", "path", "value", "field", "message"), CASES)
def test_one_wrong_field(kind: str, path: str, value: Any, field: str, message: str) -> None:
    """The flaw stands at its field and says what is allowed."""
    flaws = validate(change(good(kind), path, value))
    assert [flaw for flaw in flaws if flaw.field == field and message in flaw.message], [str(flaw) for flaw in flaws]


@pytest.mark.parametrize(("kind", "path", "value", "before", "field", "message"), IMMUTABLE)
def test_what_may_not_change(kind: str, path: str, value: Any, before: Any, field: str, message: str) -> None:
    """Against the object that is replaced; alone the new one would pass."""
    old = change(good(kind), path, before) if before is not None else good(kind)
    new = change(good(kind), path, value)
    if path == "spec.podCIDR":
        new["spec"]["podCIDRs"] = [value]
    flaws = validate(new, old)
    assert [flaw for flaw in flaws if flaw.field == field and message in flaw.message], [str(flaw) for flaw in flaws]


def test_ports_of_one_number_and_two_protocols_are_two_ports() -> None:
    """SVC-11; the same protocol twice is one too many."""
    service = change(good("Service"), "spec.ports[1]", {"name": "b", "port": 80, "protocol": "UDP"})
    assert validate(service) == []
    flaws = validate(change(service, "spec.ports[1].protocol", "TCP"))
    assert [flaw.field for flaw in flaws] == ["spec.ports[1]"]


def test_headless_and_external_names() -> None:
    """SVC-08: headless needs no ports but cannot be a NodePort; SVC-09: ExternalName needs its name."""
    headless = change(change(good("Service"), "spec.ports", None), "spec.clusterIP", "None")
    assert validate(headless) == []
    assert "may not be set to 'None'" in str(validate(change(headless, "spec.type", "NodePort"))[0])
    external = change(change(good("Service"), "spec.ports", None), "spec.type", "ExternalName")
    assert [str(flaw) for flaw in validate(external)] == ["spec.externalName: Required value"]
    assert validate(change(external, "spec.externalName", "db.example.com.")) == []


def test_several_flaws_are_all_told() -> None:
    """Not only the first."""
    service = change(change(good("Service"), "spec.ports[0].port", 0), "spec.ports[1].port", 70000)
    assert [flaw.field for flaw in validate(service)] == ["spec.ports[0].port", "spec.ports[1].port"]
