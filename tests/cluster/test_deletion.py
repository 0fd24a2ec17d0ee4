"""Deleting what does not go at once: namespaces, and what has finalizers."""

from clusterviz.cluster import services, snapshot, store
from clusterviz.cluster.models import Cluster, Pod


def test_deleting_a_namespace_marks_it_and_the_simulator_empties_it(shop: Cluster) -> None:
    """It is Terminating, which is one line in the journal; what it holds goes with the checkpoints."""
    start = snapshot.head(shop)
    services.delete_objects(shop, [("Namespace", "", "shop")], actor="tests")
    found = store.find(shop, [("Namespace", "", "shop")])["Namespace", "", "shop"]
    assert found["metadata"]["deletionTimestamp"]
    assert found["status"]["phase"] == "Terminating"
    lines = snapshot.load_changes(shop, start)
    assert [(line.verb, line.key) for line in lines] == [("set", ("Namespace", "", "shop"))]
    services.checkpoint(shop, unset=[("Namespace", "", "shop")])
    assert not [obj for obj in snapshot.load_objects(shop) if obj["metadata"].get("namespace") == "shop"]


def test_what_has_finalizers_or_goes_in_the_foreground_is_marked(shop: Cluster) -> None:
    """Who waits for it takes its finalizer off, and the simulator removes it."""
    key = ("Service", "shop", "api")
    before = store.find(shop, [key])[key]
    kept = {**before, "metadata": {**before["metadata"], "finalizers": ["example.com/x"]}}
    services.apply_objects(shop, [kept], actor="tests")
    assert services.delete_objects(shop, [key], actor="tests") == []
    assert store.find(shop, [key])[key]["metadata"]["deletionTimestamp"]
    owner = ("Deployment", "shop", "api")
    assert services.delete_objects(shop, [owner], actor="tests", foreground=True) == []
    meta = store.find(shop, [owner])[owner]["metadata"]
    assert meta["finalizers"] == ["foregroundDeletion"]
    assert not any(row.deleting for row in Pod.objects.filter(name__startswith="api-"))
