"""Objects of kinds that a CustomResourceDefinition describes, whoever brings them; and those of earlier versions."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from clusterviz.cluster import services, store
from clusterviz.cluster.models import Cluster, OtherObject

pytestmark = pytest.mark.django_db
WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: services.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Service, plural: services}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties: {size: {type: integer, maximum: 9}, colour: {type: string, default: blue}}
"""
GOOD = "---\n{apiVersion: example.com/v1, kind: Service, metadata: {name: w, namespace: shop}, spec: {size: 3}}\n"


def import_yaml(cluster: Cluster, text: str) -> services.Summary:
    return services.import_files(cluster, [("widgets.yaml", text)], actor="tests")


def spec_of(cluster: Cluster) -> Any:
    return store.find(cluster, [("Service.example.com", "shop", "w")])["Service.example.com", "shop", "w"]["spec"]


def test_an_import_holds_objects_against_the_schema_of_their_definition(shop: Cluster) -> None:
    """Also of one that comes in the same file: its defaults, what it forbids, and a word on what it does not know."""
    import_yaml(shop, WIDGETS + GOOD)
    assert spec_of(shop) == {"size": 3, "colour": "blue"}
    with pytest.raises(services.Invalid) as caught:
        import_yaml(shop, GOOD.replace("size: 3", "size: 12"))
    assert [(one.field, one.message) for one in caught.value.problems] == [
        ("spec.size", "Invalid value: 12: spec.size in body should be less than or equal to 9")
    ]
    with pytest.raises(services.Invalid, match=r"spec\.size: Required value"):
        import_yaml(shop, GOOD.replace("size: 3", "colour: red"))
    summary = import_yaml(shop, GOOD.replace("size: 3", "size: 4, colr: red"))
    assert [entry.why for entry in summary.warnings] == ['unknown field "spec.colr"']
    assert spec_of(shop) == {"size": 4, "colour": "blue"}


def test_rows_of_earlier_versions_get_the_group_behind_their_kind(shop: Cluster) -> None:
    """Migration 0006: kinds of Kubernetes's own groups, and ours, keep their names."""
    rows = {
        "serving.knative.dev/v1": ("Service", "Service.serving.knative.dev"),
        "batch/v1": ("Job", "Job"),
        "policy/v1": ("PodDisruptionBudget", "PodDisruptionBudget"),
        "networking.k8s.io/v1": ("IngressClass", "IngressClass"),
        "clusterviz.dev/v1": ("Lesson", "Lesson"),
        "v1": ("Secret", "Secret"),
    }
    for version, (kind, _) in rows.items():
        OtherObject.objects.create(cluster=shop, name=kind.lower(), kind=kind, api_version=version)
    migration = import_module("clusterviz.cluster.migrations.0006_kinds_of_groups")
    state = MigrationExecutor(connection).loader.project_state(("cluster", "0005_owners"))
    for _ in range(2):
        migration.qualify(state.apps, None)
        found = OtherObject.objects.filter(cluster=shop, api_version__in=rows).values_list("api_version", "kind")
        assert dict(found) == {version: after for version, (_, after) in rows.items()}
