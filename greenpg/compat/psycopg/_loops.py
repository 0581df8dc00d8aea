"""The loops that drive psycopg's generators where the connection is not known, or not made yet.

psycopg has a loop per way to wait, and each looks at its socket ten times a second. These sleep until
there is something to do; only the generators that keep the time themselves (connecting, in psycopg 3.2
and the first of 3.3) are woken up as often.

This room asks nothing of psycopg but what every version since 3.2 has.
"""

from __future__ import annotations

from contextlib import suppress
from inspect import signature
from time import monotonic
from typing import TYPE_CHECKING, Any

from psycopg import errors as e
from psycopg import waiting

from greenpg._core.offload import shut_down
from greenpg.abc import Ready, Wait
from greenpg.waiters import get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable

WAKES_UP = "timeout" not in signature(waiting.wait_conn).parameters
"""Whether this psycopg's generators look at the clock, when they are woken up for it."""

NEEDS = (Wait.R, Wait.R, Wait.W, Wait.RW)
"""By what psycopg's generators yield: the same bits, in an enumeration of its own or none."""

_INTERVAL = 0.1  # seconds between looks at the clock of a generator that keeps the time itself


class Clock:
    """How long a wait may take: until the whole is over, or the generator wants to be woken up."""

    __slots__ = ("_end", "_interval")

    def __init__(self, interval: float | None, timeout: float | None) -> None:
        self._interval = interval
        self._end = None if timeout is None else monotonic() + timeout

    def left(self) -> float | None:
        """Return the seconds that the next wait may take."""
        if self._end is None:
            return self._interval
        left = max(0.0, self._end - monotonic())
        return left if self._interval is None else min(left, self._interval)

    def check(self) -> None:
        """Look whether the time is over, once the generator has had what there was.

        :raises psycopg.errors._WaitTimeout: it is
        """
        if self._end is not None and monotonic() >= self._end:
            raise e._WaitTimeout("wait timeout expired")


def break_off(gen: Any, fileno: int) -> None:
    """End the session that a generator speaks with, and let the generator find out."""
    with suppress(Exception):
        shut_down(fileno)
        for _ in range(10_000):  # until it has read what had come by then
            gen.send(Ready.RW)


def wait(
    gen: Any,
    fileno: int,
    interval: float | None = None,
    timeout: float | None = None,
    *,
    end: Callable[[Any, int], None] = break_off,
) -> Any:
    """Do what `psycopg.waiting.wait()` does: run a generator that waits for one socket.

    :param end: called with the generator and its socket when something was thrown into the wait
    """
    ask = get_wait_callback()
    clock = Clock(interval if WAKES_UP else None, timeout)
    try:
        need = next(gen)
        while True:
            try:
                ready = ask(fileno, NEEDS[need], clock.left())
            except BaseException:
                end(gen, fileno)
                raise
            need = gen.send(ready)
            clock.check()
    except StopIteration as stop:
        return stop.value


def wait_conn(gen: Any, interval: float | None = None, timeout: float | None = None) -> Any:
    """Do what `psycopg.waiting.wait_conn()` does: run a generator that makes a connection, or cancels."""
    ask = get_wait_callback()
    clock = Clock(_INTERVAL if WAKES_UP else None, timeout)
    try:
        fd, need = next(gen)
        while True:
            fd, need = gen.send(ask(fd, NEEDS[need], clock.left()))
            clock.check()
    except StopIteration as stop:
        return stop.value
    finally:
        gen.close()  # and with it the socket of a connection that was not made
