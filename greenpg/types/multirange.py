"""Multiranges: `Multirange`, a list of ranges, and the six builtin types' own classes for saying which one is
meant.

The server joins ranges that touch and sorts them: what is read may be another list than what was written, of
the same values.

See "Range Types" in PostgreSQL's manual, and multirange_send in its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from greenpg.adapt import PyFormat, RecursiveLoader, adapters_of
from greenpg.adapt._builtin_types import RANGES
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._quoting import Recoder
from greenpg.types._wire import Wire, field
from greenpg.types.range import (
    BoundsDumper,
    Range,
    SubtypeInfo,
    parse,
    range_binary,
    range_info_of,
    range_text,
    read,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from greenpg.adapt import AdaptContext, Dumper

T = TypeVar("T")

_UINT32 = Struct("!I")


class Multirange(MutableSequence[Range[T]]):
    """A list of ranges; it compares as one, and holds nothing else.

    :raises TypeError: something else is put into it
    """

    __module__ = "greenpg.types.multirange"

    def __init__(self, items: Iterable[Range[T]] = ()) -> None:
        self._ranges = [_checked(item) for item in items]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._ranges!r})"

    def __str__(self) -> str:
        return f"{{{', '.join(map(str, self._ranges))}}}"

    def __len__(self) -> int:
        return len(self._ranges)

    @overload
    def __getitem__(self, index: int) -> Range[T]: ...
    @overload
    def __getitem__(self, index: slice) -> Multirange[T]: ...
    def __getitem__(self, index: int | slice) -> Range[T] | Multirange[T]:
        return type(self)(self._ranges[index]) if isinstance(index, slice) else self._ranges[index]

    @overload
    def __setitem__(self, index: int, value: Range[T]) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Range[T]]) -> None: ...
    def __setitem__(self, index: int | slice, value: Range[T] | Iterable[Range[T]]) -> None:
        if isinstance(index, int):
            self._ranges[index] = _checked(value)
        elif isinstance(value, Iterable):
            self._ranges[index] = [_checked(item) for item in value]
        else:
            raise TypeError(f"can only assign ranges to a slice, not {type(value).__name__}")

    def __delitem__(self, index: int | slice) -> None:
        del self._ranges[index]

    def insert(self, index: int, value: Range[T]) -> None:
        """Put a range before an index."""
        self._ranges.insert(index, _checked(value))

    def __eq__(self, other: object) -> bool:
        return self._ranges == other._ranges if isinstance(other, Multirange) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __lt__(self, other: Multirange[T]) -> bool:
        return self._ranges < other._ranges if isinstance(other, Multirange) else NotImplemented

    def __le__(self, other: Multirange[T]) -> bool:
        return self._ranges <= other._ranges if isinstance(other, Multirange) else NotImplemented

    def __gt__(self, other: Multirange[T]) -> bool:
        return self._ranges > other._ranges if isinstance(other, Multirange) else NotImplemented

    def __ge__(self, other: Multirange[T]) -> bool:
        return self._ranges >= other._ranges if isinstance(other, Multirange) else NotImplemented


def _checked(item: Any) -> Range[Any]:
    if not isinstance(item, Range):
        raise TypeError(f"a Multirange holds ranges, not {type(item).__name__}")
    return item


class Int4Multirange(Multirange[int]):
    """A multirange that is an `int4multirange`."""

    __module__ = "greenpg.types.multirange"


class Int8Multirange(Multirange[int]):
    """A multirange that is an `int8multirange`."""

    __module__ = "greenpg.types.multirange"


class NumericMultirange(Multirange[Any]):
    """A multirange that is a `nummultirange`."""

    __module__ = "greenpg.types.multirange"


class DateMultirange(Multirange[Any]):
    """A multirange that is a `datemultirange`."""

    __module__ = "greenpg.types.multirange"


class TimestampMultirange(Multirange[Any]):
    """A multirange that is a `tsmultirange`."""

    __module__ = "greenpg.types.multirange"


class TimestamptzMultirange(Multirange[Any]):
    """A multirange that is a `tstzmultirange`."""

    __module__ = "greenpg.types.multirange"


class MultirangeInfo(SubtypeInfo):
    """A multirange type: also the OIDs of its ranges' type and of what these are ranges of."""

    __module__ = "greenpg.types.multirange"

    def __init__(
        self, name: str, oid: int, array_oid: int, *, regtype: str = "", range_oid: int, subtype_oid: int
    ) -> None:
        super().__init__(name, oid, array_oid, regtype=regtype, subtype_oid=subtype_oid)
        self.range_oid = range_oid

    @classmethod
    def _query(cls, name: Any) -> tuple[str, Sequence[Any]]:
        return (
            "select t.typname::text, t.oid, t.typarray, t.oid::regtype::text, r.rngtypid, r.rngsubtype"
            " from pg_type t join pg_range r on r.rngmultitypid = t.oid where t.oid = to_regtype($1)",
            super()._query(name)[1],
        )

    @classmethod
    def _from_rows(cls, name: Any, rows: Sequence[Sequence[Any]]) -> Self | None:
        for typname, oid, array_oid, regtype, range_oid, subtype_oid in rows:
            return cls(typname, oid, array_oid, regtype=regtype, range_oid=range_oid, subtype_oid=subtype_oid)
        return None


