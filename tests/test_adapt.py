"""Choosing dumpers and loaders, and the errors of both, without a server."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greenpg.adapt import AdaptersMap, Dumper, Format, Loader, PyFormat, Transformer, codec, shown
from greenpg.adapt import adapters as global_adapters
from greenpg.errors import DataError, InterfaceError, NotSupportedError, OperationalError, ProgrammingError
from greenpg.types import TypeInfo
from greenpg.types.string import StrDumper

BUILT_IN = [(info.oid, info.name) for info in global_adapters.types]


class Thing:
    """Something that has no dumper."""

    def __repr__(self) -> str:
        return "a thing"


class Part(Thing):
    """A subclass of it."""


class ThingDumper(Dumper):
    """Dumps things as text."""

    def dump(self, obj: Any) -> bytes:
        """Return something."""
        return b"thing"


class ThingBinaryDumper(ThingDumper):
    """Dumps things as binary."""

    format = Format.BINARY


class Clumsy(Dumper):
    """A dumper with a mistake."""

    def dump(self, obj: Any) -> bytes:
        """Fail in its own way."""
        raise KeyError("oops")


class Upper(Loader):
    """Loads text in capitals."""

    def load(self, data: bytes) -> str:
        """Return the text."""
        return data.decode().upper()


@pytest.fixture
def adapters() -> AdaptersMap:
    """A copy of the package's."""
    return AdaptersMap(global_adapters)


def dump(adapters: AdaptersMap, obj: object, format: PyFormat = PyFormat.AUTO) -> tuple[Any, Any, Any]:
    """Return a dumped object, its type and its format."""
    tx = Transformer(adapters)
    data = tx.dump_sequence([obj], [format])[0]
    assert tx.types is not None
    assert tx.formats is not None
    return data, tx.types[0], tx.formats[0]


def test_the_last_dumper_is_the_default(adapters: AdaptersMap) -> None:
    """And each format has its own."""
    adapters.register_dumper(Thing, ThingBinaryDumper)
    adapters.register_dumper(Thing, ThingDumper)
    assert dump(adapters, Thing()) == (b"thing", 0, Format.TEXT)
    assert dump(adapters, Thing(), PyFormat.BINARY) == (b"thing", 0, Format.BINARY)
    adapters.register_dumper(Thing, ThingBinaryDumper)
    assert dump(adapters, Thing()) == (b"thing", 0, Format.BINARY)


def test_a_dumper_is_found_by_name_and_by_base_class(adapters: AdaptersMap) -> None:
    """A class need not be imported to be registered."""
    adapters.register_dumper(f"{__name__}.Thing", ThingDumper)
    assert dump(adapters, Part()) == (b"thing", 0, Format.TEXT)


def test_changes_stay_where_they_are_made(adapters: AdaptersMap) -> None:
    """Neither do they reach the template, nor what was made of it before."""
    before = AdaptersMap(adapters)
    adapters.register_dumper(Thing, ThingDumper)
    adapters.register_loader("text", Upper)
    adapters.types.add(TypeInfo("new", 99999, 99998))
    after = AdaptersMap(adapters)
    for other in (global_adapters, before):
        with pytest.raises(ProgrammingError, match="'Thing'"):
            other.get_dumper(Thing, PyFormat.AUTO)
        assert other.get_loader(25, Format.TEXT) is not Upper
        assert other.types.get("new") is None
    assert after.get_dumper(Thing, PyFormat.AUTO) is ThingDumper
    assert after.types["new[]"].oid == after.types[99998].oid == 99999


def test_what_cannot_be_adapted(adapters: AdaptersMap) -> None:
    """The error names the class, and for a dumper that fails the value."""
    with pytest.raises(ProgrammingError, match="cannot adapt type 'Thing' for the placeholder '%s'"):
        dump(adapters, Thing())
    adapters.register_dumper(Thing, Clumsy)
    with pytest.raises(DataError, match="a thing of type 'Thing'") as caught:
        dump(adapters, Thing())
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(DataError, match="a thing"):
        Transformer(adapters).as_literal(Thing())


