"""Large objects, blocking and async, twin by twin: each method is one line over the core's generator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.lobject import BaseLargeObject

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class LargeObject(BaseLargeObject):
    """A large object of the database, used like a file. Made by `Connection.lobject()`.

    As a context manager it closes itself.
    """

    __module__ = "greenpg"

    def read(self, size: int = -1, *, timeout: float | None = None) -> Any:
        """Return what comes next: `str` in text mode, `bytes` in binary; empty at the end.

        :param size: bytes; negative: all that is left. In text mode, a character that is cut in two is left
            to the next call.
        :param timeout: seconds
        :raises greenpg.InterfaceError: it is closed, or its transaction is over
        :raises greenpg.DataError: it is no text in the connection's encoding
        """
        return self._conn._run(self._read_gen(size), timeout)

    def write(self, data: str | bytes, *, timeout: float | None = None) -> int:
        """Write bytes, or text in the connection's encoding, and return how many bytes it was.

        :param timeout: seconds
        """
        return int(self._conn._run(self._write_gen(data), timeout))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position, in bytes, as in a file; return the new one.

        :param whence: 0: from the beginning, 1: from here, 2: from the end
        """
        return int(self._conn._run(self._seek_gen(offset, whence)))

    def tell(self) -> int:
        """Return the position, in bytes."""
        return int(self._conn._run(self._step_gen("lo_tell64")))

    def truncate(self, len: int = 0) -> None:
        """Cut the object, or extend it by zeros, to a length in bytes."""
        self._conn._run(self._step_gen("lo_truncate64", len))

    def close(self) -> None:
        """Close it; it does no harm to do so twice, or after the end of the transaction."""
        if not self.closed:
            self._conn._run(self._close_gen())

    def unlink(self) -> None:
        """Close the object and remove it from the database."""
        self._conn._run(self._unlink_gen())

    def export(self, filename: str, *, timeout: float | None = None) -> None:
        """Write the whole content to a file of this machine.

        :param timeout: seconds
        """
        self._conn._run(self._export_gen(filename), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not self._conn._is_interrupted_by(error):
            self.close()


class AsyncLargeObject(BaseLargeObject):
    """Async `LargeObject`."""

    __module__ = "greenpg"

    async def read(self, size: int = -1, *, timeout: float | None = None) -> Any:
        """Async `LargeObject.read()`."""
        return await self._conn._run(self._read_gen(size), timeout)

    async def write(self, data: str | bytes, *, timeout: float | None = None) -> int:
        """Async `LargeObject.write()`."""
        return int(await self._conn._run(self._write_gen(data), timeout))

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Async `LargeObject.seek()`."""
        return int(await self._conn._run(self._seek_gen(offset, whence)))

    async def tell(self) -> int:
        """Async `LargeObject.tell()`."""
        return int(await self._conn._run(self._step_gen("lo_tell64")))

    async def truncate(self, len: int = 0) -> None:
        """Async `LargeObject.truncate()`."""
        await self._conn._run(self._step_gen("lo_truncate64", len))

    async def close(self) -> None:
        """Async `LargeObject.close()`."""
        if not self.closed:
            await self._conn._run(self._close_gen())

    async def unlink(self) -> None:
        """Async `LargeObject.unlink()`."""
        await self._conn._run(self._unlink_gen())

    async def export(self, filename: str, *, timeout: float | None = None) -> None:
        """Async `LargeObject.export()`."""
        await self._conn._run(self._export_gen(filename), timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not self._conn._is_interrupted_by(error):
            await self.close()
