"""Noticing the end of a session while nobody uses the connection.

The kernel says when the server has gone, to a file descriptor of the waiting one's own; the connection stays
free for others. Nothing wakes up periodically.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from greenpg._turn import TurnTaking
from greenpg.abc import Wait
from greenpg.errors import Error
from greenpg.rows import Row
from greenpg.waiters import Hangup

if TYPE_CHECKING:
    from greenpg.abc import Gen


class Lively(TurnTaking[Row]):
    """A connection whose end can be waited for."""

    _watches: frozenset[Hangup] = frozenset()

    def _watch(self) -> Hangup:
        """Return what wakes up at the end of the session; `_unwatch()` it."""
        self._check_process()
        watch = Hangup(self.pgconn.socket)
        self._watches |= {watch}
        return watch

    def _unwatch(self, watch: Hangup) -> None:
        self._watches -= {watch}
        watch.close()

    def _end_gen(self, watch: Hangup) -> Gen[bool]:
        """Wait for the end of the session; return whether it has come, and not the end of the time."""
        while not self._is_closed:
            if not (yield watch.fileno(), Wait.R):
                return False
            if not self._is_closed and watch.has_come():
                self._notice_end()
                watch.ignore()
        return True

    def _notice_end(self) -> None:
        """The server has gone: close the connection, or have whoever uses it notice."""
        gen = _nothing_gen()
        try:
            self._take_turn(gen, self._under_way)
            self._read_to_end()
        except Error as error:
            self._outcome(gen, error)
        finally:
            gen.close()
            self._has_hung_up = not self._is_closed
            self._end_turn(gen)
            self._deliver()

    def _look(self) -> None:
        # who uses it, looks; and what has come to a forked child is the parent's
        if self._pid == os.getpid() and self._take_briefly():
            try:
                super()._look()
            finally:
                self._give_back()

    def _finish(self) -> None:
        super()._finish()
        for watch in tuple(self._watches):
            watch.give_up()


def _nothing_gen() -> Gen[None]:
    """Have a turn, and nothing to say in it."""
    yield from ()
