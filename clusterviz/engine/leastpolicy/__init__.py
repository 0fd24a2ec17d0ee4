"""NetworkPolicies of least privilege from the calls an application makes, proved against the engine.

>>> from clusterviz.engine.leastpolicy import generate
>>> found = generate(cluster)
>>> found.policies, found.broken, found.excess
"""

from clusterviz.engine.leastpolicy.generate import Generated, generate

__all__ = ["Generated", "generate"]
