"""Wait callbacks with one fault each, that the contract must name.

They are what one writes first: most have been written somewhere.
"""

from __future__ import annotations

import select as stdlib_select
from typing import Any

import gevent
from greenlet import getcurrent

from greenpg.abc import Ready, Wait
from greenpg.waiters import gevent as greenpg_gevent
from greenpg.waiters import select

right = greenpg_gevent.wait


def blocks_the_hub(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return select.wait(fd, need, timeout)


def answers_more(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return right(fd, need, timeout) and select.wait(fd, Wait.RW, 0)


def answers_an_int(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    answer: Any = int(right(fd, need, timeout))
    return answer  # type: ignore[no-any-return]


def takes_rw_for_r(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return right(fd, Wait.R if need == Wait.RW else need, timeout)


def gives_up(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return right(fd, need, 0.001 if timeout is None else timeout)


def ignores_zero(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return right(fd, need, timeout or None)


def ignores_the_timeout(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return right(fd, need, timeout and None)


def is_early(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    return right(fd, need, timeout and timeout / 2)


def counts_from_the_turn(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    loop = gevent.get_hub().loop
    late = 0.0 if timeout is None else gevent.get_hub().loop.now()
    loop.update_now()
    late = late and loop.now() - late
    return right(fd, need, timeout and max(timeout - late, 0.0))


def waits_to_the_end(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    if timeout:
        gevent.sleep(min(timeout, 60))
        timeout = 0
    return right(fd, need, timeout)


def misses_hang_up(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    answer = right(fd, need, timeout)
    poll = stdlib_select.poll()
    poll.register(fd, 0)
    return Ready.NONE if poll.poll(0) else answer


def hangs_on_hang_up(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    poll = stdlib_select.poll()
    poll.register(fd, 0)
    while True:
        answer = right(fd, need, timeout)
        if not poll.poll(0):
            return answer
        gevent.sleep(0.01)


def hangs_on_closed(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    try:
        return right(fd, need, timeout)
    except OSError:
        gevent.sleep(3600)
        raise


def swallows(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    try:
        return right(fd, need, timeout)
    except BaseException:
        return Ready.NONE


def replaces(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    try:
        return right(fd, need, timeout)
    except BaseException as ex:
        raise RuntimeError("interrupted") from ex


def takes_low_numbers(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    stdlib_select.select([fd], [], [], 0)
    return right(fd, need, timeout)


def leaves_timers(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """As a naive hub callback: what wakes it later wakes whatever it does then."""
    hub = gevent.get_hub()
    io = hub.loop.io(fd, need)
    switch = getcurrent().switch
    if timeout is not None and timeout > 0:
        hub.loop.timer(timeout).start(switch)
    elif timeout == 0:
        return right(fd, need, 0)
    io.start(switch)
    try:
        hub.switch()
    finally:
        io.stop()
    return select.wait(fd, need, 0)


def leaves_watchers(fd: int, need: Wait, timeout: float | None, /) -> Ready:
    """Cleans up after itself unless it is interrupted."""
    hub = gevent.get_hub()
    if timeout == 0:
        return right(fd, need, 0)
    io, switch = hub.loop.io(fd, need), getcurrent().switch
    timer = hub.loop.timer(0 if timeout is None else timeout)
    io.start(switch)
    if timeout is not None:
        timer.start(switch, update=True)
    hub.switch()
    io.stop()
    timer.stop()
    return select.wait(fd, need, 0)


class KeepsForEver:
    """Keeps its watchers by number, and nobody tells it that a socket was closed."""

    def __init__(self) -> None:
        self.bound: dict[int, Any] = {}

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        if fd not in self.bound:
            self.bound[fd] = right.bind(fd)
        return self.bound[fd](fd, need, timeout)  # type: ignore[no-any-return]


class _Binds:
    """The right callback, with a `bind()` that is not."""

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        return right(fd, need, timeout)


class BindsOneOnly(_Binds):
    class bind:
        def __init__(self, fd: int, /) -> None:
            self.fd = fd

        def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
            return right(self.fd, need, timeout)

        def close(self) -> None:
            pass


class BindsUntilClosed(_Binds):
    class bind:
        def __init__(self, fd: int, /) -> None:
            self.wait: Any = right

        def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
            return self.wait(fd, need, timeout)  # type: ignore[no-any-return]

        def close(self) -> None:
            self.wait = None


class BindsForOneWaiter(_Binds):
    class bind:
        def __init__(self, fd: int, /) -> None:
            self.switch: Any = None

        def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
            if self.switch is not None:
                self.switch(None)  # wakes the other instead of minding its own business
            self.switch = getcurrent().switch
            try:
                return right(fd, need, timeout)
            finally:
                self.switch = None

        def close(self) -> None:
            pass
