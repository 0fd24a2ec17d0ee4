"""NetworkPolicy once more, read straight off the YAML: random policies on random pods, and both readings agree (NP)."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Probe, Verdict, trace
from clusterviz.engine.datapath.policy import policy_verdict

Obj = dict[str, Any]
SPACES = ("x", "y")
KEYS = st.sampled_from(["app", "tier"])
VALUES = st.sampled_from(["a", "b"])
LABELS = st.dictionaries(KEYS, VALUES, max_size=2)
CIDRS = ("10.1.0.0/16", "10.1.2.0/24", "10.1.1.3/32", "0.0.0.0/0", "fd00::/16", "203.0.113.0/24")
PROTOCOLS = ("TCP", "UDP", "SCTP")


def _expression(key: str, operator: str, values: list[str]) -> Obj:
    made: Obj = {"key": key, "operator": operator}
    return made | ({"values": values} if operator in ("In", "NotIn") else {})


EXPRESSIONS = st.builds(
    _expression,
    KEYS,
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(VALUES, min_size=1, max_size=2, unique=True),
)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS | st.none(), "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)
BLOCKS = st.fixed_dictionaries(
    {"cidr": st.sampled_from(CIDRS[:4])}, optional={"except": st.lists(st.sampled_from(CIDRS[1:3]), max_size=2)}
) | st.fixed_dictionaries({"cidr": st.sampled_from(CIDRS[4:])})
PEERS = (
    st.builds(lambda block: {"ipBlock": block}, BLOCKS)
    | st.builds(lambda one: {"podSelector": one}, SELECTORS)
    | st.builds(lambda one: {"namespaceSelector": one}, SELECTORS)
    | st.builds(lambda one, two: {"podSelector": one, "namespaceSelector": two}, SELECTORS, SELECTORS)
)
PORTS = st.fixed_dictionaries(
    {},
    optional={"protocol": st.sampled_from(PROTOCOLS), "port": st.sampled_from([80, 81, "web-tcp", "web-udp", "none"])},
) | st.fixed_dictionaries({"port": st.just(79), "endPort": st.sampled_from([79, 80, 90])})


def _rules(word: str) -> st.SearchStrategy[list[Obj]]:
    optional = {word: st.lists(PEERS, max_size=2), "ports": st.lists(PORTS, max_size=2)}
    return st.lists(st.fixed_dictionaries({}, optional=optional), max_size=2)


@st.composite
def policies(draw: Any) -> list[Obj]:
    types = st.lists(st.sampled_from(["Ingress", "Egress"]), min_size=1, max_size=2, unique=True)
    specs = st.fixed_dictionaries(
        {"podSelector": SELECTORS},
        optional={"policyTypes": types, "ingress": _rules("from"), "egress": _rules("to")},
    )
    return [
        {
            "kind": "NetworkPolicy",
            "metadata": {"name": f"p{n}", "namespace": draw(st.sampled_from(SPACES))},
            "spec": spec,
        }
        for n, spec in enumerate(draw(st.lists(specs, min_size=1, max_size=3)))
    ]


@st.composite
def worlds(draw: Any) -> list[Obj]:
    spaces = [
        {"kind": "Namespace", "metadata": {"name": name, "labels": draw(LABELS)}}
        for name in SPACES
        if draw(st.booleans())
    ]
    ports = [{"name": f"web-{proto.lower()}", "containerPort": 80, "protocol": proto} for proto in PROTOCOLS]
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": f"p{n}", "namespace": SPACES[n % 2], "labels": draw(LABELS)},
            "spec": {"containers": [{"name": "c", "ports": ports if draw(st.booleans()) else []}]},
            "status": {
                "podIP": f"10.1.{n % 2 + 1}.{n + 2}",
                "podIPs": [{"ip": f"10.1.{n % 2 + 1}.{n + 2}"}, {"ip": f"fd00::{n + 2}"}],
            },
        }
        for n in range(4)
    ]
    return [*spaces, *pods, *draw(policies())]


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
            declared = self.pods.get(target, {"spec": {"containers": [{"ports": []}]}})["spec"]["containers"][0][
                "ports"
            ]
            return any((d["name"], d["containerPort"], d["protocol"]) == (wanted, port, protocol) for d in declared)
        return wanted is None or wanted <= port <= entry.get("endPort", wanted)


def types(spec: Obj) -> list[str]:
    """NP-04."""
    default = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    return list(spec.get("policyTypes") or default)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(worlds(), st.data())
def test_two_readings_of_the_same_policies_agree(objects: list[Obj], data: st.DataObject) -> None:
    """NP-01 to NP-19: every pair of addresses, one port and protocol; and the trace says the same."""
    cluster, oracle = Cluster.from_objects(objects), Oracle(objects)
    port, protocol = data.draw(st.sampled_from([79, 80, 81])), data.draw(st.sampled_from(PROTOCOLS))
    ips = [*oracle.pods, "203.0.113.9"]
    for source in ips:
        for target in ips:
            if (":" in source) != (":" in target) or source == target:
                continue
            wanted = oracle.allows(source, target, port, protocol)
            assert policy_verdict(cluster, source, target, port, protocol).allowed is wanted, (source, target)
    source, target = data.draw(st.sampled_from(ips[:8:2])), data.draw(st.sampled_from(ips[:8:2]))
    if source != target:
        found = trace(cluster, Probe.parse(source, f"{target}:{port}", protocol=protocol))
        denied = {one.verdict for one in found.blockers} & {Verdict.DENIED_EGRESS, Verdict.DENIED_INGRESS}
        assert bool(denied) is not oracle.allows(source, target, port, protocol)
