"""Measures the statements of green drivers: how long each has waited for the server and held the hub.

Two clocks around the statement, two around each wait. This is the hot path: of a query's 20 µs it may take
some tenths of one, so what it costs is a matter of attributes and frames.
"""

from __future__ import annotations

import sys
from functools import wraps
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any

from greenpg.compat._imports import AfterImport
from greenpg.compat._patch import Patch
from greenpg.waiters import observe

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import BoundWaitCallback, Ready, Wait, WaitCallback
    from greenpg.detector._table import Statement, Table


class Measurement:
    """Is installed from its making to `undo()`; drivers that are made green later are measured too."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._patch = Patch()
        self._hooks: list[AfterImport] = []
        observe(_Measured)
        for module, measure in (
            ("greenpg.compat.psycopg2", self._psycopg2),
            ("greenpg.compat.psycopg", self._psycopg),
            ("asyncpg", self._asyncpg),
        ):
            hook = AfterImport(module, measure)
            hook.install()
            self._hooks.append(hook)
            if module in sys.modules:
                measure()

    def undo(self) -> None:
        """Put everything back."""
        for hook in self._hooks:
            hook.remove()
        self._patch.undo()
        observe(None)

    def _psycopg2(self) -> None:
        from greenpg.compat.psycopg2._connection import GreenBaseConnection
        from greenpg.compat.psycopg2._cursor import GreenCursor

        table = self._table
        self._patch.replace(GreenCursor, "execute", _execute(GreenCursor.execute, table))
        for name in ("executemany", "callproc"):
            self._patch.replace(GreenCursor, name, _of_cursor(getattr(GreenCursor, name), table))
        for name in ("commit", "rollback"):
            plain = getattr(GreenBaseConnection, name)
            self._patch.replace(GreenBaseConnection, name, _of_connection(plain, table, name.upper()))

    def _psycopg(self) -> None:
        from psycopg import Connection, Cursor, ServerCursor

        table = self._table
        for cls, name in ((Cursor, "execute"), (Cursor, "executemany"), (ServerCursor, "execute")):
            self._patch.replace(cls, name, _of_cursor(getattr(cls, name), table))
        for name in ("commit", "rollback"):
            plain = getattr(Connection, name)
            self._patch.replace(Connection, name, _of_connection(plain, table, name.upper()))

    def _asyncpg(self) -> None:
        """Give a frame to what loops call when data has come: uvloop, in C itself, leaves none to be seen."""
        protocol: Any = import_module("asyncpg.protocol.protocol").Protocol
        plain = protocol.data_received

        @wraps(plain)
        def data_received(self: Any, data: Any) -> None:
            plain(self, data)

        self._patch.replace(protocol, "data_received", data_received)


class _Measured:
    """Stands for a wait callback, and measures each connection's waits."""

    def __init__(self, callback: WaitCallback) -> None:
        self._callback = callback
        self.__module__ = getattr(callback, "__module__", __name__)

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        return self._callback(fd, need, timeout)

    def bind(self, fd: int, /) -> _Meter:
        bind = getattr(self._callback, "bind", None)
        return _Meter(self._callback if bind is None else bind(fd))

    def __repr__(self) -> str:
        return repr(self._callback)


class _Meter:
    """The wait callback of one connection, and the seconds it has waited."""

    __slots__ = ("_ask", "_bound", "waited")

    def __init__(self, bound: BoundWaitCallback | WaitCallback) -> None:
        self._bound = bound
        self._ask = bound.__call__
        self.waited = 0.0

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        began = perf_counter()
        try:
            return self._ask(fd, need, timeout)
        finally:
            self.waited += perf_counter() - began

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self._bound, "close", None)
        if close is not None:
            close()


def _execute(plain: Any, table: Table) -> Any:
    """Return psycopg2's `execute()`, measured: what `_of_cursor()` makes, written out for speed."""
    find = table.texts.get

    @wraps(plain)
    def execute(self: Any, query: Any, vars: Any = None) -> None:
        try:
            meter = self.connection._greenpg.wait.__self__
            before = meter.waited
        except AttributeError:  # it has not waited yet
            meter, before = None, 0.0
        began = perf_counter()
        try:
            return plain(self, query, vars)  # type: ignore[no-any-return]
        finally:
            took = perf_counter() - began
            waited = _waited(self.connection, None, 0.0) if meter is None else meter.waited - before
            found = find(query) if type(query) is str else None
            if found is None:
                found = table.entry(query)
            found.calls += 1
            found.waited += waited
            found.held += took - waited

    return execute


def _of_cursor(plain: Any, table: Table) -> Any:
    """Return a cursor's method with a statement in front of its arguments, measured."""

    @wraps(plain)
    def method(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        meter, before = _meter(self.connection)
        began = perf_counter()
        try:
            return plain(self, query, *args, **kwargs)
        finally:
            found = (table.texts.get(query) if type(query) is str else None) or table.entry(query)
            _note(found, perf_counter() - began, _waited(self.connection, meter, before))

    return method


def _of_connection(plain: Any, table: Table, text: str) -> Any:
    """Return a connection's method without a statement, measured."""

    @wraps(plain)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        meter, before = _meter(self)
        began = perf_counter()
        try:
            return plain(self, *args, **kwargs)
        finally:
            _note(table.entry(text), perf_counter() - began, _waited(self, meter, before))

    return method


def _meter(connection: Any) -> tuple[_Meter | None, float]:
    """Return the meter of a connection, and the seconds on it; none if the connection has not waited yet."""
    meter = getattr(getattr(getattr(connection, "_greenpg", None), "wait", None), "__self__", None)
    return (meter, meter.waited) if isinstance(meter, _Meter) else (None, 0.0)


def _waited(connection: Any, meter: _Meter | None, before: float) -> float:
    """Return the seconds that a connection has waited since `meter` showed `before`."""
    current, waited = _meter(connection)
    return waited - before if current is meter else waited


def _note(found: Statement, took: float, waited: float) -> None:
    found.calls += 1
    found.waited += waited
    found.held += took - waited
