"""Backups: what was saved is there again, and what is damaged changes nothing."""

import gzip
import json
import stat

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command

from clusterviz.cluster import services, snapshot
from clusterviz.cluster.models import ApiAccess, Change, Cluster, Layout
from tests.live.conftest import SHOP

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def saved(tmp_path):
    """A backup of a cluster and two people; the database is empty again."""
    cluster = services.create_cluster("shop", nodes=3, actor="ada")
    services.apply_objects(cluster, SHOP, actor="ada")
    ApiAccess.objects.create(cluster=cluster, role="editor", generation=4)
    editors = Group.objects.create(name="editors")
    editors.permissions.add(Permission.objects.get(codename="change_cluster"))
    ada = User.objects.create_user("ada", password="a long password")
    ada.groups.add(editors)
    User.objects.create_superuser("root")
    Layout.objects.create(user=ada, cluster=cluster, view="services", places={"service:shop/api": [10, 20]})
    before = snapshot.load_objects(cluster), list(Change.objects.values())
    path = tmp_path / "monday.jsonl.gz"
    call_command("backup", str(path))
    call_command("flush", interactive=False)
    return path, before


def lines(path):
    return gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)


def test_what_was_saved_is_there_again(saved, capsys):
    path, (objects, journal) = saved
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "it holds password hashes"
    call_command("restore", str(path))
    assert "rows were restored" in capsys.readouterr().out
    cluster = Cluster.objects.get()
    assert snapshot.load_objects(cluster) == objects
    assert list(Change.objects.values()) == journal
    ada = User.objects.get(username="ada")
    assert ada.check_password("a long password") and ada.has_perm("cluster.change_cluster")
    assert User.objects.get(username="root").is_superuser
    assert ApiAccess.objects.get().generation == 4, "addresses for kubectl stay valid, revoked ones revoked"
    assert Layout.objects.get().places == {"service:shop/api": [10, 20]}
    services.apply_objects(cluster, SHOP, actor="ada")  # new rows get numbers nobody has
    again = path.with_name("again.jsonl.gz")
    call_command("backup", str(again))
    assert len(lines(again)) >= len(lines(path))


def foreign(rows):
    row = {"model": "sessions.session", "pk": "x", "fields": {"session_data": "", "expire_date": "2030-01-01"}}
    return [rows[0], json.dumps(row) + "\n", *rows[1:]]


def older(rows):
    head = json.loads(rows[0])
    head["migrations"]["cluster"] = "0001_initial"
    return [json.dumps(head) + "\n", *rows[1:]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[:-1], "its end is missing"),
        (lambda rows: rows[:5] + rows[6:], "rows were saved"),
        (lambda rows: [*rows, "{}\n"], "rows were saved"),
        (lambda rows: rows[1:], "no backup of ClusterViz"),
        (lambda _: ["[1]\n"], "no backup of ClusterViz"),
        (lambda _: ["what\n"], "damaged or no backup"),
        (lambda rows: [row.replace('"cluster": ', '"cluster": 77') for row in rows], "damaged or no backup"),
        (foreign, "a row of 'sessions.session'"),
        (older, "restore it with the version that made it"),
    ],
)
def test_what_is_damaged_changes_nothing(saved, change, words):
    path, _ = saved
    path.write_bytes(gzip.compress("".join(change(lines(path))).encode()))
    with pytest.raises(CommandError, match=words):
        call_command("restore", str(path))
    assert not Cluster.objects.exists() and not User.objects.exists() and not Change.objects.exists()


def test_files_that_cannot_be_read_are_told(saved, tmp_path):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(path))
    with pytest.raises(CommandError, match="cannot read"):
        call_command("restore", str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="cannot write"):
        call_command("backup", str(tmp_path / "nowhere" / "file"))
    assert not list(tmp_path.glob("*.[0-9]*")), "no drafts are left"


def test_nobody_is_restored_over(saved):
    path, _ = saved
    User.objects.create_user("eve")
    with pytest.raises(CommandError, match="clusters or people already"):
        call_command("restore", str(path))
    assert [user.username for user in User.objects.all()] == ["eve"]
