"""Streaming replication for psycopg2's cursors: the same calls, messages and feedback, with the hub free.

psycopg2's own methods refuse to work where a wait callback is installed, even on an asynchronous connection.
Here the stream is begun by an ordinary `execute()` and read through the connection's own libpq. An
interruption takes nothing away: the stream goes on with the message after the last one handed out.
See the PostgreSQL chapter "Streaming Replication Protocol".
"""

from __future__ import annotations

import contextlib
import re
import struct
from datetime import datetime
from math import inf
from threading import RLock
from time import monotonic, time
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg2
from psycopg2 import _psycopg, errors, extensions

from greenpg._core.protocol import copy_end_gen, drain_gen
from greenpg.abc import Wait
from greenpg.compat.psycopg2._cursor import GreenCursor
from greenpg.compat.psycopg2._session import Forked, Session, limits
from greenpg.errors import Error
from greenpg.pq.enums import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from greenpg.waiters import drive, get_wait_callback
from greenpg.waiters._slice import TimeSlice, time_slice

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen, WaitCallback
    from greenpg.pq.abc import PGconn, PGresult

_DATA = struct.Struct(">cQQq")  # then the payload
_KEEPALIVE = struct.Struct(">cQq?")
_FEEDBACK = struct.Struct(">cQQQq?")
_EPOCH = 946684800
"""Where the clock of the protocol begins, 2000-01-01, in Unix seconds; it counts microseconds."""


class GreenReplicationMessage(_psycopg.ReplicationMessage):
    """psycopg2's replication message, which has no way to be filled from Python."""

    __slots__ = ("_sent", "data_size", "data_start", "wal_end")

    def __init__(self, cursor: Any, payload: Any, size: int, start: int, end: int, sent: int) -> None:
        super().__init__(cursor, payload)
        self.data_size = size
        self.data_start = start
        self.wal_end = end
        self._sent = sent

    @property
    def send_time(self) -> datetime:
        """When the server sent it, in local time."""
        return datetime.fromtimestamp(self._sent / 1e6 + _EPOCH)

    def __repr__(self) -> str:
        return (
            f"<ReplicationMessage object at {id(self):#x}; data_size: {self.data_size};"
            f" data_start: {_lsn(self.data_start)}; wal_end: {_lsn(self.wal_end)}; send_time: {self._sent}>"
        )


