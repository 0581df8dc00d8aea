"""Tells of the calls that have held a loop: one log record each, counters, and whoever else wants to know.

Its rule: nothing that goes wrong here reaches the application.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic, time
from typing import TYPE_CHECKING

from greenpg.detector._statement import shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.detector._calls import Call
    from greenpg.detector._table import Table

    Hook = Callable[["Hold"], object]

log = logging.getLogger("greenpg.detector")

BURST = 10
"""Records of one line and statement within `INTERVAL`; what is more is counted in the next record."""
INTERVAL = 60.0
"""Seconds."""
OVERDUE = 1.0
"""Seconds after which a hold is told of in the watching thread: its loop still has had no turn."""
_MOST_PLACES = 1000


@dataclass(frozen=True)
class Hold:
    """A database call that has held a hub or event loop for longer than the limit."""

    __module__ = "greenpg.detector"

    driver: str
    """Its top-level module: `psycopg2`."""
    method: str
    """What was called: `execute`, `fetchall`, `connect`."""
    statement: str | None
    """What was executed, without literals and parameters; `None` for what has none, such as a commit."""
    filename: str
    """Where the application has called the driver, or what calls the driver for it."""
    line: int
    function: str
    loop: str
    """What was held: `gevent's hub`."""
    seconds: float
    """How long; of a call that is not over, so far."""
    is_over: bool
    """Whether the call has ended. One that may never end is reported after five seconds."""
    time: float
    """When that was found: seconds since the epoch."""


@dataclass
class Counters:
    """What the detector has seen in this process since it was installed."""

    __module__ = "greenpg.detector"

    holds: int = 0
    """Calls that have held a loop for longer than the limit."""
    seconds: float = 0.0
    """How long they have, together."""
    longest: float = 0.0
    """The longest of them, in seconds."""
    drivers: dict[str, int] = field(default_factory=dict)
    """Holds by driver."""
    unlogged: int = 0
    """Holds without a log record of their own, because the same line had too many."""
    hook_failures: int = 0
    """How often the hook has raised; the first time is logged."""


class Reports:
    """Takes holds from the watching thread; `deliver()` runs wherever it is safe to log."""

    def __init__(self, table: Table) -> None:
        self.hook: Hook | None = None
        self._table = table
        self._waiting: deque[tuple[Hold, bool, float]] = deque()
        self._counters = Counters()
        self._places: dict[tuple[str, int, str | None], _Place] = {}

    def put(self, loop: str, call: Call, seconds: float, is_over: bool, told: float = 0.0) -> None:
        """Take up a hold, to be delivered.

        :param told: seconds of it that were taken up before: the others are only added to what is counted
        """
        hold = Hold(
            driver=call.driver,
            method=call.method,
            statement=call.statement,
            filename=call.filename,
            line=call.line,
            function=call.function,
            loop=loop,
            seconds=seconds,
            is_over=is_over,
            time=time(),
        )
        self._waiting.append((hold, call.measured, told))

    def deliver_overdue(self) -> None:
        """Do what the loop has not come to do."""
        with suppress(IndexError):  # there is nothing
            if time() - self._waiting[0][0].time > OVERDUE:
                self.deliver()

    def deliver(self) -> None:
        """Tell of all that was taken up, each once, in whatever threads this is called."""
        while self._waiting:
            try:
                hold, measured, told = self._waiting.popleft()
            except IndexError:  # another thread was faster
                return
            self._count(hold, told)
            self._table.held(hold.statement or hold.method.upper(), hold.seconds, measured, told)
            if not told:
                self._log(hold)
                self._call_hook(hold)

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._places.clear()
        self._counters = Counters()

    def counters(self) -> Counters:
        """Return a copy of the counters."""
        return replace(self._counters, drivers=dict(self._counters.drivers))

    def _count(self, hold: Hold, told: float) -> None:
        counters = self._counters
        counters.seconds += hold.seconds - told
        counters.longest = max(counters.longest, hold.seconds)
        if told:
            return
        counters.holds += 1
        counters.drivers[hold.driver] = counters.drivers.get(hold.driver, 0) + 1

    def _log(self, hold: Hold) -> None:
        if len(self._places) > _MOST_PLACES:
            self._places.clear()
        key = (hold.filename, hold.line, hold.statement)
        left_out = self._places.setdefault(key, _Place()).admit()
        if left_out is None:
            self._counters.unlogged += 1
            return
        log.warning(
            "%s %s %s for %.3f s%s: %s() at %s:%d in %s%s%s",
            hold.driver,
            "held" if hold.is_over else "is holding",
            hold.loop,
            hold.seconds,
            "" if hold.is_over else " so far",
            hold.method,
            hold.filename,
            hold.line,
            hold.function,
            f": {shortened(hold.statement)}" if hold.statement else "",
            f" (and {left_out} times more since the last record)" if left_out else "",
        )

    def _call_hook(self, hold: Hold) -> None:
        if self.hook is None:
            return
        try:
            self.hook(hold)
        except KeyboardInterrupt:  # not the hook's
            raise
        except BaseException:  # gevent.Timeout is none of `Exception`
            self._counters.hook_failures += 1
            if self._counters.hook_failures == 1:
                log.exception("the detector's hook has failed; further failures are only counted")


class _Place:
    """How often one line and statement was logged of late."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._logged = 0
        self._left_out = 0

    def admit(self) -> int | None:
        """Return how many were left out before this one, which may be logged; `None`: it may not."""
        if monotonic() - self._began >= INTERVAL:
            self._began, self._logged = monotonic(), 0
        if self._logged == BURST:
            self._left_out += 1
            return None
        self._logged += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
