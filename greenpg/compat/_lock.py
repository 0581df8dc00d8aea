"""A lock for native and green threads alike, whether or not the process was monkey-patched.

To a native lock all green threads of a native thread are the same: one that has to wait for another
stops them both for ever. A runtime's own lock knows only its own green threads. This one waits
through the wait callback in force, for a socket that whoever holds the lock closes.
"""

from __future__ import annotations

import _socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from greenpg._pristine import pristine
from greenpg.abc import Wait
from greenpg.waiters import get_wait_callback

if TYPE_CHECKING:
    from typing import Literal

_thread = pristine("_thread")


class Lock:
    """`threading.Lock`, handed over in the order of asking."""

    __slots__ = ("__weakref__", "_native", "_queue")

    def __init__(self) -> None:
        self._native = _thread.allocate_lock()  # never waited for
        self._queue: deque[_socket.socket] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; return whether it was taken.

        :param timeout: seconds to wait for it; -1 waits for ever
        """
        if self._native.acquire(False):
            return True
        return blocking and self._wait(None if timeout < 0 else timeout)

    def release(self) -> None:
        """Give the lock to whoever has waited longest, or leave it free.

        :raises RuntimeError: nobody holds it
        """
        if self._queue and self._hand_over():
            return
        self._native.release()
        # somebody may have come to wait after the look at the queue, and before the release
        if self._queue and self._native.acquire(False):
            self.release()

    def locked(self) -> bool:
        """Return whether somebody holds the lock."""
        locked: bool = self._native.locked()
        return locked

    def __enter__(self) -> Literal[True]:
        if not self._native.acquire(False):
            self._wait(None)
        return True

    def __exit__(self, *_exc: object) -> None:
        self.release()

    def _hand_over(self) -> bool:
        """Give the lock to whoever has waited longest; return whether there was somebody."""
        try:
            self._queue.popleft().close()  # end of file is the signal
        except IndexError:  # they have left meanwhile
            return False
        return True

    def _wait(self, timeout: float | None) -> bool:
        """Wait in the queue; return whether the lock was handed over."""
        mine, signal = _socket.socketpair()
        try:
            self._queue.append(signal)
            if self._native.acquire(False):  # released before this one was in the queue
                self._leave(signal)
                return True
            get_wait_callback()(mine.fileno(), Wait.R, timeout)
        except BaseException:
            if self._leave(signal):  # handed over in the same moment
                self.release()
            raise
        finally:
            mine.close()
        return self._leave(signal)

    def _leave(self, signal: _socket.socket) -> bool:
        """Leave the queue; return whether the lock was handed over."""
        with suppress(ValueError):
            self._queue.remove(signal)
        handed_over = signal.fileno() < 0
        signal.close()
        return handed_over
