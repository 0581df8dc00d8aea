"""The loops that drive psycopg's generators through the wait callback in force.

psycopg has a loop per way to wait, and looks at most sockets ten times a second. These sleep until
there is something to do; only where a version of psycopg keeps the time in its generators, they wake
them up as often as they are told.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EBADF
from inspect import signature
from time import monotonic
from typing import Any

import psycopg
from psycopg import errors as e

from greenpg._core.offload import shut_down
from greenpg.abc import Wait
from greenpg.compat.psycopg._session import ACTIVE, Session, in_copy, session_of
from greenpg.waiters import get_wait_callback
from greenpg.waiters.select import wait as poll

_R, _W, _RW = Wait.R, Wait.W, Wait.RW
KEEPS_TIME = "timeout" not in signature(psycopg.Connection.wait).parameters
"""Whether this psycopg looks at the clock in its generators (before 3.3.5), woken up for it now and then."""
_WAKING = 0.1  # seconds between looks at the clock of a generator that keeps the time itself


class _Clock:
    """How long a wait may take: until the whole is over, or the generator wants to look at the time."""

    def __init__(self, interval: float | None, timeout: float | None) -> None:
        self._interval = interval
        self._end = None if timeout is None else monotonic() + timeout

    def left(self) -> float | None:
        """Return the seconds that the next wait may take."""
        if self._end is None:
            return self._interval
        left = max(0.0, self._end - monotonic())
        return left if self._interval is None else min(left, self._interval)

    def check(self) -> None:
        """Look at the clock, once the generator has had what there was.

        :raises psycopg.errors._WaitTimeout: the time of the whole is over
        """
        if self._end is not None and monotonic() >= self._end:
            raise e._WaitTimeout("wait timeout expired")


def wait(self: Any, gen: Any, interval: float | None = None, timeout: float | None = None) -> Any:
    """Run a generator of the connection to its end, waiting through greenpg; return its result.

    Whatever is thrown into the wait cancels the statement and leaves the connection usable, or
    closes it; then it is raised as it is.

    :param interval: seconds after which the generator is woken up, where psycopg knows no `timeout`
    :param timeout: seconds for the whole; then `psycopg.errors._WaitTimeout` is raised
    """
    session = session_of(self)
    pgconn = self.pgconn
    fd = pgconn.socket
    if session.source is not get_wait_callback() or fd != session.fd:
        session.bind(fd)
    ask = session.wait
    clock = None if timeout is None and (interval is None or not KEEPS_TIME) else _Clock(interval, timeout)
    session.waits = True
    try:
        need = next(gen)
        while True:
            left = None if clock is None else clock.left()
            need = gen.send(ask(fd, _R, left) if need == _R else _wait_to_write(session, pgconn, need, left))
            if clock is not None:
                clock.check()
    except StopIteration as stop:
        return stop.value
    except BaseException as exc:
        _settle(self, session, gen, exc)
        raise
    finally:
        session.waits = False


def _wait_to_write(session: Session, pgconn: Any, need: int, left: float | None) -> int:
    """Wait until there is room to send, taking in what the server says meanwhile.

    psycopg's COPY waits for room alone. A server that is itself blocked on writing (a trigger that
    raises a notice per row) reads nothing more, and two sides that both only write wait for ever.
    """
    fd = session.fd
    while True:
        # nearly always there is room: to ask costs a fraction of a turn of the loop
        ready: int = poll(fd, _RW, 0)
        if not ready or session.slice_over():
            ready = session.wait(fd, _RW, left)
        if ready & _R and need == _W:
            pgconn.consume_input()
            ready &= _W
        if ready or left is not None:
            return ready


def _settle(conn: Any, session: Session, gen: Any, exc: BaseException) -> None:
    """Bring the connection to rest after `exc` has ended a wait, or raise what is to replace it.

    :raises psycopg.OperationalError: somebody else has closed the connection
    """
    interrupted = getattr(gen, "gi_frame", None) is not None  # else the generator has raised it itself
    try:
        if session.closed_by is not None:
            session.finish(conn)
        elif interrupted or not _is_left_to_psycopg(conn, exc):
            session.recover(conn)
    finally:
        with suppress(RuntimeError):  # one that goes on waiting in its clean-up: there is nothing to wait for
            gen.close()
    if interrupted and not (isinstance(exc, OSError) and exc.errno == EBADF):
        return
    if session.closed_by is not None:
        raise e.OperationalError(
            f"the connection was closed by {session.closed_by!r} during the wait"
        ) from exc
    if session.forked:
        raise e.OperationalError("the connection belongs to the parent process") from exc
    if interrupted:
        raise e.OperationalError("the connection's socket was closed during the wait") from exc


def _is_left_to_psycopg(conn: Any, exc: BaseException) -> bool:
    """Return whether psycopg deals with the state that an error of its generators leaves behind.

    It does not for a COPY begun by `execute()`, nor when a signal handler has raised in its midst.
    """
    if conn.pgconn.transaction_status != ACTIVE:
        return True
    if not isinstance(exc, Exception):
        return False
    if conn._pipeline is not None:
        return True
    return not isinstance(exc, e.ProgrammingError) and in_copy(conn.pgconn)


def wait_fd(gen: Any, fileno: int, interval: float | None = None, timeout: float | None = None) -> Any:
    """Run a generator for a connection that is not known: `psycopg.waiting.wait()`.

    An interruption ends the session: there is nobody to ask what it is in the midst of.
    """
    ask = get_wait_callback()
    clock = _Clock(interval if KEEPS_TIME else None, timeout)
    try:
        need = next(gen)
        while True:
            try:
                ready = ask(fileno, Wait(need), clock.left())
            except BaseException:
                with suppress(OSError):
                    shut_down(fileno)
                raise
            need = gen.send(ready)
            clock.check()
    except StopIteration as stop:
        return stop.value


def wait_conn(gen: Any, interval: float | None = None, timeout: float | None = None) -> Any:
    """Run a generator that makes or cancels a connection: `psycopg.waiting.wait_conn()`."""
    ask = get_wait_callback()
    clock = _Clock(_WAKING if KEEPS_TIME else None, timeout)
    try:
        fd, need = next(gen)
        while True:
            fd, need = gen.send(ask(fd, Wait(need), clock.left()))
            clock.check()
    except StopIteration as stop:
        if isinstance(stop.value, psycopg.Connection):
            session_of(stop.value)
        return stop.value
    finally:
        gen.close()  # and with it the socket of a connection that was not made
