"""Connections, blocking and async, twin by twin: each method is one line over a generator of the core.

`_run()` is where the two differ: one asks the wait callback in force, the other the running event loop.
"""

from __future__ import annotations

import inspect
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from greenpg._core.connecting import connect_steps
from greenpg._core.protocol import cancel_gen
from greenpg._running import task, teller_of_green_threads
from greenpg._session import AsyncSession, Session
from greenpg._turn import CANCEL_LIMIT
from greenpg.conninfo import conninfo_to_dict, make_conninfo
from greenpg.cursor import AsyncCursor, Cursor
from greenpg.pipeline import AsyncPipeline, Pipeline
from greenpg.rows import Row, tuple_row
from greenpg.server_cursor import AsyncServerCursor, ServerCursor
from greenpg.tracing import Trace, get_tracer, telling
from greenpg.waiters import adrive, adrive_steps, current_async, drive, drive_steps, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from typing_extensions import Self

    from greenpg._core.query import Params, Query
    from greenpg.abc import AsyncWaitCallback, Gen, WaitCallback
    from greenpg.adapt import AdaptContext
    from greenpg.rows import RowFactory
    from greenpg.tracing import Tracer

T = TypeVar("T")

_tuples: RowFactory[Any] = tuple_row  # of any row type: it is the default of whoever has not said one


