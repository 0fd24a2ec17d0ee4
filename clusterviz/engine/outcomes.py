"""The closed lists of what a step can do and how a journey can end; what stopped one, and what would help."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class Action(StrEnum):
    """What a step did, in the past tense."""

    ORIGINATED = "originated"
    RESOLVED = "resolved"
    RECEIVED = "received"
    PERMITTED = "permitted"
    DROPPED = "dropped"
    REJECTED = "rejected"
    LOAD_BALANCED = "load_balanced"
    DNAT = "dnat"
    MASQUERADED = "masqueraded"
    UN_NAT = "un_nat"
    ROUTED = "routed"
    SWITCHED = "switched"
    ENCAPSULATED = "encapsulated"
    DECAPSULATED = "decapsulated"
    FORWARDED = "forwarded"
    SESSION_MADE = "session_made"
    SESSION_HIT = "session_hit"
    PROXIED = "proxied"
    ANSWERED = "answered_locally"
    DELIVERED = "delivered"
    EXITED = "exited"
    EXPIRED = "expired"


class Verdict(StrEnum):
    """How a journey ended. One closed list; docs/verdicts.md documents each value."""

    DELIVERED = "delivered"
    DELIVERED_IN_POD = "delivered_in_pod"
    EXITED_CLUSTER = "exited_cluster"
    DENIED_INGRESS = "denied_ingress"
    DENIED_EGRESS = "denied_egress"
    NO_ENDPOINTS_REJECTED = "no_endpoints_rejected"
    NO_LOCAL_ENDPOINT_DROPPED = "no_local_endpoint_dropped"
    SOURCE_RANGE_DROPPED = "source_range_dropped"
    VIP_PORT_UNKNOWN = "vip_port_unknown"
    VIP_ICMP_UNANSWERED = "vip_icmp_unanswered"
    NOBODY_LISTENING = "nobody_listening"
    NO_ANSWER = "no_answer"
    NAME_NOT_FOUND = "name_not_found"
    DNS_BLOCKED = "dns_blocked"
    NO_ROUTE = "no_route"
    NODE_DOWN = "node_down"
    POD_GONE = "pod_gone"
    POD_NOT_RUNNING = "pod_not_running"
    NO_LB_PROVIDER = "no_lb_provider"
    NO_LB_BACKEND = "no_lb_backend"
    NO_INGRESS_CONTROLLER = "no_ingress_controller"
    NO_INGRESS_RULE = "no_ingress_rule"
    PROXY_NO_ENDPOINTS = "proxy_no_endpoints"
    PROXY_BACKEND_INVALID = "proxy_backend_invalid"
    REDIRECTED = "redirected"
    HAIRPIN_DROPPED = "hairpin_dropped"
    REPLY_LOST = "reply_lost"
    TTL_EXPIRED = "ttl_expired"
    MTU_EXCEEDED = "mtu_exceeded"
    INSUFFICIENT_INFO = "insufficient_info"


SUCCESSES = frozenset({Verdict.DELIVERED, Verdict.DELIVERED_IN_POD, Verdict.EXITED_CLUSTER})


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What became of a probe.

    ``address`` and ``port`` are where the packet was going when it arrived or was stopped, ``seen`` is its source
    there. ``by`` is the picture id of what stopped it, "" when it arrived.
    """

    verdict: Verdict
    address: str = ""
    port: int = 0
    seen: str = ""
    by: str = ""

    @property
    def success(self) -> bool:
        """Whether the client gets an answer from the application it called."""
        return self.verdict in SUCCESSES


class Blocker(msgspec.Struct, frozen=True, gc=False):
    """Something that stops this connection; all of them are listed, not only the first."""

    verdict: Verdict
    ref: str
    rule: str
    why: str


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One edit that would help: to an object, or to a setting of the cluster.

    ``kind`` says what to do with ``patch``, which is YAML: ``patch`` is for ``kubectl patch --type merge`` on the
    object with picture id ``ref``, ``create`` a whole object for ``kubectl apply``, ``delete`` an object to remove,
    ``setting`` sets field ``setting`` of `Settings` to ``value`` (JSON text); ``call`` changes no object: the caller
    should call ``value`` instead, over ``protocol``; ``work`` changes no object either: ``title`` says what people have
    to do. Fixes with the same ``group`` belong together: only all of them
    help. ``verified`` is True when the same probe, traced after the edits of the group, succeeded.
    """

    title: str
    kind: Literal["patch", "create", "delete", "setting", "call", "work"]
    ref: str = ""
    patch: str = ""
    setting: str = ""
    value: str = ""
    protocol: str = ""
    why: str = ""
    group: int = 0
    command: str = ""
    verified: bool = False


class Assumption(msgspec.Struct, frozen=True, gc=False):
    """A simplification this trace rests on."""

    code: str
    text: str
