"""Whether values make sound `Settings`, said in kube-apiserver's words; and settings as a document.

A ``ClusterSettings`` document carries settings in a file of manifests, under the names of `Settings`::

    apiVersion: clusterviz.dev/v1
    kind: ClusterSettings
    metadata: {name: cluster}
    spec: {proxy_mode: nftables, masquerade_all: true}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from clusterviz.engine.addresses import family, in_any, network
from clusterviz.engine.errors import AddressError
from clusterviz.engine.objects import Obj
from clusterviz.engine.probe import is_ip
from clusterviz.engine.settings import Settings
from clusterviz.engine.validation import names
from clusterviz.engine.validation.flaws import Flaw, Flaws

KIND, API_VERSION = "ClusterSettings", "clusterviz.dev/v1"
CIDRS = ("node_cidr", "cluster_cidr", "service_cidr", "load_balancer_cidr")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")
CLASSES, CONTROLLERS = ("ingress_class", "gateway_class"), ("ingress_controller", "gateway_controller")
CONTROLLER = re.compile(rf"{names.SUBDOMAIN}/.+")
LONGEST = 2048


class Field(NamedTuple):
    """One setting as forms want it: ``kind`` is bool, choice, int, float, str, list or range."""

    name: str
    kind: str
    group: str
    meaning: str
    rules: tuple[str, ...]
    default: Any
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def label(self) -> str:
        """The name in words."""
        words = self.name.replace("_", " ")
        words = words[0].upper() + words[1:]
        for right in ("DNS", "CIDR", "IP", "IPVS", "MTU", "NAT", "TTL", "VNI", "VXLAN", "NodePort", "NodePorts"):
            words = re.sub(rf"(?i)\b{right}\b", right, words)
        return words


@lru_cache(maxsize=1)
def fields() -> dict[str, Field]:
    """Every setting by name, in the order of `Settings`."""
    defaults = Settings()
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for name in Settings.__struct_fields__:
        kind, meta = get_args(hints[name])[:2]
        extra = meta.extra or {}
        found[name] = Field(
            name,
            _kind(kind),
            extra["group"],
            meta.description or "",
            extra["rules"],
            getattr(defaults, name),
            get_args(kind) if get_origin(kind) is Literal else (),
            meta.ge,
            meta.le,
        )
    return found


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "choice"
    if get_origin(kind) is tuple:
        return "range" if get_args(kind) == (int, int) else "list"
    return str(kind.__name__)


def check_settings(values: Mapping[str, Any]) -> list[Flaw]:
    """What is wrong with settings as plain data; empty when `Settings` can be made of them."""
    flaws = Flaws()
    for name, value in values.items():
        field = fields().get(name)
        if field is None:
            flaws.append(Flaw(name, f"unknown field {name!r}: allowed are {', '.join(fields())}"))
        else:
            _check(flaws, field, value)
    if not flaws:
        _together(flaws, msgspec.convert(dict(values), Settings))
    return list(flaws)


def check_value(name: str, value: Any) -> list[Flaw]:
    """What is wrong with one setting by itself."""
    flaws = Flaws()
    _check(flaws, fields()[name], value)
    return list(flaws)


def _check(flaws: Flaws, field: Field, value: Any) -> None:
    """One value by itself."""
    match field.kind:
        case "bool":
            if not isinstance(value, bool):
                flaws.invalid(field.name, value, "must be true or false")
        case "choice":
            if value not in field.choices:
                flaws.unsupported(field.name, value, field.choices)
        case "int" | "float":
            _number(flaws, field, value)
        case "range":
            _range(flaws, field.name, value)
        case "list":
            if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
                flaws.invalid(field.name, value, "must be a list of strings")
            else:
                _texts(flaws, field.name, tuple(value))
        case _:
            if not isinstance(value, str) or len(value) > LONGEST:
                flaws.invalid(field.name, value, f"must be a string of at most {LONGEST} characters")
            else:
                _text(flaws, field.name, value)


def _number(flaws: Flaws, field: Field, value: Any) -> None:
    kinds = (int,) if field.kind == "int" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        flaws.invalid(field.name, value, "must be a whole number" if field.kind == "int" else "must be a number")
    elif not (field.least or 0) <= value <= (field.most or value):
        flaws.invalid(field.name, value, f"must be between {field.least} and {field.most}, inclusive")


def _range(flaws: Flaws, name: str, value: Any) -> None:
    sound = isinstance(value, (list, tuple)) and len(value) == 2 and all(type(one) is int for one in value)
    if not sound or not 1 <= value[0] <= value[1] <= 65535:
        flaws.invalid(name, value, "must be two ports, the lower first, between 1 and 65535, inclusive")


def _texts(flaws: Flaws, name: str, values: tuple[str, ...]) -> None:
    for index, value in enumerate(values):
        place = f"{name}[{index}]"
        if name == "nodeport_addresses":
            if value != "primary":
                flaws.check(place, value, _cidr(value) and f"{_cidr(value)}, or primary")
        elif name == "dns_upstream":
            flaws.check(place, value, "" if is_ip(value) else "must be a valid IP address")
        elif name == "dns_search" or (name == "dns_fallthrough" and value != "."):
            flaws.check(place, value, _name(value))


def _text(flaws: Flaws, name: str, value: str) -> None:
    if name in CIDRS:
        for part in value.split(","):
            flaws.check(name, part.strip(), _cidr(part.strip()))
    elif name in ("dns_ip", "client_ip"):
        flaws.check(name, value, "" if is_ip(value) else "must be a valid IP address")
    elif name == "cluster_domain":
        flaws.check(name, value, _name(value))
    elif name in CLASSES and value:
        flaws.check(name, value, names.subdomain(value))
    elif name in CONTROLLERS and value and not CONTROLLER.fullmatch(value):
        flaws.invalid(name, value, 'must be a domain-prefixed path (such as "acme.io/foo")')


def _cidr(value: str) -> str:
    """What is wrong with a CIDR, "" when it is one."""
    try:
        network(value)
    except AddressError:
        return "must be a valid CIDR value, such as 10.96.0.0/12"
    return "" if "/" in value else "must have a prefix length, such as /12"


def _name(value: str) -> str:
    sound = len(value) <= 253 and NAME.fullmatch(value.rstrip(".").lower())
    return "" if sound else "must be a DNS name such as cluster.local"


def _together(flaws: Flaws, settings: Settings) -> None:
    """What only shows when values stand together."""
    for name in ("cluster_cidr", "service_cidr"):
        cidrs = [part.strip() for part in getattr(settings, name).split(",")]
        if len({family(cidr) for cidr in cidrs}) < len(cidrs):
            flaws.invalid(name, ",".join(cidrs), "must be one CIDR, or one IPv4 and one IPv6 CIDR")
    if not in_any(settings.dns_ip, settings.service_cidr):
        detail = f"provided IP is not in the valid range. The range of valid IPs is {settings.service_cidr}"
        flaws.invalid("dns_ip", settings.dns_ip, detail)
    for cidr in settings.cluster_cidr.split(","):
        net = network(cidr.strip())
        if net.version == 4 and settings.node_mask < net.prefixlen:
            flaws.invalid("node_mask", settings.node_mask, f"must be at least the prefix length of {net}")
    if settings.direct_routing and settings.network not in ("vxlan", "ipip"):
        flaws.invalid("direct_routing", True, f"network {settings.network} has none; supported by vxlan and ipip")


def is_document(obj: Obj) -> bool:
    """Whether an object is a ClusterSettings document."""
    return obj.get("kind") == KIND and obj.get("apiVersion") == API_VERSION


def read_document(obj: Obj) -> tuple[dict[str, Any], list[Flaw]]:
    """The settings in a ClusterSettings document, and what is wrong with them (fields below ``spec``)."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return {}, [Flaw("spec", "Required value: a mapping of settings")]
    flaws = [Flaw(f"spec.{flaw.field}", flaw.message) for flaw in check_settings(spec)]
    return ({} if flaws else spec), flaws


def document(values: Mapping[str, Any]) -> Obj:
    """The ClusterSettings document of these values."""
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "cluster"}, "spec": dict(values)}


def differing(settings: Settings) -> dict[str, Any]:
    """The values that are not the default, as JSON has them."""
    usual = plain(Settings())
    return {name: value for name, value in plain(settings).items() if value != usual[name]}


def plain(settings: Settings) -> dict[str, Any]:
    """Every value as JSON has it."""
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return data
