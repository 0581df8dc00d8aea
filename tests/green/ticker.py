"""Whether the hub is free, by a watch that other processes do not touch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.green.runtimes import Runtime

LONGEST = 0.05
"""Seconds that the hub may be without a turn."""


class Ticker:
    """A green thread that wants a turn every millisecond, and notes how long it went without.

    It measures the CPU time of this native thread: a busy machine slows everything down, but not that. A call
    that blocks without using the CPU shows by too few `ticks`.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._over = False
        self.ticks = 0
        self.longest = 0.0

    def __enter__(self) -> Ticker:
        self._task = self._runtime.spawn(self._tick)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over = True
        self._task.get()

    def _tick(self) -> None:
        last = time.thread_time()
        while not self._over:
            self._runtime.sleep(0.001)
            now = time.thread_time()
            self.longest = max(self.longest, now - last)
            self.ticks += 1
            last = now
