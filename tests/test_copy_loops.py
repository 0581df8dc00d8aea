"""Rows of COPY: the compiled loops write and read what the Python ones do."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from greenpg._core import copy_rows
from greenpg._core.copy_rows import PlainRowWriter
from greenpg.adapt import AdaptersMap, Dumper, PyFormat, Transformer, adapters
from greenpg.errors import DataError, InterfaceError
from tests.test_params import values

compiled = pytest.importorskip("greenpg.pq._params", reason="no compiled loops")

FORMS = st.sampled_from([PyFormat.TEXT, PyFormat.BINARY])
NAMES = (
    "int2 int4 int8 oid float4 float8 numeric bool text varchar bytea date time timetz timestamp timestamptz"
    " interval uuid int4[] jsonb"
)
TYPES = [adapters.types.oid_of(name) for name in NAMES.split()]


def transformer(oids: list[int] | None, form: PyFormat) -> Transformer:
    tx = Transformer()
    if oids is not None:
        tx.set_dumper_types(oids, form.as_pq)
    return tx


def written(make: Any, rows: list[Any], width: int, oids: list[int] | None, form: PyFormat) -> Any:
    """Return the bytes of all rows that can be written, and what was wrong with the others."""
    writer = make(transformer(oids, form), form, width, 100)
    data, errors = b"", []
    for row in rows:
        try:
            if writer.add(row):
                data += writer.take()
        except Exception as error:  # noqa: PERF203
            errors.append((type(error), str(error)))
    return data + writer.take(), errors


def quick(tx: Transformer, form: PyFormat, width: int, limit: int) -> Any:
    chosen = tx.adapters.encoders
    encoders = chosen if isinstance(chosen, compiled.Encoders) else compiled.Encoders()
    return compiled.RowWriter(encoders, tx, form, width, limit)


ROWS = st.lists(st.lists(values, min_size=2, max_size=2).map(tuple), max_size=4)
OIDS = st.none() | st.lists(st.sampled_from(TYPES), min_size=2, max_size=2)


@settings(max_examples=150, deadline=None)
@given(ROWS, OIDS, FORMS)
@example([("a\tb\nc\\", "\b\v\f\r"), (None, ""), ("x" * 5000, b"\\" * 70)], None, PyFormat.TEXT)
@example([(1, 2), (2**31, 3), ("1", True), (None, 1.0)], [23, 20], PyFormat.BINARY)
@example([(Decimal("-12345.678"), dt.datetime.min), (5, dt.date.min)], [1700, 1114], PyFormat.BINARY)
@example([(1,), (1, 2, 3), [4, 5], {6: 7, 8: 9}, 10], None, PyFormat.TEXT)
def test_written_alike(rows: list[Any], oids: list[int] | None, form: PyFormat) -> None:
    """The same bytes; a row that cannot be written leaves nothing, and the same error is raised."""
    assert written(quick, rows, 2, oids, form) == written(PlainRowWriter, rows, 2, oids, form)


@pytest.mark.parametrize("form", [PyFormat.TEXT, PyFormat.BINARY])
def test_rows_without_columns(form: PyFormat) -> None:
    """There are tables that have none."""
    assert written(quick, [()] * 2, 0, None, form) == written(PlainRowWriter, [()] * 2, 0, None, form)


LINES = st.lists(st.one_of(st.binary(max_size=8), st.sampled_from([rb"\N", rb"\\N", rb"\t\b", b"\\", b""])))


@settings(max_examples=150, deadline=None)
@given(LINES, st.binary(max_size=4), st.booleans())
def test_text_read_alike(cells: list[bytes], rest: bytes, decoded: bool) -> None:
    """Whatever the server may send."""
    line = b"\t".join(cell.replace(b"\n", b"") for cell in cells) + b"\n" + rest
    found: Any = None
    try:
        found = compiled.split_text_row(b"before" + line, 6, decoded)
    except UnicodeDecodeError:
        found = UnicodeDecodeError
    end = line.index(b"\n") + 1
    expected: Any = copy_rows.parse_text_row(line[:end], "utf-8")
    if decoded:
        try:
            expected = [None if value is None else str(value, "utf-8") for value in expected]
        except UnicodeDecodeError:
            expected = None
    assert found == (UnicodeDecodeError if expected is None else (expected, 6 + end))


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.binary(max_size=40), st.lists(st.none() | st.binary(max_size=9)).map(copy_rows.binary_row))
)
@example(b"\x7f\xff" + b"\xff\xff\xff\xff" * 3)
@example(b"\x00\x01\x7f\xff\xff\xffabc")
@example(b"\xff\xff")
def test_binary_read_alike(row: bytes) -> None:
    """What is no row is left to who says so."""
    found = compiled.split_binary_row(b"12" + row, 2)
    assert compiled.split_binary_row(row, len(row)) is None
    if found is not None:
        values, end = found
        assert copy_rows.binary_row(values) == row[: end - 2]
    else:
        with contextlib.suppress(DataError):
            assert copy_rows.plain_binary_row(row, 0)[0] is None


@pytest.mark.parametrize("at", [-1, 4])
def test_no_row_begins_outside(at: int) -> None:
    """No byte is read that is not there."""
    assert compiled.split_binary_row(b"abc", at) is None
    with pytest.raises(IndexError, match="no row begins at"):
        compiled.split_text_row(b"abc", at, False)


class Thing:
    writer: Any = None


class ThingDumper(Dumper):
    def dump(self, obj: Thing) -> bytes:
        if obj.writer is not None:
            obj.writer.add((1,))
        raise KeyboardInterrupt


@pytest.mark.parametrize("make", [quick, PlainRowWriter])
def test_a_row_that_is_interrupted_leaves_nothing(make: Any) -> None:
    """Neither by Ctrl-C nor by a dumper that writes to the same COPY."""
    ours = AdaptersMap(adapters)
    ours.register_dumper(Thing, ThingDumper)
    tx = Transformer(ours)
    writer = make(tx, PyFormat.TEXT, 2, 100)
    assert writer.add(("first", 1)) is False
    with pytest.raises(KeyboardInterrupt):
        writer.add(("second", Thing()))
    nested = Thing()
    nested.writer = make(tx, PyFormat.TEXT, 1, 100)
    with pytest.raises(InterfaceError, match="a dumper cannot write to the COPY"):
        nested.writer.add((nested,))
    assert writer.add(("third", None)) is False
    assert writer.take() == b"first\t1\nthird\t\\N\n"
    assert written(make, [iter((4, 5))], 2, None, PyFormat.TEXT) == (b"4\t5\n", [])
    assert (writer.take(), nested.writer.take()) == (b"", b"")


def test_as_many_types_as_columns() -> None:
    """Types that were set are those of all columns."""
    with pytest.raises(DataError, match="expected 1 values in the row, got 2"):
        quick(transformer([23], PyFormat.BINARY), PyFormat.BINARY, 2, 100)
