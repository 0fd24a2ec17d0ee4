"""The one write path: all or nothing, journaled, and as kube-apiserver would."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.cluster import services, snapshot, store
from clusterviz.cluster.models import Cluster, Deployment, EndpointSlice, Pod, Service
from tests.cluster.conftest import SHOP, pod

pytestmark = pytest.mark.django_db
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  type: {type}
  {extra}
  ports:
  - {{port: 80{port}}}
"""


def service(name: str = "s", kind: str = "ClusterIP", extra: str = "", port: str = "") -> str:
    return SERVICE.format(name=name, type=kind, extra=extra, port=port)


def load(cluster: Cluster, text: str, **options: Any) -> services.Summary:
    return services.import_files(cluster, [("f.yaml", text)], actor="tests", **options)


def names(entries: list[services.Entry]) -> list[str]:
    return [f"{entry.kind}/{entry.name}" for entry in entries]


def state(cluster: Cluster) -> tuple[Any, int]:
    return snapshot.load_objects(cluster, foreign=True), snapshot.head(cluster)


def test_a_new_cluster_has_what_every_cluster_has(cluster: Cluster) -> None:
    """Nodes with addresses and pod CIDRs, the API's Service on the first address, DNS on its own."""
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in snapshot.load_objects(cluster)}
    assert [found["Node", name]["spec"]["podCIDR"] for name in ("n1", "n2")] == ["10.244.0.0/24", "10.244.1.0/24"]
    assert found["Node", "n2"]["status"]["addresses"][0] == {"type": "InternalIP", "address": "192.168.0.12"}
    assert found["Node", "n1"]["status"]["conditions"][0]["status"] == "True"
    assert found["Service", "kubernetes"]["spec"]["clusterIP"] == "10.96.0.1"
    assert found["Service", "kube-dns"]["spec"]["clusterIP"] == "10.96.0.10"
    assert {(p["protocol"], p["port"]) for p in found["Service", "kube-dns"]["spec"]["ports"]} == {
        ("UDP", 53),
        ("TCP", 53),
    }
    assert found["Deployment", "coredns"]["spec"]["replicas"] == 2
    assert found["Namespace", "kube-system"]["metadata"]["labels"]["kubernetes.io/metadata.name"] == "kube-system"


@pytest.mark.parametrize(("name", "nodes"), [("Bad_Name", 1), ("c1", 1), ("ok", 9999), ("ok", -1)])
def test_a_cluster_that_cannot_be_is_refused(cluster: Cluster, name: str, nodes: int) -> None:
    """A bad name, a name that is taken, an absurd number of nodes."""
    with pytest.raises(services.Invalid):
        services.create_cluster(name, nodes=nodes, actor="tests")
    assert Cluster.objects.count() == 1


def test_a_summary_tells_what_was_done_and_where_it_stands(cluster: Cluster) -> None:
    """Created, ignored and why, the namespace that was missing, with file, document and line."""
    text = f"{service()}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: shop}}\n"
    summary = load(cluster, text)
    assert names(summary.created) == ["Namespace/shop", "Service/s"]
    assert "a manifest names it" in summary.created[0].why
    entry = summary.ignored[0]
    assert (entry.kind, entry.file, entry.document, entry.line) == ("ConfigMap", "f.yaml", 2, 11)
    assert "no effect" in entry.why
    assert "1 ignored\n  ConfigMap shop/settings (f.yaml:11, document 2): ConfigMap has no effect" in str(summary)
    assert summary.to_dict()["created"][1]["name"] == "s"


def test_applying_again_changes_nothing(shop: Cluster) -> None:
    """Addresses that were given out stay, so the same file finds everything unchanged."""
    before = state(shop)
    summary = load(shop, SHOP)
    assert not summary.created
    assert not summary.changed
    assert len(summary.unchanged) == 4  # two Deployments, the Service, the inferred flow
    assert state(shop) == before


def test_apply_keeps_what_a_manifest_leaves_out(shop: Cluster) -> None:
    """A scaled Deployment without replicas in its file stays scaled; a VIP survives a new port."""
    services.act(shop, "scale", "workload:Deployment/shop/web", replicas=4, actor="tests")
    vip = Service.objects.get(name="api").cluster_ip
    load(shop, SHOP.replace("port: 80, targetPort", "port: 81, targetPort"))
    assert Deployment.objects.get(name="web").replicas == 4
    assert Service.objects.get(name="api").cluster_ip == vip


