"""The compiled loops over rows, for type checkers."""

from collections.abc import Callable, Sequence
from typing import Any

from greenpg.pq import rows

def RowLoader(loads: Sequence[rows.Load]) -> rows.RowLoader: ...
def dict_maker(names: Sequence[str]) -> Callable[[Sequence[Any]], dict[str, Any]]: ...
