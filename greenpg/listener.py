"""Notifications that outlive their connection: a listener of its own, which connects and listens again.

What was sent while nobody listened is lost, that is how `NOTIFY` works: so each such gap is reported, for the
caller to look up what it may have missed.
"""

from __future__ import annotations

import _socket
import inspect
import logging
from datetime import datetime, timezone
from random import uniform
from typing import TYPE_CHECKING, Any, NamedTuple

from greenpg.abc import Wait
from greenpg.connection import AsyncConnection, Connection
from greenpg.conninfo import conninfo_to_dict
from greenpg.errors import InterfaceError, OperationalError, ProgrammingError
from greenpg.sql import SQL, Identifier
from greenpg.waiters import adrive, current_async, drive, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from greenpg._core.connection import BaseConnection
    from greenpg._core.messages import Notify
    from greenpg.abc import Gen

_log = logging.getLogger("greenpg")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds between two attempts to connect again: doubled each time, more or less."""

ANSWER_LIMIT = 10.0
"""Seconds that the server may take for LISTEN."""

CONNECT_TIMEOUT = 10
"""Seconds for each host, unless the caller says otherwise: the next attempt is never far."""


class Gap(NamedTuple):
    """A time in which notifications may have been missed."""

    since: datetime
    """When something was last heard of the server."""

    until: datetime
    """From when on the listener has been listening again."""

    reason: str
    """What had happened to the connection."""


Gap.__module__ = "greenpg"  # where everybody finds it; a NamedTuple's body cannot say so


class BaseListener:
    """What a listener is, apart from who waits for it."""

    def __init__(
        self,
        conninfo: str = "",
        channels: str | Iterable[str] = (),
        *,
        on_gap: Callable[[Gap], object] | None = None,
        **kwargs: Any,
    ) -> None:
        names = [channels] if isinstance(channels, str) else list(channels)
        if not names:
            raise ProgrammingError("a listener needs channels to listen to")
        self._command = SQL("; ").join(SQL("LISTEN {}").format(Identifier(name)) for name in names)
        self._conninfo = conninfo
        self._options: dict[str, Any] = {**kwargs, "autocommit": True}
        if "connect_timeout" not in conninfo_to_dict(conninfo):
            self._options.setdefault("connect_timeout", CONNECT_TIMEOUT)
        self._on_gap = on_gap
        self._connection: Any = None
        self._since: datetime | None = None
        self._reason = ""
        self._failures = 0
        self._is_stopped = False
        self._signal: _socket.socket | None = None

    @property
    def closed(self) -> bool:
        """Whether `close()` was called."""
        return self._is_stopped

    def _began(self, connection: BaseConnection[Any]) -> Gap | None:
        """Take the connection that listens now; return the gap before it, `None` if it is the first."""
        since, self._since = self._since, _now()
        self._connection, self._failures = connection, 0
        if self._is_stopped:
            self._stop()
        return None if since is None else Gap(since, self._since, self._reason)

    def _kept(self) -> Notify | None:
        """Return a notification that was received before the connection was lost."""
        return self._connection._backlog.popleft() if self._connection._backlog else None

    def _heard(self, notify: Notify) -> Notify:
        self._since = _now()
        return notify

    def _missed(self, error: OperationalError | InterfaceError) -> None:
        """Deal with an error.

        :raises: it, unless it is that the connection was lost, or could not be opened again
        """
        if self._is_stopped:
            return
        if self._since is None or (self._connection is not None and not self._connection.closed):
            raise error
        if self._connection is None:
            self._failures += 1
        elif not self._connection._backlog:
            self._connection, self._reason = None, str(error)
        _log.warning("%s: %s", type(self).__name__, error)

    @property
    def _pause(self) -> float:
        """How long to wait before the next attempt, in seconds."""
        if not self._failures:
            return 0.0
        longest = min(SHORTEST_PAUSE * 2.0 ** min(self._failures, 30), LONGEST_PAUSE)
        return uniform(longest / 2, longest)  # lest all listeners come at once when the server is back

    def _pause_gen(self) -> Gen[None]:
        """Wait until the time is over, or the listener is stopped."""
        mine, self._signal = _socket.socketpair()
        try:
            if not self._is_stopped:
                yield mine.fileno(), Wait.R
        finally:
            signal, self._signal = self._signal, None
            signal.close()
            mine.close()

    def _stop(self) -> None:
        """Have whoever waits come back; from any thread, and as often as one likes."""
        self._is_stopped = True
        signal, connection = self._signal, self._connection
        if signal is not None:
            signal.close()
        if connection is not None:
            connection._close()


class Listener(BaseListener):
    """Listens to channels, for as long as it is iterated over, whatever becomes of the connection.

    It gives a `Notify` for each notification, and a `Gap` each time that it had to connect again. After an
    interruption (`gevent.Timeout`) one may go on with it: nothing is lost. `close()` ends it, also from
    another green thread; an attempt to connect that is under way then ends by its `connect_timeout`.

    :param conninfo: where to connect to; a host has 10 s, unless `connect_timeout` says otherwise
    :param channels: their names
    :param on_gap: called with each `Gap`, which is then not an item
    :param kwargs: further options of `connect()`
    :raises greenpg.OperationalError: the first connection could not be opened; later it tries for ever
    """

    __module__ = "greenpg"

    def close(self) -> None:
        """End it: the connection is closed, and so is the iteration."""
        self._stop()

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Notify | Gap:
        while not self._is_stopped:
            item = self._next()
            if item is not None:
                return item
        raise StopIteration

    def _next(self) -> Notify | Gap | None:
        """Return the next item, or `None` if it takes another try."""
        connection = self._connection
        try:
            if connection is not None:
                return self._heard(self._kept() or connection._run(connection._next_notify_gen()))
            gap = self._listen()
            if gap is None or self._on_gap is None:
                return gap
            self._on_gap(gap)
        except (OperationalError, InterfaceError) as error:
            self._missed(error)
        return None

    def _listen(self) -> Gap | None:
        wait = self._options.get("wait_callback") or get_wait_callback()
        if self._failures:
            drive(self._pause_gen(), wait, self._pause)
        connection = Connection.connect(self._conninfo, **self._options)
        try:
            connection.execute(self._command, timeout=ANSWER_LIMIT)
        except BaseException:
            connection.close()
            raise
        return self._began(connection)


class AsyncListener(BaseListener):
    """Async `Listener`; `on_gap` may be async."""

    __module__ = "greenpg"

    async def close(self) -> None:
        """Async `Listener.close()`."""
        self._stop()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notify | Gap:
        while not self._is_stopped:
            item = await self._next()
            if item is not None:
                return item
        raise StopAsyncIteration

    async def _next(self) -> Notify | Gap | None:
        connection = self._connection
        try:
            if connection is not None:
                return self._heard(self._kept() or await connection._run(connection._next_notify_gen()))
            gap = await self._listen()
            if gap is None or self._on_gap is None:
                return gap
            told = self._on_gap(gap)
            if inspect.isawaitable(told):
                await told
        except (OperationalError, InterfaceError) as error:
            self._missed(error)
        return None

    async def _listen(self) -> Gap | None:
        if self._failures:
            await adrive(self._pause_gen(), current_async(), self._pause)
        connection = await AsyncConnection.connect(self._conninfo, **self._options)
        try:
            await connection.execute(self._command, timeout=ANSWER_LIMIT)
        except BaseException:
            await connection.close()
            raise
        return self._began(connection)


def _now() -> datetime:
    return datetime.now(timezone.utc)
