"""Every loader against bytes that no sane server sends: a value or a `DataError`, soon, in little memory."""

from __future__ import annotations

import enum
import struct
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenpg.adapt import AdaptersMap, Format, PyFormat, Transformer, TypeInfo
from greenpg.errors import DataError
from greenpg.types import adapters
from greenpg.types.composite import CompositeInfo, register_composite
from greenpg.types.enum import EnumInfo, register_enum
from greenpg.types.hstore import register_hstore


class Mood(enum.Enum):
    """The members of the enum."""

    sad = 1


COMPOSITE, HSTORE, ENUM, RECORD = 700001, 700003, 700005, 2249
FORMATS = (Format.TEXT, Format.BINARY)


def everything() -> AdaptersMap:
    """All adapters, and one type of each kind that must be registered."""
    known = AdaptersMap(adapters)
    fields = {"field_names": ["a", "b"], "field_types": [23, COMPOSITE + 1]}
    register_composite(CompositeInfo("pair", COMPOSITE, COMPOSITE + 1, **fields), known)  # type: ignore[arg-type]
    register_hstore(TypeInfo("hstore", HSTORE, HSTORE + 1), known)
    register_enum(EnumInfo("mood", ENUM, ENUM + 1, ["sad"]), known, Mood)
    return known


KNOWN = everything()
OIDS = sorted({oid for info in KNOWN.types for oid in (info.oid, info.array_oid) if oid})
LOADERS = [(oid, form) for oid in OIDS for form in FORMATS if KNOWN.get_loader(oid, form)]

TEXTS = st.text('{}[]()<>,;:=/\\"-+.0123456789eE NULnuliftya\u00e9\0', max_size=30).map(str.encode)
INT32 = st.sampled_from([-(2**31), -2, -1, 0, 1, 2, 4, 6, 23, 25, 2249, 900_000_000, 2**31 - 1])
WORDS = st.lists(INT32, max_size=8).map(lambda words: struct.pack(f"!{len(words)}i", *words))
BYTES = st.binary(max_size=30) | TEXTS | WORDS | st.tuples(WORDS, st.binary(max_size=6)).map(b"".join)


def load(oid: int, form: Format, data: bytes) -> Any:
    """Load one value."""
    tx = Transformer(KNOWN)
    tx.set_loader_types([oid], form)
    return tx.load_sequence([data])[0]


@settings(max_examples=1000, deadline=None)
@given(which=st.sampled_from(LOADERS), data=BYTES)
def test_nothing_but_values_and_data_errors(which: tuple[int, Format], data: bytes) -> None:
    with suppress(DataError):
        load(*which, data)


def samples() -> list[tuple[int, Format, bytes]]:
    """Good values of the types that hold others."""
    from greenpg.types.multirange import Int4Multirange
    from greenpg.types.range import Int4Range

    values: dict[int, Any] = {
        1007: [[1, None], [3, 4]],
        1009: ["a", 'b"c', None],
        3904: Int4Range(1, 5),
        4451: Int4Multirange([Int4Range(1, 2), Int4Range(5, None)]),
        HSTORE: {"a": "b", "c": None},
    }
    found = []
    for oid, value in values.items():
        for form in (PyFormat.TEXT, PyFormat.BINARY):
            tx = Transformer(KNOWN)
            (data,) = tx.dump_sequence([value], [form])
            assert data is not None
            found.append((oid, form.as_pq, bytes(data)))
    return found


@pytest.mark.parametrize(("oid", "form", "good"), samples())
def test_every_cut_and_every_byte_changed(oid: int, form: Format, good: bytes) -> None:
    """A binary value cut anywhere, or with a byte too many, is refused; what was changed never surprises."""
    if form == Format.BINARY:
        load(oid, form, good)
        for bad in [*(good[:end] for end in range(len(good))), good + b"\0"]:
            with pytest.raises(DataError):
                load(oid, form, bad)
    for at in range(len(good)):
        for byte in (0, 1, 0x22, 0x2C, 0x5C, 0x7B, 0x7F, 0x80, 0xFF):
            with suppress(DataError):
                load(oid, form, good[:at] + bytes([byte]) + good[at + 1 :])


BIG = 900_000_000
CLAIMS = {
    "array of as many": (1007, struct.pack("!iiIii", 1, 0, 23, BIG, 1)),
    "array of products": (1007, struct.pack("!iiI12i", 6, 0, 23, *[BIG, 1] * 6)),
    "array of negative dimensions": (1007, struct.pack("!iiI4i", 2, 0, 23, -5, 1, -5, 1)),
    "array of many dimensions": (1007, struct.pack("!iiI", BIG, 0, 23)),
    "element of as many bytes": (1007, struct.pack("!iiIiii", 1, 0, 23, 1, 1, BIG)),
    "record of as many fields": (RECORD, struct.pack("!i", BIG)),
    "field of as many bytes": (RECORD, struct.pack("!iIi", 1, 25, BIG)),
    "composite": (COMPOSITE, struct.pack("!i", BIG)),
    "bound": (3904, struct.pack("!Bi", 2, BIG)),
    "multirange": (4451, struct.pack("!i", BIG)),
    "range in a multirange": (4451, struct.pack("!ii", 1, BIG)),
    "hstore": (HSTORE, struct.pack("!i", BIG)),
    "key": (HSTORE, struct.pack("!ii", 1, BIG)),
    "path": (602, struct.pack("!?i", True, BIG)),
    "polygon": (604, struct.pack("!i", BIG)),
    "bits": (1562, struct.pack("!i", BIG)),
    "address": (869, struct.pack("!4B", 2, 32, 0, 255)),
}


@pytest.mark.parametrize(("oid", "data"), CLAIMS.values(), ids=CLAIMS)
def test_a_claimed_length_is_not_believed(oid: int, data: bytes) -> None:
    with suppress(DataError):
        load(oid, Format.BINARY, data)  # what is made once, is made
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            load(oid, Format.BINARY, data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


N = 100_000
LONG = [
    *(
        b"{" * N,
        b"{" * N + b"}" * N,
        b"{" + b"{}," * N,
        b"{" + b"a," * N,
        b'{"' + b"\\" * N,
        b'{"' + b'\\"' * N,
    ),
    *(b'{"' + b"a" * N, b'{"a"' * N, b"{" + b" " * N + b"}", b"[1:2]" * N, b"[" + b"1" * N + b":1]={1}"),
    *(b"(" * N, b"(" + b"," * N, b'("' + b'""' * N, b'("' + b"\\" * N, b"(" + b"a" * N, b"(" + b'"a",' * N),
    *(
        b"[" + b"1" * N,
        b'["' + b'"' * N,
        b"{[" + b"1,2),[" * N,
        b"{" + b"empty," * N,
        b'["' + b"\\\\" * N + b",)",
    ),
    *(b'"a"=>"b", ' * N, b'"a"=>' * N, b'"' + b"\\" * N, b'"' + b'\\"' * N + b"=>NULL", b'"a"=>NULL' * N),
    *(b"((" + b"1,2),(" * N, b"(" + b"1" * N + b",2)", b"(1e" + b"9" * N + b",2)", b"(" + b"(#,#)," * N),
]


@pytest.mark.parametrize("oid", [1007, 1009, RECORD, COMPOSITE, 3904, 4451, HSTORE, 600, 602, 604, 718])
def test_long_texts_take_linear_time(oid: int) -> None:
    """With a parser that goes back, one of these would take hours; all of them take seconds."""
    start = time.process_time()
    for data in LONG:
        with suppress(DataError):
            load(oid, Format.TEXT, data)
    assert time.process_time() - start < 40