@pytest.mark.parametrize(
    ("text", "field", "line", "message"),
    [
        (service(extra="clusterIP: 10.0.0.1"), "spec.clusterIPs", 7, "The range of valid IPs is 10.96.0.0/12"),
        (service(extra="clusterIP: 10.96.0.10"), "spec.clusterIPs", 7, "provided IP is already allocated"),
        (
            service(kind="NodePort", port=", nodePort: 80"),
            "spec.ports[0].nodePort",
            9,
            "The range of valid ports is 30000-32767",
        ),
        (
            service(kind="NodePort", port=", nodePort: 31000"),
            "spec.ports[0].nodePort",
            9,
            "provided port is already allocated",
        ),
        (service(port=", protocol: HTTP"), "spec.ports[0].protocol", 9, 'supported values: "SCTP", "TCP", "UDP"'),
        ("kind: Service\nmetadata: {name: x}", "apiVersion", 1, "Required value"),
        ("apiVersion: v1\nkind: Pod", "metadata.name", 1, "name or generateName is required"),
        ("apiVersion: v1\nkind: Pod\nmetadata: 3", "metadata", 3, "must be an object"),
    ],
)
def test_a_refusal_names_file_line_field_and_reason_and_changes_nothing(
    cluster: Cluster, text: str, field: str, line: int, message: str
) -> None:
    """All or nothing (SVC-02, SVC-04): the good Service in the same file is not created either."""
    load(cluster, service("first", "NodePort", port=", nodePort: 31000"))
    before = state(cluster)
    with pytest.raises(services.Invalid) as caught:
        load(cluster, f"{service('good')}---\n{text}")
    (problem,) = caught.value.problems
    offset = service("good").count("\n") + 1
    assert (problem.file, problem.document, problem.field) == ("f.yaml", 2, field)
    assert problem.line == line + offset
    assert message in problem.message
    assert state(cluster) == before


def test_all_problems_are_told_at_once(cluster: Cluster) -> None:
    """Three wrong objects, three problems."""
    with pytest.raises(services.Invalid) as caught:
        load(cluster, "---\n".join(service(f"s{n}", port=f", targetPort: {n}0000000") for n in range(1, 4)))
    assert len(caught.value.problems) == 3


def test_node_ports_are_unique_a_protocol(cluster: Cluster) -> None:
    """The same number for TCP and UDP is fine (SVC-04)."""
    load(cluster, service("a", "NodePort", port=", nodePort: 31000"))
    load(cluster, service("b", "NodePort", port=", nodePort: 31000, protocol: UDP"))
    assert Service.objects.filter(name__in=["a", "b"]).count() == 2


def test_two_pods_never_share_an_address(shop: Cluster) -> None:
    """NET-01, for pods whose address is given."""
    with pytest.raises(services.Invalid, match=r"already the address of Pod shop/api-5d9f-aaaaa"):
        services.apply_objects(shop, [pod("other", ip="10.244.0.2")], actor="tests")


def test_a_dry_run_tells_the_same_and_changes_nothing(cluster: Cluster) -> None:
    """Also for inferred flows and new namespaces."""
    before = state(cluster)
    dry = load(cluster, SHOP, dry_run=True)
    assert state(cluster) == before
    real = load(cluster, SHOP)
    assert names(dry.created) == names(real.created)
    assert "TrafficFlow/web-to-api" in names(real.created)
    assert "would be created" in str(dry)


def test_every_wish_is_a_line_in_the_journal(cluster: Cluster) -> None:
    """Sequence numbers without gaps, and the object as it was stored."""
    start = snapshot.head(cluster)
    load(cluster, service())
    services.delete_objects(cluster, [("Service", "shop", "s")], actor="somebody")
    lines = snapshot.load_changes(cluster, start)
    assert [line.sequence for line in lines] == list(range(start + 1, start + 4))
    assert [(line.verb, line.key) for line in lines] == [
        ("set", ("Namespace", "", "shop")),
        ("set", ("Service", "shop", "s")),
        ("unset", ("Service", "shop", "s")),
    ]
    assert (lines[1].object or {})["spec"]["clusterIP"] == "10.96.1.1"
    assert lines[2].actor == "somebody"


def test_sequences_are_counted_a_cluster(cluster: Cluster) -> None:
    """Another cluster's wishes are its own business."""
    head = snapshot.head(cluster)
    services.create_cluster("c2", nodes=1, actor="tests")
    assert snapshot.head(cluster) == head


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_of_a_wish_once_it_is_committed(cluster: Cluster) -> None:
    """And not of one that was refused."""
    heard: list[int] = []

    def listen(*, sequence: int, **_: Any) -> None:
        heard.append(sequence)
        assert snapshot.head(cluster) == sequence

    services.changed.connect(listen)
    try:
        load(cluster, service())
        with pytest.raises(services.Invalid):
            load(cluster, service("bad_name"))
    finally:
        services.changed.disconnect(listen)
    assert heard == [snapshot.head(cluster)]


