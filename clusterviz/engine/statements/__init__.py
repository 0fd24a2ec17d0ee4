"""Statements about a network, and whether a snapshot keeps them: the tests of `manage.py checknet`.

>>> from clusterviz.engine.statements import judge, parse
>>> judge(cluster, parse("internet cannot reach redis-cart")).holds
"""

from clusterviz.engine.statements.grammar import FORMS, Statement, StatementError, parse
from clusterviz.engine.statements.judge import Evidence, Finding, judge
from clusterviz.engine.statements.reading import Test, read_tests

__all__ = ["FORMS", "Evidence", "Finding", "Statement", "StatementError", "Test", "judge", "parse", "read_tests"]
