"""Generated policies: every call kept, nothing else arrives, and where that cannot be had it is said."""

from typing import Any

import pytest

from clusterviz.engine import Change, Cluster, EngineError, Settings
from clusterviz.engine.compare import compare
from clusterviz.engine.leastpolicy import Generated, generate
from clusterviz.engine.manifests.read import read
from tests.engine.test_lint import FLOW, SOUND

WORLD = SOUND + FLOW
OUTSIDE = """
---
apiVersion: clusterviz.dev/v1
kind: TrafficFlow
metadata: {name: customers-to-web, namespace: shop}
spec:
  from: {kind: External, name: internet}
  to: {host: web, port: 80, protocol: TCP}
  requestsPerSecond: 1
"""
BALANCED = WORLD.replace(
    "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}",
    "{type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}",
)


def made(text: str) -> Cluster:
    return Cluster.from_objects([one.object for one in read(text)])


def specs(found: Generated) -> dict[str, Any]:
    return {policy["metadata"]["name"]: policy["spec"] for policy in found.policies}


def test_a_call_is_let_out_and_in_with_its_dns() -> None:
    found = generate(made(WORLD))
    assert (found.calls, found.broken, found.excess, found.notes) == (1, (), (), ())
    assert found.namespaces == ("shop",)
    dns = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    assert specs(found)["calls-web"] == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [
            {
                "to": [{"namespaceSelector": dns, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
                "ports": [{"protocol": "TCP", "port": 53}, {"protocol": "UDP", "port": 53}],
            },
            {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"protocol": "TCP", "port": 5432}]},
        ],
    }
    assert "egress" not in specs(found)["calls-db"]  # and both types: nothing may go out


def test_the_engine_agrees_when_the_policies_are_applied() -> None:
    """Asked another way than the proof: compared with the bare cluster, only what nobody calls is broken."""
    cluster = made(WORLD)
    bare = cluster.apply([Change("unset", ("NetworkPolicy", "shop", "db"))])
    guarded = bare.apply([Change("set", policy) for policy in generate(cluster).policies])
    changes = compare(bare, guarded).connections
    assert {one.kind for one in changes} == {"broken"}
    assert not any(one.called for one in changes)
    assert ("shop/db", "service shop/web:80") in {tuple(one.pair) for one in changes}
    # kube-system is not guarded, so the DNS pod is only kept from those that are
    assert ("kube-system/dns", "service shop/db:5000") in {tuple(one.pair) for one in changes}


def test_who_comes_from_outside_is_let_in_by_what_the_pod_sees() -> None:
    """Masqueraded with policy Cluster: the nodes (PX-04); kept with Local: anybody but pods (PX-05)."""
    through_nodes = generate(made(BALANCED + OUTSIDE))
    assert (through_nodes.broken, through_nodes.excess) == ((), ())
    blocks = [peer["ipBlock"]["cidr"] for peer in specs(through_nodes)["calls-web"]["ingress"][0]["from"]]
    assert blocks
    assert all(block.endswith("/32") for block in blocks)
    kept = generate(made(BALANCED.replace("LoadBalancer,", "LoadBalancer, externalTrafficPolicy: Local,") + OUTSIDE))
    assert (kept.broken, kept.excess) == ((), ())
    assert specs(kept)["calls-web"]["ingress"] == [
        {
            "from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        }
    ]


def test_what_labels_cannot_tell_apart_is_told() -> None:
    """Two pods with the same labels: a rule for one is a rule for both, and the proof finds what it lets through."""
    twin = SOUND[SOUND.index("apiVersion: v1\nkind: Pod\nmetadata: {name: web") :].partition("---")[0]
    found = generate(made(WORLD + "---\n" + twin.replace("name: web, namespace", "name: twin, namespace")))
    assert found.excess == ("shop/twin -> service kube-system/kube-dns:53", "shop/twin -> service shop/db:5000")
    assert any("shop/twin shares its labels" in note for note in found.notes)


def test_what_cannot_be_done_is_said() -> None:
    bad = generate(made(WORLD.replace("selector: {app: db}, ports", "selector: {app: nobody}, ports")), ["shop"])
    assert bad.calls == 0
    assert bad.notes == ("call shop/web-to-db is left out: no_endpoints_rejected, policies apart",)
    nameless = made(WORLD.replace("namespace: shop, labels: {app: web}", "namespace: shop"))
    assert any("shop/web has no labels" in note for note in generate(nameless, ["shop"]).notes)
    no_dns = "---".join(part for part in WORLD.split("---") if "kube-system" not in part)
    assert any("DNS is not among the objects" in note for note in generate(made(no_dns)).notes)
    with pytest.raises(EngineError, match="no call of the application is known"):
        generate(made(SOUND))
    objects = [one.object for one in read(WORLD)]
    with pytest.raises(EngineError, match="NP-24"):
        generate(Cluster.from_objects(objects, settings=Settings(enforce_policies=False)))
