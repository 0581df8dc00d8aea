"""What a pool's users call, so that no connection and no slot is lost to whatever interrupts them.

psycopg_pool expects its users to be interrupted by an `Exception` at most. A kill or a timeout of a green
thread is none: it comes past the `except` clauses, and what the thread had in its hands (a place in the
queue, a connection that came in the same moment) is gone from the pool for ever.

The rule: psycopg_pool's own code does the work. It is interrupted only where it waits, and it settles a
connection after its last wait: so one whose user was interrupted is not settled, and a worker of the pool,
whom nobody interrupts, does that.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from psycopg_pool import NullConnectionPool, PoolTimeout, _acompat
from psycopg_pool.abc import CT
from psycopg_pool.pool import ReturnConnection, WaitingClient

from greenpg.compat.psycopg._session import session_of
from greenpg.compat.psycopg_pool._workers import at_work, close

if TYPE_CHECKING:
    from collections.abc import Callable

_asking: ContextVar[Client[Any] | None] = ContextVar("greenpg_pool_client", default=None)
"""The place in a queue that this green thread has got."""

_taken: ContextVar[Any] = ContextVar("greenpg_pool_connection", default=None)
"""The connection that this green thread's `getconn()` has in its hands."""


class Client(WaitingClient[CT]):
    """A place in the queue that can be left at any moment."""

    __slots__ = ("late",)

    def __init__(self) -> None:
        super().__init__()
        self.late: Any = None
        """A connection that came when the user was interrupted already."""
        _asking.set(self)

    def wait(self, timeout: float) -> Any:
        """Wait for a connection; raise what interrupts, where older versions would prefer a connection."""
        try:
            conn = super().wait(timeout)
            if self.error is None or isinstance(self.error, PoolTimeout):
                return conn
            raise self.error
        except BaseException as exc:
            self.leave(exc)  # now, for the newest version gives back an own `conn` of this by itself
            raise

    def leave(self, why: BaseException) -> None:
        """Take no connection from now on."""
        self.error = why
        if self.conn is not None:
            self.late, self.conn = self.conn, None


def getconn(plain: Any) -> Callable[..., Any]:
    """Return `getconn()` that gives the connection back if it is interrupted, in `check` for example."""

    @wraps(plain)
    def method(self: Any, timeout: float | None = None) -> Any:
        token = _taken.set(None)
        try:
            return plain(self, timeout)
        except BaseException:
            conn = _taken.get()
            if conn is not None:
                _give_back(self, conn)
            raise
        finally:
            _taken.reset(token)

    return method


def getconn_unchecked(plain: Any) -> Callable[..., Any]:
    """Return `_getconn_unchecked()` that leaves the queue if it is interrupted, and notes what it takes."""

    @wraps(plain)
    def method(self: Any, timeout: float) -> Any:
        token = _asking.set(None)
        try:
            conn = plain(self, timeout)
        except BaseException as exc:
            client = _asking.get()
            if client is not None:
                client.leave(exc)
                with suppress(ValueError):
                    self._waiting.remove(client)  # or it would count as one who waits
                if client.late is not None:
                    _give_back(self, client.late)
            raise
        finally:
            _asking.reset(token)
        _taken.set(conn)
        return conn

    return method


def putconn_of_getconn(plain: Any) -> Callable[..., Any]:
    """Return `_putconn()`, by which `getconn()` gives back what has failed its check."""

    @wraps(plain)
    def method(self: Any, conn: Any, from_getconn: bool) -> None:
        plain(self, conn, from_getconn=from_getconn)
        _taken.set(None)

    return method


def check_connection(plain: Any) -> Callable[..., Any]:
    """Return `_check_connection()` that tells an interruption from a failure which it has led to.

    Up to psycopg_pool 3.3.2 a check ends with `autocommit = False`, which fails on a connection that was
    closed over an interruption; the check would count as failed, and the interruption be lost.
    """

    @wraps(plain)
    def method(self: Any, conn: Any) -> None:
        before = sys.exc_info()[1]  # what the user is dealing with is no interruption of the check
        try:
            plain(self, conn)
        except Exception as exc:
            reason = exc.__context__
            while isinstance(reason, Exception) and reason is not before:
                reason = reason.__context__
            if reason is None or reason is before:
                raise
            interruption = reason
        else:
            return
        raise interruption

    return method


def maybe_grow_pool(plain: Any) -> Callable[..., Any]:
    """Return `_maybe_grow_pool()` that does not count a connection which it did not come to ask for."""

    @wraps(plain)
    def method(self: Any) -> None:
        before = self._nconns, self._growing  # nobody changes them while we hold the pool's lock
        try:
            plain(self)
        except BaseException:
            self._nconns, self._growing = before
            raise

    return method


def putconn(plain: Any) -> Callable[..., Any]:
    """Return `putconn()` that lets a worker do the rest if it is interrupted, in a rollback for example."""

    @wraps(plain)
    def method(self: Any, conn: Any) -> None:
        self._check_pool_putconn(conn)
        if session_of(conn).forked:  # this pool has been opened anew since, and never counted it
            close(conn)
            return
        try:
            plain(self, conn)
        except BaseException:
            _give_back(self, conn)
            raise

    return method


def wait(plain: Any) -> Callable[..., Any]:
    """Return `wait()` that can be called again after it was interrupted."""

    @wraps(plain)
    def method(self: Any, timeout: float = 30.0) -> Any:
        if self._pool_full_event is not None:  # somebody waits for it already, which psycopg_pool refuses
            return plain(self, timeout)
        try:
            return plain(self, timeout)
        except AssertionError:  # so it does, of two that wait for the lock
            raise
        except BaseException:
            full, self._pool_full_event = self._pool_full_event, None
            if isinstance(self, NullConnectionPool) and full is not None and not full.is_set():
                # its connection for test is still to come, and will count as one that is given back
                self._nconns += 1
            raise

    return method


def undisturbed(plain: Any) -> Callable[..., Any]:
    """Return a method that goes on to its end, in a thread of its own, when its caller is interrupted."""

    @wraps(plain)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        # a worker is not interrupted, and `close()` must not wait for what waits for it
        if at_work.get() or sys.is_finalizing():
            return plain(self, *args, **kwargs)
        errors: list[BaseException] = []
        done = threading.Event()

        def run() -> None:
            try:
                plain(self, *args, **kwargs)
            except BaseException as exc:
                errors.append(exc)
            finally:
                done.set()

        try:
            _acompat.spawn(run, name=f"{self.name}-{plain.__name__}")
        except RuntimeError:  # Python 3.12 starts no native thread in what atexit calls
            return plain(self, *args, **kwargs)
        done.wait()
        for error in errors:
            raise error
        return None

    return method


def _give_back(pool: Any, conn: Any) -> None:
    """Let a worker do what brings a connection back into the pool, or another one in its place."""
    if pool.closed:
        close(conn)
    else:
        pool.run_task(ReturnConnection(pool, conn, from_getconn=False))
