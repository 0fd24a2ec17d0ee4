"""A packet leaves a pod, and arrives at one (NET-03..05)."""

from __future__ import annotations

from clusterviz.engine.addresses import family, host_port, in_cidr, is_loopback
from clusterviz.engine.datapath.draw import mac
from clusterviz.engine.datapath.hung import hangs
from clusterviz.engine.datapath.listen import ASSUMPTIONS, listener
from clusterviz.engine.datapath.ongoing import unknown_to
from clusterviz.engine.datapath.place import At, home, of_family, own_block, veth
from clusterviz.engine.datapath.proxy import forward_request
from clusterviz.engine.journey import Journey
from clusterviz.engine.objects import Node, Pod
from clusterviz.engine.packet import L4, Ethernet, port_of
from clusterviz.engine.trace import Action, Rule, Verdict


def leave(j: Journey, at: At) -> At | None:
    """From a process of the pod to the node, or over loopback to the pod itself."""
    pod = at.pod
    assert pod is not None
    packet = j.packet
    loopback = is_loopback(packet.ip.dst) or packet.ip.dst in pod.ips
    if at.came != "proxy":
        j.enter("pod", pod.ref, f"{pod.namespace}/{pod.name}", node=pod.node, role="sender")
        _originated(j, pod)
    j.way(pod.ref, "local" if loopback else "pod")
    if loopback:
        _loopback(j, pod)
        return None
    if family(packet.ip.src) != family(packet.ip.dst):
        _no_family(j, pod)
        return None
    node = home(j.cluster, pod)
    if node is None:
        j.block(
            Verdict.INSUFFICIENT_INFO,
            ref=pod.ref,
            rule="no node",
            why=f"the cluster has no node {pod.node or ''} to carry the packet",
        )
        return None
    if not pod.node:
        j.assume("placement-assumed", f"The objects do not say where {pod.name} runs; {node.name} is assumed.")
    _frame(j, pod, node)
    j.leave("eth0")
    return At("node", node, pod, came="pod", iface=veth(pod))


def _originated(j: Journey, pod: Pod) -> None:
    j.resolved()
    source = j.probe.source.container
    container = source or (pod.containers[0].name if pod.containers else "")
    j.step(
        Action.ORIGINATED,
        "originated_pod",
        layer=4,
        direction="out",
        hook="socket",
        component=container,
        src=j.packet.ip.src,
        dst=_target(j),
        pod=f"{pod.namespace}/{pod.name}",
        container=container,
        rule=Rule(name="pod network namespace", ref=pod.ref, rules=("NET-01", "NET-03")),
        command=f"kubectl exec -n {pod.namespace} {pod.name} -- ip addr",
    )


def _no_family(j: Journey, pod: Pod) -> None:
    """A pod with IPv4 only cannot call an IPv6 address, and the other way round (SVC-16)."""
    kind = f"IPv{family(j.packet.ip.dst)}"
    rule = Rule(name=f"no {kind} address", text=f"no {kind} default route", ref=pod.ref, rules=("SVC-16",))
    name = f"{pod.namespace}/{pod.name}"
    j.step(Action.DROPPED, "no_family", direction="out", rule=rule, pod=name, kind=kind, address=j.packet.ip.dst)
    j.block(Verdict.NO_ROUTE, ref=pod.ref, rule=rule.name, why=f"pod {name} has no {kind} address")


def _target(j: Journey) -> str:
    return host_port(j.packet.ip.dst, j.packet.dport) if j.packet.dport else j.packet.ip.dst


def _frame(j: Journey, pod: Pod, node: Node) -> None:
    """The frame goes straight to a neighbour on the bridge, or to the bridge as gateway (NET-05)."""
    packet = j.packet
    own = of_family(pod.ips, packet.ip.dst)
    block = own_block(node, packet.ip.dst)
    neighbour = block and in_cidr(own, block) and packet.ip.dst not in j.cluster.bridge_ips(node)
    gateway = of_family(j.cluster.bridge_ips(node), packet.ip.dst) or node.ip
    target = packet.ip.dst if neighbour else gateway
    kind = "IPv6" if ":" in packet.ip.dst else "IPv4"
    packet.eth = Ethernet(mac(own), mac(target), kind)
    j.step(
        Action.FORWARDED,
        "framed_neighbour" if neighbour else "framed_gateway",
        layer=2,
        direction="out",
        push=(packet.eth,),
        target=target,
        command=f"kubectl exec -n {pod.namespace} {pod.name} -- ip {'neigh' if neighbour else 'route'}",
        pod=f"{pod.namespace}/{pod.name}",
        rule=Rule(name="veth pair", ref=pod.ref, rules=("NET-04", "NET-05")),
    )


