"""Lets eventlet's hub run while a green thread waits."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import eventlet
from eventlet import hubs
from greenlet import getcurrent

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import LONGEST
from greenpg.waiters.select import wait as poll

_READY = (Ready.NONE, Ready.R, Ready.W, Ready.RW)


def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Wait until `fd` is ready, while the other green threads of this native thread run.

    A timeout of 0 lets them run once.

    :raise RuntimeError: called in the hub, which cannot wait for itself, or another green thread
        waits for the same readiness of `fd`
    :raise OSError: `EBADF`, the file descriptor is closed; `eventlet.hubs.IOClosed`, it was closed
        meanwhile and eventlet knows
    """
    if timeout is not None and timeout <= 0:
        eventlet.sleep(0)
        return poll(fd, need, 0)
    hub = hubs.get_hub()
    if getcurrent() is hub.greenlet:
        raise RuntimeError("eventlet's hub cannot wait for itself: call this in a green thread")
    turn = _Turn(hub)
    try:
        turn.listen(fd, need)
        turn.limit(timeout)
        while True:
            if hub.switch() is not turn:
                continue  # somebody's stray switch
            if need != Wait.RW and not turn.expired:
                return _READY[need]
            # Which of the two it is; and if it is time, whether data came in the same turn.
            found = poll(fd, need, 0)
            if found or turn.expired:
                return found
    finally:
        turn.end()


class _Turn:
    """One wait: it wakes its green thread while it lasts, and nobody afterwards.

    The hub collects the callbacks of one poll before it calls any, so one may still be called after
    another has ended the wait, and must not wake a green thread that waits for something else by then.
    """

    __slots__ = ("_greenlet", "_hub", "_listeners", "_over", "_timer", "expired")

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self._greenlet = getcurrent()
        self._listeners: list[Any] = []
        self._timer: Any = None
        self._over = False
        self.expired = False

    def listen(self, fd: int, need: Wait) -> None:
        for bit, event in ((Wait.R, self._hub.READ), (Wait.W, self._hub.WRITE)):
            if need & bit:
                self._add(event, fd)

    def _add(self, event: str, fd: int) -> None:
        try:
            self._listeners.append(self._hub.add(event, fd, self._ready, self._closed, None))
        except OSError:
            # The hub notes the listener before the kernel refuses a closed file descriptor.
            listener = self._hub.listeners[event].get(fd)
            if listener is not None and listener.cb == self._ready:
                self._listeners.append(listener)
            raise

    def limit(self, timeout: float | None) -> None:
        if timeout is not None and timeout < LONGEST:
            self._timer = self._hub.schedule_call_global(timeout, self._expire)

    def end(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        for listener in self._listeners:
            # The hub forgets the listener first, and then may find the file descriptor closed.
            with suppress(OSError, KeyError):
                self._hub.remove(listener)

    def _ready(self, fd: int) -> None:
        if not self._over:
            self._greenlet.switch(self)

    def _closed(self, error: BaseException) -> None:
        if not self._over:
            self._greenlet.throw(error)

    def _expire(self) -> None:
        self.expired = True
        self._ready(-1)
