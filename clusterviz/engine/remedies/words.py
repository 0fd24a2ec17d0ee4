"""What people have to do where no change of an object was found that lets the packet arrive."""

from __future__ import annotations

from collections.abc import Iterator

from clusterviz.engine.trace import Fix, Trace, Verdict

WORK: dict[Verdict, str] = {
    Verdict.DENIED_INGRESS: "Ask whoever runs the cluster to let this call in",
    Verdict.DENIED_EGRESS: "Ask whoever runs the cluster to let this call out",
    Verdict.NO_ENDPOINTS_REJECTED: "Run pods with the labels the Service selects, and have them ready",
    Verdict.NO_LOCAL_ENDPOINT_DROPPED: "Run a ready pod of the Service on the node that gets the packet",
    Verdict.SOURCE_RANGE_DROPPED: "Call from an address the load balancer admits",
    Verdict.VIP_PORT_UNKNOWN: "Call a port the Service has",
    Verdict.VIP_ICMP_UNANSWERED: "Connect to a port of the Service instead of pinging its address",
    Verdict.NOBODY_LISTENING: "Start a process that listens on this port, on every address of the pod or node",
    Verdict.NO_ANSWER: "Find out why the process is stuck, and restart it",
    Verdict.NAME_NOT_FOUND: "Ask for a name that exists, or create what is to have this one",
    Verdict.DNS_BLOCKED: "Let the cluster's DNS answer: pods of CoreDNS that are ready behind a Service with port 53",
    Verdict.NO_ROUTE: "Give the network a way to this address, or call one that has a way",
    Verdict.NODE_DOWN: "Start the machine again, or replace the node",
    Verdict.POD_GONE: "Call the pod that took the place of this one, best through its Service",
    Verdict.POD_NOT_RUNNING: "Find out from its events why the pod does not run; one that has ended is replaced",
    Verdict.NO_LB_PROVIDER: "Install a load balancer provider",
    Verdict.NO_LB_BACKEND: "Bring up a node that passes the balancer's health check",
    Verdict.NO_INGRESS_CONTROLLER: "Install a controller for this class",
    Verdict.NO_INGRESS_RULE: "Ask for a host and path that have a rule",
    Verdict.PROXY_NO_ENDPOINTS: "Get pods ready behind the Service of this rule",
    Verdict.PROXY_BACKEND_INVALID: "Let the route name a backend that exists and that it may use",
    Verdict.REDIRECTED: "Follow the redirect",
    Verdict.HAIRPIN_DROPPED: "Call the pod itself at 127.0.0.1 instead of through its Service",
    Verdict.REPLY_LOST: "Give the network of the receiver a way back to the sender's address",
    Verdict.MTU_EXCEEDED: "Send smaller packets, or raise the MTU of every link on the way",
    Verdict.TTL_EXPIRED: "Break the circle: let one of the objects on it lead elsewhere",
    Verdict.INSUFFICIENT_INFO: "Add the objects that are missing here, and ask again",
}


def by_hand(trace: Trace) -> Iterator[Fix]:
    """For each thing that stops the packet what has to be done, the first first; each is said once."""
    told: set[Verdict] = set()
    for blocker in trace.blockers:
        if blocker.verdict not in told and blocker.verdict in WORK:
            told.add(blocker.verdict)
            why = f"No change of an object was found that suffices: {blocker.why}."
            yield Fix(title=f"{WORK[blocker.verdict]}.", kind="work", ref=blocker.ref, why=why)
