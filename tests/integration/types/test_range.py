"""Ranges and multiranges: there and back, and the server's own text and order of them as the oracle."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import PyFormat, Transformer
from greenpg.errors import DataError
from greenpg.types.multirange import Int8Multirange, Multirange, MultirangeInfo
from greenpg.types.range import (
    DateRange,
    Int4Range,
    NumericRange,
    Range,
    RangeInfo,
    TimestampRange,
    parse,
    register_range,
)
from tests.roundtrip import FORMATS_IN, FORMATS_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.roundtrip import RoundTrip

BOUNDS = st.sampled_from(["[)", "[]", "(]", "()"])


def ranges(bound: st.SearchStrategy[Any]) -> st.SearchStrategy[Range[Any]]:
    """Ranges with bounds in order, some of them missing, and empty ones."""

    def of(pair: tuple[Any, Any], bounds: str, missing: tuple[bool, bool]) -> Range[Any]:
        lower, upper = sorted(pair)
        return Range(None if missing[0] else lower, None if missing[1] else upper, bounds)

    some = st.builds(of, st.tuples(bound, bound), BOUNDS, st.tuples(st.booleans(), st.booleans()))
    return some | st.just(Range(empty=True))


def canonical(value: Range[Any]) -> Range[Any]:
    """What the server makes of bounds that shut everything out."""
    if value.lower is not None and value.lower == value.upper and value.bounds != "[]":
        return Range(empty=True)
    return value


TIMES = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 1, 1))


@settings(max_examples=40, deadline=None)
@given(value=ranges(TIMES))
def test_timestamps(session: RoundTrip, value: Range[Any]) -> None:
    assert all(way == canonical(value) for way in session.all_ways(value, "tsrange"))


@settings(max_examples=40, deadline=None)
@given(value=ranges(st.decimals(-1000, 1000, places=3)))
def test_decimals(session: RoundTrip, value: Range[Any]) -> None:
    expected = canonical(value)
    assert all(way == expected for way in session.all_ways(value, "numrange"))
    wrapped = NumericRange(value.lower, value.upper, value.bounds or "[)", empty=value.isempty)
    assert all(way == expected for way in session.all_ways(wrapped, "numrange"))


@settings(max_examples=40, deadline=None)
@given(values=st.lists(ranges(st.integers(-9, 9)), max_size=4))
def test_multiranges_hold_what_the_ranges_hold(session: RoundTrip, values: list[Range[int]]) -> None:
    ways = session.all_ways(Multirange(values), "int8multirange")
    assert all(way == ways[0] for way in ways)
    for number in range(-9, 10):
        assert any(number in item for item in ways[0]) == any(number in item for item in values)


@pytest.mark.parametrize(
    ("value", "type"),
    [
        (Int4Range(1, 5), "int4range"),
        (Range(-(2**40), None), "int8range"),
        (DateRange(dt.date(2000, 1, 1), dt.date(2000, 1, 5)), "daterange"),
        (TimestampRange(), "tsrange"),
        (Range(dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc), None, "()"), "tstzrange"),
        ([Range(1, 5), Range(empty=True)], "int4range[]"),
        (Multirange([Range(dt.date(2000, 1, 1), dt.date(2000, 1, 2))]), "datemultirange"),
        (Int8Multirange([Range(1, 3), Range(5, None)]), "int8multirange"),
        (Multirange(), "nummultirange"),
        ([Multirange([Range(1, 3)])], "int4multirange[]"),
    ],
)
def test_types(trip: RoundTrip, value: Any, type: str) -> None:
    assert all(way == value for way in trip.all_ways(value, type))


@pytest.fixture
def words(trip: RoundTrip) -> Iterator[RoundTrip]:
    """A connection with a range of texts, registered."""
    trip.command('create type words as range (subtype = text, collation = "C")')
    info = RangeInfo._from_rows("words", trip.rows(*RangeInfo._query("words")))
    assert info is not None
    register_range(info, trip.adapters)
    yield trip
    trip.command("drop type words")


def test_a_range_of_texts_and_its_text(words: RoundTrip) -> None:
    """Also the oracle: range_out's own text, taken apart by the parser alone."""

    @settings(max_examples=40, deadline=None, database=None)
    @given(ranges(st.text('"\\,()[] \tab\u00e9', max_size=5)))
    def there_and_back(value: Range[str]) -> None:
        expected = canonical(value)
        for there in FORMATS_IN:
            for back in FORMATS_OUT:
                assert words.roundtrip(value, "words", there, back) == expected
        text = words.select("select $1::words::text", [value]).encode()
        assert parse(text, 0, bytes.decode) == (expected, len(text))

    there_and_back()


