"""Builds a Trace while the packet walks: the current stack, the hop being visited, the verdict.

After the first blocker the walk may go on as a ghost: nothing more is recorded but further
blockers, so that all of them are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from clusterviz.engine.packet import ICMP, IP, L4, Dns, Ethernet, Header, Http, Rewrite, Stack
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import (
    Action,
    Assumption,
    Blocker,
    Branch,
    Candidate,
    Child,
    Considered,
    Hop,
    Place,
    Rule,
    Session,
    Step,
    Verdict,
    Waypoint,
    branch_of,
)

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster
    from clusterviz.engine.datapath.resolver import Resolution


_NAMES = {"http": "payload", "icmp": "l4"}


class Packet:
    """The packet in flight: innermost headers by name, and whatever is wrapped around them."""

    def __init__(self, ip: IP, l4: L4 | ICMP, payload: Http | Dns | None = None) -> None:
        self.sent = True
        self.outer: Stack = ()
        self.eth: Ethernet | None = None
        self.ip = ip
        self.l4 = l4
        self.payload = payload

    @property
    def stack(self) -> Stack:
        """Outermost header first; nothing when no packet was ever sent."""
        if not self.sent:
            return ()
        inner: Stack = (self.ip, self.l4) if self.eth is None else (self.eth, self.ip, self.l4)
        if self.payload is not None:
            inner = (*inner, self.payload)
        return self.outer + inner if self.outer else inner

    @property
    def dport(self) -> int | None:
        """Destination port, None for ICMP."""
        return self.l4.dport if isinstance(self.l4, L4) else None

    def change(self, layer: str, why: str, **fields: Any) -> tuple[Rewrite, ...]:
        """Set fields of one innermost header; returns what really changed."""
        name = _NAMES.get(layer, layer)
        header = getattr(self, name)
        diffs = []
        for field, new in fields.items():
            old = getattr(header, field)
            if old != new:
                diffs.append(Rewrite(layer, field, str(old), str(new), why))
        if diffs:
            setattr(self, name, msgspec.structs.replace(header, **fields))
        return tuple(diffs)


class Journey:
    """One walk through a cluster. ``verdict`` stays None until something ends it."""

    def __init__(self, cluster: Cluster, probe: Probe, packet: Packet) -> None:
        self.cluster, self.probe, self.packet = cluster, probe, packet
        self.hops: list[Hop] = []
        self.sessions: list[Session] = []
        self.children: list[Child] = []
        self.blockers: list[Blocker] = []
        self.waypoints: list[Waypoint] = []
        self.branches: tuple[Branch, ...] = ()
        self.verdict: Verdict | None = None
        self.failing: tuple[int, int] | None = None
        self.proxy_hop: int | None = None
        self.proxies = 0
        self.proxied = False
        self.resolution: Resolution | None = None
        self.synced: Mapping[str, Cluster] = {}
        self.opened: Cluster | None = None  # the snapshot in which the connection was opened, None for a new one
        self.pooled: frozenset[tuple[str, str]] = frozenset()  # what proxies were connected to there, see `Opened`
        self._known_owners: dict[str, str] = {}
        self._assumed: dict[str, Assumption] = {}
        self._place: Place | None = None
        self._open: dict[str, Any] = {}
        self._steps: list[Step] = []
        self._in: Stack = ()

    @property
    def ghost(self) -> bool:
        """Whether only further blockers are looked for."""
        return self.verdict is not None

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """Simplifications used, in order of use."""
        return tuple(self._assumed.values())

    def assume(self, code: str, text: str) -> None:
        """Note a simplification."""
        if not self.ghost:
            self._assumed.setdefault(code, Assumption(code, text))

    def enter(
        self, kind: str, ref: str, label: str, *, node: str = "", role: str = "transit", in_iface: str = ""
    ) -> None:
        """Begin a hop with the current stack coming in."""
        if self.ghost:
            return
        self._place = Place(kind, ref, label)
        self._open = {"node": node, "role": role, "in_iface": in_iface}
        self._steps = []
        self._in = self.packet.stack

    def step(  # noqa: PLR0913 - the fields of a Step
        self,
        action: Action,
        reason: str,
        *,
        layer: int = 3,
        direction: str = "in",
        hook: str = "",
        component: str = "",
        chain: str = "",
        rule: Rule | None = None,
        considered: tuple[Considered, ...] = (),
        diffs: tuple[Rewrite, ...] = (),
        push: Stack = (),
        pop: Stack = (),
        candidates: tuple[Candidate, ...] = (),
        session: Session | None = None,
        command: str = "",
        settings: tuple[str, ...] = (),
        **facts: Any,
    ) -> None:
        """Record one decision of the current hop: the fields of a `Step`, and facts for its sentence."""
        if self.verdict is not None:
            return
        step = Step(
            action=action,
            reason=reason,
            layer=layer,
            direction=direction,
            hook=hook,
            component=component,
            chain=chain,
            rule=rule,
            considered=considered,
            diffs=diffs,
            push=push,
            pop=pop,
            candidates=candidates,
            session=session,
            facts=facts,
            command=command,
            settings=settings,
        )
        self._steps.append(step)
        if session is not None:
            self.sessions.append(session)

    def resolved(self) -> None:
        """Record the look-up that turned a name into the destination, if there was one."""
        found = self.resolution
        if found is None or not found.tries:
            return
        alias = "resolved_alias" if found.service is not None else "resolved_outside"
        self.step(
            Action.RESOLVED,
            alias if found.outside else "resolved",
            layer=7,
            direction="out",
            hook="userspace",
            component="resolver",
            rule=Rule(name="search list of resolv.conf", rules=("DNS-11", "DNS-12", *found.rules)),
            name=found.name,
            asked=self.probe.destination.name,
            answered=found.tries[-1][0],
            tries=", ".join(f"{name} {rcode}" for name, rcode in found.tries),
            address=self.packet.ip.dst,
            ttl=self.cluster.settings.dns_ttl,
            settings=("cluster_domain", "ndots", "dns_ttl"),
            command=f"nslookup -debug {self.probe.destination.name or found.name}",
        )

    def leave(self, out_iface: str = "", state: str = "forwarded") -> None:
        """End the hop with the current stack going out."""
        if self.ghost or self._place is None:
            return
        self._close(out_iface, state)

    def _close(self, out_iface: str, state: str) -> None:
        assert self._place is not None
        out = self.packet.stack
        self.hops.append(
            Hop(
                seq=len(self.hops),
                place=self._place,
                headers_in=self._in,
                headers_out=out,
                steps=tuple(self._steps),
                owners=self._owners(self._in + out),
                state=state,
                out_iface=out_iface,
                **self._open,
            )
        )
        self._place = None

    def _owners(self, headers: tuple[Header, ...]) -> dict[str, str]:
        found: dict[str, str] = {}
        known = self._known_owners
        for header in headers:
            if type(header) is IP:
                for ip in (header.src, header.dst):
                    if ip not in known:
                        known[ip] = owner_of(self.cluster, ip)
                    found[ip] = known[ip]
        return found

    def branch(self, branches: tuple[Branch, ...]) -> None:
        """As `chose`, for whoever has the branches already."""
        if self.verdict is None:
            self.branches = branches

    def chose(self, candidates: tuple[Candidate, ...]) -> None:
        """The backends of the newest choice are the journey's branches."""
        if self.ghost:
            return
        self.branches = tuple([branch_of(candidate) for candidate in candidates if candidate.probability])

    def way(self, ref: str, kind: str, *, nat: str = "", encapsulated: bool = False) -> None:
        """Note a stop in the picture; the segment fields tell of the way on from here."""
        if self.ghost:
            return
        hop = len(self.hops)
        if self.waypoints and self.waypoints[-1].ref == ref:
            hop = self.waypoints.pop().hop
        self.waypoints.append(Waypoint(ref, hop, kind, nat, encapsulated))

    def end(self, verdict: Verdict) -> None:
        """The journey arrived."""
        if self.ghost:
            return
        self._close("", "accepted")
        self.verdict = verdict

    def block(self, verdict: Verdict, *, ref: str, rule: str, why: str) -> None:
        """Something stops the packet here; the first one is the verdict."""
        self.blockers.append(Blocker(verdict, ref, rule, why))
        if self.ghost:
            return
        self.failing = (len(self.hops), max(len(self._steps) - 1, 0))
        if self._place is not None:
            self.way(self._place.ref if verdict is not Verdict.DENIED_INGRESS else self.waypoints[-1].ref, "")
            self._close("", "dropped")
        self.verdict = verdict


def owner_of(cluster: Cluster, ip: str) -> str:
    """Who answers to an address, in words; a virtual IP has no owner (M1)."""
    pod = cluster.pod_by_ip.get(ip)
    if pod is not None:
        return f"pod {pod.namespace}/{pod.name}"
    node = cluster.node_by_ip.get(ip)
    if node is not None:
        if ip in node.ips:
            return f"node {node.name}"
        device = "cni0 bridge" if ip in cluster.bridge_ips(node) else f"{cluster.settings.overlay_device} device"
        return f"{device} of node {node.name}"
    for service, via in cluster.services_by_ip.get(ip, ()):
        name = f"{service.namespace}/{service.name}"
        if via == "cluster":
            return f"nobody: virtual IP of Service {name}"
        if via == "lb":
            return f"load balancer of Service {name}"
        return f"nobody here: external IP of Service {name}"
    if ip.startswith("127."):
        return "loopback"
    return "outside the cluster"
