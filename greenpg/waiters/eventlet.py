"""Lets eventlet's hub run while a green thread waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import eventlet
from eventlet import hubs
from greenlet import getcurrent

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import LONGEST
from greenpg.waiters.select import wait as poll

if TYPE_CHECKING:
    from collections.abc import Callable

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
    if need is Wait.R and timeout is None:
        return _until_readable(hub, fd)
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


def _until_readable(hub: Any, fd: int) -> Ready:
    """Wait to read, however long: what nearly every wait is, with no frame of ours in the hub."""
    green = getcurrent()
    listener = _add(hub, hub.READ, fd, green.switch, green.throw)
    try:
        while hub.switch() != fd:
            pass  # somebody's stray switch
    finally:
        _remove(hub, listener)
    return Ready.R


def _add(hub: Any, event: str, fd: int, ready: Callable[..., object], closed: Callable[..., object]) -> Any:
    """Return the hub's new listener; when it is refused, none stays."""
    try:
        return hub.add(event, fd, ready, closed, None)
    except OSError:
        # The hub notes the listener before the kernel refuses a closed file descriptor.
        listener = hub.listeners[event].get(fd)
        if listener is not None and listener.cb == ready:
            _remove(hub, listener)
        raise


def _remove(hub: Any, listener: Any) -> None:
    """Take a listener out of the hub, so that it wakes nobody any more.

    The hub collects the listeners of one poll before it calls any: one may still be called after another
    has ended the wait, and must not wake a green thread that waits for something else by then.
    """
    listener.cb = listener.tb = _ignore
    try:  # noqa: SIM105 - suppress() costs half a microsecond
        hub.remove(listener)
    except (OSError, KeyError):
        pass  # the hub forgets the listener first, and then may find the file descriptor closed


def _ignore(_what: object) -> None:
    """Do nothing: the wait is over."""


class _Turn:
    """One wait that has two ends: ready, or late."""

    __slots__ = ("_greenlet", "_hub", "_listeners", "_timer", "expired")

    def __init__(self, hub: Any) -> None:
        self._hub = hub
        self._greenlet = getcurrent()
        self._listeners: list[Any] = []
        self._timer: Any = None
        self.expired = False

    def listen(self, fd: int, need: Wait) -> None:
        for bit, event in ((Wait.R, self._hub.READ), (Wait.W, self._hub.WRITE)):
            if need & bit:
                self._listeners.append(_add(self._hub, event, fd, self._wake, self._greenlet.throw))

    def limit(self, timeout: float | None) -> None:
        if timeout is not None and timeout < LONGEST:
            self._timer = self._hub.schedule_call_global(timeout, self._expire)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for listener in self._listeners:
            _remove(self._hub, listener)

    def _wake(self, _fd: int) -> None:
        self._greenlet.switch(self)

    def _expire(self) -> None:
        self.expired = True
        self._greenlet.switch(self)
