"""What greenpg keeps about one psycopg connection, and how it brings one to rest.

psycopg's own lock lets one green thread at a time have a connection; what is here belongs to that one.
Only `close_under_waiter()` is for others.
"""

from __future__ import annotations

import contextlib
import sys
import weakref
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from psycopg import errors as e
from psycopg import pq as psycopg_pq

from greenpg import pq
from greenpg._core.offload import detach, shut_down
from greenpg._core.protocol import drain_gen
from greenpg.compat._recovery import Limits, current, end_statement
from greenpg.errors import Error
from greenpg.pq.enums import COPY_STATES, ConnStatus, ExecStatus, TransactionStatus
from greenpg.waiters import drive, get_wait_callback
from greenpg.waiters._slice import TimeSlice

if TYPE_CHECKING:
    from collections.abc import Container

    from greenpg.abc import BoundWaitCallback, WaitCallback
    from greenpg.pq.abc import PGconn

ACTIVE = TransactionStatus.ACTIVE

# Of cleaning up. TimeoutError is an OSError; the last two come of waiting in the hub, where nobody can.
_OWN_FAILURES = (OSError, Error, e.Error, AssertionError, RuntimeError)

limits = Limits()

connections: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""Those that have a session, by id: a class of the user's may have made them unhashable."""


class Session:
    """The state of one connection that psycopg has no room for."""

    __slots__ = ("_bound", "closed_by", "fd", "forked", "slice_over", "source", "wait", "waits")

    def __init__(self) -> None:
        self.waits = False
        """Whether somebody waits on the connection now."""
        self.closed_by: object | None = None
        """The green thread that called `close()` while another one waited."""
        self.forked = False
        """Whether the connection belongs to the parent of this process."""
        self.source: WaitCallback | None = None
        """The registered wait callback that `wait` was made from; none: make it anew."""
        self.wait: WaitCallback = get_wait_callback()
        self.fd = -1
        self.slice_over = TimeSlice()
        self._bound: BoundWaitCallback | None = None

    def bind(self, fd: int) -> None:
        """Take up the wait callback in force, for this socket.

        :raises psycopg.OperationalError: the connection belongs to the parent process
        """
        if self.forked:
            raise e.OperationalError(
                "the connection belongs to the parent process; open a new one after fork()"
            )
        self.release()
        source = get_wait_callback()
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
        bound, self._bound, self.source = self._bound, None, None
        if bound is not None:
            bound.close()

    def finish(self, conn: Any) -> None:
        """Close the connection, whatever state it is in; nothing here waits."""
        if conn.pgconn.transaction_status == ACTIVE and not self.forked and self.closed_by is None:
            cancel_unattended(conn)
        self.release()
        conn.pgconn.finish()

    def close_under_waiter(self, conn: Any) -> None:
        """End the wait that another green thread (or a frame below this one) is in, with an error.

        Nothing here waits: it may run in a signal handler, in the hub, or in the wait callback itself.
        """
        if self.closed_by is None:
            self.closed_by = current()
            cancel_unattended(conn)
            shut_down(conn.pgconn.socket)

    def recover(self, conn: Any, *, is_mistake: bool = False) -> None:
        """Cancel the statement under way and bring the connection to rest, or close it.

        Failures of its own are not raised: the caller is about to raise something of more interest.

        :param is_mistake: whether the statement may have begun a COPY by mistake
        """
        piped = conn._pipeline is not None
        if self.forked or conn.pgconn.status != ConnStatus.OK:
            return
        try:
            if piped or conn.pgconn.transaction_status == ACTIVE:
                pgconn = borrowed(conn)
                if piped:
                    pgconn.pipeline_sync()  # else the server would not say how what is under way has ended
                if not (is_mistake and not piped and _leave_copy_in(pgconn)):
                    end_statement(pgconn, partial(drain_gen, pgconn), limits.recovery)
        except _OWN_FAILURES:
            self.finish(conn)
        except BaseException:
            self.finish(conn)
            raise
        finally:
            _forget(conn)


def _leave_copy_in(pgconn: PGconn) -> bool:
    """Fail the COPY IN that is under way; return whether there was one, and it has ended.

    Cancelled before it has come to the Sync behind the statement, the server would answer that one, and
    again the Sync that libpq sends with the failure: a later command would end before it began.
    """
    if not in_copy(pgconn, (ExecStatus.COPY_IN,)):
        return False
    try:
        drive(drain_gen(pgconn), get_wait_callback(), limits.recovery)
    except TimeoutError:
        return False
    return True


def session_of(conn: Any) -> Session:
    """Return the session of a connection, made at the first call."""
    try:
        session: Session = conn._greenpg
    except AttributeError:
        session = conn._greenpg = Session()
        connections[id(conn)] = conn
    return session


def borrowed(conn: Any) -> PGconn:
    """Return psycopg's own `PGconn`, borrowed through the libpq that psycopg itself uses; not to be kept."""
    return libpq().borrow(conn.pgconn.pgconn_ptr)


def cancel_unattended(conn: Any) -> None:
    """Cancel what runs on the server, or is about to, while nobody can wait for it."""
    with contextlib.suppress(*_OWN_FAILURES):
        # more than once: a request that arrives before the statement has been read is dropped
        detach(borrowed(conn).get_cancel().cancel, pauses=(0, 0.1, 1))


def _forget(conn: Any) -> None:
    """Make psycopg forget what it expected of a pipeline whose results were thrown away."""
    pipeline = conn._pipeline
    if pipeline is None:
        return
    pipeline.command_queue.clear()
    pipeline.result_queue.clear()
    conn._prepared.clear()  # nobody knows which statements were prepared
    if conn.pgconn.transaction_status not in (TransactionStatus.INERROR, TransactionStatus.UNKNOWN):
        # at once: it must be the first in the queue. A failed transaction's rollback() does it itself.
        for _ in conn._prepared.maintain_gen(conn):
            raise AssertionError("in a pipeline, statements are queued without waiting")


def in_copy(pgconn: Any, states: Container[int] = COPY_STATES) -> bool:
    """Return whether the statement under way is a COPY; a result of any other is thrown away.

    :param states: which COPY
    """
    # in COPY, libpq hands out the result that the COPY began with as often as it is asked
    result = None if pgconn.is_busy() else pgconn.get_result()
    return result is not None and result.status in states


@cache
def libpq() -> pq.Library:
    """Return the very libpq that psycopg uses.

    :raises greenpg.errors.InterfaceError: it cannot be borrowed
    """
    if psycopg_pq.__impl__ == "python":
        loaded: Any = import_module("psycopg.pq._pq_ctypes")
        return pq.library(loaded.pq._name)
    return pq.library(sys.modules[psycopg_pq.PGconn.__module__].__file__)
