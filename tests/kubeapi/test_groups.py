"""Kinds of other groups: served under their own names, and taken for nobody else."""

import asyncio

from clusterviz.cluster import snapshot

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(group, kind, plural, *, scope="Namespaced"):
    """A CustomResourceDefinition."""
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"kind": kind, "plural": plural}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": [version]},
    }


async def create(client, path, **body):
    """POST, which must succeed."""
    code, found = await client.ask("POST", path, body)
    assert code == 201, found
    return found


async def test_a_service_of_another_group_stands_beside_ours(shop, editor):
    await create(editor, CRDS, **definition("serving.knative.dev", "Service", "services"))
    theirs, ours = "/apis/serving.knative.dev/v1/namespaces/shop/services", "/api/v1/namespaces/shop/services"
    before = [one["metadata"]["name"] for one in (await editor.get(ours))["items"]]
    watch = editor.watch(
        f"{theirs}?watch=true&resourceVersion={(await editor.get(theirs))['metadata']['resourceVersion']}"
    )
    await watch.head()
    made = await create(editor, theirs, metadata={"name": "api"}, spec={"template": {}})
    assert (made["kind"], made["apiVersion"]) == ("Service", "serving.knative.dev/v1")
    assert made["spec"] == {"template": {}}
    event = await watch.event()
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Service")
    assert [one["metadata"]["name"] for one in (await editor.get(ours))["items"]] == before
    assert [one["metadata"]["uid"] for one in (await editor.get(theirs))["items"]] == [made["metadata"]["uid"]]
    code, changed = await editor.ask("PUT", f"{theirs}/api/status", {**made, "status": {"url": "http://api"}})
    assert (code, changed["status"], changed["spec"]) == (200, {"url": "http://api"}, {"template": {}})
    assert (await editor.ask("DELETE", f"{theirs}/api"))[0] == 200
    assert (await watch.event())["type"] == "MODIFIED"
    assert (await watch.event())["type"] == "DELETED"
    await watch.close()
    assert [one["metadata"]["name"] for one in (await editor.get(ours))["items"]] == before
    stored = await asyncio.to_thread(snapshot.load_objects, shop, foreign=True)
    assert not any(obj["apiVersion"] == "serving.knative.dev/v1" for obj in stored)


async def test_one_kind_in_two_groups_is_two_kinds(editor):
    for group in ("a.example", "b.example"):
        await create(editor, CRDS, **definition(group, "Backup", "backups"))
        await create(editor, f"/apis/{group}/v1/namespaces/shop/backups", metadata={"name": "nightly"}, of=group)
    for group in ("a.example", "b.example"):
        items = (await editor.get(f"/apis/{group}/v1/backups"))["items"]
        assert [(one["apiVersion"], one["of"]) for one in items] == [(f"{group}/v1", group)]
    assert (await editor.ask("DELETE", "/apis/a.example/v1/namespaces/shop/backups/nightly"))[0] == 200
    assert len((await editor.get("/apis/b.example/v1/backups"))["items"]) == 1


async def test_names_of_cluster_scoped_kinds_may_be_namespaced_elsewhere(editor):
    await create(editor, CRDS, **definition("longhorn.io", "Node", "nodes"))
    for space in ("default", "shop"):
        await create(editor, f"/apis/longhorn.io/v1/namespaces/{space}/nodes", metadata={"name": "n1"})
    found = (await editor.get("/apis/longhorn.io/v1/nodes"))["items"]
    assert [one["metadata"]["namespace"] for one in found] == ["default", "shop"]
    assert len((await editor.get("/api/v1/nodes"))["items"]) == 3


async def test_what_a_definition_defines_goes_with_it(editor):
    await create(editor, CRDS, **definition("example.com", "Widget", "widgets", scope="Cluster"))
    made = await create(editor, "/apis/example.com/v1/widgets", metadata={"name": "blue"})
    assert "namespace" not in made["metadata"]
    assert (await editor.ask("DELETE", f"{CRDS}/widgets.example.com"))[0] == 200
    assert (await editor.ask("GET", "/apis/example.com/v1/widgets"))[0] == 404
    await create(editor, CRDS, **definition("example.com", "Widget", "widgets", scope="Cluster"))
    assert (await editor.get("/apis/example.com/v1/widgets"))["items"] == []
