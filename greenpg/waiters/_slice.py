"""How long one green thread may keep the loop before the others get a turn: one figure for everything.

Work on data that never runs dry (a big result, a COPY) is done in pieces, and the clock is asked after each.
"""

from __future__ import annotations

import os
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEFAULT = 0.01
_PIECES = 5
"""How many pieces are to fit into a slice: by one of them it may be too long."""
_LEAST = 0.0005
"""Seconds that a piece may take in any case: giving way is work, too."""
_FIRST = 16
_MOST = 1 << 16

_installed: float | None = None


def set_time_slice(seconds: float | None) -> float:
    """Say how long one may keep the hub or the event loop with data, and return how long that was before.

    After that time whoever reads, decodes or encodes rows, or copies, lets the others run. Less makes those
    wait less for their turn, more is less to do; with 0 they wait for half a millisecond or so.

    :param seconds: for the whole process; `None` for the default: `$GREENPG_TIME_SLICE`, else 0.01
    :raise ValueError: that is no number of seconds, or the environment's is none
    """
    global _installed
    previous = time_slice()
    _installed = None if seconds is None else _checked(seconds)
    return previous


def time_slice() -> float:
    """Return for how many seconds one may keep the hub or the event loop.

    :raise ValueError: `$GREENPG_TIME_SLICE` is no number of seconds
    """
    return _by_environment() if _installed is None else _installed


@cache
def _by_environment() -> float:
    text = os.environ.get("GREENPG_TIME_SLICE")
    if not text:
        return _DEFAULT
    try:
        return _checked(float(text))
    except ValueError:
        raise ValueError(f"$GREENPG_TIME_SLICE is a number of seconds, such as 0.01, not {text!r}") from None


def _checked(seconds: float) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        raise ValueError(f"a time slice is a number of seconds from 0 on, not {seconds!r}")
    return float(seconds)


class TimeSlice:
    """Called after each piece of work: true, and a new slice begun, once the time is used up."""

    __slots__ = ("_end", "_now", "_seconds", "_size")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin a new slice, of other work: the others have just had a turn."""
        self._size = _FIRST
        self._begin()

    def _begin(self) -> None:
        self._seconds = time_slice()
        self._now = monotonic()
        self._end = self._now + self._seconds

    def __call__(self) -> bool:
        """Return whether it is time to let the loop go round."""
        self._now = now = monotonic()
        if now < self._end:
            return False
        self._begin()
        return True

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield the bounds of pieces of what is numbered from `start` to `stop`, as big as the time allows.

        How big that is, the pieces before tell; so the slice must be called after each of them.
        """
        limit = max(self._seconds / _PIECES, _LEAST)
        while start < stop:
            end = min(start + self._size, stop)
            began = monotonic()
            yield start, end
            took = self._now - began
            if took > limit:
                self._size = max(self._size // 2, 1)
            elif took < limit / 2 and end - start == self._size:
                self._size = min(self._size * 2, _MOST)
            start = end
