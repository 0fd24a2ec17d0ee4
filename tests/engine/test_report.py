"""The text a terminal shows."""

from __future__ import annotations

from clusterviz.engine.report import readable
from tests.engine.world import ask, build, policy


def test_the_text_tells_hops_rewrites_rules_and_the_verdict() -> None:
    text = readable(ask(build(), "shop/client", "10.96.0.20:80", seed=1))
    assert "1. pod shop/client [eth0]" in text
    assert "DNAT 10.96.0.20:80 -> 10.244." in text
    assert "PX-01" in text
    assert "could have gone to: shop/web-1 50%" in text
    assert text.endswith("verdict: delivered; the client sees: connected")


def test_the_outer_packet_is_shown_carrying_the_inner_one() -> None:
    text = readable(ask(build(), "shop/client", "10.244.1.2:8080"))
    assert "UDP 192.168.0.11:" in text
    assert ":8472 ttl 64 carrying TCP 10.244.0.3:" in text


def test_a_dropped_packet_names_who_stopped_it() -> None:
    text = readable(ask(build(policy("shop/deny", "db", policyTypes=["Ingress"])), "shop/client", "10.244.2.2:5432"))
    assert (
        "stopped by: shop/deny: shop/deny does not allow the ingress of shop/db-0: has no ingress rule at all" in text
    )
    assert "No reply" in text
