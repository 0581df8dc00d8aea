"""Texts in every encoding, and bytes."""

from __future__ import annotations

import enum
import functools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg.adapt import PyFormat, Transformer, codec_of, disputed
from greenpg.errors import DatabaseError, DataError, NotSupportedError
from greenpg.pq import Format
from greenpg.types.json import Json, Jsonb
from tests.roundtrip import FORMATS_OUT, LIVE

if TYPE_CHECKING:
    from tests.roundtrip import RoundTrip

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))

# The encodings that a client may have and Python has a codec for; a server's name of it, or a synonym.
ENCODINGS = [
    *(
        "BIG5",
        "EUC_CN",
        "EUC_JIS_2004",
        "EUC_JP",
        "EUC_KR",
        "GB18030",
        "GBK",
        "JOHAB",
        "KOI8R",
        "KOI8U",
        "UHC",
    ),
    *(f"LATIN{number}" for number in range(1, 11)),
    *(f"ISO_8859_{number}" for number in range(5, 9)),
    *("SHIFT_JIS_2004", "SJIS", "UTF8", "WIN866", "WIN874"),
    *(f"WIN{page}" for page in range(1250, 1259)),
]


BLOCK = 32
"""Characters sent at a time: a block with one that the server lacks is left out."""


class Shouting(str):
    """A string that lies about itself."""

    def encode(self, *_args: object) -> bytes:
        return b"LOUD"

    def __str__(self) -> str:
        return "LOUD"


@LIVE
@given(TEXTS)
def test_texts(trip: RoundTrip, value: str) -> None:
    """Quotes, backslashes, everything of Unicode."""
    trip.check(value, "text")
    trip.check(value, "varchar")


@pytest.mark.parametrize("conforming", ["on", "off"])
@pytest.mark.parametrize("value", ["'", "\\", "\\'", "''\\\\", "E'", "\\x41"])
def test_literals(trip: RoundTrip, value: str, conforming: str) -> None:
    """Whatever `standard_conforming_strings` says, of text and of bytes."""
    trip.command(f"set standard_conforming_strings = {conforming}; set escape_string_warning = off")
    for back in FORMATS_OUT:
        assert trip.literal(value, "text", back) == value
        assert trip.literal(value.encode(), "bytea", back) == value.encode()


@pytest.mark.parametrize(
    ("type", "sent", "back"),
    [
        ("bpchar", "a ", "a "),
        ("name", "ab", "ab"),
        ('"char"', "a", "a"),
        ('"char"', "", ""),
        ("char(3)", "a", "a  "),
        ("unknown", "x", "x"),
    ],
)
def test_the_text_family(trip: RoundTrip, type: str, sent: str, back: str) -> None:
    """All of them are `str`."""
    for format in FORMATS_OUT:
        assert trip.select(f"select '{sent}'::{type}", fmt_out=format) == back


def test_every_char(trip: RoundTrip) -> None:
    """`"char"` is a byte, and its binary format not the text of it."""
    got = [trip.select(f'select ({n})::"char"', fmt_out=Format.BINARY) for n in range(-128, 128)]
    assert got == [*(f"\\{n:03o}" for n in range(128, 256)), "", *map(chr, range(1, 128))]


@pytest.mark.parametrize("format", PyFormat)
@pytest.mark.parametrize(("value", "why"), [("a\0b", "NUL"), ("a\ud800", "surrogate")])
def test_what_no_text_has(trip: RoundTrip, value: str, why: str, format: PyFormat) -> None:
    """Refused before anything is sent, with the value."""
    with pytest.raises(DataError, match=why):
        trip.select("select $1::text", [value], format)
    with pytest.raises(DataError, match=why):
        trip.literal(value, "text")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(trip: RoundTrip, encoding: str) -> None:
    """Every character that server and codec both have comes as what it is."""
    trip.command("set client_encoding to utf8")
    codec = codec_of_name(trip, encoding)
    shared = [
        char
        for char in map(chr, (*range(1, 0xD800), *range(0xE000, 0x10000)))
        if can(char, codec) and char not in disputed(codec)
    ]
    trip.command(f"set client_encoding to '{encoding}'")
    kept = 0
    for at in range(0, len(shared), BLOCK):
        block = "".join(shared[at : at + BLOCK])
        try:
            back = trip.select("select $1::text", [block])
        except DatabaseError:  # the server lacks one of them
            continue
        assert back == block
        kept += len(block)
    assert kept >= 64


