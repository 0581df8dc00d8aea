"""Cursors, blocking and async, twin by twin: each method is one line over the generator of `BaseCursor`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from greenpg._core.many import BaseManyCursor
from greenpg._core.results import BLOCK
from greenpg._core.stream import Stream
from greenpg.copy import AsyncCopy, Copy
from greenpg.rows import Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from greenpg._core.connection import BaseConnection
    from greenpg._core.query import Params, Query
    from greenpg.abc import Gen
    from greenpg.rows import RowFactory

T = TypeVar("T")


class _Runs(Protocol):
    """A connection, as a blocking cursor needs it."""

    def _run(self, gen: Gen[T], timeout: float | None = None, part_of: object | None = None) -> T: ...

    def _give_way(self) -> None: ...


class _AsyncRuns(Protocol):
    """A connection, as an async cursor needs it."""

    async def _run(self, gen: Gen[T], timeout: float | None = None, part_of: object | None = None) -> T: ...

    async def _give_way(self) -> None: ...


class Cursor(BaseManyCursor[Row]):
    """Executes statements and fetches their rows, with `%s` and `%(name)s` bound on the server.

    Made by `Connection.cursor()`. Iterating over it gives the rows of the current result.
    """

    __module__ = "greenpg"

    @overload
    def __init__(self, connection: BaseConnection[Row]) -> None: ...

    @overload
    def __init__(self, connection: BaseConnection[Any], *, row_factory: RowFactory[Row] | None) -> None: ...

    def __init__(
        self, connection: BaseConnection[Any], *, row_factory: RowFactory[Any] | None = None
    ) -> None:
        super().__init__(connection, row_factory or connection.row_factory)
        self._runs: _Runs = connection  # type: ignore[assignment]

    def execute(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
        timeout: float | None = None,
    ) -> Self:
        """Execute a statement, or several without parameters, and return the cursor.

        :param query: a `str` with placeholders, an `sql.Composable`, or a template string
        :param params: a sequence for `%s`, a mapping for `%(name)s`
        :param prepare: whether to prepare it on the server; by default, once it was executed often enough
        :param binary: whether to ask for binary results; by default, where every column can be loaded from it
        :param timeout: seconds; then the statement is cancelled, and the connection is usable
        :raises greenpg.ProgrammingError: the query and its parameters do not go together
        :raises greenpg.DataError: a value cannot be sent; nothing was
        :raises greenpg.DatabaseError: the server's refusal, by the class of its SQLSTATE
        :raises greenpg.errors.StatementTimeout: the time has passed
        """
        self._runs._run(self._execute_gen(query, params, prepare=prepare, binary=binary), timeout)
        return self

    def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        *,
        returning: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Execute a statement once for each of `params_seq`.

        :param returning: whether to keep each one's result, for `nextset()` and `results()`
        :param timeout: seconds for all of them
        """
        self._runs._run(self._executemany_gen(query, params_seq, returning), timeout)

    def copy(self, statement: Query, params: Params | None = None, *, timeout: float | None = None) -> Copy:
        """Return a COPY to use as a context manager: `with cursor.copy("COPY t FROM STDIN") as copy:`.

        The statement is executed as its block is entered, and ended as it is left.

        :param params: put into the statement as literals, `COPY (SELECT %s) TO STDOUT`
        :param timeout: seconds that each call may take, the beginning and the end of the block too
        """
        return Copy(self, statement, params, timeout)

    def stream(
        self,
        query: Query,
        params: Params | None = None,
        *,
        binary: bool | None = None,
        size: int = 1,
        timeout: float | None = None,
    ) -> Iterator[Row]:
        """Execute a query and yield its rows as they come, without its whole result in memory.

        Nothing else can be done with the connection meanwhile. Closing the generator early cancels the query,
        which fails the transaction.

        :param binary: as in `execute()`
        :param size: rows that libpq takes at a time; with more than one it does less work for each
        :param timeout: seconds to wait for the first rows, and for the next ones each time
        :raises greenpg.ProgrammingError: the statement returns no rows
        """
        stream = Stream(self)
        run = self._runs._run
        run(stream.begin_gen(query, params, binary, size), timeout)
        try:
            while rows := run(stream.rows_gen(), timeout, part_of=stream):
                yield from rows
        finally:
            stream.leave()

    def callproc(self, name: str, args: Any = (), *, timeout: float | None = None) -> Any:
        """Call a function (PEP 249), whose result is the cursor's then; return the arguments.

        :param name: a function's name, which may be qualified by a schema
        """
        query, params = self._callproc_query(name, args)
        self.execute(query, params, timeout=timeout)
        return params

    def nextset(self) -> bool | None:
        """Go to the next result of several; return whether there is one, `None` if not."""
        return self._nextset()

    def results(self) -> Iterator[Self]:
        """Yield the cursor at each of its results, from the current one on."""
        self._check_open()
        if self._answer is not None:
            self._runs._run(self._await_gen())
        if self.pgresult is not None:
            yield self
            while self.nextset():
                yield self

    def set_result(self, index: int) -> Self:
        """Go to a result by its number, negative from the end.

        :raises IndexError: there is none
        """
        if self._answer is not None:
            self._runs._run(self._await_gen())
        self._set_result(index)
        return self

    def fetchone(self) -> Row | None:
        """Return the next row, `None` after the last.

        :raises greenpg.ProgrammingError: nothing was executed, or it returns no rows
        """
        if self._answer is not None:
            self._runs._run(self._await_gen())
        return self._fetchone()

    def fetchmany(self, size: int = 0) -> list[Row]:
        """Return the next `size` rows, `arraysize` by default; fewer at the end."""
        size = size or self.arraysize
        rows = self._fetch_now(size)
        return self._fetch(size) if rows is None else rows

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        rows = self._fetch_now(None)
        return self._fetch(None) if rows is None else rows

    def _fetch(self, size: int | None) -> list[Row]:
        """Fetch so much that others get a turn in between."""
        if self._answer is not None:
            self._runs._run(self._await_gen())
        rows: list[Row] = []
        for block in self._blocks(size):
            rows += block
            if self._conn._slice():
                self._runs._give_way()
        return rows

    def scroll(self, value: int, mode: str = "relative") -> None:
        """Go to another row of the result.

        :param mode: `relative` or `absolute`
        :raises IndexError: the result has no such row
        """
        if self._answer is not None:
            self._runs._run(self._await_gen())
        self._scroll(value, mode)

    def close(self) -> None:
        """Drop the results; the cursor cannot be used any more."""
        self._forget()
        self._is_closed = True

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        position = self._position
        if position < len(self._made) and position % BLOCK:
            self._position = position + 1
            return self._made[position]  # type: ignore[no-any-return]
        if self._answer is not None:
            self._runs._run(self._await_gen())
        if self._is_at_end():
            raise StopIteration
        if self._is_time_for_others():
            self._runs._give_way()
        return self._next_row()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncCursor(BaseManyCursor[Row]):
    """Async `Cursor`."""

    __module__ = "greenpg"

    @overload
    def __init__(self, connection: BaseConnection[Row]) -> None: ...

    @overload
    def __init__(self, connection: BaseConnection[Any], *, row_factory: RowFactory[Row] | None) -> None: ...

    def __init__(
        self, connection: BaseConnection[Any], *, row_factory: RowFactory[Any] | None = None
    ) -> None:
        super().__init__(connection, row_factory or connection.row_factory)
        self._runs: _AsyncRuns = connection  # type: ignore[assignment]

    async def execute(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
        timeout: float | None = None,
    ) -> Self:
        """Async `Cursor.execute()`."""
        await self._runs._run(self._execute_gen(query, params, prepare=prepare, binary=binary), timeout)
        return self

    async def executemany(
        self,
        query: Query,
        params_seq: Iterable[Params],
        *,
        returning: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Async `Cursor.executemany()`."""
        await self._runs._run(self._executemany_gen(query, params_seq, returning), timeout)

    def copy(
        self, statement: Query, params: Params | None = None, *, timeout: float | None = None
    ) -> AsyncCopy:
        """Async `Cursor.copy()`, which does not wait either."""
        return AsyncCopy(self, statement, params, timeout)

    def stream(
        self,
        query: Query,
        params: Params | None = None,
        *,
        binary: bool | None = None,
        size: int = 1,
        timeout: float | None = None,
    ) -> AsyncIterator[Row]:
        """Async `Cursor.stream()`."""
        return _Streamed(self, (query, params, binary, size), timeout)

    async def callproc(self, name: str, args: Any = (), *, timeout: float | None = None) -> Any:
        """Async `Cursor.callproc()`."""
        query, params = self._callproc_query(name, args)
        await self.execute(query, params, timeout=timeout)
        return params

    def nextset(self) -> bool | None:
        """Async `Cursor.nextset()`, which does not wait either."""
        return self._nextset()

    async def results(self) -> AsyncIterator[Self]:
        """Async `Cursor.results()`."""
        self._check_open()
        if self._answer is not None:
            await self._runs._run(self._await_gen())
        if self.pgresult is not None:
            yield self
            while self.nextset():
                yield self

    async def set_result(self, index: int) -> Self:
        """Async `Cursor.set_result()`."""
        if self._answer is not None:
            await self._runs._run(self._await_gen())
        self._set_result(index)
        return self

    async def fetchone(self) -> Row | None:
        """Async `Cursor.fetchone()`."""
        if self._answer is not None:
            await self._runs._run(self._await_gen())
        return self._fetchone()

    async def fetchmany(self, size: int = 0) -> list[Row]:
        """Async `Cursor.fetchmany()`."""
        size = size or self.arraysize
        rows = self._fetch_now(size)
        return await self._fetch(size) if rows is None else rows

    async def fetchall(self) -> list[Row]:
        """Async `Cursor.fetchall()`."""
        rows = self._fetch_now(None)
        return await self._fetch(None) if rows is None else rows

    async def _fetch(self, size: int | None) -> list[Row]:
        """Async `Cursor._fetch()`."""
        if self._answer is not None:
            await self._runs._run(self._await_gen())
        rows: list[Row] = []
        for block in self._blocks(size):
            rows += block
            if self._conn._slice():
                await self._runs._give_way()
        return rows

    async def scroll(self, value: int, mode: str = "relative") -> None:
        """Async `Cursor.scroll()`."""
        if self._answer is not None:
            await self._runs._run(self._await_gen())
        self._scroll(value, mode)

    async def close(self) -> None:
        """Async `Cursor.close()`."""
        self._forget()
        self._is_closed = True

    def __aiter__(self) -> AsyncIterator[Row]:
        return self

    async def __anext__(self) -> Row:
        position = self._position
        if position < len(self._made) and position % BLOCK:
            self._position = position + 1
            return self._made[position]  # type: ignore[no-any-return]
        if self._answer is not None:
            await self._runs._run(self._await_gen())
        if self._is_at_end():
            raise StopAsyncIteration
        if self._is_time_for_others():
            await self._runs._give_way()
        return self._next_row()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Streamed(Generic[Row]):
    """Iterates over a stream's rows.

    It is no async generator: one that is left early ends when the loop finds the time, this one at once.
    """

    def __init__(self, cursor: AsyncCursor[Row], args: tuple[Any, ...], timeout: float | None) -> None:
        self._cursor = cursor
        self._args = args
        self._timeout = timeout
        self._stream: Stream | None = None
        self._rows: deque[Row] = deque()
        self._is_over = False

    def __aiter__(self) -> AsyncIterator[Row]:
        return self

    async def __anext__(self) -> Row:
        if not (self._rows or self._is_over):
            try:
                await self._receive()
            except BaseException:
                self._leave()
                raise
        if not self._rows:
            self._leave()
            raise StopAsyncIteration
        return self._rows.popleft()

    async def _receive(self) -> None:
        run = self._cursor._runs._run
        if self._stream is None:
            stream = Stream(self._cursor)
            await run(stream.begin_gen(*self._args), self._timeout)
            self._stream = stream
        self._rows.extend(await run(self._stream.rows_gen(), self._timeout, part_of=self._stream))

    def _leave(self) -> None:
        self._is_over = True
        self._rows.clear()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.leave()

    async def aclose(self) -> None:
        """End it early; nothing waits for that."""
        self._leave()

    def __del__(self) -> None:
        if not self._is_over:
            self._leave()