class GreenReplicationCursor(GreenCursor, _psycopg.ReplicationCursor):
    """psycopg2's replication cursor, green."""

    wal_end = 0
    _decode = False
    _interval = 10.0
    _fed_back = -inf
    """When feedback was last sent, by the clock that nobody sets."""
    _last_feedback = 0.0
    _last_io = 0.0
    _last_start = 0
    _written = 0
    _flushed = 0
    _applied = 0
    _confirmed = 0
    """What the user has said to be flushed; `_flushed` runs ahead while the server has nothing to send."""
    _consuming = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slice_over = TimeSlice()
        # Feedback may be sent while another thread consumes; nothing waits while it is held.
        self._libpq_lock = RLock()

    @property
    def io_timestamp(self) -> datetime:
        """When the server was last heard of or spoken to, in local time."""
        self._check_open()
        return datetime.fromtimestamp(self._last_io)

    @property
    def feedback_timestamp(self) -> datetime:
        """When feedback was last sent, in local time."""
        self._check_open()
        return datetime.fromtimestamp(self._last_feedback)

    def start_replication_expert(
        self, command: Any, decode: bool = False, status_interval: float = 10
    ) -> None:
        """Start replication by a command of the caller's.

        :param decode: whether payloads are text, in the connection's encoding
        :param status_interval: seconds between two feedback messages, at least 1
        """
        self._check_open()
        if status_interval < 1:
            raise psycopg2.ProgrammingError("status_interval must be >= 1 (sec)")
        # not self.execute(): a method that somebody has overridden is not part of replication
        GreenCursor.execute(self, command)
        self._decode = bool(decode)
        self._interval = status_interval
        self._last_io = time()

    def consume_stream(
        self, consume: Callable[[Any], object], keepalive_interval: float | None = None
    ) -> None:
        """Call `consume(message)` for each message until something is raised; it may be called again then.

        :param keepalive_interval: seconds between two feedback messages from now on, at least 1
        """
        self._check_open()
        if self.connection.async_:
            raise psycopg2.ProgrammingError("consume_stream cannot be used in asynchronous mode")
        if not callable(consume):
            raise TypeError(f"consume_stream needs a callable, not {type(consume).__name__}")
        interval = self._interval if keepalive_interval is None else _checked_interval(keepalive_interval)
        if self._consuming:
            raise psycopg2.ProgrammingError("consume_stream cannot be used when already in the consume loop")
        if self._session().pgconn(self.connection).transaction_status != TransactionStatus.ACTIVE:
            raise psycopg2.ProgrammingError("consume_stream: not replicating, call start_replication first")
        self._interval = interval
        self._consuming = True
        try:
            while True:
                message = self._next("consume_stream", inf)
                if message is not None:
                    consume(message)
        finally:
            self._consuming = False

    def read_message(self) -> Any:
        """Return the next message, or `None` if none has arrived: it does not wait for one."""
        return self._next("read_message", 0)

    def send_feedback(
        self,
        write_lsn: int = 0,
        flush_lsn: int = 0,
        apply_lsn: int = 0,
        reply: bool = False,
        force: bool = False,
    ) -> None:
        """Note how far the stream has been dealt with, from any thread, also while another one consumes.

        :param reply: ask the server for an answer; this sends the feedback now
        :param force: send the feedback now, not when it is due
        """
        self._check_open()
        self._written = max(self._written, write_lsn)
        self._confirmed = max(self._confirmed, flush_lsn)
        self._flushed = max(self._flushed, flush_lsn)
        self._applied = max(self._applied, apply_lsn)
        if force or reply:
            try:
                self._feed_back(self._session().pgconn(self.connection), reply)
            except Error as exc:
                self._give_up(exc)

    def _next(self, what: str, timeout: float) -> GreenReplicationMessage | None:
        """Return the next message; `None` when the time is over, or feedback is due.

        :param what: the method that is to be refused where somebody else waits on the connection
        :param timeout: seconds
        """
        self._check_open()
        conn, session = self.connection, self._session()
        if session.holder is not None:
            session.refuse(what)
        try:
            session.hold()
            wait = get_wait_callback() if conn.async_ else session.waiter(conn)[0]
            pgconn = session.pgconn(conn)
            if monotonic() >= self._fed_back + self._interval:
                self._feed_back(pgconn, False)
            if self._slice_over():  # a true turn of the loop, for at most another slice; a poll is less
                wait(pgconn.socket, Wait.RW, time_slice())
            left = self._fed_back + self._interval - monotonic()
            return drive(self._next_gen(pgconn), wait, max(0, min(timeout, left)))
        except _EndOfStream:
            self._end(session.pgconn(conn), wait)
            return None
        except BaseException as exc:
            self._give_up(exc)
        finally:
            # no call here: a signal that is handled in one would leave the connection busy for ever
            holder: Any = session.holder
            if holder.__class__ is not Forked:
                session.holder = None

    def _next_gen(self, pgconn: PGconn) -> Gen[GreenReplicationMessage | None]:
        """Wait for a message; return `None` when the time is over."""
        while (message := self._received(pgconn)) is None:
            with self._libpq_lock:
                need = Wait.RW if pgconn.flush() else Wait.R
            if not (yield pgconn.socket, need):
                return None
        return message

    def _received(self, pgconn: PGconn) -> GreenReplicationMessage | None:
        """Return the next message, if it has arrived; keepalives before it are dealt with."""
        has_read = False
        with self._libpq_lock:
            while True:
                size, data = pgconn.get_copy_data(1)
                if size < 0:
                    raise _EndOfStream
                if size > 0:
                    self._last_io = time()
                    if data.startswith(b"w"):
                        return self._message(data)
                    self._keep_alive(pgconn, data)
                elif has_read:
                    return None
                else:
                    pgconn.consume_input()
                has_read = True

    def _message(self, data: bytes) -> GreenReplicationMessage:
        """Return the message of an XLogData packet."""
        _kind, start, end, sent = _DATA.unpack_from(data)
        payload: Any = data[_DATA.size :]
        size = len(payload)
        if self._decode:
            payload = payload.decode(extensions.encodings[self.connection.encoding])
        self.wal_end = end
        self._last_start = start
        return GreenReplicationMessage(self, payload, size, start, end, sent)

    def _keep_alive(self, pgconn: PGconn, data: bytes) -> None:
        """Deal with a keepalive packet, and answer it if the server asks for that."""
        if not data.startswith(b"k"):
            raise psycopg2.OperationalError("unrecognized replication message type")
        _kind, self.wal_end, _sent, wants_reply = _KEEPALIVE.unpack_from(data)
        if self._confirmed >= self._last_start:
            # all that was sent is flushed: nothing of ours is in what the server has written since
            self._flushed = max(self._flushed, self.wal_end)
        if wants_reply:
            self._feed_back(pgconn, False)

    def _feed_back(self, pgconn: PGconn, reply: bool) -> None:
        """Send a feedback packet, or leave it to libpq to send with the next one: it never waits."""
        now = time()
        clock = int((now - _EPOCH) * 1e6)
        data = _FEEDBACK.pack(b"r", self._written, self._flushed, self._applied, clock, bool(reply))
        with self._libpq_lock:
            pgconn.put_copy_data(data)
            pgconn.flush()
            self._fed_back = monotonic()
            self._last_feedback = self._last_io = now  # before another thread can have the answer

    def _end(self, pgconn: PGconn, wait: WaitCallback) -> None:
        """Take what follows the stream, so that the connection can be used again.

        :raises psycopg2.Error: what the server has ended the stream with, in the class of its SQLSTATE
        """
        result = pgconn.get_result()  # is there: it is what has told libpq of the end
        with contextlib.suppress(Error, OSError):  # the connection may be gone; TimeoutError is an OSError
            if result is not None and result.status == ExecStatus.COPY_IN:
                drive(copy_end_gen(pgconn), wait, limits.recovery)
            drive(drain_gen(pgconn), wait, limits.recovery)
        if result is not None and result.status == ExecStatus.FATAL_ERROR:
            raise _error_of(result, extensions.encodings[self.connection.encoding]) from None

    def _give_up(self, exc: BaseException) -> NoReturn:
        """Raise what has ended a wait, as psycopg2 would have; the stream stays as it is."""
        conn, session = self.connection, self._session()
        if session.closed_by is not None:
            session.release()
            _psycopg.connection.close(conn)
            raise psycopg2.InterfaceError(
                f"connection closed by {session.closed_by!r} during the wait"
            ) from exc
        if isinstance(exc, struct.error):
            raise psycopg2.OperationalError("replication message header too small") from exc
        if not isinstance(exc, Error):
            raise exc
        if session.pgconn(conn).status != ConnStatus.BAD:
            raise psycopg2.DatabaseError(str(exc)) from exc
        with contextlib.suppress(psycopg2.Error):
            _psycopg.connection.poll(conn)  # where psycopg2 finds it out itself, for `conn.closed`
        raise psycopg2.OperationalError(str(exc)) from exc

    def _check_open(self) -> None:
        if self.closed or self.connection.closed:
            raise psycopg2.InterfaceError("cursor already closed")

    def _session(self) -> Session:
        """Return the state of the connection; an asynchronous one, which never waits, has none to keep."""
        session: Session | None = getattr(self.connection, "_greenpg", None)
        return Session() if session is None else session


class _EndOfStream(Exception):
    """The server has ended the stream; a result is there that says why."""


def _checked_interval(interval: Any) -> float:
    """Return a keepalive interval that the user has given."""
    if not isinstance(interval, (int, float)):
        raise psycopg2.ProgrammingError("keepalive_interval must be int or float")
    if interval < 1:
        raise psycopg2.ProgrammingError("keepalive_interval must be >= 1 (sec)")
    return interval


def _error_of(result: PGresult, codec: str) -> psycopg2.Error:
    """Return psycopg2's error for an error of the server's; only `diag` stays empty."""
    said = result.error_message.decode(codec, "replace")
    code = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    try:
        kind: Any = errors.lookup(code)
    except KeyError:
        kind = psycopg2.DatabaseError
    error: psycopg2.Error = kind(re.sub("^(ERROR|FATAL|PANIC):  ", "", said))
    error.__setstate__({"pgerror": said, "pgcode": code})  # type: ignore[no-untyped-call]
    return error


def _lsn(position: int) -> str:
    """Return a position in the server's log as psycopg2 writes it."""
    return f"{position >> 32:x}/{position & 0xFFFFFFFF:x}"
