"""The lab for tests: skipped with the exact reason where it cannot run, failed where everything is required."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.kernel.lab import why_not


@pytest.fixture(scope="session", autouse=True)
def kernel() -> None:
    """A machine that can hold the lab."""
    reason = why_not()
    if reason and os.environ.get("CLUSTERVIZ_REQUIRE_ALL"):
        pytest.fail(f"the kernel proof is required here: {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def agreements() -> Counter[str]:
    """What the random clusters came to so far: probes, and outcomes by word."""
    return Counter()
