"""Protobuf bodies: what kubectl 1.37 really sent, every kind there and back, and no bytes that do harm."""

import base64
import contextlib
import json
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.kubeapi import protobuf
from clusterviz.kubeapi.protobuf import MAX_BODY, PREFIX, _tables, decode
from clusterviz.kubeapi.schema import definitions, schema_for, type_error, unknown_fields
from clusterviz.kubeapi.schema.model import Schema
from clusterviz.kubeapi.schema.source import kinds

# kubectl create deployment web --image=nginx --port=80 --replicas=0
DEPLOYMENT = bytes.fromhex(
    "6b3873000a150a07617070732f7631120a4465706c6f796d656e7412b8010a1f0a0377656212001a0022002a003200380042005a0a0a0361"
    "707012037765621286010800120c0a0a0a0361707012037765621a6c0a1c0a0012001a0022002a003200380042005a0a0a03617070120377"
    "6562124c122e0a056e67696e7812056e67696e782a00320a0a001000185022002a0042006a007200800100880100900100a201001a003200"
    "42004a0052005800600068008201008a01009a0100c2010022020a00280038001a0c0800100018002000280038001a002200"
)
# kubectl create ingress i --rule=foo.com/bar*=svc1:8080
INGRESS = bytes.fromhex(
    "6b3873000a1f0a146e6574776f726b696e672e6b38732e696f2f76311207496e677265737312490a110a016912001a0022002a0032003800"
    "420012301a2e0a07666f6f2e636f6d12230a210a1f0a042f626172120f220d0a047376633112050a0010903f1a065072656669781a020a00"
    "1a002200"
)


def test_what_kubectl_sends_is_read_as_its_json_would_be():
    assert decode(DEPLOYMENT) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}], "resources": {}}
                    ]
                },
            },
            "strategy": {},
        },
        "status": {},
    }
    paths = [{"path": "/bar", "pathType": "Prefix", "backend": {"service": {"name": "svc1", "port": {"number": 8080}}}}]
    assert decode(INGRESS)["spec"] == {"rules": [{"host": "foo.com", "http": {"paths": paths}}]}


def varint(value):
    value &= (1 << 64) - 1
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def part(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode_value(number, value, place):
    """A field on the wire, as Go's generated code writes it."""
    match place.name.rpartition(".")[2]:
        case "IntOrString":
            whole = isinstance(value, int)
            return part(number, b"\x08\x00\x10" + varint(value) if whole else b"\x08\x01" + part(3, value.encode()))
        case "Quantity":
            return part(number, part(1, value.encode()))
        case "FieldsV1":
            return part(number, part(1, json.dumps(value).encode()))
    match value:
        case bool():
            return varint(number << 3) + bytes([value])
        case int():
            return varint(number << 3) + varint(value)
        case float():
            return varint(number << 3 | 1) + struct.pack("<d", value)
        case str():
            return part(number, base64.b64decode(value) if place.target.format == "byte" else value.encode())
        case list():
            return b"".join(encode_value(number, item, place.item) for item in value)
        case _ if isinstance(place.target.additional, Schema):
            pairs = value.items()
            return b"".join(
                part(number, part(1, key.encode()) + encode_value(2, item, place.field(""))) for key, item in pairs
            )
        case _:
            return part(number, encode(value, place.name, place))


def encode(obj, name, place):
    made = b""
    for number, known in _tables()[name].items():
        if known.inline:
            inner = {
                key: value
                for key, value in obj.items()
                if key in {item.name for item in _tables()[known.inline].values()}
            }
            made += part(number, encode(inner, known.inline, place))
        elif known.name in obj:
            made += encode_value(number, obj[known.name], place.field(known.name))
    return made


def envelope(obj):
    group, _, version = obj["apiVersion"].rpartition("/")
    place = schema_for((group, version, obj["kind"]))
    head = part(1, part(1, obj["apiVersion"].encode()) + part(2, obj["kind"].encode()))
    return PREFIX + head + part(2, encode(obj, place.name, place))


def simple(kind, api="v1", **rest):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "a"}, **rest}


