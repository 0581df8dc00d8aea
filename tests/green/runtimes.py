"""The runtimes that the tests of this folder run in, behind one face.

After `install()` the standard library is the runtime's: `threading.Event`, `queue.Queue` and `time.sleep` are
green, and tests use them as an application does. What has no such name is here: spawn, kill, timeout.
This module is imported before the process is patched: it imports nothing that patching replaces.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tests.lost import heard_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

LIMIT = 30.0
"""Seconds that a green thread of a test may take to end; a broken test must not wait for ever."""


class Task(Generic[T]):
    """A green thread (or, without a green runtime, a native one) and how it ended."""

    def __init__(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        import threading

        self._call = function, args, kwargs
        self.ended = threading.Event()
        self.started = False
        self.thread: Any = None
        self.value: T
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call the function and keep its outcome; never raises."""
        self.started = True
        function, args, kwargs = self._call
        try:
            self.value = function(*args, **kwargs)
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()

    def get(self, limit: float = LIMIT) -> T:
        """Wait for the end; return what the function returned or raise what it raised.

        :raise AssertionError: it has not ended within `limit` seconds
        """
        assert self.ended.wait(limit), f"the green thread has not ended within {limit} s"
        if self.error is not None:
            raise self.error
        return self.value


class Runtime:
    """What is the same everywhere; one subclass per runtime."""

    name: str
    green = True
    """Whether `spawn` makes green threads; native ones are beyond `kill` and outside of any hub."""
    Timeout: type[BaseException]
    """What `timeout` raises."""
    Killed: type[BaseException]
    """What `kill` raises in the green thread."""

    def install(self) -> None:
        """Make the process this runtime's, as an application does in its first lines."""
        raise NotImplementedError

    def spawn(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Task[T]:
        """Start a green thread."""
        task = Task(function, args, kwargs)
        task.thread = self._start(task.run)
        return task

    def kill(self, task: Task[Any]) -> None:
        """Raise `Killed` in a green thread and wait until it has ended."""
        self._throw(task.thread)
        if not task.started:
            task.error = self.Killed()
            task.ended.set()
        assert task.ended.wait(LIMIT), f"the killed green thread has not ended within {LIMIT} s"

    def join_all(self, tasks: Iterable[Task[T]], limit: float = LIMIT) -> list[T]:
        """Return what the tasks returned, in order; the first error is raised."""
        return [task.get(limit) for task in tasks]

    def sleep(self, seconds: float) -> None:
        """Let the others run for a time."""
        import time

        time.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractContextManager[Any]:
        """Raise `Timeout` in the body of the `with` statement after a time."""
        raise NotImplementedError

    def _start(self, run: Callable[[], None]) -> Any:
        raise NotImplementedError

    def _throw(self, thread: Any) -> None:
        raise NotImplementedError


class Gevent(Runtime):
    """gevent, everything patched, and greenpg."""

    name = "gevent"

    def install(self) -> None:
        import gevent
        import gevent.monkey

        gevent.monkey.patch_all()
        importlib.import_module("greenpg.gevent").patch()
        self.Timeout, self.Killed = gevent.Timeout, gevent.GreenletExit

    def timeout(self, seconds: float) -> AbstractContextManager[Any]:
        import gevent

        bomb: AbstractContextManager[Any] = gevent.Timeout(seconds)
        return bomb

    def _start(self, run: Callable[[], None]) -> Any:
        import gevent

        return gevent.spawn(run)

    def _throw(self, thread: Any) -> None:
        thread.kill(block=True, timeout=LIMIT)


class Eventlet(Runtime):
    """eventlet, everything patched, and greenpg."""

    name = "eventlet"

    def install(self) -> None:
        import eventlet
        import greenlet

        eventlet.monkey_patch()
        importlib.import_module("greenpg.eventlet").patch()
        self.Timeout, self.Killed = eventlet.Timeout, greenlet.GreenletExit

    def timeout(self, seconds: float) -> AbstractContextManager[Any]:
        import eventlet

        bomb: AbstractContextManager[Any] = eventlet.Timeout(seconds)
        return bomb

    def _start(self, run: Callable[[], None]) -> Any:
        import eventlet

        return eventlet.spawn(run)

    def _throw(self, thread: Any) -> None:
        thread.kill()


class AlarmTimeout(BaseException):
    """Raised by a signal handler: what a timeout is in a process without a hub."""


class Select(Runtime):
    """No green threads: native threads, waits by poll, and greenpg. Use `timeout` in the main thread only."""

    name = "select"
    green = False
    Timeout = AlarmTimeout
    Killed = AlarmTimeout

    def install(self) -> None:
        importlib.import_module("greenpg.compat._drivers").activation.patch("select")

    def kill(self, task: Task[Any]) -> None:
        raise NotImplementedError("a native thread cannot be killed; mark the test with `runtimes`")

    @contextmanager
    def timeout(self, seconds: float) -> Iterator[AlarmTimeout]:
        import signal

        bomb = AlarmTimeout(f"{seconds} s")

        def explode(*_: object) -> None:
            raise bomb

        with heard_of(bomb, lambda: signal.setitimer(signal.ITIMER_REAL, 0.0001)):
            previous = signal.signal(signal.SIGALRM, explode)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                yield bomb
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, previous)

    def _start(self, run: Callable[[], None]) -> Any:
        import threading

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


RUNTIMES: dict[str, Runtime] = {runtime.name: runtime for runtime in (Gevent(), Eventlet(), Select())}

installed: Runtime | None = None
"""The runtime of this process; none in the process that only hands the tests out."""


def install(name: str) -> None:
    """Make this process the runtime's, once and for life."""
    global installed
    assert installed is None, "a process has one runtime"
    RUNTIMES[name].install()
    installed = RUNTIMES[name]
