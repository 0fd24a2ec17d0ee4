"""Who reaches whom: what one of a class meets is what all of it meet; the table and its sums."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings

from clusterviz.engine import Cluster
from clusterviz.engine.compare import INTERNET, Asked, survey
from clusterviz.engine.compare.connections import _source, _who, workload_name
from clusterviz.engine.draws import Kind, fates
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.probe import Probe, Source
from clusterviz.engine.reach import reach
from clusterviz.engine.statements.objects import by_service, faces, find_named, to_pods
from clusterviz.engine.trace import Decision
from tests.engine.test_compare import NODE_PORT, PLAIN, WORLD, made
from tests.strategies import clusters

Fates = dict[tuple[str, str], dict[str, set[Any]]]


def each_by_itself(cluster: Cluster) -> Fates:
    """Every pod, every way and every backend, none for another: slow, and beyond doubt."""
    found: Fates = defaultdict(lambda: defaultdict(set))
    senders = [(INTERNET, Source(kind="external"))] + [
        (workload_name(cluster, pod), Source(kind="pod", namespace=pod.namespace, name=pod.name))
        for pod in cluster.pods.values()
        if pod.ips and not pod.ended
    ]
    for space, name in cluster.services:
        named = find_named(cluster, f"service:{space}/{name}", space)
        assert named is not None
        inside = [*by_service(named, every=False)] or [*to_pods(named)]
        for sender, source in senders:
            for way in [*faces(cluster, named, every=False)] if sender == INTERNET else inside:
                try:
                    decisions = fates(cluster, probe := way.probe(source))
                except ProbeError:
                    continue
                one = found[sender, way.door or f"endpoints of {space}/{name}"]
                for made_ in decisions:
                    one["verdicts"].add(made_.verdict.value)
                    if made_.success:
                        one["backends"].add(_who(cluster, made_.address))
                        one["sources"].add(_source(cluster, probe, made_.seen))
                    else:
                        one["by"].add(made_.by)
    return found


@settings(max_examples=6, deadline=None)
@given(clusters())
def test_what_one_of_a_class_meets_all_of_it_meet(cluster: Cluster) -> None:
    found = survey(cluster)
    expected = each_by_itself(cluster)
    assert set(found) == set(expected)
    for pair, fate in found.items():
        told = expected[pair]
        sets = told["verdicts"], told["backends"], told["sources"], nodes_alike(told["by"] - {""})
        assert (*map(set, fate[:3]), nodes_alike(fate.by)) == sets, pair


def nodes_alike(refs: Iterable[str]) -> set[str]:
    """Of nodes that stop a connection one of each class is named."""
    return {"node" if ref.startswith("node:") else ref for ref in refs}


def test_one_pod_of_each_class_is_asked(monkeypatch: Any) -> None:
    """Replicas of a workload cost nothing more: labels nobody names make no class."""
    pod = "---\n{kind: Pod, apiVersion: v1, metadata: {name: m%d, namespace: many, labels: {own: '%d'}}, "
    pod += "spec: {nodeName: n%d, containers: [{name: c}]}}\n"
    pods = "".join(pod % (number, number, number % 2 + 1) for number in range(40))
    asked: list[Probe] = []

    def noted(cluster: Cluster, probe: Probe, kind: Kind) -> dict[Decision, Probe]:
        asked.append(probe)
        return fates(cluster, probe, kind)

    monkeypatch.setattr("clusterviz.engine.compare.connections.fates", noted)
    found = survey(made(WORLD + pods), Asked(services=frozenset({"shop/db"})))
    assert len([pair for pair in found if pair.sender.startswith("many/m")]) == 40
    assert len([probe for probe in asked if probe.source.namespace == "many"]) == 2  # on the database's node, and not


def test_questions_narrow_the_table_and_sums_add_up() -> None:
    cluster = made(WORLD.replace(PLAIN, NODE_PORT))
    outside = reach(cluster, Asked(senders=frozenset({INTERNET})))
    assert (outside.rows, outside.columns) == ((INTERNET,), ("node ports of shop/web:80",))
    who = reach(cluster, Asked(services=frozenset({"shop/db"})))
    assert {row: cell.word for (row, _), cell in who.cells.items()} == {
        "kube-system/dns": "fails",
        "shop/db": "arrives",  # a pod is never kept from itself (NP-19)
        "shop/web": "arrives",
    }
    spaces = reach(cluster, Asked(), "namespace", "reached")
    assert spaces.rows == (INTERNET, "shop", "kube-system")
    cell = spaces.cells["shop", "shop"]
    assert (cell.arrives, cell.part, cell.fails, cell.word) == (4, 0, 0, "arrives")
    # one connection alone is still a sum between namespaces: it has no trace of its own
    assert spaces.cells[INTERNET, "shop"] == (1, 0, 0, None)
