"""What a result says of one of its columns: PEP 249's seven items, and PostgreSQL's own by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from greenpg.adapt import Transformer
    from greenpg.pq.abc import PGresult

_HEADER = 4  # bytes of the server's own in a type modifier


class _Kind(NamedTuple):
    """What a type's modifier and size mean."""

    display_size: int | None
    internal_size: int | None
    precision: int | None
    scale: int | None


class Column:
    """One column of a result; it is a sequence of the seven items of PEP 249, too.

    It keeps nothing of the result, so that it may be kept and pickled.
    """

    __module__ = "greenpg"
    __slots__ = ("_kind", "_type_name", "name", "table_column", "table_oid", "type_code")

    def __init__(self, transformer: Transformer, result: PGresult, number: int) -> None:
        self.name = (result.fname(number) or b"").decode(transformer.encoding, "replace")
        """The name of the column."""
        self.type_code = result.ftype(number)
        """The OID of its type."""
        self.table_oid = result.ftable(number) or None
        """The OID of the table it comes from, `None` if it comes from none."""
        self.table_column = result.ftablecol(number) or None
        """Its number in that table, counting from 1; `None` if it comes from none."""
        info = transformer.types.get(self.type_code)
        self._type_name = None if info is None else info.name
        self._kind = _kind(self._type_name, result.fmod(number), result.fsize(number))

    @property
    def type_display(self) -> str:
        """Its type as SQL has it, such as `numeric(10,2)`; the OID if the name is not known."""
        name = self._type_name or str(self.type_code)
        kind = self._kind
        if kind.display_size is not None:
            return f"{name}({kind.display_size})"
        if kind.precision is not None:
            return f"{name}({kind.precision}" + (f",{kind.scale})" if kind.scale is not None else ")")
        return name

    @property
    def display_size(self) -> int | None:
        """Characters or bits that the type is limited to."""
        return self._kind.display_size

    @property
    def internal_size(self) -> int | None:
        """Bytes of a value, `None` if that varies."""
        return self._kind.internal_size

    @property
    def precision(self) -> int | None:
        """Digits of a number, or of the fraction of a second."""
        return self._kind.precision

    @property
    def scale(self) -> int | None:
        """Digits after the point of a `numeric`."""
        return self._kind.scale

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


def _kind(type_name: str | None, modifier: int, size: int) -> _Kind:
    """Return what a type's modifier and size mean; see PostgreSQL's `format_type()`."""
    display_size = precision = scale = None
    if modifier >= 0:
        if type_name in ("varchar", "bpchar"):
            display_size = modifier - _HEADER
        elif type_name in ("bit", "varbit"):
            display_size = modifier
        elif type_name == "numeric":
            precision = (modifier - _HEADER) >> 16
            scale = ((modifier - _HEADER) & 0x7FF ^ 1024) - 1024  # eleven bits, with a sign
        elif type_name in ("time", "timetz", "timestamp", "timestamptz"):
            precision = modifier
        elif type_name == "interval":
            precision = modifier & 0xFFFF if modifier & 0xFFFF != 0xFFFF else None
    return _Kind(display_size, size if size >= 0 else None, precision, scale)
