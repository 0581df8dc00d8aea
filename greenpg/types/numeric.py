"""Numbers: integers by their size, floats, and `Decimal`.

A Python integer goes as the smallest of `int2`, `int4`, `int8` and `numeric` that holds it; the wrappers
`Int2` ... `Float8` choose a type. `float4` loads as the exact value of its 32 bits, in both formats.

See "Numeric Types", and `numeric_send` in PostgreSQL's src/backend/utils/adt/numeric.c.
"""

from __future__ import annotations

from decimal import Decimal
from struct import Struct
from typing import TYPE_CHECKING, Any, ClassVar

from greenpg.adapt import Dumper, Format, Loader, PyFormat, adapters_of, shown
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable
from greenpg.errors import DataError
from greenpg.types._decimal import DecimalBinaryDumper as DecimalBinaryDumper
from greenpg.types._decimal import DecimalDumper as DecimalDumper
from greenpg.types._decimal import NumericBinaryDumper as NumericBinaryDumper
from greenpg.types._decimal import NumericBinaryLoader as NumericBinaryLoader
from greenpg.types._decimal import NumericDumper as NumericDumper
from greenpg.types._decimal import NumericLoader as NumericLoader
from greenpg.types._decimal import decimal_binary, decimal_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.adapt import AdaptContext

_INT2, _INT4, _INT8, _OID, _FLOAT4, _FLOAT8, _NUMERIC = 21, 23, 20, 26, 700, 701, 1700


class Int2(int):
    """An integer for the server to take as `int2`."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


class Int4(int):
    """An integer for the server to take as `int4`."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


class Int8(int):
    """An integer for the server to take as `int8`."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


class IntNumeric(int):
    """An integer for the server to take as `numeric`."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


class Oid(int):
    """An integer for the server to take as `oid`."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


class Float4(float):
    """A float for the server to take as `float4`: it is rounded to 24 bits."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


class Float8(float):
    """A float for the server to take as `float8`."""

    __module__ = "greenpg.types.numeric"
    __slots__ = ()


def _literal(text: bytes) -> bytes:
    """Return a number as a literal; a space keeps two minus signs from being a comment."""
    return b" " + text if text.startswith(b"-") else text


# Integers


class _IntDumper(Dumper):
    """Integers of one type. Only what `int` itself says counts, whatever a subclass makes of it."""

    limits: ClassVar[range]

    def dump(self, obj: int) -> bytes:
        """Return the digits."""
        if int.__index__(obj) not in self.limits:
            raise _out_of_range(obj, type(self).__name__)
        return int.__repr__(obj).encode()

    def quote(self, obj: int) -> bytes:
        """Return the digits."""
        return _literal(self.dump(obj))


class _IntBinaryDumper(Dumper):
    """Integers of one type as bytes."""

    format = Format.BINARY
    layout: ClassVar[Struct]
    _pack: Callable[[int], bytes]

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        """Make a dumper; see `Dumper`."""
        super().__init__(cls, context)
        self._pack = self.layout.pack

    def dump(self, obj: int) -> bytes:
        """Return the bytes."""
        try:
            return self._pack(int.__index__(obj))
        except Exception as error:
            raise _out_of_range(obj, type(self).__name__) from error


def _out_of_range(obj: int, dumper: str) -> DataError:
    name = dumper.removesuffix("BinaryDumper").removesuffix("Dumper").lower()
    return DataError(f"the integer {shown(obj)} is out of range for the type {name}")


@encodable("int2")
class Int2Dumper(_IntDumper):
    """`int2` as digits."""

    oid, limits = _INT2, range(-(2**15), 2**15)


@encodable("int4")
class Int4Dumper(_IntDumper):
    """`int4` as digits."""

    oid, limits = _INT4, range(-(2**31), 2**31)


@encodable("int8")
class Int8Dumper(_IntDumper):
    """`int8` as digits."""

    oid, limits = _INT8, range(-(2**63), 2**63)


@encodable("oid")
class OidDumper(_IntDumper):
    """`oid` as digits."""

    oid, limits = _OID, range(2**32)


@encodable("int2")
class Int2BinaryDumper(_IntBinaryDumper):
    """`int2` as two bytes."""

    oid, layout = _INT2, Struct("!h")


