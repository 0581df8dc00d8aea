"""Bit strings: strings of `0` and `1` in Python; `BitString` for saying that one is meant.

See "Bit String Types" in PostgreSQL's manual, and varbit_send in its utils/adt/varbit.c.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from greenpg.adapt import Dumper, Loader, adapters_of
from greenpg.pq import Format
from greenpg.types._wire import Wire

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext

_INT32 = Struct("!i")


class BitString(str):
    """A string of `0` and `1` that is dumped as `varbit`, which the server also takes for `bit`.

    :raises ValueError: another character is in it
    """

    __module__ = "greenpg.types.bit"
    __slots__ = ()

    def __new__(cls, bits: str = "") -> BitString:
        """Make one of a string."""
        if bits.strip("01"):
            raise ValueError(f"a bit string is of 0 and 1, not {bits!r}")
        return super().__new__(cls, bits)


class BitStringDumper(Dumper):
    """A bit string as text."""

    format = Format.TEXT
    oid = 1562

    def dump(self, obj: BitString) -> bytes:
        return obj.encode("ascii")


class BitStringBinaryDumper(Dumper):
    """A bit string in varbit_recv's layout: how many bits, and these, filled up with zeros."""

    format = Format.BINARY
    oid = 1562

    def dump(self, obj: BitString) -> bytes:
        size = (len(obj) + 7) // 8
        return _INT32.pack(len(obj)) + int(obj.ljust(size * 8, "0") or "0", 2).to_bytes(size, "big")


class BitBinaryLoader(Loader):
    """`bit` and `varbit` from binary, as the server writes them in text."""

    format = Format.BINARY

    def load(self, data: bytes) -> str:
        wire = Wire(data, "bit string")
        bits = wire.int32()
        if bits < 0:
            raise wire.fail(f"{bits} bits")
        packed = wire.take((bits + 7) // 8)
        wire.end()
        return "".join(map(_BYTES.__getitem__, packed))[:bits]


_BYTES = [f"{byte:08b}" for byte in range(256)]


def register_default_adapters(context: AdaptContext) -> None:
    """Register the two types; as text they are read as strings."""
    adapters = adapters_of(context)
    adapters.register_dumper(BitString, BitStringDumper)
    adapters.register_dumper(BitString, BitStringBinaryDumper)
    text = adapters.get_loader(adapters.types["text"].oid, Format.TEXT)
    for name in ("bit", "varbit"):
        if text is not None:
            adapters.register_loader(name, text)
        adapters.register_loader(name, BitBinaryLoader)
