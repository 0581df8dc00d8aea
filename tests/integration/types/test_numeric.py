"""Numbers, there and back; the server is the oracle of what is too big."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greenpg.adapt import Format, PyFormat
from greenpg.errors import DataError
from greenpg.types.numeric import Float4, Float8, Int2, Int4, Int8, IntNumeric, Oid
from tests.roundtrip import FORMATS_OUT, LIVE

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

EDGES = [edge + step for bits in (15, 31, 63) for edge in (2**bits, -(2**bits)) for step in (-1, 0, 1)]


class Colour(IntEnum):
    """A member is an integer too."""

    RED = 7


class Loud(int):
    """An integer that lies about itself in every way."""

    def __str__(self) -> str:
        return "LOUD"

    __repr__ = __str__

    def __index__(self) -> int:
        return 13

    def __int__(self) -> int:
        return 13

    def __neg__(self) -> int:
        return 13


@LIVE
@given(st.integers())
@example(10**4000)
def test_integers_of_any_size(trip: RoundTrip, value: int) -> None:
    """The type is the server's choice only by the value's size."""
    assert trip.all_ways(value, "numeric") == [value] * 8


@pytest.mark.parametrize("value", EDGES)
def test_the_smallest_type_that_fits(trip: RoundTrip, value: int) -> None:
    """At the edges of each type."""
    bits = (value if value >= 0 else ~value).bit_length()
    name = next(
        (name for size, name in ((15, "smallint"), (31, "integer"), (63, "bigint")) if bits <= size),
        "numeric",
    )
    for format in PyFormat:
        assert trip.select("select pg_typeof($1)::text", [value], format) == name
        assert trip.select("select $1", [value], format) == value


@pytest.mark.parametrize("cls", [Int2, Int4, Int8, IntNumeric, Oid])
@pytest.mark.parametrize("value", [0, 1, 32767])
def test_wrappers_choose_the_type(trip: RoundTrip, cls: type[int], value: int) -> None:
    """Of the value, and of the parameter."""
    names = {Int2: "smallint", Int4: "integer", Int8: "bigint", IntNumeric: "numeric", Oid: "oid"}
    for format in PyFormat:
        assert trip.select("select pg_typeof($1)::text", [cls(value)], format) == names[cls]
        assert trip.select("select $1", [cls(value)], format) == value


@pytest.mark.parametrize("format", PyFormat)
@pytest.mark.parametrize("value", [Int2(2**15), Int4(-(2**31) - 1), Int8(2**63), Oid(-1), Oid(2**32)])
def test_a_wrapper_too_small_is_refused(trip: RoundTrip, value: int, format: PyFormat) -> None:
    """With the value in the message."""
    with pytest.raises(DataError, match=r"out of range for the type (int|oid)"):
        trip.select("select $1", [value], format)


@pytest.mark.parametrize("format", PyFormat)
def test_subclasses_go_as_the_integer_they_are(trip: RoundTrip, format: PyFormat) -> None:
    """Whatever they make of it, and enumerations without being registered."""
    assert trip.select("select $1", [Colour.RED], format) == 7
    assert trip.select("select $1", [Loud(42)], format) == 42
    assert trip.literal(Loud(-42), "int4") == -42


@LIVE
@given(st.floats(allow_nan=False))
@example(5e-324)
@example(-0.0)
def test_float8(trip: RoundTrip, value: float) -> None:
    """Every bit of it, the sign of zero too."""
    for back in trip.all_ways(value, "float8")[:6]:
        assert math.copysign(1, back) == math.copysign(1, value)
    trip.check(value, "float8")
    trip.check(Float8(value), "float8")


@LIVE
@given(st.floats(allow_nan=False, width=32))
def test_float4(trip: RoundTrip, value: float) -> None:
    """What has 24 bits comes back the same; from text, as from binary."""
    trip.check(value, "float4")
    trip.check(Float4(value), "float4")


@LIVE
@given(st.floats(allow_nan=False, min_value=-3e38, max_value=3e38))
def test_float4_is_rounded_alike(trip: RoundTrip, value: float) -> None:
    """What has more bits is rounded as its bytes would be."""
    rounded = Struct("!f").unpack(Struct("!f").pack(value))[0]
    for there in PyFormat:
        for back in FORMATS_OUT:
            assert trip.roundtrip(Float4(value), "float4", there, back) == rounded


@pytest.mark.parametrize("type", ["float4", "float8"])
def test_nan(trip: RoundTrip, type: str) -> None:
    """It is not equal to itself."""
    assert all(map(math.isnan, trip.all_ways(float("nan"), type)))


def test_float4_too_big(trip: RoundTrip) -> None:
    """The overflow is ours to report, and names the value."""
    for format in PyFormat:
        with pytest.raises(DataError, match=r"1e\+300 is out of range"):
            trip.select("select $1", [Float4(1e300)], format)


@LIVE
@given(st.decimals(allow_nan=False))
@example(Decimal("1E+131071"))
@example(Decimal("-1E-16383"))
@example(Decimal("0E+50"))
@example(Decimal("0E-20"))
@example(Decimal("10000.0001"))
@example(Decimal("-0.00001"))
def test_numeric(trip: RoundTrip, value: Decimal) -> None:
    """Equal, and with the digits after the point that were given."""
    trip.check(value, "numeric")
    scale = value.as_tuple().exponent
    if isinstance(scale, int) and scale <= 0:
        assert {back.as_tuple().exponent for back in trip.all_ways(value, "numeric")} == {scale}


def test_numeric_nan(trip: RoundTrip) -> None:
    """It is not equal to itself."""
    assert all(back.is_qnan() for back in trip.all_ways(Decimal("NaN"), "numeric"))


REFUSED = ["sNaN", "-sNaN", "NaN5", "-NaN", "1E+131072", "1E-16384", "9E+999999", "12.34E-16384"]


@pytest.mark.parametrize("format", PyFormat)
@pytest.mark.parametrize("text", REFUSED)
def test_what_numeric_has_not(trip: RoundTrip, text: str, format: PyFormat) -> None:
    """The server would round the one and take the other as something else: refused, with the value."""
    value = Decimal(text)
    with pytest.raises(DataError, match="Decimal"):
        trip.select("select $1::numeric", [value], format)


def test_more_digits_than_binary_takes(trip: RoundTrip) -> None:
    """numeric_recv has a limit that text has not."""
    value = Decimal("1" * 13000)
    assert trip.roundtrip(value, "numeric") == value
    assert trip.roundtrip(int("1" * 4000) ** 4, "numeric") == Decimal(int("1" * 4000) ** 4)
    with pytest.raises(DataError, match="binary format"):
        trip.select("select $1::numeric", [value], PyFormat.BINARY)


@pytest.mark.parametrize(
    "sql", ["1e-30", "1.000000000000", "123456789.987654321", "1e20", "-1e-5", "10000", "0.0001"]
)
def test_what_the_server_computed(trip: RoundTrip, sql: str) -> None:
    """Text is what the server writes; binary says the same, digits and all."""
    texts = {str(trip.select(f"select {sql}::numeric * 1.0", fmt_out=format)) for format in FORMATS_OUT}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("oid", "value"), [(701, 2**53 + 1), (701, Decimal("0.1")), (701, "1.5"), (23, 1.5), (1700, "1"), (17, 5)]
)
@pytest.mark.parametrize("format", Format)
def test_a_column_takes_no_other_value(trip: RoundTrip, oid: int, value: Any, format: Format) -> None:
    """COPY may bring anything for a column: what the type would change is refused."""
    from greenpg.adapt import Transformer

    tx = Transformer(trip)
    tx.set_dumper_types([oid], format)
    with pytest.raises(DataError):
        tx.dump_sequence([value], [])


@pytest.mark.parametrize("format", Format)
def test_a_column_takes_what_is_equal(trip: RoundTrip, format: Format) -> None:
    """An integer for a float, any number for a numeric."""
    from greenpg.adapt import Transformer

    tx = Transformer(trip)
    tx.set_dumper_types([701, 1700, 1700, 1700], format)
    dumped = [bytes(v) for v in tx.dump_sequence([3, 3, 0.1, Decimal("0.1")], []) if v is not None]
    tx.set_loader_types([701, 1700, 1700, 1700], format)
    assert tx.load_sequence(dumped) == (3.0, 3, Decimal("0.1"), Decimal("0.1"))
