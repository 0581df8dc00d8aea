"""Suspends an asyncio task while it waits; any loop with `add_reader()` serves, uvloop's too."""

from __future__ import annotations

import os
from asyncio import get_running_loop, sleep

from greenpg.abc import Ready, Wait
from greenpg.waiters.select import wait as poll


async def wait(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Wait until `fd` is ready, while other tasks run; a timeout of 0 lets them run once.

    :raise OSError: `EBADF`, the file descriptor is closed
    :raise RuntimeError: the running loop cannot watch file descriptors (Windows' default loop)
    """
    if timeout is not None and timeout <= 0:
        await sleep(0)
        return poll(fd, need, 0)
    # A loop has one reader per file descriptor number and replaces it without a word. The user may
    # have one on the connection (for notifications), so this one goes on a number of its own.
    own = os.dup(fd)
    try:
        return await _wait(own, need, timeout)
    except NotImplementedError as ex:
        raise RuntimeError(
            "the running loop cannot watch file descriptors: run in asyncio.SelectorEventLoop"
        ) from ex
    finally:
        os.close(own)


async def _wait(fd: int, need: Wait, timeout: float | None) -> Ready:
    loop = get_running_loop()
    over = loop.create_future()
    found = 0

    def end(bit: int) -> None:
        nonlocal found
        found |= bit  # both may come in one turn of the loop
        if not over.done():
            over.set_result(None)

    timer = None if timeout is None else loop.call_later(timeout, end, 0)
    try:
        if need & Wait.R:
            loop.add_reader(fd, end, Wait.R)
        if need & Wait.W:
            loop.add_writer(fd, end, Wait.W)
        await over
        # If it is time, look whether data came in the same turn.
        return Ready(found) if found else poll(fd, need, 0)
    finally:
        if timer is not None:
            timer.cancel()
        loop.remove_reader(fd)
        loop.remove_writer(fd)
