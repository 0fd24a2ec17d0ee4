"""Two snapshots side by side: objects that changed, and connections that fare otherwise.

>>> from clusterviz.engine.compare import compare
>>> [str(one) for one in compare(before, after).connections]
"""

from clusterviz.engine.compare.connections import INTERNET, Asked, Fate, Pair, TooManyError, sender_names, survey
from clusterviz.engine.compare.differ import Change, Comparison, ObjectChange, compare
from clusterviz.engine.compare.example import Example, Journeys, example, journeys, steps_of

__all__ = [
    "INTERNET",
    "Asked",
    "Change",
    "Comparison",
    "Example",
    "Fate",
    "Journeys",
    "ObjectChange",
    "Pair",
    "TooManyError",
    "compare",
    "example",
    "journeys",
    "sender_names",
    "steps_of",
    "survey",
]
