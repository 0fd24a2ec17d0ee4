"""A large cluster over its websocket and by HTTP, as two browsers meet it."""

import asyncio
import base64
import gzip
import json

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from clusterviz.cluster import services
from clusterviz.engine.generate import Size
from clusterviz.live.mass import GONE, READY, TERMINATING

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def big(transactional_db):
    """3,200 pods on 60 nodes."""
    return services.create_generated("big", Size(60, 3200, 60), seed=3, tell=lambda _count: None)


async def get(path, **headers):
    """An HTTP answer and its JSON."""
    answer = await sync_to_async(Client().get)(f"/clusters/big/{path}", headers=headers)
    body = answer.content
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return answer, json.loads(body) if body else None


async def kill(cluster, pod):
    await sync_to_async(services.act)(cluster, "delete-pod", pod, actor="test")


def states(message):
    """What a state message says of pods: index -> state."""
    return {row[0]: row[2] for row in (message["mass"] or {}).get("pods", ())}


async def say(one, message):
    await one.send_json_to(message)
    return await one.wait_for("error")


async def test_two_browsers_follow_a_large_cluster(big, live, browser):
    one, two = browser("big"), browser("big")
    await one.open()
    async with asyncio.timeout(60):
        while (await get("snapshot"))[0].status_code == 503:  # noqa: ASYNC110 - it is being loaded
            await asyncio.sleep(0.1)
    hello = await two.open()

    answer, told = await get("snapshot", accept_encoding="gzip")
    assert (told["form"], told["epoch"]) == ("mass", hello["epoch"])
    assert len(base64.b64decode(told["mass"]["state"])) == told["mass"]["count"] == told["counts"]["pods"] == 3200
    assert len(answer.content) < 200_000, "compressed"
    again, _ = await get("snapshot", if_none_match=answer["ETag"])
    assert again.status_code == 304 or again["ETag"] != answer["ETag"]

    hit = next(hit for hit in (await get("search?q=pod"))[1]["hits"] if hit["kind"] == "pod")
    assert set(hit) == {"id", "kind", "name", "namespace", "ip", "index"}
    pod, index = await victim(told)
    other, _ = await get(f"objects/{pod['id']}")
    assert other.status_code == 200

    await one.send_json_to({"type": "watch", "ids": [pod["id"], pod["workload"]]})
    watched = await one.wait_for(lambda m: m["type"] == "state" and pod["id"] in [e["id"] for e in m["set"]], within=3)
    await kill(big, pod["id"])
    dying = await one.wait_for(lambda m: m["type"] == "state" and states(m).get(index) in (GONE, TERMINATING), within=1)
    assert dying["seq"] > watched["seq"]
    seen, dead = dict(states(dying)), dying
    while seen[index] != GONE:
        dead = await one.wait_for("state")
        seen |= states(dead)
    assert pod["id"] in dead["unset"], "what is watched is told by name too"
    twin = await two.wait_for(lambda m: m["type"] == "state" and m["seq"] == dead["seq"])
    assert twin == dead
    _, siblings = await get(f"entities?workload={pod['workload']}")
    heirs = [one for one in siblings["entities"] if one["index"] >= told["mass"]["count"]]
    assert heirs and all(seen[heir["index"]] == READY for heir in heirs), "another came in its place"

    await two.disconnect()
    back = browser("big")
    await back.connect(timeout=60)
    await back.send_json_to({"type": "resume", "epoch": told["epoch"], "seq": told["seq"]})
    greeting = await back.receive_json_from(timeout=60)
    assert greeting["resumed"] is True
    missed = [(await back.wait_for("state"))["seq"] for _ in range(3)]
    assert missed == [told["seq"] + 1 + n for n in range(3)]

    frame = await one.wait_for(lambda m: m["type"] == "traffic" and m["mass"]["heat"], within=8)
    assert frame["mass"]["sweep"] and frame["totals"]["rps"] > 0
    await one.disconnect()
    await back.disconnect()


async def victim(told):
    """A ready pod of a Deployment, as an entity with its index."""
    rows = told["workloads"]
    at = next(i for i, kind in enumerate(rows["kind"]) if rows["kinds"][kind] == "Deployment")
    ref = f"workload:Deployment/{rows['namespaces'][rows['namespace'][at]]}/{rows['name'][at]}"
    _, answer = await get(f"entities?workload={ref}")
    pod = next(pod for pod in answer["entities"] if pod["ready"])
    assert base64.b64decode(told["mass"]["state"])[pod["index"]] == READY
    return pod, pod["index"]


async def test_bad_questions_are_answered_with_what_is_allowed(shop, live, browser):
    answer = await sync_to_async(Client().get)("/clusters/shop/entities")
    assert (answer.status_code, answer.json()["field"]) == (400, "node")
    assert (await sync_to_async(Client().get)("/clusters/nowhere/search?q=a")).status_code == 404
    assert (await sync_to_async(Client().post)("/clusters/shop/search")).status_code == 405


async def test_a_small_cluster_answers_the_same_questions(shop, live, browser):
    one = browser("shop")
    await one.open()
    await one.wait_for(lambda m: m["type"] == "state" and any(e["kind"] == "pod" for e in m["set"]))
    await one.send_json_to({"type": "watch", "ids": ["pod:shop/none"]})
    for words in (
        {"ids": "pod:a/b"},
        {"ids": [1]},
        {"ids": ["x"] * 201},
        {"ids": ["x" * 601]},
        {},
        {"ids": [], "more": 1},
    ):
        error = await say(one, {"type": "watch", **words})
        assert error["code"] == "invalid" and error["message"]
    hits = (await sync_to_async(Client().get)("/clusters/shop/search?q=api")).json()["hits"]
    assert {"service:shop/api", "workload:Deployment/shop/api"} <= {hit["id"] for hit in hits}
    assert "index" not in hits[0]
    found = (await sync_to_async(Client().get)("/clusters/shop/entities?workload=workload:Deployment/shop/api")).json()
    assert [entity["kind"] for entity in found["entities"]] == ["pod"] * 3
    await one.disconnect()
