"""The command that would show on a real node what a step decided by, where the step itself names none."""

from __future__ import annotations

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
    "health_check": "kubectl describe service {serviceargs}",
    "proxied": "ss -tnp dst {target}",
    "proxy_circle": "kubectl get ingress -A",
    "no_ingress_rule": "kubectl get ingress -A",
    "proxy_no_endpoints": "kubectl describe service {serviceargs}",
    "dns_blocked": "nslookup {name}",
    "name_not_found": "nslookup {name}",
    "no_lb_provider": "kubectl get service -A",
    "no_ingress_controller": "kubectl get ingress,ingressclass -A",
    "no_egress_nat": "tcpdump -ni eth0 src {src}",
    "ttl_expired": "traceroute {dst}",
    "mtu_exceeded": "ping -M do -s {length} {dst}",
    "originated_outside": "curl -v telnet://{dst}",
    "un_nat": "conntrack -L -d {dst}",
    "reply_session": "conntrack -L -d {dst}",
    "reply_permitted": "conntrack -L -d {dst}",
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
    Action.UN_NAT: "conntrack -L -d {dst}",
    Action.ROUTED: "ip route get {dst}",
    Action.SWITCHED: "bridge fdb show",
    Action.SESSION_MADE: "conntrack -L -s {src}",
    Action.SESSION_HIT: "conntrack -L -d {dst}",
    Action.PROXIED: "ss -tnp",
}
ANY = "tcpdump -ni any host {dst}"


class _Names(dict[str, str]):
    """Facts as words of a command; one that is missing makes the command useless."""

    def __missing__(self, key: str) -> str:
        raise KeyError(key)


def command_for(step: Step, hop: Hop) -> str:
    """The step's own command, else the one of its reason, else of its action."""
    if step.command:
        return step.command
    names = _Names(_names(step, hop))
    for template in (BY_REASON.get(step.reason, ""), BY_ACTION.get(step.action, ""), ANY):
        if template:
            try:
                return template.format_map(names).strip()
            except KeyError:
                continue
    return "tcpdump -ni any"  # no packet was sent yet, so there is no address to look for


def _names(step: Step, hop: Hop) -> dict[str, str]:
    found = {name: str(value) for name, value in step.facts.items() if value not in ("", None)}
    header = next((h for h in reversed(hop.headers_out or hop.headers_in) if isinstance(h, IP)), None)
    if header is not None:
        found |= {"src": header.src, "dst": header.dst}
    if any(isinstance(h, L4) for h in hop.headers_in + hop.headers_out):
        found["sockets"] = SOCKETS.get(protocol(hop), "ss -lnp")
    for kind in ("pod", "service"):
        namespace, slash, name = found.get(kind, "").partition("/")
        if slash:
            found[f"{kind}args"] = f"-n {namespace} {name.partition(':')[0]}"
    if "podargs" in found:
        found["inpod"] = f"kubectl exec {found['podargs']} --"
    return found
