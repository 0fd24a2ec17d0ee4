"""Two snapshots side by side: objects that changed, and connections that fare otherwise.

>>> from clusterviz.engine.compare import compare
>>> [str(one) for one in compare(before, after).connections]
"""

from clusterviz.engine.compare.connections import INTERNET, Asked, Fate, Pair, TooManyError, sender_names, survey
from clusterviz.engine.compare.differ import Change, Comparison, ObjectChange, compare
from clusterviz.engine.compare.example import Example, example

__all__ = [
    "INTERNET",
    "Asked",
    "Change",
    "Comparison",
    "Example",
    "Fate",
    "ObjectChange",
    "Pair",
    "TooManyError",
    "compare",
    "example",
    "sender_names",
    "survey",
]
