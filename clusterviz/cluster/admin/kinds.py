"""An admin page for every kind of object."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from clusterviz.cluster.admin.base import NAMESPACE, NODE, ObjectAdmin, ReplicasActionForm, YamlMixin, run
from clusterviz.cluster.admin.fields import TargetPortField
from clusterviz.cluster.admin.forms import ChildFormSet, ObjectForm
from clusterviz.cluster.admin.generic import StackedInline, TabularInline
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import stored_kind
from clusterviz.cluster.models import (
    MODEL_OF,
    Container,
    DaemonSet,
    Deployment,
    EndpointSlice,
    Ingress,
    Namespace,
    NetworkPolicy,
    Node,
    OtherObject,
    Pod,
    ReplicaSet,
    Service,
    ServicePort,
    StatefulSet,
    TrafficFlow,
)
from clusterviz.cluster.services.delete import PROTECTED_NAMESPACES

Rows = models.QuerySet[Any]


@admin.register(Namespace)
class NamespaceAdmin(ObjectAdmin):
    """Namespaces."""

    list_display = ("name", "label_list", "dashboard", "cluster")
    list_filter = ("cluster",)
    search_fields = ("name", "labels")
    autocomplete_fields = ("cluster",)
    identity = ("cluster", "name")

    def may_go(self, row: Any) -> bool:
        """Every cluster keeps these."""
        return row.name not in PROTECTED_NAMESPACES


@admin.register(Node)
class NodeAdmin(ObjectAdmin):
    """Nodes; addresses left empty are given out."""

    list_display = ("name", "internal_ip", "pod_cidr", "unschedulable", "label_list", "dashboard", "cluster")
    list_filter = ("cluster", "unschedulable")
    search_fields = ("name", "labels", "pod_cidr")
    autocomplete_fields = ("cluster",)
    identity = ("cluster", "name")
    actions = ("cordon", "uncordon", "drain", "node_down", "node_up")
    help_texts: ClassVar = {
        **YamlMixin.help_texts,
        "addresses": "YAML list of type and address. Left empty, the next free InternalIP is given.",
    }

    @admin.display(description="internal IP")
    def internal_ip(self, row: Node) -> str:
        """The first InternalIP."""
        return next((str(e.get("address")) for e in row.addresses or [] if e.get("type") == "InternalIP"), "")

    @admin.action(description="Cordon: no new pods here")
    def cordon(self, request: HttpRequest, queryset: Rows) -> None:
        """Cordon."""
        run(request, "cordon", queryset)

    @admin.action(description="Uncordon")
    def uncordon(self, request: HttpRequest, queryset: Rows) -> None:
        """Uncordon."""
        run(request, "uncordon", queryset)

    @admin.action(description="Drain: cordon and evict the pods")
    def drain(self, request: HttpRequest, queryset: Rows) -> None:
        """Drain."""
        run(request, "drain", queryset)

    @admin.action(description="Node down: the machine fails")
    def node_down(self, request: HttpRequest, queryset: Rows) -> None:
        """Fail."""
        run(request, "node-down", queryset)

    @admin.action(description="Node up: the machine is back")
    def node_up(self, request: HttpRequest, queryset: Rows) -> None:
        """Recover."""
        run(request, "node-up", queryset)


class ContainerInline(YamlMixin, StackedInline):
    """The containers of a pod."""

    model = Container
    formset = ChildFormSet
    extra = 0
    min_num = 1
    fields = ("name", "image", "init", "ports", "rest")
    help_texts: ClassVar = {
        "ports": "YAML list of containerPort, name, protocol.",
        "rest": "Everything else of the container, as YAML.",
    }


@admin.register(Pod)
class PodAdmin(ObjectAdmin):
    """Pods with their containers."""

    list_display = ("name", "space", "node_name", "ip", "state", "dashboard", "cluster")
    list_filter = ("cluster", NAMESPACE, NODE, "phase")
    search_fields = ("name", "namespace__name", "labels", "ip", "node__name")
    autocomplete_fields = ("cluster", "namespace", "node")
    inlines = (ContainerInline,)
    status_fields = ("ip", "phase", "deleting")
    actions = ("delete_pod", "not_ready", "ready", "crash")

    @admin.display(description="status", ordering="phase")
    def state(self, row: Pod) -> str:
        """As kubectl prints it."""
        return "Terminating" if row.deleting else row.phase or "Pending"

    @admin.display(description="node", ordering="node__name")
    def node_name(self, row: Pod) -> str:
        """Where it runs."""
        return row.node.name if row.node else ""

    @admin.action(description="Delete pod: its workload makes a new one")
    def delete_pod(self, request: HttpRequest, queryset: Rows) -> None:
        """Delete."""
        run(request, "delete-pod", queryset)

    @admin.action(description="Mark not ready: fail its readiness probe")
    def not_ready(self, request: HttpRequest, queryset: Rows) -> None:
        """Fail readiness."""
        run(request, "not-ready", queryset)

    @admin.action(description="Mark ready: let its readiness probe pass")
    def ready(self, request: HttpRequest, queryset: Rows) -> None:
        """Pass readiness."""
        run(request, "ready", queryset)

    @admin.action(description="Crash: the process exits whenever it runs")
    def crash(self, request: HttpRequest, queryset: Rows) -> None:
        """Crash."""
        run(request, "crash", queryset)


class WorkloadAdmin(ObjectAdmin):
    """What the four workloads share."""

    mapping_fields = ("rest", "template", "selector")
    help_texts: ClassVar = {
        **YamlMixin.help_texts,
        "selector": "YAML: matchLabels and matchExpressions. It must match the template's labels.",
        "template": "YAML: metadata with labels, and a pod spec with containers.",
    }


class ReplicatedAdmin(WorkloadAdmin):
    """Workloads that can be scaled."""

    list_display = ("name", "space", "replicas", "label_list", "dashboard", "cluster")
    action_form = ReplicasActionForm
    actions = ("scale",)

    @admin.action(description="Scale to the number of replicas given here")
    def scale(self, request: HttpRequest, queryset: Rows) -> None:
        """Scale."""
        run(request, "scale", queryset, replicas=request.POST.get("replicas", ""))


@admin.register(Deployment)
class DeploymentAdmin(ReplicatedAdmin):
    """Deployments."""


@admin.register(ReplicaSet)
class ReplicaSetAdmin(ReplicatedAdmin):
    """ReplicaSets."""


@admin.register(StatefulSet)
class StatefulSetAdmin(ReplicatedAdmin):
    """StatefulSets."""


@admin.register(DaemonSet)
class DaemonSetAdmin(WorkloadAdmin):
    """DaemonSets."""

    list_display = ("name", "space", "label_list", "dashboard", "cluster")


class ServicePortInline(YamlMixin, TabularInline):
    """The ports of a Service."""

    model = ServicePort
    formset = ChildFormSet
    extra = 0
    min_num = 1
    fields = ("name", "protocol", "port", "target_port", "node_port", "rest")

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """The target port is a number or a name."""
        if db_field.name == "target_port":
            return db_field.formfield(form_class=TargetPortField)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "rest":
            field.widget.attrs.update(rows=1, cols=16)
        if db_field.name == "name":
            field.widget.attrs.update({"class": "", "size": 12})
        return field


class ServiceForm(ObjectForm):
    """A Service whose ClusterIP was edited has no other list of them."""

    def complete(self, obj: Obj) -> Obj:
        """Leave ``clusterIPs`` to follow from ``clusterIP``."""
        if "cluster_ip" in self.changed_data:
            obj.get("spec", {}).pop("clusterIPs", None)
        return obj


@admin.register(Service)
class ServiceAdmin(ObjectAdmin):
    """Services with their ports; ClusterIP and node ports left empty are given out."""

    form = ServiceForm
    list_display = ("name", "space", "type", "cluster_ip", "port_list", "dashboard", "cluster")
    list_filter = ("cluster", NAMESPACE, "type")
    search_fields = ("name", "namespace__name", "labels", "cluster_ip")
    selector_fields = ("selector",)
    inlines = (ServicePortInline,)

    def get_queryset(self, request: HttpRequest) -> Rows:
        """With the ports."""
        return super().get_queryset(request).prefetch_related("serviceport_set")

    @admin.display(description="ports")
    def port_list(self, row: Service) -> str:
        """As kubectl prints them."""
        return ", ".join(
            f"{port.port}{f':{port.node_port}' if port.node_port else ''}/{port.protocol or 'TCP'}"
            for port in row.serviceport_set.all()
        )


@admin.register(EndpointSlice)
class EndpointSliceAdmin(ObjectAdmin):
    """EndpointSlices; those of Services with a selector are written by a controller."""

    list_display = ("name", "space", "address_type", "address_list", "cluster")
    list_filter = ("cluster", NAMESPACE, "address_type")

    @admin.display(description="addresses")
    def address_list(self, row: EndpointSlice) -> str:
        """All addresses."""
        return ", ".join(str(ip) for endpoint in row.endpoints or [] for ip in endpoint.get("addresses") or [])


@admin.register(Ingress)
class IngressAdmin(ObjectAdmin):
    """Ingresses."""

    list_display = ("name", "space", "ingress_class", "host_list", "dashboard", "cluster")
    list_filter = ("cluster", NAMESPACE, "ingress_class")
    help_texts: ClassVar = {
        **YamlMixin.help_texts,
        "rules": "YAML list: host, http.paths with path, pathType and backend.service.",
        "default_backend": "YAML: service with name and port.",
    }

    @admin.display(description="hosts")
    def host_list(self, row: Ingress) -> str:
        """All hosts; * is any."""
        return ", ".join(str(rule.get("host") or "*") for rule in row.rules or [])


@admin.register(NetworkPolicy)
class NetworkPolicyAdmin(ObjectAdmin):
    """NetworkPolicies."""

    list_display = ("name", "space", "type_list", "dashboard", "cluster")
    help_texts: ClassVar = {
        **YamlMixin.help_texts,
        "pod_selector": "YAML: matchLabels and matchExpressions; {} selects every pod of the namespace.",
        "policy_types": "YAML list of Ingress and Egress.",
        "ingress": "YAML list of rules with from and ports; an empty list lets nothing in.",
        "egress": "YAML list of rules with to and ports; an empty list lets nothing out.",
    }

    @admin.display(description="types")
    def type_list(self, row: NetworkPolicy) -> str:
        """The directions it is about."""
        return ", ".join(row.policy_types or [])


class FlowForm(ObjectForm):
    """A flow that somebody edits is no longer inferred."""

    def clean(self) -> dict[str, Any]:
        """Keep a later import from overwriting it."""
        data = super().clean()
        if self.instance.pk and self.changed_data and "inferred" not in self.changed_data:
            data["inferred"] = False
        return data


@admin.register(TrafficFlow)
class TrafficFlowAdmin(ObjectAdmin):
    """Who calls whom."""

    form = FlowForm
    list_display = ("name", "space", "caller", "called", "requests_per_second", "inferred", "dashboard", "cluster")
    list_filter = ("cluster", NAMESPACE, "inferred", "from_kind")
    search_fields = ("name", "namespace__name", "from_name", "to_host")

    @admin.display(description="from", ordering="from_name")
    def caller(self, row: TrafficFlow) -> str:
        """Name, with the kind where it is not a Deployment."""
        name = row.from_name or row.from_ip
        return name if row.from_kind == "Deployment" else f"{name} ({row.from_kind})"

    @admin.display(description="to", ordering="to_host")
    def called(self, row: TrafficFlow) -> str:
        """Host and port."""
        return f"{row.to_host}:{row.to_port}{row.to_path}"


class OtherForm(ObjectForm):
    """Only for kinds without a page of their own."""

    def clean(self) -> dict[str, Any]:
        """Name the kind as it is kept, and send people to the right page."""
        data = super().clean()
        if kind := data.get("kind"):
            group, slash, _ = str(data.get("api_version") or "").partition("/")
            data["kind"] = stored_kind(kind.partition(".")[0], group if slash else "")
        if data.get("kind") in MODEL_OF:
            self.add_error("kind", f"{data['kind']} has a page of its own")
        return data


@admin.register(OtherObject)
class OtherObjectAdmin(ObjectAdmin):
    """Everything without a page of its own."""

    form = OtherForm
    list_display = ("name", "kind", "space", "api_version", "cluster")
    list_filter = ("cluster", "kind", NAMESPACE)
    search_fields = ("name", "kind", "namespace__name", "labels")
    identity = ("cluster", "kind", "namespace", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """These kinds are not in the picture."""
        return tuple(name for name in super().get_readonly_fields(request, obj) if name != "dashboard")
