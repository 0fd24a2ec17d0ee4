"""Which kinds are served, under which names; kinds of applied CustomResourceDefinitions are added to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from clusterviz.cluster.keys import stored_kind

MINOR = 37
GIT_VERSION = f"v1.{MINOR}.0+clusterviz"
DEFINED_GROUPS = ("gateway.networking.k8s.io", "clusterviz.dev")
READS = ("get", "list", "watch")
ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One kind as discovery tells it. ``columns`` are a CRD's additionalPrinterColumns."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL
    custom: bool = False
    columns: tuple[tuple[tuple[str, Any], ...], ...] = ()
    scale: tuple[str, str] = ("", "")

    @property
    def defined(self) -> bool:
        """Whether a real cluster has it by a CustomResourceDefinition: no strategic merge patch, words of a schema."""
        return self.custom or self.group in DEFINED_GROUPS

    @property
    def api_version(self) -> str:
        """``apps/v1``, ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``deployments.apps``, ``pods``: how messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def stored(self) -> str:
        """``Pod``, ``Service.serving.knative.dev``: the kind in the keys of its objects."""
        return stored_kind(self.kind, self.group)

    @property
    def scalable(self) -> bool:
        """Whether it has a scale sub-resource."""
        return "scale" in self.subresources


def _rows(group: str, version: str, *rows: tuple[str, str, str, str]) -> list[Resource]:
    """Rows of kind, plural, short names and marks.

    ``c`` cluster-scoped, ``a`` in the category all, ``r`` never made, ``s`` status, other words sub-resources.
    """
    found = []
    for kind, plural, short, marks in rows:
        words = marks.split()
        found.append(
            Resource(
                group=group,
                version=version,
                kind=kind,
                plural=plural,
                singular=kind.lower(),
                short=tuple(short.split()),
                namespaced="c" not in words,
                categories=("all",) if "a" in words else (),
                subresources=tuple("status" if word == "s" else word for word in words if word not in ("c", "a", "r")),
                verbs=READS if "r" in words else ALL,
            )
        )
    return found


