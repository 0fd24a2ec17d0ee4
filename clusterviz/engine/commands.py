"""The command that would show on a real node what a step decided by, where the step itself names none."""

from __future__ import annotations

from collections.abc import Callable

from clusterviz.engine.addresses import host_port
from clusterviz.engine.packet import IP, L4
from clusterviz.engine.trace import Action, Hop, Step
from clusterviz.engine.wording import protocol

SOCKETS = {"TCP": "ss -tlnp", "UDP": "ss -ulnp", "SCTP": "ss -Slnp"}
# By reason first; names in braces are facts of the step and those of `_names`.
BY_REASON = {
    "framed": "ip neigh",
    "reframed": "ip neigh",
    "received": "tcpdump -ni {iface}",
    "node_down": "kubectl describe node {node}",
    "no_family": "{inpod} ip -6 route",
    "node_no_family": "ip -6 route",
    "pod_not_running": "kubectl describe pod {podargs}",
    "nobody_listening": "{inpod} {sockets}",
    "nobody_listening_node": "{sockets}",
    "delivered": "{inpod} {sockets}",
    "delivered_in_pod": "{inpod} {sockets}",
    "delivered_host": "{sockets}",
    "delivered_node": "{sockets}",
    "ping_answered": "ping -c 1 {dst}",
    "vip_icmp": "ping -c 1 {address}",
    "vip_port_unknown": "kubectl get service {serviceargs}",
    "vip_port_refused": "kubectl get service {serviceargs}",
    "service_untouched": "kubectl describe service {serviceargs}",
    "balancer_port_unknown": "kubectl describe service {serviceargs}",
    "balancer_proxied": "kubectl get service -A -o jsonpath='{{.items[*].status.loadBalancer}}'",
    "no_lb_backend": "kubectl describe service {serviceargs}",
    "health_check": "curl -i http://{dstport}/",
    "proxied": "ss -tnp dst {target}",
    "proxied_on": "ss -tnp dst {target}",
    "proxy_circle": "kubectl get ingress -A",
    "no_ingress_rule": "kubectl get ingress -A",
    "proxy_no_endpoints": "kubectl describe service {serviceargs}",
    "dns_blocked": "nslookup {name}",
    "name_not_found": "nslookup {name}",
    "no_lb_provider": "kubectl get service -A",
    "no_ingress_controller": "kubectl get ingress,ingressclass -A",
    "no_egress_nat": "tcpdump -ni eth0 src {src}",
    "ttl_expired": "traceroute {dst}",
    "originated_outside": "{connect}",
    "un_nat": "conntrack -L -s {dst}",
    "reply_session": "conntrack -L -s {dst}",
    "reply_permitted": "conntrack -L -s {dst}",
    "refused_reply": "tcpdump -ni any host {dst}",
    "reply_proxied": "ss -tnp",
}
BY_ACTION = {
    Action.ORIGINATED: "tcpdump -ni any dst {dst}",
    Action.RESOLVED: "nslookup {name}",
    Action.PERMITTED: "kubectl get networkpolicy -A",
    Action.LOAD_BALANCED: "kubectl get endpointslices -A",
    Action.DNAT: "conntrack -L -s {src}",
    Action.MASQUERADED: "conntrack -L -d {dst}",
    Action.UN_NAT: "conntrack -L -s {dst}",
    Action.ROUTED: "ip route get {dst}",
    Action.SWITCHED: "bridge fdb show",
    Action.SESSION_MADE: "conntrack -L -s {src}",
    Action.SESSION_HIT: "conntrack -L -s {dst}",
    Action.PROXIED: "ss -tnp",
}
ANY = "tcpdump -ni any host {dst}"


class _Names(dict[str, str]):
    """Facts as words of a command, the ends of the packet among them; one that is missing makes the command useless."""

    def __init__(self, step: Step, hop: Hop) -> None:
        super().__init__()
        self._facts, self._hop = step.facts, hop

    def __missing__(self, key: str) -> str:
        maker = _MADE.get(key)
        found = maker(self, self._hop) if maker else ""
        if not found:
            value = self._facts.get(key)
            found = "" if value is None else str(value)
        if not found:
            raise KeyError(key)
        self[key] = found
        return found

    def fact(self, key: str) -> str:
        """A fact as text, "" when absent."""
        value = self._facts.get(key)
        return "" if value is None else str(value)


def command_for(step: Step, hop: Hop) -> str:
    """The step's own command, else the one of its reason, else of its action."""
    if step.command:
        return _inside(step.command, hop)
    names = _Names(step, hop)
    for template in (BY_REASON.get(step.reason, ""), BY_ACTION.get(step.action, ""), ANY):
        if template:
            try:
                return _inside(template.format_map(names).strip(), hop)
            except KeyError:
                continue
    return "tcpdump -ni any"  # no packet was sent yet, so there is no address to look for


def _inside(command: str, hop: Hop) -> str:
    """A pod's own resolver is asked in the pod."""
    name = hop.place.ref.removeprefix("pod:").partition("/")
    if not command.startswith("nslookup") or hop.place.kind != "pod" or not name[1]:
        return command
    return f"kubectl exec -n {name[0]} {name[2]} -- {command}"


def _src(_names: _Names, hop: Hop) -> str:
    header = _innermost(hop)
    return header.src if header is not None else ""


def _dst(_names: _Names, hop: Hop) -> str:
    header = _innermost(hop)
    return header.dst if header is not None else ""


def _port(hop: Hop) -> L4 | None:
    return next((header for header in reversed(hop.headers_out or hop.headers_in) if isinstance(header, L4)), None)


def _dstport(names: _Names, hop: Hop) -> str:
    port = _port(hop)
    return host_port(_dst(names, hop), port.dport) if port is not None else ""


def _connect(names: _Names, hop: Hop) -> str:
    """A connection tried by hand; nothing common opens an association."""
    port = _port(hop)
    if port is None:
        return f"ping -c 1 {_dst(names, hop)}"
    return f"nc -vz{'u' * (port.proto == 'UDP')} {_dst(names, hop)} {port.dport}" if port.proto != "SCTP" else ""


def _innermost(hop: Hop) -> IP | None:
    return next((header for header in reversed(hop.headers_out or hop.headers_in) if isinstance(header, IP)), None)


def _sockets(_names: _Names, hop: Hop) -> str:
    if not any(isinstance(header, L4) for header in hop.headers_in + hop.headers_out):
        return ""
    return SOCKETS.get(protocol(hop), "ss -lnp")


def _named(kind: str) -> Callable[[_Names, Hop], str]:
    """Namespace and name as arguments of kubectl."""

    def made(names: _Names, _hop: Hop) -> str:
        namespace, slash, name = names.fact(kind).partition("/")
        return f"-n {namespace} {name.partition(':')[0]}" if slash else ""

    return made


def _inpod(names: _Names, hop: Hop) -> str:
    args = _named("pod")(names, hop)
    return f"kubectl exec {args} --" if args else ""


_MADE: dict[str, Callable[[_Names, Hop], str]] = {
    "src": _src,
    "dst": _dst,
    "dstport": _dstport,
    "connect": _connect,
    "sockets": _sockets,
    "podargs": _named("pod"),
    "serviceargs": _named("service"),
    "inpod": _inpod,
}
