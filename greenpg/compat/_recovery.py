"""What all drivers' rooms share about interruptions: who waits, for how long, how a statement ends."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from greenpg._core.protocol import cancel_gen
from greenpg._core.rescue import PATIENCE
from greenpg.waiters import drive_steps, get_wait_callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenpg.abc import Gen, Steps
    from greenpg.pq.abc import PGconn

try:
    from greenlet import getcurrent as current
except ImportError:  # nothing but native threads can be waiting here
    current = threading.current_thread

__all__ = ["PATIENCE", "Limits", "current", "end_statement", "warn_of_old_libpq"]

_log = logging.getLogger("greenpg")


class Limits:
    """Seconds that cleaning up may take; set by a driver's `patch()`."""

    recovery = 2.0
    cancel = 10.0

    def set(self, *, recovery_timeout: float, cancel_timeout: float) -> None:
        """Set both.

        :raises ValueError: one is not a positive number
        """
        for name, seconds in (("recovery_timeout", recovery_timeout), ("cancel_timeout", cancel_timeout)):
            if not seconds > 0:
                raise ValueError(f"{name} is a positive number of seconds, not {seconds!r}")
        self.recovery, self.cancel = recovery_timeout, cancel_timeout


def warn_of_old_libpq(driver: str, version: int) -> None:
    """Say in one warning what a driver's libpq of before version 17 has to do without."""
    if version < 170000:
        _log.warning(
            "%s uses libpq %d: before 17, cancelling takes a native thread and no encryption",
            driver,
            version // 10000,
        )


def end_statement(pgconn: PGconn, rest_gen: Callable[[], Gen[None]], seconds: float) -> None:
    """Cancel the statement under way on the server and bring its connection to rest, within `seconds`.

    A server that has not read the statement yet drops the request to cancel it, and then runs it:
    the request is made again, with growing patience, until there is an answer.

    :param rest_gen: makes a generator that reads what the server still says; begun anew after a time
    :raises TimeoutError: the time is over
    """
    drive_steps(_ending_steps(pgconn, rest_gen), get_wait_callback(), seconds)


def _ending_steps(pgconn: PGconn, rest_gen: Callable[[], Gen[None]]) -> Steps[None]:
    patience = PATIENCE
    while True:
        yield cancel_gen(pgconn), None
        try:
            yield rest_gen(), patience
        except TimeoutError:
            patience *= 2
        else:
            return
