"""NetworkPolicy once more, read straight off the YAML: random policies on random pods, and both readings agree (NP)."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable
from typing import Any

import pytest

from clusterviz.engine import Cluster, Probe, Verdict, trace
from clusterviz.engine.datapath.policy import policy_verdict

Obj = dict[str, Any]
SPACES = ("x", "y")
CIDRS = ("10.1.0.0/16", "10.1.2.0/24", "10.1.1.2/32", "0.0.0.0/0", "fd00::/16", "203.0.113.0/24")
PROTOCOLS = ("TCP", "UDP", "SCTP")
PORTS: tuple[Obj, ...] = (
    {"port": 80},
    {"port": 81, "protocol": "UDP"},
    {"protocol": "SCTP"},
    {},
    {"port": "web-tcp"},
    {"port": "web-udp", "protocol": "UDP"},
    {"port": "web-udp"},
    {"port": 79, "endPort": 80},
    {"port": 81, "endPort": 90},
)


class Maker:
    """Objects drawn from a seed: dense, so that every part of a rule decides now and then."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def some(self, most: int, make: Callable[[], Obj]) -> list[Obj]:
        return [make() for _ in range(self.rng.randint(0, most))]

    def labels(self) -> dict[str, str]:
        return {key: self.rng.choice("ab") for key in ("app", "tier") if self.rng.random() < 0.6}

    def expression(self) -> Obj:
        operator = self.rng.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        made: Obj = {"key": self.rng.choice(["app", "tier"]), "operator": operator}
        return made | ({"values": [self.rng.choice("ab")]} if operator.endswith("In") else {})

    def selector(self) -> Obj:
        labels = {self.rng.choice(["app", "tier"]): self.rng.choice("ab")}
        choices: list[Obj] = [{}, {"matchLabels": None}, {"matchLabels": labels}]
        return self.rng.choice([*choices, {"matchExpressions": [self.expression()]}])

    def peer(self) -> Obj:
        kind = self.rng.randrange(5)
        if kind == 0:
            cidr = self.rng.choice(CIDRS)
            inside = [one for one in CIDRS[1:3] if cidr in (CIDRS[0], CIDRS[3])]
            return {"ipBlock": {"cidr": cidr, "except": inside[: self.rng.randint(0, 2)]}}
        made = {"podSelector": self.selector()} if kind != 1 else {}
        return made | ({"namespaceSelector": self.selector()} if kind < 3 else {})

    def rule(self, word: str) -> Obj:
        return {word: self.some(2, self.peer), "ports": self.some(2, lambda: self.rng.choice(PORTS))}

    def policy(self) -> Obj:
        spec: Obj = {"podSelector": self.rng.choice([{}, self.selector()])}
        if self.rng.random() < 0.7:
            spec["policyTypes"] = self.rng.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
        spec["ingress"] = self.some(2, lambda: self.rule("from"))
        spec["egress"] = self.some(2, lambda: self.rule("to"))
        name = f"p{self.rng.randrange(10**9)}"
        return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": self.rng.choice(SPACES)}, "spec": spec}

    def pod(self, number: int) -> Obj:
        ports = [{"name": f"web-{proto.lower()}", "containerPort": 80, "protocol": proto} for proto in PROTOCOLS]
        ips = [{"ip": f"10.1.{number % 2 + 1}.{number + 2}"}, {"ip": f"fd00::{number + 2}"}]
        return {
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": SPACES[number % 2], "labels": self.labels()},
            "spec": {"containers": [{"name": "c", "ports": self.rng.choice([ports, []])}]},
            "status": {"podIP": ips[0]["ip"], "podIPs": ips},
        }

    def world(self) -> list[Obj]:
        spaces = [
            {"kind": "Namespace", "metadata": {"name": name, "labels": self.labels()}}
            for name in SPACES
            if self.rng.random() < 0.8
        ]
        return [*spaces, *(self.pod(number) for number in range(4)), self.policy(), *self.some(2, self.policy)]


