"""The compiled loop over rows, for type checkers."""

from collections.abc import Sequence

from greenpg.pq import rows

def RowLoader(loads: Sequence[rows.Load]) -> rows.RowLoader: ...
