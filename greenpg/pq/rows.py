"""What turns rows into tuples of objects, compiled where that is to be had: the contract, and the choice.

No libpq is needed for it. Loaders are not known here; how they tell that a compiled decoder does the same is
in `greenpg.adapt._decoders`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from greenpg.pq._implementation import implementation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.pq.abc import PGresult

    Load = Callable[[bytes], Any]


class UnloadableCell(Exception):
    """A value could not be loaded; what its loader raised is the cause."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(row, column)
        self.row = row
        self.column = column


class RowLoader(Protocol):
    """Makes tuples of rows whose columns are loaded in one way each; it keeps no row and no result."""

    @property
    def loads(self) -> tuple[Load, ...]:
        """What makes an object of the bytes of a value, for each column; it is never asked to load NULL."""

    def load(self, result: PGresult, row0: int, row1: int) -> list[tuple[Any, ...]]:
        """Return rows of a result, from `row0` to the one before `row1`.

        :raises UnloadableCell: from the `Exception` of a loader
        :raises IndexError: there are no such rows, or not so many columns
        """

    def load_record(self, record: Sequence[bytes | None]) -> tuple[Any, ...]:
        """Return the row that values belong to.

        :raises UnloadableCell: from the `Exception` of a loader
        :raises ValueError: there are not as many as there are columns
        """


def new_dict_maker(names: Sequence[str]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """Return what makes a dictionary of as many values as there are names; of two with one name, the last.

    It raises `ValueError` if they are not as many.
    """
    maker: Callable[[Sequence[Any]], dict[str, Any]] = implementation("_rows", "_ctypes.rows").dict_maker(
        names
    )
    return maker


def new_row_loader(loads: Sequence[Load]) -> RowLoader:
    """Return what makes rows by these functions, one for each column."""
    loader: RowLoader = implementation("_rows", "_ctypes.rows").RowLoader(loads)
    return loader