def test_a_failed_dump_changes_nothing(adapters: AdaptersMap) -> None:
    """Types and formats are those of what was dumped last."""
    tx = Transformer(adapters)
    tx.dump_sequence([1], [PyFormat.AUTO])
    with pytest.raises(ProgrammingError):
        tx.dump_sequence([1, Thing()], [PyFormat.AUTO] * 2)
    assert (tx.types, tx.formats) == ((21,), [Format.BINARY])


def test_one_dumper_for_all_of_a_kind(adapters: AdaptersMap) -> None:
    """It is made once."""
    tx = Transformer(adapters)
    assert tx.get_dumper(1, PyFormat.AUTO) is tx.get_dumper(2, PyFormat.AUTO)
    assert tx.get_dumper(1, PyFormat.AUTO) is not tx.get_dumper(10**6, PyFormat.AUTO)
    assert tx.get_dumper("a", PyFormat.AUTO) is tx.get_dumper("b", PyFormat.AUTO)
    assert Transformer.from_context(tx) is tx


def test_the_last_loader_is_the_format_preferred(adapters: AdaptersMap) -> None:
    """Somebody's own loader of text is not passed over by asking for binary."""
    tx = Transformer(adapters)
    assert tx.are_binary([23, 25, 1082])
    adapters.register_loader("text", Upper)
    assert not tx.are_binary([23, 25])
    assert not tx.are_binary([1009])  # an array of texts is made of them
    assert not tx.are_binary([99999])


def test_a_type_without_a_loader(adapters: AdaptersMap) -> None:
    """Text is text; nobody knows what binary means."""
    tx = Transformer(adapters)
    tx.set_loader_types([99999], Format.TEXT)
    assert tx.load_sequence([b"abc"]) == ("abc",)
    tx.set_loader_types([99999], Format.BINARY)
    assert tx.load_sequence([None]) == (None,)
    with pytest.raises(DataError, match=r"column 1 .*OID 99999"):
        tx.load_sequence([b"abc"])


def test_the_number_of_values_counts(adapters: AdaptersMap) -> None:
    """Too few or too many are an error of ours."""
    tx = Transformer(adapters)
    tx.set_loader_types([25, 25], Format.TEXT)
    with pytest.raises(DataError, match="expected 2 values"):
        tx.load_sequence([b"a"])
    tx.set_dumper_types([25, 25], Format.TEXT)
    with pytest.raises(DataError, match="expected 2 values"):
        tx.dump_sequence(["a"], [])


def test_no_rows_without_a_result(adapters: AdaptersMap) -> None:
    """One row: none; several: an error."""
    tx = Transformer(adapters)
    assert tx.load_row(0, tuple) is None
    with pytest.raises(InterfaceError, match="no rows"):
        tx.load_rows(0, 1, tuple)


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, b"NULL"), (True, b"true"), (5, b"5"), (-5, b" -5"), (1.5, b"1.5"), (-1.5, b" -1.5"),
        (float("nan"), b"'nan'::double precision"), (Decimal("-1.50"), b" -1.50"), ("it's", b"'it''s'"),
        ("a\\b", b" E'a\\\\b'"), (b"\0", b" E'\\\\x00'::bytea"),
    ],
)  # fmt: skip
def test_literals(value: object, literal: bytes) -> None:
    """A space before a minus and an E keeps them apart from what comes before."""
    assert Transformer().as_literal(value) == literal


def test_a_dumper_can_be_used_alone() -> None:
    """As in psycopg."""
    assert StrDumper(str).dump("é") == "é".encode()
    assert StrDumper(str).quote("é") == "'é'".encode()


class Rude:
    """Something whose repr fails."""

    def __repr__(self) -> str:
        raise ValueError("no")