def codec_of_name(trip: RoundTrip, encoding: str) -> str:
    """Return the codec of an encoding, as the server spells it."""
    trip.command(f"set client_encoding to '{encoding}'")
    found = codec_of(trip)
    trip.command("set client_encoding to utf8")
    return found


def can(char: str, codec: str) -> bool:
    """Return whether a codec has a character."""
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def labels(name: str) -> type[enum.Enum]:
    """Return an enum of one member."""
    made: type[enum.Enum] = enum.Enum("Labels", [name])  # type: ignore[misc]
    return made


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        *(("BIG5", "big5"), ("SJIS", "cp932"), ("EUC_JP", "euc_jp")),
        *(("EUC_JIS_2004", "euc_jis_2004"), ("EUC_KR", "euc_kr")),
    ],
)
def test_characters_that_are_another_on_the_other_side(trip: RoundTrip, encoding: str, codec: str) -> None:
    """Refused; Python writes the yen of EUC_JP as a backslash, for one."""
    trip.command(f"set client_encoding to '{encoding}'")
    for char in sorted(disputed(codec))[:20]:
        label = next(iter(labels(f"x{char}")))
        dumps = functools.partial(json.dumps, ensure_ascii=False)
        for value in (char, [char], (char, 1), label, Json(char, dumps), Jsonb([char], dumps)):
            with pytest.raises(DataError, match="differently"):
                trip.select("select $1::text", [value])


def test_what_the_server_says_is_no_other_character(trip: RoundTrip) -> None:
    """In EUC_JP it has one byte pair for a character that Python reads as another."""
    trip.command("set client_encoding to 'euc_jp'")
    for sql in ("chr(8741)", "to_json(chr(8741))", "array[chr(8741)]", "row(chr(8741))"):
        with pytest.raises(DataError, match="differently"):
            trip.select(f"select {sql}")


def test_what_the_encoding_has_not(trip: RoundTrip) -> None:
    """Refused before anything is sent."""
    trip.command("set client_encoding to latin1")
    assert trip.select("select $1::text", ["é"]) == "é"
    with pytest.raises(DataError, match="iso8859-1 has not"):
        trip.select("select $1::text", ["€"])


def test_sql_ascii_loads_bytes(trip: RoundTrip) -> None:
    """Nobody knows what they mean; nothing is lost."""
    trip.command("set client_encoding to sql_ascii")
    for format in FORMATS_OUT:
        assert trip.select("select $1::text", ["é"], fmt_out=format) == "é".encode()


def test_an_encoding_without_a_codec(trip: RoundTrip) -> None:
    """One clear error; the way out is in it."""
    trip.command("set client_encoding to euc_tw")
    with pytest.raises(NotSupportedError, match="set client_encoding to UTF8"):
        trip.select("select 'a'::text")


def test_subclasses_go_as_the_text_they_are(trip: RoundTrip) -> None:
    """Whatever they make of it."""
    assert trip.all_ways(Shouting("quiet"), "text") == ["quiet"] * 8


@pytest.mark.parametrize("output", ["hex", "escape"])
@LIVE
@given(value=st.binary())
def test_bytes(trip: RoundTrip, output: str, value: bytes) -> None:
    """In both formats that a server may write."""
    trip.command(f"set bytea_output to {output}")
    trip.check(value, "bytea")
    for cls in (bytearray, memoryview):
        assert trip.all_ways(cls(value), "bytea") == [value] * 8


def test_bytes_are_copied() -> None:
    """What is changed after the call does not reach the server."""
    value = bytearray(b"abc")
    dumped = Transformer().dump_sequence([value], [PyFormat.BINARY])
    value[:] = b"xyz"
    assert dumped == [b"abc"]
