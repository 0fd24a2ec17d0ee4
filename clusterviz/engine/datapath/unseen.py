"""Requests for a proxy that is not among the objects: one that runs outside, and one that nobody runs at all."""

from __future__ import annotations

from clusterviz.engine.datapath.controllers import class_name
from clusterviz.engine.datapath.controllers import managed as ingresses_at
from clusterviz.engine.datapath.gateways import managed as gateway_at
from clusterviz.engine.datapath.ingress import route_request
from clusterviz.engine.datapath.place import At
from clusterviz.engine.datapath.proxy import CONTROLLER, NotProxy, asked, at_controller, connect
from clusterviz.engine.datapath.routed import COMPONENT as GATEWAY
from clusterviz.engine.datapath.routed import at_gateway
from clusterviz.engine.datapath.standing import Standing
from clusterviz.engine.journey import Journey
from clusterviz.engine.trace import Action, Rule, Verdict


def at_managed(j: Journey, ip: str) -> At | NotProxy | None:
    """A data plane outside the cluster takes the packet and calls the backend's pod directly.

    It is that of a Gateway, or of Ingresses, with this address and no pods among the objects.
    """
    gateway = gateway_at(j.cluster, ip)
    ingresses = [] if gateway else ingresses_at(j.cluster, ip)
    if gateway is None and not ingresses:
        return "not a proxy"
    ref = gateway.ref if gateway else ingresses[0].ref
    kind, component = ("Gateway", GATEWAY) if gateway else ("Ingress", CONTROLLER)
    name = f"{kind} {ref.partition(':')[2]}"
    j.leave("")
    j.enter("proxy", ref, name, role="transit")
    note = f"The data plane of {name} is not among the objects; it is taken to run at {ip} outside the cluster"
    j.assume("managed-data-plane", f"{note} and to reach pods without NAT.")
    j.way(ref, "ingress")
    request, port = asked(j), j.packet.dport or 0
    listens = {one.port for one in gateway.listeners} if gateway else {80, 443}
    if request is None or port not in listens:
        numbers = ", ".join(str(one) for one in sorted(listens))
        why = f"{name} listens on {numbers}" if request else f"only HTTP requests are followed through a {kind}"
        rule = Rule(name="listeners", ref=ref, rules=("GW-13",) if gateway else ("ING-10",))
        j.step(Action.REJECTED, "no_listener", layer=4, component=component, rule=rule, why=why, proxy=component)
        verdict = Verdict.NOBODY_LISTENING if request else Verdict.INSUFFICIENT_INFO
        j.block(verdict, ref=ref, rule=rule.name, why=why)
        return None
    if not j.ghost:
        j.proxy_hop = len(j.hops)
    if gateway is not None:
        picked = at_gateway(j, [gateway], request, port, Standing(ref, name, (ip,)))
    else:
        match = route_request(j.cluster, request, ingresses)
        picked = at_controller(j, Standing(ref, name, (ip,)), match, request)
    if picked is None:
        return None
    node = j.cluster.nodes.get(picked.endpoint.node) or next(iter(j.cluster.nodes.values()), None)
    if node is None:
        j.block(Verdict.INSUFFICIENT_INFO, ref=ref, rule="no node", why="no node leads to the pod")
        return None
    connect(j, picked, ip, ref, component)
    j.leave("")
    return At("node", node, came="outside", iface="eth0")


def unserved(j: Journey, ref: str) -> At | None:
    """As a ghost to where the Ingress or Gateway ``ref`` would send the request if somebody served it.

    Nobody knows where that proxy would run: only the backend itself is looked at, not the way to it.
    """
    request = asked(j)
    kind, _, rest = ref.partition(":")
    namespace, _, name = rest.partition("/")
    if request is None:
        return None
    at = Standing(ref, name, ())
    if kind == "gateway":
        picked = at_gateway(j, [j.cluster.gateways[namespace, name]], request, j.packet.dport or 0, at)
    else:
        ours = class_name(j.cluster, j.cluster.ingresses[namespace, name])
        alike = [one for one in j.cluster.ingresses.values() if class_name(j.cluster, one) == ours]
        picked = at_controller(j, at, route_request(j.cluster, request, alike, ingress_nginx=False), request)
    pod = j.cluster.pod_by_ip.get(picked.endpoint.ip) if picked is not None else None
    if picked is None or pod is None or pod.host_network:
        return None
    connect(j, picked, j.packet.ip.src, ref, GATEWAY if kind == "gateway" else CONTROLLER)
    return At("pod_in", j.cluster.nodes.get(pod.node), pod)
