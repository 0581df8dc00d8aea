"""How soon an interruption comes out of the statement that it interrupts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.green.runtimes import Runtime, Task

DELIVERY = 0.1
"""Seconds within which an interruption is delivered on a healthy server."""


def by_timeout(runtime: Runtime, statement: Callable[[], object]) -> float:
    """Interrupt a statement by a timeout; return how many seconds later than that it has ended."""
    began = time.monotonic()
    with pytest.raises(runtime.Timeout) as caught, runtime.timeout(0.2) as bomb:
        statement()
    late = time.monotonic() - began - 0.2
    assert caught.value is bomb
    return late


def by_kill(runtime: Runtime, task: Task[Any]) -> float:
    """Kill a green thread; return how many seconds that took."""
    began = time.monotonic()
    runtime.kill(task)
    late = time.monotonic() - began
    with pytest.raises(runtime.Killed):
        task.get()
    return late


def is_prompt(late: Callable[[], float]) -> bool:
    """Return whether what it measures is in time at least once: now and then, a busy machine is late."""
    return any(late() < DELIVERY for _ in range(5))
