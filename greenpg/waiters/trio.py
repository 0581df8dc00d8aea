"""Suspends a trio task while it waits."""

from __future__ import annotations

from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

import trio

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import wait as poll


async def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Wait until `fd` is ready, while other tasks run; a timeout of 0 lets them run once.

    :raise trio.BusyResourceError: another task waits for the same readiness of `fd`
    :raise OSError: `EBADF`, the file descriptor is closed
    """
    if timeout is not None and timeout <= 0:
        await trio.lowlevel.checkpoint()
        return poll(fd, need, 0)
    if timeout is None:  # as nearly always: a scope that never ends costs as much as half of the wait
        return await _wait(fd, need)
    with trio.move_on_after(timeout):
        return await _wait(fd, need)
    # It is time; look whether data came in the same turn.
    return poll(fd, need, 0)


async def _wait(fd: int, need: Wait) -> Ready:
    if need == Wait.RW:
        return await _either(fd)
    if need == Wait.R:
        await trio.lowlevel.wait_readable(fd)
        return Ready.R
    await trio.lowlevel.wait_writable(fd)
    return Ready.W


async def _either(fd: int) -> Ready:
    # A selector is itself a file descriptor, readable once it has an answer. Two tasks in a nursery
    # would do, but wrap whatever comes out of the wait in a group.
    with DefaultSelector() as selector:
        selector.register(fd, EVENT_READ | EVENT_WRITE)
        while True:
            await trio.lowlevel.wait_readable(selector.fileno())
            found = poll(fd, Wait.RW, 0)
            if found:
                return found
