"""Calls that manifests give away: who names whom, and where people outside come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from clusterviz.engine.manifests import mentions as text
from clusterviz.engine.manifests.mentions import Mention
from clusterviz.engine.objects import WORKLOAD_KINDS, Key, Obj, key_of

INFERRED_FROM = "clusterviz.dev/inferred-from"
ENTRY_RATE, INNER_RATE, DEEP_RATE, ONCE_RATE = 2.0, 1.0, 0.5, 0.1
# The guestbook's images look these names up by themselves when GET_HOSTS_FROM is set.
GUESTBOOK_WRITE = ("redis-master", "redis-leader")
GUESTBOOK_READ = ("redis-replica", "redis-slave", "redis-follower")

# On whatever a controller makes for a Gateway.
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One inferred call. ``caller`` None is somebody outside; ``target`` is a Service, an Ingress or an HTTPRoute."""

    caller: Key | None
    target: Key
    host: str
    port: int
    scheme: str
    path: str = ""
    why: str = ""
    rate: float = INNER_RATE


def infer(objects: Iterable[Obj]) -> list[Obj]:
    """TrafficFlow objects for every call the manifests of a cluster give away."""
    return [flow for _, flow in infer_calls(objects)]


def infer_calls(objects: Iterable[Obj]) -> list[tuple[Call, Obj]]:
    """Each inferred call with its TrafficFlow, in a stable order."""
    world = _World({key_of(obj): obj for obj in objects})
    calls = [*world.outside(), *world.inside()]
    rates = _rates(world, calls)
    taken: set[tuple[str, str]] = set()
    return [(call, _flow(call, rate, taken)) for call, rate in zip(calls, rates, strict=True)]


