"""COPY, blocking and async, twin by twin: each method is one line over the generators of `BaseCopy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.copy import BaseCopy
from greenpg.errors import Error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from greenpg.abc import Gen
    from greenpg.pq.abc import Buffer


class Copy(BaseCopy):
    """A COPY from or to the server, as a context manager; made by `Cursor.copy()`.

    An exception within the block makes the COPY fail, and passes through; the connection stays usable. A
    COPY from the server that is left before its end is cancelled, which fails the transaction.
    """

    __module__ = "greenpg"

    def read(self) -> bytes:
        """Return the next block of data, some rows as a rule, as the server sent it; `b""` at the end.

        :raises greenpg.ProgrammingError: the COPY goes the other way
        :raises greenpg.DatabaseError: the COPY has failed
        """
        block = self._block_now()
        return self._run(self._read_gen()) if block is None else block

    def read_row(self) -> tuple[Any, ...] | None:
        """Return the next row, `None` after the last; see `set_types()`."""
        row = self._row_now()
        return self._run(self._read_row_gen()) if row is None else row

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that are left; see `set_types()`."""
        while (row := self.read_row()) is not None:
            yield row

    def write(self, buffer: Buffer | str) -> None:
        """Write data that is formatted already; a row may come in several pieces.

        :raises greenpg.ProgrammingError: the COPY goes the other way
        """
        data = self._keep(buffer)
        if data is not None:
            self._run(self._send_gen(data))

    def write_row(self, row: Sequence[Any]) -> None:
        """Write a row of Python values, in the format of the COPY (not as CSV).

        :raises greenpg.DataError: not as many values as the COPY has columns, or one that cannot be sent
        """
        data = self._keep_row(row)
        if data is not None:
            self._run(self._send_gen(data))

    def finish(self, exc: BaseException | None = None) -> None:
        """End the COPY, as the end of its block does.

        :param exc: why it shall fail, which the server is told
        """
        ending = self._ending(exc)
        try:
            if ending is not None:
                self._run(ending)
        except Error:
            if exc is None:
                raise

    def _run(self, gen: Gen[Any]) -> Any:
        return self._conn._run(gen, self._timeout, part_of=self)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if block := self.read():
            return block
        raise StopIteration

    def __enter__(self) -> Self:
        self._run(self._begin_gen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(error)


class AsyncCopy(BaseCopy):
    """Async `Copy`."""

    __module__ = "greenpg"

    async def read(self) -> bytes:
        """Async `Copy.read()`."""
        block = self._block_now()
        return await self._run(self._read_gen()) if block is None else block

    async def read_row(self) -> tuple[Any, ...] | None:
        """Async `Copy.read_row()`."""
        row = self._row_now()
        return await self._run(self._read_row_gen()) if row is None else row

    def rows(self) -> AsyncIterator[tuple[Any, ...]]:
        """Async `Copy.rows()`."""
        return _Rows(self)

    async def write(self, buffer: Buffer | str) -> None:
        """Async `Copy.write()`."""
        data = self._keep(buffer)
        if data is not None:
            await self._run(self._send_gen(data))

    async def write_row(self, row: Sequence[Any]) -> None:
        """Async `Copy.write_row()`."""
        data = self._keep_row(row)
        if data is not None:
            await self._run(self._send_gen(data))

    async def finish(self, exc: BaseException | None = None) -> None:
        """Async `Copy.finish()`."""
        ending = self._ending(exc)
        try:
            if ending is not None:
                await self._run(ending)
        except Error:
            if exc is None:
                raise

    async def _run(self, gen: Gen[Any]) -> Any:
        return await self._conn._run(gen, self._timeout, part_of=self)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if block := await self.read():
            return block
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        await self._run(self._begin_gen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.finish(error)


class _Rows:
    """Iterates over a COPY's rows; no async generator, so that nobody has to close it (trio would insist)."""

    def __init__(self, copy: AsyncCopy) -> None:
        self._copy = copy

    def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        return self

    async def __anext__(self) -> tuple[Any, ...]:
        row = await self._copy.read_row()
        if row is None:
            raise StopAsyncIteration
        return row
