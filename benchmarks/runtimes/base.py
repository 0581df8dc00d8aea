"""What a runtime is, and the ticker that notices when it stands still."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any, ClassVar

Job = Callable[[], Any]
"""What one green thread or task does: a function, or for an event loop one that makes an awaitable."""

Steps = Generator[Sequence[Job], "list[Any]", Any]
"""A workload: yields jobs that are to run at the same time, is sent their results, and returns its own."""

TICK = 0.001


class Runtime(ABC):
    """Something that drives the steps of a workload, whatever its colour."""

    packages: ClassVar[tuple[str, ...]] = ()
    """The modules that it needs."""
    has_hub: ClassVar[bool] = True
    """Whether one job can keep the others waiting: whether `watching()` has a meaning."""

    def start(self) -> None:  # noqa: B027  # most have nothing to do
        """Make this process what the runtime is about: import, monkey-patch."""

    @abstractmethod
    def drive(self, steps: Steps) -> Any:
        """Run the jobs of every step at the same time, to their ends; return what the generator does."""

    @abstractmethod
    def watching(self, job: Job) -> Job:
        """Return a job: run `job` beside a 1 ms ticker in the same hub or loop.

        Its result is the longest time from one tick to the next, in seconds.
        """


class Blocking(Runtime):
    """A runtime of jobs that are plain functions."""

    @abstractmethod
    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """Run the jobs at the same time; return their results."""

    def drive(self, steps: Steps) -> Any:
        """Run one step after the other."""
        try:
            jobs = next(steps)
            while True:
                jobs = steps.send(self.run(jobs))
        except StopIteration as end:
            return end.value


class Green(Blocking):
    """Each job in a green thread."""

    spawn: Callable[..., Any]
    """Begins a green thread of a function and its arguments; set by `start()`, as the others are."""
    sleep: Callable[[float], object]
    result_of: Callable[[Any], Any]
    """Waits for the end of a green thread."""

    def run(self, jobs: Sequence[Job]) -> list[Any]:
        """Run the jobs."""
        return [self.result_of(thread) for thread in [self.spawn(job) for job in jobs]]

    def watching(self, job: Job) -> Job:
        """Return a job that has a second green thread tick."""

        def ticking(ticker: Ticker) -> None:
            while ticker.running:
                self.sleep(TICK)
                ticker.tick()

        def watched() -> float:
            ticker = Ticker()
            thread = self.spawn(ticking, ticker)
            try:
                job()
            finally:
                ticker.running = False
            self.result_of(thread)
            return ticker.longest

        return watched


class Ticker:
    """The longest time between two ticks, beginning now."""

    def __init__(self) -> None:
        self.running = True
        self.longest = 0.0
        self._last = time.perf_counter()

    def tick(self) -> None:
        """Say that the hub has come round."""
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now
