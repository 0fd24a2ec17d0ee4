"""The lab for tests: skipped with the exact reason where it cannot run, failed where everything is required."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from clusterviz.engine import Cluster
from tests.kernel import table
from tests.kernel.lab import Lab, why_not
from tests.kernel.listening import called_ports
from tests.kernel.tally import lines
from tests.kernel.world import plan


@pytest.fixture(scope="session", autouse=True)
def kernel() -> None:
    """A machine that can hold the lab."""
    reason = why_not()
    if reason and os.environ.get("CLUSTERVIZ_REQUIRE_ALL"):
        pytest.fail(f"the kernel proof is required here: {reason}")
    if reason:
        pytest.skip(reason)


# What the random clusters came to so far, as `tally` counts it.
AGREEMENTS: Counter[str] = Counter()


@pytest.fixture(scope="session")
def agreements() -> Counter[str]:
    """What the random clusters came to so far."""
    return AGREEMENTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was compared, by kind and by setting."""
    if AGREEMENTS:
        terminalreporter.section("random clusters before the kernel")
        for line in lines(AGREEMENTS):
            terminalreporter.line(line)


class Labs:
    """The table's cluster under each of its settings, built when it is first asked for."""

    def __init__(self) -> None:
        self._built: dict[str, tuple[Cluster, Lab]] = {}

    def __call__(self, settings: str) -> tuple[Cluster, Lab]:
        """The cluster and its lab."""
        if settings not in self._built:
            made, lab = table.cluster(settings), Lab()
            self._built[settings] = made, lab
            lab.build(plan(made, {*called_ports(made), 443}, ["203.0.113.80"]))
        return self._built[settings]

    def close(self) -> None:
        """Take them all down."""
        for _, lab in self._built.values():
            lab.close()


@pytest.fixture(scope="session")
def labs() -> Iterator[Labs]:
    """Labs that all tests of the table share."""
    built = Labs()
    yield built
    built.close()
