"""JSON: there and back, by the functions of one's choice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import PyFormat, Transformer
from greenpg.errors import DataError
from greenpg.types.json import Json, Jsonb, set_json_dumps, set_json_loads
from tests.roundtrip import FORMATS_OUT

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
# jsonb keeps 4.000478460974643e+16 as 40004784609746430, which is an integer and not that float.
FLOAT = st.floats(-1e15, 1e15)
SCALAR = st.none() | st.booleans() | st.integers() | FLOAT | TEXT
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=8)


@settings(max_examples=60, deadline=None)
@given(value=VALUE)
def test_values(session: RoundTrip, value: Any) -> None:
    assert all(way == value for way in session.all_ways(Json(value), "json"))
    assert all(way == value for way in session.all_ways(Jsonb(value), "jsonb"))


def test_arrays(trip: RoundTrip) -> None:
    value = [{"a": [1, None]}, 'b"\\,']
    assert all(way == [*value, None] for way in trip.all_ways([*map(Jsonb, value), None], "jsonb[]"))


@pytest.mark.parametrize("text", ["\ud800", "a\udc00", "\0", "\\\ud800", "\ud800\ud800\udc00"])
@pytest.mark.parametrize("form", list(PyFormat))
@pytest.mark.parametrize("wrapper", [Json, Jsonb])
@pytest.mark.parametrize("escaped", [True, False])
def test_what_jsonb_cannot_hold_is_refused(text: str, form: PyFormat, wrapper: Any, escaped: bool) -> None:
    value = wrapper({"a": text}, lambda obj: json.dumps(obj, ensure_ascii=escaped))
    with pytest.raises(DataError, match=r"surrogate|NUL"):
        Transformer().dump_sequence([value], [form])


@pytest.mark.parametrize("text", ["\U0001f600", "\\ud800", "\\\\u0000", "\\u0000\\"])
def test_what_only_looks_like_it_is_kept(trip: RoundTrip, text: str) -> None:
    assert all(way == [text] for way in trip.all_ways(Jsonb([text]), "jsonb"))


def test_dumps_and_loads_of_ones_own(trip: RoundTrip) -> None:
    set_json_dumps(lambda obj: json.dumps(obj).replace("1", "2"), trip.adapters)
    set_json_loads(lambda text: ("loaded", json.loads(text)), trip.adapters)
    assert all(way == ("loaded", [2]) for way in trip.all_ways(Jsonb([1]), "jsonb"))
    assert all(way == ("loaded", [2]) for way in trip.all_ways(Json([1]), "json"))
    assert all(way == ("loaded", [3]) for way in trip.all_ways(Json([1], lambda _: b"[3]"), "json"))
    assert Transformer().dump_sequence([Json([1])], [PyFormat.TEXT]) == [b"[1]"]


@pytest.mark.parametrize("encoding", ["latin1", "sjis", "utf8"])
def test_client_encodings(trip: RoundTrip, encoding: str) -> None:
    trip.command(f"set client_encoding to {encoding}")
    raw = Json("\u00a7", lambda obj: f'"{obj}"')
    try:
        for out in FORMATS_OUT:
            assert trip.select("select '[\"\\u005c\\u00a7\"]'::json", fmt_out=out) == ["\\\u00a7"]
            assert trip.select("select $1::json", [raw], fmt_out=out) == "\u00a7"
    finally:
        trip.command("reset client_encoding")  # the session is for the other tests too


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "1" * 5000])
def test_what_python_cannot_load_is_one_clear_error(trip: RoundTrip, text: str) -> None:
    tx = Transformer(trip)
    tx.set_loader_types([114], FORMATS_OUT[0])
    with pytest.raises(DataError, match="cannot load JSON"):
        tx.load_sequence([text.encode()])


def test_repr() -> None:
    assert repr(Json([1])) == "Json([1])"
    assert repr(Jsonb("a" * 100)) == f"Jsonb('{'a' * 34} ...)"
