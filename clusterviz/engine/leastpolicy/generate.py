"""One NetworkPolicy a workload: what its calls need, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from clusterviz.engine.addresses import family
from clusterviz.engine.cluster import Change, Cluster
from clusterviz.engine.compare.connections import INTERNET, Asked, Fate, Pair, survey, workload_name
from clusterviz.engine.datapath import gateways
from clusterviz.engine.datapath.controllers import controller_of
from clusterviz.engine.errors import EngineError
from clusterviz.engine.leastpolicy.needs import USUAL_DNS, Call, Need, calls
from clusterviz.engine.objects import Obj, Pod

NAME_LABEL = "kubernetes.io/metadata.name"
#: Namespaces whose pods other parts of the cluster need in ways no manifest tells.
SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
Peer = tuple[tuple[str, Any], ...]


class Generated(NamedTuple):
    """``policies`` as plain objects. ``broken``: calls that fail with them; ``excess``: what else still arrives.

    ``notes`` say what could not be written and why. With ``broken`` and ``excess`` empty every call of the
    application is kept and everything else between workloads of ``namespaces`` is cut.
    """

    policies: tuple[Obj, ...]
    namespaces: tuple[str, ...]
    calls: int
    broken: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def generate(cluster: Cluster, namespaces: Iterable[str] = ()) -> Generated:
    """Policies for the workloads of ``namespaces``, by default of all in which the application's calls begin or end.

    Existing policies are left aside: they are added to each other, so those generated replace them. Raises
    `EngineError` where nothing can be generated.
    """
    if not cluster.settings.enforce_policies:
        raise EngineError("nobody enforces NetworkPolicy in this cluster (NP-24)")
    bare = cluster.apply([Change("unset", ("NetworkPolicy", *name)) for name in cluster.policies])
    asked = [*calls(bare)]
    spaces = frozenset(namespaces) or _spaces(bare, asked)
    notes = [f"call {call.name} is left out: {call.problem}" for call in asked if call.problem]
    if not spaces:
        unknown = "no call of the application is known: there is no TrafficFlow, and manifests give none away"
        raise EngineError("; ".join(notes) or unknown)
    needs = {need for call in asked for need in call.needs}
    if any(need.peer == USUAL_DNS for need in needs):
        notes.append("the cluster's DNS is not among the objects: it is taken to be k8s-app=kube-dns in kube-system")
    by_node = any(need.peer in bare.node_by_ip for need in needs)
    if by_node and any(one.code == "nodes-assumed" for one in bare.fill_warnings):
        notes.append("no Node objects were given: write the addresses of your nodes where those of assumed ones stand")
    policies = []
    for name, pods in sorted(_workloads(bare, spaces).items()):
        labels = _labels(bare, pods)
        if not labels:
            notes.append(f"{name} has no labels, so that no policy can select it alone (NP-02)")
            continue
        if not _only(bare, labels, pods):
            notes.append(f"{name} shares its labels with other pods: what one needs is let through for all (NP-02)")
        policies.append(_policy(bare, name, pods, labels, needs))
    guarded = bare.apply([Change("set", policy) for policy in policies])
    broken, excess = _proof(bare, guarded, spaces, asked)
    kept = sum(not call.problem for call in asked)
    return Generated(tuple(policies), tuple(sorted(spaces)), kept, broken, excess, tuple(notes))


def _spaces(cluster: Cluster, asked: list[Call]) -> frozenset[str]:
    """Where calls begin or end; not the system's namespaces, nor those of who serves Ingresses and Gateways."""
    fronts = [controller_of(cluster, ingress) for ingress in cluster.ingresses.values()]
    fronts += [gateways.front(cluster, gateway) for gateway in cluster.gateways.values()]
    found = {need.pod[0] for call in asked for need in call.needs}
    return frozenset(found - SYSTEM - {service.namespace for service in fronts if service is not None})


def _workloads(cluster: Cluster, spaces: frozenset[str]) -> dict[str, list[Pod]]:
    """Pods by workload, those a policy can guard."""
    found: dict[str, list[Pod]] = {}
    for pod in cluster.pods.values():
        if pod.namespace in spaces and not pod.host_network and not pod.ended:
            found.setdefault(workload_name(cluster, pod), []).append(pod)
    return found


def _labels(cluster: Cluster, pods: list[Pod]) -> dict[str, str]:
    """Labels that select these pods and none else of the namespace: the workload's own selector if it does."""
    owner = cluster.workload_of(pods[0])
    own = dict(owner.selector.labels) if owner is not None else {}
    common = {key: value for key, value in pods[0].labels.items() if all(pod.labels.get(key) == value for pod in pods)}
    for labels in (own, common):
        if labels and labels.items() <= common.items() and _only(cluster, labels, pods):
            return labels
    return own if own and own.items() <= common.items() else common


def _only(cluster: Cluster, labels: dict[str, str], pods: list[Pod]) -> bool:
    chosen = cluster.pods_selected(pods[0].namespace, labels)
    return {(one.namespace, one.name) for one in chosen} == {(one.namespace, one.name) for one in pods}