POD = {
    "containers": [
        {
            "name": "a",
            "resources": {"limits": {"cpu": "100m", "memory": "1Gi"}},
            "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}],
            "livenessProbe": {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 3},
            "securityContext": {"privileged": False, "runAsUser": 0},
        }
    ],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "secret": {"secretName": "s", "defaultMode": 420}}],
    "tolerations": [{"key": "k", "operator": "Exists", "tolerationSeconds": 0}],
    "securityContext": {"supplementalGroups": [1, 2]},
}
OBJECTS = [
    simple("Namespace", metadata={"name": "a", "generation": -1, "labels": {"a": "", "b": "c"}}),
    simple("Pod", spec=POD),
    simple("Service", spec={"ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8080}]}),
    simple("ConfigMap", data={"a": "ü"}, binaryData={"b": "AAEC"}, immutable=False),
    simple("Secret", data={"a": "Yg=="}, type="Opaque"),
    simple("ServiceAccount", automountServiceAccountToken=False),
    simple("Deployment", "apps/v1", spec={"strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}}),
    simple("StatefulSet", "apps/v1", spec={"replicas": 0, "serviceName": "s"}),
    simple("DaemonSet", "apps/v1", spec={"updateStrategy": {"type": "OnDelete"}}),
    simple("Job", "batch/v1", spec={"completions": 3, "suspend": False}),
    simple("CronJob", "batch/v1", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": POD}}}}),
    simple("Ingress", "networking.k8s.io/v1", spec={"rules": [{"host": "h", "http": {"paths": [{"path": "/"}]}}]}),
    simple(
        "NetworkPolicy", "networking.k8s.io/v1", spec={"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}
    ),
    simple(
        "Role", "rbac.authorization.k8s.io/v1", rules=[{"verbs": ["get"], "resources": ["pods"], "apiGroups": [""]}]
    ),
    simple("RoleBinding", "rbac.authorization.k8s.io/v1", roleRef={"apiGroup": "g", "kind": "Role", "name": "r"}),
    simple("Eviction", "policy/v1", deleteOptions={"gracePeriodSeconds": 0}),
    simple("Scale", "autoscaling/v1", spec={"replicas": 0}, status={"replicas": 3, "selector": "a=b"}),
    simple(
        "SelfSubjectAccessReview",
        "authorization.k8s.io/v1",
        spec={"resourceAttributes": {"verb": "get"}},
        status={"allowed": True},
    ),
]


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: obj["kind"])
def test_every_kind_that_kubectl_sends_comes_through(obj):
    group, _, version = obj["apiVersion"].rpartition("/")
    place = schema_for((group, version, obj["kind"]))
    assert unknown_fields(obj, place) == [] and type_error(obj, place) == ""
    assert decode(envelope(obj)) == obj


def test_options_of_a_deletion_belong_to_every_group():
    head = part(1, part(1, b"apps/v1") + part(2, b"DeleteOptions"))
    body = PREFIX + head + part(2, b"\x08\x00" + part(4, b"Background"))
    assert decode(body) == {
        "apiVersion": "apps/v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    }


def test_times_and_packed_numbers():
    head = part(1, part(1, b"v1") + part(2, b"Pod"))
    stamp = part(8, b"\x08" + varint(1_767_323_045))
    groups = part(2, part(14, part(4, b"\x05\x06")))
    assert decode(PREFIX + head + part(2, part(1, stamp) + groups)) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"creationTimestamp": "2026-01-02T03:04:05Z"},
        "spec": {"securityContext": {"supplementalGroups": [5, 6]}},
    }


def pod_with(raw):
    return PREFIX + part(1, part(1, b"v1") + part(2, b"Pod")) + part(2, raw)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "expected prefix"),
        (PREFIX, "no kind"),
        (PREFIX + b"\xff" * 12, "overflow"),
        (PREFIX + b"\x0a\x7f", "unexpected EOF"),
        (PREFIX + b"\x0b", "illegal wireType 3"),
        (PREFIX + b"\x02\x00", "illegal tag 0"),
        (PREFIX + bytes(MAX_BODY), "at most"),
        (PREFIX + part(1, part(1, b"v1") + part(2, b"Widget")), 'no kind "Widget" is registered for version "v1"'),
        (PREFIX + part(1, part(1, b"v1") + part(2, b"Pod")) + part(3, b"gzip"), "content encoding"),
        (pod_with(part(1, b"\x08\x01")), "wrong wireType"),
        (pod_with(part(1, part(1, b"\xff"))), "UTF-8"),
        (pod_with(part(1, part(8, b"\x08" + varint(1 << 62)))), "years 1 to 9999"),
        (pod_with(part(1, part(17, part(7, part(1, b"[" * 100_000))))), "no JSON"),
    ],
)
def test_what_is_no_object_is_said(body, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        decode(body)


def test_a_body_nests_as_deep_as_is_allowed(monkeypatch):
    monkeypatch.setattr(protobuf, "MAX_DEPTH", 3)
    with pytest.raises(ValueError, match="max depth"):
        decode(DEPLOYMENT)
    assert decode(pod_with(part(1, part(1, b"a"))))["metadata"] == {"name": "a"}


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_raise_value_error(data):
    for body in (PREFIX + data, pod_with(data), pod_with(part(1, data)), pod_with(part(2, data))):
        with contextlib.suppress(ValueError):
            assert decode(body)["kind"]


@given(st.sampled_from([DEPLOYMENT, INGRESS, *map(envelope, OBJECTS)]), st.data())
def test_a_damaged_body_does_no_more_either(body, data):
    at = data.draw(st.integers(4, len(body) - 1))
    damaged = body[:at] + data.draw(st.binary(max_size=3)) + body[at + data.draw(st.integers(0, 3)) :]
    with contextlib.suppress(ValueError):
        assert json.loads(json.dumps(decode(damaged)))["kind"]


def test_the_table_names_only_what_the_schemas_have():
    assert {"io.k8s.api.core.v1.Pod", "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"} <= _tables().keys()
    for message, fields in _tables().items():
        own = definitions().get(message)
        for known in fields.values():
            assert known.inline in _tables() if known.inline else own is None or known.name in own.properties
    missing = [name for (group, version, _kind), name in kinds().items() if group == "apps" and name not in _tables()]
    assert all(name.endswith("List") for name in missing)
