"""The API without a network: who may what, how lists and watches behave, and that every error is a Status."""

import asyncio
import base64
import json
from contextvars import ContextVar
from typing import Any

from django.db.backends.utils import CursorWrapper

from clusterviz.kubeapi import asgi, tokens
from clusterviz.live import instance
from clusterviz.live.access import Role
from tests.kubeapi.conftest import Client

PODS = "/api/v1/namespaces/shop/pods"
MAPS = "/api/v1/namespaces/shop/configmaps"
AUTHORITY = "kube-root-ca.crt"  # every namespace has it
OURS = f"{MAPS}?watch=true&fieldSelector=metadata.name!={AUTHORITY}"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


def config(name, **data):
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def until_running(client, count=5):
    """Wait until the controllers have made the pods and they run."""
    async with asyncio.timeout(60):
        while True:
            pods = (await client.get(PODS))["items"]
            if len(pods) == count and all(pod["status"].get("phase") == "Running" for pod in pods):
                return pods
            await asyncio.sleep(0.05)


async def test_what_is_created_is_read_changed_watched_and_deleted(editor):
    code, made = await editor.ask("POST", MAPS, config("one", a="1"))
    assert code == 201 and made["metadata"]["uid"] and made["metadata"]["managedFields"]
    stream = editor.watch(f"{MAPS}?watch=true&resourceVersion={made['metadata']['resourceVersion']}")
    code, headers = await stream.head()
    assert code == 200 and headers[b"Content-Type"] == b"application/json"
    code, changed = await editor.ask("PATCH", f"{MAPS}/one", {"data": {"b": "2"}}, media="application/merge-patch+json")
    assert code == 200 and changed["data"] == {"a": "1", "b": "2"}
    assert await editor.get(f"{MAPS}/one") == changed
    event = await stream.event()
    assert (event["type"], event["object"]) == ("MODIFIED", changed)
    code, gone = await editor.ask("DELETE", f"{MAPS}/one")
    assert code == 200 and gone["status"] == "Success"
    assert (await stream.event())["type"] == "DELETED"
    await stream.close()
    code, status = await editor.ask("GET", f"{MAPS}/one")
    assert code == 404 and status["reason"] == "NotFound" and status["message"] == 'configmaps "one" not found'


async def test_a_viewer_reads_all_but_secrets_and_changes_nothing(viewer):
    assert (await viewer.get("/api/v1/nodes"))["items"]
    for method, path in [("GET", "/api/v1/secrets"), ("POST", MAPS), ("DELETE", f"{MAPS}/one"), ("PUT", f"{PODS}/x")]:
        code, status = await viewer.ask(method, path, config("one"))
        assert code == 403 and status["kind"] == "Status" and status["reason"] == "Forbidden", path


async def test_a_revoked_token_opens_nothing_and_ends_its_watches(shop, editor):
    stream = editor.watch(OURS)
    await stream.head()
    fresh = Client(await asyncio.to_thread(tokens.revoke, shop, Role.EDITOR))
    async with asyncio.timeout(60):
        while (await fresh.ask("GET", "/api"))[0] != 200:  # noqa: ASYNC110 - the server looks by itself
            await asyncio.sleep(0.05)
    assert (await editor.ask("GET", "/api"))[0] == 401
    assert (await fresh.ask("POST", MAPS, config("wakes")))[0] == 201
    assert await stream.event() is None


async def test_a_guessed_token_opens_nothing(live):
    for token in ["", "x", "shop.e.1.0", "shop.v.1.", "nowhere.e.1.abc", "shop.e.1." + "0" * 40]:
        code, status = await Client(token).ask("GET", "/api")
        assert code == 401 and status["reason"] == "Unauthorized"


async def test_a_list_comes_in_pages_and_by_selectors(editor):
    pods = await until_running(editor)
    first = await editor.get(f"{PODS}?limit=2")
    assert len(first["items"]) == 2 and first["metadata"]["remainingItemCount"] == 3
    rest = await editor.get(f"{PODS}?limit=10&continue={first['metadata']['continue']}")
    assert [one["metadata"]["name"] for one in first["items"] + rest["items"]] == sorted(
        one["metadata"]["name"] for one in pods
    )
    api = await editor.get(f"{PODS}?labelSelector=app%20in%20(api,none),!old")
    assert len(api["items"]) == 3
    node = pods[0]["spec"]["nodeName"]
    here = await editor.get(f"{PODS}?fieldSelector=spec.nodeName={node},status.phase!=Failed")
    assert {one["spec"]["nodeName"] for one in here["items"]} == {node}


