"""The six runtimes that the driver's tests run in, behind one face; none of them patches the process.

A test is an async function whatever the runtime. A blocking runtime drives it by hand: there, nothing that
the test awaits ever suspends it, for `blocking` makes awaitables of what has blocked already.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from greenpg import waiters
from tests.lost import heard_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import AbstractContextManager

T = TypeVar("T")

LIMIT = 60.0
"""Seconds that anything of a test may take; a broken test must not wait for ever."""


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise AssertionError("a test of a blocking runtime has awaited what does not block")


class Task(Generic[T]):
    """What `Runtime.spawn` has started, and how it ended."""

    def __init__(self, runtime: Runtime, function: Callable[..., Coroutine[Any, Any, T]], args: Any) -> None:
        self._call = function, args
        self.ended = runtime.event()
        self.value: T
        self.error: BaseException | None = None
        self.throw: Callable[[], object]

    async def run(self) -> None:
        """Call the function and keep its outcome; only what ends a task for good passes through."""
        function, args = self._call
        try:
            self.value = await function(*args)
        except BaseException as error:
            self.error = error
            if type(error).__name__ == "Cancelled":  # trio's scope must have it back
                raise
        finally:
            self.ended.set()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.error is not None or hasattr(self, "value")

    def cancel(self) -> None:
        """Interrupt it as its runtime does: `kill`, `cancel`; a native thread cannot be."""
        self.throw()

    async def get(self) -> T:
        """Wait for its end; return what the function returned or raise what it raised."""
        assert await self.ended.wait(), f"a task has not ended within {LIMIT} s"
        if self.error is not None:
            raise self.error
        return self.value


class Event:
    """A runtime's own event, with a limit."""

    def __init__(self, event: Any) -> None:
        self._event = event

    def set(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    async def wait(self) -> bool:
        """Wait until it is set; false if that took more than `LIMIT`."""
        return bool(self._event.wait(LIMIT))


class Runtime:
    """What is the same everywhere. `run` must be called in the main thread."""

    name: str
    is_async = False
    Timeout: type[BaseException]
    """What comes out of `timeout`."""
    Interruption: type[BaseException]
    """What `timeout` raises in the midst of the test."""
    Killed: type[BaseException]
    """What `Task.cancel` raises in the task."""

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run an async function in a fresh main task of this runtime."""
        raise NotImplementedError

    def spawn(self, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> Task[T]:
        """Run an async function at the same time."""
        task = Task(self, function, args)
        task.throw = self._start(task)
        return task

    async def interrupt(self, task: Task[Any], when: Callable[[], object]) -> None:
        """Run a task, and interrupt it as soon as `when()` is true; returns when it has ended."""
        task.throw = self._start(task)
        while not when():
            await self.pause(0.01)
        task.cancel()
        assert await task.ended.wait(), "an interrupted task has not ended"

    def event(self) -> Event:
        """Return an event that tasks of this runtime wait for."""
        raise NotImplementedError

    def timeout(self, seconds: float) -> AbstractContextManager[object]:
        """Interrupt the body of the `with` statement after a time; `Timeout` then comes out of it."""
        raise NotImplementedError

    async def pause(self, seconds: float = 0.0) -> None:
        """Let the other tasks run."""
        raise NotImplementedError

    def _start(self, task: Task[Any]) -> Callable[[], object]:
        raise NotImplementedError


class Alarm(KeyboardInterrupt):
    """Ctrl-C as a test can send it."""


AGAIN = 0.5
"""Seconds after which a signal is sent again: one that comes right before a wait does not end that."""


class Select(Runtime):
    """No loop: the thread blocks. Tasks are native threads, and interruptions are signals."""

    name = "select"
    Timeout = Interruption = Killed = Alarm

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with waiters.using(self.name):
            return finish(main())

    def event(self) -> Event:
        return Event(threading.Event())

    async def interrupt(self, task: Task[Any], when: Callable[[], object]) -> None:
        main, over = threading.get_ident(), threading.Event()

        def watch() -> None:
            while not (task.is_over or when()):
                threading.Event().wait(0.01)
            while not (task.is_over or over.is_set()):
                signal.pthread_kill(main, signal.SIGALRM)
                over.wait(AGAIN)

        watcher = threading.Thread(target=watch)
        with self._alarm():
            watcher.start()
            try:
                await task.run()
            finally:
                over.set()
                watcher.join()

    @contextlib.contextmanager
    def timeout(self, seconds: float) -> Iterator[None]:
        with self._alarm():
            signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
            yield

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        armed, alarm = [True], Alarm()

        def ring(*_: object) -> None:
            if armed:
                armed.clear()
                raise alarm

        def again() -> None:
            armed.append(True)
            signal.setitimer(signal.ITIMER_REAL, 0.02, AGAIN)  # by then it waits, and is in no lock's lines

        with heard_of(alarm, again):
            previous = signal.signal(signal.SIGALRM, ring)
            try:
                yield
            finally:
                try:
                    armed.clear()  # it may come right here: once, however often it rings
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    signal.signal(signal.SIGALRM, previous)

    async def pause(self, seconds: float = 0.0) -> None:
        threading.Event().wait(seconds)

    def _start(self, task: Task[Any]) -> Callable[[], object]:
        threading.Thread(target=self.run, args=(task.run,), daemon=True).start()
        return lambda: (_ for _ in ()).throw(AssertionError("a native thread cannot be interrupted"))


class Gevent(Runtime):
    """gevent's hub in the main thread."""

    name = "gevent"

    def __init__(self) -> None:
        import gevent
        import gevent.event

        self._gevent = gevent
        self._event = gevent.event.Event
        self.Timeout = self.Interruption = gevent.Timeout
        self.Killed = gevent.GreenletExit

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        outcome = Task(self, main, ())
        self._gevent.spawn(self._drive, outcome).join()
        return finish(outcome.get())

    def event(self) -> Event:
        return Event(self._event())

    def timeout(self, seconds: float) -> AbstractContextManager[object]:
        bomb: AbstractContextManager[object] = self._gevent.Timeout(seconds)
        return bomb

    async def pause(self, seconds: float = 0.0) -> None:
        self._gevent.sleep(seconds)

    def _drive(self, task: Task[Any]) -> None:
        with waiters.using(self.name):
            finish(task.run())

    def _start(self, task: Task[Any]) -> Callable[[], object]:
        greenlet = self._gevent.spawn(self._drive, task)
        return lambda: greenlet.kill(block=False)


class Eventlet(Runtime):
    """eventlet's hub in the main thread."""

    name = "eventlet"

    def __init__(self) -> None:
        import eventlet
        import eventlet.green.threading
        import greenlet

        self._eventlet = eventlet
        self._event = eventlet.green.threading.Event
        self.Timeout = self.Interruption = eventlet.Timeout
        self.Killed = greenlet.GreenletExit

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        outcome = Task(self, main, ())
        self._eventlet.spawn(self._drive, outcome).wait()
        return finish(outcome.get())

    def event(self) -> Event:
        return Event(self._event())

    def timeout(self, seconds: float) -> AbstractContextManager[object]:
        bomb: AbstractContextManager[object] = self._eventlet.Timeout(seconds)
        return bomb

    async def pause(self, seconds: float = 0.0) -> None:
        self._eventlet.sleep(seconds)

    def _drive(self, task: Task[Any]) -> None:
        with waiters.using(self.name):
            finish(task.run())

    def _start(self, task: Task[Any]) -> Callable[[], object]:
        green_thread: Any = self._eventlet.spawn(self._drive, task)
        return lambda: self._eventlet.spawn(green_thread.kill)


class AsyncioEvent(Event):
    """asyncio's event."""

    async def wait(self) -> bool:
        try:
            return bool(await asyncio.wait_for(self._event.wait(), LIMIT))
        except asyncio.TimeoutError:
            return False


class Asyncio(Runtime):
    """asyncio, in a loop of its own."""

    name = "asyncio"
    is_async = True
    Timeout = asyncio.TimeoutError
    Interruption = Killed = asyncio.CancelledError

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run(main())

    def event(self) -> Event:
        return AsyncioEvent(asyncio.Event())

    @contextlib.contextmanager
    def timeout(self, seconds: float) -> Iterator[None]:
        # What asyncio.timeout() is since Python 3.11.
        task = asyncio.current_task()
        assert task is not None
        expired = []
        timer = asyncio.get_running_loop().call_later(seconds, lambda: expired.append(task.cancel()))
        try:
            yield
        except asyncio.CancelledError as error:
            if not expired:
                raise
            if hasattr(task, "uncancel"):
                task.uncancel()
            raise self.Timeout from error
        finally:
            timer.cancel()

    async def pause(self, seconds: float = 0.0) -> None:
        await asyncio.sleep(seconds)

    def _start(self, task: Task[Any]) -> Callable[[], object]:
        started = asyncio.get_running_loop().create_task(task.run())
        return started.cancel


class Uvloop(Asyncio):
    """asyncio on uvloop."""

    name = "uvloop"

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        import uvloop

        return uvloop.run(main())


class TrioEvent(Event):
    """trio's event."""

    async def wait(self) -> bool:
        import trio

        with trio.move_on_after(LIMIT):
            await self._event.wait()
        return bool(self._event.is_set())


class Trio(Runtime):
    """trio."""

    name = "trio"
    is_async = True

    def __init__(self) -> None:
        import trio

        self._trio = trio
        self.Timeout = trio.TooSlowError
        self.Interruption = self.Killed = trio.Cancelled
        self._nursery: Any = None

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async def root() -> T:
            outcome = Task(self, main, ())
            async with self._trio.open_nursery() as self._nursery:
                await outcome.run()
                self._nursery.cancel_scope.cancel()
            return await outcome.get()  # outside, or the nursery would wrap the error in a group

        return self._trio.run(root)

    def event(self) -> Event:
        return TrioEvent(self._trio.Event())

    def timeout(self, seconds: float) -> AbstractContextManager[object]:
        return self._trio.fail_after(seconds)

    async def pause(self, seconds: float = 0.0) -> None:
        await self._trio.sleep(seconds)

    def _start(self, task: Task[Any]) -> Callable[[], object]:
        scope = self._trio.CancelScope()

        async def scoped() -> None:
            with scope:
                await task.run()

        self._nursery.start_soon(scoped)
        return scope.cancel


RUNTIMES: dict[str, type[Runtime]] = {
    kind.name: kind for kind in (Select, Gevent, Eventlet, Asyncio, Uvloop, Trio)
}
