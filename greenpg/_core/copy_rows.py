"""Rows as COPY writes them, text and binary: pure functions of bytes, and the values they stand for.

See "File Formats" in the documentation of COPY: https://www.postgresql.org/docs/current/sql-copy.html
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING, Any

from greenpg.adapt import PyFormat, decode
from greenpg.errors import DataError, InterfaceError
from greenpg.pq._implementation import implementation
from greenpg.pq.params import RowWriter
from greenpg.types._wire import Wire, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from greenpg.adapt import Transformer
    from greenpg.pq import Buffer
    from greenpg.pq.params import Split

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What binary COPY data begins with: its signature, no flags, no extension."""

TRAILER = b"\xff\xff"
"""What binary COPY data ends with."""

_COUNT = Struct("!h")
_NULL = rb"\N"
_SPECIAL = re.compile(rb"[\b\t\n\v\f\r\\]")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LETTERS = {b"\b": b"b", b"\t": b"t", b"\n": b"n", b"\v": b"v", b"\f": b"f", b"\r": b"r", b"\\": b"\\"}
_CONTROLS = {letter: control for control, letter in _LETTERS.items()}

_WITH_BACKSLASHES = frozenset(
    ("big5", "cp932", "cp936", "cp949", "cp950", "gb18030", "gbk", "johab", "shift_jis", "shift_jis_2004")
)
"""Codecs in which the second byte of a character may be that of a backslash."""


def row_writer(tx: Transformer, format: PyFormat, width: int, limit: int) -> RowWriter:
    """Return what makes rows of Python values.

    :param width: the number of columns
    :param limit: bytes that are enough to be sent
    """
    if format is PyFormat.TEXT and tx.encoding in _WITH_BACKSLASHES:
        return PlainRowWriter(tx, format, width, limit)
    compiled: Callable[..., RowWriter] | None = _loops().RowWriter
    if compiled is None:
        return PlainRowWriter(tx, format, width, limit)
    return compiled(tx.adapters.encoders, tx, format, width, limit)


class PlainRowWriter(RowWriter):
    """Makes rows of what a `Transformer` dumps."""

    def __init__(self, tx: Transformer, format: PyFormat, width: int, limit: int) -> None:
        self._tx, self._format, self._formats, self._limit = tx, format, [format] * width, limit
        self._rows = bytearray()
        self._is_busy = False

    def add(self, row: Iterable[Any], /) -> bool:
        values = tuple(row)
        if len(values) != len(self._formats):
            raise DataError(f"a row of this COPY has {len(self._formats)} values, not {len(values)}")
        self._check_idle()
        self._is_busy = True
        try:
            dumped = self._tx.dump_sequence(values, self._formats)
        finally:
            self._is_busy = False
        is_text = self._format is PyFormat.TEXT
        self._rows += text_row(dumped, self._tx.encoding) if is_text else binary_row(dumped)
        return len(self._rows) >= self._limit

    def _check_idle(self) -> None:
        if self._is_busy:
            raise InterfaceError("a dumper cannot write to the COPY that it is asked to dump for")

    def take(self) -> bytes:
        self._check_idle()
        rows = bytes(self._rows)
        self._rows.clear()
        return rows


def split_text_row(rows: bytes, at: int, encoding: str, decoded: bool = False) -> tuple[list[Any], int]:
    """Return the values of the row in text format that begins somewhere, and where it ends.

    :param decoded: whether the values are to be strings
    :raises UnicodeError: they are not in that encoding
    """
    if encoding == "utf-8" or not (decoded or encoding in _WITH_BACKSLASHES):
        split: Split | None = _loops().split_text_row(rows, at, decoded)
        if split is not None:
            return split
    end = rows.find(b"\n", at) + 1 or len(rows)
    values = parse_text_row(rows[at:end], encoding)
    if decoded:
        return [None if value is None else decode(value, encoding) for value in values], end
    return list(values), end


def _loops() -> Any:
    return implementation("_params", "_ctypes.params")


def text_row(values: Sequence[Buffer | None], encoding: str) -> bytes:
    """Return a row in text format.

    :param encoding: Python's name of what the values are in
    """
    return b"\t".join([_NULL if value is None else _escape(value, encoding) for value in values]) + b"\n"


def parse_text_row(row: bytes, encoding: str) -> list[bytes | None]:
    """Return the values of a row in text format."""
    values = row.removesuffix(b"\n").split(b"\t")
    return [None if value == _NULL else _unescape(value, encoding) for value in values]


def binary_row(values: Sequence[Buffer | None]) -> bytes:
    """Return a row in binary format."""
    fields = [field(None if value is None else bytes(value)) for value in values]
    return b"".join([_COUNT.pack(len(values)), *fields])


def parse_binary_row(rows: bytes, at: int = 0) -> tuple[list[bytes | None] | None, int]:
    """Return the values of a row in binary format, `None` for what has none, and where it ends.

    The header and the trailer have none.

    :param at: where in `rows` the row begins
    :raises DataError: it is no such row
    """
    split: Split | None = _loops().split_binary_row(rows, at)
    return plain_binary_row(rows, at) if split is None else split


def plain_binary_row(rows: bytes, at: int) -> tuple[list[bytes | None] | None, int]:
    """Do what `parse_binary_row()` does, without a compiled loop."""
    wire = Wire(rows, "block of COPY rows", at)
    if rows.startswith(HEADER[:11], at):
        wire.take(len(HEADER) - 4)
        wire.take(wire.count(1))
        return None, wire.at
    count = _COUNT.unpack(wire.take(2))[0]
    if count == -1:
        return None, wire.at
    if count < 0:
        raise wire.fail(f"a count of {count} values")
    return [wire.field() for _ in range(count)], wire.at


def _escape(value: Buffer, encoding: str) -> bytes:
    value = bytes(value)
    if encoding not in _WITH_BACKSLASHES:
        return _SPECIAL.sub(lambda match: b"\\" + _LETTERS[match[0]], value)
    text = value.decode(encoding)
    return _escape(text.encode(), "utf-8").decode().encode(encoding)


def _unescape(value: bytes, encoding: str) -> bytes:
    if b"\\" not in value:
        return value
    if encoding not in _WITH_BACKSLASHES:
        return _ESCAPED.sub(lambda match: _CONTROLS.get(match[1], match[1]), value)
    return _unescape(value.decode(encoding).encode(), "utf-8").decode().encode(encoding)
