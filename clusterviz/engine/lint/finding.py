"""A finding, and the table of all there are."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from clusterviz.engine.objects import Key

Severity = Literal["error", "warning", "note"]
#: Worst first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Code(NamedTuple):
    """``severity``, what it is in general, and what people do about it."""

    severity: Severity
    title: str
    fix: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at an object. ``key`` is () for the cluster as a whole, ``field`` its YAML path, "" for all of it.

    ``text`` is a sentence with the ids of docs/rules.md it follows.
    """

    code: str
    text: str
    key: Key | tuple[()] = ()
    field: str = ""

    @property
    def severity(self) -> Severity:
        """error: it cannot work; warning: it hardly does what is wanted; note: good to know."""
        return CODES[self.code].severity

    @property
    def fix(self) -> str:
        """What to do about it."""
        return CODES[self.code].fix

    @property
    def object(self) -> str:
        """``Service shop/web``, "" for the cluster."""
        if not self.key:
            return ""
        kind, namespace, name = self.key
        return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.severity}: {self.object}{': ' if self.key else ''}{self.text} [{self.code}]"


CODES: dict[str, Code] = {
    # what the snapshot itself warns of
    "no-endpoints": Code(
        "warning", "A selector matches no pod", "Make spec.selector the labels of the pods' template."
    ),
    "no-such-port": Code("error", "A targetPort names no port", "Name the container port so, or give its number."),
    "no-lb-provider": Code("warning", "Nobody provides the load balancer", "Install a provider, or use a NodePort."),
    "not-enforced": Code("warning", "Nobody enforces policies", "Use a network plugin that enforces NetworkPolicy."),
    "selects-nothing": Code("warning", "A policy selects no pod", "Make spec.podSelector labels of pods there are."),
    "no-controller": Code("warning", "Nobody serves the object", "Install a controller of this class."),
    "not-attached": Code("warning", "A route is attached nowhere", "Name a Gateway and a listener that admit it."),
    "no-routes": Code("note", "A Gateway without routes", "Attach an HTTPRoute, or remove the Gateway."),
    "listener-invalid": Code("error", "A listener cannot work", "Mend the listener as its reason says."),
    "backend-invalid": Code("error", "A backend cannot be used", "Name a Service and a port there are."),
    # what is looked for here
    "port-not-declared": Code("warning", "No pod declares the targetPort", "Check the number the process listens on."),
    "local-nodes-empty": Code(
        "warning", "Nodes without an endpoint drop what comes to them", "Run a pod on each node, or use policy Cluster."
    ),
    "policy-cuts-dns": Code(
        "warning", "A policy cuts its pods' DNS", "Allow egress to the cluster DNS, port 53 of UDP and TCP."
    ),
    "policy-service-port": Code(
        "error", "A policy allows the Service's port, not the pod's", "Write the port the pod listens on."
    ),
    "policy-port-unknown": Code(
        "warning", "A policy names a port no pod has", "Name a container port of the receiving pods."
    ),
    "policy-peer-nobody": Code("warning", "A peer of a policy is nobody", "Make the selectors labels there are."),
    "policy-rule-covered": Code("note", "A rule adds nothing", "Remove it: an earlier rule of the policy allows all."),
    "ingress-no-service": Code("error", "A path leads to no Service", "Name a Service of the Ingress's namespace."),
    "ingress-no-port": Code("error", "A path leads to no port", "Name a port of the Service, not of the pod."),
    "ingress-duplicate": Code("warning", "A host and path is claimed twice", "Keep it in one Ingress."),
    "call-fails": Code("warning", "A call of the application fails", "Follow it: manage.py trace tells all blockers."),
}
