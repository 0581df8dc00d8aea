"""Green threads that do something at once, and a ticker beside them that tells how long the hub was held.

Its rule: a busy machine is not a held hub. Where the kernel tells how long the thread waited for a processor
(Linux), that time does not count.
"""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self

_TICK = 0.001


class GreenThreads(NamedTuple):
    """What the doctor needs of a runtime."""

    spawn: Callable[..., Any]
    join: Callable[[Any], object]
    sleep: Callable[[float], object]
    timeout: Callable[[float], Any]
    """A context manager in which its own object is raised after so many seconds."""


def green_threads(runtime: str) -> GreenThreads:
    """Return those of a runtime, `gevent` or `eventlet`, in the calling thread's hub."""
    if runtime == "gevent":
        import gevent

        return GreenThreads(gevent.spawn, gevent.Greenlet.join, gevent.sleep, gevent.Timeout)
    import eventlet

    return GreenThreads(
        eventlet.spawn, eventlet.greenthread.GreenThread.wait, eventlet.sleep, eventlet.Timeout
    )


class Span(NamedTuple):
    """When one of the crowd began and ended."""

    start: float
    end: float


class Done(NamedTuple):
    """What the crowd has done."""

    took: float
    held: float
    """The longest time without a turn for others, in seconds."""
    computed: float
    """How much of that went into computing."""
    at_once: int
    """How many were under way at the same time."""
    errors: list[Exception]


def together(threads: GreenThreads, calls: Sequence[Callable[[], object]]) -> Done:
    """Make the calls, each in a green thread of its own, and return when all have returned."""
    spans: list[Span] = []
    errors: list[Exception] = []

    def run(call: Callable[[], object]) -> None:
        start = monotonic()
        try:
            call()
        except Exception as error:
            errors.append(error)
        spans.append(Span(start, monotonic()))

    began = monotonic()
    with Ticker(threads) as ticker:
        for task in [threads.spawn(run, call) for call in calls]:
            threads.join(task)
    return Done(monotonic() - began, ticker.longest, ticker.computed, most_at_once(spans), errors)


def most_at_once(spans: Sequence[Span]) -> int:
    """Return how many overlap at the most; one that ends as another begins does not overlap it."""
    return max((sum(span.start <= other.start < span.end for span in spans) for other in spans), default=0)


class Ticker:
    """A green thread that wants a turn every millisecond, and the longest that it had to wait for one.

    Whoever held the hub for that long was either computing or waiting in it.
    """

    def __init__(self, threads: GreenThreads) -> None:
        self.longest = 0.0
        self.computed = 0.0
        self._threads = threads
        self._over = False

    def __enter__(self) -> Self:
        self._delay = _Delay()
        self._last, self._last_cpu = self._now(), thread_time()
        self._task = self._threads.spawn(self._run)
        self._threads.sleep(0)  # it runs
        return self

    def __exit__(self, *_exc: object) -> None:
        self._tick()  # the last pause may be one that it has not had its turn after
        self._over = True
        self._threads.join(self._task)
        self._delay.close()

    def _run(self) -> None:
        while not self._over:
            self._threads.sleep(_TICK)
            self._tick()

    def _tick(self) -> None:
        now, cpu = self._now(), thread_time()
        pause = now - self._last - _TICK
        if pause > self.longest:
            self.longest, self.computed = pause, cpu - self._last_cpu
        self._last, self._last_cpu = now, cpu

    def _now(self) -> float:
        return monotonic() - self._delay.seconds()


class _Delay:
    """How long this native thread has been ready to run and had no processor; 0 where that is not told."""

    def __init__(self) -> None:
        self._fd = -1
        with suppress(OSError):  # see "schedstat" in the kernel's documentation of the scheduler
            self._fd = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def seconds(self) -> float:
        if self._fd < 0:
            return 0.0
        return int(os.pread(self._fd, 100, 0).split()[1]) / 1e9

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
