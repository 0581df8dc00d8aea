"""Bit strings, numbers of transactions, and the types that are strings in Python: from both formats alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import Format
from greenpg.errors import DataError
from greenpg.types.bit import BitString
from tests.roundtrip import FORMATS_OUT

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip


@settings(max_examples=40, deadline=None)
@given(bits=st.text("01", max_size=40))
def test_bit_strings(session: RoundTrip, bits: str) -> None:
    assert all(way == bits for way in session.all_ways(BitString(bits), "varbit"))
    assert all(way == [bits] for way in session.all_ways([BitString(bits)], "varbit[]"))
    if bits:
        assert all(way == bits for way in session.all_ways(BitString(bits), f"bit({len(bits)})"))


def test_a_bit_string_is_of_zeros_and_ones() -> None:
    with pytest.raises(ValueError, match="012"):
        BitString("012")


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("'4294967295'::xid", 2**32 - 1),
        ("'4294967295'::cid", 2**32 - 1),
        ("'18446744073709551615'::xid8", 2**64 - 1),
        ("'(4294967295,65535)'::tid", "(4294967295,65535)"),
        ("array['7'::xid, null]", [7, None]),
    ],
)
@pytest.mark.parametrize("out", FORMATS_OUT)
def test_numbers_of_the_system(trip: RoundTrip, sql: str, value: Any, out: Format) -> None:
    assert trip.select(f"select {sql}", fmt_out=out) == value


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("money", "$1,234.50"),
        ("tsvector", "'a':1 'b':2A"),
        ("tsquery", "'a' & !'b'"),
        ("jsonpath", '$."a"[*]'),
        ("pg_lsn", "16/B374D848"),
        ("regclass", "pg_class"),
        ("regtype", "integer"),
        ("int2vector", "1 2"),
        ("pg_snapshot", "10:20:10,14"),
    ],
)
def test_types_without_a_safe_binary_form_are_texts(trip: RoundTrip, type: str, value: str) -> None:
    """So nobody ever meets their raw bytes: the core asks for text, and binary by force is refused."""
    oid = trip.select("select $1::regtype::oid", [type])
    assert not trip.adapters.prefers_binary(oid)
    assert trip.select(f"select $1::{type}", [value]) == value
    assert trip.select(f"select array[$1::{type}]", [value]) == [value]
    for sql in (f"select $1::{type}", f"select array[$1::{type}]"):
        with pytest.raises(DataError, match=f"no loader for the binary format .*{type}"):
            trip.select(sql, [value], fmt_out=Format.BINARY)
