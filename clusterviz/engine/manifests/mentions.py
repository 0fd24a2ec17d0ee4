"""Services that the text of a pod template mentions: ``cart:7070``, ``http://api.shop.svc/x``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from clusterviz.engine.objects import Obj

_HOST = r"[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?"
_PATH = r"/[^\s\"'`,;|&<>(){}$]*"
_URL = re.compile(rf"\b([a-z][a-z0-9+]*)://(?:[^\s@/]*@)?({_HOST})(?::(\d{{1,5}}))?({_PATH})?")
_PAIR = re.compile(rf"(?<![-\w./@:])({_HOST}):(\d{{1,5}})(?![\w.])({_PATH})?")
_SVC = re.compile(r"(?<![-\w./@:])([a-z0-9][-a-z0-9]*\.[a-z0-9][-a-z0-9]*\.svc(?:\.[-a-z0-9.]*[a-z0-9])?)(?![-\w:])")
_HOST_NAME = re.compile(r"(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|SERVICE|UPSTREAM|TARGET|URL|URI|BACKEND|DB)S?$")
_PORT_NAME = re.compile(r"_?(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|SERVICE|TARGET|BACKEND)$")
_DEFAULTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "postgres": 5432, "postgresql": 5432}
_DEFAULTS |= {"mysql": 3306, "mongodb": 27017, "amqp": 5672, "nats": 4222}
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https", "grpc": "grpc"}

Services = Mapping[tuple[str, str], Obj]


class Text(msgspec.Struct, frozen=True):
    """A piece of text in a pod template: where it stands, and the environment around it."""

    value: str
    place: str
    name: str = ""
    env: dict[str, str] = {}
    init: bool = False


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """A Service that is mentioned; ``host`` is how it is called."""

    namespace: str
    service: str
    host: str
    port: int
    scheme: str = ""
    path: str = ""
    place: str = ""
    init: bool = False


def texts(pod_spec: Obj, namespace: str, config_maps: Mapping[tuple[str, str], Obj]) -> Iterator[Text]:
    """Environment values, command and arguments of all containers, init containers too."""
    for field in ("initContainers", "containers"):
        for container in _dicts(pod_spec.get(field)):
            init = field == "initContainers" and container.get("restartPolicy") != "Always"
            env = _environment(container, namespace, config_maps)
            where = f"{'init container' if init else 'container'} {container.get('name')}"
            for name, value in env.items():
                yield Text(value, f"{where}, env {name}", name, env, init)
            for part in ("command", "args"):
                values = container.get(part)
                for value in values if isinstance(values, list) else []:
                    if isinstance(value, str):
                        yield Text(value, f"{where}, {part}", "", env, init)


def _environment(container: Obj, namespace: str, config_maps: Mapping[tuple[str, str], Obj]) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in _dicts(container.get("envFrom")):
        data = _data(config_maps, namespace, _dict(source.get("configMapRef")))
        env.update({f"{source.get('prefix') or ''}{key}": str(value) for key, value in data.items()})
    for entry in _dicts(container.get("env")):
        name, value = str(entry.get("name")), entry.get("value")
        reference = _dict(_dict(entry.get("valueFrom")).get("configMapKeyRef"))
        if value is None and reference:
            value = _data(config_maps, namespace, reference).get(str(reference.get("key")))
        if value is not None:
            env[name] = str(value)
    return env


def _data(config_maps: Mapping[tuple[str, str], Obj], namespace: str, reference: Obj) -> Obj:
    return _dict(config_maps.get((namespace, str(reference.get("name"))), {}).get("data"))


def mentions(text: Text, namespace: str, services: Services) -> Iterator[Mention]:
    """The Services a text names, with the port it means."""
    if len(text.value) > 20_000:
        return
    seen: set[tuple[str, int]] = set()
    for scheme, host, port, path in _candidates(text):
        target = resolve(host, namespace, services)
        if target is None:
            continue
        number = int(port) if port else _default_port(services[target], scheme, text)
        if number is None or not 1 <= number <= 65535 or (host, number) in seen:
            continue
        seen.add((host, number))
        kind = SCHEMES.get(scheme) or scheme_of(services[target], number)
        yield Mention(
            namespace=target[0],
            service=target[1],
            host=_full(host, target),
            port=number,
            scheme=kind,
            path=(path or "/") if kind in ("http", "https") else "",
            place=text.place,
            init=text.init,
        )


def _candidates(text: Text) -> Iterator[tuple[str, str, str, str]]:
    """What looks like an address, as (scheme, host, port, path)."""
    value = text.value
    for match in _URL.finditer(value):
        yield match[1], match[2].lower(), match[3] or "", match[4] or ""
    bare = _URL.sub(" ", value)
    for match in _PAIR.finditer(bare):
        yield "", match[1].lower(), match[2], match[3] or ""
    for match in _SVC.finditer(bare):
        yield "", match[1].lower(), "", ""
    if _HOST_NAME.search(text.name.upper()) and re.fullmatch(_HOST, value.strip()):
        yield "", value.strip().lower(), "", ""


def resolve(host: str, namespace: str, services: Services) -> tuple[str, str] | None:
    """The Service a name leads to from a namespace, as the cluster's DNS would say."""
    parts = host.rstrip(".").split(".")
    if len(parts) >= 3 and parts[2] == "svc":
        parts = parts[:2]
    elif len(parts) >= 4 and parts[3] == "svc":
        parts = parts[1:3]
    match parts:
        case [name] if (namespace, name) in services:
            return namespace, name
        case [name, space] if (space, name) in services:
            return space, name
        case [_, name] if _headless(services.get((namespace, name))):
            return namespace, name
        case [_, name, space] if _headless(services.get((space, name))):
            return space, name
    return None


def _full(host: str, target: tuple[str, str]) -> str:
    """How a flow writes the host: with the namespace, and with the pod when one is meant."""
    space, name = target
    first, _, rest = host.partition(".")
    pod = first != name and rest.partition(".")[0] == name
    return f"{first}.{name}.{space}.svc" if pod else f"{name}.{space}"


def _headless(service: Obj | None) -> bool:
    return service is not None and (service.get("spec") or {}).get("clusterIP") == "None"


def _default_port(service: Obj, scheme: str, text: Text) -> int | None:
    """The port meant when none is written, if there is no doubt."""
    numbers = [port.get("port") for port in _dicts((service.get("spec") or {}).get("ports"))]
    default = _DEFAULTS.get(scheme)
    if default is not None and (default in numbers or not numbers or scheme in SCHEMES):
        return default
    stem = _PORT_NAME.sub("", text.name)
    neighbour = text.env.get(f"{stem}_PORT", text.env.get(f"{text.name}_PORT", "")) if text.name else ""
    if neighbour.isdecimal() and len(neighbour) < 6:
        return int(neighbour)
    return numbers[0] if len(numbers) == 1 and isinstance(numbers[0], int) else None


def scheme_of(service: Obj, number: int) -> str:
    """What a Service port speaks, told by its appProtocol, its name, or a well-known number."""
    for port in _dicts((service.get("spec") or {}).get("ports")):
        if port.get("port") != number:
            continue
        hint = f"{port.get('appProtocol') or ''} {port.get('name') or ''}".lower()
        for scheme in ("grpc", "https", "http"):
            if scheme in hint:
                return scheme
    return {80: "http", 8080: "http", 443: "https"}.get(number, "tcp")


def _dict(value: Any) -> Obj:
    return value if isinstance(value, dict) else {}


def _dicts(items: Any) -> list[Obj]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
