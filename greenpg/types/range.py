"""Ranges: `Range`, and the six builtin types' own classes for saying which one is meant.

A `Range` of integers or of text goes to the server as text without a type, so that the server chooses; dates,
timestamps and decimals say theirs. What has no bound is open there: the server writes it so.

See "Range Types" in PostgreSQL's manual, and range_send in its source.
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from greenpg.adapt import PyFormat, RecursiveDumper, RecursiveLoader, TypeInfo, adapters_of
from greenpg.adapt._builtin_types import RANGES
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._choice import check
from greenpg.types._quoting import DOUBLED, Recoder, by_doubling, unquote
from greenpg.types._wire import Wire, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typing_extensions import Self

    from greenpg.adapt import AdaptContext, AdaptersMap, Dumper
    from greenpg.pq import Buffer

T = TypeVar("T")

# The flags of PostgreSQL's utils/rangetypes.h.
EMPTY, LOWER_INC, UPPER_INC, LOWER_INF, UPPER_INF = 0x01, 0x02, 0x04, 0x08, 0x10
_FLAGS = EMPTY | LOWER_INC | UPPER_INC | LOWER_INF | UPPER_INF

_BARE = rb'[^"\\(),\[\]\s][^"\\(),\[\]]*'
_RANGE = re.compile(
    rb"empty|([\[(])(?:(%b)|(%b))?,(?:(%b)|(%b))?([\])])" % (DOUBLED, _BARE, DOUBLED, _BARE), re.DOTALL
)
_SPECIAL = re.compile(rb'\A\Z|["\\(),\[\]\s]').search


@total_ordering
class Range(Generic[T]):
    """What lies between two values, as PostgreSQL's range types have it.

    :param lower: the lower bound, None for none
    :param upper: the upper bound, None for none
    :param bounds: `[)`, `[]`, `(]` or `()`: whether the bounds are in the range; a missing bound never is
    :param empty: nothing is in the range, whatever else is said

    Two ranges are equal if they are alike: no canonical form is made, as the server does for integers and
    dates. Ranges sort as on the server: empty ones first, then by lower and by upper bounds.
    """

    __module__ = "greenpg.types.range"
    __slots__ = ("_bounds", "_lower", "_upper")

    def __init__(
        self, lower: T | None = None, upper: T | None = None, bounds: str = "[)", empty: bool = False
    ) -> None:
        if bounds not in ("[)", "(]", "()", "[]"):
            raise ValueError(f"bounds must be one of '[)', '(]', '()' and '[]', not {bounds!r}")
        self._lower = None if empty else lower
        self._upper = None if empty else upper
        start, end = "(" if lower is None else bounds[0], ")" if upper is None else bounds[1]
        self._bounds = "" if empty else start + end

    @property
    def lower(self) -> T | None:
        """The lower bound; None if the range is empty or has none."""
        return self._lower

    @property
    def upper(self) -> T | None:
        """The upper bound; None if the range is empty or has none."""
        return self._upper

    @property
    def bounds(self) -> str:
        """The two characters of the bounds; an empty string if the range is empty."""
        return self._bounds

    @property
    def isempty(self) -> bool:
        """Whether nothing is in the range."""
        return not self._bounds

    @property
    def lower_inf(self) -> bool:
        """Whether the range has no lower bound."""
        return bool(self._bounds) and self._lower is None

    @property
    def upper_inf(self) -> bool:
        """Whether the range has no upper bound."""
        return bool(self._bounds) and self._upper is None

    @property
    def lower_inc(self) -> bool:
        """Whether the lower bound is in the range."""
        return self._bounds[:1] == "["

    @property
    def upper_inc(self) -> bool:
        """Whether the upper bound is in the range."""
        return self._bounds[1:] == "]"

    def __contains__(self, value: Any) -> bool:
        if self.isempty:
            return False
        if self._lower is not None and not (value >= self._lower if self.lower_inc else value > self._lower):
            return False
        return self._upper is None or bool(value <= self._upper if self.upper_inc else value < self._upper)

    def __bool__(self) -> bool:
        return bool(self._bounds)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Range) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __lt__(self, other: Range[T]) -> bool:
        if not isinstance(other, Range):
            return NotImplemented
        if self.isempty or other.isempty:
            return self.isempty and not other.isempty
        mine, its = (self._lower, self.lower_inc), (other._lower, other.lower_inc)
        if mine != its:
            return _before(mine, its, lower=True)
        mine, its = (self._upper, self.upper_inc), (other._upper, other.upper_inc)
        return mine != its and _before(mine, its, lower=False)

    def _key(self) -> tuple[T | None, T | None, str]:
        return self._lower, self._upper, self._bounds

    def __repr__(self) -> str:
        said = "empty=True" if self.isempty else f"{self._lower!r}, {self._upper!r}, {self._bounds!r}"
        return f"{type(self).__name__}({said})"

    def __str__(self) -> str:
        if self.isempty:
            return "empty"
        lower = "" if self._lower is None else self._lower
        upper = "" if self._upper is None else self._upper
        return f"{self._bounds[0]}{lower}, {upper}{self._bounds[1]}"


def _before(one: tuple[Any, bool], other: tuple[Any, bool], *, lower: bool) -> bool:
    """Return whether a bound comes before another one of the same side."""
    if one[0] is None or other[0] is None:
        return (one[0] is None) is lower and one[0] is not other[0]
    if one[0] != other[0]:
        return bool(one[0] < other[0])
    return one[1] is lower


class Int4Range(Range[int]):
    """A range that is an `int4range`."""

    __module__ = "greenpg.types.range"
    __slots__ = ()


class Int8Range(Range[int]):
    """A range that is an `int8range`."""

    __module__ = "greenpg.types.range"
    __slots__ = ()


class NumericRange(Range[Any]):
    """A range that is a `numrange`."""

    __module__ = "greenpg.types.range"
    __slots__ = ()


class DateRange(Range[Any]):
    """A range that is a `daterange`."""

    __module__ = "greenpg.types.range"
    __slots__ = ()


class TimestampRange(Range[Any]):
    """A range that is a `tsrange`."""

    __module__ = "greenpg.types.range"
    __slots__ = ()


class TimestamptzRange(Range[Any]):
    """A range that is a `tstzrange`."""

    __module__ = "greenpg.types.range"
    __slots__ = ()


class SubtypeInfo(TypeInfo):
    """A type whose values are made of another type's; its values are loaded, no class is dumped as it."""

    def __init__(self, name: str, oid: int, array_oid: int, *, regtype: str = "", subtype_oid: int) -> None:
        super().__init__(name, oid, array_oid, regtype=regtype)
        self.subtype_oid = subtype_oid

    def parts(self, oid: int) -> tuple[int, ...]:
        """Return the OID of that other type; for the array, the type's own."""
        return super().parts(oid) or (self.subtype_oid,)


