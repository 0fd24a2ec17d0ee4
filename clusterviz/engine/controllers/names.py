"""Names of pods: Kubernetes' alphabet without vowels, so that no word appears by chance."""

from __future__ import annotations

import random
from collections.abc import Callable

from clusterviz.engine.fill import ALPHABET


def pod_name(owner: str, rng: random.Random, taken: Callable[[str], bool]) -> str:
    """``<owner>-<5 characters>`` that nobody has; a long owner is cut as Kubernetes cuts it."""
    while True:
        name = f"{owner[:57]}-{''.join(rng.choice(ALPHABET) for _ in range(5))}"
        if not taken(name):
            return name