def test_deleting_a_deployment_takes_its_pods_along(shop: Cluster) -> None:
    """The Deployment is gone at once, its pods take leave, others stay."""
    services.apply_objects(shop, [pod("stranger", owner=None, ip="10.244.0.77")], actor="tests")
    services.delete_objects(shop, [("Deployment", "shop", "api")], actor="tests")
    assert not Deployment.objects.filter(name="api").exists()
    assert all(row.deleting for row in Pod.objects.filter(name__startswith="api-"))
    assert not Pod.objects.get(name="stranger").deleting


def test_deleting_a_service_takes_its_slices_along(shop: Cluster) -> None:
    """Slices of other Services stay."""
    for name in ("api", "web"):
        slice_ = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
        }
        services.checkpoint(shop, set=[slice_])
    services.delete_objects(shop, [("Service", "shop", "api")], actor="tests")
    assert list(EndpointSlice.objects.values_list("name", flat=True)) == ["web-x"]


@pytest.mark.parametrize("key", [("Namespace", "", "kube-system"), ("Pod", "shop", "nobody")])
def test_what_cannot_be_deleted(shop: Cluster, key: Any) -> None:
    """A protected namespace, and what does not exist."""
    before = state(shop)
    with pytest.raises(services.Invalid):
        services.delete_objects(shop, [("Service", "shop", "api"), key], actor="tests")
    assert state(shop) == before


def test_deleting_a_node_ends_its_pods(shop: Cluster) -> None:
    """They are marked and still say where they were."""
    services.delete_objects(shop, [("Node", "", "n1")], actor="tests")
    found = store.find(shop, [("Pod", "shop", "api-5d9f-aaaaa")])["Pod", "shop", "api-5d9f-aaaaa"]
    assert found["metadata"]["deletionTimestamp"]
    assert found["spec"]["nodeName"] == "n1"


@pytest.mark.parametrize(
    ("action", "target", "params", "message"),
    [
        ("explode", "node:n1", {}, "unknown action"),
        ("cordon", "pod:shop/api-5d9f-aaaaa", {}, "is for a Node"),
        ("cordon", "node:nope", {}, "not found"),
        ("scale", "workload:Deployment/shop/api", {"replicas": -1}, "must be between 0 and 500"),
        ("scale", "workload:Deployment/shop/api", {"replicas": "many"}, "must be between 0 and 500"),
        ("scale", "workload:Deployment/shop/api", {"replicas": True}, "must be between 0 and 500"),
        ("scale", "workload:DaemonSet/shop/api", {"replicas": 1}, "is for a"),
        ("cordon", "node:n1", {"replicas": 3}, "does not take 'replicas': it takes nothing more"),
        ("delete-pod", "pod:shop", {}, "cannot read target"),
        ("delete-pod", "<script>", {}, "cannot read target"),
    ],
)
def test_actions_that_make_no_sense(
    shop: Cluster, action: str, target: str, params: dict[str, Any], message: str
) -> None:
    """Each is refused with a reason, and nothing changes."""
    before = state(shop)
    with pytest.raises(services.Invalid, match=message):
        services.act(shop, action, target, actor="tests", **params)
    assert state(shop) == before


def test_a_checkpoint_leaves_no_line_and_overrules_no_wish(shop: Cluster) -> None:
    """Status and node are taken over; replicas somebody wished for meanwhile stay."""
    deployment = store.find(shop, [("Deployment", "shop", "api")])["Deployment", "shop", "api"]
    services.act(shop, "scale", "workload:Deployment/shop/api", replicas=9, actor="tests")
    head = snapshot.head(shop)
    services.checkpoint(shop, set=[{**deployment, "status": {"readyReplicas": 2}}])
    after = store.find(shop, [("Deployment", "shop", "api")])["Deployment", "shop", "api"]
    assert after["spec"]["replicas"] == 9
    assert after["status"] == {"readyReplicas": 2}
    assert snapshot.head(shop) == head


def test_a_checkpoint_keeps_the_revision_beside_what_people_annotated(shop: Cluster) -> None:
    """What the Deployment controller notes is its own; everything else in annotations is people's."""
    key = ("Deployment", "shop", "api")
    before = store.find(shop, [key])[key]
    services.apply_objects(shop, [{**before, "metadata": {**before["metadata"], "annotations": {"a": "b"}}}], actor="t")
    notes = {"deployment.kubernetes.io/revision": "2", "other": "x"}
    services.checkpoint(shop, set=[{**before, "metadata": {**before["metadata"], "annotations": notes}}])
    after = store.find(shop, [key])[key]["metadata"]["annotations"]
    assert after == {"a": "b", "deployment.kubernetes.io/revision": "2"}


