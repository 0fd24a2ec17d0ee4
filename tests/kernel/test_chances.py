"""How often each endpoint is drawn. Everywhere else sets are compared; here, once, the odds."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from clusterviz.engine import trace
from tests.kernel.conftest import Labs
from tests.kernel.expect import expect, seen
from tests.kernel.judge import Question

pytestmark = pytest.mark.kernel

CONNECTIONS = 600
THREE = Question("pod:shop/client", "10.96.0.116", 80)
# The 0.999 quantile of chi-square with two degrees of freedom. Two samples in a row above it: one in a million.
LIMIT = 13.816


@pytest.mark.parametrize("settings", ["vxlan", "nftables"], ids=["IPT-07", "NFT-04 PX-16"])
def test_endpoints_are_drawn_as_often_as_told(settings: str, labs: Labs) -> None:
    made, lab = labs(settings)
    odds = {way.ip: chance for way, chance in expect(made, THREE.probe()).ways.items()}
    assert list(odds.values()) == pytest.approx([1 / 3] * 3)

    def distance() -> float:
        drawn = Counter(result["ip"] for result in lab.fire([THREE.shot()] * CONNECTIONS))
        assert set(drawn) == set(odds)
        return sum((drawn[ip] - CONNECTIONS * chance) ** 2 / (CONNECTIONS * chance) for ip, chance in odds.items())

    assert any(distance() < LIMIT for _ in range(2))


def test_the_engine_draws_from_the_same_odds(labs: Labs) -> None:
    made, _ = labs("vxlan")
    drawn = Counter(
        seen(trace(made, msgspec.structs.replace(THREE.probe(), seed=seed))).ip for seed in range(CONNECTIONS)
    )
    assert len(drawn) == 3
    assert sum((count - CONNECTIONS / 3) ** 2 / (CONNECTIONS / 3) for count in drawn.values()) < LIMIT
