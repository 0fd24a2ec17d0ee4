"""Old and sloppy manifests get the one shape everything else expects."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.engine.manifests import normalize, read
from clusterviz.engine.manifests.infer import infer
from clusterviz.engine.validation import validate

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KINDS = [
    "Service",
    "Deployment",
    "DaemonSet",
    "Pod",
    "Ingress",
    "NetworkPolicy",
    "Node",
    "EndpointSlice",
    "TrafficFlow",
    "X",
]
FIELDS = st.sampled_from(
    [
        "ports",
        "selector",
        "template",
        "rules",
        "ingress",
        "egress",
        "podSelector",
        "containers",
        "from",
        "to",
        "clusterIPs",
        "tls",
        "defaultBackend",
        "backend",
        "replicas",
        "podCIDR",
    ]
)


def tidy(text: str) -> tuple[dict[str, Any], list[str]]:
    return normalize(read(text)[0].object)


@pytest.mark.parametrize("version", ["extensions/v1beta1", "networking.k8s.io/v1beta1"])
def test_an_old_ingress_is_converted(version: str) -> None:
    """IMP-06: serviceName and servicePort, no pathType; the summary says so."""
    obj, notes = tidy(f"""
apiVersion: {version}
kind: Ingress
metadata: {{name: old}}
spec:
  backend: {{serviceName: fallback, servicePort: http}}
  rules:
  - http:
      paths:
      - path: /x
        backend: {{serviceName: api, servicePort: 80}}
      - backend: {{serviceName: web, servicePort: "8080"}}
""")
    assert obj["apiVersion"] == "networking.k8s.io/v1"
    assert obj["spec"]["defaultBackend"] == {"service": {"name": "fallback", "port": {"name": "http"}}}
    paths = obj["spec"]["rules"][0]["http"]["paths"]
    assert [path["backend"]["service"]["port"] for path in paths] == [{"number": 80}, {"number": 8080}]
    assert {path["pathType"] for path in paths} == {"ImplementationSpecific"}
    assert f"converted from {version} to networking.k8s.io/v1" in notes
    assert any("has no pathType" in note for note in notes)
    assert validate(obj) == []


@pytest.mark.parametrize("version", ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"])
def test_an_old_deployment_gets_its_selector(version: str) -> None:
    """Once the selector was taken from the template; today it must be written."""
    obj, notes = tidy(f"""
apiVersion: {version}
kind: Deployment
metadata: {{name: old}}
spec:
  template:
    metadata: {{labels: {{app: x, version: 2}}}}
    spec: {{containers: [{{name: c, image: i}}]}}
status: {{replicas: 3}}
""")
    assert obj["apiVersion"] == "apps/v1"
    assert obj["spec"]["selector"] == {"matchLabels": {"app": "x", "version": "2"}}
    assert "status" not in obj
    assert any("IMP-05" in note for note in notes)
    assert validate(obj) == []


def test_nulls_and_numbers_in_labels_and_selectors() -> None:
    """IMP-03: matchLabels with nothing is {}, an absent selector stays absent, numbers are text."""
    obj, _ = tidy("""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, labels: {version: 1.5, live: true, empty: }}
spec:
  podSelector:
    matchLabels:
  ingress:
  - from:
    - namespaceSelector:
    - podSelector: {matchLabels: {tier: 2}}
""")
    assert obj["metadata"] == {
        "name": "p",
        "namespace": "default",
        "labels": {"version": "1.5", "live": "true", "empty": ""},
    }
    assert obj["spec"]["podSelector"] == {}
    peers = obj["spec"]["ingress"][0]["from"]
    assert peers == [{"namespaceSelector": {}}, {"podSelector": {"matchLabels": {"tier": "2"}}}]
    assert "policyTypes" not in obj["spec"]


def test_services_get_their_defaults() -> None:
    """IMP-04: type ClusterIP, protocol TCP; a missing targetPort stays missing."""
    obj, _ = tidy("apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: None, ports: [{port: 80}]}")
    assert obj["spec"] == {"type": "ClusterIP", "clusterIP": "None", "ports": [{"port": 80, "protocol": "TCP"}]}


def test_cluster_scoped_objects_have_no_namespace() -> None:
    """Whatever their file says."""
    obj, _ = tidy("apiVersion: v1\nkind: Node\nmetadata: {name: n, namespace: shop}")
    assert obj["metadata"] == {"name": "n"}


@st.composite
def wild(draw: st.DrawFn) -> dict[str, Any]:
    """Objects of our kinds whose fields hold anything."""
    spec = draw(
        st.dictionaries(FIELDS, JSON | st.lists(st.dictionaries(FIELDS, JSON, max_size=2), max_size=2), max_size=4)
        | JSON
    )
    return {
        "apiVersion": draw(st.sampled_from(["v1", "apps/v1", "extensions/v1beta1", "networking.k8s.io/v1"]) | JSON),
        "kind": draw(st.sampled_from(KINDS) | JSON),
        "metadata": draw(st.just({"name": "x"}) | JSON),
        "spec": spec,
        "status": draw(JSON),
        **draw(st.dictionaries(st.sampled_from(["endpoints", "ports", "addressType"]), JSON, max_size=2)),
    }


@given(wild())
def test_anything_is_tidied_and_judged_without_an_accident(obj: dict[str, Any]) -> None:
    """No exception whatever the fields hold, the input is left alone, and twice is as good as once."""
    before = copy.deepcopy(obj)
    once, _ = normalize(obj)
    assert obj == before
    assert normalize(once)[0] == once
    for flaw in validate(once):
        assert flaw.message


CONTAINER = st.fixed_dictionaries(
    {"name": st.just("c"), "image": st.just("i")},
    optional=dict.fromkeys(("env", "envFrom", "args", "command", "ports", "restartPolicy"), JSON),
)
REFERENCE = st.dictionaries(st.sampled_from(["name", "key"]), st.sampled_from(["m", "k"]) | JSON)
VARIABLE = st.fixed_dictionaries(
    {"name": st.sampled_from(["HOST", "GET_HOSTS_FROM"])},
    optional={
        "value": st.sampled_from(["dns", "s"]) | JSON,
        "valueFrom": st.fixed_dictionaries({"configMapKeyRef": REFERENCE}) | JSON,
    },
)


@given(CONTAINER, st.lists(VARIABLE, max_size=2), JSON | st.dictionaries(st.sampled_from(["k"]), JSON))
def test_calls_are_inferred_from_whatever_is_valid(container: dict[str, Any], env: list[Any], data: Any) -> None:
    """What validation lets through never breaks the reading of calls."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"env": env, **container}]},
    }
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    objects = [normalize(obj)[0] for obj in (pod, settings, service)]
    if not any(validate(obj) for obj in objects):
        for flow in infer(objects):
            assert validate(flow) == []
