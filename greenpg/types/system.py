"""What the server tells of itself: transaction and command numbers as integers, row places as strings.

`xid`, `cid` and `xid8` are integers, `tid` is a string. `pg_lsn`, `regclass` and the other names, `money`,
`xml`, `tsvector`, `tsquery` and `jsonpath` need nothing here: they have no binary loader, so they come as
text, as strings.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, ClassVar

from greenpg.adapt import Loader, adapters_of
from greenpg.adapt._decoders import decodable
from greenpg.errors import DataError
from greenpg.pq import Format
from greenpg.types._wire import Wire

if TYPE_CHECKING:
    from greenpg.adapt import AdaptContext


class NumberLoader(Loader):
    """A number without a sign, from text."""

    format = Format.TEXT

    @decodable(lambda _: ("digits text",))
    def load(self, data: bytes) -> int:
        if not data.isdigit() or len(data) > 20:
            raise DataError(f"cannot read the number of a transaction or a command: {bytes(data[:80])!r}")
        return int(data)


class Number4BinaryLoader(Loader):
    """A number without a sign, from four bytes."""

    format = Format.BINARY
    layout: ClassVar[Struct] = Struct("!I")

    @decodable(lambda self: (self.layout.format,))
    def load(self, data: bytes) -> int:
        wire = Wire(data, "number")
        number = int(wire.unpack(self.layout)[0])
        wire.end()
        return number


class Number8BinaryLoader(Number4BinaryLoader):
    """A number without a sign, from eight bytes."""

    layout = Struct("!Q")


class TidBinaryLoader(Loader):
    """A row's place from binary, as the server writes it in text: `(block,offset)`."""

    format = Format.BINARY
    layout: ClassVar[Struct] = Struct("!IH")

    def load(self, data: bytes) -> str:
        wire = Wire(data, "tid")
        block, offset = wire.unpack(self.layout)
        wire.end()
        return f"({block},{offset})"


def register_default_adapters(context: AdaptContext) -> None:
    """Register the four types."""
    adapters = adapters_of(context)
    for name, binary in (
        ("xid", Number4BinaryLoader),
        ("cid", Number4BinaryLoader),
        ("xid8", Number8BinaryLoader),
    ):
        adapters.register_loader(name, NumberLoader)
        adapters.register_loader(name, binary)
    adapters.register_loader("tid", TidBinaryLoader)
