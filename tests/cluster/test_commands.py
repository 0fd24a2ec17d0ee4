"""importyaml, exportyaml and loaddemo, with clusters that come alive afterwards."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.models import Cluster, Deployment, Pod, Service
from clusterviz.engine import Cluster as Snapshot
from clusterviz.engine import Probe, Verdict, trace
from clusterviz.engine.traffic import Traffic
from tests.cluster.conftest import SHOP

pytestmark = pytest.mark.django_db
Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command and answer what it printed."""

    def call(*args: str, **options: Any) -> str:
        out = io.StringIO()
        call_command(*args, stdout=out, **options)
        return out.getvalue()

    return call


def engine(name: str) -> Snapshot:
    cluster = Cluster.objects.get(name=name)
    return Snapshot.from_objects(snapshot.load_objects(cluster), cluster.engine_settings, expand=False)


def verdicts(name: str) -> dict[str, set[Verdict]]:
    """How the connections of each flow end."""
    cluster = engine(name)
    traffic = Traffic("1", 0.0)
    traffic.update(cluster)
    found: dict[str, set[Verdict]] = {}
    for connection in traffic.run(cluster, 40.0):
        found.setdefault("/".join(connection.flow[1:]), set()).add(trace(cluster, connection.probe).verdict)
    return found


def test_import_creates_tells_and_settles(run: Run, tmp_path: Path, db: None) -> None:
    """After the command the workloads have running pods with addresses, and traffic gets through."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    out = run("importyaml", str(file), cluster="new", create=True)
    assert out.startswith("Into cluster new:\n")
    assert "Service shop/api (shop.yaml:2, document 1)" in out
    assert "inferred from Deployment shop/web: container server, env API_ADDR" in out
    pods = Pod.objects.filter(cluster__name="new", namespace__name="shop")
    assert pods.count() == 3
    assert all(pod.phase == "Running" and pod.ip and pod.node for pod in pods)
    assert verdicts("new") == {"shop/web-to-api": {Verdict.DELIVERED}}


def test_import_of_a_folder_and_of_standard_input(run: Run, tmp_path: Path, monkeypatch: Any, cluster: Cluster) -> None:
    """All .yaml, .yml and .json files below, in order; others are left alone."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.yml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: from-yml}")
    (tmp_path / "deep" / "a.json").write_text(
        '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "from-json"}}'
    )
    (tmp_path / "notes.txt").write_text("not: [yaml")
    out = run("importyaml", str(tmp_path), cluster="c1")
    assert "Namespace from-yml (b.yml:1, document 1)" in out
    assert "Namespace from-json (deep/a.json:1, document 1)" in out

    class Stdin:
        buffer = io.BytesIO(b"apiVersion: v1\nkind: Namespace\nmetadata: {name: from-stdin}")

    monkeypatch.setattr("sys.stdin", Stdin)
    assert "Namespace from-stdin (standard input:1" in run("importyaml", "-", cluster="c1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: [", "bad.yaml:1 (document 1): not YAML"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  ports:\n  - port: 0",
            "bad.yaml:6 (document 1): Service default/s: spec.ports[0].port: Invalid value: 0",
        ),
        ("x" * (6 * 1024 * 1024), "too large"),
    ],
    ids=["broken", "refused", "huge"],
)
def test_a_bad_file_changes_nothing(run: Run, tmp_path: Path, text: str, expected: str, db: None) -> None:
    """Exit 1, the reasons on standard error, and not even the cluster is made."""
    (tmp_path / "good.yaml").write_text(SHOP)
    (tmp_path / "bad.yaml").write_text(text)
    errors = io.StringIO()
    with pytest.raises(CommandError, match="nothing was changed") as caught:
        run("importyaml", str(tmp_path), cluster="new", create=True, stderr=errors)
    assert caught.value.returncode == 1
    assert expected in errors.getvalue()
    assert not Cluster.objects.exists()


def test_a_dry_run_leaves_no_trace(run: Run, tmp_path: Path, db: None) -> None:
    """Not even a cluster."""
    (tmp_path / "shop.yaml").write_text(SHOP)
    assert "would be created" in run("importyaml", str(tmp_path), cluster="new", create=True, dry_run=True)
    assert not Cluster.objects.exists()


