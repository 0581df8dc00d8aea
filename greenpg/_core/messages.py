"""What a server says besides results, and who is told: notices, notifications, the end of the session.

While libpq hands something over, notes are taken and nothing else. `_deliver()` calls the handlers, in the
colour of whoever had the connection last, once that one is done with it: a handler may use the connection.
"""

from __future__ import annotations

import inspect
import logging
import weakref
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from greenpg._core.info import ConnectionInfo
from greenpg.abc import Wait
from greenpg.errors import diagnostic_from_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen, Slice
    from greenpg.errors import Diagnostic
    from greenpg.pq.abc import PGconn, PGnotify, PGresult

T = TypeVar("T")

_log = logging.getLogger("greenpg")

_LAST_WORDS = ("FATAL", "PANIC")


class Notify(NamedTuple):
    """A notification, which some session has sent by `NOTIFY` or `pg_notify()`."""

    channel: str
    payload: str
    pid: int
    """The process id of the server process that it was sent in; see `info.backend_pid`."""


Notify.__module__ = "greenpg"  # where everybody finds it; a NamedTuple's body cannot say so


class Messages:
    """The part of a connection that hears, and passes on."""

    _slice: Slice
    """How long it may keep the loop; whoever knows the clock provides it."""

    # What most connections never have anything of is the class's: there may be thousands of them.
    _notice_handlers: tuple[Callable[[Diagnostic], object], ...] = ()
    _log_listeners: tuple[Callable[[Any, Diagnostic], object], ...] = ()
    _notify_handlers: tuple[Callable[[Notify], object], ...] = ()
    _termination_listeners: tuple[Callable[[Any], object], ...] = ()
    _backlog: deque[Notify] | tuple[()] = ()
    """Notifications for `notifies()`."""
    _readers = 0
    """How many iterations over `notifies()` are under way."""

    def __init__(self, pgconn: PGconn) -> None:
        self.pgconn = pgconn
        self._last_words: Diagnostic | None = None
        """What the server has ended the session with, unasked."""
        self._news: deque[tuple[tuple[Callable[..., object], ...], tuple[Any, ...]]] | tuple[()] = ()
        """Handlers that are still to be called, and with what."""
        pgconn.notice_handler = _Notes(self)

    # Who is told

    def add_notice_handler(self, callback: Callable[[Diagnostic], object]) -> None:
        """Have `callback` called with each notice, once the call that received it is over.

        :param callback: takes a `Diagnostic`, valid as long as it is held; what it raises is logged
        :raises TypeError: it is a coroutine function: handlers are called, not awaited
        """
        self._notice_handlers = (*self._notice_handlers, _plain(callback))

    def remove_notice_handler(self, callback: Callable[[Diagnostic], object]) -> None:
        """Have `callback` called no more.

        :raises ValueError: it was not added
        """
        self._notice_handlers = _without(self._notice_handlers, callback)

    def add_log_listener(self, callback: Callable[[Any, Diagnostic], object]) -> None:
        """Have `callback` called with the connection and each notice: a notice handler in asyncpg's words.

        :raises TypeError: it is a coroutine function
        """
        self._log_listeners = (*self._log_listeners, _plain(callback))

    def remove_log_listener(self, callback: Callable[[Any, Diagnostic], object]) -> None:
        """Have `callback` called no more.

        :raises ValueError: it was not added
        """
        self._log_listeners = _without(self._log_listeners, callback)

    def add_notify_handler(self, callback: Callable[[Notify], object]) -> None:
        """Have `callback` called with each notification, once the call that received it is over.

        It is told when the connection is used, not before; to wait for notifications, use `notifies()`, which
        without a handler also gets those that came while other statements ran.

        :raises TypeError: it is a coroutine function
        """
        self._notify_handlers = (*self._notify_handlers, _plain(callback))

    def remove_notify_handler(self, callback: Callable[[Notify], object]) -> None:
        """Have `callback` called no more.

        :raises ValueError: it was not added
        """
        self._notify_handlers = _without(self._notify_handlers, callback)

    def add_termination_listener(self, callback: Callable[[Any], object]) -> None:
        """Have `callback` called with the connection when its session has ended, for whatever reason.

        The end is noticed by who uses the connection, asks if it is `closed` or sleeps in `wait_closed()`.

        :raises TypeError: it is a coroutine function
        """
        self._termination_listeners = (*self._termination_listeners, _plain(callback))

    def remove_termination_listener(self, callback: Callable[[Any], object]) -> None:
        """Have `callback` called no more.

        :raises ValueError: it was not added
        """
        self._termination_listeners = _without(self._termination_listeners, callback)

    # Hearing

    def _hear(self, notice: Diagnostic) -> None:
        """Take note of a notice."""
        self._note_end(notice)
        self._tell(self._notice_handlers, notice)
        self._tell(self._log_listeners, self, notice)

    def _gather(self, first: PGnotify | None = None) -> None:
        """Have libpq make out what it has received, and take note of the notifications among it.

        :param first: one that it has made out already
        """
        encoding = ""
        while (sent := first or self.pgconn.notifies()) is not None:
            first = None
            encoding = encoding or ConnectionInfo(self.pgconn).encoding  # the same for all that is there
            channel, payload = (text.decode(encoding, "replace") for text in (sent.relname, sent.extra))
            notify = Notify(channel, payload, sent.be_pid)
            self._tell(self._notify_handlers, notify)
            if self._readers or not self._notify_handlers:
                self._backlog = self._backlog or deque()
                self._backlog.append(notify)

    def _gather_last_words(self) -> None:
        """Have libpq make out what came together with the end, be it an answer or not."""
        self._gather()
        # libpq does not wait where there is nobody to wait for; results before that are of no use
        while self._last_words is None and (result := self.pgconn.get_result()) is not None:
            self._note_end(diagnostic_from_result(result, ConnectionInfo(self.pgconn).encoding))

    def _note_end(self, said: Diagnostic) -> None:
        if (said.severity_nonlocalized or said.severity) in _LAST_WORDS:
            self._last_words = said

    def _next_notify_gen(self) -> Gen[Notify | None]:
        """Return the next notification, or `None` when the time is over."""
        self._gather()
        if self._backlog and self._slice():  # with a flood of them nobody has to wait
            yield self.pgconn.socket, Wait.RW
        while not self._backlog:
            if not (yield self.pgconn.socket, Wait.R):
                return None
            self.pgconn.consume_input()
            self._gather()
        return self._backlog.popleft()

    # Telling

    def _tell(self, handlers: tuple[Any, ...], *message: object) -> None:
        if handlers:
            self._news = self._news or deque()
            self._news.append((handlers, message))

    def _deliver(self) -> None:
        """Hand out what the server has said besides results."""
        while self._news:
            self._deliver_some()

    def _deliver_some(self) -> bool:
        """Hand out as much of it as the time allows; return whether there is more."""
        self._slice.begin()
        with suppress(IndexError):  # another thread may do the same
            while self._news:
                handlers, message = self._news.popleft()
                for handler in handlers:
                    _call(handler, message)
                if self._slice():
                    break
        return bool(self._news)


class _Notes(weakref.ref["Messages"]):
    """Takes notices for a connection without keeping it alive."""

    __slots__ = ()

    def __call__(self, result: PGresult) -> None:  # type: ignore[override]
        """Keep a copy of a notice: the result is void when this returns."""
        connection = super().__call__()
        if connection is not None:
            encoding = ConnectionInfo(connection.pgconn).encoding
            connection._hear(diagnostic_from_result(result, encoding))


def _plain(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return `callback`, which can be called.

    :raises TypeError: it cannot, or it would have to be awaited
    """
    if not callable(callback) or inspect.iscoroutinefunction(callback):
        raise TypeError(f"{callback!r} cannot be a handler: it must be a plain callable, nobody awaits it")
    return callback


def _without(handlers: tuple[T, ...], callback: T) -> tuple[T, ...]:
    left = list(handlers)
    left.remove(callback)
    return tuple(left)


def _call(handler: Callable[..., object], message: tuple[Any, ...]) -> None:
    try:
        handler(*message)
    except Exception:
        _log.exception("error in the handler %r", handler)
