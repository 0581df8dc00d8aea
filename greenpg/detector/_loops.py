"""The hubs and event loops that can be watched: what is asked of one, from the watching thread.

gevent has a monitor thread of its own. It is not used: it counts every switch between greenlets (a call each,
some percent of a query), it tells that the hub is blocked but not by whom, and is silent where a call in C
keeps the GIL. Of each runtime, only the way to call into its loop from another thread is needed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

from greenpg._pristine import pristine

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterable

    Job = Callable[[], object]

_posix = pristine("posix")  # eventlet's os.read() lets others run


class Loop(Protocol):
    """A hub or event loop, in the thread that runs it."""

    name: str
    """In a log record."""
    survives_fork: bool
    """Whether it goes on in a forked child."""

    def post(self, job: Job) -> None:
        """Have `job` called in the loop's own turn, soon; it must not wait. Called from another thread.

        :raises Exception: the loop is no more
        """

    def run(self, job: Job) -> None:
        """Do as `post()` does, with a job that may wait as the runtime's own code does."""

    def suspended(self) -> Iterable[object]:
        """Return the coroutines that wait in the loop, where it has such. Called from another thread."""

    def unframed(self) -> Iterable[Any]:
        """Return the greenlets that run a function in C and nothing else. Called from another thread."""

    def close(self) -> None:
        """Take back what was registered in the loop; called in the loop's thread."""


class GeventLoop:
    """gevent's hub of this thread; it is made if need be."""

    name = "gevent's hub"
    survives_fork = True

    def __init__(self) -> None:
        from gevent import Greenlet, get_hub, spawn
        from greenlet import greenlet

        self._hub = get_hub()
        self._loop = self._hub.loop
        self._spawn = spawn
        self._in_c: WeakSet[Any] = WeakSet()
        self._is_active: Callable[[Any], bool] = greenlet.__bool__
        self._forget = partial(Greenlet.remove_spawn_callback, self._spawned)
        Greenlet.add_spawn_callback(self._spawned)

    def post(self, job: Job) -> None:
        self._loop.run_callback_threadsafe(job)

    def run(self, job: Job) -> None:
        self.post(partial(self._spawn, job))

    def suspended(self) -> Iterable[object]:
        return ()

    def unframed(self) -> Iterable[Any]:
        with suppress(RuntimeError):  # one was spawned in the midst of this: so the hub is not held
            return [
                found
                for found in self._in_c
                if found.gr_frame is None and self._is_active(found) and found.parent is self._hub
            ]
        return ()

    def close(self) -> None:
        self._forget()

    def _spawned(self, greenlet: Any) -> None:
        if type(getattr(greenlet, "_run", None)) is BuiltinFunctionType:
            self._in_c.add(greenlet)


class EventletLoop:
    """eventlet's hub of this thread. It can only be woken up by a file descriptor."""

    name = "eventlet's hub"
    survives_fork = False  # its epoll is still the parent's

    def __init__(self) -> None:
        from eventlet import hubs, spawn_n

        self._hub = hubs.get_hub()
        self._spawn = spawn_n
        self._jobs: list[Job] = []
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._listener = self._hub.add(self._hub.READ, self._reader, self._called, self._called, None)

    def post(self, job: Job) -> None:
        self._jobs.append(job)
        with suppress(BlockingIOError):  # it is full: the hub will wake up all the same
            _posix.write(self._writer, b"x")

    def run(self, job: Job) -> None:
        self.post(partial(self._spawn, job))

    def suspended(self) -> Iterable[object]:
        return ()

    def unframed(self) -> Iterable[Any]:
        return ()  # GreenThread.main() is a frame

    def close(self) -> None:
        self._hub.remove(self._listener)
        os.close(self._reader)
        os.close(self._writer)

    def _called(self, _why: object) -> None:
        with suppress(BlockingIOError):
            _posix.read(self._reader, 4096)
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job()


class AsyncioLoop:
    """asyncio's loop of this thread, uvloop's too."""

    name = "asyncio's event loop"
    survives_fork = False

    def __init__(self) -> None:
        from asyncio import all_tasks, get_running_loop

        self._loop: AbstractEventLoop = get_running_loop()
        self._all_tasks = all_tasks

    def post(self, job: Job) -> None:
        self._loop.call_soon_threadsafe(job)

    run = post

    def suspended(self) -> Iterable[object]:
        return [task.get_coro() for task in self._all_tasks(self._loop)]

    def unframed(self) -> Iterable[Any]:
        return ()

    def close(self) -> None:
        pass


_LOOPS: dict[str, type[Loop]] = {"gevent": GeventLoop, "eventlet": EventletLoop, "asyncio": AsyncioLoop}


def loop_here(runtime: str | None = None) -> Loop:
    """Return the loop of this thread.

    :param runtime: gevent, eventlet or asyncio; by default what runs here, or has monkey-patched the process
    :raises RuntimeError: there is none
    :raises ValueError: there is no such runtime
    """
    name = _runtime_here() if runtime is None else runtime
    if not isinstance(name, str) or name not in _LOOPS:
        raise ValueError(f"the detector knows the runtimes {', '.join(_LOOPS)}, not {name!r}")
    try:
        return _LOOPS[name]()
    except ImportError as exc:
        raise RuntimeError(f"there is no loop to watch: {name} cannot be imported: {exc}") from exc


def _runtime_here() -> str:
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and (
        eventlet.is_monkey_patched("socket") or eventlet.is_monkey_patched("select")
    ):
        return "eventlet"  # first: its hub may be one that runs in asyncio
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        return "asyncio"
    gevent = sys.modules.get("gevent")
    if gevent is not None:
        return "gevent"
    raise RuntimeError("there is no loop to watch: call this in a coroutine, or after monkey-patching")