BUILTIN: tuple[Resource, ...] = (
    *_rows(
        "",
        "v1",
        ("ConfigMap", "configmaps", "cm", ""),
        ("Endpoints", "endpoints", "ep", ""),
        ("Event", "events", "ev", ""),
        ("LimitRange", "limitranges", "limits", ""),
        ("Namespace", "namespaces", "ns", "c s finalize"),
        ("Node", "nodes", "no", "c s"),
        ("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "s"),
        ("PersistentVolume", "persistentvolumes", "pv", "c s"),
        ("Pod", "pods", "po", "a s log exec attach portforward ephemeralcontainers eviction"),
        ("PodTemplate", "podtemplates", "", ""),
        ("ReplicationController", "replicationcontrollers", "rc", "a r"),
        ("ResourceQuota", "resourcequotas", "quota", "s"),
        ("Secret", "secrets", "", ""),
        ("ServiceAccount", "serviceaccounts", "sa", "token"),
        ("Service", "services", "svc", "a s"),
    ),
    *_rows(
        "admissionregistration.k8s.io",
        "v1",
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", "c"),
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", "", "c s"),
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "", "c"),
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", "c"),
    ),
    *_rows("apiextensions.k8s.io", "v1", ("CustomResourceDefinition", "customresourcedefinitions", "crd crds", "c s")),
    *_rows("apiregistration.k8s.io", "v1", ("APIService", "apiservices", "", "c s")),
    *_rows(
        "apps",
        "v1",
        ("ControllerRevision", "controllerrevisions", "", ""),
        ("DaemonSet", "daemonsets", "ds", "a s"),
        ("Deployment", "deployments", "deploy", "a s scale"),
        ("ReplicaSet", "replicasets", "rs", "a s scale"),
        ("StatefulSet", "statefulsets", "sts", "a s scale"),
    ),
    *_rows("autoscaling", "v2", ("HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "a s")),
    *_rows("autoscaling", "v1", ("HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "a s")),
    *_rows("batch", "v1", ("CronJob", "cronjobs", "cj", "a s"), ("Job", "jobs", "", "a s")),
    *_rows("coordination.k8s.io", "v1", ("Lease", "leases", "", "")),
    *_rows("discovery.k8s.io", "v1", ("EndpointSlice", "endpointslices", "", "")),
    *_rows(
        "flowcontrol.apiserver.k8s.io",
        "v1",
        ("FlowSchema", "flowschemas", "", "c s"),
        ("PriorityLevelConfiguration", "prioritylevelconfigurations", "", "c s"),
    ),
    *_rows(
        "networking.k8s.io",
        "v1",
        ("IngressClass", "ingressclasses", "", "c"),
        ("Ingress", "ingresses", "ing", "s"),
        ("NetworkPolicy", "networkpolicies", "netpol", ""),
    ),
    *_rows("policy", "v1", ("PodDisruptionBudget", "poddisruptionbudgets", "pdb", "s")),
    *_rows(
        "rbac.authorization.k8s.io",
        "v1",
        ("ClusterRoleBinding", "clusterrolebindings", "", "c"),
        ("ClusterRole", "clusterroles", "", "c"),
        ("RoleBinding", "rolebindings", "", ""),
        ("Role", "roles", "", ""),
    ),
    *_rows("scheduling.k8s.io", "v1", ("PriorityClass", "priorityclasses", "pc", "c")),
    *_rows(
        "storage.k8s.io",
        "v1",
        ("CSIDriver", "csidrivers", "", "c"),
        ("CSINode", "csinodes", "", "c"),
        ("StorageClass", "storageclasses", "sc", "c"),
        ("VolumeAttachment", "volumeattachments", "", "c s"),
    ),
    *_rows("node.k8s.io", "v1", ("RuntimeClass", "runtimeclasses", "", "c")),
    *_rows(
        "gateway.networking.k8s.io",
        "v1",
        ("GatewayClass", "gatewayclasses", "gc", "c s"),
        ("Gateway", "gateways", "gtw", "s"),
        ("HTTPRoute", "httproutes", "", "s"),
    ),
    *_rows(
        "gateway.networking.k8s.io",
        "v1beta1",
        ("GatewayClass", "gatewayclasses", "gc", "c s"),
        ("Gateway", "gateways", "gtw", "s"),
        ("HTTPRoute", "httproutes", "", "s"),
        ("ReferenceGrant", "referencegrants", "refgrant", ""),
    ),
    *_rows("clusterviz.dev", "v1", ("TrafficFlow", "trafficflows", "flow", "")),
)
# Only asked and answered, never stored.
REVIEWS: dict[tuple[str, str], str] = {
    ("authorization.k8s.io/v1", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io/v1", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authentication.k8s.io/v1", "selfsubjectreviews"): "SelfSubjectReview",
}
BUILTIN_KINDS = frozenset(resource.kind for resource in BUILTIN)
_BUILTIN_GROUPS = {resource.group for resource in BUILTIN} | {"authorization.k8s.io", "authentication.k8s.io"}


class Registry:
    """All kinds of one cluster at one moment."""

    def __init__(self, definitions: Iterable[Mapping[str, Any]] = ()) -> None:
        self.resources = list(BUILTIN)
        for definition in definitions:
            self.resources += [
                one for one in _defined(definition) if not any(_same(one, other) for other in self.resources)
            ]
        self._found = {(one.group, one.version, one.plural): one for one in self.resources}

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource behind a path."""
        return self._found.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an object."""
        group, _, version = api_version.rpartition("/")
        return next(
            (one for one in self.resources if (one.group, one.version, one.kind) == (group, version, kind)), None
        )

    def groups(self) -> dict[str, list[str]]:
        """Groups and their versions, the preferred one first; the core group is ""."""
        found: dict[str, list[str]] = {}
        for one in self.resources:
            versions = found.setdefault(one.group, [])
            if one.version not in versions:
                versions.append(one.version)
        for api_version, _ in REVIEWS:
            group, _, version = api_version.partition("/")
            found.setdefault(group, [version])
        return found

    def in_version(self, group: str, version: str) -> list[Resource]:
        """What one group version serves."""
        return [one for one in self.resources if (one.group, one.version) == (group, version)]


def _same(one: Resource, other: Resource) -> bool:
    return (one.group, one.version, one.plural) == (other.group, other.version, other.plural)


def _defined(definition: Mapping[str, Any]) -> list[Resource]:
    """The kinds of a CustomResourceDefinition; one resource a served version."""
    spec = definition.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return []
    kind, plural, group = (str(part or "") for part in (names.get("kind"), names.get("plural"), spec.get("group")))
    if not (kind and plural and group) or group in _BUILTIN_GROUPS - {DEFINED_GROUPS[0]}:
        return []
    found = []
    for version in spec.get("versions") or []:
        if not isinstance(version, dict) or not version.get("served", True) or not version.get("name"):
            continue
        subs = version.get("subresources") or {}
        scale = subs.get("scale") or {}
        found.append(
            Resource(
                group=group,
                version=str(version["name"]),
                kind=kind,
                plural=plural,
                singular=str(names.get("singular") or kind.lower()),
                short=tuple(map(str, names.get("shortNames") or ())),
                namespaced=spec.get("scope") != "Cluster",
                categories=tuple(map(str, names.get("categories") or ())),
                subresources=tuple(name for name in ("status", "scale") if name in subs),
                custom=True,
                columns=tuple(
                    tuple(sorted(column.items()))
                    for column in version.get("additionalPrinterColumns") or ()
                    if isinstance(column, dict)
                ),
                scale=(str(scale.get("specReplicasPath", "")), str(scale.get("statusReplicasPath", ""))),
            )
        )
    return found
