"""Lets gevent's hub run while a greenlet waits.

This is the hot path: a fresh watcher per wait costs half as much again as one that is kept, so
`wait.bind(fd)` keeps one per need. It must not outlive the socket: libev takes a file descriptor
number that it has met before for the same socket, and would never wake up for a new one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from gevent import get_hub, sleep
from greenlet import getcurrent

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import wait as poll

_R = Wait.R
_RW = Wait.RW
_R_READY = Ready.R
_READY = (Ready.NONE, Ready.R, Ready.W, Ready.RW)  # several times faster than Ready(need)


class _GeventWait:
    """Wait in gevent's hub; `bind()` makes a faster callback for one socket."""

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Wait until `fd` is ready, while the other greenlets of this thread run.

        A timeout of 0 lets them run once.

        :raise OSError: `EBADF`, the file descriptor is closed (where it is noticed)
        :raise gevent.exceptions.BlockingSwitchOutError: called in the hub, which cannot wait for itself
        """
        hub = get_hub()
        io = hub.loop.io(fd, need)
        try:
            return _wait(hub, io, fd, need, timeout)
        finally:
            io.close()

    def bind(self, fd: int, /) -> _BoundWait:
        """Return a callback that keeps its watchers for `fd`; close it before the socket."""
        return _BoundWait(fd)

    def __repr__(self) -> str:
        return "<greenpg.waiters.gevent.wait>"

    def __reduce__(self) -> str:
        return "wait"


wait = _GeventWait()


class _BoundWait:
    """Waits in one hub with a watcher kept for one socket; elsewhere as an unbound callback does.

    Whoever waits to read takes the watcher along and puts it back. So a second greenlet that waits at
    the same time makes its own.
    """

    __slots__ = ("_fd", "_hub", "_reader")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._hub: Any = get_hub()
        self._reader: Any = None

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        hub = get_hub()
        if need is not _R or timeout is not None or fd != self._fd or hub is not self._hub:
            return wait(fd, need, timeout)
        # What nearly every wait is, all in one frame: until there is something to read, however long.
        reader = self._reader
        self._reader = None
        if reader is None:
            reader = hub.loop.io(fd, _R)
        try:
            reader.start(getcurrent().switch, reader)
            while hub.switch() is not reader:
                pass  # somebody's stray switch
        finally:
            reader.stop()
            if self._hub is None:  # close() came in between
                reader.close()
            else:
                self._reader = reader
        return _R_READY

    def close(self) -> None:
        """Drop the watcher; from now on this waits as an unbound callback does."""
        reader, self._hub, self._reader = self._reader, None, None
        if reader is not None:
            with suppress(ValueError):  # its hub has been destroyed meanwhile (a native thread that ended)
                reader.close()


def _wait(hub: Any, io: Any, fd: int, need: Wait, timeout: float | None) -> Ready:
    if timeout is not None and timeout <= 0:
        sleep(0)
        return poll(fd, need, 0)
    switch = getcurrent().switch
    timer = None if timeout is None else hub.loop.timer(timeout)
    try:
        io.start(switch, io)
        if timer is not None:
            timer.start(switch, timer, update=True)  # count from now, not from the loop's last turn
        while True:
            woken = hub.switch()
            if woken is io and need != _RW:
                return _READY[need]
            if woken is io or woken is timer:
                # Which of the two it is; and if it is time, whether data came in the same turn.
                found = poll(fd, need, 0)
                if found or woken is timer:
                    return found
            # Anything else is somebody's stray switch.
    finally:
        io.stop()
        if timer is not None:
            timer.close()
