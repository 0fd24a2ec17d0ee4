"""What a single answer carries beyond the trace itself."""

from __future__ import annotations

import msgspec

from clusterviz.engine.explain import full_document
from tests.engine.world import ask, build, policy


def test_a_failed_answer_carries_fixes_and_settings() -> None:
    cluster = build(policy("shop/in", "db", policyTypes=["Ingress"]))
    found = full_document(cluster, ask(cluster, "spy/spy-1", "10.244.2.2:5432"))
    assert found["fixes"][0]["verified"] and found["fixes"][0]["ref"] == "policy:shop/in"
    assert [(one["name"], one["verdict"]) for one in found["settings"]] == [("enforce_policies", "delivered")]
    assert msgspec.json.decode(msgspec.json.encode(found))["fixes"][0]["kind"] == "patch"


def test_steps_carry_the_lines_of_the_node_they_used() -> None:
    """TRC-02, IPT-14."""
    cluster = build()
    found = full_document(cluster, ask(cluster, "shop/client", "http://web/"))
    steps = {step["reason"]: step for hop in found["forward"] for step in hop["steps"]}
    assert "KUBE-SVC-" in steps["load_balanced"]["lines"][1]["text"]
    assert "--to-destination" in steps["dnat"]["lines"][-1]["text"]
    assert not steps["framed_gateway"]["lines"]
    assert not found["fixes"]
