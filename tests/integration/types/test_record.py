"""Records and composite types: tuples, named tuples and classes, there and back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import Format, PyFormat
from greenpg.errors import DataError
from greenpg.types.composite import CompositeInfo, parse, register_composite
from tests.roundtrip import FORMATS_IN, FORMATS_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.roundtrip import RoundTrip

FIELD = st.none() | st.text('"\\,() \tnull\u00e9', max_size=6)


def fetched(trip: RoundTrip, name: str) -> CompositeInfo:
    """What `CompositeInfo.fetch` does, over this connection."""
    info = CompositeInfo._from_rows(name, trip.rows(*CompositeInfo._query(name)))
    assert info is not None
    return info


@pytest.fixture
def shop(trip: RoundTrip) -> Iterator[RoundTrip]:
    """A connection with a composite type, of which one attribute has been dropped."""
    trip.command('create type item as (name text, gone int, "n o" int4, day date, tags text[])')
    trip.command("alter type item drop attribute gone")
    yield trip
    trip.command("drop type item cascade")


ITEM = ("a,\"b)' \\", 7, dt.date(2000, 1, 2), ["x y", None])


@settings(max_examples=60, deadline=None)
@given(fields=st.lists(FIELD, min_size=1, max_size=5))
def test_the_parser_reads_what_the_server_writes(session: RoundTrip, fields: list[Any]) -> None:
    """The oracle: record_out's own text, taken apart by the parser alone."""
    places = ", ".join(f"${number + 1}::text" for number in range(len(fields)))
    text = session.select(f"select row({places})::text", fields)
    assert parse(text.encode()) == [None if field is None else field.encode() for field in fields]


@pytest.mark.parametrize("out", FORMATS_OUT)
def test_a_record_is_a_tuple(trip: RoundTrip, out: Format) -> None:
    one: Any = 1 if out == Format.BINARY else "1"  # text does not say the types
    assert trip.select("select row(1, 'a b', null, '')", fmt_out=out) == (one, "a b", None, "")
    assert trip.select("select row(null)", fmt_out=out) == (None,)
    assert trip.select("select array[row(1, 'a,b')]", fmt_out=out) == [(one, "a,b")]


def test_a_composite_is_a_named_tuple(shop: RoundTrip) -> None:
    info = fetched(shop, "item")
    register_composite(info, shop.adapters)
    assert info.field_names == ["name", "n o", "day", "tags"]
    value: Any = info.python_type(*ITEM)  # type: ignore[misc]
    for there in FORMATS_IN:
        for back in FORMATS_OUT:
            loaded = shop.select("select $1", [value], there, back)
            assert loaded == value
            assert (loaded.name, loaded.n_o) == ITEM[:2]
            assert shop.select("select $1", [[value, value]], there, back) == [value, value]
    assert shop.literal(value, "item") == value


@dataclass
class Item:
    """A class with the type's fields under other names."""

    name: str
    number: int
    day: dt.date
    tags: list[str | None]


def test_a_composite_is_any_class(shop: RoundTrip) -> None:
    info = fetched(shop, "item")
    register_composite(
        info, shop.adapters, Item, make_sequence=lambda obj, info: [obj.name, obj.number, obj.day, obj.tags]
    )
    for there in FORMATS_IN:
        for back in FORMATS_OUT:
            assert shop.select("select $1", [Item(*ITEM)], there, back) == Item(*ITEM)


def test_a_tuple_goes_where_the_type_is_known(shop: RoundTrip) -> None:
    register_composite(fetched(shop, "item"), shop.adapters)
    assert shop.select("select $1::item", [ITEM]) == ITEM
    assert shop.select("select $1::item[]", [[ITEM]]) == [ITEM]


@pytest.mark.parametrize("out", FORMATS_OUT)
def test_a_type_altered_since_is_refused(shop: RoundTrip, out: Format) -> None:
    info = fetched(shop, "item")
    register_composite(info, shop.adapters)
    shop.command("alter type item add attribute more int")
    with pytest.raises(DataError, match=r"5( fields|) .*: fetch its CompositeInfo again"):
        shop.select("select row('a', 1, null, null, 5)::item", fmt_out=out)


def test_a_field_that_would_lose_a_part_is_refused(shop: RoundTrip) -> None:
    """The server reads a timestamp's text as a date, and drops the time."""
    info = fetched(shop, "item")
    register_composite(info, shop.adapters)
    value = info.python_type("a", 1, dt.datetime(2000, 1, 2, 3, 4), None)  # type: ignore[misc]
    for form in (PyFormat.AUTO, PyFormat.TEXT, PyFormat.BINARY):
        with pytest.raises(DataError, match="date"):
            shop.select("select $1", [value], form)
