"""The native thread that looks now and then at what the threads with loops are doing.

A look costs the watched thread nothing but its turn at the GIL. A thread that is in a database call is looked
at more often, and its loop is asked to call back: as long as it does not, and the call is the same, the call
holds the loop. Three things only look like it, and are taken off: the time in which the thread wanted to run
and could not (another process had the processor), the time in which nobody could look (another native thread
had the GIL), and whatever the application does between two calls. Calls by the same line one after the other,
with no turn of the loop in between, are one; of a driver in C, only the time is counted that it waits, for in
the other its caller may have run.

A call in C that keeps the GIL lets nobody look. But Python hands the GIL over in the very instruction that
has made the call; so if we had to wait for the GIL, and the watched thread was running all that time, the
call that we find there has kept it. Not so a call that lets go of the GIL to talk with the server, or has
only just begun: it may have been something before it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from greenpg._pristine import pristine
from greenpg.detector._calls import (
    Call,
    Entry,
    describe,
    describe_unframed,
    entry,
    is_fresh,
    is_idle,
    places,
    unframed_entry,
    with_driver,
)
from greenpg.detector._reports import log
from greenpg.detector._thread_times import ThreadTimes

if TYPE_CHECKING:
    from types import FrameType

    from greenpg.detector._loops import Loop
    from greenpg.detector._reports import Reports

_thread = pristine("_thread")

PATIENCE = 5.0
"""Seconds after which a call is reported that has not ended: it may never do."""
_QUIET = 0.9
"""Times the limit: from one look to the next."""
_CLOSE = 0.1
"""The same while a call is looked at that was there at the look before."""
_SHORTEST, _LONGEST = 0.005, 0.1
"""Seconds between looks, whatever the limit; Python itself takes 0.005 to hand over the GIL."""
_REMEMBERED = 16
"""Looks after which it is read anew how long the watching thread has been delayed: more often is too dear."""


class Sight(NamedTuple):
    """What a thread was seen in."""

    entry: Entry
    is_fresh: bool
    """Whether it may have come there only now, when it handed over the GIL."""
    call: Call | None
    """In words, if it is time for that."""


@dataclass
class Suspect:
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
    delayed: float
    """What its thread had been delayed when it was seen last."""
    lost: float = 0.0
    """Seconds since `began` that are not its own."""
    told: float = 0.0
    """Seconds that were reported while it was not over."""

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
        self.times = ThreadTimes()
        self._ran = self.times.ran()
        self._looked = monotonic()
        self._suspect: Suspect | None = None
        self._asked = 0
        self._answered = 0

    @property
    def is_suspicious(self) -> bool:
        """Whether a call was there at the last look."""
        return self._suspect is not None

    @property
    def is_close(self) -> bool:
        """Whether a call was there at the last look, and at the one before."""
        return self._suspect is not None and self._suspect.seen > self._suspect.began

    def look(self, frame: FrameType, now: float, late: float) -> Sight | None:
        """Return what the thread is in. It may go on as soon as we wait for anything: nothing here does.

        :param frame: its innermost
        :param late: seconds that this look comes too late, for whatever reason
        """
        if is_idle(frame):
            return None
        stack = places(frame)
        found = entry(stack)
        if found is None:
            return None
        suspect = self._suspect if self._goes_on(found) else None
        is_late = late >= self._limit / 2
        if suspect is not None or is_late:
            found = with_driver(stack, found)
            if found is None:
                return None
        lasted = late if suspect is None else now - suspect.began + suspect.kept
        is_due = lasted >= self._limit and (suspect is None or suspect.call is None)
        words = describe(stack, found, self._libraries, self.loop.suspended) if is_due else None
        return Sight(found, not is_late or is_fresh(stack, found), words)

    def look_without_frame(self, now: float) -> Sight | None:
        """Return what the thread is in when it has no frame: a green thread whose function is in C."""
        for greenlet in self.loop.unframed():
            found = unframed_entry(greenlet)
            if found is None:
                continue
            suspect = self._suspect if self._goes_on(found) else None
            is_due = suspect is not None and suspect.call is None and now - suspect.began >= self._limit
            words = describe_unframed(greenlet, found, self._libraries) if is_due else None
            return Sight(found, is_fresh=True, call=words)
        return None

    def judge(self, sight: Sight | None, now: float, ran: float, starved: float) -> bool:
        """Decide what it means; return whether the loop is still there to be watched.

        :param now: when the look was
        :param ran: what the thread's clock said then
        :param starved: seconds before that in which nobody could look, though we had a processor
        """
        ran, self._ran = ran - self._ran, ran
        looked, self._looked = self._looked, now
        suspect = self._suspect
        if suspect is None and sight is None:
            return True
        delayed = self.times.delayed()
        if suspect is not None and sight is not None and self._goes_on(sight.entry):
            suspect.seen = now
            suspect.ran = looked if ran else suspect.ran
            suspect.lost += delayed - suspect.delayed + max(0.0, starved - ran)
            if sight.entry.instruction >= 0:
                suspect.lost += ran  # it may be one of many calls, with work of the caller's in between
            suspect.delayed = delayed
            suspect.call = suspect.call or sight.call
            if suspect.lasted() >= PATIENCE and not suspect.told:
                self._report(suspect, suspect.lasted(), is_over=False)
            return True
        self.end(now, delayed)
        if sight is None:
            return True
        kept = 0.0 if sight.is_fresh else min(starved, ran)
        return self._begin(sight, now, kept, slack=now - looked - kept, delayed=delayed)

    def end(self, now: float, delayed: float) -> None:
        """Report the call that was seen last, if it has held the loop.

        :param now: when it was not there any more
        :param delayed: what its thread has been delayed until then
        """
        suspect, self._suspect = self._suspect, None
        if suspect is None:
            return
        # What is noted only now may have begun before, but not before the thread ran last.
        suspect.lost += min(delayed - suspect.delayed, suspect.seen - suspect.ran)
        if suspect.lasted() >= self._limit:
            slack = min(suspect.slack, self._limit) + min(now - suspect.seen, self._limit)
            self._report(suspect, suspect.lasted() + slack / 2, is_over=True)

    def _begin(self, sight: Sight, now: float, kept: float, slack: float, delayed: float) -> bool:
        """Have an eye on a call from now on; return whether its loop can be asked to call back."""
        self._asked += 1
        self._suspect = Suspect(
            entry=sight.entry,
            number=self._asked,
            call=sight.call,
            kept=kept,
            slack=slack,
            began=now,
            seen=now,
            ran=now,
            delayed=delayed,
        )
        try:
            self.loop.post(partial(self._answer, self._asked))
        except Exception:  # whatever a loop says that is closed
            return False
        return True

    def _goes_on(self, found: Entry) -> bool:
        """Return whether it is the call of the last look, and the loop has not had a turn since."""
        suspect = self._suspect
        return suspect is not None and suspect.entry[:2] == found[:2] and suspect.number > self._answered

    def _answer(self, number: int) -> None:
        self._answered = number

    def _report(self, suspect: Suspect, seconds: float, is_over: bool) -> None:
        if suspect.call is None:
            return
        self._reports.put(self.loop.name, suspect.call, seconds, is_over, suspect.told)
        if not is_over:
            suspect.told = seconds
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
            watch.end(monotonic(), watch.times.delayed())

    def _run(self) -> None:
        try:
            self._watch()
        except Exception:
            log.exception("the detector has failed, and watches no more")
        finally:
            self._stopped.release()

    def _watch(self) -> None:
        times = ThreadTimes()
        delayed, looks = times.delayed(), 0
        looked, pause = monotonic(), self._pauses[0]
        while self.watches and not self._stopping.acquire(timeout=pause):
            now = monotonic()
            late = now - looked - pause
            sights = self._look(now, late)
            looked = monotonic()
            looks += 1
            starved = 0.0
            matters = late > _SHORTEST and any(sight or watch.is_suspicious for watch, sight, _ in sights)
            if matters or looks % _REMEMBERED == 0:
                before, delayed = delayed, times.delayed()
                starved = max(0.0, late - (delayed - before))
            self.watches = [watch for watch, sight, ran in sights if watch.judge(sight, now, ran, starved)]
            self._reports.deliver_overdue()
            pause = self._pauses[any(watch.is_close for watch in self.watches)]
            if monotonic() - looked > _SHORTEST:
                pause = 0.0  # Whoever has kept us from sleeping is still in the call that did.

    def _look(self, now: float, late: float) -> list[tuple[Watch, Sight | None, float]]:
        # All at once and nothing else in this frame, which is gone when we come to wait for the GIL: a frame
        # of theirs that ends meanwhile must not have its last reference here.
        frames = sys._current_frames()
        return [
            (
                watch,
                watch.look(frames[watch.ident], now, late)
                if watch.ident in frames
                else watch.look_without_frame(now),
                watch.times.ran(),
            )
            for watch in self.watches
            if watch.ident in frames or not watch.times.has_ended()
        ]