def test_what_is_fetched_of_a_multirange(trip: RoundTrip) -> None:
    info = MultirangeInfo._from_rows("", trip.rows(*MultirangeInfo._query("int4multirange")))
    assert info is not None
    assert (info.name, info.oid, info.range_oid, info.subtype_oid) == ("int4multirange", 4451, 3904, 23)


@settings(max_examples=80, deadline=None)
@given(one=ranges(st.integers(0, 3).map(Decimal)), other=ranges(st.integers(0, 3).map(Decimal)))
def test_order_is_the_servers(session: RoundTrip, one: Range[Any], other: Range[Any]) -> None:
    one, other = canonical(one), canonical(other)
    assert (one < other) is session.select("select $1::numrange < $2::numrange", [one, other])
    assert (one == other) is session.select("select $1::numrange = $2::numrange", [one, other])
    assert (one >= other) is session.select("select $1::numrange >= $2::numrange", [one, other])


@settings(max_examples=60, deadline=None)
@given(value=ranges(st.integers(-3, 3).map(Decimal)), number=st.integers(-4, 4).map(Decimal))
def test_contains_is_the_servers(session: RoundTrip, value: Range[Any], number: Decimal) -> None:
    assert (number in value) is session.select("select $1::numrange @> $2::numeric", [value, number])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Range(dt.date(2000, 1, 1), dt.datetime(2000, 1, 2, 3)), "mixed types: date, timestamp"),
        (Range(1, "a"), "mixed types"),
        (DateRange(dt.datetime(2000, 1, 1, 1, 1), None), "as date: it is a timestamp"),
        (TimestampRange(dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc), None), "timestamp"),
        (Multirange([Range[Any](1, 2), Range[Any]("a", "b")]), "mixed types"),
    ],
)
def test_bounds_that_would_lose_something_are_refused(value: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Transformer().dump_sequence([value], [PyFormat.AUTO])


def test_range_as_an_object() -> None:
    value = Range(1, 5)
    assert (value.lower, value.upper, value.bounds) == (1, 5, "[)")
    assert (value.lower_inc, value.upper_inc, value.lower_inf, value.upper_inf) == (True, False, False, False)
    assert (repr(value), str(value)) == ("Range(1, 5, '[)')", "[1, 5)")
    assert (repr(Range(empty=True)), str(Range(empty=True))) == ("Range(empty=True)", "empty")
    assert Range(None, None, "[]").bounds == "()"
    assert not Range(empty=True)
    assert Range()
    assert Int4Range(1, 5) == value
    assert hash(Int4Range(1, 5)) == hash(value)
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    with pytest.raises(ValueError, match="bounds"):
        Range(1, 2, "[[")


def test_multirange_as_an_object() -> None:
    value = Multirange([Range(1, 2)])
    value.append(Range(5, None))
    value[0] = Range(0, 1)
    assert (repr(value[:1]), str(value)) == ("Multirange([Range(0, 1, '[)')])", "{[0, 1), [5, )}")
    assert value > Multirange([Range(0, 1)])
    del value[1:]
    assert value == Multirange([Range(0, 1)])
    with pytest.raises(TypeError, match="not int"):
        value.append(1)  # type: ignore[arg-type]