def fits(selector: Obj, labels: dict[str, str]) -> bool:
    """NP-18."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for one in selector.get("matchExpressions") or []:
        here, among = one["key"] in labels, labels.get(one["key"]) in one.get("values", [])
        if not {"In": here and among, "NotIn": not among, "Exists": here, "DoesNotExist": not here}[one["operator"]]:
            return False
    return True


class Oracle:
    """The rules NP-01 to NP-19, word for word."""

    def __init__(self, objects: list[Obj]) -> None:
        self.policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
        self.pods = {entry["ip"]: one for one in objects if one["kind"] == "Pod" for entry in one["status"]["podIPs"]}
        self.spaces = {
            one["metadata"]["name"]: one["metadata"]["labels"] for one in objects if one["kind"] == "Namespace"
        }

    def allows(self, source: str, target: str, port: int, protocol: str) -> bool:
        ways = (("Egress", "egress", "to", source, target), ("Ingress", "ingress", "from", target, source))
        return all(self.one_way(*way, target, port, protocol) for way in ways)

    def one_way(
        self, kind: str, field: str, word: str, own: str, peer: str, target: str, port: int, protocol: str
    ) -> bool:
        pod = self.pods.get(own)
        if pod is None or pod is self.pods.get(peer):
            return True
        found = [one["spec"] for one in self.policies if self.selects(one, pod) and kind in types(one["spec"])]
        rules = [(spec, rule) for spec in found for rule in spec.get(field) or []]
        return not found or any(
            self.peers(rule.get(word) or [], peer, pod["metadata"]["namespace"])
            and self.ports(rule.get("ports") or [], target, port, protocol)
            for _, rule in rules
        )

    @staticmethod
    def selects(one: Obj, pod: Obj) -> bool:
        meta = pod["metadata"]
        return one["metadata"]["namespace"] == meta["namespace"] and fits(one["spec"]["podSelector"], meta["labels"])

    def peers(self, entries: list[Obj], ip: str, namespace: str) -> bool:
        return not entries or any(self.peer(entry, ip, namespace) for entry in entries)

    def peer(self, entry: Obj, ip: str, namespace: str) -> bool:
        if "ipBlock" in entry:
            block, address = entry["ipBlock"], ipaddress.ip_address(ip)
            return address in ipaddress.ip_network(block["cidr"]) and not any(
                address in ipaddress.ip_network(one) for one in block.get("except", [])
            )
        pod = self.pods.get(ip)
        if pod is None:
            return False
        space = pod["metadata"]["namespace"]
        named = {**self.spaces.get(space, {}), "kubernetes.io/metadata.name": space}
        near = fits(entry["namespaceSelector"], named) if "namespaceSelector" in entry else space == namespace
        return near and fits(entry.get("podSelector") or {}, pod["metadata"]["labels"])

    def ports(self, entries: list[Obj], target: str, port: int, protocol: str) -> bool:
        return not entries or any(self.port(entry, target, port, protocol) for entry in entries)

    def port(self, entry: Obj, target: str, port: int, protocol: str) -> bool:
        if entry.get("protocol", "TCP") != protocol:
            return False
        wanted = entry.get("port")
        if isinstance(wanted, str):
            pod = self.pods.get(target)
            declared = pod["spec"]["containers"][0]["ports"] if pod else []
            return (wanted, port, protocol) in [(d["name"], d["containerPort"], d["protocol"]) for d in declared]
        return wanted is None or int(wanted) <= port <= int(entry.get("endPort") or wanted)


def types(spec: Obj) -> list[str]:
    """NP-04."""
    default = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    return list(spec.get("policyTypes") or default)


@pytest.mark.parametrize("decade", range(12))
def test_two_readings_of_the_same_policies_agree(decade: int) -> None:
    """NP-01 to NP-19: every pair of addresses, one port and protocol a world; and a trace says the same."""
    for seed in range(decade * 10, decade * 10 + 10):
        maker = Maker(seed)
        objects = maker.world()
        cluster, oracle = Cluster.from_objects(objects), Oracle(objects)
        port, protocol = maker.rng.choice([79, 80, 80, 81]), maker.rng.choice(["TCP", *PROTOCOLS])
        ips = [*oracle.pods, "203.0.113.9"]
        pairs = [(a, b) for a in ips for b in ips if a != b and (":" in a) == (":" in b)]
        wanted = {pair: oracle.allows(*pair, port, protocol) for pair in pairs}
        assert {pair: policy_verdict(cluster, *pair, port, protocol).allowed for pair in pairs} == wanted, (
            f"seed {seed}"
        )
        source, target = maker.rng.choice([pair for pair in pairs if pair[0] in oracle.pods and pair[1] in oracle.pods])
        found = trace(cluster, Probe.parse(source, f"[{target}]:{port}", protocol=protocol))
        denied = {one.verdict for one in found.blockers} & {Verdict.DENIED_EGRESS, Verdict.DENIED_INGRESS}
        assert bool(denied) is not wanted[source, target], f"seed {seed}"
