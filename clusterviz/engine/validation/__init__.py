"""What kube-apiserver would refuse, with field paths and its wording. Pure."""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.errors import ObjectError
from clusterviz.engine.objects import WORKLOAD_KINDS, Obj
from clusterviz.engine.parse import Reader, parse
from clusterviz.engine.validation.batch import check_budget, check_job
from clusterviz.engine.validation.fields import check_fields
from clusterviz.engine.validation.flaws import Flaw, Flaws, quote
from clusterviz.engine.validation.gateway import check_gateway, check_gateway_class, check_grant
from clusterviz.engine.validation.meta import check_metadata
from clusterviz.engine.validation.others import check_flow, check_node, check_slice
from clusterviz.engine.validation.pods import MAX_REPLICAS, check_pod, check_pod_spec, check_workload
from clusterviz.engine.validation.routes import check_route
from clusterviz.engine.validation.rules import check_ingress, check_ingress_class, check_policy
from clusterviz.engine.validation.service import check_allocation, check_service

__all__ = ["MAX_REPLICAS", "Flaw", "Flaws", "check_allocation", "check_pod_spec", "validate"]

Check = Callable[[Flaws, Reader, Reader | None], None]
_CHECKS: dict[str, Check] = {
    "Pod": check_pod,
    "Service": check_service,
    "Ingress": check_ingress,
    "IngressClass": check_ingress_class,
    "NetworkPolicy": check_policy,
    "Node": check_node,
    "EndpointSlice": check_slice,
    "TrafficFlow": check_flow,
    "Job": check_job,
    "GatewayClass": check_gateway_class,
    "Gateway": check_gateway,
    "HTTPRoute": check_route,
    "ReferenceGrant": check_grant,
    "PodDisruptionBudget": check_budget,
    **dict.fromkeys(WORKLOAD_KINDS, check_workload),
}
API_VERSIONS = {
    **dict.fromkeys(("Namespace", "Node", "Pod", "Service"), "v1"),
    **dict.fromkeys(WORKLOAD_KINDS, "apps/v1"),
    **dict.fromkeys(("Ingress", "IngressClass", "NetworkPolicy"), "networking.k8s.io/v1"),
    "EndpointSlice": "discovery.k8s.io/v1",
    "Job": "batch/v1",
    "PodDisruptionBudget": "policy/v1",
    "TrafficFlow": "clusterviz.dev/v1",
}


def validate(obj: Obj, old: Obj | None = None, *, known: bool = True) -> list[Flaw]:
    """Everything wrong with an object; ``old`` is what it replaces.

    ``known`` False checks the metadata alone: the kind only shares a name with one of ours. A field
    of the wrong type hides what stands behind it.
    """
    flaws = Flaws()
    kind = obj.get("kind")
    for field in ("apiVersion", "kind"):
        if not isinstance(obj.get(field), str) or not obj[field]:
            flaws.required(field)
    if not flaws:
        _check_version(flaws, str(kind), obj["apiVersion"])
    try:
        reader = Reader(obj, "")
        check_metadata(flaws, reader, str(kind))
        if flaws or not known:
            return flaws
        check_fields(flaws, obj, str(kind))
        if check := _CHECKS.get(str(kind)):
            check(flaws, reader, Reader(old, "") if old is not None else None)
        if not flaws:
            parse(obj)
    except ObjectError as error:
        flaws.append(Flaw(error.field, error.detail))
    return flaws


def _check_version(flaws: Flaws, kind: str, version: str) -> None:
    """Kubernetes' own groups have each kind in one place; other groups may use its name for theirs."""
    expected = API_VERSIONS.get(kind)
    if expected is None or version == expected:
        return
    group = version.rpartition("/")[0]
    if "." not in group or group.endswith(".k8s.io") or group == expected.rpartition("/")[0]:
        detail = f'no matches for kind {quote(kind)} in version {quote(version)}, expected "{expected}"'
        flaws.append(Flaw("apiVersion", detail))
