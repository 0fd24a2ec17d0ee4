"""Fields the API knows of kinds that decide about traffic.

kube-apiserver refuses what it does not know; a misspelt field that is silently ignored would open
what its author meant to close.
"""

from __future__ import annotations

from typing import Any

from clusterviz.engine.gateway.objects import GROUP, KINDS
from clusterviz.engine.objects import Obj
from clusterviz.engine.validation.flaws import Flaw, Flaws

# A name alone is a leaf: its value is checked elsewhere or is a map of the user's own keys.
Shape = dict[str, Any]


def _shape(leaves: str, **inner: Shape) -> Shape:
    return {**dict.fromkeys(leaves.split()), **inner}


_REQUIREMENT = _shape("key operator values")
_SELECTOR = _shape("matchLabels", matchExpressions=_REQUIREMENT)
_METADATA = _shape(
    "annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName generation "
    "labels managedFields name namespace resourceVersion selfLink uid",
    ownerReferences=_shape("apiVersion blockOwnerDeletion controller kind name uid"),
)
_BACKEND = _shape(
    "",
    resource=_shape("apiGroup kind name"),
    service=_shape("name", port=_shape("name number")),
)
_PEER = _shape("", ipBlock=_shape("cidr except"), namespaceSelector=_SELECTOR, podSelector=_SELECTOR)
_POLICY_PORT = _shape("endPort port protocol")
_HEADERS = _shape("remove", set=_shape("name value"), add=_shape("name value"))
_TO = _shape("group kind name namespace port")
_NEW_PATH = _shape("replaceFullPath replacePrefixMatch type")
_FILTERS = _shape(
    "cors extensionRef externalAuth type",
    requestHeaderModifier=_HEADERS,
    responseHeaderModifier=_HEADERS,
    requestMirror=_shape("percent", backendRef=_TO, fraction=_shape("denominator numerator")),
    requestRedirect=_shape("hostname port scheme statusCode", path=_NEW_PATH),
    urlRewrite=_shape("hostname", path=_NEW_PATH),
)
_SPECS: dict[str, Shape] = {
    "GatewayClass": _shape("controllerName description", parametersRef=_shape("group kind name namespace")),
    "Gateway": _shape(
        "allowedListeners backendTLS defaultScope gatewayClassName infrastructure tls",
        addresses=_shape("type value"),
        listeners=_shape(
            "hostname name port protocol",
            allowedRoutes=_shape("", kinds=_shape("group kind"), namespaces=_shape("from", selector=_SELECTOR)),
            tls=_shape("frontendValidation mode options", certificateRefs=_shape("group kind name namespace")),
        ),
    ),
    "HTTPRoute": _shape(
        "hostnames useDefaultGateways",
        parentRefs=_shape("group kind name namespace port sectionName"),
        rules=_shape(
            "name retry sessionPersistence timeouts",
            matches=_shape(
                "method",
                headers=_shape("name type value"),
                path=_shape("type value"),
                queryParams=_shape("name type value"),
            ),
            filters=_FILTERS,
            backendRefs={**_TO, "weight": None, "filters": _FILTERS},
        ),
    ),
    "ReferenceGrant": _shape("", **{"from": _shape("group kind namespace")}, to=_shape("group kind name")),
    "Service": _shape(
        "allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy "
        "healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP "
        "loadBalancerSourceRanges publishNotReadyAddresses selector sessionAffinity trafficDistribution type",
        ports=_shape("appProtocol name nodePort port protocol targetPort"),
        sessionAffinityConfig=_shape("", clientIP=_shape("timeoutSeconds")),
    ),
    "Ingress": _shape(
        "ingressClassName",
        defaultBackend=_BACKEND,
        rules=_shape("host", http=_shape("", paths=_shape("path pathType", backend=_BACKEND))),
        tls=_shape("hosts secretName"),
    ),
    "NetworkPolicy": _shape(
        "policyTypes",
        podSelector=_SELECTOR,
        ingress=_shape("", **{"from": _PEER}, ports=_POLICY_PORT),
        egress=_shape("", to=_PEER, ports=_POLICY_PORT),
    ),
}
_OBJECTS = {kind: _shape("apiVersion kind status", metadata=_METADATA, spec=spec) for kind, spec in _SPECS.items()}


def check_fields(flaws: Flaws, obj: Obj, kind: str) -> None:
    """Refuse fields nobody defined; values of a wrong type are left to the other checks."""
    foreign = kind in KINDS and str(obj.get("apiVersion")).partition("/")[0] != GROUP
    if kind in _OBJECTS and not foreign:
        _walk(flaws, obj, _OBJECTS[kind], "")


def _walk(flaws: Flaws, value: Any, shape: Shape, path: str) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _walk(flaws, item, shape, f"{path}[{index}]")
        return
    if not isinstance(value, dict):
        return
    for name, child in value.items():
        field = f"{path}.{name}" if path else str(name)
        if name not in shape:
            flaws.append(Flaw(field, f'unknown field "{field}"'))
        elif (inner := shape[name]) is not None:
            _walk(flaws, child, inner, field)
