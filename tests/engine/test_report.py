"""The text a terminal shows."""

from __future__ import annotations

from clusterviz.engine.fixes import suggest
from clusterviz.engine.proxyrules import iptables
from clusterviz.engine.report import readable
from tests.engine.world import ask, build, pod, policy


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
        "stopped by: shop/deny: NetworkPolicy shop/deny does not let 10.244.0.3 in to pod shop/db-0: "
        "it has no ingress rule at all" in text
    )
    assert "No reply" in text


def test_excluded_endpoints_near_misses_and_fixes_are_told() -> None:
    """TRC-02, NP-26, EPS-02."""
    slow = pod("shop/web-3", "10.244.2.9", "n3", app="web")
    slow["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    rules = [{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}]}]
    cluster = build(slow, policy("shop/guard", "web", ingress=rules))
    answer = ask(cluster, "shop/client", "10.96.0.20:80")
    text = readable(answer, fixes=suggest(cluster, answer))
    assert "excluded: shop/web-3: not ready" in text
    assert "not shop/guard ingress[0]: peer: the pod's label app is 'client', wanted 'api'" in text
    assert "would help: Let NetworkPolicy shop/guard allow ingress from pods app=client of namespace shop" in text
    assert "    kubectl patch networkpolicy guard -n shop --type merge -p '{" in text


def test_misses_are_capped_and_counted() -> None:
    rules = [{"from": [{"podSelector": {"matchLabels": {"app": f"no-{index}"}}}]} for index in range(13)]
    text = readable(ask(build(policy("shop/guard", "db", ingress=rules)), "shop/client", "10.244.2.2:5432"))
    assert text.count("not shop/guard ingress[") == 10
    assert "         and 3 more; --json has all" in text


def test_with_the_cluster_lines_and_settings_are_told() -> None:
    """TRC-02: the node's own rules, by line; the settings a step followed and those that would change the answer."""
    cluster = build(policy("shop/guard", "web", ingress=[]))
    answer = ask(cluster, "shop/client", "10.96.0.20:80")
    text = readable(answer, cluster=cluster)
    number, line = next(
        (number, line)
        for number, line in enumerate(iptables(cluster, cluster.nodes["n1"]).splitlines(), 1)
        if line.startswith("-A KUBE-SERVICES -d 10.96.0.20/32")
    )
    assert f"         line {number} of n1: {line}" in text
    assert "settings followed: " in text and "proxy_mode iptables" in text
    assert "would differ: With enforce policies off: connected." in text
