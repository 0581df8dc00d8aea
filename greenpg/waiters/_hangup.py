"""Waiting for the end of a socket's connection and nothing else: what arrives meanwhile wakes nobody."""

from __future__ import annotations

import _socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from greenpg._pristine import pristine

if TYPE_CHECKING:
    from typing_extensions import Self

_select = pristine("select")


class Hangup:
    """A file descriptor that can be read once the other side of a socket has gone, or `give_up()` was called.

    The kernel watches the socket (Linux: epoll; BSD and macOS: kqueue). So others may read from it at the
    same time, in whatever way, and data that nobody reads does no harm.

    :param fd: the socket, which is to be closed after `give_up()`
    """

    def __init__(self, fd: int) -> None:
        self._mine, self._signal = _socket.socketpair()
        self._fd = fd
        self._queue: Any = None
        try:
            if hasattr(_select, "epoll"):
                self._queue = _select.epoll()
                self._queue.register(fd, _select.EPOLLRDHUP)
                self._queue.register(self._mine.fileno(), _select.EPOLLIN)
            else:
                self._queue = _select.kqueue()
                self._queue.control([self._event(fd), self._event(self._mine.fileno())], 0)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _event(fd: int) -> Any:
        # only changes are events (CLEAR): what was there before wakes nobody a second time
        return _select.kevent(fd, _select.KQ_FILTER_READ, _select.KQ_EV_ADD | _select.KQ_EV_CLEAR)

    def fileno(self) -> int:
        """Return the file descriptor to wait for."""
        return int(self._queue.fileno())

    def has_come(self) -> bool:
        """Return whether the other side has gone; ask when the file descriptor can be read."""
        if hasattr(_select, "epoll"):
            return any(fd == self._fd for fd, _ in self._queue.poll(0))
        events = self._queue.control(None, 2, 0)
        return any(event.ident == self._fd and event.flags & _select.KQ_EV_EOF for event in events)

    def ignore(self) -> None:
        """Wait for `give_up()` alone."""
        with suppress(OSError):  # the socket is closed, and was forgotten with that
            if hasattr(_select, "epoll"):
                self._queue.unregister(self._fd)
            else:
                event = _select.kevent(self._fd, _select.KQ_FILTER_READ, _select.KQ_EV_DELETE)
                self._queue.control([event], 0)

    def give_up(self) -> None:
        """Wake up whoever waits; from any thread."""
        self._signal.close()

    def close(self) -> None:
        """Free everything but the socket."""
        self._mine.close()
        self._signal.close()
        if self._queue is not None:
            self._queue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
