"""Calls inferred from manifests: found where they are written, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine.manifests import normalize, read
from clusterviz.engine.manifests.infer import INFERRED_FROM, infer
from clusterviz.engine.validation import validate
from tests.engine.gateway_world import gateway, listener, path, route, rule, service

SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: grpc, port: 7070}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: both, namespace: shop}
spec: {selector: {app: both}, ports: [{name: a, port: 1000}, {name: b, port: 2000}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {CART: "cart:7070", other: "api:8080"}
"""


def flows(text: str) -> list[dict[str, Any]]:
    return infer([normalize(document.object)[0] for document in read(text)])


def caller(spec: str, name: str = "web", namespace: str = "shop") -> str:
    return f"""{SERVICES}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {spec}
"""


def env(name: str, value: str) -> str:
    return f"containers: [{{name: c, image: i, env: [{{name: {name}, value: {value!r}}}]}}]"


def targets(text: str) -> list[tuple[str, int, str, str]]:
    found = [flow["spec"]["to"] for flow in flows(text)]
    return [(to["host"], to["port"], to["scheme"], to.get("path", "")) for to in found]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CART_ADDR", "cart:7070", [("cart.shop", 7070, "grpc", "")]),
        ("X", "http://api.shop.svc.cluster.local:8080/x", [("api.shop", 8080, "http", "/x")]),
        ("X", "http://api.shop.svc:8080", [("api.shop", 8080, "http", "/")]),
        ("X", "http://api/v1", [("api.shop", 80, "http", "/v1")]),
        ("X", "postgres://user:pass@db.data:5432/app", [("db.data", 5432, "tcp", "")]),
        ("X", "jdbc:postgresql://db.data/app", [("db.data", 5432, "tcp", "")]),
        ("X", "db-0.db.data:5432", [("db-0.db.data.svc", 5432, "tcp", "")]),
        ("CART_HOST", "cart", [("cart.shop", 7070, "grpc", "")]),
        ("DB_HOST", "db.data", [("db.data", 5432, "tcp", "")]),
        ("X", "cart:7070,api:8080", [("cart.shop", 7070, "grpc", ""), ("api.shop", 8080, "http", "/")]),
        ("X", "--upstream=api:8080 --verbose", [("api.shop", 8080, "http", "/")]),
        ("X", "db.data.svc.cluster.local", [("db.data", 5432, "tcp", "")]),
        ("BOTH_HOST", "both", []),
        ("GREETING", "cart", []),
        ("X", "the cart is full", []),
        ("X", "notcart:7070", []),
        ("X", "cart.example.com:7070", []),
        ("X", "db:5432", []),
        ("X", "cart:99999", []),
        ("IMAGE", "registry.example/cart:7070", []),
        ("X", "https://api.stripe.example/v1", []),
    ],
)
def test_values_that_name_a_service(name: str, value: str, expected: list[Any]) -> None:
    """Host and port as the caller's own DNS would find them; a mere word is no call."""
    assert targets(caller(env(name, value))) == expected


def test_host_and_port_in_two_variables() -> None:
    """When the port is said beside the host, an ambiguous Service is ambiguous no more."""
    spec = "containers: [{name: c, image: i, env: [{name: BOTH_HOST, value: both}, {name: BOTH_PORT, value: '2000'}]}]"
    assert targets(caller(spec)) == [("both.shop", 2000, "tcp", "")]


def test_arguments_commands_and_config_maps() -> None:
    """Wherever the words stand."""
    assert targets(caller("containers: [{name: c, image: i, args: ['--cart', 'cart:7070']}]"))
    assert targets(caller("containers: [{name: c, image: i, command: [sh, -c, 'curl http://api:8080/healthz']}]"))
    from_map = "containers: [{name: c, image: i, envFrom: [{configMapRef: {name: settings}}]}]"
    assert len(targets(caller(from_map))) == 2
    one = (
        "containers: [{name: c, image: i, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: CART}}}]}]"
    )
    assert targets(caller(one)) == [("cart.shop", 7070, "grpc", "")]


def test_init_containers_call_rarely() -> None:
    """Once at the start; when the app calls too, the app's call counts."""
    init = "initContainers: [{name: wait, image: i, env: [{name: A, value: 'api:8080'}]}]"
    (flow,) = flows(caller(f"{init}\n      containers: [{{name: c, image: i}}]"))
    assert flow["spec"]["requestsPerSecond"] == 0.1
    assert "init container wait, env A" in flow["metadata"]["annotations"][INFERRED_FROM]
    (flow,) = flows(caller(f"{init}\n      {env('B', 'api:8080')}"))
    assert flow["spec"]["requestsPerSecond"] > 0.1


