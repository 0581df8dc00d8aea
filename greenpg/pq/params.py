"""The contract of what turns parameters into bytes, compiled or not.

No libpq is needed for it. Dumpers are not known here: what no encoder does goes back to a `Dumps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from greenpg.pq.abc import Buffer

Dumped = tuple["list[Buffer | None]", tuple[int, ...], "list[Any]"]
"""Values as the server takes them, their types, and the `Format` of each."""


class Encoder(Protocol):
    """Does for values of the usual class what one dumper class does."""


class Dumps(Protocol):
    """Who dumps what there is no encoder for: a `Transformer`."""

    @property
    def encoding(self) -> str:
        """Python's name of the client encoding."""

    def dump_one(self, param: Any, format: Any) -> tuple[Buffer | None, int, Any]:
        """Return one value as the server takes it, its type and its `Format`."""

    def find_encoder(
        self, make: Callable[[str, int, int], Encoder], cls: type, format: Any
    ) -> Encoder | None:
        """Return the encoder for objects of a class, if one may stand in for the dumper that is in force."""

    def row_encoders(self, make: Callable[[str, int, int], Encoder]) -> list[Encoder | None] | None:
        """Return the encoders for a row of values of certain types; None: as their classes are."""

    def dump_typed(self, param: Any, number: int) -> Buffer | None:
        """Return the value of a column for its type, if that is certain."""


class Encoders(Protocol):
    """The encoders that are in force in one `AdaptersMap`; it is thrown away when the map changes."""

    def dump(self, tx: Dumps, params: Sequence[Any], formats: Sequence[Any]) -> Dumped:
        """Return parameters as the server takes them.

        :param formats: a `PyFormat` for each
        :raises DataError: a value cannot be dumped, `ProgrammingError`: there is no dumper for it
        :raises ValueError: not as many formats as parameters
        """


class RowWriter(Protocol):
    """Makes rows, as COPY has them, of Python values; and keeps them until there are enough to be sent."""

    def add(self, row: Iterable[Any], /) -> bool:
        """Keep a row more; return whether it is time to take what is kept.

        :raises DataError: not as many values as columns, or one that cannot be dumped; the row is not kept
        :raises InterfaceError: a dumper has called this, asked to dump for a row
        """

    def take(self) -> bytes:
        """Return all that is kept, and keep nothing.

        :raises InterfaceError: a dumper has called this, asked to dump for a row
        """


Split = tuple[list[Any], int]
"""The values of a row of COPY, and where it ends."""
