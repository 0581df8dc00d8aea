"""Cursors of the server, blocking and async, twin by twin; see `_core.server_cursor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenpg._core.server_cursor import BaseServerCursor
from greenpg.cursor import AsyncCursor, Cursor
from greenpg.rows import Row

if TYPE_CHECKING:
    from types import TracebackType

    from greenpg._core.connection import BaseConnection
    from greenpg.rows import RowFactory


class ServerCursor(BaseServerCursor[Row], Cursor[Row]):
    """A cursor whose result stays on the server; made by `Connection.cursor(name)`.

    Rows are fetched from there as they are asked for, `itersize` at a time by iteration. A cursor that was
    declared elsewhere, by a function for example, is used by its name, without `execute()`. It lives in a
    transaction, unless it is made `withhold`.
    """

    __module__ = "greenpg"

    def __init__(
        self,
        connection: BaseConnection[Any],
        name: str,
        *,
        row_factory: RowFactory[Any] | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> None:
        super().__init__(connection, row_factory=row_factory)
        self._be(name, scrollable, withhold)

    def fetchone(self) -> Row | None:
        """Fetch the next row from the server, `None` after the last."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int = 0) -> list[Row]:
        """Fetch the next `size` rows from the server, `arraysize` by default; fewer at the end."""
        return self._fetch(size or self.arraysize)

    def fetchall(self) -> list[Row]:
        """Fetch all rows that are left."""
        return self._fetch(None)

    def scroll(self, value: int, mode: str = "relative") -> None:
        """Go to another row, which may be beyond the end.

        :param mode: `relative` or `absolute`
        :raises greenpg.DatabaseError: it leads back, and the cursor is not scrollable
        """
        self._runs._run(self._scroll_gen(value, mode))

    def close(self) -> None:
        """Close the cursor, here and on the server."""
        self._close(None)

    def _fetch(self, size: int | None) -> list[Row]:
        rows: list[Row] = self._runs._run(self._fetch_gen(size))
        return rows

    def _close(self, error: BaseException | None) -> None:
        if self._needs_closing(error):
            self._runs._run(self._close_gen())

    def __next__(self) -> Row:
        if not self._page:
            self._runs._run(self._turn_page_gen())
        if not self._page:
            raise StopIteration
        return self._take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(error)


class AsyncServerCursor(BaseServerCursor[Row], AsyncCursor[Row]):
    """Async `ServerCursor`."""

    __module__ = "greenpg"

    def __init__(
        self,
        connection: BaseConnection[Any],
        name: str,
        *,
        row_factory: RowFactory[Any] | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> None:
        super().__init__(connection, row_factory=row_factory)
        self._be(name, scrollable, withhold)

    async def fetchone(self) -> Row | None:
        """Async `ServerCursor.fetchone()`."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int = 0) -> list[Row]:
        """Async `ServerCursor.fetchmany()`."""
        return await self._fetch(size or self.arraysize)

    async def fetchall(self) -> list[Row]:
        """Async `ServerCursor.fetchall()`."""
        return await self._fetch(None)

    async def scroll(self, value: int, mode: str = "relative") -> None:
        """Async `ServerCursor.scroll()`."""
        await self._runs._run(self._scroll_gen(value, mode))

    async def close(self) -> None:
        """Async `ServerCursor.close()`."""
        await self._close(None)

    async def _fetch(self, size: int | None) -> list[Row]:
        rows: list[Row] = await self._runs._run(self._fetch_gen(size))
        return rows

    async def _close(self, error: BaseException | None) -> None:
        if self._needs_closing(error):
            await self._runs._run(self._close_gen())

    async def __anext__(self) -> Row:
        if not self._page:
            await self._runs._run(self._turn_page_gen())
        if not self._page:
            raise StopAsyncIteration
        return self._take()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(error)
