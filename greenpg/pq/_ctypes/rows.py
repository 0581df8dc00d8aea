"""Rows to tuples without a compiler: every value goes to its loader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg.pq import rows as contract

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.pq.abc import PGresult


class RowLoader(contract.RowLoader):
    """Calls the loaders."""

    def __init__(self, loads: Sequence[contract.Load]) -> None:
        self._loads = tuple(loads)

    @property
    def loads(self) -> tuple[contract.Load, ...]:
        return self._loads

    def load(self, result: PGresult, row0: int, row1: int) -> list[tuple[Any, ...]]:
        if not 0 <= row0 <= row1 <= result.ntuples or len(self._loads) > result.nfields:
            raise IndexError(f"rows {row0} to {row1} of {len(self._loads)} columns are not all in the result")
        get = result.get_value
        columns = list(enumerate(self._loads))
        rows = []
        row = column = 0
        try:
            for row in range(row0, row1):
                values: list[Any] = [None] * len(columns)
                for column, load in columns:
                    data = get(row, column)
                    if data is not None:
                        values[column] = load(data)
                rows.append(tuple(values))
        except Exception as error:
            raise contract.UnloadableCell(row, column) from error
        return rows

    def load_record(self, record: Sequence[bytes | None]) -> tuple[Any, ...]:
        values: list[Any] = list(record)
        if len(values) != len(self._loads):
            raise ValueError(f"expected {len(self._loads)} values in the row, got {len(values)}")
        column = 0
        try:
            for column, load in enumerate(self._loads):
                if values[column] is not None:
                    values[column] = load(values[column])
        except Exception as error:
            raise contract.UnloadableCell(0, column) from error
        return tuple(values)


def dict_maker(names: Sequence[str]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """Return what makes a dictionary of values."""

    def make(values: Sequence[Any], /) -> dict[str, Any]:
        if len(values) != len(names):
            raise ValueError(f"expected {len(names)} values in the row, got {len(values)}")
        return dict(zip(names, values, strict=True))

    return make
