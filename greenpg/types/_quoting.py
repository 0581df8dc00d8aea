"""How containers quote the text of what is in them, and find it again.

Arrays, records, ranges and hstores all write their elements' own text between quotes. The rules look at
single characters, and in some client encodings (SJIS, BIG5, GBK ...) the second byte of a character may look
like a quote or a backslash: `Recoder` moves those values to UTF-8, where no byte does, and back.

Every pattern here is linear: what is between quotes is matched by runs, and no two alternatives begin alike.
See "Array Input and Output Syntax", "Composite Type Input and Output Syntax" and "Range Input and Output" in
PostgreSQL's manual.
"""

from __future__ import annotations

import codecs
import re

from greenpg.errors import DataError

#: In double quotes as arrays and hstores have it: a backslash before a quote or a backslash.
BACKSLASHED = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
#: In double quotes as records and ranges have it: quotes and backslashes doubled.
DOUBLED = rb'"[^"\\]*(?:(?:\\.|"")[^"\\]*)*"'

_ESCAPED = re.compile(rb'["\\](.)', re.DOTALL)
_TO_ESCAPE = re.compile(rb'(["\\])')

_AMBIGUOUS = {
    "big5",
    "big5hkscs",
    "cp932",
    "cp949",
    "cp950",
    "gb18030",
    "gbk",
    "johab",
    "shift_jis",
    "shift_jis_2004",
}


def unquote(quoted: bytes) -> bytes:
    """Return what is between the quotes."""
    inner = quoted[1:-1]
    return _ESCAPED.sub(rb"\1", inner) if b"\\" in inner or b'"' in inner else inner


def by_backslash(data: bytes) -> bytes:
    """Return the text in quotes, as arrays and hstores read it."""
    return b'"' + _TO_ESCAPE.sub(rb"\\\1", data) + b'"'


def by_doubling(data: bytes) -> bytes:
    """Return the text in quotes, as records and ranges read it."""
    return b'"' + _TO_ESCAPE.sub(rb"\1\1", data) + b'"'


class Recoder:
    """Between a client encoding and one in which every ASCII byte is that character."""

    __slots__ = ("_codec",)

    def __init__(self, encoding: str) -> None:
        name = codecs.lookup(encoding).name
        self._codec = name if name in _AMBIGUOUS else None

    def plain(self, data: bytes) -> bytes:
        """Return what came from the server or a dumper, fit for looking at bytes."""
        return bytes(data) if self._codec is None else _recode(data, self._codec, "utf-8")

    def client(self, data: bytes) -> bytes:
        """Return the same in the client encoding, for a loader or the server."""
        return data if self._codec is None else _recode(data, "utf-8", self._codec)


def _recode(data: bytes, source: str, target: str) -> bytes:
    try:
        return bytes(data).decode(source).encode(target)
    except UnicodeError as error:
        raise DataError(f"cannot read text in the client encoding: {error}") from error