@encodable("int4")
class Int4BinaryDumper(_IntBinaryDumper):
    """`int4` as four bytes."""

    oid, layout = _INT4, Struct("!i")


@encodable("int8")
class Int8BinaryDumper(_IntBinaryDumper):
    """`int8` as eight bytes."""

    oid, layout = _INT8, Struct("!q")


@encodable("oid")
class OidBinaryDumper(_IntBinaryDumper):
    """`oid` as four bytes."""

    oid, layout = _OID, Struct("!I")


class IntNumericDumper(Dumper):
    """Integers of any size as the digits of a `numeric`."""

    oid = _NUMERIC

    def dump(self, obj: int) -> bytes:
        """Return the digits."""
        return decimal_text(Decimal(int.__index__(obj)))

    def quote(self, obj: int) -> bytes:
        """Return the digits."""
        return _literal(self.dump(obj))


class IntNumericBinaryDumper(Dumper):
    """Integers of any size as a binary `numeric`."""

    format = Format.BINARY
    oid = _NUMERIC

    def dump(self, obj: int) -> bytes:
        """Return numeric_recv's layout."""
        return decimal_binary(Decimal(int.__index__(obj)))


class _AnyIntDumper(Dumper):
    """The choice of a type by the size of the value."""

    sizes: ClassVar[tuple[type[Dumper], type[Dumper], type[Dumper], type[Dumper]]]

    def get_key(self, obj: int, format: PyFormat) -> type:
        """Return the wrapper class that stands for the type."""
        value = int.__index__(obj)
        if -(2**15) <= value < 2**15:
            return Int2
        if -(2**31) <= value < 2**31:
            return Int4
        return Int8 if -(2**63) <= value < 2**63 else IntNumeric

    def upgrade(self, obj: int, format: PyFormat) -> Dumper:
        """Return the dumper of that type."""
        cls = self.get_key(obj, format)
        if cls is IntNumeric and format is PyFormat.AUTO:
            return IntNumericDumper(cls)  # text has no limit of its own
        return self.sizes[(Int2, Int4, Int8, IntNumeric).index(cls)](cls)

    def dump(self, obj: int) -> Any:
        """Return what the dumper for that size returns."""
        return self.upgrade(obj, PyFormat.from_pq(self.format)).dump(obj)

    def quote(self, obj: int) -> Any:
        """Return what the dumper for that size returns."""
        return self.upgrade(obj, PyFormat.TEXT).quote(obj)


@encodable("int")
class IntDumper(_AnyIntDumper):
    """Integers as digits."""

    sizes = (Int2Dumper, Int4Dumper, Int8Dumper, IntNumericDumper)


@encodable("int")
class IntBinaryDumper(_AnyIntDumper):
    """Integers as bytes."""

    format = Format.BINARY
    sizes = (Int2BinaryDumper, Int4BinaryDumper, Int8BinaryDumper, IntNumericBinaryDumper)


class IntLoader(Loader):
    """Digits as an `int`."""

    @decodable(lambda _: ("int text",))
    def load(self, data: bytes) -> int:
        """Return the integer."""
        return int(data)


class _StructLoader(Loader):
    """One number of a fixed layout."""

    format = Format.BINARY
    layout: ClassVar[Struct]

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._unpack = self.layout.unpack

    @decodable(lambda self: (self.layout.format,))
    def load(self, data: bytes) -> Any:
        """Return the number."""
        return self._unpack(data)[0]


class Int2BinaryLoader(_StructLoader):
    """Two bytes as an `int`."""

    layout = Struct("!h")


class Int4BinaryLoader(_StructLoader):
    """Four bytes as an `int`."""

    layout = Struct("!i")


class Int8BinaryLoader(_StructLoader):
    """Eight bytes as an `int`."""

    layout = Struct("!q")


class OidBinaryLoader(_StructLoader):
    """Four bytes as an `int` that is never negative."""

    layout = Struct("!I")


# Floats

_FLOAT4_LAYOUT, _FLOAT8_LAYOUT = Struct("!f"), Struct("!d")


def _float(obj: Any) -> float:
    """Return a float as it is, and of another number the float that it is: COPY may bring integers.

    :raises DataError: no float is that number
    """
    if isinstance(obj, float):
        return obj
    value = float(obj)
    if isinstance(obj, str) or (value != obj and obj == obj):
        raise DataError(f"cannot take {shown(obj)} as a float, no float is that number")
    return value


