"""What operators rely on: metrics for those who may read them, and sign-in that cannot be guessed through."""

import asyncio
import json

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from clusterviz.cluster import services
from clusterviz.live import instance
from tests.live.conftest import SHOP

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = {"authorization": "Bearer let-me-read"}


@pytest.fixture
def admin():
    return get_user_model().objects.create_superuser("root", password="right horse battery")


def samples(body: bytes) -> dict[tuple[str, str], float]:
    """What Prometheus would keep: value by name and cluster."""
    found = text_string_to_metric_families(body.decode())
    return {(one.name, one.labels.get("cluster", "")): one.value for family in found for one in family.samples}


def test_metrics_are_for_staff_and_holders_of_the_token(client: Client, admin, settings):
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers=TOKEN).status_code == 403  # no token is set, so none is right
    settings.METRICS_TOKEN = "let-me-read"
    assert client.get("/metrics", headers=TOKEN).status_code == 200
    assert client.get("/metrics", headers={"authorization": "Bearer let-me-reae"}).status_code == 403
    client.force_login(admin)
    assert samples(client.get("/metrics").content)["clusterviz_clusters", ""] == 0


async def test_metrics_tell_what_browsers_get(async_client, settings):
    settings.METRICS_TOKEN = "let-me-read"
    shop = await asyncio.to_thread(services.create_cluster, "shop", nodes=2, actor="test")
    await asyncio.to_thread(services.apply_objects, shop, SHOP, actor="test")
    live = instance.current()
    heard = asyncio.Event()

    async def browser(message: dict[str, str]) -> None:
        told = json.loads(message["text"])
        if told["type"] == "traffic" and told["totals"]["rps"]:
            heard.set()

    try:
        await live.crew.ensure("shop")
        client = live.hub.join("shop", browser)
        await client.release()
        async with asyncio.timeout(60):
            await heard.wait()
        answer = await async_client.get("/metrics", headers=TOKEN)
        client.close()
        alone = samples((await async_client.get("/metrics", headers=TOKEN)).content)
    finally:
        await live.crew.stop()
        instance.reset()
    told = samples(answer.content)
    assert told["clusterviz_browsers", "shop"] == told["clusterviz_leading", "shop"] == 1
    assert told["clusterviz_messages_sent_total", "shop"] >= 1
    assert told["clusterviz_characters_sent_total", "shop"] > 10
    assert told["clusterviz_simulator_steps_total", "shop"] >= 1
    assert (
        0
        < told["clusterviz_simulator_slowest_step_seconds", "shop"]
        <= (told["clusterviz_simulator_step_seconds_total", "shop"])
    )
    assert told["clusterviz_connections_per_second", "shop"] > 0
    assert alone["clusterviz_connections_per_second", "shop"] == alone["clusterviz_browsers", "shop"] == 0
    assert told["process_resident_memory_bytes", ""] > 0


@pytest.mark.parametrize("page", ["/login/", "/admin/login/"])
def test_passwords_cannot_be_guessed_through(client: Client, admin, settings, page):
    wrong, right = ({"username": "root", "password": word} for word in ("wrong", "right horse battery"))
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert client.post(page, wrong).status_code == 200
    locked = client.post(page, wrong)
    assert locked.status_code == 429
    assert "Too many wrong passwords" in locked.content.decode()
    assert client.post(page, right).status_code == 429, "nor may the right one be found out"
    assert Client(REMOTE_ADDR="192.0.2.7").post(page, right).status_code == 302, "others are not locked out by it"
    AccessAttempt.objects.all().delete()
    assert client.post(page, wrong).status_code == 200
    assert client.post(page, right).status_code == 302
    assert not AccessAttempt.objects.exists(), "who is let in begins anew"
