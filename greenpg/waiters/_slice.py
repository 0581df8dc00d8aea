"""How long one green thread may keep the loop before the others get a turn."""

from __future__ import annotations

from time import monotonic

TIME_SLICE = 0.01
"""Seconds of uninterrupted work on data that never runs dry (a COPY, a big result)."""


class TimeSlice:
    """Called after each piece of work: true, and a new slice begun, once the time is used up."""

    __slots__ = ("_end", "_seconds")

    def __init__(self, seconds: float = TIME_SLICE) -> None:
        self._seconds = seconds
        self._end = monotonic() + seconds

    def __call__(self) -> bool:
        """Return whether it is time to let the loop go round."""
        now = monotonic()
        if now < self._end:
            return False
        self._end = now + self._seconds
        return True