@encodable("float8")
class FloatDumper(Dumper):
    """Floats as text that gives the same 64 bits."""

    oid = _FLOAT8

    def dump(self, obj: float) -> bytes:
        """Return the shortest text that is this value."""
        return float.__repr__(_float(obj)).encode()

    def quote(self, obj: float) -> bytes:
        """Return a literal; infinities and NaN need quotes."""
        text = bytes(self.dump(obj))
        return b"'" + text + b"'" if text.endswith((b"inf", b"nan")) else _literal(text)


class Float4Dumper(FloatDumper):
    """Floats as text, rounded to 32 bits first so that both formats give one value."""

    oid = _FLOAT4

    def dump(self, obj: float) -> bytes:
        """Return the shortest text that is this value."""
        return float.__repr__(_FLOAT4_LAYOUT.unpack(_float4(obj))[0]).encode()


@encodable("float8")
class FloatBinaryDumper(Dumper):
    """Floats as eight bytes."""

    format = Format.BINARY
    oid = _FLOAT8

    def dump(self, obj: float) -> bytes:
        """Return the bytes."""
        return _FLOAT8_LAYOUT.pack(_float(obj))


class Float4BinaryDumper(Dumper):
    """Floats as four bytes."""

    format = Format.BINARY
    oid = _FLOAT4

    def dump(self, obj: float) -> bytes:
        """Return the bytes."""
        return _float4(obj)


def _float4(obj: float) -> bytes:
    try:
        return _FLOAT4_LAYOUT.pack(obj)
    except OverflowError as error:
        raise DataError(f"the float {shown(obj)} is out of range for the type float4") from error


class FloatLoader(Loader):
    """Text as a `float`."""

    @decodable(lambda _: ("float text",))
    def load(self, data: bytes) -> float:
        """Return the float."""
        return float(data)


class Float4Loader(Loader):
    """Text as the `float` that the 32 bits are, which binary gives too."""

    @decodable(lambda _: ("float4 text",))
    def load(self, data: bytes) -> float:
        """Return the float."""
        value: float = _FLOAT4_LAYOUT.unpack(_FLOAT4_LAYOUT.pack(float(data)))[0]
        return value


class Float4BinaryLoader(_StructLoader):
    """Four bytes as a `float`."""

    layout = _FLOAT4_LAYOUT


class Float8BinaryLoader(_StructLoader):
    """Eight bytes as a `float`."""

    layout = _FLOAT8_LAYOUT


def register_default_adapters(context: AdaptContext) -> None:
    """Register dumpers and loaders of numbers."""
    adapters = adapters_of(context)
    dumpers: tuple[tuple[type | str | None, type[Dumper], type[Dumper]], ...] = (
        (int, IntDumper, IntBinaryDumper),
        (Int2, Int2Dumper, Int2BinaryDumper),
        (Int4, Int4Dumper, Int4BinaryDumper),
        (Int8, Int8Dumper, Int8BinaryDumper),
        (IntNumeric, IntNumericDumper, IntNumericBinaryDumper),
        (Oid, OidDumper, OidBinaryDumper),
        (Float4, Float4Dumper, Float4BinaryDumper),
        (Float8, FloatDumper, FloatBinaryDumper),
        (float, FloatDumper, FloatBinaryDumper),
        (Decimal, DecimalBinaryDumper, DecimalDumper),  # text last: it is faster
        (None, NumericBinaryDumper, NumericDumper),
    )
    for cls, first, last in dumpers:
        adapters.register_dumper(cls, first)
        adapters.register_dumper(cls, last)
    loaders: tuple[tuple[str, type[Loader], type[Loader]], ...] = (
        ("int2", IntLoader, Int2BinaryLoader),
        ("int4", IntLoader, Int4BinaryLoader),
        ("int8", IntLoader, Int8BinaryLoader),
        ("oid", IntLoader, OidBinaryLoader),
        ("float4", Float4Loader, Float4BinaryLoader),
        ("float8", FloatLoader, Float8BinaryLoader),
        ("numeric", NumericLoader, NumericBinaryLoader),
    )
    for name, text, binary in loaders:
        adapters.register_loader(name, text)
        adapters.register_loader(name, binary)
