"""Closed lists of values, and required fields that may be left out: the published schemas name neither.

Keys are "GoStruct.field", as in the names of the schemas.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CHOICES", "FILLED_IN"]

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_TRAFFIC: Final = ("Cluster", "Local")
_TAINTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "ServiceSpec.type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    "ServiceSpec.sessionAffinity": ("ClientIP", "None"),
    "ServiceSpec.externalTrafficPolicy": _TRAFFIC,
    "ServiceSpec.internalTrafficPolicy": _TRAFFIC,
    "ServiceSpec.ipFamilyPolicy": ("SingleStack", "PreferDualStack", "RequireDualStack"),
    "ServiceSpec.ipFamilies": ("IPv4", "IPv6"),
    "ServicePort.protocol": _PROTOCOLS,
    "ContainerPort.protocol": _PROTOCOLS,
    "NetworkPolicyPort.protocol": _PROTOCOLS,
    "EndpointPort.protocol": _PROTOCOLS,
    "PodSpec.restartPolicy": ("Always", "OnFailure", "Never"),
    "PodSpec.dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
    "PodSpec.preemptionPolicy": ("Never", "PreemptLowerPriority"),
    "PodOS.name": ("linux", "windows"),
    "Container.imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "Container.terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "Container.restartPolicy": ("Always", "Never", "OnFailure"),
    "HTTPGetAction.scheme": ("HTTP", "HTTPS"),
    "VolumeMount.mountPropagation": ("None", "HostToContainer", "Bidirectional"),
    "Toleration.effect": _TAINTS,
    "Taint.effect": _TAINTS,
    "TopologySpreadConstraint.whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    "DeploymentStrategy.type": ("Recreate", "RollingUpdate"),
    "DaemonSetUpdateStrategy.type": ("RollingUpdate", "OnDelete"),
    "StatefulSetUpdateStrategy.type": ("RollingUpdate", "OnDelete"),
    "StatefulSetSpec.podManagementPolicy": ("OrderedReady", "Parallel"),
    "JobSpec.completionMode": ("NonIndexed", "Indexed"),
    "CronJobSpec.concurrencyPolicy": ("Allow", "Forbid", "Replace"),
    "HTTPIngressPath.pathType": ("Exact", "ImplementationSpecific", "Prefix"),
    "NetworkPolicySpec.policyTypes": ("Ingress", "Egress"),
    "EndpointSlice.addressType": ("IPv4", "IPv6", "FQDN"),
    "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy": ("AlwaysAllow", "IfHealthyBudget"),
    "PriorityClass.preemptionPolicy": ("Never", "PreemptLowerPriority"),
    "StorageClass.reclaimPolicy": ("Delete", "Retain"),
    "StorageClass.volumeBindingMode": ("Immediate", "WaitForFirstConsumer"),
    "CustomResourceDefinitionSpec.scope": ("Cluster", "Namespaced"),
}

# Required by the schema, yet kube-apiserver takes the zero value or a default, or checks it with words of its own.
FILLED_IN: Final = frozenset(
    {
        "ControllerRevision.revision",
        "EndpointSlice.endpoints",
        "Event.involvedObject",
        "Event.metadata",
        "HTTPHeader.value",
        "HorizontalPodAutoscalerSpec.maxReplicas",
        "LimitRangeSpec.limits",
        "NetworkPolicySpec.podSelector",
        "PriorityClass.value",
        "RoleRef.apiGroup",
        "ServicePort.port",
        "SleepAction.seconds",
        "Sysctl.value",
        "TopologySpreadConstraint.maxSkew",
    }
)
