"""Gateways, routes and grants as plain objects, and one request put to them."""

from __future__ import annotations

from typing import Any

from clusterviz.engine import Cluster, Request, Settings
from clusterviz.engine.gateway import GatewayAnswer, match_http

Obj = dict[str, Any]
API = "gateway.networking.k8s.io/v1"


def _object(kind: str, name: str, spec: Obj, created: str = "") -> Obj:
    namespace, _, short = name.rpartition("/")
    meta = {"name": short, **({"namespace": namespace} if namespace else {})}
    if created:
        meta["creationTimestamp"] = created
    return {"apiVersion": API, "kind": kind, "metadata": meta, "spec": spec}


def listener(name: str = "http", hostname: str = "", port: int = 80, protocol: str = "HTTP", **rest: Any) -> Obj:
    made = {"name": name, "port": port, "protocol": protocol, **rest}
    if protocol == "HTTPS" and "tls" not in rest:
        made["tls"] = {"certificateRefs": [{"name": "cert"}]}
    return {**made, **({"hostname": hostname} if hostname else {})}


def gateway(name: str = "infra/gw", *listeners: Obj, **spec: Any) -> Obj:
    return _object("Gateway", name, {"gatewayClassName": "any", "listeners": list(listeners) or [listener()], **spec})


def gateway_class(name: str = "any", controller: str = "example.com/gateway") -> Obj:
    return _object("GatewayClass", name, {"controllerName": controller})


def path(value: str, kind: str = "PathPrefix", **rest: Any) -> Obj:
    return {"path": {"type": kind, "value": value}, **rest}


def rule(*backends: str | Obj, matches: Any = None, filters: Any = None) -> Obj:
    refs = [{"name": one, "port": 80} if isinstance(one, str) else one for one in backends]
    made: Obj = {"backendRefs": refs} if refs else {}
    return {**made, **({"matches": matches} if matches else {}), **({"filters": filters} if filters else {})}


def route(name: str, *rules: Obj, parents: Any = None, hosts: Any = None, created: str = "") -> Obj:
    """``parents`` default to the Gateway gw of the route's own namespace."""
    spec: Obj = {"parentRefs": parents or [{"name": "gw"}], "rules": list(rules)}
    return _object("HTTPRoute", name, {**spec, **({"hostnames": hosts} if hosts else {})}, created)


def grant(name: str, source: str, kind: str = "HTTPRoute", to: str = "Service", only: str = "") -> Obj:
    target = {"group": "", "kind": to, **({"name": only} if only else {})}
    start = {"group": "gateway.networking.k8s.io", "kind": kind, "namespace": source}
    return _object("ReferenceGrant", name, {"from": [start], "to": [target]})


def service(name: str, **spec: Any) -> Obj:
    namespace, _, short = name.partition("/")
    meta = {"name": short, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}], **spec}}


def endpoint_slice(name: str, *ips: str, ready: bool = True) -> Obj:
    """A hand-written slice of the Service of the same name."""
    namespace, _, short = name.partition("/")
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": short, "namespace": namespace, "labels": {"kubernetes.io/service-name": short}},
        "addressType": "IPv4",
        "ports": [{"port": 8080}],
        "endpoints": [{"addresses": [ip], "conditions": {"ready": ready}} for ip in ips],
    }


def build(*objects: Obj) -> Cluster:
    return Cluster.from_objects(objects, Settings())


def put(
    cluster: Cluster,
    host: str = "x.test",
    target: str = "/",
    *,
    method: str = "GET",
    scheme: str = "http",
    headers: dict[str, str] | None = None,
    port: int | None = None,
    to: tuple[str, str] | None = None,
) -> GatewayAnswer:
    """One request; ``target`` is path and query, ``to`` the Gateway asked."""
    plain, _, query = target.partition("?")
    request = Request(
        scheme=scheme, host=host, method=method, path=plain, query=query, headers=tuple((headers or {}).items())
    )
    return match_http(cluster, to, request, port=port)


def said(answer: GatewayAnswer) -> str:
    """The first backend's name, or the status the gateway answers itself."""
    return answer.backends[0].name if answer.outcome == "accepted" else str(answer.status)
