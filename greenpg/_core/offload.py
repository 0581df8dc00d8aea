"""A blocking call in a native thread, seen from the core as one more file descriptor to wait for.

The thread must be a native one even where `threading` was monkey-patched: a green thread would
block the very hub that the call is kept away from.
"""

from __future__ import annotations

import _socket
import contextlib
import os
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from greenpg._pristine import pristine
from greenpg.abc import Gen, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


_thread = pristine("_thread")


def detach(call: Callable[[], object], pauses: Iterable[float] = (0,)) -> None:
    """Run `call` in a native thread that nobody waits for, after each of `pauses` seconds.

    What it raises is dropped: nobody is left to tell, the caller has gone on.
    """

    def run() -> None:
        alarm = _thread.allocate_lock()
        alarm.acquire()
        for pause in pauses:
            alarm.acquire(timeout=pause)
            with contextlib.suppress(Exception):
                call()

    _thread.start_new_thread(run, ())


class Offloaded(Generic[T]):
    """A call that runs in a native thread; begun when this is made, waited for by `result_gen()`."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._outcome: list[tuple[bool, Any]] = []
        # a socket pair rather than a pipe: a write to a closed one is an error, not a signal
        self._mine, theirs = _socket.socketpair()

        def run() -> None:
            try:
                self._outcome.append((True, call()))
            except BaseException as exc:
                self._outcome.append((False, exc))
            finally:
                theirs.close()  # end of file is the signal

        _thread.start_new_thread(run, ())

    def result_gen(self) -> Gen[T]:
        """Wait for the end of the call; return what it returned, or raise what it raised.

        :raises TimeoutError: the time of the wait is over; the thread is left to end by itself,
            which is all that can be done with a C call such as `getaddrinfo()`
        """
        try:
            while not self._outcome:
                if not (yield self._mine.fileno(), Wait.R):
                    raise TimeoutError("the call in a native thread took too long")
        finally:
            self._mine.close()
        succeeded, value = self._outcome[0]
        if succeeded:
            return cast("T", value)
        raise value


def offload_gen(call: Callable[[], T]) -> Gen[T]:
    """Run `call()` in a native thread and return what it returns, or raise what it raises.

    :raises TimeoutError: the time of the wait is over
    """
    return (yield from Offloaded(call).result_gen())


def resolve(host: str) -> Offloaded[list[str]]:
    """Begin to resolve `host`; the result is its addresses, in the resolver's order.

    Waiting for it raises `socket.gaierror` when there is no such name.
    """

    def call() -> list[str]:
        # _socket's own function: the one in `socket` may be patched to switch green threads
        answers = _socket.getaddrinfo(host, None, type=_socket.SOCK_STREAM)
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))

    return Offloaded(call)


def shut_down(fd: int) -> None:
    """End both directions of the connected socket `fd`, which wakes whoever waits for it.

    The file descriptor stays open, and stays its owner's.
    """
    with _BorrowedSocket(fileno=os.dup(fd)) as sock:
        sock.shutdown(_socket.SHUT_RDWR)


class _BorrowedSocket(_socket.socket):
    """A duplicate of a descriptor, closed on the way out (`_socket.socket` has no `with`)."""

    def __enter__(self) -> _BorrowedSocket:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
