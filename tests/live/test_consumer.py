"""The websocket as a browser meets it."""

import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusterviz.asgi import application
from clusterviz.cluster import services
from clusterviz.live.protocol import MAX_MESSAGE, PROTOCOL

pytestmark = pytest.mark.django_db(transaction=True)


async def edit(function, *args, **kwargs):
    """Do a wish as a view would, in a thread."""
    return await sync_to_async(function, thread_sensitive=True)(*args, **kwargs)


async def test_hello_is_the_first_message(shop, live, browser):
    one = browser()
    hello = await one.open()
    assert hello.pop("time") > 0
    assert hello.pop("epoch") > 0
    assert hello.pop("seq") >= 0
    assert hello == {
        "type": "hello",
        "protocol": PROTOCOL,
        "cluster": "shop",
        "editor": False,
        "resumed": False,
    }
    await one.disconnect()


@pytest.mark.parametrize(("superuser", "editor"), [(True, True), (False, False)])
async def test_hello_says_who_may_edit(shop, live, browser, superuser, editor):
    make = User.objects.create_superuser if superuser else User.objects.create_user
    user = await sync_to_async(make)("someone")
    one = browser(user=user)
    assert (await one.open())["editor"] is editor
    await one.disconnect()


async def test_an_unknown_cluster_is_named_and_closed(shop, live, browser):
    one = browser("nowhere")
    accepted, _ = await one.connect(timeout=60)
    assert accepted, "a browser only sees the code of a connection that was accepted"
    error = await one.receive_json_from()
    assert (error["type"], error["code"]) == ("error", "unknown_cluster")
    closed = await one.receive_output()
    assert closed == {"type": "websocket.close", "code": 4404, "reason": "There is no cluster 'nowhere'."}
    await one.disconnect()


async def test_ping_is_answered(shop, live, browser):
    one = browser()
    await one.open()
    await one.send_json_to({"type": "ping"})
    assert (await one.wait_for("pong"))["time"] > 0
    await one.disconnect()


async def test_binary_and_oversized_messages(shop, live, browser):
    one = browser()
    await one.open()
    await one.send_to(bytes_data=b"\x00\xff")
    assert (await one.wait_for("error"))["code"] == "binary"
    await one.send_to(text_data=json.dumps({"type": "ping", "x": "y" * MAX_MESSAGE}))
    assert (await one.wait_for("error"))["code"] == "too_large"
    while (output := await one.receive_output())["type"] == "websocket.send":
        pass
    assert output == {"type": "websocket.close", "code": 4409, "reason": "message too large"}
    await one.disconnect()


async def test_an_edit_reaches_two_browsers_within_a_second(shop, live, browser):
    one, two = browser(), browser()
    await one.open()
    await two.open()
    await edit(services.act, shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=4)
    for each in (one, two):
        message = await each.wait_for(
            lambda m: (
                m["type"] == "state"
                and any(e["id"] == "workload:Deployment/shop/api" and e["replicas"] == 4 for e in m["set"])
            ),
            within=1,
        )
        assert message["seq"] == message["base"] + 1
    await one.disconnect()
    await two.disconnect()


async def test_resume_after_a_gap_gets_exactly_what_was_missed(shop, live, browser):
    one, two = browser(), browser()
    await one.open()
    first = await one.wait_for("state")
    await one.disconnect()
    await two.open()
    await edit(services.act, shop, "scale", "workload:Deployment/shop/api", actor="test", replicas=5)
    last = await two.wait_for(lambda m: m["type"] == "state" and any(e.get("replicas") == 5 for e in m["set"]))
    back = browser()
    await back.connect(timeout=60)
    await back.send_json_to({"type": "resume", "epoch": first["epoch"], "seq": first["seq"]})
    hello = await back.receive_json_from()
    assert (hello["type"], hello["resumed"]) == ("hello", True)
    wanted = list(range(first["seq"] + 1, last["seq"] + 1))
    got = [(await back.wait_for("state"))["seq"] for _ in wanted]
    assert got == wanted
    await back.disconnect()
    await two.disconnect()


@pytest.mark.parametrize("where", [{"epoch": 1, "seq": 1}, {"epoch": 0, "seq": 10**9}, {"epoch": -1, "seq": -1}])
async def test_resume_from_nowhere_starts_anew(shop, live, browser, where):
    one = browser()
    await one.connect(timeout=60)
    await one.send_json_to({"type": "resume", **where})
    hello = await one.receive_json_from()
    assert (hello["type"], hello["resumed"]) == ("hello", False)
    await one.disconnect()


async def test_resume_is_only_allowed_first(shop, live, browser):
    one = browser()
    hello = await one.open()
    await one.send_json_to({"type": "ping"})
    await one.send_json_to({"type": "resume", "epoch": hello["epoch"], "seq": hello["seq"]})
    assert (await one.wait_for("error"))["code"] == "unexpected"
    await one.disconnect()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = ["resume", "ping", "subscribe", "watch", "state", "hello"]
SAID = st.one_of(
    st.text(min_size=1),
    st.binary(min_size=1),
    JSON.map(json.dumps),
    st.fixed_dictionaries({"type": st.sampled_from(TYPES)}, optional={
        "epoch": JSON, "seq": JSON, "traffic": JSON, "set": JSON, "ids": JSON | st.lists(st.text(max_size=5)),
    }).map(json.dumps),
)  # fmt: skip


@given(said=st.lists(SAID, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_a_browser_says_breaks_the_connection(said):
    """Without the crew: the consumer alone, on a cluster that needs no database."""
    import asyncio

    asyncio.run(_talk(said))


async def _talk(said):
    from channels.routing import URLRouter

    from clusterviz.live import instance
    from clusterviz.live.routing import websocket_urlpatterns

    live = instance.current()

    async def ensure(name):
        return True

    live.crew.ensure = ensure
    one = WebsocketCommunicator(URLRouter(websocket_urlpatterns), "/ws/clusters/shop/")
    await one.connect()
    for words in said:
        await one.send_to(**({"bytes_data": words} if isinstance(words, bytes) else {"text_data": words}))
    await one.send_json_to({"type": "ping"})
    answers = []
    while not await one.receive_nothing(timeout=0.01):
        answers.append((await one.receive_json_from())["type"])
    assert set(answers) <= {"error", "pong", "hello"}
    assert answers[0] == "hello"
    assert answers.count("hello") == 1
    assert answers[-1] == "pong"
    await one.disconnect()
    instance.reset()


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/clusters/", "/ws/clusters/a.b/", "/ws/clusters/shop/more/"])
async def test_an_unknown_address_is_closed_without_a_traceback(path):
    one = WebsocketCommunicator(application, path, headers=[(b"host", b"localhost"), (b"origin", b"http://localhost")])
    assert (await one.connect(timeout=60))[0]
    closed = {"type": "websocket.close", "code": 4404, "reason": "There is nothing at this address."}
    assert await one.receive_output() == closed
    await one.disconnect()
