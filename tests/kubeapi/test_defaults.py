"""What is filled in where it is read, and left out again where it comes back."""

import copy

import pytest

from clusterviz.kubeapi.conversion import asked, kept
from clusterviz.kubeapi.defaults import with_defaults
from clusterviz.kubeapi.registry import BUILTIN
from clusterviz.kubeapi.statuses import qos_class
from clusterviz.kubeapi.undress import undressed

CONTAINER = {"name": "c", "image": "nginx:1.27"}
READY = {"type": "Ready", "status": "True"}
TEMPLATE = {"spec": {"containers": [CONTAINER]}}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
PODS = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "9"}}}


def made(kind, spec=None, **fields):
    """An object of this kind."""
    body = {} if spec is None else {"spec": spec}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "one", "namespace": "lab"}, **body, **fields}


def at(obj, path):
    """A nested field; numbers are places in lists."""
    for part in path.split("."):
        obj = obj[int(part)] if part.isdigit() else obj[part]
    return obj


@pytest.mark.parametrize(
    ("obj", "path", "value"),
    [
        (made("Pod", {"containers": [CONTAINER]}), "spec.serviceAccountName", "default"),
        (made("Pod", {"containers": [CONTAINER]}), "spec.tolerations.0.tolerationSeconds", 300),
        (made("Pod", {"containers": [CONTAINER]}), "status.qosClass", "BestEffort"),
        (made("Pod", {"volumes": [{"name": "v", "secret": {}}]}), "spec.volumes.0.secret.defaultMode", 420),
        (made("Deployment", {"template": TEMPLATE}), "spec.strategy.rollingUpdate.maxSurge", "25%"),
        (made("StatefulSet", {"template": TEMPLATE}), "spec.updateStrategy.rollingUpdate.partition", 0),
        (made("StatefulSet", {"volumeClaimTemplates": [{"spec": {}}]}), "spec.volumeClaimTemplates.0.kind", "Persist"),
        (made("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}), "spec.updateStrategy", {"type": "OnDelete"}),
        (made("Job", {"template": TEMPLATE}), "spec.selector.matchLabels", {"batch.kubernetes.io/job-name": "one"}),
        (made("CronJob", {"jobTemplate": {"spec": {}}}), "spec.concurrencyPolicy", "Allow"),
        (made("Service", {"sessionAffinity": "ClientIP"}), "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 10800),
        (made("NetworkPolicy", {"egress": [{"ports": [{"port": 53}]}]}), "spec.egress.0.ports.0.protocol", "TCP"),
        (made("Secret"), "type", "Opaque"),
        (made("StorageClass"), "volumeBindingMode", "Immediate"),
        (made("PersistentVolumeClaim", {}), "spec.volumeMode", "Filesystem"),
        (made("RoleBinding", roleRef={}), "roleRef.apiGroup", "rbac.authorization.k8s.io"),
        (made("ValidatingWebhookConfiguration", webhooks=[{}]), "webhooks.0.timeoutSeconds", 10),
        (made("HTTPRoute", {"rules": [{}]}), "spec.rules.0.matches.0.path.value", "/"),
        (made("CustomResourceDefinition", {"names": {"kind": "Widget"}}), "spec.names.listKind", "WidgetList"),
        (made("CustomResourceDefinition", {"names": {"kind": "Widget"}}), "status.conditions.1.type", "Established"),
        (
            made("Node", status={"conditions": [{"type": "Ready", "status": "True"}]}),
            "status.conditions.0.status",
            "Fa",
        ),
        (made("ResourceQuota", {"hard": {"pods": "3"}}), "status.hard.pods", "3"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) and "kind" in value else None,
)
def test_a_kind_has_the_defaults_of_kube_apiserver(obj, path, value):
    before = copy.deepcopy(obj)
    found = at(with_defaults(dict(obj)), path)
    assert found == value or (isinstance(found, str) and found.startswith(value))
    assert obj == before, "what is stored was changed"


@pytest.mark.parametrize("kind", sorted({one.kind for one in BUILTIN}))
def test_no_kind_fails_on_an_object_that_says_nothing(kind):
    for obj in (made(kind), made(kind, {}), made(kind, {}, status={})):
        again = with_defaults(with_defaults(copy.deepcopy(obj)))
        assert again["metadata"] == obj["metadata"]


def test_a_daemon_pod_tolerates_its_node_for_ever():
    pod = made("Pod", {"containers": [CONTAINER]})
    pod["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "d", "controller": True}]
    found = with_defaults(pod)["spec"]["tolerations"]
    assert not any("tolerationSeconds" in one for one in found)
    assert "node.kubernetes.io/unschedulable" in {one["key"] for one in found}


@pytest.mark.parametrize(
    ("requests", "limits", "word"),
    [
        ({}, {}, "BestEffort"),
        ({"cpu": "1"}, {}, "Burstable"),
        ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}, "Guaranteed"),
        ({}, {"cpu": "1", "memory": "1Gi"}, "Guaranteed"),
        ({}, {"cpu": "1"}, "Burstable"),
    ],
)
def test_the_class_of_service_follows_requests_and_limits(requests, limits, word):
    spec = {"containers": [{"resources": {"requests": requests, "limits": limits}}]}
    assert qos_class(spec) == word


def test_what_was_only_shown_is_not_stored():
    raw = made("Deployment", {"template": {"spec": {"containers": [CONTAINER], "volumes": [{"secret": {}}]}}})
    shown = with_defaults(copy.deepcopy(raw))
    after = copy.deepcopy(shown)
    after["metadata"]["labels"] = {"a": "b"}
    after["spec"]["replicas"] = 3
    found = undressed(raw, shown, after)
    assert found["spec"] == {**raw["spec"], "replicas": 3}
    assert found["metadata"]["labels"] == {"a": "b"}


def test_a_value_that_is_no_default_any_more_is_stored():
    raw = made("Pod", {"containers": [{"name": "c", "image": "nginx:1.27"}]})
    shown = with_defaults(copy.deepcopy(raw))
    after = copy.deepcopy(shown)
    after["spec"]["containers"][0]["image"] = "nginx:latest"
    found = undressed(raw, shown, after)
    assert found["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_version_1_of_an_autoscaler_is_version_2_with_one_metric():
    one = next(found for found in BUILTIN if found.api_version == "autoscaling/v1")
    spec = {"maxReplicas": 3, "targetCPUUtilizationPercentage": 80}
    obj = made("HorizontalPodAutoscaler", spec, apiVersion="autoscaling/v1")
    stored = kept(one, obj, {"spec": {"metrics": [PODS]}})
    assert stored["apiVersion"] == "autoscaling/v2"
    assert stored["spec"] == {"maxReplicas": 3, "metrics": [PODS, CPU]}
    assert asked(one, stored) == obj
