"""What the lessons together must teach: lines of the mission, and beliefs that are wrong."""

from __future__ import annotations

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
    "M1": "A ClusterIP belongs to some machine and can be pinged",
    "M2": "A Service, or kube-proxy, is a box that packets pass through",
    "M3": "Load is spread evenly, request by request, in turns",
    "M4": "containerPort opens a port, and without it the port is shut",
    "M5": "port, targetPort and nodePort are hops, and must be equal",
    "M6": "Each container of a pod has an IP and ports of its own",
    "M7": "Namespaces keep traffic apart",
    "M8": "A NetworkPolicy works as soon as it is applied",
    "M9": "One dash more or less in a policy makes no difference",
    "M10": "Ports in a policy are those of the Service",
    "M11": "Denying egress only stops calls to the Internet",
    "M12": "Policies have an order, and can deny",
    "M13": "A new policy cuts connections that are open",
    "M14": "Replies need a rule of their own",
    "M15": "A NodePort works only where a pod runs, and policy Local is a bug",
    "M16": "The pod always sees the client's address",
    "M17": "type LoadBalancer makes a balancer anywhere",
    "M18": "An Ingress object moves traffic by itself",
    "M19": "Ingress traffic passes through the ClusterIP",
    "M20": "No NAT means that the outside sees pod addresses",
    "M21": "A deleted pod gets no traffic from that moment on",
    "M22": "No answer is one thing, whatever the cause",
    "M23": "A pod can always reach itself through its Service",
    "M24": "A short name of a Service works everywhere",
}
