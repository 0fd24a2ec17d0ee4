"""Fields the API does not know are refused; those it knows pass, whether they matter here or not."""

from __future__ import annotations

import pytest

from clusterviz.engine.manifests.read import read_value
from clusterviz.engine.validation import validate
from tests.manifests.test_validation import change, good


@pytest.mark.parametrize(
    ("kind", "path", "field"),
    [
        ("NetworkPolicy", "spec.ingress[0].form", "spec.ingress[0].form"),
        ("NetworkPolicy", "spec.podSelektor", "spec.podSelektor"),
        ("NetworkPolicy", "spec.podSelector.matchLabel", "spec.podSelector.matchLabel"),
        ("NetworkPolicy", "ingress", "ingress"),
        ("NetworkPolicy", "metadata.label", "metadata.label"),
        ("Ingress", "spec.rules[0].http.paths[0].pathtype", "spec.rules[0].http.paths[0].pathtype"),
        (
            "Ingress",
            "spec.rules[0].http.paths[0].backend.serviceName",
            "spec.rules[0].http.paths[0].backend.serviceName",
        ),
        ("Service", "spec.selectors", "spec.selectors"),
        ("Service", "spec.ports[1].targetport", "spec.ports[1].targetport"),
    ],
)
def test_a_misspelt_field_is_refused(kind: str, path: str, field: str) -> None:
    """Ignored silently, a misspelt rule would allow everybody."""
    assert [str(flaw) for flaw in validate(change(good(kind), path, {}))] == [f'unknown field "{field}"']


LEGAL: dict[str, str] = {
    "Service": """
ipFamilies: [IPv4]
ipFamilyPolicy: SingleStack
sessionAffinity: ClientIP
sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
allocateLoadBalancerNodePorts: true
loadBalancerClass: example.com/lb
trafficDistribution: PreferClose
internalTrafficPolicy: Local
externalTrafficPolicy: Local
healthCheckNodePort: 30999
publishNotReadyAddresses: true
loadBalancerSourceRanges: [10.0.0.0/8]
loadBalancerIP: 1.2.3.4
externalIPs: [1.2.3.4]
type: LoadBalancer
ports: [{name: a, port: 1, appProtocol: http}]
""",
    "Ingress": """
tls: [{hosts: [a.example.com], secretName: s}]
defaultBackend: {resource: {apiGroup: k8s.example.com, kind: Bucket, name: b}}
""",
    "NetworkPolicy": """
policyTypes: [Ingress, Egress]
egress:
- to: [{namespaceSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}}]
  ports: [{port: 1, endPort: 2, protocol: UDP}]
""",
}


@pytest.mark.parametrize("kind", LEGAL)
def test_fields_of_the_api_that_change_nothing_here_pass(kind: str) -> None:
    """Also what kubectl get adds to the metadata."""
    obj = good(kind)
    obj["spec"] |= read_value(LEGAL[kind])[0]
    obj["metadata"] |= {"uid": "1", "resourceVersion": "2", "managedFields": [{"manager": "kubectl"}], "finalizers": []}
    assert [str(flaw) for flaw in validate({**obj, "status": {}})] == []
