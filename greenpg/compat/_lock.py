"""A lock for native and green threads alike, whether or not the process was monkey-patched.

To a native lock all green threads of a native thread are the same: one that has to wait for another
stops them both for ever. A runtime's own lock knows only its own green threads. This one waits
through the wait callback in force, for a socket that whoever holds the lock closes.
"""

from __future__ import annotations

import _socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from greenpg._pristine import pristine
from greenpg.abc import Wait
from greenpg.compat._recovery import current
from greenpg.waiters import get_wait_callback

if TYPE_CHECKING:
    from typing import Literal

_dead_end = pristine("_thread").allocate_lock()
"""Held while a lock is taken from a holder that has ended; nobody waits with it."""


class Lock:
    """`threading.Lock`, handed over in the order of asking, and not lost to a signal.

    The handler of a signal may raise between any two lines of this: when the lock is taken and its `with`
    has not begun, or when it is about to be given back. So it knows its holder, and whoever asks for a
    lock that it holds itself, or that is held by somebody who has ended, has it. (What asks once more while
    it really holds the lock, a notice handler that executes, would wait for itself otherwise.)
    """

    __slots__ = ("__weakref__", "_holder", "_queue")

    def __init__(self) -> None:
        self._holder: dict[Literal["is"], Any] = {}  # its setdefault() takes the lock in one step
        self._queue: deque[tuple[_socket.socket, Any]] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; return whether it was taken.

        :param timeout: seconds to wait for it; -1 waits for ever
        """
        if self._take():
            return True
        return blocking and self._wait(None if timeout < 0 else timeout)

    def release(self) -> None:
        """Give the lock to whoever has waited longest, or leave it free."""
        if self._queue and self._hand_over():
            return
        self._holder.pop("is", None)
        # somebody may have come to wait after the look at the queue, and before the release
        if self._queue and self._take():
            self.release()

    def locked(self) -> bool:
        """Return whether somebody holds the lock."""
        return bool(self._holder)

    def __enter__(self) -> Literal[True]:
        if not self._take():
            self._wait(None)
        return True

    def __exit__(self, *_exc: object) -> None:
        self.release()

    def _take(self) -> bool:
        """Take the lock if it is free, lost, or its holder has ended; return whether it was taken."""
        me = current()
        holder = self._holder.setdefault("is", me)
        return holder is me or (_has_ended(holder) and self._inherit(holder, me))

    def _inherit(self, ended: Any, heir: Any) -> bool:
        with _dead_end:
            if self._holder.get("is") is not ended:  # another thread was faster
                return False
            self._holder["is"] = heir
            return True

    def _hand_over(self) -> bool:
        """Give the lock to whoever has waited longest; return whether there was somebody."""
        while self._queue:
            try:
                entry = signal, waiter = self._queue[0]
            except IndexError:  # it has left meanwhile
                break
            try:
                self._queue.remove(entry)
                self._give_to(waiter, signal)
            except ValueError:  # the same
                continue
            except BaseException:  # a signal's: it must not be lost between the two
                self._give_to(waiter, signal)
                raise
            return True
        return False

    def _give_to(self, waiter: Any, signal: _socket.socket) -> None:
        self._holder["is"] = waiter
        signal.close()  # end of file wakes it up

    def _wait(self, timeout: float | None) -> bool:
        """Wait in the queue; return whether the lock was handed over."""
        mine, signal = _socket.socketpair()
        entry = signal, current()
        try:
            self._queue.append(entry)
            if self._take():  # released before this one was in the queue
                self._leave(entry)
                return True
            get_wait_callback()(mine.fileno(), Wait.R, timeout)
        except BaseException:
            if self._leave(entry):  # handed over in the same moment
                self.release()
            raise
        finally:
            mine.close()
        return self._leave(entry)

    def _leave(self, entry: tuple[_socket.socket, Any]) -> bool:
        """Leave the queue; return whether the lock was handed over."""
        with suppress(ValueError):
            self._queue.remove(entry)
        signal, _ = entry
        handed_over = signal.fileno() < 0
        signal.close()
        return handed_over


def _has_ended(holder: Any) -> bool:
    dead: bool | None = getattr(holder, "dead", None)  # a greenlet's
    return not holder.is_alive() if dead is None else dead