class _MultirangeDumper(BoundsDumper):
    """What both formats share: which multirange type it is."""

    def get_key(self, obj: Multirange[Any], format: PyFormat) -> Any:
        return self.cls if self.subtype_oid else (self.cls, self._oids(_bounds(obj)))

    def upgrade(self, obj: Multirange[Any], format: PyFormat) -> Dumper:
        if self.subtype_oid:
            return self
        ranges = range_info_of(self._tx.adapters, self._oids(_bounds(obj)))
        types = self._tx.adapters.types
        info = types.get_by_subtype(MultirangeInfo, ranges.subtype_oid) if ranges else None
        if info is None:
            return MultirangeDumper(self.cls, self._tx)
        dumper = type(self)(self.cls, self._tx)
        dumper.oid = info.oid
        dumper.subtype_oid = info.subtype_oid
        return dumper


def _bounds(obj: Multirange[Any]) -> Iterator[Any]:
    return (bound for item in obj for bound in (item.lower, item.upper))


class MultirangeDumper(_MultirangeDumper):
    """A multirange as `{[1,2),[3,4)}`."""

    format = Format.TEXT

    def dump(self, obj: Multirange[Any]) -> bytes:
        recoder = Recoder(self._tx.encoding)
        texts = [range_text(item, lambda bound: recoder.plain(self.bound_text(bound))) for item in obj]
        return recoder.client(b"{" + b",".join(texts) + b"}")


class MultirangeBinaryDumper(_MultirangeDumper):
    """A multirange in multirange_recv's layout; one of a type still to be chosen goes as text."""

    format = Format.BINARY

    def dump(self, obj: Multirange[Any]) -> bytes:
        ranges = [field(range_binary(item, self.bound_binary)) for item in obj]
        return b"".join([_UINT32.pack(len(ranges)), *ranges])


class MultirangeLoader(RecursiveLoader):
    """A multirange of a known type, from text."""

    format = Format.TEXT
    subtype_oid: ClassVar[int]

    def load(self, data: bytes) -> Multirange[Any]:
        recoder = Recoder(self._tx.encoding)
        load, plain = self._tx.get_loader(self.subtype_oid, self.format).load, recoder.plain(data)
        if plain == b"{}":
            return Multirange()
        ranges, at, mark = [], 0, b"{"
        while mark != b"}":
            if plain[at : at + 1] != mark:
                raise _malformed(plain)
            item, at = parse(plain, at + 1, lambda bound: load(recoder.client(bound)))
            ranges.append(item)
            mark = b"," if plain[at : at + 1] == b"," else b"}"
        if plain[at:] != b"}":
            raise _malformed(plain)
        return Multirange(ranges)


def _malformed(data: bytes) -> DataError:
    return DataError(f"cannot read the text of a multirange: {data[:80]!r}")


class MultirangeBinaryLoader(RecursiveLoader):
    """A multirange of a known type, from binary."""

    format = Format.BINARY
    subtype_oid: ClassVar[int]

    def load(self, data: bytes) -> Multirange[Any]:
        load = self._tx.get_loader(self.subtype_oid, self.format).load
        wire, ranges = Wire(data, "multirange"), []
        for _ in range(wire.count(5)):
            item = wire.field()
            if item is None:
                raise wire.fail("a range is NULL")
            ranges.append(read(item, load))
        wire.end()
        return Multirange(ranges)


def register_multirange(info: MultirangeInfo, context: AdaptContext | None = None) -> None:
    """Load a multirange type as `Multirange`, and dump a `Multirange` of its subtype's values as it.

    :param info: the type, as `MultirangeInfo.fetch` found it
    :param context: where to register it: a connection or a cursor; everywhere if None
    """
    if not info:
        raise TypeError("no info passed: is the multirange type in the database, and on the search_path?")
    register_multirange_class(info, context, None)


def register_multirange_class(
    info: SubtypeInfo, context: AdaptContext | None, cls: type[Multirange[Any]] | None
) -> None:
    """Do what `register_multirange` does, and dump as that type whatever is in the objects of a class."""
    adapters = adapters_of(context)
    adapters.register_type(info)
    known = {"oid": info.oid, "subtype_oid": info.subtype_oid, "__module__": __name__}
    adapters.register_dumper(cls, type("MultirangeBinaryDumper", (MultirangeBinaryDumper,), known))
    adapters.register_dumper(cls, type("MultirangeDumper", (MultirangeDumper,), known))
    adapters.register_loader(info.oid, type("MultirangeLoader", (MultirangeLoader,), known))
    adapters.register_loader(info.oid, type("MultirangeBinaryLoader", (MultirangeBinaryLoader,), known))


_CLASSES: dict[str, type[Multirange[Any]]] = {
    "int4multirange": Int4Multirange,
    "int8multirange": Int8Multirange,
    "nummultirange": NumericMultirange,
    "datemultirange": DateMultirange,
    "tsmultirange": TimestampMultirange,
    "tstzmultirange": TimestamptzMultirange,
}


def register_default_adapters(context: AdaptContext) -> None:
    """Register `Multirange` and the builtin multirange types; after the ranges."""
    adapters = adapters_of(context)
    adapters.register_dumper(Multirange, MultirangeBinaryDumper)
    adapters.register_dumper(Multirange, MultirangeDumper)
    for _, range_oid, _, subtype_oid, name, oid, array_oid in RANGES:
        info = MultirangeInfo(name, oid, array_oid, range_oid=range_oid, subtype_oid=subtype_oid)
        register_multirange_class(info, context, _CLASSES[name])