class RangeInfo(SubtypeInfo):
    """A range type: also the OID of what it is a range of."""

    __module__ = "greenpg.types.range"

    @classmethod
    def _query(cls, name: Any) -> tuple[str, Sequence[Any]]:
        return (
            "select t.typname::text, t.oid, t.typarray, t.oid::regtype::text, r.rngsubtype"
            " from pg_type t join pg_range r on r.rngtypid = t.oid where t.oid = to_regtype($1)",
            super()._query(name)[1],
        )

    @classmethod
    def _from_rows(cls, name: Any, rows: Sequence[Sequence[Any]]) -> Self | None:
        for typname, oid, array_oid, regtype, subtype_oid in rows:
            return cls(typname, oid, array_oid, regtype=regtype, subtype_oid=subtype_oid)
        return None


def range_text(obj: Range[Any], dump: Callable[[Any], bytes]) -> bytes:
    """Return a range as range_in reads it; `dump` gives its bounds as `Recoder.plain` has them."""
    if obj.isempty:
        return b"empty"
    texts = [b"" if bound is None else dump(bound) for bound in (obj.lower, obj.upper)]
    quoted = [
        by_doubling(text) if bound is not None and _SPECIAL(text) else text
        for bound, text in zip((obj.lower, obj.upper), texts, strict=True)
    ]
    return b"%b%b,%b%b" % (obj.bounds[0].encode(), *quoted, obj.bounds[1].encode())


