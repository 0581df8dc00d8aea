"""How the contract runs waits at once, and interrupts them, in each runtime that greenpg knows.

They are also the pattern for another runtime's adapter. Each imports its runtime when it is made.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from greenpg._pristine import pristine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from greenpg.testing._arena import Throw

PAUSE = 0.001
"""Seconds for which the others run."""


class NativeThreads:
    """Threads of the operating system; nothing can be raised in one that waits."""

    def __init__(self) -> None:
        self._start = pristine("_thread").start_new_thread
        self._sleep = pristine("time").sleep

    def spawn(self, call: Callable[[], None], /) -> None:
        """Run `call` in a thread."""
        self._start(call, ())

    def pause(self) -> None:
        """Let the other threads run."""
        self._sleep(PAUSE)


class Gevent:
    """gevent's greenlets, in the calling thread's hub."""

    def __init__(self) -> None:
        import gevent

        self._gevent = gevent

    def spawn(self, call: Callable[[], None], /) -> Throw:
        """Run `call` in a greenlet."""
        greenlet = self._gevent.spawn(call)
        return lambda error: greenlet.kill(error, block=False)

    def pause(self) -> None:
        """Let the hub run."""
        self._gevent.sleep(PAUSE)


class Eventlet:
    """eventlet's green threads, in the calling thread's hub."""

    def __init__(self) -> None:
        import eventlet

        self._eventlet = eventlet

    def spawn(self, call: Callable[[], None], /) -> Throw:
        """Run `call` in a green thread."""
        green_thread: Any = self._eventlet.spawn(call)
        return lambda error: green_thread.kill(error)

    def pause(self) -> None:
        """Let the hub run."""
        self._eventlet.sleep(PAUSE)


class Asyncio:
    """Tasks of asyncio's running loop, whichever it is."""

    def __init__(self) -> None:
        import asyncio

        self._asyncio = asyncio
        self._tasks: set[object] = set()
        self.cancelled: type[BaseException] = asyncio.CancelledError

    def spawn(self, call: Callable[[], Awaitable[None]], /) -> None:
        """Run `call` in a task."""
        task = self._asyncio.ensure_future(call())
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    async def pause(self) -> None:
        """Let the loop run."""
        await self._asyncio.sleep(PAUSE)

    @contextmanager
    def interruptible(self) -> Iterator[Callable[[], object]]:
        """What is awaited inside ends when the function given is called."""
        task = self._asyncio.current_task()
        if task is None:
            raise RuntimeError("there is no task to interrupt: call this in one")
        try:
            yield task.cancel
        except self._asyncio.CancelledError:
            if hasattr(task, "uncancel"):  # Python 3.11
                task.uncancel()


class Trio:
    """Tasks of one trio nursery."""

    def __init__(self, nursery: Any) -> None:
        import trio

        self._trio = trio
        self._nursery = nursery
        self.cancelled: type[BaseException] = trio.Cancelled

    def spawn(self, call: Callable[[], Awaitable[None]], /) -> None:
        """Run `call` in a task."""
        self._nursery.start_soon(call)

    async def pause(self) -> None:
        """Let trio run."""
        await self._trio.sleep(PAUSE)

    @contextmanager
    def interruptible(self) -> Iterator[Callable[[], object]]:
        """What is awaited inside ends when the function given is called."""
        with self._trio.CancelScope() as scope:
            yield scope.cancel