def test_a_checkpoint_never_brings_back_what_was_deleted(shop: Cluster) -> None:
    """Neither a Service, nor a pod's life, nor anything in a namespace that is gone."""
    seen = snapshot.head(shop)
    found = store.find(shop, [("Service", "shop", "api"), ("Pod", "shop", "api-5d9f-aaaaa")])
    services.delete_objects(shop, [("Service", "shop", "api"), ("Pod", "shop", "api-5d9f-aaaaa")], actor="tests")
    services.checkpoint(shop, set=found.values(), seen=seen)
    assert not Service.objects.filter(name="api").exists()
    assert Pod.objects.get(name="api-5d9f-aaaaa").deleting
    services.delete_objects(shop, [("Namespace", "", "shop")], actor="tests")
    services.checkpoint(shop, set=[pod("late")])
    assert not Pod.objects.filter(name="late").exists()


def test_a_checkpoint_spares_what_was_wished_anew(shop: Cluster) -> None:
    """A pod of the same name applied after the simulator looked is not removed by it."""
    seen = snapshot.head(shop)
    services.apply_objects(shop, [pod("db-0", owner=None)], actor="tests")
    services.checkpoint(shop, unset=[("Pod", "shop", "db-0")], seen=seen)
    assert Pod.objects.filter(name="db-0").exists()
    services.checkpoint(shop, unset=[("Pod", "shop", "db-0")], seen=snapshot.head(shop))
    assert not Pod.objects.filter(name="db-0").exists()


def test_an_import_never_overwrites_an_edited_flow(shop: Cluster) -> None:
    """Inferred ones are refreshed, ours stay, and the same call is not described twice."""
    flow = next(obj for obj in snapshot.load_objects(shop) if obj["kind"] == "TrafficFlow")
    mine = {**flow, "spec": {**flow["spec"], "requestsPerSecond": 42, "inferred": False}}
    services.apply_objects(shop, [mine], actor="tests")
    load(shop, SHOP)
    flows = [obj for obj in snapshot.load_objects(shop) if obj["kind"] == "TrafficFlow"]
    assert [obj["spec"]["requestsPerSecond"] for obj in flows] == [42]


def test_export_and_import_give_the_same_cluster(shop: Cluster) -> None:
    """Addresses included; what controllers make is left to them."""
    load(shop, service("door", "NodePort"))
    exported = services.export_yaml(shop, flows=True)
    assert "status" not in exported.replace("\nstatus:\n  addresses:", "")
    assert "ownerReferences" not in exported
    copy = services.create_cluster("copy", nodes=0, actor="tests")
    services.import_files(copy, [("export.yaml", exported)], actor="tests")
    assert services.export_yaml(copy, flows=True) == exported
    assert (
        Service.objects.get(cluster=copy, name="door").cluster_ip
        == Service.objects.get(cluster=shop, name="door").cluster_ip
    )


def test_a_misspelt_rule_is_refused_at_its_line(cluster: Cluster) -> None:
    """The whole sentence, with the field named once."""
    text = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
  ingress:
  - ports: [{port: 80}]
    form: [{podSelector: {}}]
"""
    with pytest.raises(services.Invalid) as caught:
        load(cluster, text)
    place = "f.yaml:8 (document 1): NetworkPolicy shop/p"
    assert str(caught.value) == f'{place}: unknown field "spec.ingress[0].form"'


def test_a_bad_name_is_explained_once(db: None) -> None:
    """Not also in the words of a slug, which would allow capitals."""
    with pytest.raises(services.Invalid) as caught:
        services.create_cluster("Bad_Name", actor="tests")
    [problem] = caught.value.problems
    assert "lowercase RFC 1123 label" in problem.message


def test_problems_of_all_documents_come_at_once(cluster: Cluster) -> None:
    """A bad port in one does not hide a node port out of range or an address outside in the others."""
    texts = [
        service("a", "ClusterIP", "", "000"),
        service("b", "NodePort", "", ", nodePort: 80"),
        service("c", "ClusterIP", "clusterIP: 1.2.3.4"),
    ]
    with pytest.raises(services.Invalid) as caught:
        load(cluster, "---".join(texts))
    assert [(p.document, p.field) for p in caught.value.problems] == [
        (1, "spec.ports[0].port"),
        (2, "spec.ports[0].nodePort"),
        (3, "spec.clusterIPs"),
    ]
