"""Statements about a network: what each form means, who is meant, which ways are tried."""

import pytest

from clusterviz.engine import Cluster
from clusterviz.engine.manifests.problem import ManifestError
from clusterviz.engine.manifests.read import read
from clusterviz.engine.statements import StatementError, judge, parse, read_tests

WORLD = """
{kind: Node, apiVersion: v1, metadata: {name: n1}}
---
{kind: Node, apiVersion: v1, metadata: {name: n2}}
---
{kind: Namespace, apiVersion: v1, metadata: {name: shop}}
---
{kind: Namespace, apiVersion: v1, metadata: {name: lab}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: db, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: tester, namespace: lab, labels: {app: tester}}
spec: {nodeName: n1, containers: [{name: main, image: main, ports: [{containerPort: 9000, hostPort: 9900}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-local, namespace: shop}
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mute, namespace: lab}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 8080}]}]}
"""
INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http: {paths: [{path: /db, pathType: Prefix, backend: {service: {name: db, port: {number: 5432}}}}]}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return made(WORLD)


def made(text: str) -> Cluster:
    """The cluster of manifests."""
    return Cluster.from_objects([one.object for one in read(text)])


@pytest.mark.parametrize(
    ("statement", "holds"),
    [
        ("shop/web can reach db:5432", True),
        ("shop/web can reach shop/db", True),
        ("shop/web can reach shop/db:5432", True),
        ("shop/web can reach shop/db:99", False),
        ("lab/tester cannot reach shop/db:5432", True),
        ("shop/web cannot reach db", False),
        ("lab/tester cannot reach shop/db", True),  # NP-04, and egress of its own
        ("lab/tester can reach db.shop:5432", False),
        ("every pod can reach shop/db", False),
        ("every pod of shop cannot reach lab/tester", False),
        # Its DNS is cut, so the name is not found; the pods are reachable all the same.
        ("lab/tester cannot reach web.shop:80", False),
        ("lab/tester can reach shop/web", True),
        ("internet cannot reach shop/db", True),
        # The Service of that name has no door outside; another one leads to the same pods.
        ("internet cannot reach shop/web", False),
        ("internet can reach shop/web", True),
        ("internet can reach shop/web:80", False),
        ("internet can reach web-local", True),
        ("internet can reach lab/tester", True),  # its hostPort
        ("internet can reach lab/tester over UDP", False),
        ("node/n1 can reach shop/db", False),
        ("source seen by web-local is the client", True),  # SVC-05
        ("source seen by web-local is a node", False),
        ("source seen by web-local is 198.51.100.77 from 198.51.100.77", True),
        ("source seen by shop/web is the client from lab/tester", True),  # NET-01
        ("shop/web can reach shop/db over ICMP", False),
        ("shop/web cannot reach 203.0.113.9:443", False),
    ],
)
def test_a_statement_is_judged(cluster: Cluster, statement: str, holds: bool) -> None:
    finding = judge(cluster, parse(statement))
    assert finding.holds is holds, (finding.why, [str(one) for one in finding.evidence])


def test_every_backend_counts() -> None:
    """One of two endpoints does not answer: the Service cannot be reached, however the first draw falls (PX-02)."""
    text = WORLD.replace("replicas: 2", "replicas: 12")
    objects = [one.object for one in read(text)]
    cluster = Cluster.from_objects(objects)
    pods = [pod for pod in cluster.pods.values() if pod.name.startswith("web-")]
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "one", "namespace": "shop"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [f"{pods[7].ip}/32"]}}]}],
        },
    }
    cluster = Cluster.from_objects([*objects, policy])
    finding = judge(cluster, parse("shop/db can reach shop/web"))
    assert not finding.holds
    assert [one.verdict for one in finding.evidence] == ["denied_egress"]
    assert finding.tried == 12


def test_an_ingress_is_a_door(cluster: Cluster) -> None:
    """A path of an Ingress leads the Internet to the database unless its controller may not (ING-11)."""
    controller = """
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: v1
kind: Pod
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
  labels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}
spec: {nodeName: n2, containers: [{name: controller, image: ingress-nginx/controller, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx, labels: {app.kubernetes.io/name: ingress-nginx}}
spec: {type: NodePort, selector: {app.kubernetes.io/name: ingress-nginx}, ports: [{port: 80, nodePort: 30081}]}
"""
    asked = parse("internet cannot reach shop/db")
    assert judge(cluster, asked).holds
    closed = made(WORLD + INGRESS + controller)
    assert judge(closed, asked).holds
    opened = made(
        WORLD.replace("matchLabels: {app: db}}\n  ingress", "matchLabels: {app: other}}\n  ingress")
        + INGRESS
        + controller
    )
    finding = judge(opened, asked)
    assert not finding.holds
    assert "Ingress shop/web http://shop.example.com/db" in str(finding.evidence[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("web talks to db", "cannot read"),
        ("web can reach db over CARRIER", "unknown protocol"),
        ("source seen by web is nobody", "is no source"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    with pytest.raises(StatementError, match=words) as raised:
        parse(text)
    assert raised.value.allowed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shop/web can reach nothing", "nothing is called 'nothing'"),
        ("shop/nobody can reach shop/db", "not found"),
        ("every pod of nowhere can reach shop/db", "is nobody"),
        ("every horse can reach shop/db", "not found|cannot read"),
        ("shop/web can reach shop/db:99999", "out of range"),
        ("shop/web can reach fd00::1", "has no port"),
        ("shop/web can reach node:n1", "has no port"),
        ("shop/web can reach db:sql", "no port named sql"),
        ("shop/web can reach shop/nothing:80", "nothing is called 'shop/nothing'"),
    ],
)
def test_what_is_not_there_is_said(cluster: Cluster, text: str, words: str) -> None:
    with pytest.raises(StatementError, match=words):
        judge(cluster, parse(text))


def test_a_name_of_several_namespaces_is_not_guessed() -> None:
    cluster = made(
        WORLD + "---\n{kind: Service, apiVersion: v1, metadata: {name: db, namespace: lab}, spec: {ports: [{port: 1}]}}"
    )
    with pytest.raises(StatementError, match="several namespaces") as raised:
        judge(cluster, parse("internet cannot reach db"))
    assert raised.value.allowed == "lab/db, shop/db"
    assert judge(cluster, parse("shop/web can reach db")).holds  # its own namespace first


def test_a_file_tells_the_line_of_every_problem() -> None:
    tests = read_tests("# who\n- a can reach b:1\n- {test: internet cannot reach b, why: it is ours}\n", "net.yaml")
    assert [(one.statement.kind, one.line, one.why) for one in tests] == [
        ("reach", 2, ""),
        ("not_reach", 3, "it is ours"),
    ]
    assert len(read_tests("tests:\n- a can reach b:1\n")) == 1
    with pytest.raises(ManifestError) as raised:
        read_tests(
            "- a can reach b:1\n- a eats b\n- 7\n- {test: a can reach b, reason: x}\n- {test: a can reach b, why: 3}\n",
            "n",
        )
    assert [problem.line for problem in raised.value.problems] == [2, 3, 4, 5]
    for text in ("", "{}", "a: [", "--- 1\n--- 2\n"):
        with pytest.raises(ManifestError):
            read_tests(text)
