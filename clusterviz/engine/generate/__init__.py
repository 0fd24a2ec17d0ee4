"""Clusters of any size as plain objects: seeded, believable, settled, and valid by construction. Pure.

`generate` yields what a control plane that has come to rest would hold: every pod has its node and address, every
Service its slices, every workload its status. The controllers find nothing to do in it at the moment it is made for.
"""

from clusterviz.engine.generate.make import generate
from clusterviz.engine.generate.size import Size, flaws, settings_for

__all__ = ["Size", "flaws", "generate", "settings_for"]
