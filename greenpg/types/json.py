"""JSON: what comes in is loaded, what goes out is wrapped in `Json` or `Jsonb`, as any object could be meant.

A NUL and half of a surrogate pair are refused in what is dumped: `jsonb` cannot hold them and most functions
on `json` fail on them, later and far from who wrote them.

See "JSON Types" in PostgreSQL's manual; jsonb's binary form is a version byte, 1, and the text.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from greenpg.adapt import RecursiveDumper, RecursiveLoader, adapters_of, decode, encode
from greenpg.adapt._decoders import decodable
from greenpg.errors import DataError
from greenpg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.adapt import AdaptContext

    JsonDumps = Callable[[Any], str | bytes]
    JsonLoads = Callable[[str | bytes], Any]

_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..|u0000)|.)", re.DOTALL)


class _Wrapper:
    """An object to be dumped as JSON."""

    def __init__(self, obj: Any, dumps: JsonDumps | None = None) -> None:
        self.obj = obj
        self.dumps = dumps

    def __repr__(self) -> str:
        text = repr(self.obj)
        return f"{type(self).__name__}({text if len(text) <= 40 else f'{text[:35]} ...'})"


class Json(_Wrapper):
    """An object to be dumped as `json`.

    :param obj: what `dumps` takes
    :param dumps: makes the text of it, a string or UTF-8; `json.dumps` or what `set_json_dumps` has set, if
        None
    """

    __module__ = "greenpg.types.json"


class Jsonb(_Wrapper):
    """An object to be dumped as `jsonb`.

    :param obj: what `dumps` takes
    :param dumps: makes the text of it, a string or UTF-8; `json.dumps` or what `set_json_dumps` has set, if
        None
    """

    __module__ = "greenpg.types.json"


class _JsonDumper(RecursiveDumper):
    dumps: ClassVar[JsonDumps] = staticmethod(json.dumps)
    prefix: ClassVar[bytes] = b""

    def dump(self, obj: Any) -> bytes:
        wrapped = isinstance(obj, _Wrapper)
        made = ((obj.dumps if wrapped else None) or type(self).dumps)(obj.obj if wrapped else obj)
        text = made if isinstance(made, str) else bytes(made).decode("utf-8")
        if "\0" in text or (("\\ud" in text or "\\uD" in text or "\\u0000" in text) and _unkeepable(text)):
            raise DataError(f"cannot dump {obj!r}: a NUL or half of a surrogate pair is in a text")
        return self.prefix + encode(text, self._tx.encoding)


def _unkeepable(text: str) -> bool:
    return any(found[1] for found in _ESCAPE.finditer(text))


class JsonDumper(_JsonDumper):
    """An object as `json`."""

    format = Format.TEXT
    oid = 114


class JsonBinaryDumper(_JsonDumper):
    """An object as `json`, whose binary form is its text."""

    format = Format.BINARY
    oid = 114


class JsonbDumper(_JsonDumper):
    """An object as `jsonb`."""

    format = Format.TEXT
    oid = 3802


class JsonbBinaryDumper(_JsonDumper):
    """An object as `jsonb` in binary."""

    format = Format.BINARY
    oid = 3802
    prefix = b"\x01"


def _decoder(loader: _JsonLoader, name: str = "json") -> tuple[Any, ...] | None:
    return (name, type(loader).loads) if loader._tx.encoding == "utf-8" else None


class _JsonLoader(RecursiveLoader):
    loads: ClassVar[JsonLoads] = staticmethod(json.loads)

    @decodable(_decoder)
    def load(self, data: bytes) -> Any:
        # UTF-8 goes as it is: loads of others than the standard library are quicker with bytes.
        text = bytes(data) if self._tx.encoding == "utf-8" else decode(bytes(data), self._tx.encoding)
        try:
            return type(self).loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"cannot load JSON: {error}") from error


class JsonLoader(_JsonLoader):
    """`json` from text."""

    format = Format.TEXT


class JsonbLoader(_JsonLoader):
    """`jsonb` from text."""

    format = Format.TEXT


class JsonBinaryLoader(_JsonLoader):
    """`json` from binary."""

    format = Format.BINARY


class JsonbBinaryLoader(_JsonLoader):
    """`jsonb` from binary."""

    format = Format.BINARY

    @decodable(lambda self: _decoder(self, "jsonb"))
    def load(self, data: bytes) -> Any:
        if data[:1] != b"\x01":
            raise DataError(f"cannot load jsonb of a version of {data[:1]!r}: 1 is known")
        return super().load(data[1:])


_DUMPERS = ((Json, JsonBinaryDumper), (Json, JsonDumper), (Jsonb, JsonbBinaryDumper), (Jsonb, JsonbDumper))
_LOADERS = (
    ("json", JsonLoader),
    ("json", JsonBinaryLoader),
    ("jsonb", JsonbLoader),
    ("jsonb", JsonbBinaryLoader),
)


def set_json_dumps(dumps: JsonDumps, context: AdaptContext | None = None) -> None:
    """Have `Json` and `Jsonb` dump by a function.

    :param dumps: makes a string, or UTF-8, of an object
    :param context: where: a connection or a cursor; everywhere if None
    """
    adapters = adapters_of(context)
    for cls, dumper in _DUMPERS:
        known = {"dumps": staticmethod(dumps), "__module__": __name__}
        adapters.register_dumper(cls, type(dumper.__name__, (dumper,), known))


def set_json_loads(loads: JsonLoads, context: AdaptContext | None = None) -> None:
    """Have `json` and `jsonb` loaded by a function.

    :param loads: makes an object of UTF-8 bytes, or of a string if the client encoding is another
    :param context: where: a connection or a cursor; everywhere if None
    """
    adapters = adapters_of(context)
    for name, loader in _LOADERS:
        known = {"loads": staticmethod(loads), "__module__": __name__}
        adapters.register_loader(name, type(loader.__name__, (loader,), known))


def register_default_adapters(context: AdaptContext) -> None:
    """Register the wrappers and the two types."""
    adapters = adapters_of(context)
    for cls, dumper in _DUMPERS:
        adapters.register_dumper(cls, dumper)
    for name, loader in _LOADERS:
        adapters.register_loader(name, loader)
