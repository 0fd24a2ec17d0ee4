"""Plain partial objects, as upstream's own tests write them: no pods, nodes of a name and addresses."""

from __future__ import annotations

from typing import Any

NODE = "test-node"
NODE_IP, NODE_ALT, NODE_IP6, NODE_ALT6 = "192.168.0.2", "192.168.1.2", "2001:db8::1", "2001:db8:1::2"
POD, CLIENT, BLOCKED = "10.0.0.2", "203.0.113.2", "203.0.113.130"
SETTINGS = {"cluster_cidr": "10.0.0.0/8", "service_cidr": "172.30.0.0/16", "nodeport_range": (1, 65535)}


def node(name: str = NODE, *addresses: str, **labels: str) -> dict[str, Any]:
    """A Node that has a name, addresses and labels, and no pod block."""
    shown = [{"type": "InternalIP", "address": one} for one in addresses or (NODE_IP, NODE_ALT)]
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"addresses": shown}}


def service(name: str, ip: str, *ports: dict[str, Any], balancer: tuple[Any, ...] = (), **spec: Any) -> dict[str, Any]:
    """A Service called ``namespace/name``; ``balancer`` are addresses or whole status entries."""
    space, _, short = name.rpartition("/")
    entries = [one if isinstance(one, dict) else {"ip": one} for one in balancer]
    return {
        "kind": "Service",
        "metadata": {"name": short, "namespace": space},
        "spec": {"clusterIP": ip, "ports": list(ports) or [{"name": "p80", "port": 80}], **spec},
        "status": {"loadBalancer": {"ingress": entries}},
    }


def endpoint(address: str, at: str | None = None, state: str = "", **more: Any) -> dict[str, Any]:
    """One endpoint; ``state`` holds r, s and t for ready, serving and terminating, none for what is absent."""
    found: dict[str, Any] = {"addresses": [address], **more}
    if at:
        found["nodeName"] = at
    if state:
        found["conditions"] = {"ready": "r" in state, "serving": "s" in state, "terminating": "t" in state}
    return found


def slices(name: str, *found: dict[str, Any], ports: tuple[Any, ...] = (("p80", 80, "TCP"),)) -> dict[str, Any]:
    """An EndpointSlice of the Service ``namespace/name``; a port is its name, number and protocol."""
    space, _, short = name.rpartition("/")
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": f"{short}-1", "namespace": space, "labels": {"kubernetes.io/service-name": short}},
        "addressType": "IPv6" if found and ":" in found[0]["addresses"][0] else "IPv4",
        "endpoints": list(found),
        "ports": [{"name": label, "port": number, "protocol": protocol} for label, number, protocol in ports],
    }