class _World:
    """The objects by kind, and who stands behind which Service."""

    def __init__(self, keyed: dict[Key, Obj]) -> None:
        self.keyed = dict(sorted(keyed.items()))
        self.services = {key[1:]: obj for key, obj in self.keyed.items() if key[0] == "Service"}
        self.config_maps = {key[1:]: obj for key, obj in self.keyed.items() if key[0] == "ConfigMap"}
        self.callers = {key: _template(key, obj) for key, obj in self.keyed.items() if _calls(key, obj)}
        self._neighbours: dict[str, list[Key]] = {}
        for key in self.callers:
            self._neighbours.setdefault(key[1], []).append(key)

    def inside(self) -> Iterator[Call]:
        """Calls between workloads, one a caller, host and port; a real container's beats an init one's."""
        for key, template in self.callers.items():
            found: dict[tuple[str, int], Mention] = {}
            for mention in self._mentions(key, template):
                if not self.selects(self.services[mention.namespace, mention.service], key, template):
                    place = (mention.host, mention.port)
                    if place not in found or (found[place].init and not mention.init):
                        found[place] = mention
            for mention in found.values():
                yield Call(
                    caller=key,
                    target=("Service", mention.namespace, mention.service),
                    host=mention.host,
                    port=mention.port,
                    scheme=mention.scheme,
                    path=mention.path,
                    why=f"{key[0]} {key[1]}/{key[2]}: {mention.place}",
                    rate=ONCE_RATE if mention.init else INNER_RATE,
                )

    def _mentions(self, key: Key, template: Obj) -> Iterator[Mention]:
        namespace = key[1]
        for piece in text.texts(template.get("spec") or {}, namespace, self.config_maps):
            yield from text.mentions(piece, namespace, self.services)
            if piece.name == "GET_HOSTS_FROM" and piece.value in ("dns", "env"):
                yield from self._guestbook(key, template, piece.place)

    def _guestbook(self, key: Key, template: Obj, place: str) -> Iterator[Mention]:
        """The frontend writes to one Redis and reads from the others, which copy from the first."""
        namespace = key[1]
        replicas = [name for name in GUESTBOOK_READ if (namespace, name) in self.services]
        replica = any(self.selects(self.services[namespace, name], key, template) for name in replicas)
        masters = [name for name in GUESTBOOK_WRITE if (namespace, name) in self.services]
        for name in masters if replica else [*masters, *replicas]:
            port = next((p.get("port") for p in _ports(self.services[namespace, name])), None)
            yield Mention(
                namespace=namespace,
                service=name,
                host=f"{name}.{namespace}",
                port=port if isinstance(port, int) else 6379,
                scheme="tcp",
                place=f"{place}: the guestbook's images look up {name}",
            )

    def outside(self) -> Iterator[Call]:
        """Ingress rules, and Services people outside reach directly."""
        for key, obj in self.keyed.items():
            if key[0] == "Ingress":
                yield from _ingress_calls(key, obj)
            elif key[0] == "HTTPRoute":
                yield from self._route_calls(key, obj)
        for (namespace, name), obj in self.services.items():
            kind = (obj.get("spec") or {}).get("type")
            if kind not in ("LoadBalancer", "NodePort") or self._is_ingress_controller(obj, namespace):
                continue
            port = _front_port(obj)
            if port is not None:
                scheme = text.scheme_of(obj, port)
                yield Call(
                    caller=None,
                    target=("Service", namespace, name),
                    host=f"{name}.{namespace}",
                    port=port,
                    scheme=scheme,
                    path="/" if scheme in ("http", "https") else "",
                    why=f"Service {namespace}/{name} has type {kind}",
                    rate=ENTRY_RATE,
                )

    def _route_calls(self, key: Key, obj: Obj) -> Iterator[Call]:
        """One call for each rule of an HTTPRoute and its first hostname."""
        spec = obj.get("spec") or {}
        parents = [parent for parent in spec.get("parentRefs") or [] if parent.get("kind", "Gateway") == "Gateway"]
        host = next(iter(spec.get("hostnames") or []), f"{key[2]}.example")
        rules = [rule for rule in spec.get("rules") or [{}] if rule.get("backendRefs")]
        protocols = {
            listener.get("protocol")
            for parent in parents
            if (gateway := self.keyed.get(("Gateway", parent.get("namespace") or key[1], str(parent.get("name")))))
            for listener in (gateway.get("spec") or {}).get("listeners") or []
        }
        scheme = "https" if "HTTPS" in protocols and "HTTP" not in protocols else "http"
        for rule in rules if parents else ():
            path = str(((next(iter(rule.get("matches") or [{}])).get("path")) or {}).get("value") or "/")
            yield Call(
                caller=None,
                target=key,
                host=f"www{host[1:]}" if host.startswith("*.") else host,
                port=443 if scheme == "https" else 80,
                scheme=scheme,
                path=path if path.startswith("/") else "/",
                why=f"HTTPRoute {key[1]}/{key[2]}: host {host}, path {path}",
                rate=max(DEEP_RATE, ENTRY_RATE / len(rules)),
            )

    def _is_ingress_controller(self, service: Obj, namespace: str) -> bool:
        if GATEWAY_NAME in ((service.get("metadata") or {}).get("labels") or {}):
            return True
        for key in self.behind(service, namespace):
            labels = _labels(self.callers[key])
            named = labels.get("app.kubernetes.io/name", labels.get("app", ""))
            component = labels.get("app.kubernetes.io/component")
            if component == "controller" or "ingress" in named or named == "traefik":
                return any(other[0] in ("Ingress", "IngressClass") for other in self.keyed)
        return False

    def behind(self, service: Obj, namespace: str) -> Iterator[Key]:
        """The callers whose pods stand behind a Service."""
        for key in self._neighbours.get(namespace, ()):
            if self.selects(service, key, self.callers[key]):
                yield key

    def selects(self, service: Obj, key: Key, template: Obj) -> bool:
        """Whether the pods of a caller stand behind a Service."""
        selector: dict[str, str] = (service.get("spec") or {}).get("selector") or {}
        same = (service.get("metadata") or {}).get("namespace", "default") == key[1]
        return bool(selector) and same and selector.items() <= _labels(template).items()


def _calls(key: Key, obj: Obj) -> bool:
    """Workloads and pods that nobody else made."""
    owned = (obj.get("metadata") or {}).get("ownerReferences")
    return key[0] in WORKLOAD_KINDS or (key[0] == "Pod" and not owned)


