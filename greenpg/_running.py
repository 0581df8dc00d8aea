"""Who runs here: which native thread, and which task or green thread in it. It is asked for at every turn.

Loops and green threads are looked for among the modules that are there: nothing is imported for it.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from greenpg._core.offload import thread_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen


Turn = tuple["Gen[Any] | None", int, "object | None"]
"""Who has a connection: for what, `None` for a moment without a wait; the number of the native thread; the
task or green thread in it, if there is one. A plain tuple: one is made for each statement."""


def is_over(turn: Turn) -> bool:
    """Return whether a turn is over, although an interruption kept `_end_turn()` from saying so.

    Another thread may be just about to: only its own can tell.
    """
    gen, thread, _ = turn
    if thread != thread_number():
        return False
    return gen is None or inspect.getgeneratorstate(gen) == inspect.GEN_CLOSED


def green_thread() -> Any:
    """Return the green thread that runs here, `None` without greenlets."""
    greenlet = sys.modules.get("greenlet")
    return None if greenlet is None else greenlet.getcurrent()


def teller_of_green_threads() -> Callable[[], Any]:
    """Return what tells the green thread that runs where it is called, in the shortest way there is now."""
    greenlet = sys.modules.get("greenlet")
    return _none if greenlet is None else greenlet.getcurrent


def _none() -> None:
    return None


def task() -> Any:
    """Return the task that runs here, if one does."""
    if (asyncio := sys.modules.get("asyncio")) and asyncio._get_running_loop() is not None:
        return asyncio.current_task()
    if (trio := sys.modules.get("trio")) and trio.lowlevel.in_trio_task():
        return trio.lowlevel.current_task()
    return None


def named(thread: int, green: Any) -> object:
    """Return what to call somebody who runs, or has run, in a native thread; asked for in errors only."""
    if green is not None and getattr(green, "parent", green) is not None:
        return green  # every thread has a greenlet without a parent, which is the thread itself
    import threading  # not before it may have been patched

    known = (each for each in threading.enumerate() if each.ident == thread)
    return next(known, f"the native thread {thread}")
