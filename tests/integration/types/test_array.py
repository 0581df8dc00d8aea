"""Arrays: lists there and back, and the server's own text of them as the oracle."""

from __future__ import annotations

import datetime as dt
import ipaddress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import Format, PyFormat, Transformer
from greenpg.errors import DataError
from greenpg.types.array import parse
from greenpg.types.geometric import Box
from tests.roundtrip import FORMATS_OUT

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NASTY = st.text('"\\,{} \tnulNUL;\u00e9', max_size=6)


def nested(element: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of up to three dimensions, each of one length, of elements and None."""

    def of(dims: list[int]) -> st.SearchStrategy[list[Any]]:
        inner = st.none() | element if len(dims) == 1 else of(dims[1:])
        return st.lists(inner, min_size=dims[0], max_size=dims[0])

    return st.lists(st.integers(1, 3), min_size=1, max_size=3).flatmap(of)


@settings(max_examples=60, deadline=None)
@given(value=nested(TEXT | NASTY))
def test_texts(session: RoundTrip, value: list[Any]) -> None:
    assert all(way == value for way in session.all_ways(value, "text[]"))


@settings(max_examples=30, deadline=None)
@given(value=nested(st.integers(-(2**63), 2**63 - 1)))
def test_integers_go_as_the_widest(session: RoundTrip, value: list[Any]) -> None:
    assert all(way == value for way in session.all_ways(value, "int8[]"))


@settings(max_examples=30, deadline=None)
@given(value=nested(st.binary(max_size=6)))
def test_bytes(session: RoundTrip, value: list[Any]) -> None:
    assert all(way == value for way in session.all_ways(value, "bytea[]"))


@pytest.mark.parametrize(
    ("value", "type"),
    [
        ([], "int4[]"),
        ([None], "int4[]"),
        ([True, None, False], "bool[]"),
        ([1.5, float("inf"), -0.0], "float8[]"),
        ([Decimal("1.10"), 2, 2**70], "numeric[]"),
        ([dt.datetime(2000, 1, 1, 1, 2, 3, 4)], "timestamp[]"),
        ([dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc)], "timestamptz[]"),
        ([ipaddress.ip_address("::1"), ipaddress.ip_interface("10.1.2.3/8")], "inet[]"),
        ([Box((1, 2), (3, 0)), None, Box((0, 0), (1, 1))], "box[]"),
        ([[[[[["deep"]]]]]], "text[]"),
    ],
)
def test_types(trip: RoundTrip, value: list[Any], type: str) -> None:
    assert all(way == value for way in trip.all_ways(value, type))


@pytest.mark.parametrize("out", FORMATS_OUT)
def test_lower_bounds_are_accepted(trip: RoundTrip, out: Format) -> None:
    assert trip.select("select '[2:3]={1,2}'::int[]", fmt_out=out) == [1, 2]
    assert trip.select("select '[-1:0][5:6]={{1,2},{3,NULL}}'::int[]", fmt_out=out) == [[1, 2], [3, None]]
    assert trip.select("select '[2:2]={\"a,}\"}'::text[]", fmt_out=out) == ["a,}"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[1], [2, 3]], "ragged.*2, 3"),
        ([1, [2]], "ragged"),
        ([[1], None], "ragged"),
        ([[], []], "empty lists"),
        ([1, "a"], "mixed types.*int as int2, str"),
        ([1, True], "mixed types.*bool.*int"),
        ([dt.date(2000, 1, 1), dt.datetime(2000, 1, 1)], "mixed types.*date.*datetime"),
        (
            [dt.datetime(2000, 1, 1), dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc)],
            "mixed types.*timestamp.*timestamptz",
        ),
        ([[[[[[[1]]]]]]], "6 dimensions"),
    ],
)
@pytest.mark.parametrize("form", list(PyFormat))
def test_what_postgresql_would_not_give_back_is_refused(value: list[Any], said: str, form: PyFormat) -> None:
    with pytest.raises(DataError, match=said):
        Transformer().dump_sequence([value], [form])


def test_a_list_in_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(DataError, match="6 dimensions"):
        Transformer().dump_sequence([value], [PyFormat.AUTO])


@settings(max_examples=60, deadline=None)
@given(value=nested(NASTY))
def test_the_parser_reads_what_the_server_writes(session: RoundTrip, value: list[Any]) -> None:
    """The oracle: array_out's own text, taken apart by the parser alone."""
    text = session.select("select $1::text[]::text", [value])
    assert parse(text.encode(), b",", bytes.decode) == value


@pytest.mark.parametrize("encoding", ["SJIS", "BIG5", "GBK", "GB18030"])
def test_a_backslash_in_a_character_is_none(trip: RoundTrip, encoding: str) -> None:
    """The second byte of these characters is a backslash or a brace in some client encodings."""
    value = [char for char in "\u8868\u30bd\u529f\u8aa0" if _has(char, encoding)]
    trip.command(f"set client_encoding to {encoding}")
    try:
        assert value
        assert all(way == value for way in trip.all_ways(value, "text[]"))
        assert trip.select("select row($1::text, 1)", value[:1]) == (value[0], "1")
    finally:
        trip.command("reset client_encoding")  # the session is for the other tests too


def _has(char: str, encoding: str) -> bool:
    try:
        return bool(char.encode({"SJIS": "shift_jis"}.get(encoding, encoding)))
    except UnicodeEncodeError:
        return False