def test_nobody_calls_itself() -> None:
    """A pod told its own Service's name does not call it."""
    assert targets(caller(env("ADVERTISED", "api:8080"), name="api")) == []


def test_what_is_inferred_says_so_and_is_valid() -> None:
    """Marked as inferred, with the reason, in a form the write path accepts."""
    (flow,) = flows(caller(env("CART_ADDR", "cart:7070")))
    assert flow["metadata"]["name"] == "web-to-cart"
    assert flow["metadata"]["annotations"][INFERRED_FROM] == "Deployment shop/web: container c, env CART_ADDR"
    assert flow["spec"]["inferred"] is True
    assert flow["spec"]["from"] == {"kind": "Deployment", "name": "web", "namespace": "shop"}
    assert validate(flow) == []


def test_entry_points() -> None:
    """Ingress rules, LoadBalancer and NodePort Services are called from outside."""
    text = f"""{SERVICES}
---
apiVersion: v1
kind: Service
metadata: {{name: door, namespace: shop}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{name: admin, port: 9000}}, {{name: http, port: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: shop, namespace: shop}}
spec:
  tls: [{{hosts: [safe.example]}}]
  rules:
  - host: safe.example
    http: {{paths: [{{path: /a, pathType: Prefix, backend: {{service: {{name: api, port: {{number: 8080}}}}}}}}]}}
  - host: "*.wild.example"
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: api, port: {{number: 8080}}}}}}}}]}}
"""
    assert all(flow["spec"]["from"] == {"kind": "External", "name": "internet"} for flow in flows(text))
    assert targets(text) == [
        ("safe.example", 443, "https", "/a"),
        ("www.wild.example", 80, "http", "/"),
        ("door.shop", 80, "http", "/"),
    ]


def test_the_way_through_an_ingress_controller_is_told_once() -> None:
    """Its LoadBalancer is reached through the Ingress rules, not by a call of its own."""
    text = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec: {type: LoadBalancer, selector: {app: nginx}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx, namespace: edge}
spec:
  template:
    metadata: {labels: {app: nginx, app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}}
"""
    assert flows(text) == []


GUESTBOOK = """
apiVersion: v1
kind: Service
metadata: {name: redis-master}
spec: {selector: {role: master}, ports: [{port: 6379}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis-replica}
spec: {selector: {role: replica}, ports: [{port: 6379}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: replica}
spec:
  template:
    metadata: {labels: {role: replica}}
    spec: {containers: [{name: r, env: [{name: GET_HOSTS_FROM, value: dns}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend}
spec:
  template:
    metadata: {labels: {app: f}}
    spec: {containers: [{name: f, env: [{name: GET_HOSTS_FROM, value: dns}]}]}
"""


def test_guestbook_images_look_up_names_of_their_own() -> None:
    """The frontend calls both Redis Services, the replica only the master; why is said."""
    found = flows(GUESTBOOK)
    assert [flow["metadata"]["name"] for flow in found] == [
        "frontend-to-redis-master",
        "frontend-to-redis-replica",
        "replica-to-redis-master",
    ]
    assert "look up redis-master" in found[0]["metadata"]["annotations"][INFERRED_FROM]


def test_rates_fall_with_the_distance_from_the_entry() -> None:
    """The first caller 2, what it calls 1, what is behind 0.5 a second."""
    chain = "\n---\n".join(
        f"""apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, env: [{{name: A, value: '{after}:80'}}]}}]}}"""
        for name, after in [("a", "b"), ("b", "c"), ("c", "d"), ("d", "none")]
    )
    rates = {flow["metadata"]["name"]: flow["spec"]["requestsPerSecond"] for flow in flows(chain)}
    assert rates == {"a-to-b": 2.0, "b-to-c": 1.0, "c-to-d": 0.5}


def test_routes_of_a_gateway_are_entry_points() -> None:
    """One call a rule with a backend; the Service of the data plane is not called besides."""
    made = [
        gateway("shop/gw", listener("tls", port=443, protocol="HTTPS")),
        route("shop/web", rule("web", matches=[path("/a")]), rule(filters=[]), rule("web"), hosts=["*.x.test"]),
        service("shop/web"),
        service("shop/front", type="LoadBalancer"),
    ]
    made[-1]["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "gw"}
    calls = [flow["spec"] for flow in infer(made)]
    assert [(call["to"]["host"], call["to"]["port"], call["to"]["path"]) for call in calls] == [
        ("www.x.test", 443, "/a"),
        ("www.x.test", 443, "/"),
    ]
    assert all(not validate(flow) for flow in infer(made))
