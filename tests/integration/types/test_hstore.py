"""hstore: dictionaries there and back where the extension is, and its bytes by hand everywhere."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import AdaptersMap, Format, PyFormat, Transformer, TypeInfo
from greenpg.errors import DataError
from greenpg.types import adapters
from greenpg.types.hstore import register_hstore

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

OID = 654321
TEXT = st.text('"\\,=> NUL\tnul\u00e9\u8868', max_size=6)
VALUE = st.dictionaries(TEXT, st.none() | TEXT, max_size=4)


def registered() -> Transformer:
    """A map with an hstore of a made-up OID."""
    known = AdaptersMap(adapters)
    register_hstore(TypeInfo("hstore", OID, OID + 1), known)
    return Transformer(known)


def loaded(data: bytes, form: Format) -> Any:
    """What a value of hstore is loaded as."""
    tx = registered()
    tx.set_loader_types([OID], form)
    return tx.load_sequence([data])[0]


@given(value=VALUE)
@settings(max_examples=60, deadline=None)
def test_what_is_dumped_is_loaded(value: dict[str, str | None]) -> None:
    for form, out in ((PyFormat.TEXT, Format.TEXT), (PyFormat.BINARY, Format.BINARY)):
        tx = registered()
        (data,) = tx.dump_sequence([value], [form])
        assert tx.types == (OID,)
        assert data is not None
        # hstore_out writes ", " between the pairs.
        assert loaded(bytes(data) if form is PyFormat.BINARY else _spaced(value), out) == value


def _spaced(value: dict[str, str | None]) -> bytes:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    pairs = (f"{quoted(k)}=>{'NULL' if v is None else quoted(v)}" for k, v in value.items())
    return ", ".join(pairs).encode()


def test_by_hand() -> None:
    data = struct.pack("!ii1si", 2, 1, b"a", -1) + struct.pack("!i1si2s", 1, b"b", 2, b"cd")
    assert loaded(data, Format.BINARY) == {"a": None, "b": "cd"}
    assert loaded(b'"a"=>NULL, "b"=>"c\\"d"', Format.TEXT) == {"a": None, "b": 'c"d'}
    assert loaded(b"", Format.TEXT) == loaded(struct.pack("!i", 0), Format.BINARY) == {}


@pytest.mark.parametrize("data", [b'"a"', b'"a"=>', b'"a"=>"b", ', b"a=>b", b'"a"=>"b""c"=>"d"', b'"a"=>"b'])
def test_broken_text(data: bytes) -> None:
    with pytest.raises(DataError, match="hstore"):
        loaded(data, Format.TEXT)


@pytest.mark.parametrize("value", [{1: "a"}, {"a": 1}, {None: "a"}])
def test_only_strings(value: Any) -> None:
    for form in PyFormat:
        with pytest.raises(DataError, match="of an hstore"):
            registered().dump_sequence([value], [form])


def test_on_a_server(trip: RoundTrip) -> None:
    if not trip.select("select exists(select from pg_available_extensions where name = 'hstore')"):
        pytest.skip("the server has no hstore: the embedded ones come without contrib")
    trip.command("create extension if not exists hstore")
    info = TypeInfo._from_rows("hstore", trip.rows(*TypeInfo._query("hstore")))
    assert info is not None
    register_hstore(info, trip.adapters)

    @settings(max_examples=30, deadline=None, database=None)
    @given(VALUE)
    def there_and_back(value: dict[str, str | None]) -> None:
        assert all(way == value for way in trip.all_ways(value, "hstore"))
        assert all(way == [value] for way in trip.all_ways([value], "hstore[]"))

    there_and_back()
    trip.command("drop extension hstore")
