"""Made-up clusters in the database: written quickly, read back exactly."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.management.progress import Progress
from clusterviz.cluster.models import Change, Cluster
from clusterviz.cluster.services import exporting
from clusterviz.engine.generate import Size, generate
from clusterviz.engine.manifests.write import write
from clusterviz.engine.objects import key_of

pytestmark = pytest.mark.django_db
SIZE = Size(8, 200, 60)


def test_rows_give_back_what_was_made(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.5)
    told = []
    cluster = services.create_generated("made", SIZE, seed=5, tell=told.append)
    wanted = {key_of(obj): obj for obj in generate(SIZE, seed=5, now=1_800_000_000.0)}
    assert {key_of(obj): obj for obj in snapshot.load_objects(cluster)} == wanted
    assert told == sorted(told) and told[-1] == 1
    assert not Change.objects.filter(cluster=cluster).exists()


def test_a_made_cluster_can_be_edited_and_a_second_one_made():
    """Ids that were given out by hand do not collide with those the database gives."""
    first = services.create_generated("one", SIZE, seed=1, tell=lambda _: None)
    services.create_generated("two", SIZE, seed=1, tell=lambda _: None)
    pod = next(obj for obj in snapshot.load_objects(first) if obj["kind"] == "Pod")
    services.act(first, "delete-pod", key_of(pod), actor="tests")
    services.create_cluster("three", nodes=2, actor="tests")
    with pytest.raises(services.Invalid, match="name"):
        services.create_generated("two", SIZE, seed=1, tell=lambda _: None)


def load(*args):
    out = StringIO()
    call_command("loaddemo", *args, stdout=out)
    return out.getvalue()


def test_the_command_fills_in_numbers_and_says_what_is_impossible():
    assert "Cluster big is ready" in load("--name", "big", "--nodes", "2")
    cluster = Cluster.objects.get(name="big")
    assert (cluster.node_set.count(), cluster.pod_set.count(), cluster.service_set.count()) == (2, 60, 4)
    assert "nothing was changed" in load("--name", "big", "--pods", "30")
    with pytest.raises(CommandError, match=r"pods: Invalid value: 200001: must be between 3 and 200000"):
        load("--name", "more", "--pods", "200001")
    with pytest.raises(CommandError, match="1 nodes take at most 110 pods"):
        load("--name", "more", "--nodes", "1", "--pods", "111")
    assert not Cluster.objects.filter(name="more").exists()


class Terminal(StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_alone():
    for stream, shown in ((Terminal(), " 50% after "), (StringIO(), "")):
        progress = Progress("Cluster big", stream)
        progress.tell(0.5)
        progress.end()
        assert shown in stream.getvalue() and bool(stream.getvalue()) == bool(shown)


def test_an_export_is_written_in_parts_and_is_what_writing_everything_at_once_gives(monkeypatch):
    """Parts of three objects: between them nothing is lost, doubled or out of order."""
    cluster = services.create_generated("made", SIZE, seed=5, tell=lambda _: None)
    other = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "a", "namespace": "default"},
    }
    bare = {
        "metadata": {"name": "alone", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    services.apply_objects(cluster, [other, {"apiVersion": "v1", "kind": "Pod", **bare}], actor="tests")
    monkeypatch.setattr(exporting, "AT_ONCE", 3)
    everything = snapshot.load_objects(cluster, foreign=True)
    for flows in (False, True):
        pieces = list(exporting.export_pieces(cluster, flows=flows))
        whole = write(everything, flows=flows)
        assert len(pieces) > 30
        assert "".join(pieces).endswith(whole) if flows else "".join(pieces) == whole
