"""COPY's rows: what is written is what is read, and what is no row is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenpg._core import copy_rows
from greenpg.errors import DataError

VALUES = st.lists(st.none() | st.binary(max_size=50), min_size=1, max_size=6)


@given(VALUES)
def test_text(values: list[bytes | None]) -> None:
    row = copy_rows.text_row(values, "utf-8")
    assert row.count(b"\n") == 1  # at the end, or it would be two rows
    assert copy_rows.parse_text_row(row, "utf-8") == values


@given(
    st.lists(st.none() | st.text(max_size=20), min_size=1), st.sampled_from(["gb18030", "shift_jis", "big5"])
)
def test_text_where_a_backslash_may_be_half_a_character(values: list[str | None], encoding: str) -> None:
    encoded = [None if text is None else text.encode(encoding, "ignore") for text in values]
    encoded = [data for data in encoded if data is None or _is_stable(data, encoding)] or [None]
    row = copy_rows.text_row(encoded, encoding)
    assert row.count(b"\n") == 1
    assert copy_rows.parse_text_row(row, encoding) == encoded


def _is_stable(data: bytes, encoding: str) -> bool:
    return data.decode(encoding, "replace").encode(encoding, "replace") == data


def test_text_escapes_no_half_of_a_character() -> None:
    assert copy_rows.text_row(["表\\".encode("shift_jis")], "shift_jis") == b"\x95\\\\\\\n"
    assert copy_rows.text_row([b"\\N", None, b""], "utf-8") == b"\\\\N\t\\N\t\n"


@given(VALUES)
def test_binary(values: list[bytes | None]) -> None:
    row = copy_rows.binary_row(values)
    assert copy_rows.parse_binary_row(row) == (values, len(row))
    assert copy_rows.parse_binary_row(b"before" + row + b"after", 6) == (values, 6 + len(row))


def test_binary_without_a_row() -> None:
    for data in (copy_rows.HEADER, copy_rows.HEADER[:15] + b"\0\0\0\3abc", copy_rows.TRAILER):
        assert copy_rows.parse_binary_row(b"before" + data + b"after", 6) == (None, 6 + len(data))


@given(st.binary(max_size=40))
def test_binary_that_is_no_row(data: bytes) -> None:
    try:
        values, end = copy_rows.parse_binary_row(data)
    except DataError as error:
        assert "COPY row" in str(error)  # noqa: PT017  # whether it is one is for hypothesis to find
    else:
        assert values is None or copy_rows.binary_row(values) == data[:end]


@pytest.mark.parametrize(
    "row",
    [
        b"\0",
        b"\0\1",
        b"\0\1\0\0\0\5abc",
        b"\xff\xfe",
        b"\x7f\xff\0\0\0\1a",
        copy_rows.HEADER[:18],
        copy_rows.HEADER[:-1] + b"\1",
    ],
)
def test_binary_cut_short(row: bytes) -> None:
    with pytest.raises(DataError, match="COPY row"):
        copy_rows.parse_binary_row(row)
