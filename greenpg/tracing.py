"""Telling somebody what connections do, how long it takes, and how much of that they only wait.

A `Tracer` is told when something begins and when it has ended: of the process (`set_tracer()`), or of one
connection (`connect(tracer=...)`, `connection.tracer`). The clock is here: the core says what it begins, and
each wait is measured where waiting happens. Values are never told, neither parameters nor `sql.Literal`s.

For each message of the protocol, libpq has a trace of its own: `connection.pgconn.trace(fd)` writes it to a
file descriptor until `untrace()`, values included. So no environment variable begins it, here or in libpq.

See pgx's tracers, https://pkg.go.dev/github.com/jackc/pgx/v5#QueryTracer
"""

from __future__ import annotations

import logging
import weakref
from contextlib import contextmanager, nullcontext, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from greenpg import sql
from greenpg.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from greenpg.abc import AsyncWaitCallback, Ready, Wait, WaitCallback

_log = logging.getLogger("greenpg")

Kind = Literal["connect", "execute", "prepare", "copy", "cancel", "wait"]


class Call:
    """Something that a connection does. Its beginning and its end are told with the same object."""

    def __init__(self, kind: Kind, statement: str | None, parent: Call | None, connection: Any) -> None:
        self.kind = kind
        """What it is about: a method `<kind>_start` and a method `<kind>_end` of a tracer."""
        self.statement = statement
        """The statement, with placeholders for its parameters; `None` if it is about none."""
        self.parent = parent
        """What it is a part of: a `prepare` of an `execute`, for example."""
        self.options: Mapping[str, str] = {}
        """Of a `connect`: what was asked for, such as `host` and `dbname`, without secrets."""
        self.state: dict[object, Any] = {}
        """A place for tracers, from the beginning to the end: each its own key, such as itself."""
        self.started = monotonic()
        """When it was begun by the caller, by `time.monotonic()`."""
        self.seconds: float | None = None
        """How long it took; `None` before its end."""
        self.seconds_waited = 0.0
        """How much of that was spent in waits, for the server as a rule."""
        self.waits = 0
        """How many waits that were."""
        self.rows: int | None = None
        """At the end: rows that were returned or touched; `None` if that is not known."""
        self.error: BaseException | None = None
        """At the end: what was raised; `None` if all went well."""
        self._connection = connection
        self._cursor: Any = None
        self._owner: object = None

    def __repr__(self) -> str:
        took = "under way" if self.seconds is None else f"{self.seconds:.6f} s"
        return f"<{type(self).__name__} {self.kind} [{took}] {self.statement or ''}>"

    @property
    def connection(self) -> Any:
        """The connection; `None` before there is one. It is in use: nothing can be executed on it here."""
        return self._connection()

    def _end(self, error: BaseException | None) -> None:
        self.seconds = monotonic() - self.started
        self.error = error
        cursor = self._cursor and self._cursor()
        if error is None and cursor is not None and cursor.rowcount >= 0:
            self.rows = cursor.rowcount


class Tracer:
    """Is told what connections do; override what is of interest.

    `start()` and `end()` are called for everything, and call the method of the kind: in the midst of the
    work, by whoever does it, so that they should be quick and must not wait. What they raise is logged. In a
    pipeline an `execute` ends when it is sent.
    """

    def start(self, call: Call) -> None:
        """Something begins."""
        getattr(self, f"{call.kind}_start")(call)

    def end(self, call: Call) -> None:
        """It has ended, well or with `call.error`; what was begun is always ended."""
        getattr(self, f"{call.kind}_end")(call)

    def connect_start(self, call: Call) -> None:
        """A connection is opened."""

    def connect_end(self, call: Call) -> None:
        """It is open (`call.connection`), or it has failed."""

    def execute_start(self, call: Call) -> None:
        """A statement is executed, also one of the driver's own, such as `BEGIN`."""

    def execute_end(self, call: Call) -> None:
        """Its results are here; a stream's and a cursor's on the server, as far as they were asked for."""

    def prepare_start(self, call: Call) -> None:
        """A statement is prepared on the server."""

    def prepare_end(self, call: Call) -> None:
        """It is prepared."""

    def copy_start(self, call: Call) -> None:
        """A COPY begins."""

    def copy_end(self, call: Call) -> None:
        """It is over. What the caller did in between is in its seconds, but not in those waited."""

    def cancel_start(self, call: Call) -> None:
        """The server is asked to cancel a statement."""

    def cancel_end(self, call: Call) -> None:
        """It has dealt with that; or, after an interruption, it will have been asked by a native thread."""

    def wait_start(self, call: Call) -> None:
        """A wait begins; as a part of something, or for notifications."""

    def wait_end(self, call: Call) -> None:
        """It is over."""