async def test_later_pages_show_the_moment_of_the_first(editor):
    maps = "/api/v1/namespaces/shop/configmaps"
    for name in "abcdef":
        await editor.ask("POST", maps, {"metadata": {"name": name}, "data": {"is": "old"}})
    first = await editor.get(f"{maps}?limit=2")
    then = {one["metadata"]["name"]: one for one in (await editor.get(maps))["items"]}
    await editor.ask("DELETE", f"{maps}/d")
    await editor.ask("POST", maps, {"metadata": {"name": "ca"}})
    await editor.ask("DELETE", f"{maps}/e")
    await editor.ask("POST", maps, {"metadata": {"name": "e"}, "data": {"is": "new"}})
    await editor.ask("PATCH", f"{maps}/f", {"data": {"is": "new"}}, media="application/merge-patch+json")
    second = await editor.get(f"{maps}?limit=2&continue={first['metadata']['continue']}")
    third = await editor.get(f"{maps}?continue={second['metadata']['continue']}")
    assert [one["metadata"]["name"] for one in second["items"] + third["items"]] == ["c", "d", "e", "f", AUTHORITY]
    for one in second["items"] + third["items"]:
        was = then[one["metadata"]["name"]]
        assert (one["data"], one["metadata"]["uid"]) == (was["data"], was["metadata"]["uid"])
        assert one["metadata"]["resourceVersion"] == was["metadata"]["resourceVersion"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    present = await editor.get(maps)
    assert [one["metadata"]["name"] for one in present["items"]] == ["a", "b", "c", "ca", "e", "f", AUTHORITY]


async def test_a_long_list_is_sent_as_it_is_made_and_shows_one_moment(editor, monkeypatch):
    monkeypatch.setattr("clusterviz.kubeapi.listing.SLICE", 0.0)  # others have their turn after every object
    monkeypatch.setattr("clusterviz.kubeapi.listing.WHOLE", 2)
    for name in "abcd":
        await editor.ask("POST", MAPS, config(name, a="old"))
    before = await editor.get(MAPS)
    stream = editor.watch(MAPS)
    assert (await stream.head())[0] == 200
    for name in "abcd":
        await editor.ask("PUT", f"{MAPS}/{name}", config(name, a="new"))
    await editor.ask("DELETE", f"{MAPS}/d")
    assert json.loads(await stream.rest()) == before


async def test_too_old_a_page_offers_to_go_on_with_the_present(editor):
    old = base64.urlsafe_b64encode(b'[5,"shop","a"]').decode()
    code, status = await editor.ask("GET", f"{PODS}?limit=2&continue={old}")
    assert (code, status["reason"]) == (410, "Expired")
    rest = await editor.get(f"{PODS}?continue={status['metadata']['continue']}")
    assert rest["items"]


async def test_a_generation_counts_the_changes_of_a_spec_for_good(shop, editor, live):
    place = "/apis/apps/v1/namespaces/shop/deployments/web"
    for number, replicas in ((2, 4), (3, 5), (3, 5)):
        patch = {"spec": {"replicas": replicas}, "metadata": {"labels": {"at": str(number)}}}
        code, found = await editor.ask("PATCH", place, patch, media="application/merge-patch+json")
        assert (code, found["metadata"]["generation"]) == (200, number)
    await live.crew.stop()
    instance.reset()
    assert (await editor.get(place))["metadata"]["generation"] == 3


async def test_too_old_a_watch_is_told_so(editor):
    stream = editor.watch(f"{PODS}?watch=true&resourceVersion=5")
    await stream.head()
    event = await stream.event()
    assert event["type"] == "ERROR" and event["object"]["code"] == 410 and event["object"]["reason"] == "Expired"
    await stream.close()


async def test_a_client_that_does_not_read_is_not_written_to(editor):
    await editor.ask("POST", MAPS, config("one"))
    stream = editor.watch(OURS)
    await stream.head()
    assert (await stream.event())["type"] == "ADDED"
    stream.connection.producer.pauseProducing()
    for n in "123":
        await editor.ask("PATCH", f"{MAPS}/one", {"data": {"n": n}}, media="application/merge-patch+json")
    await asyncio.sleep(0.1)
    assert not stream.waiting
    stream.connection.producer.resumeProducing()
    assert [(await stream.event(5))["object"]["data"]["n"] for _ in range(3)] == ["1", "2", "3"]
    await stream.close()
    assert stream.connection.producer is None
    lost = editor.watch(OURS)
    await lost.head()
    lost.connection.channel = lost.connection.unregisterProducer = None  # as Twisted leaves a lost connection
    await lost.close()


async def test_an_edited_object_is_stored_without_the_uid_that_only_we_gave_its_owner(editor, live):
    await until_running(editor)
    sets = DEPLOYMENTS.replace("deployments", "replicasets")
    made = (await editor.get(sets))["items"][0]
    name, owner = made["metadata"]["name"], made["metadata"]["ownerReferences"][0]
    made["metadata"]["annotations"]["edited"] = "yes"
    code, answer = await editor.ask("PUT", f"{sets}/{name}", made)
    assert code == 200 and owner["uid"] and answer["metadata"]["ownerReferences"] == [owner]
    stored = live.crew.replica("shop").cluster.objects["ReplicaSet", "shop", name]["metadata"]
    assert stored["annotations"]["edited"] == "yes"
    assert "uid" not in stored["ownerReferences"][0]


async def test_leaving_a_selection_is_a_deletion(editor):
    await editor.ask("POST", MAPS, {**config("one"), "metadata": {"name": "one", "labels": {"a": "1"}}})
    stream = editor.watch(f"{MAPS}?watch=true&labelSelector=a=1")
    await stream.head()
    assert (await stream.event())["type"] == "ADDED"
    patch = {"metadata": {"labels": {"a": "2"}}}
    await editor.ask("PATCH", f"{MAPS}/one", patch, media="application/merge-patch+json")
    assert (await stream.event())["type"] == "DELETED"
    await stream.close()


async def test_a_write_that_builds_on_something_old_is_refused(editor):
    _, made = await editor.ask("POST", MAPS, config("one", a="1"))
    code, _ = await editor.ask("PUT", f"{MAPS}/one", {**made, "data": {"a": "2"}})
    assert code == 200
    code, status = await editor.ask("PUT", f"{MAPS}/one", {**made, "data": {"a": "3"}})
    assert code == 409 and "the object has been modified" in status["message"]
    assert (await editor.ask("POST", MAPS, config("one")))[1]["reason"] == "AlreadyExists"


async def test_a_dry_run_stores_nothing(editor):
    assert (await editor.ask("POST", f"{MAPS}?dryRun=All", config("one")))[0] == 201
    assert (await editor.ask("GET", f"{MAPS}/one"))[0] == 404


async def test_scale_is_a_resource_of_its_own(editor):
    await until_running(editor)
    code, scale = await editor.ask(
        "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 4}}, media="application/merge-patch+json"
    )
    assert code == 200 and scale["kind"] == "Scale" and scale["spec"] == {"replicas": 4}
    await until_running(editor, 7)


WRONG = [
    ("GET", "/apis/nobody/v1/things", None, "application/json", 404),
    ("GET", f"{PODS}/none", None, "application/json", 404),
    ("GET", f"{PODS}?labelSelector=a==(b", None, "application/json", 400),
    ("GET", f"{PODS}?fieldSelector=spec.nothing=1", None, "application/json", 400),
    ("GET", f"{PODS}?limit=x", None, "application/json", 400),
    ("GET", f"{PODS}?continue=x", None, "application/json", 400),
    ("GET", f"{PODS}/web/log/log", None, "application/json", 404),
    ("POST", MAPS, b"{", "application/json", 400),
    ("POST", MAPS, b"[" * 100_000, "application/json", 400),
    ("POST", MAPS, b"a: &x [1]\nb: *x", "application/yaml", 400),
    ("POST", MAPS, b"a", "text/plain", 415),
    ("POST", MAPS, {"kind": "Secret"}, "application/json", 400),
    ("POST", MAPS, {"metadata": {}}, "application/json", 422),
    ("POST", MAPS, {"metadata": {"name": "Not A Name"}}, "application/json", 422),
    ("POST", MAPS.replace("shop", "nowhere"), {"metadata": {"name": "a"}}, "application/json", 404),
    ("PATCH", MAPS, {}, "application/merge-patch+json", 405),
    ("TRACE", MAPS, None, "application/json", 405),
    ("POST", MAPS, b"x" * (asgi.MAX_BODY + 1), "application/json", 413),
]


async def test_every_error_is_a_status(editor):
    for method, path, body, media, code in WRONG:
        found, status = await editor.ask(method, path, body, media=media)
        assert found == code, (method, path, status)
        assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
        assert status["message"] and status["reason"]


# Set where a test's own requests are answered, also in their threads; the keeper's work goes on without it.
OWN = ContextVar("OWN", default=False)


async def test_reads_do_not_ask_the_database(editor, monkeypatch):
    await until_running(editor)
    asked = []
    execute = CursorWrapper.execute

    def note(cursor, sql, params=None):
        if OWN.get():
            asked.append(sql)
        return execute(cursor, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", note)
    OWN.set(True)
    for path in ("/api", "/apis", "/version", PODS, f"{PODS}?limit=1", DEPLOYMENTS, "/api/v1/events", "/openapi/v3"):
        await editor.get(path)
    stream = editor.watch(f"{PODS}?watch=true")
    await stream.head()
    await stream.event()
    await stream.close()
    assert asked == []
    await editor.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "asks"}})
    assert asked, "a write is seen here, so a read would be"


