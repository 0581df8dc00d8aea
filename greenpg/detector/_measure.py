"""Measures the statements of green drivers: how long they have waited for the server and held the hub.

This is the hot path: of a query's 20 µs it may take some tenths of one, and two clocks around the statement
and two around each wait take a whole one. So where there are many, not each is measured, but one of a number
that stands for all of them.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial, wraps
from importlib import import_module
from random import random
from time import perf_counter
from typing import TYPE_CHECKING, Any

from greenpg.compat._imports import AfterImport
from greenpg.compat._patch import Patch
from greenpg.waiters import get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Ready, Wait, WaitCallback
    from greenpg.detector._table import Statement, Table

MEASURED = 200
"""Executions that are measured in a second, of each method; more are counted by chance."""


class Measurement:
    """Is on from its making to `undo()`; drivers that are made green later are measured too."""

    def __init__(self, table: Table) -> None:
        """Give a frame to what has none.

        :param table: where `measure_statements()` puts what it has measured
        """
        self._table = table
        self._patch = Patch()
        self._hooks: list[AfterImport] = []
        self.measures_statements = False
        self._follow("asyncpg", self._asyncpg)

    def measure_statements(self) -> None:
        """Measure the statements too, from now on."""
        if not self.measures_statements:
            self.measures_statements = True
            self._follow("greenpg.compat.psycopg2", self._psycopg2)
            self._follow("greenpg.compat.psycopg", self._psycopg)

    def undo(self) -> None:
        """Put everything back."""
        for hook in self._hooks:
            hook.remove()
        self._patch.undo()

    def _follow(self, module: str, measure: Callable[[], None]) -> None:
        """Call `measure` when a module is there: now, or after its import."""
        hook = AfterImport(module, measure)
        hook.install()
        self._hooks.append(hook)
        if module in sys.modules:
            measure()

    def _psycopg2(self) -> None:
        from greenpg.compat.psycopg2._connection import GreenBaseConnection
        from greenpg.compat.psycopg2._cursor import GreenCursor

        self._patch.replace(GreenCursor, "execute", _execute(GreenCursor.execute, self._table))
        self._measure(GreenCursor, ("executemany", "callproc"), _of_cursor)
        self._measure(GreenBaseConnection, ("commit", "rollback"), _of_connection)

    def _psycopg(self) -> None:
        from psycopg import Connection, Cursor, ServerCursor

        self._measure(Cursor, ("execute", "executemany"), _of_cursor)
        self._measure(ServerCursor, ("execute",), _of_cursor)
        self._measure(Connection, ("commit", "rollback"), _of_connection)

    def _asyncpg(self) -> None:
        """Give a frame to what loops call when data has come: uvloop, in C itself, leaves none to be seen."""
        protocol: Any = import_module("asyncpg.protocol.protocol").Protocol
        data_received = protocol.data_received

        @wraps(data_received)
        def framed_asyncpg(self: Any, data: Any) -> None:
            data_received(self, data)

        self._patch.replace(protocol, "data_received", framed_asyncpg)

    def _measure(self, cls: Any, names: tuple[str, ...], measured: Callable[[Any, Table], Any]) -> None:
        for name in names:
            self._patch.replace(cls, name, measured(getattr(cls, name), self._table))


def _execute(plain: Any, table: Table) -> Any:
    """Return psycopg2's `execute()`, measured: what `_of_cursor()` makes, written out for speed."""
    pace = _Pace()
    left = 1

    @wraps(plain)
    def execute(self: Any, query: Any, vars: Any = None) -> Any:
        nonlocal left
        left -= 1
        if left > 0:
            return plain(self, query, vars)
        stands_for, left = pace.next()
        return _timed(partial(plain, self, query, vars), self.connection, table.record(query), stands_for)

    return execute


def _of_cursor(plain: Any, table: Table) -> Any:
    """Return a cursor's method that takes a statement first, measured."""
    pace = _Pace()
    left = 1

    @wraps(plain)
    def method(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left > 0:
            return plain(self, query, *args, **kwargs)
        stands_for, left = pace.next()
        call = partial(plain, self, query, *args, **kwargs)
        return _timed(call, self.connection, table.record(query), stands_for)

    return method


def _of_connection(plain: Any, table: Table) -> Any:
    """Return a connection's method that is a statement by itself, measured."""
    text = plain.__name__.upper()
    pace = _Pace()
    left = 1

    @wraps(plain)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left > 0:
            return plain(self, *args, **kwargs)
        stands_for, left = pace.next()
        return _timed(partial(plain, self, *args, **kwargs), self, table.record(text), stands_for)

    return method


class _Pace:
    """Chooses which executions of a method are measured: all, or `MEASURED` in a second by chance."""

    def __init__(self) -> None:
        self._chosen = self._mean = 1
        self._last = 0.0

    def next(self) -> tuple[int, int]:
        """Return how many executions the present one stands for, and after how many the next is measured."""
        now = perf_counter()
        wanted = self._chosen / (MEASURED * max(now - self._last, 1e-9))
        self._mean = max(1, min(round(wanted), 2 * self._mean))
        chosen, self._last = self._chosen, now
        # By chance, or of two statements in turn one might always be passed over.
        self._chosen = 1 if self._mean == 1 else 1 + int(random() * (2 * self._mean - 1))
        return chosen, self._chosen


def _timed(call: Callable[[], Any], connection: Any, record: Statement, stands_for: int) -> Any:
    """Make a call and note how long it took, and how long of that the connection has waited."""
    meter = _meter(connection)
    began = perf_counter()
    try:
        return call()
    finally:
        took = perf_counter() - began
        waited = 0.0 if meter is None else meter.stop()
        record.calls += stands_for
        record.waited += stands_for * waited
        record.held += stands_for * (took - waited)


def _meter(connection: Any) -> _Meter | None:
    """Return a meter of a connection's waits, or none if it has no session of ours to wait in."""
    session = getattr(connection, "_greenpg", None)
    if session is None:
        return None
    if session.source is not get_wait_callback():
        # It would be bound to its socket in the first wait, past the meter. psycopg2's session takes the
        # connection for that, psycopg's the socket.
        pgconn = getattr(connection, "pgconn", None)
        with suppress(Exception):  # it is closed: the driver will say so
            session.bind(connection if pgconn is None else pgconn.socket)
    return _Meter(session)


class _Meter:
    """Stands in a connection's session for its wait callback, for the time of one statement."""

    __slots__ = ("_ask", "_session", "_waited")

    def __init__(self, session: Any) -> None:
        self._session = session
        self._ask: WaitCallback = session.wait
        self._waited = 0.0
        session.wait = self

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        began = perf_counter()
        try:
            return self._ask(fd, need, timeout)
        finally:
            self._waited += perf_counter() - began

    def stop(self) -> float:
        """Stand aside; return the seconds that were waited."""
        if self._session.wait is self:
            self._session.wait = self._ask
        return self._waited
