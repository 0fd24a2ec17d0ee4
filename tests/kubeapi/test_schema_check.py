"""Strict field validation, types, required fields and closed lists, in kube-apiserver's words."""

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.kubeapi.schema import (
    ANY,
    crd_walker,
    definitions,
    duplicate_fields,
    schema_for,
    strict_error,
    type_error,
    unknown_fields,
    validate,
)

GROUPS = {
    "Deployment": "apps",
    "Ingress": "networking.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "CronJob": "batch",
}


def schema(kind):
    return schema_for((GROUPS.get(kind, ""), "v1", kind))


def read(text):
    return yaml.safe_load(text)


def test_unknown_fields_are_named_by_their_path():
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"anything": "goes"}, "lables": {}},
        "spec": {
            "replicaz": 3,
            "template": {"spec": {"containers": [{"name": "a"}, {"name": "b", "imagee": "x", "ports": [{"port": 1}]}]}},
        },
    }
    words = unknown_fields(obj, schema("Deployment"))
    assert words == [
        'unknown field "metadata.lables"',
        'unknown field "spec.replicaz"',
        'unknown field "spec.template.spec.containers[1].imagee"',
        'unknown field "spec.template.spec.containers[1].ports[0].port"',
    ]
    assert strict_error(words[1:2]) == 'strict decoding error: unknown field "spec.replicaz"'


def test_a_kind_without_schema_has_every_field():
    assert unknown_fields({"spec": {"x": 1}}, ANY) == []
    assert schema_for(("example.com", "v1", "Widget")).known is False


def test_a_custom_resource_has_the_fields_of_its_definition():
    root = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {}}},
        },
    }
    place = crd_walker(root, definitions())
    obj = {"apiVersion": "e/v1", "kind": "W", "metadata": {"nmae": "x"}, "spec": {"sise": 1}, "free": {"b": 1}}
    assert unknown_fields(obj, place) == ['unknown field "metadata.nmae"', 'unknown field "spec.sise"']
    assert [str(flaw) for flaw in validate(obj, place)] == ["spec.size: Required value"]
    with pytest.raises(ValueError, match="openAPIV3Schema"):
        crd_walker({"properties": 3}, definitions())


def test_fields_said_twice():
    body = b'{"spec": {"replicas": 1, "replicas": 2, "list": [{"a": 1, "a": 2, "a": 3}]}, "kind": "x", "kind": "y"}'
    assert duplicate_fields(body) == [
        'duplicate field "kind"',
        'duplicate field "spec.replicas"',
        'duplicate field "spec.list[0].a"',
    ]
    for broken in (b"{", b"[" * 100_000, b"\xff"):
        with pytest.raises(ValueError, match=r"depth|decode|line"):
            duplicate_fields(broken)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (
            "Deployment",
            "spec: {replicas: three}",
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "Deployment",
            "spec: {replicas: 1.5}",
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "Deployment",
            "spec: {replicas: 2147483648}",
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "Pod",
            "spec: {containers: {name: a}}",
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            "Pod",
            "spec: {containers: [{env: [{value: 1}]}]}",
            "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string",
        ),
        (
            "Pod",
            "metadata: {labels: {a: true}}",
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            "Service",
            "spec: {ports: [{targetPort: {}}]}",
            "json: cannot unmarshal object into Go struct field ServicePort.spec.ports.targetPort of type int32",
        ),
        (
            "Pod",
            "spec: {containers: [{resources: {limits: {cpu: 1 core}}}]}",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        ("Secret", "data: {a: 'ab$='}", "illegal base64 data at input byte 2"),
        ("Service", "spec: {ports: [{targetPort: http}, {targetPort: 80}]}", ""),
        ("Pod", "spec: {containers: [{resources: {limits: {cpu: 1, memory: 1Gi}}}], nodeName: null}", ""),
    ],
)
def test_a_value_of_the_wrong_type_cannot_be_decoded(kind, text, words):
    assert type_error(read(text), schema(kind)) == words


@pytest.mark.parametrize(
    ("kind", "text", "flaws"),
    [
        (
            "Deployment",
            "spec: {template: {spec: {containers: [{image: x}]}}}",
            ["spec.selector: Required value", "spec.template.spec.containers[0].name: Required value"],
        ),
        ("Pod", "metadata: {name: a}", ["spec.containers: Required value"]),
        ("Pod", "spec: {containers: []}", ["spec.containers: Required value"]),
        (
            "Service",
            "spec: {sessionAffinity: Node, ports: [{port: 80, protocol: tcp}]}",
            [
                'spec.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
                'spec.sessionAffinity: Unsupported value: "Node": supported values: "ClientIP", "None"',
            ],
        ),
        (
            "NetworkPolicy",
            "spec: {policyTypes: [Ingress, egress]}",
            ['spec.policyTypes[1]: Unsupported value: "egress": supported values: "Egress", "Ingress"'],
        ),
        (
            "CronJob",
            "spec: {schedule: '* * * * *'}",
            ["spec.jobTemplate.spec.template.spec.containers: Required value"],
        ),
        ("Ingress", "spec: {rules: [{http: {paths: [{backend: {}}]}}]}", ["spec.rules[0].http.paths[0].pathType"]),
    ],
)
def test_required_fields_and_closed_lists(kind, text, flaws):
    found = sorted(map(str, validate(read(text), schema(kind))))
    assert len(found) == len(flaws) and all(map(str.startswith, found, flaws)), found


def test_status_is_not_asked_for_what_only_controllers_write():
    assert validate({"spec": {"containers": [{"name": "a"}]}, "status": {"conditions": [{}]}}, schema("Pod")) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "metadata", "template", "containers", "ports", "labels", "data", "x"]), inner
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["spec", "metadata", "status", "data"]), JSON))
def test_no_object_is_odd_enough_to_break_the_checks(obj):
    for kind in ("Deployment", "Pod", "Secret"):
        place = schema(kind)
        unknown_fields(obj, place)
        if not type_error(obj, place):
            validate(obj, place)


def test_a_long_manifest_is_checked_in_a_moment():
    container = {
        "name": "a",
        "image": "b",
        "env": [{"name": f"N{at}", "value": "v"} for at in range(20)],
        "ports": [{"containerPort": at, "protocol": "TCP"} for at in range(1, 20)],
    }
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": [container]}}}
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}
    assert len(json.dumps(obj, indent=1).splitlines()) > 160
    place = schema("Deployment")
    best = 1.0
    for _ in range(5):
        started = time.process_time()
        assert not unknown_fields(obj, place) and not type_error(obj, place) and not validate(obj, place)
        best = min(best, time.process_time() - started)
    assert best < 0.01
