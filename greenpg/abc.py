"""The contract everything hangs on: what a core asks for, and what a wait callback answers.

This room imports nothing of ours, so that every other room may import it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterator
from enum import IntEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


class Wait(IntEnum):
    """What a generator needs of a file descriptor; the bits of `selectors`, libev and psycopg 3."""

    R = 1
    W = 2
    RW = 3


class Ready(IntEnum):
    """What a wait callback found; `NONE` means that the time given has passed."""

    NONE = 0
    R = 1
    W = 2
    RW = 3


Gen = Generator[tuple[int, Wait], Ready, T]
"""The one generator type of the project: yields `(fd, need)`, is sent `Ready`, returns `T`.

The fd may change on the way (libpq changes sockets between hosts).
"""


class Slice(Protocol):
    """How long one may keep the loop with data that never runs dry: called after each piece of work."""

    def begin(self) -> None:
        """Begin anew: the others have just had a turn."""

    def __call__(self) -> bool:
        """Return whether it is time for the others to have one."""
        ...

    def pieces(self, start: int, stop: int, /) -> Iterator[tuple[int, int]]:
        """Yield the bounds of pieces of work that are short enough."""
        ...


Steps = Generator[tuple[Gen[Any], float | None], Any, T]
"""Whole conversations one after the other, each with a limit in seconds; `None` for none.

It is sent what each returned; what each raised, `TimeoutError` when its time was over, is thrown in.
"""


class WaitCallback(Protocol):
    """Waits once, for one file descriptor, in the blocking style of its runtime."""

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Ready:
        """Wait until `fd` is ready for `need`, or until `timeout` seconds have passed.

        :param fd: an open file descriptor
        :param need: the readiness asked for; `Wait.RW` means either
        :param timeout: seconds; `None` waits for ever, `0` only polls
        :return: the bits that are ready, never one that was not asked for; `Ready.NONE` only
            when the time has passed. Hang-up and error count as ready.

        Whatever the runtime throws into the wait (`gevent.Timeout`, `GreenletExit`,
        `KeyboardInterrupt`) passes through, leaves nothing registered, and the next wait works.
        """
        ...


class BoundWaitCallback(WaitCallback, Protocol):
    """A wait callback made for one socket, with whatever its runtime lets it keep (a watcher).

    It is called exactly as any other, and waits for other file descriptors too, only slower.
    """

    def close(self) -> None:
        """Drop what is kept for the socket; call it before the socket is closed."""
        ...


@runtime_checkable
class Bindable(Protocol):
    """A wait callback that can make a faster one for one socket."""

    def bind(self, fd: int, /) -> BoundWaitCallback:
        """Return a callback for `fd`, to be closed before the socket is."""
        ...


class AsyncWaitCallback(Protocol):
    """`WaitCallback`, awaitable: what asyncio and trio give."""

    def __call__(self, fd: int, need: Wait, timeout: float | None, /) -> Awaitable[Ready]:
        """Async `WaitCallback.__call__()`."""
        ...


class AsyncBoundWaitCallback(AsyncWaitCallback, Protocol):
    """`BoundWaitCallback`, awaitable."""

    def close(self) -> None:
        """Drop what is kept for the socket; call it before the socket is closed. It does not wait."""
        ...


@runtime_checkable
class AsyncBindable(Protocol):
    """`Bindable`, awaitable."""

    def bind(self, fd: int, /) -> AsyncBoundWaitCallback:
        """Async `Bindable.bind()`, which does not wait either."""
        ...
