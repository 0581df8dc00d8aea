"""What green cursors, COPY and transaction blocks do otherwise than psycopg's.

Each replacement takes what it replaces, and calls it.
"""

from __future__ import annotations

import logging
from functools import wraps
from itertools import cycle
from typing import TYPE_CHECKING, Any

from psycopg import errors as e
from psycopg.copy import LibpqWriter

from greenpg.compat.psycopg._session import ACTIVE, limits, session_of
from greenpg.pq.enums import ConnStatus
from greenpg.waiters._slice import TimeSlice

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("greenpg")

_SMALL = 1000  # bytes of COPY data


def converting(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `Cursor._convert_query()`, which refuses SQL that C would cut short."""

    @wraps(plain)
    def convert_query(self: Any, query: Any, params: Any = None) -> Any:
        converted = plain(self, query, params)
        if b"\0" in converted.query:
            raise e.ProgrammingError("SQL cannot contain NUL (0x00) characters; take them out")
        return converted

    return convert_query


def copying(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `copy_to()`, the generator that writes a block of COPY data.

    psycopg waits until what it has written is sent only after a megabyte, in older versions never. Until
    then it holds the hub, and libpq keeps in memory what the server is too slow for.
    """
    slice_over = TimeSlice()
    now_and_then = cycle([True] + [False] * 15).__next__

    @wraps(plain)
    def copy_to(pgconn: Any, buffer: Any, flush: Any = True) -> Any:
        # to look at the clock takes as long as to write a small row
        flush = flush or ((len(buffer) > _SMALL or now_and_then()) and slice_over())
        return plain(pgconn, buffer, flush)

    return copy_to


def finishing(plain: Callable[..., None]) -> Callable[..., None]:
    """Return the replacement of `Copy.finish()`, which keeps to the limit and replaces no exception."""

    @wraps(plain)
    def finish(self: Any, exc: BaseException | None) -> None:
        if exc is None:
            _finish_well(self, plain)
            return
        if not isinstance(exc, Exception) and self._pgconn.transaction_status == ACTIVE:
            _end_copy(self.connection)
        if self._pgconn.transaction_status == ACTIVE or type(self.writer) is not LibpqWriter:
            try:
                plain(self, exc)
            except Exception as failure:  # newer versions of psycopg do so themselves
                _log.warning("error ignored terminating %r: %s", self, failure)
        self._finished = True

    return finish


def _finish_well(copy: Any, plain: Callable[..., None]) -> None:
    """Finish a COPY of which nothing has gone wrong so far."""
    try:
        plain(copy, None)
    except Exception:
        raise
    except BaseException:  # while it waited for a thread of psycopg's that does the writing
        if copy._pgconn.transaction_status == ACTIVE:
            session_of(copy.connection).close_under_waiter(copy.connection)
        raise


def _end_copy(conn: Any) -> None:
    """End a COPY whose application was interrupted while it did something else."""
    session = session_of(conn)
    if not session.waits:
        session.recover(conn)
        return
    # a thread of psycopg's does the writing: cancelled, the server takes the rest and throws it away
    try:
        conn.cancel_safe(timeout=limits.recovery)
    except BaseException as failure:
        session.close_under_waiter(conn)
        if not isinstance(failure, e.Error):
            raise


def finishing_writer(plain: Callable[..., None]) -> Callable[..., None]:
    """Return the replacement of `LibpqWriter.finish()`, which does not fail a COPY that is over."""

    @wraps(plain)
    def finish(self: Any, exc: BaseException | None = None) -> None:
        if exc is None or self._pgconn.transaction_status == ACTIVE:
            plain(self, exc)

    return finish


def leaving(plain: Callable[..., None]) -> Callable[..., None]:
    """Return the replacement of `Pipeline._exit()`, which closes a connection that cannot leave its pipeline.

    libpq knows no way out of a COPY in pipeline mode.
    """

    @wraps(plain)
    def leave(self: Any, exc: BaseException | None) -> None:
        try:
            plain(self, exc)
        finally:
            if self.level == 0 and self.pgconn.status == ConnStatus.OK and self.pgconn.pipeline_status:
                session_of(self._conn).finish(self._conn)

    return leave


def entering(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return the replacement of `Transaction.__enter__()`, which leaves no half-begun block behind."""

    @wraps(plain)
    def enter(self: Any) -> Any:
        conn = self._conn
        depth = conn._num_transactions
        try:
            return plain(self)
        except BaseException as exc:
            # newer versions of psycopg do so themselves
            if conn._num_transactions > depth and self.pgconn.status == ConnStatus.OK:
                with conn.lock:
                    conn.wait(self._exit_gen(type(exc), exc, None))
            raise

    return enter
