"""The admin edits every kind comfortably, and only through the write path."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.models import (
    OBJECT_MODELS,
    Change,
    Cluster,
    Deployment,
    Namespace,
    NetworkPolicy,
    Node,
    Pod,
    Service,
    TrafficFlow,
)
from clusterviz.engine.settings_check import fields

pytestmark = pytest.mark.django_db
CONTAINERS = "container_set"
PORTS = "serviceport_set"
TEMPLATE = "metadata: {labels: {app: x}}\nspec: {containers: [{name: c, image: i}]}"
POLICY_RULES = "- from:\n  - podSelector: {}\n  ports:\n  - port: 99999\n"


def url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:cluster_{model._meta.model_name}_{page}", args=args)


def rows(prefix: str, *items: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Form data of an inline."""
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(items), f"{prefix}-INITIAL_FORMS": initial}
    for index, item in enumerate(items):
        data.update({f"{prefix}-{index}-{name}": value for name, value in item.items()})
    return data


def form_data(response: Any) -> dict[str, Any]:
    """What a browser would send back for the form on a page, unchanged."""
    form = response.context["adminform"].form
    data = {form.add_prefix(name): form[name].value() for name in form.fields}
    for inline in response.context["inline_admin_formsets"]:
        formset = inline.formset
        for part in [formset.management_form, *formset.forms]:
            data.update({part.add_prefix(name): part[name].value() for name in part.fields})
    for name, value in data.items():
        field = form.fields.get(name)
        if field is not None and hasattr(field, "prepare_value"):
            data[name] = field.prepare_value(value)
    for inline in response.context["inline_admin_formsets"]:
        for part in inline.formset.forms:
            for name, field in part.fields.items():
                data[part.add_prefix(name)] = field.prepare_value(part[name].value())
    return {name: value for name, value in data.items() if value not in (None, False)}


def errors(response: Any) -> str:
    assert response.status_code == 200, "the form was accepted"
    found = [str(response.context["adminform"].form.errors)]
    found += [f"{i.formset.errors}{i.formset.non_form_errors()}" for i in response.context["inline_admin_formsets"]]
    return "".join(found)


def new_object(model: Any, cluster: Cluster) -> dict[str, Any]:
    """Form data for a new object of each kind."""
    namespace = Namespace.objects.get(cluster=cluster, name="default").pk
    common = {"cluster": cluster.pk, "namespace": namespace, "name": "made-here", "labels": "app=x\ntier=web"}
    workload = {"selector": "matchLabels: {app: x}", "template": TEMPLATE, "replicas": 2}
    return common | {
        "Pod": rows(CONTAINERS, {"name": "c", "image": "i", "ports": "- containerPort: 80"}),
        "Service": {"type": "ClusterIP", "selector": "app=x"}
        | rows(PORTS, {"name": "http", "protocol": "TCP", "port": 80, "target_port": "8080"}),
        "Deployment": workload,
        "ReplicaSet": workload,
        "StatefulSet": workload,
        "DaemonSet": workload,
        "EndpointSlice": {"address_type": "IPv4", "endpoints": "- addresses: [192.0.2.1]", "ports": "- port: 80"},
        "Ingress": {
            "rules": "- host: a.example\n  http:\n    paths:\n    - {path: /, pathType: Prefix, "
            "backend: {service: {name: s, port: {number: 80}}}}"
        },
        "NetworkPolicy": {"pod_selector": "{}", "policy_types": "[Ingress]"},
        "TrafficFlow": {
            "from_kind": "Deployment",
            "from_name": "web",
            "to_host": "api.default",
            "to_port": 80,
            "to_protocol": "TCP",
            "requests_per_second": 1.5,
        },
        "": {"kind": "ConfigMap", "api_version": "v1", "rest": "data: {greeting: hello}"},
    }.get(model.KIND, {})


@pytest.mark.parametrize("model", OBJECT_MODELS, ids=lambda model: model.__name__)
def test_every_kind_can_be_added_shown_saved_and_deleted(model: Any, cluster: Cluster, editor: Client) -> None:
    """The whole life of an object in the admin; each step leaves its line in the journal."""
    response = editor.post(url(model, "add"), new_object(model, cluster))
    assert response.status_code == 302, errors(response)
    row = model.objects.get(name="made-here")
    key = row.key
    before = row.to_object()
    assert before["metadata"]["labels"].items() >= {"app": "x", "tier": "web"}.items()
    assert Change.objects.latest("sequence").key == key

    assert editor.get(url(model, "changelist"), {"q": "made-here"}).status_code == 200
    page = editor.get(url(model, "change", row.pk))
    response = editor.post(url(model, "change", row.pk), form_data(page))
    assert response.status_code == 302, errors(response)
    assert model.objects.get(pk=row.pk).to_object() == before, "saving without a change changes nothing"

    response = editor.post(url(model, "delete", row.pk), {"post": "yes"})
    assert response.status_code == 302
    if model is Pod:
        assert Pod.objects.get(pk=row.pk).deleting, "a pod takes leave"
    else:
        assert not model.objects.filter(pk=row.pk).exists()
    assert Change.objects.latest("sequence").key == key