def test_values_in_messages_are_short_and_harmless() -> None:
    """Whatever the value is."""
    assert len(shown("x" * 10**6)) < 100
    assert "Rude object at" in shown(Rude())


def test_codecs_are_all_there() -> None:
    """Python has every one of the table; what it has not is an error with a way out."""
    from greenpg.adapt._encodings import _CODECS

    for name in _CODECS:
        assert "".encode(codec(name)) == b""
    with pytest.raises(NotSupportedError, match="set client_encoding to UTF8"):
        codec("MULE_INTERNAL")


def test_types_by_every_name() -> None:
    """As in `pg_type`, as in SQL, by OID, by its array."""
    types = global_adapters.types
    for key in ("int8", "bigint", 20, 1016, "int8[]", "bigint[]"):
        assert types[key].oid == 20
    assert types.get_oid("int8[]") == 1016
    with pytest.raises(KeyError, match="fetch its TypeInfo"):
        types["nothing"]
    with pytest.raises(ProgrammingError, match="nothing"):
        AdaptersMap(global_adapters).register_loader("nothing", Upper)


@pytest.mark.parametrize(
    ("name", "fmod", "display", "precision", "scale", "size"),
    [
        ("numeric", 655366, "numeric(10,2)", 10, 2, None),
        ("numeric", -1, "numeric", None, None, None),
        ("numeric", ((3 << 16) | (-2 & 0x7FF)) + 4, "numeric(3,-2)", 3, -2, None),
        ("varchar", 14, "varchar(10)", None, None, 10),
        ("bit", 5, "bit(5)", None, None, 5),
        ("timestamp", 3, "timestamp(3)", 3, None, None),
        ("interval", 0x7FFFFFFF, "interval", None, None, None),
        ("text", -1, "text", None, None, None),
    ],
)
def test_modifiers(
    name: str, fmod: int, display: str, precision: int | None, scale: int | None, size: int | None
) -> None:
    """What a column's type modifier says."""
    info = global_adapters.types[name]
    assert info.get_type_display(fmod=fmod) == display
    assert info.get_type_display(info.array_oid, fmod) == display + "[]"
    assert (info.get_precision(fmod), info.get_scale(fmod)) == (precision, scale)
    assert info.get_display_size(fmod) == size


@given(st.sampled_from(BUILT_IN), st.sampled_from(Format), st.binary(max_size=40))
@example((1700, "numeric"), Format.BINARY, b"\xff\xff\x7f\xff\x40\x00\x3f\xff")
@example((3802, "jsonb"), Format.BINARY, b"\x01" + b"[" * 39)
def test_no_bytes_of_a_server_hurt(type: tuple[int, str], format: Format, data: bytes) -> None:
    """Whatever comes is loaded, or refused by one error of ours."""
    tx = Transformer()
    tx.set_loader_types([type[0]], format)
    try:
        tx.load_sequence([data])
    except (DataError, OperationalError) as error:
        assert "column 1" in str(error)  # noqa: PT017


@given(st.sampled_from(BUILT_IN), st.text("0123456789-+:. eEinfyNaBCsdm@PTYMDHS/\\x{}()[],\"'", max_size=30))
def test_no_text_of_a_server_hurts(type: tuple[int, str], text: str) -> None:
    """What looks almost like a value comes further than any bytes."""
    tx = Transformer()
    tx.set_loader_types([type[0]], Format.TEXT)
    try:
        tx.load_sequence([text.encode()])
    except (DataError, OperationalError) as error:
        assert "column 1" in str(error)  # noqa: PT017


def test_integers_beyond_pythons_limit_on_digits() -> None:
    """Python refuses to write more than some thousand digits; `numeric` takes them."""
    value = 10 ** (sys.get_int_max_str_digits() + 10)
    assert dump(AdaptersMap(global_adapters), value)[0] == b"1" + b"0" * (sys.get_int_max_str_digits() + 10)
