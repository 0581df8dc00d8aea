"""How long a thread ran, and how long it wanted to run and could not: what tells a hold from a busy machine.

The first from the thread's own clock (POSIX, pthread_getcpuclockid), the second from Linux's
`/proc/<pid>/task/<tid>/schedstat` (its Documentation/scheduler/sched-stats). Where a system has not got one
of them, it stays at zero.
"""

from __future__ import annotations

import time

from greenpg._pristine import pristine

_posix = pristine("posix")
_thread = pristine("_thread")


class ThreadTimes:
    """The times of the thread that makes this, to be read in any."""

    def __init__(self) -> None:
        self._path = f"/proc/self/task/{_thread.get_native_id()}/schedstat"
        self._clock = time.pthread_getcpuclockid(_thread.get_ident()) if _HAS_CLOCKS else None

    def ran(self) -> float:
        """Return the seconds it has had a processor; of a thread that has ended, 0. Keeps the GIL."""
        if self._clock is None:
            return 0.0
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return 0.0

    def has_ended(self) -> bool:
        """Return whether the thread has ended, as far as the system tells."""
        if self._clock is None:
            return False
        try:
            time.clock_gettime(self._clock)
        except OSError:
            return True
        return False

    def delayed(self) -> float:
        """Return the seconds it was ready to run while others had the processor.

        They are noted when it runs again.
        """
        # Opened each time: a descriptor that is kept may be closed by whoever makes this process a daemon,
        # and be somebody else's by then.
        try:
            fd = _posix.open(self._path, _posix.O_RDONLY | _posix.O_CLOEXEC)
        except OSError:
            return 0.0
        try:
            return int(_posix.read(fd, 100).split()[1]) / 1e9
        finally:
            _posix.close(fd)


_HAS_CLOCKS = hasattr(time, "pthread_getcpuclockid")
