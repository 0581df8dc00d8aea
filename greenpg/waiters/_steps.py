"""Conversations one after the other, each within a limit of its own, and all of them within one.

What knows the order and the limits is a generator too (`greenpg.abc.Steps`) and reads no clock either:
connecting gives each host its time, and recovery grows more patient with each try.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from greenpg.waiters._drive import adrive, drive

if TYPE_CHECKING:
    from greenpg.abc import AsyncWaitCallback, Steps, WaitCallback

T = TypeVar("T")

_EARLY = 0.01
"""Seconds that a wait may end too early: loops count in milliseconds (uvloop rounds to them)."""


def drive_steps(steps: Steps[T], wait: WaitCallback, timeout: float | None = None) -> T:
    """Run each conversation that `steps` asks for, and return its result.

    :param timeout: seconds for all of them together; the limits of the steps are cut to what is left of it
    :raise TimeoutError: a step ended so when the time of all was over; `steps` is closed and not asked
    """
    deadline = None if timeout is None else monotonic() + timeout
    try:
        gen, limit = next(steps)
        while True:
            try:
                result = drive(gen, wait, _within(limit, deadline))
            except BaseException as ex:  # noqa: PERF203  # it is the loop's own purpose
                if isinstance(ex, TimeoutError) and _is_past(deadline):
                    raise
                gen, limit = steps.throw(ex)
            else:
                gen, limit = steps.send(result)
    except StopIteration as ex:
        value: T = ex.value
        return value
    finally:
        steps.close()


async def adrive_steps(steps: Steps[T], wait: AsyncWaitCallback, timeout: float | None = None) -> T:
    """Async `drive_steps()`."""
    deadline = None if timeout is None else monotonic() + timeout
    try:
        gen, limit = next(steps)
        while True:
            try:
                result = await adrive(gen, wait, _within(limit, deadline))
            except BaseException as ex:  # noqa: PERF203  # it is the loop's own purpose
                if isinstance(ex, TimeoutError) and _is_past(deadline):
                    raise
                gen, limit = steps.throw(ex)
            else:
                gen, limit = steps.send(result)
    except StopIteration as ex:
        value: T = ex.value
        return value
    finally:
        steps.close()


def _within(limit: float | None, deadline: float | None) -> float | None:
    """Return the seconds that a step may take."""
    if deadline is None:
        return limit
    left = max(deadline - monotonic(), 0.0)
    return left if limit is None else min(limit, left)


def _is_past(deadline: float | None) -> bool:
    return deadline is not None and monotonic() >= deadline - _EARLY
