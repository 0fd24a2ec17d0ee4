"""What is not the cluster: a node's own processes, the wire, clients, balancers and servers outside."""

from __future__ import annotations

from clusterviz.engine.addresses import family, host_port
from clusterviz.engine.datapath.draw import draw, source_port
from clusterviz.engine.datapath.onward import meant
from clusterviz.engine.datapath.place import At, home, of_family
from clusterviz.engine.datapath.public import handed_on
from clusterviz.engine.datapath.topology import local_list
from clusterviz.engine.datapath.unseen import at_managed
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import CUT_ANNOTATION, Node, Service
from clusterviz.engine.packet import L4
from clusterviz.engine.trace import Action, Candidate, Rule, Verdict

CLIENT_IP6 = "2001:db8::7"


def wire(j: Journey, at: At) -> At | None:
    """From one node's card to another's, over the node network."""
    node = at.node
    assert node is not None
    wrapped = bool(j.packet.outer)
    j.enter("wire", "wire", f"node network {j.cluster.settings.node_cidr}")
    j.way("wire", j.waypoints[-1].kind if j.waypoints else "pod", encapsulated=wrapped)
    outer = j.packet.stack[1]
    sender = at.sender
    if sender is not None and (node.name in sender.cut or sender.name in node.cut):
        _cut(j, sender, node)
    j.step(
        Action.FORWARDED,
        "wire_encapsulated" if wrapped else "wire",
        layer=2,
        target=node.name,
        src=getattr(outer, "src", ""),
        dst=getattr(outer, "dst", ""),
        rule=Rule(name="node network", rules=("NET-06",) if wrapped else ("NET-11",)),
        command="tcpdump -ni eth0",
    )
    j.leave()
    return At("node", node, came="wire", iface="eth0")


def _cut(j: Journey, sender: Node, node: Node) -> None:
    """The link between two nodes is lost while both reach the API server, which cannot see it (NOD-08)."""
    rule = Rule(name="link is cut", ref=sender.ref, path=f"metadata.annotations[{CUT_ANNOTATION}]", rules=("NOD-08",))
    command = f"ping -c 1 {node.ip}"
    j.step(Action.DROPPED, "link_cut", rule=rule, near=sender.name, target=node.name, command=command)
    why = f"the link between {sender.name} and {node.name} is cut"
    j.block(Verdict.NO_ROUTE, ref="wire", rule=rule.name, why=why)


def arrive_outside(j: Journey, at: At) -> At | None:
    """The packet left the cluster: for a balancer of its own (SVC-07), or a server outside (EGR)."""
    ip = j.packet.ip.dst
    service, mode = balanced(j, ip)
    if service is not None and j.packet.ip.src not in j.cluster.pod_by_ip:
        return _balance(j, service, ip, mode)
    if j.packet.ip.src in j.cluster.pod_by_ip:
        _unmasked(j, at, ip)
        if service is not None:
            return _balance(j, service, ip, mode)
    proxied = at_managed(j, ip)
    if proxied != "not a proxy":
        return proxied
    inner, assumed = handed_on(j.cluster, ip)
    if assumed:
        return _handed_on(j, ip, inner, assumed[0])
    ref = "internet" if ip in (j.cluster.settings.client_ip, CLIENT_IP6) else f"external:{ip}"
    j.enter("external", ref, ip, role="external")
    j.way(ref, "")
    j.assume(
        "outside-not-modelled",
        "Routers and firewalls outside the cluster are not modelled; the server is taken to answer.",
    )
    j.step(
        Action.EXITED,
        "exited",
        address=ip,
        src=j.packet.ip.src,
        rule=Rule(name="outside the cluster", rules=("EGR-01",)),
        command=f"tcpdump -ni any src {j.packet.ip.src}",
    )
    j.end(Verdict.EXITED_CLUSTER)
    return None


def _unmasked(j: Journey, at: At, ip: str) -> None:
    """A pod's own address outside: whoever answers has no way back to it (EGR-05)."""
    node, src = at.node, j.packet.ip.src
    assert node is not None
    j.enter("external", f"external:{ip}", ip)
    rule = Rule(name="no masquerade", rules=("EGR-05",))
    j.step(Action.DROPPED, "no_egress_nat", src=src, node=node.name, rule=rule, settings=("egress_nat",))
    j.block(Verdict.REPLY_LOST, ref=node.ref, rule=rule.name, why=f"nobody outside knows the way back to {src}")


