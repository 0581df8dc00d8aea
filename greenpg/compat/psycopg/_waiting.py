"""Waiting on a connection, and what becomes of it when something is thrown into the wait."""

from __future__ import annotations

from contextlib import suppress
from errno import EBADF, ENOTCONN
from typing import Any

from psycopg import Connection
from psycopg import errors as e

from greenpg.abc import Wait
from greenpg.compat.psycopg import _loops
from greenpg.compat.psycopg._loops import NEEDS, Clock
from greenpg.compat.psycopg._session import ACTIVE, Session, connections, in_copy, session_of
from greenpg.waiters import get_wait_callback
from greenpg.waiters.select import wait as poll

_R, _W, _RW = Wait.R, Wait.W, Wait.RW


def wait(self: Any, gen: Any, interval: float | None = None, timeout: float | None = None) -> Any:
    """Run a generator of the connection to its end, waiting through greenpg; return its result.

    Whatever is thrown into the wait cancels the statement and leaves the connection usable, or
    closes it; then it is raised as it is.

    :param interval: seconds after which the generator is woken up if there was nothing; never by default
    :param timeout: seconds for the whole; then `psycopg.errors._WaitTimeout` is raised
    """
    try:
        session: Session = self._greenpg
    except AttributeError:
        session = session_of(self)
    pgconn = self.pgconn
    fd = pgconn.socket
    if session.source is not get_wait_callback() or fd != session.fd:
        session.bind(fd)
    clock = None
    if timeout is not None or interval is not None:
        clock = Clock(interval, timeout)
    ask = session.wait
    try:
        session.waits = True
        need = next(gen)
        while True:
            left = None if clock is None else clock.left()
            if need == _R:
                need = gen.send(ask(fd, _R, left))
            else:
                need = gen.send(_wait_to_write(session, pgconn, NEEDS[need], left))
            if clock is not None:
                clock.check()
    except StopIteration as stop:
        return stop.value
    except BaseException as exc:
        _settle(self, session, gen, exc)
        raise
    finally:
        session.waits = False
        if session.closed_by is not None:
            session.finish(self)


def _wait_to_write(session: Session, pgconn: Any, need: Wait, left: float | None) -> int:
    """Wait until there is room to send, or what else is needed; take in what the server says meanwhile.

    psycopg's COPY waits for room alone. A server that is itself blocked on writing (a trigger that
    raises a notice per row) reads nothing more, and two sides that both only write wait for ever.
    """
    fd = session.fd
    while True:
        # nearly always there is room: to look costs a fraction of a turn of the loop
        ready: int = poll(fd, _RW, 0)
        if not ready or session.slice_over():
            ready = session.wait(fd, _RW, left)
        if need is _W and ready & _R:
            pgconn.consume_input()
            ready &= _W
        if ready or left is not None:
            return ready


def wait_fd(gen: Any, fileno: int, interval: float | None = None, timeout: float | None = None) -> Any:
    """Run a generator for a connection that waits in a way of its own, and was interrupted no less safely."""
    return _loops.wait(gen, fileno, interval, timeout, end=_end)


def _end(gen: Any, fileno: int) -> None:
    """Bring the connection of a socket to rest, looking for it among all."""
    for conn in list(connections.values()):
        if not conn.closed and conn.pgconn.socket == fileno:
            session_of(conn).recover(conn)
            gen.close()
            return
    _loops.break_off(gen, fileno)


def wait_conn(gen: Any, interval: float | None = None, timeout: float | None = None) -> Any:
    """Run a generator that makes a connection, and keep an eye on what it has made."""
    made = _loops.wait_conn(gen, interval, timeout)
    if isinstance(made, Connection):
        session_of(made)
    return made


def _settle(conn: Any, session: Session, gen: Any, exc: BaseException) -> None:
    """Bring the connection to rest after `exc` has ended a wait; raise what is to replace it, if anything.

    :raises psycopg.OperationalError: somebody else has closed the connection
    """
    interrupted = getattr(gen, "gi_frame", None) is not None  # else the generator has raised it itself
    try:
        if session.closed_by is None and (interrupted or not _is_left_to_psycopg(conn, exc)):
            session.recover(conn, is_mistake=not interrupted)
    finally:
        with suppress(RuntimeError):  # one that waits in its clean-up: there is nothing to wait for
            gen.close()
    lost = isinstance(exc, OSError) and exc.errno in (EBADF, ENOTCONN)
    if interrupted and not lost:
        return
    if session.closed_by is not None:
        raise e.OperationalError(f"connection closed by {session.closed_by!r} during the wait") from exc
    if session.forked:
        raise e.OperationalError("the connection belongs to the parent process") from exc
    if lost:
        raise e.OperationalError("the socket of the connection was closed during the wait") from exc


def _is_left_to_psycopg(conn: Any, exc: BaseException) -> bool:
    """Return whether psycopg deals with the state that an error of its generators leaves behind.

    It does not where `execute()` has begun a COPY, nor where a signal handler has raised in its midst.
    """
    if conn.pgconn.transaction_status != ACTIVE:
        return True
    if not isinstance(exc, Exception):
        return False
    if conn._pipeline is not None:
        return True
    return not isinstance(exc, e.ProgrammingError) and in_copy(conn.pgconn)
