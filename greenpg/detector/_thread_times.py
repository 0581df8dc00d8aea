"""How long a thread ran, and how long it wanted to run and could not: what tells a hold from a busy machine.

Linux's `/proc/<pid>/task/<tid>/schedstat` (see its Documentation/scheduler/sched-stats). Elsewhere nothing is
known, and all the time that passes in a call counts as the call's.
"""

from __future__ import annotations

from typing import NamedTuple

from greenpg._pristine import pristine

_posix = pristine("posix")
_thread = pristine("_thread")


class Times(NamedTuple):
    """Seconds since a thread began."""

    ran: float
    """On a processor."""
    delayed: float
    """Ready to run, while others had the processor; it is noted when the thread runs again."""


class ThreadTimes:
    """Reads the times of one thread of this process, from any other."""

    def __init__(self, native_id: int) -> None:
        self._path = f"/proc/self/task/{native_id}/schedstat"

    def read(self) -> Times:
        """Return its times until now; zeros where they are not known."""
        # Opened each time: a descriptor that is kept may be closed by whoever makes this process a daemon,
        # and be somebody else's by then.
        try:
            fd = _posix.open(self._path, _posix.O_RDONLY | _posix.O_CLOEXEC)
        except OSError:
            return Times(0.0, 0.0)
        try:
            ran, delayed, _slices = _posix.read(fd, 100).split()
        finally:
            _posix.close(fd)
        return Times(int(ran) / 1e9, int(delayed) / 1e9)


def of_this_thread() -> ThreadTimes:
    """Return the times of the thread that calls this."""
    return ThreadTimes(_thread.get_native_id())
