"""What greenpg keeps about one psycopg2 connection, and the wait callback that psycopg2 calls for it.

psycopg2 calls the wait callback with the connection's mutex held and closes the connection when it
raises. Hence the two rules of this room: whoever else wants the connection is refused before
psycopg2 gets to lock it, and an interruption that has been cleaned up after is *kept*, for the
method that began the wait to raise once psycopg2 has let go.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

import psycopg2
from psycopg2 import _psycopg

from greenpg import pq
from greenpg._core.offload import detach, shut_down
from greenpg._core.protocol import cancel_gen, drain_gen, leave_copy_gen, wait_gen
from greenpg.abc import Gen, Ready, Wait
from greenpg.compat._recovery import PATIENCE, Limits, current, end_statement
from greenpg.errors import Error
from greenpg.pq.enums import ExecStatus, TransactionStatus
from greenpg.waiters import drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from psycopg2.extensions import connection

    from greenpg.abc import BoundWaitCallback, WaitCallback
    from greenpg.pq.abc import PGcancel, PGconn

# What to wait for by what psycopg2's poll() has returned: 1 to read, 2 to write. A statement that
# is being sent waits for either side, since a server blocked on writing reads nothing.
_NEEDS = (Wait.R, Wait.R, Wait.RW)
_CONNECT_NEEDS = (Wait.R, Wait.R, Wait.W)
_UNBORN = frozenset({0, 20})  # CONN_STATUS_SETUP, CONN_STATUS_CONNECTING: no session to save yet

_poll = _psycopg.connection.poll
_fileno = _psycopg.connection.fileno


_OWN_FAILURES = (OSError, Error, psycopg2.Error)  # of cleaning up; TimeoutError is an OSError


class Attempt(Protocol):
    """How a connection is being made: what psycopg2 is told, and for how long."""

    def told(self, dsn: str) -> str:
        """Return what psycopg2 is to be told where it would have been `dsn`."""

    def limit(self, wait: WaitCallback, pgconn: PGconn) -> WaitCallback:
        """Return `wait`, limited to the time of the attempt."""


attempt_by_function: ContextVar[Attempt | None] = ContextVar("greenpg_attempt", default=None)
"""The attempt that a factory function is called for: the connection it makes is not ours to mark."""


class CopyFileError(Exception):
    """The file object of a COPY has raised; its exception is the cause."""


limits = Limits()

entry_points: set[CodeType] = set()
"""The methods that raise a kept interruption once psycopg2 has let go of the connection."""


@dataclass(frozen=True)
class Forked:
    """Holds a connection inherited through `fork()`: in this process it is busy for ever."""

    under: object | None
    """The green thread that waited when the process was forked, and left psycopg2's mutex locked."""


