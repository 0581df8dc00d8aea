"""The native thread that looks now and then at what the threads with loops are doing.

A look costs the watched thread nothing but its turn at the GIL. A thread that is in a database call is looked
at more often, and its loop is asked to call back: as long as it does not, and the call is the same, the call
holds the loop. Three things only look like it, and are taken off: the time in which the thread wanted to run
and could not (another process had the processor), the time in which nobody could look (another native thread
had the GIL), and whatever the application does between two calls. Calls by the same line one after the other,
with no turn of the loop in between, are one.

A call in C that keeps the GIL lets nobody look. But Python hands the GIL over in the very instruction that
has made the call; so if we had to wait for the GIL, and the watched thread was running all that time, the
call that we find there has kept it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from greenpg._pristine import pristine
from greenpg.detector._calls import Call, Entry, describe, entry
from greenpg.detector._thread_times import of_this_thread

if TYPE_CHECKING:
    from types import FrameType

    from greenpg.detector._loops import Loop
    from greenpg.detector._reports import Reports

_thread = pristine("_thread")

PATIENCE = 5.0
"""Seconds after which a call is reported that has not ended: it may never do."""
_QUIET = 0.5
"""Times the limit: from one look to the next."""
_CLOSE = 0.1
"""The same while a call is looked at that was there at the look before."""
_SHORTEST, _LONGEST = 0.005, 0.1
"""Seconds between looks, whatever the limit; Python itself takes 0.005 to hand over the GIL."""


class Sight(NamedTuple):
    """What a thread was seen in."""

    entry: Entry
    call: Call | None
    """In words, if it is time for that."""


@dataclass
class Suspicion:
    """A database call that may hold its loop."""

    entry: Entry
    number: int
    call: Call | None
    kept: float
    """Seconds before it was seen, in which it must have kept the GIL."""
    slack: float
    """Seconds before that in which it may have begun."""
    began: float
    """When it was seen first."""
    seen: float
    """When it was seen last."""
    ran: float
    """When its thread was known to have run last."""
    lost: float = 0.0
    """Seconds since `began` that are not its own."""
    reported: bool = False

    def lasted(self) -> float:
        """Return the seconds that it took for certain, so far."""
        return self.kept + self.seen - self.began - self.lost


class Watch:
    """What is known of one thread and its loop."""

    def __init__(self, loop: Loop, limit: float, libraries: frozenset[str], reports: Reports) -> None:
        """Watch the loop of the thread that calls this.

        :param limit: seconds that a call may hold it
        :param libraries: top-level modules that are not the application
        """
        self.loop = loop
        self.ident: int = _thread.get_ident()
        self._limit = limit
        self._libraries = libraries
        self._reports = reports
        self._clock = of_this_thread()
        self._times = self._clock.read()
        self._looked = monotonic()
        self._suspicion: Suspicion | None = None
        self._asked = 0
        self._answered = 0

    @property
    def is_close(self) -> bool:
        """Whether a call was there at the last look, and at the one before."""
        return self._suspicion is not None and self._suspicion.seen > self._suspicion.began

    def look(self, frame: FrameType, now: float, late: float) -> Sight | None:
        """Return what the thread is in. It may go on as soon as we wait for anything: nothing here does.

        :param frame: its innermost
        :param late: seconds that this look comes too late, for whatever reason
        """
        found = entry(frame)
        if found is None:
            return None
        call = self._suspicion if self._goes_on(found) else None
        lasted = late if call is None else now - call.began + call.kept
        is_due = lasted >= self._limit and (call is None or call.call is None)
        call_in_words = describe(frame, found, self._libraries, self.loop.suspended) if is_due else None
        return Sight(found, call_in_words)

    def judge(self, sight: Sight | None, now: float, starved: float) -> bool:
        """Decide what it means; return whether the loop is still there to be watched.

        :param now: when the look was
        :param starved: seconds before that in which nobody could look, though we had a processor
        """
        before, self._times = self._times, self._clock.read()
        ran = self._times.ran - before.ran
        delayed = self._times.delayed - before.delayed
        looked, self._looked = self._looked, now
        call = self._suspicion
        if call is not None and sight is not None and self._goes_on(sight.entry):
            call.seen = now
            call.ran = looked if ran else call.ran
            call.lost += delayed + max(0.0, starved - ran)
            call.call = call.call or sight.call
            if call.lasted() >= PATIENCE:
                self._report(call, call.lasted(), is_over=False)
            return True
        self.end(now, delayed)
        if sight is None:
            return True
        self._asked += 1
        kept = min(starved, ran)
        slack = 0.0 if kept else now - looked
        self._suspicion = Suspicion(sight.entry, self._asked, sight.call, kept, slack, now, now, now)
        try:
            self.loop.post(partial(self._answer, self._asked))
        except Exception:  # whatever a loop says that is closed
            return False
        return True

    def end(self, now: float, delayed: float) -> None:
        """Report the call that was seen last, if it has held the loop.

        :param now: when it was not there any more
        :param delayed: seconds that its thread wanted to run in vain since it was seen
        """
        call, self._suspicion = self._suspicion, None
        if call is None:
            return
        call.lost += min(delayed, call.seen - call.ran)  # what was noted only when the thread ran again
        if call.lasted() >= self._limit:
            slack = min(call.slack, self._limit) + min(now - call.seen, self._limit)
            self._report(call, call.lasted() + slack / 2, is_over=True)

    def _goes_on(self, found: Entry) -> bool:
        """Return whether it is the call of the last look, and the loop has not had a turn since."""
        call = self._suspicion
        return call is not None and call.entry == found and call.number > self._answered

    def _answer(self, number: int) -> None:
        self._answered = number

    def _report(self, call: Suspicion, seconds: float, is_over: bool) -> None:
        if call.call is None or call.reported:
            return
        call.reported = True
        self._reports.put(self.loop.name, call.call, seconds, is_over)
        if not is_over:
            self._reports.deliver()  # its loop may never come to it
            return
        with suppress(Exception):  # its loop is closed
            self.loop.run(self._reports.deliver)


class Watcher:
    """The native thread that looks at all watches, until `stop()`."""

    def __init__(self, watches: list[Watch], limit: float, reports: Reports) -> None:
        self.watches = watches
        self._reports = reports
        self._pauses = tuple(min(max(part * limit, _SHORTEST), _LONGEST) for part in (_QUIET, _CLOSE))
        self._stopping = _thread.allocate_lock()
        self._stopped = _thread.allocate_lock()
        self._stopping.acquire()
        self._stopped.acquire()
        _thread.start_new_thread(self._run, ())

    def stop(self) -> None:
        """End the thread; what it is in the midst of, it finishes."""
        self._stopping.release()
        self._stopped.acquire()
        for watch in self.watches:
            watch.end(monotonic(), 0.0)

    def _run(self) -> None:
        clock = of_this_thread()
        delayed = clock.read().delayed
        asleep, pause = monotonic(), self._pauses[0]
        while not self._stopping.acquire(timeout=pause):
            now = monotonic()
            late = max(0.0, now - asleep - pause)
            sights = self._look(now, late)
            before, delayed = delayed, clock.read().delayed
            self._judge(sights, now, max(0.0, late - (delayed - before)))
            self._reports.deliver_overdue()
            pause = self._pauses[any(watch.is_close for watch in self.watches)]
            asleep = monotonic()
        self._stopped.release()

    def _look(self, now: float, late: float) -> list[tuple[Watch, Sight | None]]:
        # All at once and nothing else in this frame, which is gone when we come to wait for the GIL: a frame
        # of theirs that ends meanwhile must not have its last reference here.
        frames = sys._current_frames()
        seen = [(watch, frames[watch.ident]) for watch in self.watches if watch.ident in frames]
        return [(watch, watch.look(frame, now, late)) for watch, frame in seen]

    def _judge(self, sights: list[tuple[Watch, Sight | None]], now: float, starved: float) -> None:
        self.watches = [watch for watch, sight in sights if watch.judge(sight, now, starved)]