class Connection(Session[Row]):
    """A session on a server, for one green thread at a time. Made by `connect()`.

    As a context manager it commits at the end, or rolls back after an exception, and closes.
    """

    __module__ = "greenpg"

    cursor_factory: type[Cursor[Any]] = Cursor
    """The class of the cursors that `cursor()` makes."""

    server_cursor_factory: type[ServerCursor[Any]] = ServerCursor
    """The class of the cursors that `cursor(name)` makes."""

    _own_wait: WaitCallback | None = None
    _wait: WaitCallback

    @classmethod
    def connect(
        cls,
        conninfo: str = "",
        *,
        autocommit: bool = False,
        row_factory: RowFactory[Row] | None = None,
        cursor_factory: type[Cursor[Any]] | None = None,
        prepare_threshold: int | None = 5,
        context: AdaptContext | None = None,
        wait_callback: WaitCallback | None = None,
        tracer: Tracer | None = None,
        password: str | Callable[[], str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Open a session.

        :param conninfo: libpq's connection string or URI; further options come as keywords, as the
            environment (`PGHOST`...) and the service file say. See libpq, "Connection Strings".
        :param row_factory: what makes a row, by default a tuple; see `greenpg.rows`
        :param prepare_threshold: executions before a statement is prepared; `None`: never (PgBouncer)
        :param context: whose adapters the connection begins with; by default, `greenpg.adapters`
        :param wait_callback: waits for this connection alone; by default, the one in force at each wait
        :param tracer: is told what the connection does; by default, the one of `greenpg.tracing.set_tracer()`
        :param password: the password, or a function that is asked for it
        :raises greenpg.OperationalError: no host could be connected to; the message names each one's reason
        :raises greenpg.ProgrammingError: the connection string is malformed
        """
        if callable(password):
            password = password()
        if kwargs or password is not None:
            conninfo = make_conninfo(conninfo, password=password, **kwargs)
        wait = wait_callback or get_wait_callback()
        tracer = tracer or get_tracer()
        with telling(tracer, "connect", options=_named(conninfo) if tracer else None) as trace:
            connection = cls(drive_steps(connect_steps(conninfo), trace.timed(wait)), row_factory or _tuples)
            trace.belongs_to(connection)
        connection._own_wait = wait_callback
        connection._set_up(autocommit, cursor_factory, prepare_threshold, context)
        if tracer is not None:
            connection.tracer = tracer
        return connection

    def _run(self, gen: Gen[T], timeout: float | None = None, part_of: object | None = None) -> T:
        """Run a conversation: the one place where it waits, and where all of its ends meet."""
        try:
            self._take_turn(gen, part_of)
            if self._rescue is not None:
                timeout = self._settle(timeout)
            result = drive(gen, self._waiter(), timeout)
            self._end_turn(gen)
            return self._hand_out(result) if self._news else result
        except BaseException as error:
            self._raise(self._hand_out(self._failure(gen, error)), error)

    def _hand_out(self, outcome: T) -> T:
        """Tell what the server has said besides results, with turns for the others; return `outcome`."""
        while self._deliver_some():
            self._give_way()
        return outcome

    def _give_way(self) -> None:
        """Let the others go on for a moment, if nobody else uses the connection."""
        gen = self._turn_aside()
        if gen is not None:
            try:
                drive(gen, self._waiter())
            finally:
                self._give_back()

    def _settle(self, timeout: float | None) -> float | None:
        """Bring to rest what was interrupted before, and return what that leaves of the time."""
        began = monotonic()
        steps, limit = self._settling(timeout)
        try:
            drive_steps(steps, self._waiter(), limit)
        except BaseException as error:
            self._raise(self._unsettled(error), error)
        self._rescue = None
        return None if timeout is None else max(timeout - (monotonic() - began), 0.0)

    def _waiter(self) -> WaitCallback:
        """Return the wait callback in force, made for our socket where it can be."""
        source = self._own_wait or get_wait_callback()
        if source is not self._source:
            self._green = teller_of_green_threads()
            self._bind(source, Trace.timed)
        return self._wait

    @overload
    def cursor(self, *, binary: bool | None = None) -> Cursor[Row]: ...

    @overload
    def cursor(self, *, binary: bool | None = None, row_factory: RowFactory[T]) -> Cursor[T]: ...

    @overload
    def cursor(
        self,
        name: str,
        *,
        binary: bool | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> ServerCursor[Row]: ...

    @overload
    def cursor(
        self,
        name: str,
        *,
        binary: bool | None = None,
        row_factory: RowFactory[T],
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> ServerCursor[T]: ...

    def cursor(
        self,
        name: str = "",
        *,
        binary: bool | None = None,
        row_factory: RowFactory[Any] | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> Cursor[Any]:
        """Return a new cursor.

        :param name: of a cursor on the server, whose result stays there
        :param binary: whether results shall be binary; by default, where every column can be loaded from it
        :param scrollable: whether a cursor on the server can be scrolled back; by default, if that is cheap
        :param withhold: whether a cursor on the server outlives its transaction
        :raises greenpg.OperationalError: the connection is closed
        """
        self._check_open()
        cursor: Cursor[Any]
        if name:
            cursor = self.server_cursor_factory(
                self, name, row_factory=row_factory, scrollable=scrollable, withhold=withhold
            )
        else:
            cursor = self.cursor_factory(self, row_factory=row_factory)
        cursor._wants_binary = binary
        return cursor

    def pipeline(self) -> Pipeline:
        """Return the connection's pipeline, a context manager: statements in it do not wait for each other.

        :raises greenpg.NotSupportedError: as its block is entered, by libpq before 14
        """
        return cast("Pipeline", self._pipeline) or Pipeline(self)

    def execute(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
        timeout: float | None = None,
    ) -> Cursor[Row]:
        """Execute a statement in a new cursor, and return the cursor; see `Cursor.execute()`."""
        return self.cursor().execute(query, params, prepare=prepare, binary=binary, timeout=timeout)

    def commit(self, *, timeout: float | None = None) -> None:
        """Commit the transaction, if there is one.

        :raises greenpg.ProgrammingError: it is for a `transaction()` block or `tpc_commit()` to end it
        """
        self._run(self._commit_gen(), timeout)

    def rollback(self, *, timeout: float | None = None) -> None:
        """Roll the transaction back, if there is one.

        :raises greenpg.ProgrammingError: it is for a `transaction()` block or `tpc_rollback()` to end it
        """
        self._run(self._rollback_gen(), timeout)

    def cancel(self) -> None:
        """Ask the server to cancel what the connection is doing; see `cancel_safe()`, which takes a limit."""
        self.cancel_safe()

    def cancel_safe(self, *, timeout: float = CANCEL_LIMIT) -> None:
        """Ask the server to cancel what the connection is doing, and wait until it has dealt with that.

        It may be called by anybody while another one waits. Nothing happens when nothing is under way.

        :param timeout: seconds
        :raises greenpg.errors.CancellationTimeout: the time has passed
        :raises greenpg.OperationalError: the request could not be delivered
        """
        wait = self._own_wait or get_wait_callback()
        with self._telling_cancel() as trace:
            drive(cancel_gen(self.pgconn), trace.timed(wait), timeout)

    def close(self) -> None:
        """Close the connection; whoever waits on it gets an `InterfaceError`. Closing twice does no harm.

        Nothing here waits: it may be called from any thread, green thread, signal handler or wait callback.
        What runs on the server is cancelled; the server rolls the transaction back.
        """
        self._close()

    def _fetch_type_info(self, kind: Any, name: Any) -> Any:
        return self._run(self._type_info_gen(kind, name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.closed:
            return
        try:
            if kind is None:
                self.commit()
            elif error is None or not self._is_interrupted_by(error):
                self.rollback()
        finally:
            self.close()


class AsyncConnection(AsyncSession[Row]):
    """Async `Connection`, for one task at a time."""

    __module__ = "greenpg"

    cursor_factory: type[AsyncCursor[Any]] = AsyncCursor
    """The class of the cursors that `cursor()` makes."""

    server_cursor_factory: type[AsyncServerCursor[Any]] = AsyncServerCursor
    """The class of the cursors that `cursor(name)` makes."""

    _wait: AsyncWaitCallback

    @classmethod
    async def connect(
        cls,
        conninfo: str = "",
        *,
        autocommit: bool = False,
        row_factory: RowFactory[Row] | None = None,
        cursor_factory: type[AsyncCursor[Any]] | None = None,
        prepare_threshold: int | None = 5,
        context: AdaptContext | None = None,
        tracer: Tracer | None = None,
        password: str | Callable[[], str | Awaitable[str]] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Async `Connection.connect()`."""
        if callable(password):
            answer = password()
            password = await answer if inspect.isawaitable(answer) else answer
        if kwargs or password is not None:
            conninfo = make_conninfo(conninfo, password=password, **kwargs)
        wait = current_async()
        tracer = tracer or get_tracer()
        with telling(tracer, "connect", options=_named(conninfo) if tracer else None) as trace:
            connection = cls(
                await adrive_steps(connect_steps(conninfo), trace.atimed(wait)), row_factory or _tuples
            )
            trace.belongs_to(connection)
        connection._set_up(autocommit, cursor_factory, prepare_threshold, context)
        if tracer is not None:
            connection.tracer = tracer
        return connection

    _green = staticmethod(task)

    async def _run(self, gen: Gen[T], timeout: float | None = None, part_of: object | None = None) -> T:
        """Async `Connection._run()`."""
        try:
            self._take_turn(gen, part_of)
            if self._rescue is not None:
                timeout = await self._settle(timeout)
            result = await adrive(gen, self._waiter(), timeout)
            self._end_turn(gen)
            return await self._hand_out(result) if self._news else result
        except BaseException as error:
            self._raise(await self._hand_out(self._failure(gen, error)), error)

    async def _hand_out(self, outcome: T) -> T:
        """Async `Connection._hand_out()`."""
        while self._deliver_some():
            await self._give_way()
        return outcome

    async def _give_way(self) -> None:
        """Async `Connection._give_way()`."""
        gen = self._turn_aside()
        if gen is not None:
            try:
                await adrive(gen, self._waiter())
            finally:
                self._give_back()

    async def _settle(self, timeout: float | None) -> float | None:
        """Async `Connection._settle()`."""
        began = monotonic()
        steps, limit = self._settling(timeout)
        try:
            await adrive_steps(steps, self._waiter(), limit)
        except BaseException as error:
            self._raise(self._unsettled(error), error)
        self._rescue = None
        return None if timeout is None else max(timeout - (monotonic() - began), 0.0)

    def _waiter(self) -> AsyncWaitCallback:
        """Async `Connection._waiter()`, which does not wait either."""
        source = current_async()
        if source is not self._source:
            self._bind(source, Trace.atimed)
        return self._wait

    @overload
    def cursor(self, *, binary: bool | None = None) -> AsyncCursor[Row]: ...

    @overload
    def cursor(self, *, binary: bool | None = None, row_factory: RowFactory[T]) -> AsyncCursor[T]: ...

    @overload
    def cursor(
        self,
        name: str,
        *,
        binary: bool | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> AsyncServerCursor[Row]: ...

    @overload
    def cursor(
        self,
        name: str,
        *,
        binary: bool | None = None,
        row_factory: RowFactory[T],
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> AsyncServerCursor[T]: ...

    def cursor(
        self,
        name: str = "",
        *,
        binary: bool | None = None,
        row_factory: RowFactory[Any] | None = None,
        scrollable: bool | None = None,
        withhold: bool = False,
    ) -> AsyncCursor[Any]:
        """Async `Connection.cursor()`, which does not wait either."""
        self._check_open()
        cursor: AsyncCursor[Any]
        if name:
            cursor = self.server_cursor_factory(
                self, name, row_factory=row_factory, scrollable=scrollable, withhold=withhold
            )
        else:
            cursor = self.cursor_factory(self, row_factory=row_factory)
        cursor._wants_binary = binary
        return cursor

    def pipeline(self) -> AsyncPipeline:
        """Async `Connection.pipeline()`, which does not wait either."""
        return cast("AsyncPipeline", self._pipeline) or AsyncPipeline(self)

    async def execute(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
        timeout: float | None = None,
    ) -> AsyncCursor[Row]:
        """Async `Connection.execute()`."""
        return await self.cursor().execute(query, params, prepare=prepare, binary=binary, timeout=timeout)

    async def commit(self, *, timeout: float | None = None) -> None:
        """Async `Connection.commit()`."""
        await self._run(self._commit_gen(), timeout)

    async def rollback(self, *, timeout: float | None = None) -> None:
        """Async `Connection.rollback()`."""
        await self._run(self._rollback_gen(), timeout)

    def cancel(self) -> None:
        """Async `Connection.cancel()`, which does not wait either: await `cancel_safe()` to know the outcome.

        The request leaves from a native thread; nobody is told if it cannot be delivered.
        """
        self._cancel_unattended()

    async def cancel_safe(self, *, timeout: float = CANCEL_LIMIT) -> None:
        """Async `Connection.cancel_safe()`."""
        wait = current_async()
        with self._telling_cancel() as trace:
            await adrive(cancel_gen(self.pgconn), trace.atimed(wait), timeout)

    async def close(self) -> None:
        """Async `Connection.close()`."""
        self._close()

    async def _fetch_type_info(self, kind: Any, name: Any) -> Any:
        return await self._run(self._type_info_gen(kind, name))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.closed:
            return
        try:
            if kind is None:
                await self.commit()
            elif error is None or not self._is_interrupted_by(error):
                await self.rollback()
        finally:
            self._close()


def _named(conninfo: str) -> dict[str, str]:
    """Return what a tracer is told of a connection string: who connects to what, and no secrets."""
    told = ("host", "hostaddr", "port", "dbname", "user", "application_name", "service")
    return {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if name in told}
