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

_RW = Wait.RW
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
    """Waits in gevent's hub with watchers kept for one socket.

    Whoever waits takes the watcher along and puts it back. So a second greenlet that waits at the
    same time, in whatever thread, makes its own.
    """

    __slots__ = ("_fd", "_spare")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        # By need, for hashing an enum is slow: watchers, each with the loop that it was made in.
        self._spare: tuple[list[tuple[Any, Any]], ...] = ([], [], [], [])

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        if fd != self._fd:
            return wait(fd, need, timeout)
        hub = get_hub()
        loop = hub.loop
        spare = self._spare[need]
        io = _take(spare, loop) or loop.io(fd, need)
        try:
            return _wait(hub, io, fd, need, timeout)
        finally:
            if fd == self._fd:
                spare.append((loop, io))
            else:  # close() came in between
                io.close()

    def close(self) -> None:
        """Drop the watchers; from now on this waits as an unbound callback does."""
        self._fd = -1
        for spare in self._spare:
            while spare:
                _close(spare.pop()[1])


def _take(spare: list[tuple[Any, Any]], loop: Any) -> Any:
    """Return a spare watcher of `loop`, if there is one; it serves no other."""
    try:
        its_loop, io = spare.pop()
    except IndexError:
        return None
    if its_loop is loop:
        return io
    _close(io)
    return None


def _close(io: Any) -> None:
    with suppress(ValueError):  # its hub has been destroyed meanwhile (a native thread that ended)
        io.close()


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
