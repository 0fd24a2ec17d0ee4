"""Who calls whom, how often, and who may not: TrafficFlows, Ingresses and NetworkPolicies that fit together."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from clusterviz.engine.controllers.work import timestamp
from clusterviz.engine.generate.apps import API, CALLERS, WEB, App
from clusterviz.engine.generate.services import Face
from clusterviz.engine.generate.size import Plan
from clusterviz.engine.objects import Obj

FROM_OUTSIDE = 0.08
TO_OUTSIDE = 0.03
SAME_NAMESPACE = 0.75
DENIED = 0.05
WRONG_PORT = 0.01
EGRESS_POLICIES = 0.1
HOSTS_A_DOMAIN = 3
MOST_A_FLOW = 300.0
#: How much busier than the quietest call one may be.
BUSIEST = 60.0


class Calls:
    """Draws who calls whom; a callee's popularity follows its place in a shuffled list."""

    def __init__(self, plan: Plan, faces: list[Face], apps: list[App], rng: random.Random, now: float) -> None:
        self._plan, self._rng = plan, rng
        self._born = timestamp(now - 86_400)
        self.faces = [face for face in faces if face.app is not None]
        self._others = [face for face in faces if face.app is None]
        self._near: dict[str, list[Face]] = defaultdict(list)
        for face in self.faces:
            assert face.app is not None
            self._near[face.app.namespace].append(face)
        weights = [1 / (index + 4) ** 0.8 for index in range(len(self.faces))]
        self._popular = list(accumulate(weights))
        self._callers = [one for one in apps if one.role in CALLERS and not one.fate] or apps
        # Callee's name -> callers that are to be let in, and those a policy leaves out.
        self.known: dict[int, dict[tuple[str, str], bool]] = defaultdict(dict)
        self.outward: list[App] = []
        self._taken: set[tuple[str, str]] = set()
        # (namespace, name) of flows that may never be answered.
        self._doubtful: set[tuple[str, str]] = set()

    def flows(self, hosts: list[tuple[str, str, str]]) -> list[Obj]:
        """TrafficFlow objects; ``hosts`` are (namespace, host, path) of the Ingresses."""
        wanted = self._plan.flows
        found = [self._through_edge(*host) for host in hosts[: max(1, wanted // 4)]] if hosts else []
        for _ in range(3 * wanted):
            if len(found) >= wanted:
                break
            one = self._draw()
            if one is not None:
                found.append(one)
        self._rate(found)
        return found

    def _draw(self) -> Obj | None:
        kind = self._rng.random()
        caller = self._rng.choice(self._callers)
        if kind < TO_OUTSIDE:
            self.outward.append(caller)
            ip = f"203.0.113.{self._rng.randrange(10, 200)}"
            return self._flow(caller, f"{caller.name}-to-{ip.replace('.', '-')}", ip, 443, "https", doubtful=True)
        if kind < 2 * TO_OUTSIDE and self._others:
            face = self._rng.choice(self._others)
            name = f"{caller.name}-to-{_short(face)}"
            return self._flow(caller, name, face.host, face.port, face.scheme, doubtful=True)
        near = self._near.get(caller.namespace)
        if near and self._rng.random() < SAME_NAMESPACE:
            face = near[int(len(near) * self._rng.random() ** 2)]
        elif self.faces:
            face = self._rng.choices(self.faces, cum_weights=self._popular)[0]
        else:
            return None
        if face.app is caller or face.app is None:
            return None
        port = face.port + 1 if self._rng.random() < WRONG_PORT else face.port
        callers = self.known[id(face.app)]
        known = callers.setdefault((caller.namespace, caller.name), self._rng.random() >= DENIED)
        doubtful = not known or port != face.port or bool(face.app.fate)
        return self._flow(caller, f"{caller.name}-to-{_short(face)}", face.host, port, face.scheme, doubtful=doubtful)

    def _flow(self, caller: App, name: str, host: str, port: int, scheme: str, *, doubtful: bool) -> Obj | None:
        name = name[:63].rstrip("-")
        if (caller.namespace, name) in self._taken:
            return None
        self._taken.add((caller.namespace, name))
        if doubtful:
            self._doubtful.add((caller.namespace, name))
        origin = {"kind": caller.kind, "name": caller.name, "namespace": caller.namespace}
        target: Obj = {"host": host, "port": port, "protocol": "TCP", "scheme": scheme}
        if scheme in ("http", "https"):
            target["path"] = "/"
        return self._object(caller.namespace, name, {"from": origin, "to": target})

    def _through_edge(self, space: str, host: str, path: str) -> Obj:
        name = f"visitors-of-{host.partition('.')[0]}"
        target = {"host": host, "port": 80, "protocol": "TCP", "scheme": "http", "path": path}
        return self._object(space, name, {"from": {"kind": "External", "name": "internet"}, "to": target})

    def _object(self, space: str, name: str, spec: Obj) -> Obj:
        metadata = {"name": name, "namespace": space, "creationTimestamp": self._born}
        return {"apiVersion": "clusterviz.dev/v1", "kind": "TrafficFlow", "metadata": metadata, "spec": spec}

    def _rate(self, flows: list[Obj]) -> None:
        """A few flows carry most of the requests; what may be refused, as nobody would bear it for long, the fewest."""
        draws = [min(BUSIEST, self._rng.paretovariate(0.9)) for _ in flows]
        keys = [(flow["metadata"]["namespace"], flow["metadata"]["name"]) for flow in flows]
        draws = [1.0 if key in self._doubtful else draw for key, draw in zip(keys, draws, strict=True)]
        factor = self._plan.load / (sum(draws) or 1.0)
        for flow, draw in zip(flows, draws, strict=True):
            flow["spec"]["requestsPerSecond"] = max(0.05, round(min(MOST_A_FLOW, draw * factor), 2))


def _short(face: Face) -> str:
    return face.host.replace(".", "-")


def ingresses(
    plan: Plan, faces: list[Face], rng: random.Random, now: float
) -> tuple[list[Obj], list[tuple[str, str, str]]]:
    """Ingresses over web pages and APIs, and (namespace, host, path) of what they answer for."""
    fronts = [face for face in faces if face.app is not None and face.app.role in (WEB, API)]
    by_space: dict[str, list[Face]] = defaultdict(list)
    for face in fronts:
        by_space[face.host.partition(".")[2]].append(face)
    spaces = sorted(by_space)
    found: list[Obj] = []
    hosts: list[tuple[str, str, str]] = []
    for index in range(plan.ingresses if spaces else 0):
        space = spaces[index % len(spaces)]
        turn = index // len(spaces)
        host = f"{space}{turn + 1 if turn else ''}.example.com"
        backends = rng.sample(by_space[space], min(HOSTS_A_DOMAIN, len(by_space[space])))
        paths: list[Obj] = [
            {
                "path": "/" if not place else f"/{face.host.partition('.')[0]}",
                "pathType": "Prefix",
                "backend": {"service": {"name": face.obj["metadata"]["name"], "port": {"name": "http"}}},
            }
            for place, face in enumerate(backends)
        ]
        metadata = {"name": f"public-{turn + 1}", "namespace": space, "creationTimestamp": timestamp(now - 86_400 * 20)}
        spec = {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": paths}}]}
        found.append({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec})
        hosts.append((space, host, paths[index % len(paths)]["path"]))
    return found, hosts


def ingress_class(now: float) -> Obj:
    """The class of the controller, the default one."""
    metadata = {
        "name": "nginx",
        "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        "creationTimestamp": timestamp(now - 86_400 * 100),
    }
    spec = {"controller": "k8s.io/ingress-nginx"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata, "spec": spec}


def policies(plan: Plan, calls: Calls, apps: list[App], rng: random.Random, now: float) -> Iterator[Obj]:
    """One policy for each chosen workload: its known callers may call it, but for those it forgot."""
    outward = list({id(one): one for one in calls.outward}.values())
    egress = [one for one in outward if rng.random() < 0.5][: round(plan.policies * EGRESS_POLICIES)]
    called = [one for one in apps if id(one) in calls.known]
    others = [one for one in apps if id(one) not in calls.known]
    rng.shuffle(called)
    chosen = [*called, *others][: plan.policies - len(egress)]
    born = timestamp(now - 86_400 * 10)
    for one in chosen:
        yield _policy(f"{one.name}-callers", one, {"policyTypes": ["Ingress"], "ingress": _rules(one, calls)}, born)
    for one in egress:
        rules = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
        yield _policy(f"{one.name}-inside", one, {"policyTypes": ["Egress"], "egress": rules}, born)


def _rules(one: App, calls: Calls) -> list[Obj]:
    peers: list[Obj] = [{"podSelector": {"matchLabels": one.labels}}]
    for (space, name), allowed in sorted(calls.known.get(id(one), {}).items()):
        if allowed:
            peer: Obj = {"podSelector": {"matchLabels": {"app": name}}}
            if space != one.namespace:
                peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": space}}
            peers.append(peer)
    if one.role in (WEB, API):
        peers.append({"namespaceSelector": {"matchLabels": {"team": "ingress-nginx"}}})
    return [{"from": peers, "ports": [{"port": one.role.port_name, "protocol": "TCP"}]}]


def _policy(name: str, one: App, spec: Obj, born: str) -> Obj:
    metadata = {"name": name, "namespace": one.namespace, "creationTimestamp": born}
    spec = {"podSelector": {"matchLabels": one.labels}, **spec}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