def range_binary(obj: Range[Any], dump: Callable[[Any], bytes]) -> bytes:
    """Return a range in range_recv's layout."""
    if obj.isempty:
        return bytes([EMPTY])
    flags = (
        LOWER_INC * obj.lower_inc
        | UPPER_INC * obj.upper_inc
        | LOWER_INF * obj.lower_inf
        | UPPER_INF * obj.upper_inf
    )
    bounds = [field(dump(bound)) for bound in (obj.lower, obj.upper) if bound is not None]
    return b"".join([bytes([flags]), *bounds])


def parse(data: bytes, at: int, load: Callable[[bytes], Any]) -> tuple[Range[Any], int]:
    """Return the range whose text begins at a position, and where it ends.

    :raises DataError: it is not what range_out writes
    """
    found = _RANGE.match(data, at)
    if not found:
        raise DataError(f"cannot read the text of a range: {data[at : at + 80]!r}")
    start, quoted_lower, lower, quoted_upper, upper, end = found.groups()
    if start is None:
        return Range(empty=True), found.end()
    bounds = [
        load(unquote(quoted)) if quoted else load(bare) if bare else None
        for quoted, bare in ((quoted_lower, lower), (quoted_upper, upper))
    ]
    return Range(bounds[0], bounds[1], (start + end).decode()), found.end()


def read(data: bytes, load: Callable[[bytes], Any]) -> Range[Any]:
    """Return the range of range_send's bytes.

    :raises DataError: they are none
    """
    wire = Wire(data, "range")
    flags = wire.take(1)[0]
    if flags & ~_FLAGS:
        raise wire.fail(f"flags {flags:#x}")
    bounds = []
    for infinite in (LOWER_INF, UPPER_INF):
        item = None if flags & (EMPTY | infinite) else wire.field()
        if item is None and not flags & (EMPTY | infinite):
            raise wire.fail("a bound is NULL")
        bounds.append(None if item is None else load(item))
    wire.end()
    kind = ("[" if flags & LOWER_INC else "(") + ("]" if flags & UPPER_INC else ")")
    return Range(bounds[0], bounds[1], kind, empty=bool(flags & EMPTY))


class BoundsDumper(RecursiveDumper):
    """What dumps the bounds of ranges: of one type if `subtype_oid` says which."""

    subtype_oid: int = 0

    def bound_text(self, bound: Any) -> bytes:
        """Return the text of a bound, in the client encoding.

        :raises DataError: the range's type would lose a part of it
        """
        dumper = self._tx.get_dumper(bound, PyFormat.TEXT)
        if self.subtype_oid:
            check(self._tx, dumper, bound, self.subtype_oid)
        return _present(dumper.dump(bound), bound)

    def bound_binary(self, bound: Any) -> bytes:
        """Return a bound as the subtype has it in binary."""
        found = self._tx.adapters.get_dumper_by_oid(self.subtype_oid, PyFormat.BINARY)
        return _present(found(type(bound), self._tx).dump(bound), bound)

    def _oids(self, bounds: Iterable[Any]) -> frozenset[int]:
        """Return the types that bounds are dumped as."""
        present = (bound for bound in bounds if bound is not None)
        return frozenset(self._tx.get_dumper(bound, PyFormat.TEXT).oid for bound in present)


def _present(data: Buffer | None, bound: Any) -> bytes:
    if data is None:
        raise DataError(f"cannot dump {bound!r} as a bound of a range: it is dumped as NULL")
    return bytes(data)


class _RangeDumper(BoundsDumper):
    """What both formats share: which range type it is."""

    def get_key(self, obj: Range[Any], format: PyFormat) -> Any:
        if self.subtype_oid:
            return self.cls
        return (self.cls, self._oids((obj.lower, obj.upper)))

    def upgrade(self, obj: Range[Any], format: PyFormat) -> Dumper:
        if self.subtype_oid:
            return self
        info = range_info_of(self._tx.adapters, self._oids((obj.lower, obj.upper)))
        if info is None:
            return RangeDumper(self.cls, self._tx)
        dumper = type(self)(self.cls, self._tx)
        dumper.oid = info.oid
        dumper.subtype_oid = info.subtype_oid
        return dumper


