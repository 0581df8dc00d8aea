"""The only two loops of the project: they carry what a generator asks for to a wait callback.

They own the clock, generators never read it. So a generator's 30 s limit is tested in microseconds,
with a wait callback that answers `Ready.NONE`.

A generator is sent `Ready.NONE` once, when its time is over, and must then end (by an error of its
own, as a rule). Clean-up that has to wait is another generator, driven afresh with a limit of its
own: one that goes on asking gets `TimeoutError` thrown in, and is closed if it asks even then.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from greenpg.abc import Ready

if TYPE_CHECKING:
    from greenpg.abc import AsyncWaitCallback, Gen, WaitCallback

T = TypeVar("T")

_NONE = Ready.NONE
_TOO_LATE = "the time was over and the generator went on waiting: drive its clean-up with a limit of its own"


def drive(gen: Gen[T], wait: WaitCallback, timeout: float | None = None) -> T:
    """Run `gen` to its end, waiting through `wait`, and return its result.

    Whatever comes out of a wait (`gevent.Timeout`, `KeyboardInterrupt`) is thrown into the generator
    where it waits; it may ask for more waits then, within the same time.

    :param timeout: seconds for the whole generator. Data that is always ready does not prolong it:
        after it, one poll is granted (`0` therefore polls once), then comes `Ready.NONE`.
    :raise TimeoutError: `gen` went on after `Ready.NONE`
    :raise ValueError: `timeout` is no number
    """
    deadline = None if timeout is None else _deadline(timeout)
    polled = False  # whether the one poll after the deadline has been granted
    left = ready = None
    try:
        fd, need = next(gen)
        while ready != _NONE:
            if deadline is not None:
                polled = left == 0
                left = max(deadline - monotonic(), 0.0)
            try:
                ready = _NONE if polled else wait(fd, need, left)
            except BaseException as ex:
                fd, need = gen.throw(ex)
            else:
                fd, need = gen.send(ready)
        gen.throw(TimeoutError(_TOO_LATE))
        raise TimeoutError(_TOO_LATE)
    except StopIteration as ex:
        result: T = ex.value
        return result
    finally:
        gen.close()


async def adrive(gen: Gen[T], wait: AsyncWaitCallback, timeout: float | None = None) -> T:
    """Async `drive()`."""
    deadline = None if timeout is None else _deadline(timeout)
    polled = False  # whether the one poll after the deadline has been granted
    left = ready = None
    try:
        fd, need = next(gen)
        while ready != _NONE:
            if deadline is not None:
                polled = left == 0
                left = max(deadline - monotonic(), 0.0)
            try:
                ready = _NONE if polled else await wait(fd, need, left)
            except BaseException as ex:
                fd, need = gen.throw(ex)
            else:
                fd, need = gen.send(ready)
        gen.throw(TimeoutError(_TOO_LATE))
        raise TimeoutError(_TOO_LATE)
    except StopIteration as ex:
        result: T = ex.value
        return result
    finally:
        gen.close()


def _deadline(timeout: float) -> float:
    deadline = monotonic() + timeout
    if deadline != deadline:
        raise ValueError("a timeout is a number of seconds, not nan")
    return deadline
