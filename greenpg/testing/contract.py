"""Holds any wait callback to the contract of `greenpg.abc`, greenpg's own and third parties' alike.

The clauses are in `_clauses`, as generators that say what to wait for and what must come of it;
here they are played, in the blocking and in the async colour.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from greenpg.abc import AsyncBindable, Bindable
from greenpg.testing._arena import Arena, Run
from greenpg.testing._clauses import BOUND_CLAUSES, CLAUSES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import AbstractContextManager

    from greenpg.abc import AsyncWaitCallback, Ready, Wait, WaitCallback
    from greenpg.testing._arena import Ask, Throw
    from greenpg.testing._clauses import Clause


class Runtime(Protocol):
    """What the contract needs of a runtime of green (or native) threads."""

    def spawn(self, call: Callable[[], None], /) -> Throw | None:
        """Run `call` in a green thread of its own, soon or at once.

        :return: what raises a given exception in that green thread where it waits, soon or at once;
            `None` where that cannot be done
        """
        ...

    def pause(self) -> None:
        """Let the others run for about a millisecond."""
        ...


class AsyncRuntime(Protocol):
    """What the contract needs of an event loop."""

    cancelled: type[BaseException]
    """The exception by which the loop ends what is awaited."""

    def spawn(self, call: Callable[[], Awaitable[None]], /) -> None:
        """Run `call` in a task of its own."""
        ...

    async def pause(self) -> None:
        """Let the others run for about a millisecond."""
        ...

    def interruptible(self) -> AbstractContextManager[Callable[[], object]]:
        """Give a function that cancels what is awaited inside, and only that."""
        ...


def check_wait_callback(wait: WaitCallback, runtime: Runtime) -> None:
    """Check that `wait` keeps every clause of the contract; what it binds must keep them too.

    It takes about a second. Call it where the runtime runs, for gevent and eventlet simply anywhere.

    :param runtime: `greenpg.testing.Gevent()`, `Eventlet()`, `NativeThreads()` or one of your own
    :raise AssertionError: a clause is broken; the message begins with it
    """
    for clause in CLAUSES:
        _check(clause, wait, runtime)
    if isinstance(wait, Bindable):
        for clause in (*CLAUSES, *BOUND_CLAUSES):
            _check(clause, _Binder(wait), runtime)


async def check_async_wait_callback(wait: AsyncWaitCallback, runtime: AsyncRuntime) -> None:
    """Async `check_wait_callback()`; await it in the loop that `wait` is for.

    :param runtime: `greenpg.testing.Asyncio()` (uvloop too), `Trio(nursery)` or one of your own
    """
    for clause in CLAUSES:
        await _acheck(clause, wait, runtime)
    if isinstance(wait, AsyncBindable):
        for clause in (*CLAUSES, *BOUND_CLAUSES):
            await _acheck(clause, _Binder(wait), runtime)


def _check(clause: Clause, wait: WaitCallback, runtime: Runtime) -> None:
    with _named(clause, wait), Arena(_binder(wait)) as arena:
        for run in clause(arena):
            if run is None:
                runtime.pause()
            else:
                run.throw = runtime.spawn(partial(_perform, run, wait))


async def _acheck(clause: Clause, wait: AsyncWaitCallback, runtime: AsyncRuntime) -> None:
    with _named(clause, wait), Arena(_binder(wait), runtime.cancelled) as arena:
        for run in clause(arena):
            if run is None:
                await runtime.pause()
            else:
                runtime.spawn(partial(_aperform, run, wait, runtime))


def _perform(run: Run, wait: WaitCallback) -> None:
    for ask in run.play():
        run.note(_outcome(run.wait or wait, ask))


def _outcome(wait: WaitCallback, ask: Ask) -> Ready | BaseException:
    try:
        return wait(*ask)
    except BaseException as ex:
        return ex


async def _aperform(run: Run, wait: AsyncWaitCallback, runtime: AsyncRuntime) -> None:
    for ask in run.play():
        with runtime.interruptible() as cancel:
            run.throw = partial(_call, cancel)
            await _anote(run, run.wait or wait, ask, runtime.cancelled)


async def _anote(run: Run, wait: Any, ask: Ask, cancelled: type[BaseException]) -> None:
    try:
        run.note(await wait(*ask))
    except BaseException as ex:
        run.note(ex)
        if isinstance(ex, cancelled):
            raise


def _call(cancel: Callable[[], object], _error: BaseException) -> None:
    cancel()  # a loop makes the exception itself


class _Binder:
    """Waits for each file descriptor through a callback bound to it, blocking or async."""

    def __init__(self, wait: Any) -> None:
        self._wait = wait
        self._bound: dict[int, Any] = {}

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Any:
        return self.bind(fd)(fd, need, timeout)

    def __repr__(self) -> str:
        return f"bound by {self._wait!r}"

    def bind(self, fd: int) -> Any:
        if fd not in self._bound:
            self._bound[fd] = self._wait.bind(fd)
        return self._bound[fd]

    def unbind(self, fd: int) -> None:
        if fd in self._bound:
            self._bound.pop(fd).close()


def _binder(wait: object) -> _Binder | None:
    return wait if isinstance(wait, _Binder) else None


@contextmanager
def _named(clause: Clause, wait: object) -> Iterator[None]:
    try:
        yield
    except Exception as ex:
        raise AssertionError(f"{clause.__doc__}: {ex or type(ex).__name__} ({wait!r})") from ex