async def test_fifty_watches_see_every_change_once_and_in_order(editor):
    streams = [editor.watch(OURS) for _ in range(50)]
    for stream in streams:
        assert (await stream.head())[0] == 200
    for number in range(8):
        await editor.ask("POST", MAPS, config(f"c{number}", a="1"))
        patch = {"data": {"a": f"changed {number}"}}
        await editor.ask("PATCH", f"{MAPS}/c{number}", patch, media="application/merge-patch+json")
        await editor.ask("DELETE", f"{MAPS}/c{number}")
    wanted = [(what, f"c{number}") for number in range(8) for what in ("ADDED", "MODIFIED", "DELETED")]
    for stream in streams:
        events = [await stream.event() for _ in wanted]
        assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == wanted
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
        assert versions == sorted(set(versions))
    await asyncio.gather(*(stream.close() for stream in streams))


async def test_every_namespace_has_its_service_account_and_every_node_its_lease(editor):
    leases = await editor.get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
    assert [one["spec"]["holderIdentity"] for one in leases["items"]] == ["n1", "n2", "n3"]
    place = "/api/v1/namespaces/shop/serviceaccounts/default"
    first = await editor.get(place)
    patch = {"imagePullSecrets": [{"name": "hub"}]}
    code, changed = await editor.ask("PATCH", place, patch, media="application/merge-patch+json")
    assert (code, changed["metadata"]["uid"]) == (200, first["metadata"]["uid"])
    for _ in range(2):  # what was written, and then what stands again
        before = await editor.get(place)
        assert (await editor.ask("DELETE", place))[0] == 200
        again = await editor.get(place)
        assert "imagePullSecrets" not in again
        assert int(again["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


API = {"name": "api", "port": {"number": 80}}


async def test_an_ingress_has_the_address_of_its_controller(editor):
    objects: list[tuple[str, dict[str, Any]]] = [
        ("/apis/networking.k8s.io/v1/ingressclasses", {"spec": {"controller": "k8s.io/ingress-nginx"}}),
        (
            "/api/v1/namespaces/shop/pods",
            {
                "metadata": {"name": "nginx", "labels": {"app.kubernetes.io/name": "ingress-nginx"}},
                "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]},
            },
        ),
        (
            "/api/v1/namespaces/shop/services",
            {
                "spec": {
                    "type": "LoadBalancer",
                    "loadBalancerIP": "198.51.100.77",
                    "selector": {"app.kubernetes.io/name": "ingress-nginx"},
                    "ports": [{"port": 80}],
                }
            },
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses",
            {
                "spec": {
                    "ingressClassName": "nginx",
                    "defaultBackend": {"service": {"name": "api", "port": {"number": 80}}},
                }
            },
        ),
    ]
    for path, body in objects:
        code, answer = await editor.ask("POST", path, {"metadata": {"name": "nginx"}, **body})
        assert code == 201, answer
    async with asyncio.timeout(60):
        while True:
            found = await editor.get("/apis/networking.k8s.io/v1/namespaces/shop/ingresses/nginx")
            if found["status"]["loadBalancer"]:
                break
            await asyncio.sleep(0.05)
    assert found["status"]["loadBalancer"]["ingress"] == [{"ip": "198.51.100.77"}]


async def test_what_cannot_be_had_says_why(editor):
    for path, words in (
        ("/api/v1/namespaces/shop/serviceaccounts/default/token", "address in the kubeconfig is the credential"),
        ("/api/v1/namespaces/shop/replicationcontrollers", "use deployments.apps"),
        ("/api/v1/namespaces/shop/pods/web-1/exec", "no process runs"),
    ):
        code, status = await editor.ask("POST", path, {"metadata": {"name": "x"}})
        assert code in (403, 405)
        assert words in status["message"]
