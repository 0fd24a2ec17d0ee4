"""What the lessons together must teach: lines of the mission, and beliefs that are wrong."""

from __future__ import annotations


def _(text: str) -> str:
    """Marks words that pages translate. Django's own mark wants settings, and lessons are read without."""
    return text


MISSION: dict[str, str] = {
    "flat": "A flat network without NAT, every pod with an IP of its own",
    "containers": "Container to container: a shared IP and port space",
    "same-node": "Pod to pod on one node",
    "other-node": "Pod to pod across nodes",
    "service": "Pod to Service: a virtual IP spread over pod IPs",
    "clusterip": "Services of type ClusterIP",
    "nodeport": "Services of type NodePort",
    "loadbalancer": "Services of type LoadBalancer",
    "ingress": "From the Internet in: Ingress",
    "egress": "From a pod out: egress",
    "policy": "Network policies",
    "change": "Change over time",
    "together": "Everything at once",
}

MISCONCEPTIONS: dict[str, str] = {
    "M1": _("A ClusterIP belongs to some machine and can be pinged"),
    "M2": _("A Service, or kube-proxy, is a box that packets pass through"),
    "M3": _("Load is spread evenly, request by request, in turns"),
    "M4": _("containerPort opens a port, and without it the port is shut"),
    "M5": _("port, targetPort and nodePort are hops, and must be equal"),
    "M6": _("Each container of a pod has an IP and ports of its own"),
    "M7": _("Namespaces keep traffic apart"),
    "M8": _("A NetworkPolicy works as soon as it is applied"),
    "M9": _("One dash more or less in a policy makes no difference"),
    "M10": _("Ports in a policy are those of the Service"),
    "M11": _("Denying egress only stops calls to the Internet"),
    "M12": _("Policies have an order, and can deny"),
    "M13": _("A new policy cuts connections that are open"),
    "M14": _("Replies need a rule of their own"),
    "M15": _("A NodePort works only where a pod runs, and policy Local is a bug"),
    "M16": _("The pod always sees the client's address"),
    "M17": _("type LoadBalancer makes a balancer anywhere"),
    "M18": _("An Ingress object moves traffic by itself"),
    "M19": _("Ingress traffic passes through the ClusterIP"),
    "M20": _("No NAT means that the outside sees pod addresses"),
    "M21": _("A deleted pod gets no traffic from that moment on"),
    "M22": _("No answer is one thing, whatever the cause"),
    "M23": _("A pod can always reach itself through its Service"),
    "M24": _("A short name of a Service works everywhere"),
}