def settings_data(**changed: Any) -> dict[str, Any]:
    """What a browser posts for the settings of a cluster."""
    shown = {name: field.default for name, field in fields().items()} | changed
    data: dict[str, Any] = {}
    for name, value in shown.items():
        if isinstance(value, tuple):
            data[f"setting_{name}"] = ("-" if name == "nodeport_range" else ",").join(map(str, value))
        elif value is not False:
            data[f"setting_{name}"] = "on" if value is True else value
    return data


def test_a_cluster_is_made_with_its_furniture_and_deleted_whole(editor: Client, db: None) -> None:
    """Adding a cluster gives it nodes, namespaces and DNS; deleting it takes all of that along."""
    data = {"name": "second", "title": "Second", "seed": 5, "nodes": 2, **settings_data(proxy_mode="nftables")}
    assert editor.post(url(Cluster, "add"), data).status_code == 302
    cluster = Cluster.objects.get(name="second")
    assert cluster.engine_settings.proxy_mode == "nftables"
    assert Node.objects.filter(cluster=cluster).count() == 2
    assert Service.objects.filter(cluster=cluster, name="kube-dns").exists()
    page = editor.get(url(Cluster, "change", cluster.pk))
    assert b"/clusters/second/" in page.content
    response = editor.post(url(Cluster, "change", cluster.pk), {"title": "2nd", "seed": 6, **settings_data(mtu=9000)})
    assert response.status_code == 302
    cluster.refresh_from_db()
    assert cluster.title == "2nd"
    assert (cluster.settings, list(cluster.origins.values())) == ({"mtu": 9000}, ["set by admin"])
    editor.post(url(Cluster, "delete", cluster.pk), {"post": "yes"})
    assert not Cluster.objects.filter(pk=cluster.pk).exists()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"proxy_mode": "ebpf"}, "ebpf is not one of the available choices"),
        ({"mtu": 10}, "greater than or equal to 576"),
        ({"cluster_cidr": "10.0.0.0"}, "must have a prefix length"),
        ({"dns_ip": "10.1.0.1"}, "The range of valid IPs is 10.96.0.0/12"),
        ({"nodeport_range": "30000"}, "two whole numbers"),
        ({"dns_upstream": "9.9.9.9, here"}, "must be a valid IP address"),
    ],
)
def test_settings_the_engine_does_not_know_are_refused(
    editor: Client, db: None, settings: dict[str, Any], expected: str
) -> None:
    """A wrong setting is told at its field."""
    data = {"name": "x", "seed": 1, "nodes": 1, **settings_data(**settings)}
    assert expected in errors(editor.post(url(Cluster, "add"), data))


def test_addresses_that_are_given_out_hold_their_range(editor: Client, shop: Cluster) -> None:
    """SVC-02, IPM-01: a range that leaves objects outside is refused, with one of them."""
    data = {"title": "", "seed": 1, **settings_data(service_cidr="10.200.0.0/16", dns_ip="10.200.0.10")}
    assert "which is outside 10.200.0.0/16" in errors(editor.post(url(Cluster, "change", shop.pk), data))


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("cluster_ip", "10.0.0.1", "is not in the valid range. The range of valid IPs is 10.96.0.0/12"),
        ("cluster_ip", "10.96.0.10", "provided IP is already allocated"),
        ("name", "Not_Good", "a DNS-1035 label must consist of"),
        ("labels", "app=x\nnonsense", "line 2"),
        ("rest", "spec: {sessionAffinity: Sometimes}", "Unsupported value"),
        ("rest", "spec:\n  a: [1\n", "line"),
        (f"{PORTS}-0-port", "70000", "must be between 1 and 65535, inclusive"),
        (f"{PORTS}-0-node_port", "31000", "may not be used when"),
    ],
)
def test_service_errors_stand_at_their_field(
    cluster: Cluster, editor: Client, field: str, value: str, expected: str
) -> None:
    """What kube-apiserver would refuse is shown in its words (SVC-02, SVC-04)."""
    response = editor.post(url(Service, "add"), new_object(Service, cluster) | {field: value})
    text = errors(response)
    assert expected in text.replace("&#x27;", "'")
    form = response.context["adminform"].form
    shown = form.errors if "-" not in field else response.context["inline_admin_formsets"][0].formset.errors[0]
    assert field.rpartition("-")[2] in shown
    assert not Service.objects.filter(name="made-here").exists()


