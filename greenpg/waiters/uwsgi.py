"""Lets uWSGI's async core serve other requests while a green thread waits (`--async N --ugreen`).

uWSGI has no green threads that Python survives. `uwsgi.suspend()` swaps the C stack and leaves what CPython
keeps per thread: two Python stacks at once are a crash since Python 3.11, and a deadlock over the GIL since
uWSGI 2.0.27. So a request runs in a greenlet, and waits by switching out of it: Python's stack is empty
whenever uWSGI goes on. `greenpg.uwsgi.green()` puts requests into such greenlets.

uWSGI knows a file descriptor by its number alone. It overlooks a second wait for the same one, and *closes* a
descriptor that becomes ready when nobody waits for it any more, as the second of two does. Hence each wait
shows it just one descriptor, of its own: an epoll set with the socket and a timer in it. uWSGI's own timers
count whole seconds.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from contextlib import contextmanager
from functools import cache
from math import ceil
from selectors import EpollSelector
from time import CLOCK_MONOTONIC, monotonic
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import LONGEST
from greenpg.waiters.select import wait as poll

try:
    from uwsgi import wait_fd_read, worker_id
except ImportError as exc:
    raise ImportError("uWSGI has not started this process", name="uwsgi") from exc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger("greenpg")

_libc = ctypes.CDLL(None, use_errno=True)
_READY = (Ready.NONE, Ready.R, Ready.W, Ready.RW)


class GreenThread(greenlet):  # type: ignore[misc]  # untyped
    """A green thread that serves one request. Its parent is what uWSGI calls, again when a wait is over."""

    def __init__(self, run: Callable[..., object]) -> None:
        super().__init__(run)
        self.limits: list[Any] = []
        """What is raised in a wait when its `deadline`, by `monotonic()`, has passed."""
        self.ended = False
        """Whether uWSGI has ended the request, and nobody will come back to it."""

    def give_way(self, part: bytes | None = None) -> None:
        """Let uWSGI go on: with the next part of the response, or with other requests."""
        self.parent.switch(part)

    def end(self) -> None:
        """Raise `GreenletExit` in it where it waits, if it does; what it then waits for holds the worker."""
        self.ended = True
        if not self.dead:
            self.throw()


def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Wait until `fd` is ready, while uWSGI serves the other requests of this worker.

    A timeout of 0 lets them run once. Where there is no green thread of ours (while the application is
    loaded, in a mule, in a thread) it blocks.

    :raise OSError: `EBADF`, the file descriptor is closed
    :raise greenpg.uwsgi.Timeout: the time of a `with` statement around it is over
    """
    thread = getcurrent()
    if not isinstance(thread, GreenThread) or thread.ended:
        if timeout != 0 and worker_id() and threading.current_thread() is threading.main_thread():
            _warn()
        return poll(fd, need, timeout)
    if not thread.limits:
        return _wait(thread, fd, need, timeout)
    limit = min(thread.limits, key=lambda limit: limit.deadline)
    left = limit.deadline - monotonic()
    if timeout is not None and timeout <= left:
        return _wait(thread, fd, need, timeout)
    ready = _wait(thread, fd, need, left) if left > 0 else Ready.NONE
    if not ready:
        thread.limits.remove(limit)
        raise limit
    return ready


def _wait(thread: GreenThread, fd: int, need: Wait, timeout: float | None) -> Ready:
    """Wait in a green thread, within no other limit than `timeout`."""
    if timeout is not None and timeout <= 0:
        thread.give_way()
        return poll(fd, need, 0)
    with EpollSelector() as either, _duplicate(fd) as socket, _alarm(timeout) as alarm:
        either.register(socket, need)
        if alarm is not None:
            either.register(alarm, Wait.R)
        while True:
            wait_fd_read(either.fileno())  # once: uWSGI forgets it whenever it comes back
            thread.give_way()
            found = {key.fd: ready for key, ready in either.select(0)}
            if found:
                return _READY[found.get(socket, 0)]


@contextmanager
def _duplicate(fd: int) -> Iterator[int]:
    """Give another descriptor for the same: a closed one leaves an epoll set, and nobody is told."""
    duplicate = os.dup(fd)
    try:
        yield duplicate
    finally:
        os.close(duplicate)


class _TimerSpec(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "s", "ns")]


@contextmanager
def _alarm(seconds: float | None) -> Iterator[int | None]:
    """Give a file descriptor that becomes readable after so many seconds, `None` if that is never."""
    if seconds is None or seconds > LONGEST:
        yield None
        return
    fd = _libc.timerfd_create(CLOCK_MONOTONIC, os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "no timer can be made")
    try:
        s, ns = divmod(ceil(seconds * 1e9), 1_000_000_000)
        _libc.timerfd_settime(fd, 0, ctypes.byref(_TimerSpec(s=s, ns=ns)), None)
        yield fd
    finally:
        os.close(fd)


@cache
def _warn() -> None:
    """Say once that the worker was held."""
    _log.warning(
        "a wait outside of greenpg.uwsgi.green() has held the uWSGI worker: wrap the WSGI application in it"
    )
