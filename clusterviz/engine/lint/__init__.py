"""Findings every cluster should see: what is legal and does not do what its author hoped.

>>> from clusterviz.engine.lint import lint
>>> [str(one) for one in lint(cluster)]
"""

from clusterviz.engine.lint.finding import CODES, Code, Finding, Severity
from clusterviz.engine.lint.run import lint

__all__ = ["CODES", "Code", "Finding", "Severity", "lint"]