def _handed_on(j: Journey, ip: str, inner: str, assumed: tuple[str, str]) -> At:
    """Out by one node's ExternalIP and in by another's: the provider's gateway translates it to the InternalIP."""
    node = j.cluster.node_by_ip[inner]
    j.enter("external", f"external:{ip}", ip)
    j.way(f"external:{ip}", "ingress", nat="dnat")
    j.assume(*assumed)
    diffs = j.packet.change("ip", "the provider's gateway", dst=inner)
    rule = Rule(name="ExternalIP", ref=node.ref, path="status.addresses", rules=("EGR-01",))
    j.step(Action.DNAT, "handed_on", diffs=diffs, rule=rule, old=ip, new=inner, node=node.name)
    j.leave("")
    return At("node", node, came="outside", iface="eth0")


def leave_outside(j: Journey, _at: At) -> At | None:
    """A client outside calls an address: a load balancer, a node, or one that leads nowhere."""
    ip = j.packet.ip.dst
    client = j.packet.ip.src
    ref = "internet" if client in (j.cluster.settings.client_ip, CLIENT_IP6) else f"external:{client}"
    j.enter("internet", ref, client, role="external")
    j.way(ref, "ingress")
    j.step(
        Action.ORIGINATED,
        "originated_outside",
        layer=4,
        direction="out",
        hook="socket",
        src=client,
        dst=host_port(ip, j.packet.dport) if j.packet.dport else ip,
        rule=Rule(name="client outside"),
    )
    if family(client) != family(ip):
        _unroutable(j, ip, f"an IPv{family(ip)} address, and the client has none of that kind")
        return None
    node = j.cluster.node_by_ip.get(ip)
    if node is not None and ip in node.ips:
        j.leave("")
        return At("node", node, came="outside", iface="eth0")
    service, mode = balanced(j, ip)
    if service is not None:
        j.leave("")
        return _balance(j, service, ip, mode)
    for service, via in (j.opened or j.cluster).services_by_ip.get(ip, ()):
        if via == "external":
            return _external_ip(j, service)
    proxied = at_managed(j, ip)
    if proxied != "not a proxy":
        return proxied
    _unroutable(j, ip)
    return _brought(j, ip)


def _brought(j: Journey, ip: str) -> At | None:
    """As a ghost to the node that would take the packet if a way led there: the pod's, or any for a virtual IP."""
    pod = j.cluster.pod_by_ip.get(ip)
    known = ip in j.cluster.services_by_ip
    node = home(j.cluster, pod) if pod is not None else _any_node(j) if known else None
    return At("node", node, came="outside", iface="eth0") if node is not None else None


def _any_node(j: Journey) -> Node | None:
    """The first node that is ready, else the first."""
    nodes = list(j.cluster.nodes.values())
    return next((one for one in nodes if one.ready and not one.down), nodes[0] if nodes else None)


def _unroutable(j: Journey, ip: str, what: str = "") -> None:
    pod = j.cluster.pod_by_ip.get(ip)
    services = j.cluster.services_by_ip.get(ip)
    kind = "a pod's address" if pod else "a virtual IP of the cluster" if services else "an address nobody here has"
    what = what or kind
    ref = pod.ref if pod else services[0][0].ref if services else "internet"
    j.step(
        Action.DROPPED,
        "unroutable_outside",
        address=ip,
        what=what,
        rule=Rule(name="no route from outside", ref=ref, rules=("NET-01", "PX-02")),
        command=f"traceroute {ip}",
    )
    j.block(
        Verdict.NO_ROUTE,
        ref=ref,
        rule="no route from outside",
        why=f"{ip} is {what}; no router outside knows a way to it",
    )


def balanced(j: Journey, ip: str) -> tuple[Service | None, str]:
    """The Service whose load balancer has this address, and its ipMode (SVC-07)."""
    return (j.opened or j.cluster).balancers.get(ip, (None, ""))


def _external_ip(j: Journey, service: Service) -> At | None:
    j.assume(
        "external-ip-routed",
        "Somebody outside routes the externalIP to a node; the first ready one is assumed (SVC-05).",
    )
    node = _any_node(j)
    if node is None or not node.ready or node.down:
        j.block(Verdict.NO_ROUTE, ref=service.ref, rule="no ready node", why="no node is ready")
    if node is None:
        return None
    j.leave("")
    return At("node", node, came="outside", iface="eth0")


