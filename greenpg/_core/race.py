"""Happy eyeballs (RFC 8305): which of a name's addresses lets us in first.

A wait callback waits for one file descriptor, and so the racers are put into a set of them that is one
itself. That is all that epoll is here: nothing waits with it, it is only ever asked what is ready now.
Where there is none, addresses are tried one after the other.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from greenpg._core.offload import Alarm
from greenpg._core.protocol import wait_gen
from greenpg._pristine import pristine
from greenpg.abc import Gen, Wait
from greenpg.pq.enums import ConnStatus, PollingStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenpg.pq.abc import PGconn

HEAD_START = 0.25
"""Seconds that an address has before the next one is tried as well: RFC 8305's Connection Attempt Delay."""

Winner = tuple["PGconn", PollingStatus]
"""A connection whose socket is connected, and what libpq wants next."""

_select: Any = pristine("select")
_WRITABLE = _select.POLLOUT


def race_gen(
    start: Callable[[str], PGconn], addresses: Sequence[str], failed: Callable[[PGconn], object]
) -> Gen[Winner | None]:
    """Connect to the address that answers first, each given a head start before the next.

    :param start: begins to connect to an address
    :param failed: told of each connection that has failed, and closes it
    :return: `None` if all have failed
    """
    if len(addresses) == 1 or not hasattr(_select, "epoll"):
        return _one_by_one_gen(start, addresses, failed)
    return _race_gen(start, addresses, failed)


def _race_gen(
    start: Callable[[str], PGconn], addresses: Sequence[str], failed: Callable[[PGconn], object]
) -> Gen[Winner | None]:
    race = _Race(start, addresses, failed)
    try:
        return (yield from race.run_gen())
    finally:
        race.close()


def is_writable(fd: int) -> bool:
    """Return whether a socket can be written to or has failed; one that leads to this machine can at once."""
    now = _select.poll()
    now.register(fd, _WRITABLE)
    return bool(now.poll(0))


def _one_by_one_gen(
    start: Callable[[str], PGconn], addresses: Sequence[str], failed: Callable[[PGconn], object]
) -> Gen[Winner | None]:
    """Connect to the first address that does not refuse: no race, for want of another or of an epoll."""
    for address in addresses:
        pgconn = start(address)
        try:
            status = PollingStatus.FAILED
            if pgconn.status != ConnStatus.BAD:
                if not is_writable(pgconn.socket):
                    yield from wait_gen(pgconn.socket, Wait.W)
                status = pgconn.connect_poll()
        except BaseException:
            pgconn.finish()
            raise
        if status != PollingStatus.FAILED:
            return pgconn, status
        failed(pgconn)
    return None


class _Race:
    """The racers that have started, and the alarm at which the next one does."""

    def __init__(
        self, start: Callable[[str], PGconn], addresses: Sequence[str], failed: Callable[[PGconn], object]
    ) -> None:
        self._start = start
        self._failed = failed
        self._waiting = deque(addresses)
        self._running: dict[int, PGconn] = {}
        self._is_due = True
        """Whether the next one starts now."""
        self._alarm: Alarm | None = None
        self._fds = _select.epoll()

    def close(self) -> None:
        """Drop the losers."""
        self._disarm()
        for pgconn in self._running.values():
            pgconn.finish()
        self._fds.close()

    def run_gen(self) -> Gen[Winner | None]:
        """Let them run; return the winner."""
        while self._waiting or self._running:
            if self._waiting and self._is_due:
                self._send_off()
            if (winner := self._look()) is not None:
                return winner
            if self._waiting and not self._is_due and self._alarm is None:
                self._arm()
            if self._running and not (self._waiting and self._is_due):
                yield from wait_gen(self._fds.fileno(), Wait.R)
        return None

    def _send_off(self) -> None:
        """Start the next racer."""
        pgconn = self._start(self._waiting.popleft())
        if pgconn.status == ConnStatus.BAD:  # this machine has no way to go there
            self._failed(pgconn)
            return
        fd = pgconn.socket
        self._running[fd] = pgconn
        self._fds.register(fd, _select.EPOLLOUT)
        self._is_due = False

    def _look(self) -> Winner | None:
        """Go on with all that is ready; return the first whose socket is connected."""
        for fd, _ in self._fds.poll(0):
            pgconn = self._running.pop(fd, None)
            self._disarm()  # it has rung, or somebody has failed: the next one starts at once
            self._is_due = True
            if pgconn is None:
                continue
            self._fds.unregister(fd)
            status = pgconn.connect_poll()
            if status != PollingStatus.FAILED:
                return pgconn, status
            self._failed(pgconn)
        return None

    def _arm(self) -> None:
        """Have the next one started after the head start, whatever becomes of those before."""
        self._alarm = Alarm(HEAD_START)
        self._fds.register(self._alarm.fileno(), _select.EPOLLIN)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.close()  # which takes it out of the set
            self._alarm = None
