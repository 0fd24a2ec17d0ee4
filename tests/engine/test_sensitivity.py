"""The trace names the settings that mattered: at its steps, and by what would have been the case otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.sensitivity import alternatives, choices, settings_that_matter
from tests.engine.test_settings import BALANCED, CLOSED, SELF, world
from tests.engine.world import ask


def mattering(found: Cluster, who: str, to: str) -> dict[tuple[str, Any], tuple[str, str]]:
    return {(one.name, one.other): (one.changes, one.why) for one in alternatives(found, ask(found, who, to))}


def test_the_trace_names_what_would_have_been_else() -> None:
    """Verdict, endpoints and source under other settings; nothing for settings that change nothing."""
    told = mattering(world(Settings(), CLOSED), "shop/client", "10.244.1.2:8080")
    assert told == {("enforce_policies", False): ("verdict", "With enforce policies off: connected.")}
    told = mattering(world(Settings()), "shop/client", "10.96.0.30:5432")
    assert (
        told[("masquerade_all", True)][0] == "source"
        and "10.244.0.0 as the source" in told[("masquerade_all", True)][1]
    )
    told = mattering(world(Settings()), "node/n1", "10.244.1.2:8080")
    assert told[("network", "host-gw")][0] == "source"
    told = mattering(world(Settings(), BALANCED), "internet", "service:shop/lb:80")
    assert told[("load_balancer_provider", False)][0] == "verdict"


def test_alternatives_as_plain_data() -> None:
    """What a trace document carries."""
    found = world(Settings(), CLOSED)
    told = settings_that_matter(found, ask(found, "shop/client", "10.244.1.2:8080"))
    assert told[0] | {"why": ""} == {
        "name": "enforce_policies",
        "value": True,
        "other": False,
        "verdict": "delivered",
        "changes": "verdict",
        "why": "",
    }


def test_every_closed_choice_is_tried() -> None:
    """Booleans and lists of values, nothing else."""
    assert choices()["proxy_mode"] == ("iptables", "nftables", "ipvs") and choices()["hairpin"] == (True, False)
    assert "mtu" not in choices() and "cluster_cidr" not in choices()


@pytest.mark.parametrize(
    ("settings", "who", "to", "names"),
    [
        ({"enforce_policies": False}, "shop/client", "10.244.1.2:8080", {"enforce_policies"}),
        ({"hairpin": False}, "shop/client", "10.96.0.42:80", {"hairpin"}),
        ({"masquerade_all": True}, "shop/client", "10.96.0.30:5432", {"masquerade_all"}),
        ({"egress_nat": False}, "shop/client", "192.0.2.9:80", {"egress_nat"}),
        ({"load_balancer_provider": False}, "internet", "service:shop/lb:80", {"load_balancer_provider"}),
        ({}, "shop/client", "http://web.shop/", {"ndots", "cluster_domain"}),
        ({}, "shop/client", "10.244.1.2:8080", {"network"}),
    ],
)
def test_steps_name_the_settings_that_decided(settings: dict[str, Any], who: str, to: str, names: set[str]) -> None:
    """Each decision made by a setting says so."""
    found = ask(world(Settings(**settings), CLOSED if "enforce_policies" in settings else SELF, BALANCED), who, to)
    told = {name for hop in found.forward for step in hop.steps for name in step.settings}
    assert names <= told
