"""Blocks the native thread: the wait callback of a process without green threads.

It stays that under monkey-patching too. The other callbacks use its poll to look at a file
descriptor without waiting.
"""

from __future__ import annotations

from errno import EBADF

from greenpg._pristine import pristine
from greenpg.abc import Ready, Wait

_select = pristine("select")

LONGEST = 2_000_000.0
"""Seconds (23 days) from which on a timeout is for ever: poll counts milliseconds in a C int."""

_READY = (Ready.NONE, Ready.R, Ready.W, Ready.RW)  # several times faster than Ready(bits)
_EVENTS = (0, _select.POLLIN, _select.POLLOUT, _select.POLLIN | _select.POLLOUT)


def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Block the thread until `fd` is ready; signal handlers run, and what they raise passes through.

    :raise OSError: `EBADF`, the file descriptor is closed
    """
    poll = _select.poll()
    poll.register(fd, _EVENTS[need])
    found = poll.poll(_milliseconds(timeout))
    return _ready(fd, need, found[0][1]) if found else _READY[0]


def _milliseconds(timeout: float | None) -> float | None:
    if timeout is None or timeout > LONGEST:
        return None
    return max(timeout, 0.0) * 1000.0  # poll rounds up, so it is never early


def _ready(fd: int, need: Wait, event: int) -> Ready:
    """Translate poll's answer; hang-up and error make everything that was asked for ready."""
    if event & _select.POLLNVAL:
        raise OSError(EBADF, f"file descriptor {fd} is closed")
    if event & (_select.POLLERR | _select.POLLHUP):
        return _READY[need]
    return _READY[(1 if event & _select.POLLIN else 0) | (2 if event & _select.POLLOUT else 0)]
