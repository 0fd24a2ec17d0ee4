"""Address families of a Service, as kube-apiserver checks them (SVC-16)."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine.validation import validate


@pytest.mark.parametrize(
    ("field", "value", "where", "message"),
    [
        ("ipFamilies", ["IPv5"], "spec.ipFamilies[0]", 'supported values: "IPv4", "IPv6"'),
        ("ipFamilies", ["IPv6", "IPv6"], "spec.ipFamilies[1]", 'Duplicate value: "IPv6"'),
        ("clusterIPs", ["10.96.0.3", "10.96.0.4"], "spec.clusterIPs", "no more than one IP for each IP family"),
        ("clusterIPs", ["10.96.0.3", "None"], "spec.clusterIPs", "'None' must be the first and only value"),
        ("clusterIPs", ["10.96.0.3", "fd::1", "fd::2"], "spec.clusterIPs", "may only hold up to 2 values"),
    ],
)
def test_one_wrong_field(field: str, value: Any, where: str, message: str) -> None:
    found = validate(_service(**{field: value}))
    assert [flaw.field for flaw in found] == [where]
    assert message in found[0].message


def test_an_address_of_another_family_than_named_is_refused() -> None:
    found = validate(_service(clusterIPs=["fd00::9", "10.96.0.9"], ipFamilies=["IPv4", "IPv6"]))
    assert [(flaw.field, flaw.message.partition(": expected ")[2]) for flaw in found] == [
        ("spec.clusterIPs[0]", "an IPv4 value as indicated by `ipFamilies[0]`"),
        ("spec.clusterIPs[1]", "an IPv6 value as indicated by `ipFamilies[1]`"),
    ]


def _service(**spec: Any) -> dict[str, Any]:
    meta = {"name": "s", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}], **spec}}