def _unbound(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Wait for a session that is bound to nothing."""
    return get_wait_callback()(fd, need, timeout)


class Session:
    """The state of one connection that psycopg2 has no room for."""

    __slots__ = (
        "_bound", "_pgconn", "asked", "attempt", "cancel_key", "closed_by", "connected", "copy", "dsn",
        "fd", "holder", "interruption", "source", "transactions", "wait",
    )  # fmt: skip

    def __init__(self, attempt: Attempt | None = None) -> None:
        self.attempt = attempt
        """How it is being connected; `None` once it is."""
        self.dsn: str | None = None
        """The conninfo as it was given, where psycopg2 was handed another one."""
        self.asked: dict[str, str] | None = None
        """The parameters of that conninfo."""
        self.holder: object | None = None
        """The green thread that waits on the connection, or `Forked`; `None` when it is idle."""
        self.interruption: BaseException | None = None
        """What was thrown into a wait that has been cleaned up after, still to be raised."""
        self.copy: Callable[[PGconn], Gen[None]] | None = None
        """What to do when the statement under way turns out to be a COPY."""
        self.closed_by: object | None = None
        """The green thread that called `close()` while another one waited."""
        self.cancel_key: PGcancel | None = None
        """Cancels without the connection, from any thread; there once it is connected."""
        self.transactions = 0
        """Counts the calls that have left no transaction open: what belongs to an earlier one is gone."""
        self.connected = False
        """Whether there is a session on the server to save."""
        self.source: WaitCallback | None = None
        """The registered wait callback that `wait` was made from."""
        self.wait: WaitCallback = _unbound
        self.fd = -1
        self._bound: BoundWaitCallback | None = None
        self._pgconn: PGconn | None = None

    def connect(self, conn: connection) -> None:
        """Begin with a connection that has just been made."""
        self.attempt = None
        self.connected = True
        self.cancel_key = self.pgconn(conn).get_cancel()

    def pgconn(self, conn: connection) -> PGconn:
        """Return psycopg2's own `PGconn`, borrowed through the libpq that psycopg2 itself uses."""
        if self._pgconn is None:
            address = conn.pgconn_ptr
            if address is None:
                raise psycopg2.InterfaceError("connection already closed")
            self._pgconn = libpq().borrow(address)
        return self._pgconn

    def waiter(self, conn: connection) -> tuple[WaitCallback, int]:
        """Return the wait callback in force, bound to the socket where it can be, and the socket."""
        if self.source is not get_wait_callback():
            self.bind(conn)
        return self.wait, self.fd

    def bind(self, conn: connection) -> None:
        """Take up the wait callback in force."""
        self.release()
        source = get_wait_callback()
        fd = _fileno(conn)
        bind = getattr(source, "bind", None)
        if bind is None:
            self.wait = source
        else:
            self._bound = bound = bind(fd)
            # its method: to call an instance costs Python a tuple and a look-up, each time
            self.wait = bound.__call__
        self.source, self.fd = source, fd

    def release(self) -> None:
        """Drop what a wait callback keeps for the socket: before the socket is closed, not after."""
        bound, self._bound = self._bound, None
        self.source, self.wait, self._pgconn = None, _unbound, None
        if bound is not None:
            bound.close()

    def refuse(self, what: str) -> NoReturn:
        """Raise the error that says why `what` cannot be done now, instead of waiting for psycopg2's mutex.

        :raises ProgrammingError: a green thread waits on the connection
        :raises InterfaceError: the connection belongs to the parent process
        """
        if isinstance(self.holder, Forked):
            raise psycopg2.InterfaceError(
                f"{what} cannot be used: the connection belongs to the parent process;"
                " open a new one after fork()"
            )
        raise psycopg2.ProgrammingError(
            f"{what} cannot be used while {self.holder!r} waits for the server on this connection;"
            " use one connection for each green thread"
        )

    def hold(self) -> None:
        """Take an idle connection for this green thread, to wait on it outside of psycopg2's methods."""
        self.holder = current()

    def raise_interruption(self) -> NoReturn:
        """Raise what was thrown into the wait, now that psycopg2 has let go of the connection."""
        interruption, self.interruption = self.interruption, None
        assert interruption is not None
        raise interruption

    def close_under_holder(self, conn: connection) -> None:
        """End the wait that another green thread (or a frame below this one) is in, with an error.

        Nothing here waits: it may run in a signal handler, in the hub, or in the wait callback itself.
        """
        if self.closed_by is None:
            self.closed_by = current()
            self.cancel_unattended()
            shut_down(_fileno(conn))

    def cancel_unattended(self) -> None:
        """Cancel what still runs on the server for a connection that is being given up; wait for nothing."""
        if self.cancel_key is not None:
            # more than once: a request that arrives before the statement has been read is dropped
            detach(self.cancel_key.cancel, pauses=(0, 0.1, 1))

    def settle(self, conn: connection, error: BaseException) -> None:
        """Bring the connection to rest after psycopg2's method has raised `error`."""
        if self.holder is not None and self.holder is not current():
            return  # another green thread, let in by code of the user's, is waiting: it settles its own
        self.holder = None  # a signal handler may have raised before the wait callback got so far
        if isinstance(error, psycopg2.ProgrammingError) and not conn.closed:
            leave_copy(conn, self)
        elif not isinstance(error, psycopg2.Error) and conn.closed:
            self.cancel_unattended()


def libpq() -> pq.Library:
    """Return the very libpq that psycopg2's extension module is linked to."""
    return pq.library(_psycopg.__file__)


def wait_callback(conn: connection) -> None:
    """Wait for what psycopg2 has asked of the server, through the registered wait callback.

    Installed with `psycopg2.extensions.set_wait_callback()`. An interruption of the wait cancels
    the statement and drains the connection; the method that psycopg2 was called from raises it.
    """
    try:
        session: Session = conn._greenpg  # type: ignore[attr-defined]
    except AttributeError:
        _wait_for_plain(conn)
        return
    try:
        session.holder = current()
        if not session.connected:
            _connect(conn, session)
        elif session.interruption is not None:  # thrown into the BEGIN before this statement
            raise session.interruption
        else:
            if session.source is not get_wait_callback():
                session.bind(conn)
            wait, fd = session.wait, session.fd
            while state := _poll(conn):
                wait(fd, _NEEDS[state], None)
            if session.copy is not None:
                _copy(conn, session)
        session.holder = None
    except BaseException as exc:
        try:
            _clean_up(conn, session, exc, _will_be_raised(session))
        finally:
            if not isinstance(session.holder, Forked):
                session.holder = None


def _will_be_raised(session: Session) -> bool:
    """Return whether one of our methods, further up, is going to raise what the session keeps."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code in entry_points and frame.f_locals.get("session") is session:
            return True
        frame = frame.f_back
    return False


def _wait_for_plain(conn: connection) -> None:
    """Wait for a connection of psycopg2's own class: made before the patch, or past `psycopg2.connect()`.

    No method of ours will raise what is kept: an interruption closes the connection, once it is cancelled.
    """
    session = Session()
    session.connected = conn.status not in _UNBORN
    try:
        if session.connected:
            drive(_poll_gen(conn, _NEEDS), get_wait_callback())
        else:
            session.attempt = attempt_by_function.get()
            _connect(conn, session)
    except BaseException as exc:
        _clean_up(conn, session, exc, kept=False)


def _poll_gen(conn: connection, needs: tuple[Wait, ...]) -> Gen[None]:
    """Move psycopg2's own state machine to its next rest: connected, or with a result in hand."""
    while state := _poll(conn):
        yield from wait_gen(_fileno(conn), needs[state])


def _connect(conn: connection, session: Session) -> None:
    """Wait until the connection is made, each host within its time."""
    wait = get_wait_callback()
    if session.attempt is not None:
        wait = session.attempt.limit(wait, session.pgconn(conn))
    drive(_poll_gen(conn, _CONNECT_NEEDS), wait)


def _copy(conn: connection, session: Session) -> None:
    """Move the data of a COPY, where the statement has become one, and let psycopg2 take its results."""
    pgconn = session.pgconn(conn)
    if session.copy is None or pgconn.transaction_status != TransactionStatus.ACTIVE:
        return  # this was the BEGIN before it, or the server has refused it
    copy, session.copy = session.copy, None
    wait, _fd = session.waiter(conn)
    drive(copy(pgconn), wait)
    drive(_poll_gen(conn, _NEEDS), wait)


def _clean_up(conn: connection, session: Session, exc: BaseException, kept: bool) -> None:
    """Deal with what ended a wait: return with it kept in the session, or raise, which closes.

    :param exc: what was raised in the wait
    :param kept: whether a method of ours will raise what is kept
    """
    if session.closed_by is not None:
        raise psycopg2.InterfaceError(f"connection closed by {session.closed_by!r} during the wait") from exc
    if isinstance(session.holder, Forked):
        raise psycopg2.InterfaceError("the connection belongs to the parent process") from exc
    if isinstance(exc, psycopg2.Error) or not session.connected:
        raise exc  # the connection itself is broken, or not there yet
    if isinstance(exc, CopyFileError):
        assert exc.__cause__ is not None
        exc = exc.__cause__
    session.copy = None
    try:
        _recover(conn, session.pgconn(conn))
    except _OWN_FAILURES:
        kept = False
    if not kept:
        session.release()
        raise exc
    session.interruption = exc


def _recover(conn: connection, pgconn: PGconn) -> None:
    """Cancel the statement and bring psycopg2's state machine to rest, within the limit.

    :raises TimeoutError: the limit has passed
    """
    end_statement(pgconn, lambda: _rest_gen(conn, pgconn), limits.recovery)


def _rest_gen(conn: connection, pgconn: PGconn) -> Gen[None]:
    """Bring psycopg2's state machine to rest, and the connection out of COPY if it is in one."""
    while True:
        yield from _poll_gen(conn, _NEEDS)
        if pgconn.transaction_status != TransactionStatus.ACTIVE:
            return
        yield from leave_copy_gen(pgconn)


def leave_copy(conn: connection, session: Session) -> None:
    """Bring the connection out of a COPY that `execute()` has begun and psycopg2 has refused, or close it.

    Plain psycopg2 leaves that to the next `PQexec()`; a green connection never calls it. A replication
    stream is not refused: it began before, and goes on.
    """
    pgconn = session.pgconn(conn)
    session.holder = current()
    try:
        if pgconn.transaction_status == TransactionStatus.ACTIVE and not _is_streaming(pgconn):
            _drain(pgconn)
    except BaseException as exc:
        _psycopg.connection.close(conn)
        if not isinstance(exc, _OWN_FAILURES):  # those are less to the caller than psycopg2's refusal
            raise
    finally:
        session.holder = None


def _drain(pgconn: PGconn) -> None:
    """Read a COPY to its end, as plain psycopg2 does; cancel one that is too long for that."""
    wait = get_wait_callback()
    try:
        drive(drain_gen(pgconn), wait, PATIENCE)
    except TimeoutError:
        drive(cancel_gen(pgconn), wait, limits.recovery)
        drive(drain_gen(pgconn), wait, limits.recovery)


def _is_streaming(pgconn: PGconn) -> bool:
    """Return whether the connection is in the midst of a replication stream."""
    result = None if pgconn.is_busy() else pgconn.get_result()
    return result is not None and result.status == ExecStatus.COPY_BOTH
