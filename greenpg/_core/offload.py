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

thread_number = _thread.get_ident
"""Returns the number of the native thread that runs here, whatever is patched."""


class TimeIsOver(TimeoutError):  # it is no error of anybody
    """The time of a conversation is over; what else raises `TimeoutError` was thrown in by somebody."""


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
    """A call that runs in a native thread; waited for by `result_gen()`.

    Any number of green threads may wait for it, each at a socket of its own.

    :param is_begun: whether it begins here and now; otherwise `begin()` it
    """

    def __init__(self, call: Callable[[], T], *, is_begun: bool = True) -> None:
        self._call = call
        self._outcome: tuple[bool, Any] | None = None
        self._signals: set[_socket.socket] = set()
        self._afterwards: Callable[[], object] | None = None
        self._lock = _thread.allocate_lock()
        if is_begun:
            self.begin()

    def begin(self) -> None:
        """Begin the call.

        :raises RuntimeError: there can be no more threads
        """
        _thread.start_new_thread(self._run, ())

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self._outcome is not None

    def _run(self) -> None:
        try:
            outcome: tuple[bool, Any] = True, self._call()
        except BaseException as exc:
            outcome = False, exc
        with self._lock:
            self._outcome = outcome
            for signal in self._signals:
                signal.close()  # end of file is the signal
            afterwards = self._afterwards
        if afterwards is not None:
            afterwards()

    def afterwards(self, call: Callable[[], object]) -> None:
        """Run `call` as soon as the call has ended: here and now, or in its thread.

        For who gives up: what the thread works on must not be taken away from under it.
        """
        with self._lock:
            if self._outcome is None:
                self._afterwards = call
                return
        call()

    def result_gen(self) -> Gen[T]:
        """Wait for the end of the call; return what it returned, or raise what it raised.

        :raises TimeIsOver: the time of the wait is over; the thread is left to end by itself,
            which is all that can be done with a C call such as `getaddrinfo()`
        """
        if self._outcome is None:
            yield from self._end_gen()
        assert self._outcome is not None
        succeeded, value = self._outcome
        if succeeded:
            return cast("T", value)
        raise value

    def _end_gen(self) -> Gen[None]:
        """Wait for the end of the call."""
        # a socket pair rather than a pipe: a write to a closed one is an error, not a signal
        mine, signal = _socket.socketpair()
        try:
            with self._lock:
                self._signals.add(signal)
            while self._outcome is None:
                if not (yield mine.fileno(), Wait.R):
                    raise TimeIsOver("the call in a native thread took too long")
        finally:
            with self._lock:
                self._signals.discard(signal)
            signal.close()
            mine.close()


class Alarm:
    """A socket that can be read once some seconds have passed: a clock for who must not look at one.

    Close it in any case; that also ends the native thread that holds the other end.
    """

    def __init__(self, seconds: float) -> None:
        self._mine, signal = _socket.socketpair()
        self._over = _thread.allocate_lock()
        self._over.acquire()

        def run() -> None:
            self._over.acquire(timeout=seconds)
            signal.close()

        try:
            _thread.start_new_thread(run, ())
        except BaseException:
            self._mine.close()
            signal.close()
            raise

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._mine.fileno()

    def close(self) -> None:
        """Give up waiting."""
        self._mine.close()
        self._over.release()


def offload_gen(call: Callable[[], T]) -> Gen[T]:
    """Run `call()` in a native thread and return what it returns, or raise what it raises.

    :raises TimeIsOver: the time of the wait is over
    """
    return (yield from Offloaded(call).result_gen())


_lookups: dict[tuple[int, str], Offloaded[list[str]]] = {}
"""Names being resolved, by process: a forked child has none of its parent's threads."""


def resolve(host: str) -> Offloaded[list[str]]:
    """Begin to resolve `host`; the result is its addresses, in the resolver's order.

    Whoever asks for a name that is being resolved waits for the same thread: under a resolver that
    does not answer, threads pile up neither with callers nor with their new tries.
    Waiting for it raises `socket.gaierror` when there is no such name.
    """
    key = os.getpid(), host

    def call() -> list[str]:
        try:
            # _socket's own function: the one in `socket` may be patched to switch green threads.
            # Bytes, as libpq does: for a str Python has rules of its own about what a name is.
            answers = _socket.getaddrinfo(host.encode(), None, type=_socket.SOCK_STREAM)
        finally:
            _lookups.pop(key, None)
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))

    lookup = _lookups.get(key)
    if lookup is None or lookup.is_over:
        lookup = Offloaded(call, is_begun=False)
        try:
            _lookups[key] = lookup  # before it begins: it may end at once, and takes itself out then
            lookup.begin()
        except BaseException:
            _lookups.pop(key, None)
            raise
    return lookup


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