@pytest.mark.parametrize(
    ("path", "message"), [("missing.yaml", "neither a file nor a folder"), (".", r"holds no \.yaml")]
)
def test_nothing_to_read(run: Run, tmp_path: Path, path: str, message: str, cluster: Cluster) -> None:
    """The command says what it looked for."""
    with pytest.raises(CommandError, match=message):
        run("importyaml", str(tmp_path / path), cluster="c1")
    (tmp_path / "fine.yaml").write_text(SHOP)
    with pytest.raises(CommandError, match="add --create"):
        run("importyaml", str(tmp_path), cluster="nope")


def test_export_prints_what_import_reads(run: Run, tmp_path: Path, shop: Cluster) -> None:
    """The printed manifests make the same cluster elsewhere."""
    text = run("exportyaml", cluster="c1")
    assert "TrafficFlow" not in text
    file = tmp_path / "export.yaml"
    file.write_text(text)
    run("importyaml", str(file), cluster="copy", create=True)
    assert run("exportyaml", cluster="copy") == text
    with pytest.raises(CommandError, match="no cluster"):
        run("exportyaml", cluster="nope")


def test_the_demo_shows_every_kind_of_traffic(run: Run, db: None) -> None:
    """Three nodes, at most 16 pods, 25 to 40 connections a second: delivered, in the pod, out, refused, dropped."""
    assert "is ready" in run("loaddemo")
    cluster = engine("demo")
    assert len(cluster.nodes) == 3
    assert len(cluster.pods) <= 16
    assert all(pod.ready for pod in cluster.pods.values())
    flows = [obj for key, obj in cluster.objects.items() if key[0] == "TrafficFlow"]
    assert 25 <= sum(flow["spec"]["requestsPerSecond"] for flow in flows) <= 40
    found = verdicts("demo")
    assert found.pop("reports/nightly-to-db") == {Verdict.DENIED_INGRESS}
    assert found.pop("shop/frontend-to-recommend") == {Verdict.NO_ENDPOINTS_REJECTED}
    assert found.pop("shop/api-to-payments") == {Verdict.EXITED_CLUSTER}
    assert found.pop("shop/api-to-its-sidecar") == {Verdict.DELIVERED_IN_POD}
    assert set(found) == {
        "monitoring/operators-to-prometheus",
        "monitoring/prometheus-to-api-pods",
        "shop/api-to-cart",
        "shop/api-to-db",
        "shop/apps-to-api",
        "shop/cart-to-db",
        "shop/customers-to-shop",
        "shop/frontend-to-api",
    }
    assert set().union(*found.values()) == {Verdict.DELIVERED}
    kinds = {
        Service.objects.get(cluster__name="demo", name=name).type for name in ("prometheus", "ingress-nginx-controller")
    }
    assert kinds == {"NodePort", "LoadBalancer"}
    assert "nothing was changed" in run("loaddemo")
    assert "is ready" in run("loaddemo", name="second")


def test_the_demo_heals_when_somebody_scales(run: Run, db: None) -> None:
    """The refused Service answers once it has a pod."""
    run("loaddemo")
    cluster = Cluster.objects.get(name="demo")
    services.act(cluster, "scale", "workload:Deployment/shop/recommend", replicas=1, actor="tests")
    from clusterviz.cluster.settling import settle

    assert settle("demo")
    assert verdicts("demo")["shop/frontend-to-recommend"] == {Verdict.DELIVERED}


def test_online_boutique_comes_alive(run: Run, shared: Path, db: None) -> None:
    """12 workloads, 12 Services, all calls; the policies on top keep every call and stop a stranger."""
    run("importyaml", str(shared / "online-boutique.yaml"), cluster="ob", create=True)
    mine = Deployment.objects.filter(cluster__name="ob", namespace__name="default")
    assert mine.count() == 12
    assert Pod.objects.filter(cluster__name="ob", namespace__name="default", phase="Running").count() == 12
    before = verdicts("ob")
    assert len(before) == 17
    run("importyaml", str(shared / "online-boutique-network-policies.yaml"), cluster="ob")
    after = verdicts("ob")
    assert after == before
    assert set().union(*after.values()) == {Verdict.DELIVERED}
    stranger = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger", "namespace": "elsewhere"},
        "spec": {"nodeName": "n1", "containers": [{"name": "sh", "image": "busybox"}]},
        "status": {"phase": "Running", "podIP": "10.244.0.99"},
    }
    services.apply_objects(Cluster.objects.get(name="ob"), [stranger], actor="tests")
    question = Probe.parse("elsewhere/stranger", "cartservice.default:7070")
    assert trace(engine("ob"), question).verdict is Verdict.DENIED_INGRESS