def range_info_of(adapters: AdaptersMap, oids: frozenset[int]) -> RangeInfo | None:
    """Return the range type of bounds of some types; None if the server is to choose by what it wants.

    :raises DataError: no range has bounds of these types at once
    """
    types = adapters.types
    numeric, *integers = (types[name].oid for name in ("numeric", "int2", "int4", "int8"))
    floats = {types[name].oid for name in ("float4", "float8")}
    if len(oids) > 1:
        if not oids <= {numeric, *integers, *floats}:
            names = ", ".join(sorted(str(types[oid].name if types.get(oid) else oid) for oid in oids))
            raise DataError(f"cannot dump a range with bounds of mixed types: {names}")
        oids = frozenset() if oids & floats or numeric not in oids else frozenset({numeric})
    if not oids or oids & {0, *integers}:
        return None
    return types.get_by_subtype(RangeInfo, *oids)


class RangeDumper(_RangeDumper):
    """A range as `[1,2)`."""

    format = Format.TEXT

    def dump(self, obj: Range[Any]) -> bytes:
        recoder = Recoder(self._tx.encoding)
        return recoder.client(range_text(obj, lambda bound: recoder.plain(self.bound_text(bound))))


class RangeBinaryDumper(_RangeDumper):
    """A range in range_recv's layout; one of a type still to be chosen goes as text."""

    format = Format.BINARY

    def dump(self, obj: Range[Any]) -> bytes:
        return range_binary(obj, self.bound_binary)


class RangeLoader(RecursiveLoader):
    """A range of a known type, from text."""

    format = Format.TEXT
    subtype_oid: ClassVar[int]

    def load(self, data: bytes) -> Range[Any]:
        recoder = Recoder(self._tx.encoding)
        load, plain = self._tx.get_loader(self.subtype_oid, self.format).load, recoder.plain(data)
        loaded, end = parse(plain, 0, lambda item: load(recoder.client(item)))
        if end != len(plain):
            raise DataError(f"cannot read the text of a range: {plain[:80]!r}")
        return loaded


class RangeBinaryLoader(RecursiveLoader):
    """A range of a known type, from binary."""

    format = Format.BINARY
    subtype_oid: ClassVar[int]

    def load(self, data: bytes) -> Range[Any]:
        return read(data, self._tx.get_loader(self.subtype_oid, self.format).load)


def register_range(info: RangeInfo, context: AdaptContext | None = None) -> None:
    """Load a range type as `Range`, and dump a `Range` whose bounds are of its subtype as it.

    :param info: the type, as `RangeInfo.fetch` found it
    :param context: where to register it: a connection or a cursor; everywhere if None
    """
    if not info:
        raise TypeError("no info passed: is the range type in the database, and on the search_path?")
    register_range_class(info, context, None)


def register_range_class(
    info: SubtypeInfo, context: AdaptContext | None, cls: type[Range[Any]] | None
) -> None:
    """Do what `register_range` does, and dump as that type whatever is in the objects of a class."""
    adapters = adapters_of(context)
    adapters.register_type(info)
    known = {"oid": info.oid, "subtype_oid": info.subtype_oid, "__module__": __name__}
    adapters.register_dumper(cls, type("RangeBinaryDumper", (RangeBinaryDumper,), known))
    adapters.register_dumper(cls, type("RangeDumper", (RangeDumper,), known))
    adapters.register_loader(info.oid, type("RangeLoader", (RangeLoader,), known))
    adapters.register_loader(info.oid, type("RangeBinaryLoader", (RangeBinaryLoader,), known))


_CLASSES: dict[str, type[Range[Any]]] = {
    "int4range": Int4Range,
    "int8range": Int8Range,
    "numrange": NumericRange,
    "daterange": DateRange,
    "tsrange": TimestampRange,
    "tstzrange": TimestamptzRange,
}


def register_default_adapters(context: AdaptContext) -> None:
    """Register `Range` and the builtin range types."""
    adapters = adapters_of(context)
    adapters.register_dumper(Range, RangeBinaryDumper)
    adapters.register_dumper(Range, RangeDumper)
    for name, oid, array_oid, subtype_oid, *_ in RANGES:
        register_range_class(
            RangeInfo(name, oid, array_oid, subtype_oid=subtype_oid), context, _CLASSES[name]
        )
