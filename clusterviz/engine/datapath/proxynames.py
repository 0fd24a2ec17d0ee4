"""What the rules of a kube-proxy decision are called on the node, and the command that shows them (IPT, NFT, IPV)."""

from __future__ import annotations

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.service import ServiceDecision, chain_hash, port_name
from clusterviz.engine.objects import Node, ServicePort
from clusterviz.engine.proxyrules.nftnames import endpoint_path, hashed, port_path
from clusterviz.engine.settings import Settings
from clusterviz.engine.trace import Rule


def translating(settings: Settings, decision: ServiceDecision, address: str) -> Rule:
    """The chain that draws: KUBE-SVC, SVL or EXT (IPT-14), NFT-03's names, or IPVS's virtual server."""
    service, port = decision.service, _port(decision)
    if settings.proxy_mode == "ipvs":
        name = f"virtual server {host_port(address, port.port)}/{port.protocol}"
    elif settings.proxy_mode == "nftables":
        path = hashed(port_path(service.namespace, service.name, port.protocol, port.name))
        kind = "service" if decision.via == "cluster" else "external"
        name = f"{'local' if decision.choice.startswith('local') else kind}-{path}"
    else:
        kind = "SVC" if decision.via == "cluster" else "EXT"
        name = f"KUBE-{'SVL' if decision.choice.startswith('local') else kind}-{chain_hash(service, port)}"
    return _rule(decision, name, port_name(service, port), decision.rules)


def endpoint_rule(settings: Settings, decision: ServiceDecision, new: str) -> Rule:
    """The rule of one endpoint, which does the DNAT (IPT-08, NFT-05)."""
    service, port, endpoint = decision.service, _port(decision), decision.endpoint
    assert endpoint is not None
    text, ids = f"-j DNAT --to-destination {new}", ("PX-01", "PX-02", "IPT-08")
    name = f"KUBE-SEP-{chain_hash(service, port, new)}"
    if settings.proxy_mode == "nftables":
        path = port_path(service.namespace, service.name, port.protocol, port.name)
        name = f"endpoint-{hashed(endpoint_path(path, endpoint.ip, decision.target_port))}"
        text, ids = f"meta l4proto {port.protocol.lower()} dnat to {new}", ("PX-01", "PX-02", "NFT-05")
    if settings.proxy_mode == "ipvs":
        name, text, ids = f"real server {new}", f"{new} Masq", ("PX-01", "PX-02", "IPV-01")
    return _rule(decision, name, text, ids, ".targetPort")


def refusing(settings: Settings, decision: ServiceDecision) -> Rule:
    """The filter rule that refuses or drops: there is no nat rule for such an address (IPT-10, IPT-11)."""
    service, port = decision.service, _port(decision)
    name, effect = port_name(service, port), decision.effect
    if decision.verdict == "source_range":
        if settings.proxy_mode == "nftables":
            path = hashed(port_path(service.namespace, service.name, port.protocol, port.name))
            return _rule(decision, f"firewall-{path}", "drop", (*decision.rules, "NFT-02"))
        guard = f"KUBE-FW-{chain_hash(service, port)}"
        chain = "KUBE-SOURCE-RANGES-FIREWALL" if settings.proxy_mode == "ipvs" else "KUBE-PROXY-FIREWALL"
        text = f'"{name} traffic not accepted by {guard}" -j DROP'
        ids = "IPV-01" if settings.proxy_mode == "ipvs" else "IPT-10"
        return _rule(decision, chain, text, (*decision.rules, ids))
    if settings.proxy_mode == "ipvs":
        return _rule(decision, "virtual server without real servers", name, (*decision.rules, "IPV-01"))
    if settings.proxy_mode == "nftables":
        table = "no-endpoint-nodeports" if decision.via == "nodeport" else "no-endpoint-services"
        verdict = "goto reject-chain" if effect == "reject" else "drop"
        return _rule(decision, table, f'{verdict} comment "{name}"', (*decision.rules, "NFT-01"))
    chain = "KUBE-SERVICES" if decision.via == "cluster" else "KUBE-EXTERNAL-SERVICES"
    what = "endpoints" if effect == "reject" else "local endpoints"
    return _rule(decision, chain, f'"{name} has no {what}" -j {effect.upper()}', (*decision.rules, "IPT-11"))


def command(settings: Settings, decision: ServiceDecision, address: str, rule: Rule) -> str:
    """What shows the rule on a real node."""
    port, six = _port(decision), family(address) == 6
    refused = decision.effect in ("reject", "drop")
    if settings.proxy_mode == "ipvs":
        number = port.node_port if decision.via == "nodeport" else port.port
        return f"ipvsadm -Ln -{'u' if port.protocol == 'UDP' else 't'} {host_port(address, number)}"
    if settings.proxy_mode == "nftables":
        kind = "map" if rule.name.startswith("no-endpoint-") else "chain"
        return f"nft list {kind} ip{'6' if six else ''} kube-proxy {rule.name}"
    return f"{'ip6tables' if six else 'iptables'} -t {'filter' if refused else 'nat'} -L {rule.name} -n"


def masquerading(settings: Settings, address: str) -> tuple[Rule, str]:
    """kube-proxy's rule that masquerades what is marked, and the command that shows it (IPT-12, NFT-02, IPV-01)."""
    six = family(address) == 6
    if settings.proxy_mode == "nftables":
        rule = Rule(
            name="masquerading", text="masquerade fully-random", made_by="kube-proxy", rules=("PX-09", "NFT-02")
        )
        return rule, f"nft list chain ip{'6' if six else ''} kube-proxy masquerading"
    ids = ("PX-09", "IPT-12", "IPV-01") if settings.proxy_mode == "ipvs" else ("PX-09", "IPT-12")
    rule = Rule(name="KUBE-POSTROUTING", text="-j MASQUERADE --random-fully", made_by="kube-proxy", rules=ids)
    return rule, f"{'ip6tables' if six else 'iptables'} -t nat -L KUBE-POSTROUTING -n"


def _port(decision: ServiceDecision) -> ServicePort:
    assert decision.port is not None
    return decision.port


def _rule(decision: ServiceDecision, name: str, text: str, ids: tuple[str, ...], field: str = "") -> Rule:
    service = decision.service
    path = f"spec.ports[{service.ports.index(_port(decision))}]{field}"
    return Rule(name=name, text=text, ref=service.ref, path=path, made_by="kube-proxy", rules=ids)


def why_not(decision: ServiceDecision, node: Node, lack: str) -> str:
    """Why a Service's address leads to no endpoint; ``lack`` says what the Service lacks everywhere."""
    name = f"{decision.service.namespace}/{decision.service.name}"
    if lack:
        return f"Service {name} has no ready endpoint anywhere: {lack}"
    if decision.verdict in ("drop", "reject"):
        return f"Service {name} has no endpoint on {node.name} and its policy is Local"
    return f"the source is outside loadBalancerSourceRanges of {name}"