def _template(key: Key, obj: Obj) -> Obj:
    return obj if key[0] == "Pod" else (obj.get("spec") or {}).get("template") or {}


def _labels(template: Obj) -> dict[str, str]:
    return (template.get("metadata") or {}).get("labels") or {}


def _ports(service: Obj) -> list[Obj]:
    return [port for port in (service.get("spec") or {}).get("ports") or [] if isinstance(port, dict)]


def _front_port(service: Obj) -> int | None:
    """The port people outside use: one that speaks HTTP, else the first TCP one."""
    numbers = [port["port"] for port in _ports(service) if port.get("protocol", "TCP") == "TCP" and "port" in port]
    http = [number for number in numbers if text.scheme_of(service, number) == "http"]
    return next(iter([*http, *numbers]), None)


def _ingress_calls(key: Key, obj: Obj) -> Iterator[Call]:
    spec = obj.get("spec") or {}
    secure = {host for entry in spec.get("tls") or [] for host in entry.get("hosts") or []}
    paths = [
        (str(rule.get("host") or ""), str(path.get("path") or "/"))
        for rule in spec.get("rules") or []
        for path in (rule.get("http") or {}).get("paths") or []
    ]
    if not paths and spec.get("defaultBackend"):
        paths = [("", "/")]
    for host, path in paths:
        scheme = "https" if host in secure else "http"
        name = host or f"{key[2]}.example"
        yield Call(
            caller=None,
            target=key,
            host=f"www{name[1:]}" if name.startswith("*.") else name,
            port=443 if scheme == "https" else 80,
            scheme=scheme,
            path=path if path.startswith("/") else "/",
            why=f"Ingress {key[1]}/{key[2]}: host {host or 'any'}, path {path}",
            rate=max(DEEP_RATE, ENTRY_RATE / len(paths)),
        )


def _rates(world: _World, calls: list[Call]) -> list[float]:
    """Calls get rarer the further they are from where traffic comes in."""
    called: dict[Key, set[Key]] = {}
    entered: set[Key] = set()
    for call in calls:
        if call.target[0] != "Service":
            continue
        for key in world.behind(world.services[call.target[1:]], call.target[1]):
            if call.caller is None:
                entered.add(key)
            else:
                called.setdefault(key, set()).add(call.caller)
    return [_rate(call, called, entered) for call in calls]


def _rate(call: Call, called: dict[Key, set[Key]], entered: set[Key]) -> float:
    if call.caller is None or call.rate != INNER_RATE:
        return call.rate
    callers = called.get(call.caller, set())
    if not callers and call.caller not in entered:
        return ENTRY_RATE
    if call.caller in entered or any(not called.get(caller) for caller in callers):
        return INNER_RATE
    return DEEP_RATE


def _flow(call: Call, rate: float, taken: set[tuple[str, str]]) -> Obj:
    namespace = call.caller[1] if call.caller else call.target[1]
    source: dict[str, Any] = {"kind": "External", "name": "internet"}
    if call.caller:
        source = {"kind": call.caller[0], "name": call.caller[2], "namespace": namespace}
    to: dict[str, Any] = {"host": call.host, "port": call.port, "protocol": "TCP", "scheme": call.scheme}
    if call.path:
        to["path"] = call.path
    name = _name(f"{source['name']}-to-{call.target[2]}", namespace, call, taken)
    return {
        "apiVersion": "clusterviz.dev/v1",
        "kind": "TrafficFlow",
        "metadata": {"name": name, "namespace": namespace, "annotations": {INFERRED_FROM: call.why}},
        "spec": {"from": source, "to": to, "requestsPerSecond": rate, "inferred": True},
    }


def _name(stem: str, namespace: str, call: Call, taken: set[tuple[str, str]]) -> str:
    """A name that says who calls whom; the port or a number tells apart what is alike."""
    stem = stem[:230]
    for name in [stem, f"{stem}-{call.port}", *(f"{stem}-{number}" for number in range(2, 1000))]:
        if (namespace, name) not in taken:
            break
    taken.add((namespace, name))
    return name