def test_an_error_in_nested_yaml_names_its_line(cluster: Cluster, editor: Client) -> None:
    """The policy's third line is the wrong one, and the form says so."""
    data = new_object(NetworkPolicy, cluster) | {"ingress": POLICY_RULES}
    response = editor.post(url(NetworkPolicy, "add"), data)
    message = response.context["adminform"].form.errors["ingress"][0]
    assert message.startswith("line 4: spec.ingress[0].ports[0].port: Invalid value: 99999")


def test_a_selector_that_matches_nothing_is_a_warning(cluster: Cluster, editor: Client) -> None:
    """Legal and useless: saved, with a word about it."""
    response = editor.post(url(Service, "add"), new_object(Service, cluster), follow=True)
    assert any("matches no pod" in str(message) for message in response.context["messages"])
    assert Service.objects.filter(name="made-here").exists()


def test_a_namespace_of_another_cluster_is_refused(cluster: Cluster, editor: Client) -> None:
    """Clusters lie side by side and do not mix."""
    other = services.create_cluster("c2", nodes=0, actor="tests")
    data = new_object(Service, cluster) | {"namespace": Namespace.objects.get(cluster=other, name="default").pk}
    assert "belongs to cluster" in errors(editor.post(url(Service, "add"), data))


@pytest.mark.parametrize(
    ("model", "action", "check"),
    [
        (Node, "cordon", lambda: Node.objects.get(name="n1").unschedulable),
        (Node, "drain", lambda: Pod.objects.get(name="api-5d9f-aaaaa").deleting),
        (Node, "node_down", lambda: Node.objects.get(name="n1").annotations["clusterviz.dev/down"] == "true"),
        (Pod, "delete_pod", lambda: Pod.objects.get(name="api-5d9f-aaaaa").deleting),
        (
            Pod,
            "not_ready",
            lambda: Pod.objects.get(name="api-5d9f-aaaaa").annotations["clusterviz.dev/ready"] == "false",
        ),
        (Pod, "crash", lambda: Pod.objects.get(name="api-5d9f-aaaaa").annotations["clusterviz.dev/crash"] == "true"),
        (Deployment, "scale", lambda: Deployment.objects.get(name="api").replicas == 7),
    ],
)
def test_actions(shop: Cluster, editor: Client, model: Any, action: str, check: Any) -> None:
    """Each action does to the cluster what it says, and says it."""
    row = model.objects.filter(name__in=("n1", "api-5d9f-aaaaa", "api")).first()
    data = {"action": action, "_selected_action": [row.pk], "replicas": "7"}
    response = editor.post(url(model, "changelist"), data, follow=True)
    assert check()
    assert len(list(response.context["messages"])) == 1


@pytest.mark.parametrize(
    ("model", "first", "second", "check"),
    [
        (Node, "cordon", "uncordon", lambda: not Node.objects.get(name="n1").unschedulable),
        (Node, "node_down", "node_up", lambda: not Node.objects.get(name="n1").annotations),
        (Pod, "crash", "ready", lambda: not Pod.objects.get(name="api-5d9f-aaaaa").annotations),
        (Pod, "not_ready", "ready", lambda: not Pod.objects.get(name="api-5d9f-aaaaa").annotations),
    ],
)
def test_actions_can_be_taken_back(
    shop: Cluster, editor: Client, model: Any, first: str, second: str, check: Any
) -> None:
    """Uncordon, node up, mark ready."""
    row = model.objects.filter(name__in=("n1", "api-5d9f-aaaaa")).first()
    for action in (first, second):
        editor.post(url(model, "changelist"), {"action": action, "_selected_action": [row.pk]})
    assert check()


def test_editing_an_inferred_flow_makes_it_ours(shop: Cluster, editor: Client) -> None:
    """A later import leaves it alone."""
    flow = TrafficFlow.objects.get(name="web-to-api")
    assert flow.inferred
    page = editor.get(url(TrafficFlow, "change", flow.pk))
    response = editor.post(url(TrafficFlow, "change", flow.pk), form_data(page) | {"requests_per_second": "9"})
    assert response.status_code == 302, errors(response)
    flow.refresh_from_db()
    assert (flow.inferred, flow.requests_per_second) == (False, 9.0)


def test_the_journal_is_read_only(shop: Cluster, editor: Client) -> None:
    """Nobody edits what happened."""
    line = Change.objects.latest("sequence")
    assert editor.get(url(Change, "changelist")).status_code == 200
    assert b"<pre>" in editor.get(url(Change, "change", line.pk)).content
    assert editor.get(url(Change, "add")).status_code == 403
    assert editor.post(url(Change, "delete", line.pk), {"post": "yes"}).status_code == 403


def test_pages_link_to_the_dashboard(shop: Cluster, editor: Client) -> None:
    """The link selects the object in the picture."""
    row = Service.objects.get(name="api")
    assert b"/clusters/c1/#select=service:shop/api" in editor.get(url(Service, "change", row.pk)).content