class MultiTracer(Tracer):
    """Several tracers at once; what one raises is logged, and the next ones are told."""

    def __init__(self, *tracers: Tracer) -> None:
        self.tracers = tracers

    def start(self, call: Call) -> None:
        """Something begins."""
        for tracer in self.tracers:
            _tell(tracer, tracer.start, call)

    def end(self, call: Call) -> None:
        """It has ended; they are told in the opposite order."""
        for tracer in reversed(self.tracers):
            _tell(tracer, tracer.end, call)


_NOBODY = Tracer()
_tracer: Tracer | None = None


def set_tracer(tracer: Tracer | None) -> None:
    """Have the connections of this process tell `tracer`, those that are opened from now on.

    :param tracer: `None`: nobody
    """
    global _tracer
    _tracer = tracer


def get_tracer() -> Tracer | None:
    """Return what `set_tracer()` was given."""
    return _tracer


class Trace:
    """What is under way on one connection, for its tracer."""

    def __init__(self, tracer: Tracer, connection: Any = None) -> None:
        self.tracer = tracer
        self._calls: list[Call] = []
        """What is under way; each is a part of the one before."""
        self._error: BaseException | None = None
        self._begun: float | None = None
        """When the caller began what is under way, if nothing was told since."""
        self._waited = 0.0, 0
        """Seconds and waits that went by before anything was told."""
        self._is_telling = False
        self.belongs_to(connection)

    def belongs_to(self, connection: Any) -> None:
        """Take the connection that it is about; it is not kept alive."""
        self._connection: Any = _nothing if connection is None else weakref.ref(connection)
        for call in self._calls:
            call._connection = self._connection

    # What is told

    def enter(self) -> None:
        """Somebody begins to use the connection.

        :raises InterfaceError: it is the tracer, who would be told of that too, without an end
        """
        if self._is_telling:
            raise InterfaceError("a tracer cannot use the connection that it is told of")
        self._begun, self._waited, self._error = monotonic(), (0.0, 0), None

    def begin(
        self,
        kind: Kind,
        query: Any = None,
        cursor: Any = None,
        owner: object = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Tell that something begins.

        :param query: the statement, in any form that is executed
        :param cursor: has the `rowcount` in the end
        :param owner: it goes on as long as this has the connection, and not only until `leave()`
        """
        parent = self._calls[-1] if self._calls else None
        text = None if query is None else _text(query, self._connection())
        call = Call(kind, text, parent, self._connection)
        if parent is None and self._begun is not None:
            call.started, self._begun = self._begun, None
            call.seconds_waited, call.waits = self._waited
        call._cursor = None if cursor is None else weakref.ref(cursor)
        call._owner = owner
        call.options = options or {}
        self._calls.append(call)
        _tell(self.tracer, self.tracer.start, call)

    def end(self, error: BaseException | None = None) -> None:
        """Tell that what was begun last has ended."""
        call = self._ended(error)
        _tell(self.tracer, self.tracer.end, call)

    def _ended(self, error: BaseException | None) -> Call:
        call = self._calls.pop()
        call._end(error)
        return call

    def fail(self, error: BaseException) -> None:
        """Take note of how it ends."""
        self._error = error

    def leave(self, under_way: object) -> list[Call]:
        """End all but what goes on, and return it; an error before anything was begun is told by itself.

        :param under_way: what goes on
        :return: what `tell()` is to be called with, once the connection is free
        """
        error, self._error = self._error, None
        if error is not None and not self._calls and self._begun is not None:
            self.begin("execute")
        self._begun = None
        left: list[Call] = []
        while self._calls and (self._calls[-1]._owner is None or self._calls[-1]._owner is not under_way):
            left.append(self._ended(error))
        return left

    def tell(self, left: list[Call]) -> None:
        """Tell that something has ended."""
        self._is_telling = True
        try:
            for call in left:
                _tell(self.tracer, self.tracer.end, call)
        finally:
            self._is_telling = False

    # Waits

    def timed(self, wait: WaitCallback) -> WaitCallback:
        """Return a wait callback that is `wait`, and tells."""
        if self.tracer is _NOBODY:
            return wait

        def wait_and_tell(fd: int, need: Wait, timeout: float | None, /) -> Ready:
            with self._waiting():
                return wait(fd, need, timeout)

        return wait_and_tell

    def atimed(self, wait: AsyncWaitCallback) -> AsyncWaitCallback:
        """Async `timed()`."""
        if self.tracer is _NOBODY:
            return wait

        async def wait_and_tell(fd: int, need: Wait, timeout: float | None, /) -> Ready:
            with self._waiting():
                return await wait(fd, need, timeout)

        return wait_and_tell

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        above = tuple(self._calls)
        call = Call("wait", None, above[-1] if above else None, self._connection)
        _tell(self.tracer, self.tracer.start, call)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            call._end(error)
            error = None  # or its traceback would keep it
            call.seconds_waited, call.waits = call.seconds or 0.0, 1
            self._waited = self._waited[0] + call.seconds_waited, self._waited[1] + 1
            for part in above:
                part.seconds_waited += call.seconds_waited
                part.waits += 1
            _tell(self.tracer, self.tracer.end, call)


def _nothing() -> None:
    """Stand for a connection that is not there yet."""


_untold = nullcontext(Trace(_NOBODY))


def telling(
    tracer: Tracer | None, kind: Kind, connection: Any = None, options: Mapping[str, str] | None = None
) -> AbstractContextManager[Trace]:
    """Tell of what does not take the connection's turn: the body of the `with` statement.

    :param tracer: who is told, if anybody is
    """
    return _untold if tracer is None else _telling(tracer, kind, connection, options)


@contextmanager
def _telling(
    tracer: Tracer, kind: Kind, connection: Any, options: Mapping[str, str] | None
) -> Iterator[Trace]:
    trace = Trace(tracer, connection)
    trace.begin(kind, options=options or {})
    try:
        yield trace
    except BaseException as error:
        trace.fail(error)
        raise
    finally:
        trace.tell(trace.leave(None))


def _tell(tracer: Tracer, method: Any, call: Call) -> None:
    try:
        method(call)
    except Exception:
        _log.exception("error in the tracer %r", tracer)


def _text(query: Any, connection: Any) -> str | None:
    """Return a statement as text, with `?` for each literal that was put in; `None` if that cannot be."""
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    with suppress(Exception):  # executing it raises the same, and says why
        return query if isinstance(query, str) else "".join(_words(query, connection))
    return None


def _words(query: Any, connection: Any) -> Iterator[str]:
    if sql.is_template(query):
        for part in sql.template_parts(query):
            yield from ("%s",) if isinstance(part, sql.Parameter) else _words(part, connection)
    elif isinstance(query, sql.Composed):
        for part in query:
            yield from _words(part, connection)
    elif isinstance(query, sql.Literal):
        yield "?"
    elif isinstance(query, sql.SQL) and sql.is_template(query._obj):
        yield from _words(query._obj, connection)
    else:
        yield query.as_string(connection)
