"""Booleans."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from greenpg.adapt import Dumper, Format, Loader, adapters_of, shown
from greenpg.adapt._decoders import decodable
from greenpg.adapt._encoders import encodable
from greenpg.errors import DataError

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

_BOOL = 16


@encodable("bool")
class BoolDumper(Dumper):
    """`True` as `t`."""

    oid = _BOOL

    def dump(self, obj: builtins.bool) -> bytes:
        """Return `t` or `f`."""
        return b"t" if _truth(obj) else b"f"

    def quote(self, obj: builtins.bool) -> bytes:
        """Return the word."""
        return b"true" if _truth(obj) else b"false"


@encodable("bool")
class BoolBinaryDumper(Dumper):
    """`True` as a one."""

    format = Format.BINARY
    oid = _BOOL

    def dump(self, obj: builtins.bool) -> bytes:
        """Return one byte."""
        return b"\x01" if _truth(obj) else b"\x00"


def _truth(obj: object) -> builtins.bool:
    """Return whether it is true; COPY may bring anything for a boolean column, and "f" is true in Python."""
    if obj is True or obj is False:
        return obj
    if obj not in (True, False):
        raise DataError(f"cannot take {shown(obj)} as a bool")
    return builtins.bool(obj)


class BoolLoader(Loader):
    """`t` as `True`."""

    @decodable(lambda _: ("bool", ord("t"), ord("f")))
    def load(self, data: bytes) -> builtins.bool:
        """Return True or False."""
        return _choose(data, b"t", b"f")


class BoolBinaryLoader(Loader):
    """A one as `True`."""

    format = Format.BINARY

    @decodable(lambda _: ("bool", 1, 0))
    def load(self, data: bytes) -> builtins.bool:
        """Return True or False."""
        return _choose(data, b"\x01", b"\x00")


def _choose(data: bytes, true: bytes, false: bytes) -> builtins.bool:
    if data == true:
        return True
    if data == false:
        return False
    raise DataError(f"cannot load {bytes(data)!r} as a bool")


def register_default_adapters(context: AdaptContext) -> None:
    """Register dumpers and loaders of booleans."""
    adapters = adapters_of(context)
    adapters.register_dumper(builtins.bool, BoolDumper)
    adapters.register_dumper(builtins.bool, BoolBinaryDumper)
    adapters.register_loader("bool", BoolLoader)
    adapters.register_loader("bool", BoolBinaryLoader)