def _loopback(j: Journey, pod: Pod) -> None:
    j.step(
        Action.ROUTED,
        "loopback",
        layer=3,
        direction="out",
        component="lo",
        address=j.packet.ip.dst,
        rule=Rule(name="route table local", text=f"local {j.packet.ip.dst} dev lo", ref=pod.ref, rules=("NET-03",)),
        command=f"kubectl exec -n {pod.namespace} {pod.name} -- ip route show table local",
    )
    _accept(j, pod, local=True)


def deliver(j: Journey, at: At) -> At | None:
    """The packet comes out of the pod's eth0."""
    pod, node = at.pod, at.node
    assert pod is not None
    j.enter(
        "pod", pod.ref, f"{pod.namespace}/{pod.name}", node=node.name if node else "", role="receiver", in_iface="eth0"
    )
    j.way(pod.ref, "")
    j.step(
        Action.RECEIVED,
        "received_pod",
        layer=3,
        hook="input",
        src=j.packet.ip.src,
        iface="eth0",
        pod=f"{pod.namespace}/{pod.name}",
        command=f"tcpdump -ni {veth(pod)} dst {j.packet.ip.dst}",
    )
    if pod.phase != "Running":
        j.step(
            Action.REJECTED,
            "pod_not_running",
            pod=f"{pod.namespace}/{pod.name}",
            phase=pod.phase,
            rule=Rule(name="no process", ref=pod.ref, rules=("LIF-01",)),
        )
        j.block(Verdict.POD_NOT_RUNNING, ref=pod.ref, rule=f"phase {pod.phase}", why=f"pod {pod.name} is {pod.phase}")
    if j.opened is not None and unknown_to(j, pod):
        return None
    following = forward_request(j, pod)
    if following != "not a proxy":
        return following
    _accept(j, pod, local=False)
    return None


def _accept(j: Journey, pod: Pod, *, local: bool) -> None:
    packet = j.packet
    verdict = Verdict.DELIVERED_IN_POD if local else Verdict.DELIVERED
    name = f"{pod.namespace}/{pod.name}"
    if not isinstance(packet.l4, L4):
        j.step(Action.DELIVERED, "ping_answered", pod=name, rule=Rule(name="ICMP echo", ref=pod.ref, rules=("NET-01",)))
        j.end(verdict)
        return
    port = packet.l4.dport
    found = listener(j.cluster, pod, packet.l4.proto, port, loopback=packet.ip.dst.startswith("127."))
    if found.assumed:
        j.assume(found.assumed, ASSUMPTIONS[found.assumed])
    if found.collision:
        j.assume(
            "port-collision",
            f"Container {', '.join(found.collision)} declares port {port} too: "
            "one port space, so it cannot bind it (NET-03).",
        )
    idle = Verdict.POD_NOT_RUNNING, pod.ref  # says of the whole pod what its containers would say again
    if not found.open and not (found.down and idle in [(one.verdict, one.ref) for one in j.blockers]):
        _refuse(j, pod, packet.l4, found.down)
    if hangs(j, pod, packet.l4) or not found.open:
        return
    j.step(
        Action.DELIVERED,
        "delivered_in_pod" if local else "delivered",
        layer=4,
        hook="socket",
        component=found.container,
        pod=name,
        port=port,
        src=packet.ip.src,
        container=found.container or "a process",
        rule=Rule(name=f"socket on {port}/{packet.l4.proto}", ref=pod.ref, rules=("NET-03",) if local else ("NET-01",)),
    )
    j.end(verdict)


def _refuse(j: Journey, pod: Pod, l4: L4, down: tuple[str, ...]) -> None:
    """The pod's kernel has no socket on that port (NET-03)."""
    why, number = _silent(pod, port_of(l4), down), l4.dport
    rules = ("NET-03", "LIF-04" if down else "IMP-04")
    rule = Rule(name=f"no socket on {number}/{l4.proto}", text=why, ref=pod.ref, rules=rules)
    name = f"{pod.namespace}/{pod.name}"
    j.step(Action.REJECTED, "nobody_listening", layer=4, hook="socket", pod=name, port=number, rule=rule)
    j.block(Verdict.NOBODY_LISTENING, ref=pod.ref, rule=f"no socket on {port_of(l4)}", why=why)


def _silent(pod: Pod, port: str, down: tuple[str, ...]) -> str:
    """Why nothing listens: a container that does not run, or none that has the port (LIF-04)."""
    if down:
        return f"container {', '.join(down)} is not running: {pod.reason or 'it waits or has ended'}"
    return f"no process of {pod.namespace}/{pod.name} listens on {port}"
