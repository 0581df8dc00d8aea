"""Reading a binary value from its start: every length and count is checked before it is believed.

A server, or what is in between, may claim any length. Nothing is read past the end, nothing is allocated for
a count that the bytes at hand cannot hold, and what is left over is an error too: always a `DataError`.

The layouts are those of the `*_send` functions in PostgreSQL's src/backend/utils/adt.
"""

from __future__ import annotations

from struct import Struct

from greenpg.errors import DataError

_INT32 = Struct("!i")
_UINT32 = Struct("!I")


class Wire:
    """The bytes of a value and how far they were read; `what` names the type in messages."""

    __slots__ = ("_at", "_data", "_what")

    def __init__(self, data: bytes, what: str, at: int = 0) -> None:
        self._data = bytes(data)
        self._at = at
        self._what = what

    @property
    def at(self) -> int:
        """How many bytes were read."""
        return self._at

    def fail(self, why: str) -> DataError:
        """Return the error to raise: the value cannot be read as what it should be."""
        return DataError(f"cannot read a binary {self._what} of {len(self._data)} bytes: {why}")

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise self.fail(f"{size} bytes wanted at byte {self._at}")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def unpack(self, layout: Struct) -> tuple[float, ...]:
        """Return the next numbers of a fixed layout."""
        return layout.unpack(self.take(layout.size))

    def int32(self) -> int:
        """Return the next signed integer of four bytes."""
        number: int = _INT32.unpack(self.take(4))[0]
        return number

    def uint32(self) -> int:
        """Return the next unsigned integer of four bytes."""
        number: int = _UINT32.unpack(self.take(4))[0]
        return number

    def count(self, each: int) -> int:
        """Return the next count, of things that take `each` bytes or more."""
        number = self.int32()
        if number < 0 or number * each > len(self._data) - self._at:
            raise self.fail(f"a count of {number} at byte {self._at - 4}")
        return number

    def field(self) -> bytes | None:
        """Return the next value with its length before it; None is NULL."""
        size = self.int32()
        return None if size == -1 else self.take(size)

    def end(self) -> None:
        """Raise unless everything has been read."""
        if self._at != len(self._data):
            raise self.fail(f"{len(self._data) - self._at} bytes too many")


def field(data: bytes | None) -> bytes:
    """Return a value with its length before it, as `Wire.field` reads it."""
    return b"\xff\xff\xff\xff" if data is None else _INT32.pack(len(data)) + bytes(data)
