"""hstore: dictionaries of strings to strings or None, once the extension's type is registered.

See "hstore" in PostgreSQL's manual, and hstore_send in contrib/hstore/hstore_io.c.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING

from greenpg.adapt import RecursiveDumper, RecursiveLoader, adapters_of, decode, encode
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._quoting import BACKSLASHED, Recoder, by_backslash, unquote
from greenpg.types._wire import Wire, field

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext, TypeInfo

    Hstore = dict[str, str | None]

_INT32 = Struct("!i")
_PAIR = re.compile(rb"(%b)=>(?:(%b)|NULL)(?:, |\Z)" % (BACKSLASHED, BACKSLASHED), re.DOTALL)


def _checked(obj: Hstore) -> Hstore:
    for key, value in obj.items():
        if not isinstance(key, str):
            raise DataError(f"cannot dump {key!r} as a key of an hstore: keys are strings")
        if value is not None and not isinstance(value, str):
            raise DataError(f"cannot dump {value!r} as a value of an hstore: values are strings or None")
    return obj


class HstoreDumper(RecursiveDumper):
    """A dictionary as `"key"=>"value"`."""

    format = Format.TEXT

    def dump(self, obj: Hstore) -> bytes:
        recoder, encoding = Recoder(self._tx.encoding), self._tx.encoding

        def quoted(text: str | None) -> bytes:
            return b"NULL" if text is None else by_backslash(recoder.plain(encode(text, encoding)))

        return recoder.client(b",".join(quoted(k) + b"=>" + quoted(v) for k, v in _checked(obj).items()))


class HstoreBinaryDumper(RecursiveDumper):
    """A dictionary in hstore_recv's layout."""

    format = Format.BINARY

    def dump(self, obj: Hstore) -> bytes:
        encoding, parts = self._tx.encoding, [_INT32.pack(len(obj))]
        for key, value in _checked(obj).items():
            parts += (field(encode(key, encoding)), field(None if value is None else encode(value, encoding)))
        return b"".join(parts)


class HstoreLoader(RecursiveLoader):
    """An hstore from text."""

    format = Format.TEXT

    def load(self, data: bytes) -> Hstore:
        recoder, encoding = Recoder(self._tx.encoding), self._tx.encoding
        plain, at, loaded = recoder.plain(data), 0, {}

        def text(quoted: bytes) -> str:
            return decode(recoder.client(unquote(quoted)), encoding)

        while at < len(plain):
            pair = _PAIR.match(plain, at)  # not a search, which would look again from every quote
            if not pair:
                raise _malformed(plain)
            at = pair.end()
            loaded[text(pair[1])] = None if pair[2] is None else text(pair[2])
        if plain.endswith(b", "):
            raise _malformed(plain)
        return loaded


def _malformed(data: bytes) -> DataError:
    return DataError(f"cannot read the text of an hstore: {data[:80]!r}")


class HstoreBinaryLoader(RecursiveLoader):
    """An hstore from binary."""

    format = Format.BINARY

    def load(self, data: bytes) -> Hstore:
        encoding, wire, loaded = self._tx.encoding, Wire(data, "hstore"), {}
        for _ in range(wire.count(8)):
            key, value = wire.field(), wire.field()
            if key is None:
                raise wire.fail("a key is NULL")
            loaded[decode(key, encoding)] = None if value is None else decode(value, encoding)
        wire.end()
        return loaded


def register_hstore(info: TypeInfo, context: AdaptContext | None = None) -> None:
    """Load hstore as dictionaries, and dump dictionaries as hstore.

    :param info: the type, as `TypeInfo.fetch(connection, "hstore")` found it
    :param context: where to register it: a connection or a cursor; everywhere if None
    """
    if not info:
        raise TypeError("no info passed: is the extension hstore created in the database?")
    adapters, known = adapters_of(context), {"oid": info.oid, "__module__": __name__}
    adapters.register_type(info)
    adapters.register_dumper(dict, type("HstoreBinaryDumper", (HstoreBinaryDumper,), known))
    adapters.register_dumper(dict, type("HstoreDumper", (HstoreDumper,), known))
    adapters.register_loader(info.oid, HstoreLoader)
    adapters.register_loader(info.oid, HstoreBinaryLoader)
