"""What a result says of one of its columns: PEP 249's seven items, and PostgreSQL's own by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greenpg.adapt import Transformer
    from greenpg.pq.abc import PGresult


class Column(Sequence[Any]):
    """One column of a result; it is a sequence of the seven items of PEP 249, too.

    It keeps nothing of the result, so that it may be kept and pickled.
    """

    __module__ = "greenpg"
    __slots__ = (
        "display_size", "internal_size", "name", "precision", "scale", "table_column", "table_oid",
        "type_code", "type_display",
    )  # fmt: skip

    def __init__(self, transformer: Transformer, result: PGresult, number: int) -> None:
        self.name = (result.fname(number) or b"").decode(transformer.encoding, "replace")
        """The name of the column."""
        self.type_code = result.ftype(number)
        """The OID of its type."""
        self.table_oid = result.ftable(number) or None
        """The OID of the table it comes from, `None` if it comes from none."""
        self.table_column = result.ftablecol(number) or None
        """Its number in that table, counting from 1; `None` if it comes from none."""
        size = result.fsize(number)
        self.internal_size = size if size >= 0 else None
        """Bytes of a value, `None` if that varies."""
        modifier = result.fmod(number)
        info = transformer.adapters.types.get(self.type_code)
        self.type_display = (
            str(self.type_code) if info is None else info.get_type_display(self.type_code, modifier)
        )
        """Its type as SQL has it, such as `numeric(10,2)`; the OID if the name is not known."""
        self.display_size = None if info is None else info.get_display_size(modifier)
        """Characters or bits that the type is limited to."""
        self.precision = None if info is None else info.get_precision(modifier)
        """Digits of a number, or of the fraction of a second."""
        self.scale = None if info is None else info.get_scale(modifier)
        """Digits after the point of a `numeric`."""

    @property
    def null_ok(self) -> bool | None:
        """Always `None`: the server does not say."""
        return None

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: Any) -> Any:
        items = (
            self.name, self.type_code, self.display_size, self.internal_size,
            self.precision, self.scale, self.null_ok,
        )  # fmt: skip
        return items[index]

    def __repr__(self) -> str:
        return f"<Column {self.name!r}, type: {self.type_display}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash((self.name, self.type_code, self.table_oid, self.table_column))

    def __getstate__(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            setattr(self, name, value)