def test_protected_namespaces_stay(shop: Cluster, editor: Client) -> None:
    """Kubernetes does not delete kube-system, and neither do we."""
    row = Namespace.objects.get(cluster=shop, name="kube-system")
    editor.post(url(Namespace, "delete", row.pk), {"post": "yes"})
    assert Namespace.objects.filter(pk=row.pk).exists()


def test_markup_in_an_object_stays_text(cluster: Cluster, editor: Client) -> None:
    """Annotations may hold anything; a page shows it and never runs it."""
    evil = "<script>alert(1)</script>"
    data = new_object(Namespace, cluster) | {"annotations": f"note={evil}"}
    assert editor.post(url(Namespace, "add"), data).status_code == 302
    row = Namespace.objects.get(name="made-here")
    page = editor.get(url(Namespace, "change", row.pk)).content.decode()
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_autocomplete_finds_nodes_and_namespaces(shop: Cluster, editor: Client) -> None:
    """The boxes for cluster, namespace and node search while one types."""
    for field in ("cluster", "namespace", "node"):
        query = {
            "app_label": "cluster",
            "model_name": "pod",
            "field_name": field,
            "term": "n" if field == "node" else "c",
        }
        assert editor.get(reverse("admin:autocomplete"), query).status_code == 200
    query = {"app_label": "cluster", "model_name": "pod", "field_name": "node", "term": "n1"}
    answer = editor.get(reverse("admin:autocomplete"), query).json()
    assert [item["text"] for item in answer["results"]] == ["n1 (c1)"]


@pytest.mark.parametrize("model", [Pod, Service, Deployment], ids=lambda model: model.__name__)
def test_lists_ask_the_database_the_same_for_many_rows(
    model: Any, shop: Cluster, editor: Client, django_assert_max_num_queries: Any
) -> None:
    """No query a row."""
    objects = snapshot.load_objects(shop)
    source = next(obj for obj in objects if obj["kind"] == model.KIND and obj["metadata"]["namespace"] == "shop")
    for number in range(20):
        copy = {**source, "metadata": {"name": f"copy-{number}", "namespace": "shop", "labels": {"app": "api"}}}
        copy = {**copy, "spec": {k: v for k, v in copy["spec"].items() if not k.startswith("clusterIP")}}
        copy.pop("status", None)
        services.apply_objects(shop, [copy], actor="tests")
    with django_assert_max_num_queries(14):
        assert editor.get(url(model, "changelist")).status_code == 200


def test_a_form_that_was_open_for_long_does_not_bring_back_an_old_status(shop: Cluster, editor: Client) -> None:
    """What controllers wrote meanwhile stays; what the person edited is taken."""
    row = Pod.objects.get(name="api-5d9f-aaaaa")
    data = form_data(editor.get(url(Pod, "change", row.pk)))
    obj = row.to_object()
    status = {**obj["status"], "phase": "Failed", "reason": "Evicted"}
    services.checkpoint(shop, set=[{**obj, "status": status}])
    response = editor.post(url(Pod, "change", row.pk), data | {"labels": "app=api\nhot=yes"})
    assert response.status_code == 302, errors(response)
    after = Pod.objects.get(pk=row.pk).to_object()
    assert after["status"] == status
    assert after["metadata"]["labels"] == {"app": "api", "hot": "yes"}


def test_a_cluster_ip_may_not_change_once_set(shop: Cluster, editor: Client) -> None:
    """One sentence at the right field, though the address stands twice in the object (SVC-02)."""
    row = Service.objects.get(name="api")
    data = form_data(editor.get(url(Service, "change", row.pk))) | {"cluster_ip": "10.96.9.9"}
    response = editor.post(url(Service, "change", row.pk), data)
    found = response.context["adminform"].form.errors["cluster_ip"]
    assert found == ['spec.clusterIPs[0]: Invalid value: "10.96.9.9": may not change once set']


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("OtherObject", "kind", "Deployment"),
        ("OtherObject", "rest", "metadata: 5"),
        ("Service", "rest", "apiVersion: serving.knative.dev/v1"),
        ("Service", "rest", "spec: 5"),
        ("Service", "rest", "[1, 2]"),
    ],
)
def test_the_remainder_cannot_turn_an_object_into_another(
    cluster: Cluster, editor: Client, model: str, field: str, value: str
) -> None:
    """Kind, name and namespace are what their own fields say; nothing is saved otherwise."""
    chosen = next(found for found in OBJECT_MODELS if found.__name__ == model)
    before = snapshot.head(cluster)
    response = editor.post(url(chosen, "add"), new_object(chosen, cluster) | {field: value})
    assert field in response.context["adminform"].form.errors
    assert snapshot.head(cluster) == before
