"""Whose turn it is on a connection: one at a time, for as long as it may take, and what is left undone after.

Both colours of a connection share this room; it alone knows the clock, who is running and what an
interruption does. Three rules:

- A second one that wants a busy connection is refused at once, by an error that names both; nobody queues.
- What comes out of a wait (`gevent.Timeout`, `CancelledError`, Ctrl-C) passes through unchanged, and without
  waiting for the server: the statement is cancelled from a native thread, the next turn settles the rest.
- What has become of a connection is told by libpq's state, never by the type of an exception.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager, suppress
from os import getpid
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

from greenpg._core.offload import Offloaded, shut_down, thread_number
from greenpg._core.protocol import TimeIsOver, cancel_gen, wait_gen
from greenpg._core.rescue import settle_steps
from greenpg._core.session import BaseSession
from greenpg._pristine import pristine
from greenpg._running import Turn, green_thread, is_over, named
from greenpg.abc import Wait
from greenpg.errors import (
    CancellationTimeout,
    DatabaseError,
    Error,
    InterfaceError,
    OperationalError,
    ProtocolError,
    StatementTimeout,
)
from greenpg.pq.enums import ConnStatus, PipelineStatus, TransactionStatus
from greenpg.rows import Row
from greenpg.tracing import Trace, telling
from greenpg.waiters import drive
from greenpg.waiters._slice import TimeSlice
from greenpg.waiters.select import wait as block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenpg.abc import Gen, Steps
    from greenpg.pq.abc import PGconn
    from greenpg.rows import RowFactory
    from greenpg.tracing import Tracer


RECOVERY_LIMIT = 2.0
"""Seconds that cleaning up after an interruption may keep who needs it; then the connection is closed."""

CANCEL_LIMIT = 10.0
"""Seconds that a request to cancel may take in its native thread."""

# looked at in each turn
_BAD = ConnStatus.BAD
_IDLE, _ACTIVE, _UNKNOWN = TransactionStatus.IDLE, TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN


class Rescue:
    """An interrupted statement that is still to be settled."""

    __slots__ = ("_end", "debts", "is_hurried", "request")

    def __init__(self) -> None:
        self.request: Offloaded[None] | None = None
        self.debts: list[bytes] = []
        self.is_hurried = False
        """Whether who waits for it has given it less time than is left."""
        self._end: float | None = None

    @property
    def seconds_left(self) -> float:
        """Seconds of `RECOVERY_LIMIT` that are left, from when it was first asked for on."""
        if self._end is None:
            self._end = monotonic() + RECOVERY_LIMIT
        return max(self._end - monotonic(), 0.0)


_pause = pristine("time").sleep
_lock = pristine("_thread").RLock  # a signal handler in the thread that has it passes


class TurnTaking(BaseSession[Row]):
    """A connection that one at a time may use; the blocking and the async one add how they wait."""

    _cancelling: Rescue | None = None
    """A request to cancel that nobody waits for; the next turn does, lest it hit that one's statement."""

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row]) -> None:
        super().__init__(pgconn, row_factory)
        self._turn: dict[None, Turn] = {}
        self._slice = TimeSlice()
        self._rescue: Rescue | None = None
        self._closed_by: object | None = None
        self._has_hung_up = False
        """Whether the server has gone while somebody used the connection, who may not have noticed."""
        self._ending = _lock()
        """Held while the socket is closed, or shut down by another thread; never across a wait."""
        self._pid = getpid()

    def _take_turn(self, gen: Gen[Any], part_of: object | None) -> None:
        """Have the connection for `gen`, until `_end_turn()`.

        :param part_of: the COPY or the stream that `gen` goes on with, if it does
        :raises InterfaceError: somebody else has it, or it belongs to the parent process
        :raises OperationalError: it is closed
        """
        if self._pid != getpid():
            self._check_process()
        mine = gen, thread_number(), self._green()
        # one step for the interpreter: no thread and no signal handler comes in between
        if self._turn.setdefault(None, mine) is not mine and (holder := self._claim(mine)) is not mine:
            raise self._busy(holder, mine)
        if self._trace is not None:
            self._trace.enter()
        status = self.pgconn.transaction_status
        if status == _UNKNOWN:
            self._check_open()
        if self._cancelling is not None and self._rescue is None:
            self._rescue, self._cancelling = self._cancelling, None
        if self._rescue is not None:
            return
        if status == _ACTIVE and self._is_left_undone():
            self._interrupted()
        elif self._under_way is None:
            self._take_in()  # a connection that has died is noticed before it is used
        elif self._under_way is not part_of:
            raise InterfaceError(f"{self._under_way!r} is under way on the connection: end it first")

    def _claim(self, mine: Turn) -> Turn:
        """Return who has the connection: `mine`, if nobody else does."""
        while True:
            holder = self._turn.setdefault(None, mine)
            if holder is mine:
                return mine
            if is_over(holder):
                self._turn[None] = mine
                self._interrupted()
                return mine
            if holder[0] is not None:
                return holder
            _pause(0)  # another thread has it for a moment

    def _take_briefly(self) -> bool:
        """Have the connection for something that waits for nothing, until `_give_back()`; return whether."""
        mine: Turn = None, thread_number(), self._green()
        return self._turn.setdefault(None, mine) is mine or self._claim(mine) is mine

    def _turn_aside(self) -> Gen[Any] | None:
        """Have the connection for a wait in which the others go on, until `_give_back()`.

        :return: that wait; None if it cannot be had: whoever has rows needs no connection to go on
        """
        if (
            self._is_closed
            or self._under_way is not None
            or self._rescue is not None
            or self._pid != getpid()
        ):
            return None
        gen = wait_gen(self.pgconn.socket, Wait.RW)
        mine = gen, thread_number(), self._green()
        return gen if self._claim(mine) is mine else None

    def _give_back(self) -> None:
        self._turn.pop(None, None)
        if self._closed_by is not None and not self._has_ended:
            self._finish_if_free()  # it came when what had the connection had looked for that already

    _green: Callable[[], Any] = staticmethod(green_thread)
    """Returns the task or green thread that runs here; cheap, for it is asked at each turn."""

    @staticmethod
    def _busy(holder: Turn, other: Turn) -> InterfaceError:
        first, second = named(*holder[1:]), named(*other[1:])
        return InterfaceError(
            f"the connection is in use by {first}; {second} cannot use it meanwhile: give each one its own"
        )

    def _check_process(self) -> None:
        if self._pid != getpid():
            raise InterfaceError("the connection belongs to the parent process; open a new one after fork()")

    def _end_turn(self, gen: Gen[Any]) -> None:
        """Give up the turn, if `gen`, which is over, had it; news is to be handed out then."""
        holder = self._turn.get(None)
        if holder is not None and holder[0] is gen:
            left, pgconn = (), self.pgconn
            try:
                if self._closed_by is not None or pgconn.status == _BAD:
                    self._finish()  # it may have been lost where nobody cared
                elif self._rescue is None and (notify := pgconn.notifies()) is not None:
                    self._gather(notify)  # what comes after an interruption would hold that up
                if self._descriptors and pgconn.transaction_status == _IDLE:
                    self._descriptors = {}  # large objects are closed with the transaction
                if self._trace is not None:
                    left = self._trace.leave(self._under_way)
            finally:
                self._turn.pop(None, None)  # as `_give_back()` does
                if self._closed_by is not None and not self._has_ended:
                    self._finish_if_free()
            if left:
                self._trace.tell(left)
        if self._has_hung_up:
            self._end_hung_up()

    def _end_hung_up(self) -> None:
        """The server has gone, and who had the connection may not have noticed: notice it."""
        if not self._is_closed and self._take_briefly():
            try:
                self._read_to_end()
            finally:
                self._give_back()

    def _read_to_end(self) -> None:
        """Take in all that the server has said before it went."""
        while not self._is_closed:
            super()._look()

    @property
    def _is_busy(self) -> bool:
        """Whether somebody has the turn."""
        holder = self._turn.get(None)
        return holder is not None and not is_over(holder)

    def _is_left_undone(self) -> bool:
        """Return whether a statement is under way that nobody is there to read the end of."""
        return (
            self.pgconn.transaction_status == _ACTIVE
            and self._under_way is None
            and self.pgconn.pipeline_status == PipelineStatus.OFF
        )

    def _failure(self, gen: Gen[Any], error: BaseException) -> BaseException:
        """End the turn of `gen`, if it had one, and return what to raise for `error`.

        An interruption in here leaves the turn to be found by the next one, who then settles all.
        """
        gen.close()
        had_turn = self._has_turn(gen)
        failure = self._outcome(gen, error)
        if self._trace is not None and had_turn:
            self._trace.fail(failure)
        self._end_turn(gen)
        if not isinstance(error, Exception):
            self._deliver()  # at once: an interruption does not wait
        return failure

    def _has_turn(self, gen: Gen[Any]) -> bool:
        holder = self._turn.get(None)
        return holder is not None and holder[0] is gen

    def _outcome(self, gen: Gen[Any], error: BaseException) -> BaseException:
        """Return what becomes of `error`, with the connection at rest, on its way there, or closed."""
        if not self._has_turn(gen):
            return error  # it never had its turn
        if self._closed_by is not None:
            self._finish()
            if not isinstance(error, (Error, OSError)):
                return error  # an interruption stays what it is
            by, self._closed_by = self._closed_by, None  # later ones are told that it is closed, and no more
            return InterfaceError(f"the connection was closed by {by} while this waited for it")
        if isinstance(error, ProtocolError):
            return self._gone(error)  # nobody knows what the server will say next
        if self.pgconn.status == _BAD:
            return self._lost(error) if isinstance(error, DatabaseError) else self._gone(error)
        if self._is_left_undone() or not isinstance(error, Error):
            self._interrupted()
        if isinstance(error, TimeIsOver):
            return StatementTimeout("the time given has passed; the statement was cancelled")
        return error

    def _gone(self, error: BaseException) -> BaseException:
        self._finish()
        return error

    def _interrupted(self) -> None:
        """Have the statement under way cancelled, and the rest settled by the next turn; nothing waits."""
        if self._pid != getpid():
            return  # in a forked child, what is under way is the parent's
        self._under_way = None
        self._leave_trace()
        self._forget_pipeline()
        if self._rescue is not None:
            return
        active = self.pgconn.transaction_status == _ACTIVE
        if active or self.pgconn.pipeline_status != PipelineStatus.OFF:
            self._rescue = Rescue()  # before the request: a second interruption may come anywhere
            if active:
                self._request_cancel(self._rescue)

    def _cancel_unattended(self) -> None:
        """Have what is under way cancelled without waiting for it."""
        if self.pgconn.transaction_status == _ACTIVE:
            self._cancelling = Rescue()
            self._request_cancel(self._cancelling)

    def _request_cancel(self, rescue: Rescue | None = None) -> None:
        """Send a request to cancel from a native thread, if that can so much as begin.

        :param rescue: who is to wait for it, lest it hit a later statement
        """
        with suppress(Error, OSError), self._telling_cancel():
            gen = cancel_gen(self.pgconn)
            request = Offloaded(lambda: drive(gen, block, CANCEL_LIMIT), is_begun=False)
            if rescue is not None:
                rescue.request = request  # first of all: none is on its way that nobody knows of
            try:
                request.begin()
            except RuntimeError:  # there can be no more threads
                if rescue is not None:
                    rescue.request = None

    @contextmanager
    def _telling_cancel(self) -> Iterator[Trace]:
        """Tell the tracer of a request to cancel, and raise what it means that its time is over."""
        with telling(self.tracer, "cancel", self) as trace:
            try:
                yield trace
            except TimeoutError as error:
                raise CancellationTimeout("the request to cancel was not answered in time") from error

    def _settling(self, timeout: float | None) -> tuple[Steps[None], float]:
        """Return the steps that settle what was interrupted, and the seconds they may take."""
        rescue = self._rescue
        assert rescue is not None

        def again() -> Offloaded[None] | None:
            self._request_cancel(rescue)
            return rescue.request

        steps = settle_steps(self.pgconn, rescue.request, rescue.debts, again)
        left = rescue.seconds_left
        rescue.is_hurried = timeout is not None and timeout < left
        return steps, left if timeout is None else min(left, timeout)

    def _unsettled(self, error: BaseException) -> BaseException:
        """Return what to raise when settling has failed with `error`; the connection is closed, as a rule."""
        rescue = self._rescue
        assert rescue is not None
        if isinstance(error, TimeoutError) and rescue.is_hurried:
            return StatementTimeout("the time given has passed; an interrupted statement is still under way")
        self._finish()
        if isinstance(error, (DatabaseError, OSError)):
            return OperationalError(
                f"the connection is closed: an interrupted statement did not come to its end ({error})"
            )
        return error

    def _is_interrupted_by(self, error: BaseException) -> bool:
        """Return whether nothing may wait any more for what ends with `error`."""
        return self._rescue is not None or not isinstance(error, Exception)

    def _owe(self, command: bytes) -> bool:
        """Roll back by `command` without waiting for it: at once, or by the next turn if that cannot be.

        :return: whether it is so; not where somebody else uses the connection, or it is lost
        """
        if self._pid != getpid() or not self._take_briefly():
            return False
        try:
            return not self._is_closed and self._owed(command)
        finally:
            self._give_back()

    def _owed(self, command: bytes) -> bool:
        if self._rescue is None:
            self._interrupted()
        if self._rescue is None:
            try:
                self.pgconn.send_query(command)
                self.pgconn.flush()
            except DatabaseError:
                return False
            self._rescue = Rescue()
            if command != b"ROLLBACK":
                return True  # done again it would be an error
        self._rescue.debts.append(command)
        return True

    @staticmethod
    def _raise(failure: BaseException, error: BaseException) -> NoReturn:
        """Raise what has become of `error`; our own errors without the frames of the core."""
        try:
            if failure is not error:
                raise failure from error
            raise error.with_traceback(None) if isinstance(error, Error) else error
        finally:
            del failure, error  # or its traceback would keep it, and it the connection

    @property
    def tracer(self) -> Tracer | None:
        """Who is told what the connection does; see `greenpg.tracing`. It may be set between two calls."""
        return None if self._trace is None else self._trace.tracer

    @tracer.setter
    def tracer(self, tracer: Tracer | None) -> None:
        self._leave_trace()
        self._trace = None if tracer is None else Trace(tracer, self)
        self._source: Any = None  # the wait callback is made anew, to be timed or not

    def _leave_trace(self) -> None:
        """Tell of the end of what has the connection between its own calls, if it ends between them."""
        holder = self._turn.get(None)
        if self._trace is not None and (holder is None or holder[0] is None):
            error = sys.exc_info()[1]
            if error is not None and not isinstance(error, GeneratorExit):  # which a stream left early has
                self._trace.fail(error)
            self._trace.tell(self._trace.leave(None))

    def _finish(self) -> None:
        with self._ending:
            super()._finish()
        if self._trace is not None:
            self._leave_trace()

    def _finish_if_free(self) -> bool:
        """Close the connection, unless somebody has it, who will do so then; return whether it was done."""
        if not self._take_briefly():
            return False
        try:
            if self.pgconn.transaction_status == _ACTIVE and self._rescue is None:
                self._request_cancel()
            self._finish()
        finally:
            self._give_back()
        return True

    def _close(self) -> None:
        """Close the connection; whoever waits on it gets an `InterfaceError`. Closing twice does no harm.

        Nothing here waits: it may be called from any thread, green thread, signal handler or wait callback.
        What runs on the server is cancelled; the server rolls the transaction back.
        """
        self._was_closed = self._was_closed or not self._is_closed
        if self._pid != getpid():
            self._finish()  # only our copy of the socket
        elif not self._finish_if_free() and self._closed_by is None:
            self._closed_by = named(thread_number(), self._green())
            self._request_cancel()
            with self._ending, suppress(OSError):  # the other side may have been faster
                if not self._has_ended:  # else the number may be another's already
                    shut_down(self.pgconn.socket)
            self._finish_if_free()
        if self._news:
            self._deliver()

    def __del__(self) -> None:
        # libpq's side of it may be gone already, where both were parts of one cycle
        if self._has_ended:
            return
        if getpid is None or getattr(self, "_pid", None) != getpid():
            return  # at the very end of the interpreter there are no modules left
        warnings.warn(
            f"{self!r} was deleted while still open: close it", ResourceWarning, source=self, stacklevel=1
        )
        self._termination_listeners = ()  # they would be given what is on its way out
        if sys.is_finalizing():
            self._finish()  # no thread begins any more, and nobody is to be named
            return
        with suppress(Error, OSError, RuntimeError):
            self._close()
