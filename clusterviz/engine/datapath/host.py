"""INPUT: the packet is for the node itself, for a hostNetwork pod or a process of the node (NET-02)."""

from __future__ import annotations

from clusterviz.engine.datapath.health import health_answer
from clusterviz.engine.datapath.hung import hangs
from clusterviz.engine.datapath.listen import ASSUMPTIONS, host_listener
from clusterviz.engine.datapath.place import At
from clusterviz.engine.datapath.proxy import forward_request
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.packet import L4, port_of
from clusterviz.engine.trace import Action, Rule, Verdict


def into_node(j: Journey, at: At) -> At | None:
    """Whoever has the port on this node answers; a controller routes the request on."""
    node, packet = at.node, j.packet
    assert node is not None
    if not isinstance(packet.l4, L4):
        j.step(Action.DELIVERED, "ping_answered", pod=f"node {node.name}", rule=Rule(name="ICMP echo", ref=node.ref))
        j.end(Verdict.DELIVERED)
        return None
    if _health_check(j, node, packet.l4):
        return None
    found = host_listener(j.cluster, node, packet.l4.proto, packet.ip.dst, packet.l4.dport)
    if not found.open:
        _nobody(j, node, packet.l4)
        return None
    following = forward_request(j, found.pod) if found.pod is not None else "not a proxy"
    if following != "not a proxy":
        return following
    if found.assumed:
        j.assume(found.assumed, ASSUMPTIONS[found.assumed])
    if found.pod is None or not hangs(j, found.pod, packet.l4):
        _delivered(j, node, packet.l4, found.pod)
    return None


def _delivered(j: Journey, node: Node, l4: L4, pod: Pod | None) -> None:
    j.step(
        Action.DELIVERED,
        "delivered_host" if pod is not None else "delivered_node",
        layer=4,
        hook="socket",
        pod=f"{pod.namespace}/{pod.name}" if pod is not None else "",
        port=l4.dport,
        src=j.packet.ip.src,
        rule=Rule(name=f"socket on {l4.dport}/{l4.proto}", ref=pod.ref if pod else node.ref, rules=("NET-02",)),
        node=node.name,
    )
    j.way(node.ref, "pod")
    j.end(Verdict.DELIVERED)


def _health_check(j: Journey, node: Node, l4: L4) -> bool:
    """kube-proxy itself answers on healthCheckNodePort (PX-14)."""
    found = health_answer(j.cluster, node, l4.dport, j.packet.ip.dst) if l4.proto == "TCP" else None
    if found is None:
        return False
    name = f"{found.service.namespace}/{found.service.name}"
    j.step(
        Action.ANSWERED,
        "health_check",
        layer=7,
        hook="userspace",
        component="kube-proxy",
        rule=Rule(name=f"health check of {name}", ref=found.service.ref, rules=("PX-14",)),
        service=name,
        count=found.local_endpoints,
        status=found.status,
        node=node.name,
    )
    j.way(node.ref, "pod")
    j.end(Verdict.DELIVERED)
    return True


def _nobody(j: Journey, node: Node, l4: L4) -> None:
    j.assume(
        "node-processes-unknown", "Which ports the node's own processes open is not in the objects; none is assumed."
    )
    claimed = j.cluster.services_by_node_port.get((l4.proto, l4.dport))
    j.step(
        Action.REJECTED,
        "nobody_listening_node",
        layer=4,
        hook="socket",
        port=l4.dport,
        node=node.name,
        rule=Rule(name=f"no socket on {l4.dport}/{l4.proto}", ref=node.ref, rules=("PX-12",) if claimed else ()),
        settings=("proxy_mode", "nodeport_addresses", "localhost_nodeports") if claimed else (),
        shut=f"{claimed[0].namespace}/{claimed[0].name}" if claimed else "",
        address=j.packet.ip.dst,
    )
    j.block(
        Verdict.NOBODY_LISTENING,
        ref=node.ref,
        rule=f"no socket on {port_of(l4)}",
        why=f"nothing on node {node.name} listens on {port_of(l4)}",
    )
