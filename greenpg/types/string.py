"""Texts and bytes.

A `str` goes without a type, so that the server makes of it what the place needs. In a connection whose
encoding is SQL_ASCII nobody knows what bytes mean: texts are loaded as `bytes` there, as psycopg does it,
and a `str` goes as UTF-8. NULs, lone surrogates and what the client encoding has not are refused.

See "Binary Data Types" and "Character Set Support" in PostgreSQL's manual.
"""

from __future__ import annotations

import re
from binascii import a2b_hex, b2a_hex
from typing import TYPE_CHECKING, Any

from greenpg.adapt import Dumper, Format, Loader, adapters_of, codec_of, decode, encode, quoted, shown
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable
from greenpg.errors import DataError

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext, Buffer

_TEXT, _VARCHAR, _NAME, _BYTEA = 25, 1043, 19, 17

# All that a server may send as text, but for the families that know better.
_TEXTS = ("text", "varchar", "bpchar", "name", '"char"', "unknown", "cstring", "refcursor", "void")


class _StrDumper(Dumper):
    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        """Make a dumper; see `Dumper`."""
        super().__init__(cls, context)
        found = codec_of(self.connection)
        self._encoding = "utf-8" if found == "ascii" else found

    def dump(self, obj: str) -> bytes:
        """Return the text in the client encoding; only what `str` says counts, whatever a subclass does."""
        try:
            data = encode(str.__str__(obj), self._encoding)
        except UnicodeEncodeError as error:
            why = f"what {self._encoding} has not"
            if "surrogates" in error.reason:
                why = "a lone surrogate"
            elif "differently" in error.reason:
                why = error.reason
            text = shown(obj[error.start : error.end])
            raise DataError(f"cannot dump the text {shown(obj)}: it has {why}, {text}") from error
        if b"\0" in data:
            raise DataError(f"cannot dump the text {shown(obj)}: it has a NUL, PostgreSQL has none in texts")
        return data


@encodable("str")
class StrDumperUnknown(_StrDumper):
    """A `str` as text of no type: the server finds out."""


@encodable("str")
class StrDumper(_StrDumper):
    """A `str` as `text`."""

    oid = _TEXT


@encodable("str")
class StrDumperVarchar(_StrDumper):
    """A `str` as `varchar`."""

    oid = _VARCHAR


@encodable("str")
class StrDumperName(_StrDumper):
    """A `str` as `name`."""

    oid = _NAME


@encodable("str")
class StrBinaryDumper(StrDumper):
    """A `str` as `text`; its binary format is the text."""

    format = Format.BINARY


@encodable("str")
class StrBinaryDumperVarchar(StrDumperVarchar):
    """A `str` as `varchar`; its binary format is the text."""

    format = Format.BINARY


@encodable("str")
class StrBinaryDumperName(StrDumperName):
    """A `str` as `name`; its binary format is the text."""

    format = Format.BINARY


def _decoder(loader: TextLoader) -> tuple[str]:
    encoding = loader._encoding
    return ("bytes" if encoding == "ascii" else "utf-8" if encoding == "utf-8" else "ascii",)


class TextLoader(Loader):
    """Text as a `str`, as `bytes` from a connection in SQL_ASCII."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Make a loader; see `Loader`."""
        super().__init__(oid, context)
        self._encoding = codec_of(self.connection)

    @decodable(_decoder)
    def load(self, data: bytes) -> str | bytes:
        """Return the text."""
        if self._encoding == "ascii":
            return bytes(data)
        return str(data, self._encoding) if self._encoding == "utf-8" else decode(bytes(data), self._encoding)


class TextBinaryLoader(TextLoader):
    """The same, as the binary format of texts is the text."""

    format = Format.BINARY


class CharBinaryLoader(TextBinaryLoader):
    """A `"char"`, a byte, as the text that PostgreSQL 16 has for it: nothing for 0, `\\377` for 255."""

    @decodable(lambda self: None if self._encoding == "ascii" else ("char",))
    def load(self, data: bytes) -> str | bytes:
        """Return the text."""
        byte = data[0]
        return super().load(b"\\%03o" % byte if byte > 127 else data if byte else b"")


@encodable("bytes")
class BytesDumper(Dumper):
    """Bytes as the hexadecimal digits of a `bytea`."""

    oid = _BYTEA

    def dump(self, obj: Buffer) -> bytes:
        """Return the digits."""
        return b"\\x" + b2a_hex(_copied(obj))

    def quote(self, obj: Buffer) -> bytes:
        """Return a literal that means the same whatever `standard_conforming_strings` is."""
        return quoted(self.dump(obj), self.connection)


@encodable("bytes")
class BytesBinaryDumper(Dumper):
    """Bytes as they are."""

    format = Format.BINARY
    oid = _BYTEA

    def dump(self, obj: Buffer) -> Buffer:
        """Return the bytes; a copy of what may change."""
        return _copied(obj)


def _copied(obj: Buffer) -> bytes:
    """Return bytes that nobody changes; never `bytes(5)`, which is five zeros."""
    return obj if type(obj) is bytes else bytes(memoryview(obj))


class ByteaLoader(Loader):
    """A `bytea` of either `bytea_output` as `bytes`."""

    @decodable(lambda _: ("bytea text",))
    def load(self, data: bytes) -> bytes:
        """Return the bytes."""
        if data[:2] == b"\\x":
            return a2b_hex(data[2:])
        return _ESCAPE.sub(_unescape, data) if b"\\" in data else bytes(data)


_ESCAPE = re.compile(rb"\\(\\|[0-3][0-7]{2}|)")


def _unescape(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if not code:
        raise DataError("cannot load a bytea: a backslash must be doubled, or three octal digits follow it")
    return code if code == b"\\" else bytes((int(code, 8),))


class ByteaBinaryLoader(Loader):
    """A `bytea` as `bytes`."""

    format = Format.BINARY

    @decodable(lambda _: ("bytes",))
    def load(self, data: bytes) -> bytes:
        """Return the bytes."""
        return bytes(data)


def register_default_adapters(context: AdaptContext) -> None:
    """Register dumpers and loaders of texts and bytes."""
    adapters = adapters_of(context)
    for dumper in (
        *(StrBinaryDumperName, StrBinaryDumperVarchar, StrBinaryDumper),
        *(StrDumperName, StrDumperVarchar, StrDumper, StrDumperUnknown),
    ):
        adapters.register_dumper(str, dumper)
    cls: Any
    for cls in (bytes, bytearray, memoryview):
        adapters.register_dumper(cls, BytesDumper)
        adapters.register_dumper(cls, BytesBinaryDumper)
    adapters.register_loader(0, TextLoader)
    for name in _TEXTS:
        adapters.register_loader(name, TextLoader)
        adapters.register_loader(name, TextBinaryLoader)
    adapters.register_loader('"char"', CharBinaryLoader)
    adapters.register_loader("bytea", ByteaLoader)
    adapters.register_loader("bytea", ByteaBinaryLoader)
