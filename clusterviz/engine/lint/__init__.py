"""Findings every cluster should see: what is legal and does not do what its author hoped.

>>> from clusterviz.engine.lint import lint
>>> [str(one) for one in lint(cluster)]
"""

from clusterviz.engine.lint.finding import CODES, SEVERITIES, Code, Finding, Severity
from clusterviz.engine.lint.run import WHILE_WAITING, lint

__all__ = ["CODES", "SEVERITIES", "WHILE_WAITING", "Code", "Finding", "Severity", "lint"]
