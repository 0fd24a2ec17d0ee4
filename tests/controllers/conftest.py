"""What the tests of controllers share."""

import pytest

from tests.controllers.world import World, deployment, node, service


@pytest.fixture
def nodes():
    return [node("n1"), node("n2"), node("n3")]


@pytest.fixture
def shop(nodes):
    """Three nodes, web with three pods, and its Service."""
    return World(*nodes, deployment(), service()).settle()
