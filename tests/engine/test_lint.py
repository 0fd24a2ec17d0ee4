"""Findings: each world has one fault, and exactly that is found; a sound world has none."""

from pathlib import Path

import pytest

from clusterviz.engine import Cluster
from clusterviz.engine.lint import CODES, lint
from clusterviz.engine.manifests.read import read

SOUND = """
{kind: Node, apiVersion: v1, metadata: {name: n1}}
---
{kind: Node, apiVersion: v1, metadata: {name: n2}}
---
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {nodeName: n1, containers: [{name: dns, image: coredns, ports: [{containerPort: 53, protocol: UDP}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: web, image: web, ports: [{containerPort: 8080, name: http}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {nodeName: n2, containers: [{name: db, image: db, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5000, targetPort: 5432}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]
"""
FLOW = """
---
apiVersion: clusterviz.dev/v1
kind: TrafficFlow
metadata: {name: web-to-db, namespace: shop}
spec: {from: {kind: Pod, name: web}, to: {host: db, port: 5000, protocol: TCP}, requestsPerSecond: 1}
"""
INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, namespace: shop}
spec:
  rules:
  - host: shop.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %s, port: {number: %s}}}}]}
"""


def found(text: str) -> list[tuple[str, str, str]]:
    """(code, object, field) of each finding."""
    cluster = Cluster.from_objects([one.object for one in read(text)])
    return [(one.code, one.object, one.field) for one in lint(cluster)]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found(SOUND + FLOW) == []


POLICY = "NetworkPolicy shop/db"
PORT = "spec.ingress[0].ports[0].port"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("targetPort: http", "targetPort: htpp", [("no-such-port", "Service shop/web", "")]),
        (
            "targetPort: 5432",
            "targetPort: 5433",
            [("port-not-declared", "Service shop/db", "spec.ports[0].targetPort")],
        ),
        ("selector: {app: web}", "selector: {app: wb}", [("no-endpoints", "Service shop/web", "")]),
        ("ports: [{port: 5432}]}]", "ports: [{port: 5000}]}]", [("policy-service-port", POLICY, PORT)]),
        ("ports: [{port: 5432}]}]", "ports: [{port: sql}]}]", [("policy-port-unknown", POLICY, PORT)]),
        (
            "{podSelector: {matchLabels: {app: web}}}",
            "{podSelector: {matchLabels: {app: wb}}}",
            [("policy-peer-nobody", POLICY, "spec.ingress[0].from[0]")],
        ),
        (
            "{podSelector: {matchLabels: {app: web}}}",
            "{namespaceSelector: {matchLabels: {team: x}}}",
            [("policy-peer-nobody", POLICY, "spec.ingress[0].from[0]")],
        ),
        (
            "ingress: [{from",
            "ingress: [{}, {from",
            [("policy-rule-covered", POLICY, "spec.ingress[0]")],
        ),
        (
            "podSelector: {matchLabels: {app: db}}",
            "podSelector: {matchLabels: {app: no}}",
            [("selects-nothing", POLICY, "")],
        ),
        (
            "  ingress: [{from",
            "  policyTypes: [Ingress, Egress]\n  egress: [{to: [{podSelector: {}}]}]\n  ingress: [{from",
            [("policy-cuts-dns", POLICY, "spec.egress")],
        ),
        # nothing at all may go out: that is meant, and no accident with DNS
        ("  ingress: [{from", "  policyTypes: [Ingress, Egress]\n  ingress: [{from", []),
        (
            "spec: {selector: {app: web}, ports",
            "spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: web}, ports",
            [("local-nodes-empty", "Service shop/web", "spec.externalTrafficPolicy")],
        ),
        (
            "spec: {selector: {app: web}, ports",
            "spec: {internalTrafficPolicy: Local, selector: {app: web}, ports",
            [("local-nodes-empty", "Service shop/web", "spec.internalTrafficPolicy")],
        ),
    ],
)
def test_a_fault_is_found_where_it_is(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    assert SOUND.count(old) == 1
    assert found(SOUND.replace(old, new)) == expected


def test_paths_of_ingresses() -> None:
    text = SOUND + INGRESS % ("a", "web", 80)
    nobody = ("no-controller", "Ingress shop/a", "")
    path = "spec.rules[0].http.paths[0]"
    assert found(text) == [nobody]
    wrong = SOUND + INGRESS % ("a", "web", 8080)
    assert found(wrong) == [("ingress-no-port", "Ingress shop/a", f"{path}.backend.service.port"), nobody]
    wrong = SOUND + INGRESS % ("a", "wob", 80)
    assert found(wrong) == [("ingress-no-service", "Ingress shop/a", f"{path}.backend.service.name"), nobody]
    twice = text + INGRESS % ("b", "db", 5000)
    assert ("ingress-duplicate", "Ingress shop/b", f"{path}.path") in found(twice)


def test_a_call_that_fails_is_told_at_who_declared_it() -> None:
    text = SOUND.replace("{podSelector: {matchLabels: {app: web}}}", "{podSelector: {matchLabels: {app: db}}}")
    cluster = Cluster.from_objects([one.object for one in read(text + FLOW)])
    [one] = lint(cluster)
    assert (one.code, one.object) == ("call-fails", "TrafficFlow shop/web-to-db")
    assert one.text == (
        "From shop/web to db:5000: denied_ingress: A NetworkPolicy of the receiver stops the packet (policy:shop/db)."
    )


def test_the_page_has_every_finding() -> None:
    page = (Path(__file__).parents[2] / "docs/network-tests.md").read_text()
    rows = {f"| `{name}` | {code.severity} | {code.title} | {code.fix} |" for name, code in CODES.items()}
    assert rows == {line for line in page.splitlines() if line.startswith("| `")}
