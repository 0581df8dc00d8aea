"""Suspends an asyncio task while it waits; any loop with `add_reader()` serves, uvloop's too.

A loop has one reader per file descriptor number and replaces it without a word. The user may have one on the
connection (for notifications), so those in here go on numbers of their own. This is the hot path: to add and
remove a reader costs more than all the rest of a wait, so `wait.bind(fd)` keeps one.
"""

from __future__ import annotations

import os
from asyncio import get_running_loop, sleep
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING

from greenpg._pristine import pristine
from greenpg.abc import Ready, Wait
from greenpg.waiters.select import wait as poll

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Awaitable, Iterator

_R = Wait.R
_R_READY = Ready.R
_READY = (Ready.NONE, Ready.R, Ready.W, Ready.RW)  # several times faster than Ready(found)

_select = pristine("select")
_thread_number = pristine("_thread").get_ident


class _AsyncioWait:
    """Wait in the running loop; `bind()` makes a faster callback for one socket."""

    async def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Wait until `fd` is ready, while other tasks run; a timeout of 0 lets them run once.

        :raise OSError: `EBADF`, the file descriptor is closed
        :raise RuntimeError: the running loop cannot watch file descriptors (Windows' default loop)
        """
        if timeout is not None and timeout <= 0:
            await sleep(0)
            return poll(fd, need, 0)
        own = os.dup(fd)
        try:
            with _watching():
                return await _wait(own, need, timeout)
        finally:
            os.close(own)

    def bind(self, fd: int, /) -> _BoundWait:
        """Return a callback that keeps a reader for `fd`; close it before the socket."""
        return _BoundWait(fd)

    def __repr__(self) -> str:
        return "<greenpg.waiters.asyncio.wait>"

    def __reduce__(self) -> str:
        return "wait"


wait = _AsyncioWait()


class _BoundWait:
    """Waits with a reader kept in one loop, the last that it was called in, for one socket.

    It does what nearly every wait is, to wait until there is something to read. What else it is asked, it
    does as an unbound callback; so it does what a second task asks meanwhile.

    The reader may be told of data that is not there any more: asyncio's own loop looks at all sockets again
    before the task that was woken has read from its own. And it is told again and again of data that nobody
    reads, so it goes then, until the next wait.
    """

    __slots__ = ("_fd", "_is_reading", "_look", "_loop", "_over", "_own", "_pid", "_thread")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._own = -1
        self._loop: AbstractEventLoop | None = None
        self._over: Future[Ready] | None = None
        self._is_reading = False

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Awaitable[Ready]:
        over = self._over
        if (
            need is not _R
            or fd != self._fd
            or (over is not None and not over.done())
            or (timeout is not None and timeout <= 0)
        ):
            return wait(fd, need, timeout)
        over = self._begin()
        return over if timeout is None else self._within(over, timeout)

    def _begin(self) -> Future[Ready]:
        loop = get_running_loop()
        if loop is not self._loop:
            self._move(loop)
        if not self._is_reading:
            with _watching():
                # in nobody's context: the first one's would be kept as long as the reader
                Context().run(loop.add_reader, self._own, self._readable)
            self._is_reading = True
        self._over = over = loop.create_future()
        return over

    async def _within(self, over: Future[Ready], seconds: float) -> Ready:
        """Wait for the end of the wait that has begun, or of its time."""
        timer = get_running_loop().call_later(seconds, _end, over, Ready.NONE)
        try:
            # If it is time, look whether data came in the same turn.
            return await over or poll(self._own, _R, 0)
        finally:
            timer.cancel()

    def _readable(self) -> None:
        found = self._look(0)
        if not found:
            return
        over, self._over = self._over, None
        if over is None or over.done() or found[0][1] != _select.POLLIN:
            # nobody reads; or there is an error, after which uvloop forgets the reader
            self._is_reading = False
            self._loop.remove_reader(self._own)  # type: ignore[union-attr]
        if over is not None:
            _end(over, _R_READY)

    def _move(self, loop: AbstractEventLoop) -> None:
        """Go over to another loop."""
        self._leave()
        self._own = os.dup(self._fd)
        self._loop, self._thread, self._pid = loop, _thread_number(), os.getpid()
        polled = _select.poll()
        polled.register(self._own, _select.POLLIN)
        self._look = polled.poll

    def _leave(self) -> None:
        """Leave nothing behind in the loop."""
        loop, own, over, was_reading = self._loop, self._own, self._over, self._is_reading
        self._loop = self._over = None
        self._is_reading = False
        if loop is None:
            return
        if not was_reading or loop.is_closed() or self._pid != os.getpid():
            os.close(own)  # after a fork, the loop's set of sockets is the parent's too
        elif self._thread == _thread_number():
            _drop(loop, own, over)
        else:
            try:
                loop.call_soon_threadsafe(_drop, loop, own, over)
            except RuntimeError:  # it has been closed just now
                os.close(own)

    def close(self) -> None:
        """Drop the reader: from now on this waits as an unbound callback does. A wait under way ends."""
        self._fd = -1
        self._leave()


def _drop(loop: AbstractEventLoop, own: int, over: Future[Ready] | None) -> None:
    loop.remove_reader(own)
    os.close(own)
    if over is not None:
        _end(over, _R_READY)


def _end(over: Future[Ready], ready: Ready) -> None:
    if not over.done():
        over.set_result(ready)


@contextmanager
def _watching() -> Iterator[None]:
    try:
        yield
    except NotImplementedError as ex:
        raise RuntimeError(
            "the running loop cannot watch file descriptors: run in asyncio.SelectorEventLoop"
        ) from ex


async def _wait(fd: int, need: Wait, timeout: float | None) -> Ready:
    loop = get_running_loop()
    over = loop.create_future()
    found = 0

    def end(bit: int) -> None:
        nonlocal found
        found |= bit  # both may come in one turn of the loop
        _end(over, _READY[found])

    timer = None if timeout is None else loop.call_later(timeout, end, 0)
    try:
        if need & Wait.R:
            loop.add_reader(fd, end, _R)
        if need & Wait.W:
            loop.add_writer(fd, end, Wait.W)
        await over
        # If it is time, look whether data came in the same turn.
        return _READY[found] if found else poll(fd, need, 0)
    finally:
        if timer is not None:
            timer.cancel()
        if need & Wait.R:
            loop.remove_reader(fd)
        if need & Wait.W:
            loop.remove_writer(fd)