def test_guestbook_comes_alive(run: Run, shared: Path, db: None) -> None:
    """Its pods find Redis by names that only the images know."""
    run("importyaml", str(shared / "guestbook.yaml"), cluster="gb", create=True)
    assert Pod.objects.filter(cluster__name="gb", namespace__name="default", phase="Running").count() == 6
    found = verdicts("gb")
    assert set(found) == {
        "default/internet-to-frontend",
        "default/frontend-to-redis-master",
        "default/frontend-to-redis-replica",
        "default/redis-replica-to-redis-master",
    }
    assert set().union(*found.values()) == {Verdict.DELIVERED}


def test_every_shared_manifest_survives_export_and_import(run: Run, shared: Path, tmp_path: Path, db: None) -> None:
    """Online Boutique with policies, there and back."""
    for name in ("online-boutique.yaml", "online-boutique-network-policies.yaml"):
        run("importyaml", str(shared / name), cluster="one", create=True)
    text = run("exportyaml", cluster="one", flows=True)
    (tmp_path / "all.yaml").write_text(text)
    run("importyaml", str(tmp_path / "all.yaml"), cluster="two", create=True)
    assert run("exportyaml", cluster="two", flows=True) == text


DUMP = """
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: k3s, uid: 7c9e, labels: {kubernetes.io/hostname: k3s}}
  spec: {podCIDR: 10.42.0.0/24, podCIDRs: [10.42.0.0/24]}
  status:
    addresses: [{type: InternalIP, address: 172.20.0.3}, {type: Hostname, address: k3s}]
    conditions: [{type: Ready, status: "True"}]
- apiVersion: v1
  kind: Service
  metadata: {name: kubernetes, namespace: default}
  spec: {type: ClusterIP, clusterIP: 10.43.0.1, clusterIPs: [10.43.0.1], ports: [{name: https, port: 443}]}
  status: {loadBalancer: {}}
- apiVersion: v1
  kind: Service
  metadata: {name: kube-dns, namespace: kube-system}
  spec: {clusterIP: 10.43.0.10, selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: solo, namespace: default, labels: {app: solo}, creationTimestamp: "2026-01-02T03:04:05Z"}
  spec: {nodeName: k3s, containers: [{name: c, image: i}]}
  status: {phase: Running, podIP: 10.42.0.17, podIPs: [{ip: 10.42.0.17}]}
"""


def test_a_dump_of_another_cluster_keeps_its_addresses(run: Run, tmp_path: Path, db: None) -> None:
    """What `kubectl get -o yaml` printed elsewhere comes up with its own ranges, nodes and pods."""
    (tmp_path / "dump.yaml").write_text(DUMP)
    run("importyaml", str(tmp_path), cluster="k3s", create=True)
    cluster = engine("k3s")
    assert list(cluster.nodes) == ["k3s"]
    assert cluster.nodes["k3s"].ip == "172.20.0.3"
    assert cluster.services["kube-system", "kube-dns"].ip == cluster.settings.dns_ip == "10.43.0.10"
    assert cluster.pods["default", "solo"].ip == "10.42.0.17"
    assert all(pod.node == "k3s" and pod.ip.startswith("10.42.0.") for pod in cluster.pods.values())


def test_import_without_a_name_says_where_it_goes(run: Run, tmp_path: Path, db: None) -> None:
    """The default is the demo cluster; the help and the first line tell."""
    assert (
        "(default: demo)" in load_command_class("clusterviz.cluster", "importyaml").create_parser("", "").format_help()
    )
    services.create_cluster("demo", actor="tests")
    file = tmp_path / "one.yaml"
    file.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: one}")
    assert run("importyaml", str(file), dry_run=True).startswith("Into cluster demo:\n1 would be created")