def _balance(j: Journey, service: Service, ip: str, mode: str) -> At | None:
    """The balancer picks a node that passes its health check (PX-14, PX-15)."""
    ref = f"loadbalancer:{ip}"
    name = f"{service.namespace}/{service.name}"
    j.enter("loadbalancer", ref, f"load balancer {ip}", role="transit")
    if isinstance(j.packet.l4, L4) and not _listens(service, j.packet.l4) and not _no_listener(j, service, ref):
        return None
    nodes = list((j.opened or j.cluster).nodes.values())  # a balancer, too, keeps to the node it chose
    healthy = [node for node in nodes if _healthy(j, service, node)]
    if not healthy:
        j.step(
            Action.DROPPED,
            "no_lb_backend",
            service=name,
            rule=Rule(name="health check", ref=service.ref, rules=("PX-14", "PX-15")),
        )
        j.assume("balancer-silent", "A load balancer without a healthy node is taken not to answer; some refuse.")
        j.way(ref, "ingress")
        j.block(
            Verdict.NO_LB_BACKEND,
            ref=service.ref,
            rule="health check",
            why=f"no node passes the health check of {name}",
        )
        return _past_the_check(j, service, ip, mode)
    node = _drawn(j, service, healthy)
    j.way(ref, "ingress")
    j.step(
        Action.LOAD_BALANCED,
        "balancer_chose",
        layer=4,
        component="load balancer",
        service=name,
        node=node.name,
        count=len(healthy),
        policy=service.external_policy,
        rule=Rule(
            name=f"load balancer of {name}",
            ref=service.ref,
            made_by="load balancer provider",
            rules=("SVC-06", "PX-15"),
        ),
        candidates=_nodes(j, service, nodes, healthy, node),
        command=f"kubectl describe service -n {service.namespace} {service.name}",
    )
    if mode == "Proxy":
        _proxy_mode(j, service, ip, node)
    j.leave("")
    return At("node", node, came="outside", iface="eth0")


def _drawn(j: Journey, service: Service, healthy: list[Node]) -> Node:
    """One of the healthy nodes, as it is now."""
    random = draw(j.probe.seed, "balancer", service.ref)
    node = healthy[min(int(random * len(healthy)), len(healthy) - 1)]
    return j.cluster.nodes.get(node.name, node)


def _past_the_check(j: Journey, service: Service, ip: str, mode: str) -> At | None:
    """By a node that runs if one does, though none is healthy, to what else would stop the packet."""
    node = _any_node(j)
    if node is None:
        return None
    if mode == "Proxy":
        _proxy_mode(j, service, ip, node)
    j.leave("")
    return At("node", node, came="outside", iface="eth0")


def _listens(service: Service, l4: L4) -> bool:
    return any(port.port == l4.dport and port.protocol == l4.proto for port in service.ports)


def _no_listener(j: Journey, service: Service, ref: str) -> bool:
    """A balancer opens only the ports of its Service (PX-11); whether a ghost goes on by the one that was meant."""
    name = f"{service.namespace}/{service.name}"
    port = f"{j.packet.dport}/{j.packet.ip.proto}"
    ports = ", ".join(f"{one.port}/{one.protocol}" for one in service.ports)
    rule = Rule(name=f"no port {port}", ref=service.ref, path="spec.ports", rules=("SVC-11",))
    j.way(ref, "ingress")
    j.step(Action.DROPPED, "balancer_port_unknown", layer=4, service=name, port=port, ports=ports, rule=rule)
    j.block(Verdict.VIP_PORT_UNKNOWN, ref=service.ref, rule=rule.name, why=f"Service {name} has no port {port}")
    other = meant(j, service)
    if other is not None:
        j.packet.change("l4", "the port that was meant", dport=other.port)
    return other is not None


def _nodes(j: Journey, service: Service, nodes: list[Node], healthy: list[Node], picked: Node) -> tuple[Candidate, ...]:
    fit = {one.name for one in healthy}
    return tuple(
        Candidate(
            address=one.ip,
            port=j.packet.dport or 0,
            node=one.name,
            picked=one is picked,
            probability=1 / len(fit) if one.name in fit else 0.0,
            why="" if one.name in fit else _unhealthy(service, one),
        )
        for one in nodes
    )


def _unhealthy(service: Service, node: Node) -> str:
    if node.down or not node.ready:
        return "not ready"
    return f"no ready endpoint of {service.name} on it, and the policy is Local"


def _healthy(j: Journey, service: Service, node: Node) -> bool:
    if node.down or not node.ready:
        return False
    if service.external_policy != "Local":
        return True
    return any(endpoint.ready for endpoint in local_list((j.opened or j.cluster).endpoints(service), node).endpoints)


def _proxy_mode(j: Journey, service: Service, ip: str, node: Node) -> None:
    """IpMode Proxy: the balancer opens its own connection to the node port (SVC-07)."""
    packet = j.packet
    port = next((p for p in service.ports if p.port == packet.dport and p.protocol == packet.ip.proto), None)
    if port is None or not port.node_port:
        return
    diffs = packet.change("ip", "the balancer's own connection", src=ip, dst=of_family(node.ips, ip))
    diffs += packet.change(
        "l4", "the balancer's own connection", sport=source_port(j.probe.seed, "balancer", ip), dport=port.node_port
    )
    j.step(
        Action.PROXIED,
        "balancer_proxied",
        layer=4,
        component="load balancer",
        diffs=diffs,
        address=ip,
        target=host_port(node.ip, port.node_port),
        rule=Rule(name="ipMode Proxy", ref=service.ref, path="status.loadBalancer", rules=("SVC-07",)),
    )