def _policy(cluster: Cluster, name: str, pods: list[Pod], labels: dict[str, str], needs: set[Need]) -> Obj:
    space, _, workload = name.partition("/")
    own = {(pod.namespace, pod.name) for pod in pods}
    spec: dict[str, Any] = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress", "Egress"]}
    for way, side in (("ingress", "from"), ("egress", "to")):
        rules: dict[tuple[tuple[str, int], ...], set[Peer]] = {}
        by_peer: dict[Peer, set[tuple[str, int]]] = {}
        for need in needs:
            if need.way == way and need.pod in own:
                for peer in _peers(cluster, space, need):
                    by_peer.setdefault(peer, set()).add((need.protocol, need.port))
        for peer, ports in by_peer.items():
            rules.setdefault(tuple(sorted(ports)), set()).add(peer)
        spec[way] = [
            {
                side: [_plain(peer) for peer in sorted(peers, key=repr)],
                "ports": [{"protocol": protocol, "port": port} for protocol, port in ports],
            }
            for ports, peers in sorted(rules.items())
        ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"calls-{workload}"[:253].rstrip("-."), "namespace": space},
        "spec": {name: value for name, value in spec.items() if value},
    }


def _peers(cluster: Cluster, space: str, need: Need) -> list[Peer]:
    """The peers of a rule that let ``need.peer`` through: a pod's workload, the nodes, or an address."""
    if need.peer == USUAL_DNS:
        return [(("namespaceSelector", "kube-system"), ("podSelector", (("k8s-app", "kube-dns"),)))]
    pod = cluster.pod_by_ip.get(need.peer)
    if pod is not None:
        alike = [one for one in cluster.pods.values() if workload_name(cluster, one) == workload_name(cluster, pod)]
        labels = _labels(cluster, alike)
        if labels:
            here: Peer = (("podSelector", tuple(sorted(labels.items()))),)
            return [here if pod.namespace == space else (("namespaceSelector", pod.namespace), *here)]
    if need.peer in cluster.node_by_ip:
        # whichever node a balancer or client chose hands the packet on, with an address of its own (PX-04, PX-09)
        same = family(need.peer)
        known = (ip for ip in cluster.node_by_ip if family(ip) == same)
        return [(("cidr", _whole(ip)),) for ip in known]
    if need.anybody:
        ranges = [one.strip() for one in cluster.settings.cluster_cidr.split(",")]
        inside = tuple(one for one in ranges if one and family(one) == family(need.peer))
        return [(("cidr", "0.0.0.0/0" if family(need.peer) == 4 else "::/0"), ("except", inside))]
    return [(("cidr", _whole(need.peer)),)]


def _whole(ip: str) -> str:
    return f"{ip}/{32 if family(ip) == 4 else 128}"


def _plain(peer: Peer) -> dict[str, Any]:
    fields = dict(peer)
    if "cidr" in fields:
        block = {"cidr": fields["cidr"]}
        return {"ipBlock": {**block, "except": list(fields["except"])} if fields.get("except") else block}
    plain: dict[str, Any] = {}
    if "namespaceSelector" in fields:
        plain["namespaceSelector"] = {"matchLabels": {NAME_LABEL: fields["namespaceSelector"]}}
    return {**plain, "podSelector": {"matchLabels": dict(fields["podSelector"])}}


def _proof(
    bare: Cluster, guarded: Cluster, spaces: frozenset[str], asked: list[Call]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Calls that fail with the policies, and connections that arrive and no call needs."""
    possible = {call.name for call in asked if not call.problem}
    again = [call for call in calls(guarded) if call.problem and call.name in possible]
    meant = {
        (workload_name(bare, bare.pods[need.pod]), workload_name(bare, peer))
        for call in asked
        for need in call.needs
        if need.way == "egress" and need.pod in bare.pods and (peer := bare.pod_by_ip.get(need.peer)) is not None
    }
    outside = {
        workload_name(bare, bare.pods[need.pod])
        for call in asked
        for need in call.needs
        if call.outside and need.way == "ingress" and need.pod in bare.pods
    }
    excess = [
        f"{pair.sender} -> {pair.target}"
        for pair, fate in survey(guarded, Asked(namespaces=spaces)).items()
        if fate.arrives and not _is_meant(pair, fate, meant, outside, spaces)
    ]
    return tuple(f"{call.name}: {call.problem}" for call in again), tuple(sorted(excess))


def _is_meant(pair: Pair, fate: Fate, meant: set[tuple[str, str]], outside: set[str], spaces: frozenset[str]) -> bool:
    """Whether some call needs it, it stays in one workload (NP-19), or no end of it is guarded here."""
    for backend in fate.backends:
        guarded = {pair.sender.partition("/")[0], backend.partition("/")[0]} & spaces
        allowed = backend in outside if pair.sender == INTERNET else (pair.sender, backend) in meant
        if guarded and not allowed and backend != pair.sender:
            return False
    return True
